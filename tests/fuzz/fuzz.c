#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

_Noreturn void fuzz_fail(const char *what)
{
    fprintf(stderr, "fuzz: expected %s\n", what);
    abort();
}

void fuzz_file(char path[PATH_MAX], int *fd, const uint8_t *data, size_t size)
{
    *fd = memfd_create("input", MFD_CLOEXEC);
    if (*fd < 0 || fchmod(*fd, 0600) != 0 || file_write_all(*fd, data, size, NULL) != MAILLE_OK)
        fuzz_fail("a file in memory");
    snprintf(path, PATH_MAX, "/proc/self/fd/%d", *fd);
}

static char folder[PATH_MAX];
static char paths[FUZZ_FILES][PATH_MAX + 64];

static void folder_remove(void)
{
    for (size_t i = 0; i < FUZZ_FILES; i++)
        if (paths[i][0] != '\0')
            unlink(paths[i]);
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    const char *tmp = getenv("MAILLE_TEST_TMP");
    if (folder[0] != '\0')
        return folder;
    snprintf(folder, sizeof folder, "%s/fuzz-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL)
        fuzz_fail("a folder to write to");
    atexit(folder_remove);
    return folder;
}

const char *fuzz_put(const char *name, const uint8_t *data, size_t size)
{
    const size_t skip = strlen(fuzz_folder()) + 1;
    size_t i = 0;
    while (i < FUZZ_FILES && paths[i][0] != '\0' && strcmp(paths[i] + skip, name) != 0)
        i++;
    if (i == FUZZ_FILES)
        fuzz_fail("few names of files");
    snprintf(paths[i], sizeof paths[i], "%s/%s", folder, name);
    const int fd = open(paths[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, data, size, NULL) != MAILLE_OK || close(fd) != 0)
        fuzz_fail("a file to be written");
    return paths[i];
}

const char *fuzz_text(const char *path, size_t *length)
{
    struct bytes text = {0};
    struct maille_error error = {0};
    if (file_read(&text, path, 1 << 24, &error) != MAILLE_OK) {
        fprintf(stderr, "%s\n", error.sentence);
        fuzz_fail("to be run from the root of the repository");
    }
    bytes_put_u8(&text, 0);
    *length = text.length - 1;
    return (const char *)text.data;
}
