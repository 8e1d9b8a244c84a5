/* registry/columns.h: the opening and reading of a snapshot file. Behind an "S" stand LE16 a place and
 * a byte to put there, of a snapshot that this program wrote, as often as there are bytes. Behind an "L"
 * stands one chunk of LZ4 (registry/lz4_filter.h). */
#include <stdlib.h>

#include "registry/lz4_filter.h"
#include "tests/fuzz/patients.h"

/* HDF5 1.10.8 loses 424 bytes for many a file that is no snapshot. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\n";
}

static void chunk_of(const uint8_t *data, size_t size)
{
    enum { ROOM = 4096 };
    static uint8_t plain[ROOM];
    for (size_t room = 1; room <= ROOM; room *= 8)
        (void)!lz4_filter_decode(plain, room, data, size);
    uint8_t *packed = malloc(lz4_filter_bound(size)), *again = malloc(size + 1);
    const size_t length =
        packed == NULL || again == NULL || size == 0 ? 0 : lz4_filter_encode(packed, data, size);
    if (size > 0 &&
        (length == 0 || !lz4_filter_decode(again, size, packed, length) || memcmp(again, data, size) != 0))
        fuzz_fail("a chunk that was packed");
    free(packed);
    free(again);
}

static void file_of(const uint8_t *data, size_t size, bool right)
{
    struct columns *columns = NULL;
    struct column_scratch scratch = {0};
    struct maille_error error = {0};
    /* HDF5 follows links to a name: /proc/self/fd of a file in memory has none. */
    const char *path = fuzz_put("snapshot.h5", data, size);
    if (columns_open(&columns, path, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0' || right)
            fuzz_fail("a snapshot that opens, or a sentence");
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
}

static void altered(const uint8_t *data, size_t size)
{
    static struct bytes written;
    enum { CHANGE_BYTES = 3 };
    struct bytes bytes = {0};
    bool right = true;
    if (written.length == 0)
        written = fuzz_snapshot();
    bytes_put(&bytes, written.data, written.length);
    for (; size >= CHANGE_BYTES; data += CHANGE_BYTES, size -= CHANGE_BYTES) {
        uint8_t *place = &bytes.data[(size_t)(data[0] | data[1] << 8) % bytes.length];
        right = right && *place == data[2];
        *place = data[2];
    }
    file_of(bytes.data, bytes.length, right);
    bytes_clear(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'L')
        chunk_of(data + 1, size - 1);
    else if (size > 0 && data[0] == 'S')
        altered(data + 1, size - 1);
    else
        file_of(data, size, false);
    return 0;
}
