/* registry/route.h: SAS files as ReadStat gives them to this program. The parser is called in this process
 * (the linker puts __wrap_route_apart in the place of the one with a child and walls), so that libFuzzer sees
 * it. The first byte says how the file is called. */
#include <stdio.h>
#include <unistd.h>

#include "registry/csv.h"
#include "registry/route.h"
#include "tests/fuzz/fuzz.h"

enum maille_code __wrap_route_apart(enum maille_code (*parse)(void *context, struct maille_error *error),
                                    void *context, const char *const *files, size_t n_files,
                                    struct maille_error *error);

enum maille_code __wrap_route_apart(enum maille_code (*parse)(void *context, struct maille_error *error),
                                    void *context, const char *const *files, size_t n_files,
                                    struct maille_error *error)
{
    (void)files;
    (void)n_files;
    return parse(context, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maille_error error = {0};
    int fd = -1;
    if (size == 0)
        return 0;
    const bool transport = data[0] == 'x', catalog = data[0] == 'c';
    const char *path = fuzz_put(transport ? "a.xpt"
                                : catalog ? "a.sas7bcat"
                                          : "a.sas7bdat",
                                data + 1, size - 1);
    if (catalog) /* beside a data set of nothing */
        path = fuzz_put("a.sas7bdat", NULL, 0);
    else if (!transport)
        unlink(fuzz_put("a.sas7bcat", NULL, 0));
    if (route_open(&fd, route_find(path), path, NULL, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        return 0;
    }
    /* What was written is CSV of as many fields in every record. */
    char out[PATH_MAX];
    struct csv *csv = NULL;
    struct csv_record record;
    snprintf(out, sizeof out, "/proc/self/fd/%d", fd);
    if (csv_open(&csv, out, &(struct csv_dialect){.separator = ',', .decimal = '.'}, &error) == MAILLE_OK) {
        while (csv_next(csv, &record, &error) == MAILLE_OK && record.n > 0)
            ;
        csv_free(csv);
    }
    close(fd);
    return 0;
}
