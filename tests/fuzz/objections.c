/* registry/objections.h: the list of patients who object, as a site writes it. */
#include <unistd.h>

#include "registry/objections.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct objection *list = NULL;
    struct maille_error error = {0};
    char path[PATH_MAX];
    size_t n = 0;
    int fd;
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    fuzz_file(path, &fd, data, size);
    if (objections_read(&list, &n, arena, path, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        for (size_t i = 0; i < n; i++)
            if (list[i].pseudonym[0] == '\0')
                fuzz_fail("a pseudonym in every line");
    }
    close(fd);
    arena_free(arena);
    return 0;
}
