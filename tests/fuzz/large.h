/* Texts as long as the largest that the doors take, each one made of a single construct: what takes more than
 * linear time or memory shows at that length. */
#ifndef TESTS_FUZZ_LARGE_H
#define TESTS_FUZZ_LARGE_H

#include "base/bytes.h"

enum { LARGE_BYTES = 1024 * 1024 };

extern const size_t large_n;

/* Appends text number i, at most LARGE_BYTES long. Returns its name. i is below large_n. */
const char *large_text(struct bytes *out, size_t i);

#endif
