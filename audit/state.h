/* What a log says so far, and whether the next record may stand there. The writer and every reader go through
 * the same checks. Inside audit/ alone. */
#ifndef AUDIT_STATE_H
#define AUDIT_STATE_H

#include "audit/entry.h"
#include "audit/note.h"
#include "audit/verify.h"

/* A checkpoint of the epoch that is not sealed yet. */
struct state_mark {
    uint64_t size;
    struct digest root;
};

struct state {
    char origin[NOTE_ORIGIN_BYTES];
    struct tree tree;
    bool begun; /* the first record, or a base, is there */
    /* the epoch in force */
    uint64_t epoch;
    int64_t begin_ms;
    bool fresh; /* no record in it yet */
    uint8_t key[PUBLIC_BYTES];
    uint64_t epoch_start; /* tree size at its begin */
    /* of the last record */
    int64_t last_ms;
    /* checkpoints */
    uint64_t checkpoints;
    struct digest chain;
    struct note last;     /* the last one */
    bool has_last;        /* in this epoch */
    uint64_t signed_size; /* records under a checkpoint or a seal */
    struct state_mark *marks;
    size_t n_marks, room_marks;
    /* who */
    bool has_identity;
    uint8_t identity[PUBLIC_BYTES];
    /* pruned records before the first one */
    uint64_t base_size;
    struct digest base_root;
    /* counts */
    uint64_t seals, gaps;
    int64_t first_ms, gap_ms; /* gap_ms: all gaps together */
    enum audit_fault fault;   /* of the first thing that was wrong */
};

void state_clear(struct state *state);

/* Starts after pruned records: the note of the file `base`. MAILLE_CORRUPT. */
enum maille_code state_base(struct state *state, const char *text, size_t length,
                            struct maille_error *error) MAILLE_CHECKED;
/* The same note of a state that stands at the begin of an epoch; unsigned. False: it does not. */
bool state_base_note(struct note *note, const struct state *state);

/* The next record or checkpoint. MAILLE_CORRUPT: names what is wrong, fault says which kind; the state is
 * then of no further use. */
enum maille_code state_record(struct state *state, const uint8_t *data, size_t length,
                              struct maille_error *error) MAILLE_CHECKED;
enum maille_code state_checkpoint(struct state *state, const char *text, size_t length,
                                  struct maille_error *error) MAILLE_CHECKED;
/* At the end: the last checkpoint's signature and root. Records after it are not looked at (state_unsigned).
 */
enum maille_code state_finish(struct state *state, struct maille_error *error) MAILLE_CHECKED;
uint64_t state_unsigned(const struct state *state);

#endif
