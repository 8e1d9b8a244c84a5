/* Runs a target over every file of a folder: what CTest does with the corpus, in builds without libFuzzer.
 * Like libFuzzer, it also runs it over nothing. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char **argv)
{
    size_t n = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct bytes content = {0};
        char path[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        if (file_path_join(path, sizeof path, argv[1], entry->d_name, NULL) != MAILLE_OK ||
            file_read(&content, path, 1 << 24, NULL) != MAILLE_OK)
            fuzz_fail("files alone in a corpus");
        /* A copy of exactly that many bytes, so that AddressSanitizer sees a read past the end. */
        uint8_t *exactly = malloc(content.length > 0 ? content.length : 1);
        if (exactly == NULL)
            fuzz_fail("memory");
        if (content.length > 0)
            memcpy(exactly, content.data, content.length);
        LLVMFuzzerTestOneInput(exactly, content.length);
        free(exactly);
        bytes_clear(&content);
        n++;
    }
    closedir(folder);
    printf("%zu inputs\n", n);
    return n > 0 ? 0 : 1;
}
