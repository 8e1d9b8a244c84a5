/* Questions to one network, one after the other, and what leaves its sites. */
#ifndef TESTS_SILENCE_SCRIPT_H
#define TESTS_SILENCE_SCRIPT_H

#include "tests/network/private.h"
#include "tests/silence/patients.h"
#include "tests/silence/transcript.h"

static inline bool to_site(const struct flight *flight, enum message_kind kind)
{
    return flight->to >= PLAY_SITE && flight->kind == kind;
}

/* Messages of a kind that never come to some sites. kind 0: none. */
struct withheld {
    enum message_kind kind;
    enum { FROM_ALL, FROM_THE_LAST, FROM_THE_OTHERS } from; /* the last of the six */
};

struct question {
    const char *study; /* analyses, as lines of YAML */
    /* What somebody in between, or the researcher, does to messages of this question, also when others are
     * asked. alter NULL: nothing. */
    struct withheld withheld;
    void (*alter)(const struct play *play, struct flight *flight);
    enum message_kind never, some; /* no site says it; one does; 0: whatever */
    const char *without[2];        /* sites that the researcher goes on without */
    int64_t limit_ms;              /* it is left to its fate after so long (MAILLE_TIMEOUT); 0: never */
    const char *says[4];           /* what stands in its result, or in the sentence that it ends with */
    enum maille_code ends;         /* as the agent ends */
};

struct script {
    const char *name;
    const char *policy, *policies[PATIENTS_SITES]; /* as play_options */
    size_t n_sites;                                /* 0: all six */
    bool anyhow;                                   /* the agent may end as it will */
    uint64_t deals;  /* beside deal 0, where nobody says otherwise; 0: SCRIPT_DEALS */
    bool last_keeps; /* the patients of the last site are the same in every deal */
    const struct question *questions;
    size_t n;
};

/* One network, its whole script. results: of every question, one after the other. */
void script_run(struct transcript *transcript, struct bytes *results, const struct script *script,
                uint64_t deal);

/* Deals (MAILLE_SILENCE_DEALS, or so many) beside deal 0: the same results, and nothing else that leaves
 * a site may be different. */
void script_compare_deals(const struct script *script);

enum { SCRIPT_DEALS = 3 };

#endif
