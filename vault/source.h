/* What the vault asks of the process `data`, and gets: facts of a snapshot, head counts, sums, who counted.
 * The vault sees no patient's values; it does not know whether the answers come from this process or another.
 */
#ifndef VAULT_SOURCE_H
#define VAULT_SOURCE_H

#include "crypto/hash.h"
#include "disclosure/parts.h"
#include "stats/round.h"

/* What the vault may know of a snapshot. */
struct data_facts {
    uint32_t number;
    struct digest hash; /* of the file, as checked */
    uint64_t rows, patients;
    bool is_public;
    const char *exclusions; /* patients left out, in words; "": none */
    uint32_t
        superseded; /* the newest snapshot, where that is a later one: no query goes on with this; else 0 */
    const char *dictionary; /* the dictionary's text */
    size_t dictionary_length;
};

/* An analysis that could not be counted here (a logarithm of zero …). The sentence stays at the site. */
struct data_failure {
    char rule[MAILLE_RULE_MAX];
    char sentence[MAILLE_SENTENCE_MAX];
};

/* Head counts of all analyses: words[k] as laid out by cells->spec of analysis k; failures[k].rule set where
 * there are none. */
struct data_cells {
    size_t n;
    struct tally *words;
    struct data_failure *failures;
};
void data_cells_clear(struct data_cells *cells); /* wipes */

/* Of which rounds the weights are judged (decision 0023). */
enum data_weigh {
    DATA_WEIGH_NONE,
    DATA_WEIGH_OWN, /* nobody chose θ: those in which no coefficient is (tally_spec.fitted), so that every
                       weight is the study's */
    DATA_WEIGH_ALL
};

/* One round's sums: the whole vector as round_plan lays it out, and the layout that it was made for. */
struct data_round {
    enum data_weigh weigh; /* set by the caller: whether `shares` are wanted, and of which analyses */
    size_t n;
    struct tally words; /* zeros in the place of an analysis that failed */
    struct data_failure *failures;
    double *shares; /* per analysis, of its weights (gate_weight_share), 1 where these are not judged; NULL
                       where none were wanted */
    struct digest layout; /* KDF(-, "layout", layout bytes) */
};
void data_round_clear(struct data_round *round); /* wipes */

/* Who counts in one analysis, part by part (disclosure/parts.h): its groups in the ledger
 * (disclosure/ledger.h). Membership, no value: bit n of a bitmap stands for the row, or the patient, of
 * number n (registry/rowkeys.h). */
struct data_part {
    struct bytes rows, patients;
};
struct data_members {
    struct data_failure failure; /* rule set: it has none */
    size_t n;
    struct data_part *parts; /* [n] */
    struct bytes persons;    /* where it was asked for: per row number of the snapshot, LE32, its patient's;
                                empty where each has one row */
};
void data_members_clear(struct data_members *members);

/* Where the vault gets its sums. Errors of all: MAILLE_CORRUPT (the snapshot's bytes are not those that
 * were written, or are missing), MAILLE_FAILED (there is no snapshot), MAILLE_INVALID (a study that does not
 * parse), MAILLE_IO, MAILLE_MEMORY; MAILLE_INTERNAL: the other process spoke nonsense or is gone. */
struct data_source {
    void *context;
    /* number 0: the newest. Text lives in arena. */
    enum maille_code (*facts)(void *context, struct data_facts *facts, uint32_t number, struct arena *arena,
                              struct maille_error *error);
    enum maille_code (*cells)(void *context, struct data_cells *cells, uint32_t number,
                              const struct study *study, struct maille_error *error);
    /* plan: canonical bytes of what the threshold rounds left (disclosure/plan.h); NULL where there were
     * none. */
    enum maille_code (*round)(void *context, struct data_round *round, uint32_t number,
                              const struct study *study, const bool *open, const struct vector *thetas,
                              const struct bytes *plan, struct maille_error *error);
    /* Of one analysis of the study, as study->missing says. */
    enum maille_code (*members)(void *context, struct data_members *members, uint32_t number,
                                const struct study *study, size_t analysis, bool persons,
                                struct maille_error *error);
};

#endif
