/* An archive of one folder whose files are listed with their hashes, as sha256sum -c reads them: bundles and
 * archives of logs. */
#ifndef CLI_SUMS_H
#define CLI_SUMS_H

#include "base/archive.h"

#define SUMS "SHA256SUMS"
#define SUMS_SIGNATURE "SHA256SUMS.signature"

/* Appends a line for each of these files, whose names begin with a folder of skip letters. */
void sums_put(struct bytes *out, const struct archive_file *files, size_t n, size_t skip);
/* Order of struct archive_file by name, for qsort. */
int sums_by_name(const void *a, const void *b);

/* The file of this name behind the folder; NULL: none. */
const struct archive_file *sums_file(const struct archive_file *files, size_t n, size_t skip,
                                     const char *name);
/* The length of "FOLDER/", which every name begins with; 0: they are of several, or of none. */
size_t sums_folder(const struct archive_file *files, size_t n);

/* The files are those of SHA256SUMS (which is there), in this order, and no other but its signature.
 * MAILLE_SIGNATURE: which one is not. */
enum maille_code sums_check(const struct archive_file *files, size_t n, size_t skip,
                            struct maille_error *error) MAILLE_CHECKED;

#endif
