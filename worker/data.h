/* The process `data`: it alone reads patients. It has no keys and no network; what it gives away are the sums
 * that a study's methods declare, to the vault of its own worker. */
#ifndef WORKER_DATA_H
#define WORKER_DATA_H

#include "crypto/hash.h"
#include "stats/round.h"

enum { DATA_REQUEST_MAX = 72 * 1024 * 1024 }; /* a study and its θ (stats/round.h: 64 MiB) */

/* What the vault may know of a snapshot. */
struct data_facts {
    uint32_t number;
    struct digest hash; /* of the file, as checked */
    uint64_t rows, patients;
    bool is_public;
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

/* One round's sums: the whole vector as round_plan lays it out, and the layout that it was made for. */
struct data_round {
    bool weigh; /* set by the caller: `shares` are wanted */
    size_t n;
    struct tally words; /* empty when any analysis failed */
    struct data_failure *failures;
    double *shares; /* per analysis, of its weights (gate_weight_share); NULL where they were not wanted */
    struct digest layout; /* KDF(-, "layout", layout bytes) */
};
void data_round_clear(struct data_round *round); /* wipes */

/* Who counts in one analysis: its group in the ledger (disclosure/ledger.h). Membership, no value: bit n of a
 * bitmap stands for the row, or the patient, of number n (registry/rowkeys.h). */
struct data_members {
    struct data_failure failure; /* rule set: it has none */
    struct bytes rows, patients;
    struct bytes persons; /* where it was asked for: per row number of the snapshot, LE32, its patient's;
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

struct data; /* opaque: the snapshots of one site */

/* folder: DIR/snapshots. threads: as tally_options. Nothing is opened before it is asked for. */
enum maille_code data_open(struct data **data, const char *folder, unsigned threads,
                           struct maille_error *error) MAILLE_CHECKED;
void data_free(struct data *data);

/* Keeps columns that were read, up to so many bytes (registry/column_cache.h). Once, before anything is
 * asked. Without it nothing is kept. Errors: MAILLE_MEMORY. */
enum maille_code data_cache(struct data *data, size_t bytes_max, struct maille_error *error) MAILLE_CHECKED;

/* The source in this process (tests, previews). */
struct data_source data_local(struct data *data);

/* The process: answers requests on `end` until the other end closes (MAILLE_INTERNAL) or speaks nonsense. */
enum maille_code data_serve(struct data *data, int end, struct maille_error *error) MAILLE_CHECKED;

/* The source over a channel, for the vault. *broken (may be NULL) is set once the other process is gone or
 * spoke nonsense. */
struct data_remote {
    int end;
    bool broken;
};
struct data_source data_over(struct data_remote *remote);

#endif
