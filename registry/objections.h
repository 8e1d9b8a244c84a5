/* Lists of patients who object, as a site writes them: a CSV file with the columns pseudonym, date (as in the
 * data: 2026-01-31 or 31/01/2026) and purposes (all, or names), one patient a line. */
#ifndef REGISTRY_OBJECTIONS_H
#define REGISTRY_OBJECTIONS_H

#include "base/arena.h"
#include "registry/rowkeys.h"

enum { PSEUDONYM_NEAR_MAX = 64 };

struct objection {
    const char *pseudonym;
    int32_t date; /* since when, in days since 1970-01-01 */
    bool all;     /* `purposes` is the word all */
    size_t line;  /* of the file; 0: it came from elsewhere */
};

/* Each patient once, with the earliest date, in the order of the file; text lives in arena. MAILLE_INVALID
 * with path and line, also for a pseudonym with a character that nobody sees. */
enum maille_code objections_read(const struct objection **list, size_t *n, struct arena *arena,
                                 const char *path, struct maille_error *error) MAILLE_CHECKED;

/* A pseudonym as somebody else may have written it (2 and 0002, case, blanks) that the site knows: of a
 * patient, or (objecting) of one who objects. NULL: there is none. Lives in arena. */
const char *objections_near(struct arena *arena, const struct row_keys *keys, const char *pseudonym,
                            bool objecting);

#endif
