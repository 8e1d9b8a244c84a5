/* What of a study is too large for so many sites, by its words alone (rule `size`): in the circle every site
 * gets the vectors of all, 64 MiB of them in a round. */
#ifndef CLI_CHECK_SIZE_H
#define CLI_CHECK_SIZE_H

#include "disclosure/policy.h"
#include "query/study.h"

/* Sentences, file and line first, in arena. Sure: what is refused whoever the patients are. Else: what is
 * refused unless steps are joined by the head counts. policy: of the sites; NULL: not known, no head counts
 * are asked. MAILLE_MEMORY. */
struct check_size {
    size_t n;
    struct check_size_finding {
        const char *sentence;
        bool sure;
    } * findings;
};
enum maille_code cli_check_size(struct check_size *out, const struct study *study,
                                const struct policy *policy, size_t n_sites, const char *path,
                                struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

#endif
