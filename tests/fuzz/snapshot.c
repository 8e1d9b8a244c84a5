/* registry/columns.h: the opening and reading of a snapshot file. */
#include "registry/columns.h"
#include "tests/fuzz/fuzz.h"

/* HDF5 1.10.8 loses 424 bytes for many a file that is no snapshot. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct columns *columns = NULL;
    struct column_scratch scratch = {0};
    struct maille_error error = {0};
    /* HDF5 follows links to a name: /proc/self/fd of a file in memory has none. */
    const char *path = fuzz_put("snapshot.h5", data, size);
    if (columns_open(&columns, path, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        size_t n = columns_dictionary(columns)->n_variables;
        for (size_t b = 0; b < columns_blocks(columns) && b < 4; b++) {
            struct column_block block;
            for (uint32_t v = 0; v < n; v++)
                if (columns_block(&block, columns, &scratch, v, b, &error) == MAILLE_OK &&
                    block.rows > COLUMNS_BLOCK_ROWS)
                    fuzz_fail("at most a block of rows");
            if (columns_patient_block(&block, columns, &scratch, b, &error) == MAILLE_OK &&
                block.rows > COLUMNS_BLOCK_ROWS)
                fuzz_fail("at most a block of rows");
        }
    }
    column_scratch_clear(&scratch);
    columns_free(columns);
    return 0;
}
