/* What the targets share. Each file beside this one holds one target: the bytes of one door of the programs,
 * as a hostile peer, a broken disk or a hand could make them. libFuzzer drives them (cmake --preset fuzz),
 * and replay.c in CTest. A target finds a crash, a sanitizer's complaint, or a property that does not hold:
 * then it calls fuzz_fail. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what should have been and aborts. */
_Noreturn void fuzz_fail(const char *what);

/* A file of these bytes alone, readable by its owner; gone when the descriptor in *fd is closed. */
void fuzz_file(char path[PATH_MAX], int *fd, const uint8_t *data, size_t size);

/* A folder of this process's own beneath $MAILLE_TEST_TMP; gone at its end with what fuzz_put wrote. */
const char *fuzz_folder(void);
/* FOLDER/NAME, its owner's alone, holds these bytes. Returns its path; at most FUZZ_FILES names. */
enum { FUZZ_FILES = 8 };
const char *fuzz_put(const char *name, const uint8_t *data, size_t size);

/* A file of the repository (path from its root, where the programs are run), read once; with a NUL behind it.
 */
const char *fuzz_text(const char *path, size_t *length);

#endif
