/* The rules under which something is refused or hidden, one row each, whoever judges: the gate, the plan, the
 * ledger, the vault and the coordinator name a rule by its code; the log, the researcher's agent,
 * `policy explain` and docs/DISCLOSURE.md say what it is in the words of its row. layout.rules holds the code
 * to the table and the table to the code. */
#ifndef DISCLOSURE_RULE_H
#define DISCLOSURE_RULE_H

#include "base/language.h"
#include "disclosure/policy.h"
#include "stats/method.h"

/* When a rule is looked at. */
enum rule_stage {
    RULE_ASKED = 1,  /* M0a: by the words of the manifest and the study, before anybody looks at a patient */
    RULE_ROSTER = 2, /* M1, M2: by who takes part and by what was answered before */
    RULE_POOLED = 4, /* the threshold rounds and their plan: by head counts of all sites together */
    RULE_ROUND = 8,  /* every round of values */
    RULE_TIME = 16   /* while a query is open */
};
enum { RULE_STAGES = 5 };

/* What a rule is asked about. */
struct rule_facts {
    const struct policy *policy;
    const struct analysis *analysis; /* NULL: the study as a whole */
    const struct cells *cells;       /* the head counts that its method declares; NULL: not known */
    bool unpooled;                   /* the patients of all sites together are not known, and not judged by */
};

/* Where the effect of a rule is another one by what is counted; an enum cell_rule + 1. */
enum { RULE_EVERYWHERE = 0, RULE_EFFECTS = 7 };
struct rule_effect {
    int cells; /* RULE_EVERYWHERE, or the enum cell_rule of a block + 1 */
    const char *words[LANGUAGES];
};

struct rule {
    const char *code; /* the policy key where one decides; it crosses the wire, but where it is few */
    bool few; /* the researcher reads "few" in its place: which of them it was would tell how few there are */
    unsigned stages; /* of enum rule_stage */
    bool of_study;   /* asked of the study as a whole, not of each analysis */
    /* What a policy has in this rule, e.g. "11"; "" where there is nothing to say but that it is on. NULL:
     * the rule is off, or not for this analysis. No function: the rule stands whatever the policy says, and
     * is not in the log unless it refuses. In arena. */
    const char *(*value)(const struct rule_facts *facts, struct arena *arena);
    const char *demand[LANGUAGES];            /* what it asks for; at most one %s, the value */
    const char *const (*terms)[LANGUAGES];    /* values that are words; NULL: none */
    struct rule_effect effects[RULE_EFFECTS]; /* what comes of it, up to the first without words; none: what
                                                 it was asked of is refused */
    const char *sentence[LANGUAGES];          /* why, as the researcher reads it: a clause without a digit */
    const char *remedy[LANGUAGES];            /* what the researcher can do: a clause without a digit */
};

extern const struct rule rule_rows[];
extern const size_t rule_n_rows;

/* The row of a code, or NULL. */
const struct rule *rule_find(const char *code);
/* The code that is told in place of this one: too few and too near are one, "few". */
const char *rule_told(const struct rule *rule);

/* "why; what can be done", for a code that may have come from a site with more rules than we know. In
 * arena. */
const char *rule_reason(struct arena *arena, const char *code, enum language language);

/* What the policy asks for under this rule, e.g. "at least 11 patients in a cell"; NULL: it is off, or not
 * for this analysis, or no policy decides. In arena. */
const char *rule_demand(struct arena *arena, const struct rule *rule, const struct rule_facts *facts,
                        enum language language);
/* What rule_demand gave in English, in another language: what stands in a log. The text itself where it is
 * not such a demand. In arena. */
const char *rule_translate(struct arena *arena, const struct rule *rule, const char *demand,
                           enum language language);

/* The effect of a rule on head counts that are judged by `cells` (an enum cell_rule + 1, or RULE_EVERYWHERE);
 * NULL where it says nothing of them. Every rule has an effect everywhere or on some cells. */
const char *rule_effect(const struct rule *rule, int cells, enum language language);

/* "with the question", … of one stage. */
const char *rule_stage_words(enum rule_stage stage, enum language language);

/* The table for people: docs/DISCLOSURE.md holds it in both languages. */
void rule_manual(struct bytes *out, enum language language);

#endif
