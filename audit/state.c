#include "audit/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void state_clear(struct state *state)
{
    tree_clear(&state->tree);
    free(state->marks);
    *state = (struct state){0};
}

/* People count entries from 1. */
#define ENTRY(index) ((index) + 1)

static enum maille_code wrong(struct state *state, enum audit_fault fault, struct maille_error *error,
                              const char *format, ...) MAILLE_PRINTF(4, 5);
static enum maille_code wrong(struct state *state, enum audit_fault fault, struct maille_error *error,
                              const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    state->fault = fault;
    return maille_fail(error, MAILLE_CORRUPT, "%s", sentence);
}

/* --- what was signed, against what stands there --- */

static enum maille_code mark_append(struct state *state, const struct note *note, struct maille_error *error)
{
    if (state->tree.keep > 0) /* a log that is written: nobody will ask which of its entries is wrong */
        return MAILLE_OK;
    if (state->n_marks == state->room_marks) {
        size_t room = state->room_marks == 0 ? 64 : 2 * state->room_marks;
        struct state_mark *grown = realloc(state->marks, room * sizeof *grown);
        if (grown == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory to read a log, found none");
        state->marks = grown;
        state->room_marks = room;
    }
    state->marks[state->n_marks++] = (struct state_mark){note->size, note->root};
    return MAILLE_OK;
}

/* The root that was signed over `size` records is not theirs: the first checkpoint of the epoch that shows
 * it. */
static enum maille_code wrong_root(struct state *state, uint64_t size, struct maille_error *error)
{
    uint64_t from = state->epoch_start, to = size;
    for (size_t i = 0; i < state->n_marks; i++) {
        struct digest root;
        if (tree_root(&root, &state->tree, state->marks[i].size) &&
            digest_equal(&root, &state->marks[i].root)) {
            from = state->marks[i].size;
            continue;
        }
        to = state->marks[i].size;
        break;
    }
    if (to <= from + 1)
        return wrong(state, AUDIT_ALTERED, error,
                     "entry %" PRIu64 " was altered: it is not what was signed in epoch %" PRIu64,
                     ENTRY(from), state->epoch);
    return wrong(state, AUDIT_ALTERED, error,
                 "one of entries %" PRIu64 " to %" PRIu64
                 " was altered: they are not what was signed in epoch %" PRIu64,
                 ENTRY(from), to, state->epoch);
}

/* --- records --- */

static enum maille_code take_begin(struct state *state, const struct record_header *header, const char *text,
                                   size_t length, struct maille_error *error)
{
    struct note note;
    struct digest empty;
    tree_hash_empty(&empty);
    if (header->way != WAY_BEGIN || header->sequence != 0)
        return wrong(state, AUDIT_REMOVED, error,
                     "expected the first record of a log, found entry %" PRIu64
                     ": what stood before is missing",
                     ENTRY(header->sequence));
    if (text == NULL || !note_parse(&note, NOTE_BEGIN, NULL, text, length) || note.size != 0 ||
        note.epoch != 0 || header->epoch != 0 || note.begin_ms != header->utc_ms ||
        !digest_equal(&note.root, &empty))
        return wrong(state, AUDIT_ALTERED, error, "entry 1, the first key of the log, was altered");
    if (note.has_identity && !note_certified(&note))
        return wrong(state, AUDIT_STRANGER, error,
                     "the first key of the log is not signed by the identity that it names");
    memcpy(state->origin, note.origin, sizeof state->origin);
    memcpy(state->key, note.next_key, PUBLIC_BYTES);
    memcpy(state->identity, note.identity, PUBLIC_BYTES);
    state->has_identity = note.has_identity;
    state->begin_ms = state->first_ms = note.begin_ms;
    state->begun = true;
    return MAILLE_OK;
}

static enum maille_code take_seal(struct state *state, const struct record_header *header, const char *text,
                                  size_t length, struct maille_error *error)
{
    struct note note;
    struct digest root;
    if (text == NULL || !note_parse(&note, NOTE_SEAL, state->key, text, length)) {
        /* The line names its key: another key's line is parsed without it. */
        if (text != NULL && note_parse(&note, NOTE_SEAL, NULL, text, length))
            return wrong(state, AUDIT_RESEALED, error,
                         "the seal of epoch %" PRIu64 " (entry %" PRIu64
                         ") is signed with another key than the one that was certified for it",
                         state->epoch, ENTRY(header->sequence));
        return wrong(state, AUDIT_ALTERED, error,
                     "entry %" PRIu64 ", the seal of epoch %" PRIu64 ", was altered", ENTRY(header->sequence),
                     state->epoch);
    }
    if (!note_valid(&note, state->key))
        return wrong(state, AUDIT_ALTERED, error,
                     "entry %" PRIu64 ", the seal of epoch %" PRIu64
                     ", was altered or is signed with another key than the epoch's",
                     ENTRY(header->sequence), state->epoch);
    if (strcmp(note.origin, state->origin) != 0 || note.epoch != state->epoch ||
        note.size != state->tree.size || note.begin_ms != state->begin_ms || note.end_ms != header->utc_ms)
        return wrong(state, AUDIT_REMOVED, error,
                     "the seal of epoch %" PRIu64 " speaks of %" PRIu64 " entries of epoch %" PRIu64
                     ", found %" PRIu64 " entries before it",
                     state->epoch, note.size, note.epoch, state->tree.size);
    if (!tree_root(&root, &state->tree, note.size) || !digest_equal(&root, &note.root))
        return wrong_root(state, note.size, error);
    if (note.checkpoint != state->checkpoints || !digest_equal(&note.chain, &state->chain))
        return wrong(state, AUDIT_ALTERED, error,
                     "one of the signatures between the entries of epoch %" PRIu64 " was altered or removed",
                     state->epoch);
    memcpy(state->key, note.next_key, PUBLIC_BYTES);
    state->signed_size = note.size;
    return MAILLE_OK;
}

/* Whether the time of a record can be: not before the last one, and within the epoch. */
static enum maille_code check_time(struct state *state, const struct record_header *header,
                                   struct maille_error *error)
{
    char when[32];
    clock_format(when, header->utc_ms);
    if (header->utc_ms < state->last_ms || header->utc_ms < state->begin_ms)
        return wrong(state, AUDIT_ALTERED, error,
                     "entry %" PRIu64 " is of %s, before the entry above it: it was altered",
                     ENTRY(header->sequence), when);
    if (header->way == WAY_GAP) {
        if (!state->fresh)
            return wrong(state, AUDIT_ALTERED, error,
                         "entry %" PRIu64 " speaks of a gap in the middle of epoch %" PRIu64,
                         ENTRY(header->sequence), state->epoch);
        return MAILLE_OK;
    }
    if (header->utc_ms > state->begin_ms + AUDIT_EPOCH_MS)
        return wrong(state, AUDIT_SEAL_MISSING, error,
                     "entry %" PRIu64 " is of %s, after the end of epoch %" PRIu64
                     ", and neither a seal nor a gap stands between",
                     ENTRY(header->sequence), when, state->epoch);
    return MAILLE_OK;
}

static enum maille_code check_place(struct state *state, const struct record_header *header,
                                    struct maille_error *error)
{
    if (header->sequence == state->tree.size + 1 && header->epoch == state->epoch + 1)
        return wrong(state, AUDIT_SEAL_MISSING, error,
                     "the seal of epoch %" PRIu64 " is missing: entry %" PRIu64 " should be it", state->epoch,
                     ENTRY(state->tree.size));
    if (header->sequence != state->tree.size)
        return wrong(state, header->sequence > state->tree.size ? AUDIT_REMOVED : AUDIT_REORDERED, error,
                     "expected entry %" PRIu64 ", found entry %" PRIu64 " in its place",
                     ENTRY(state->tree.size), ENTRY(header->sequence));
    if (header->epoch != state->epoch)
        return wrong(state, header->epoch > state->epoch ? AUDIT_SEAL_MISSING : AUDIT_ALTERED, error,
                     "entry %" PRIu64 " is of epoch %" PRIu64 " and stands in epoch %" PRIu64
                     ", which has no seal",
                     ENTRY(header->sequence), header->epoch, state->epoch);
    return MAILLE_OK;
}

enum maille_code state_record(struct state *state, const uint8_t *data, size_t length,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct record_header header;
    struct digest leaf;
    size_t note_length = 0;
    const char *note = NULL;
    if (!record_peek(&header, data, length))
        return wrong(state, AUDIT_ALTERED, error, "entry %" PRIu64 " was altered: it is no entry",
                     ENTRY(state->tree.size));
    if (header.way == WAY_BEGIN || header.way == WAY_SEAL)
        note = record_note(data, length, &note_length);
    if (!state->begun)
        MAILLE_TRY(take_begin(state, &header, note, note_length, error));
    else {
        MAILLE_TRY(check_place(state, &header, error));
        MAILLE_TRY(check_time(state, &header, error));
        if (header.way == WAY_BEGIN) {
            code = wrong(state, AUDIT_ALTERED, error, "entry %" PRIu64 " begins the log a second time",
                         ENTRY(header.sequence));
            goto out;
        }
        if (header.way == WAY_SEAL)
            MAILLE_TRY(take_seal(state, &header, note, note_length, error));
    }
    tree_hash_leaf(&leaf, data, length);
    MAILLE_TRY(tree_append(&state->tree, &leaf, error));
    if (header.way == WAY_GAP) {
        state->gaps++;
        state->gap_ms += header.utc_ms - state->begin_ms;
        state->begin_ms = header.utc_ms;
    }
    state->fresh = false;
    state->last_ms = header.utc_ms;
    if (header.way == WAY_SEAL) {
        state->seals++;
        state->epoch++;
        state->begin_ms = header.utc_ms;
        state->fresh = true;
        state->epoch_start = state->tree.size;
        state->n_marks = 0;
        state->has_last = false;
    }
out:
    return code;
}

enum maille_code state_checkpoint(struct state *state, const char *text, size_t length,
                                  struct maille_error *error)
{
    struct note note;
    if (!state->begun)
        return wrong(state, AUDIT_REMOVED, error,
                     "expected the first record of a log, found a signature: what stood before is missing");
    if (!note_parse(&note, NOTE_CHECKPOINT, state->key, text, length) ||
        strcmp(note.origin, state->origin) != 0 || note.epoch != state->epoch ||
        note.begin_ms != state->begin_ms)
        return wrong(state, AUDIT_ALTERED, error,
                     "the signature that stands after entry %" PRIu64 " was altered", state->tree.size);
    if (note.size != state->tree.size || note.size == 0)
        return wrong(state, note.size > state->tree.size ? AUDIT_REMOVED : AUDIT_ALTERED, error,
                     "expected the signature over %" PRIu64 " entries, found one over %" PRIu64
                     ": entries before it were removed or added",
                     state->tree.size, note.size);
    if (note.checkpoint != state->checkpoints + 1)
        return wrong(state, AUDIT_REMOVED, error,
                     "signature %" PRIu64 " is missing before the one that stands after entry %" PRIu64,
                     state->checkpoints + 1, state->tree.size);
    if (!digest_equal(&note.chain, &state->chain))
        return wrong(state, AUDIT_ALTERED, error,
                     "the signature after entry %" PRIu64 " or the one before it was altered",
                     state->tree.size);
    enum maille_code code = mark_append(state, &note, error);
    if (code != MAILLE_OK)
        return code;
    note_chain(&state->chain, text, length);
    state->checkpoints++;
    state->last = note;
    state->has_last = true;
    state->signed_size = note.size;
    return MAILLE_OK;
}

enum maille_code state_finish(struct state *state, struct maille_error *error)
{
    struct digest root;
    if (!state->has_last)
        return MAILLE_OK;
    if (!note_valid(&state->last, state->key))
        return wrong(state, AUDIT_ALTERED, error,
                     "the signature after entry %" PRIu64 " was altered, or one of the entries before it",
                     state->last.size);
    if (!tree_root(&root, &state->tree, state->last.size) || !digest_equal(&root, &state->last.root))
        return wrong_root(state, state->last.size, error);
    return MAILLE_OK;
}

uint64_t state_unsigned(const struct state *state)
{
    return state->tree.size - state->signed_size;
}

/* --- after pruned records --- */

bool state_base_note(struct note *note, const struct state *state)
{
    struct note made = {.kind = NOTE_BASE,
                        .size = state->tree.size,
                        .epoch = state->epoch,
                        .begin_ms = state->begin_ms,
                        .last_ms = state->last_ms,
                        .checkpoint = state->checkpoints,
                        .chain = state->chain};
    if (!state->fresh || state->tree.size == 0 || !tree_root(&made.root, &state->tree, made.size) ||
        !tree_range(made.range, &made.n_range, &state->tree, made.size))
        return false;
    memcpy(made.origin, state->origin, sizeof made.origin);
    memcpy(made.next_key, state->key, PUBLIC_BYTES);
    *note = made;
    return true;
}

enum maille_code state_base(struct state *state, const char *text, size_t length, struct maille_error *error)
{
    struct note note;
    struct digest root;
    if (!note_parse(&note, NOTE_BASE, NULL, text, length) || note.size == 0)
        return wrong(state, AUDIT_ALTERED, error, "the record of what was pruned (file base) was altered");
    if (note.has_identity && !note_certified(&note))
        return wrong(state, AUDIT_STRANGER, error,
                     "the record of what was pruned (file base) is not signed by the identity that it names");
    enum maille_code code = tree_begin(&state->tree, note.size, note.range, note.n_range, error);
    if (code != MAILLE_OK)
        return code;
    if (!tree_root(&root, &state->tree, note.size) || !digest_equal(&root, &note.root))
        return wrong(state, AUDIT_ALTERED, error, "the record of what was pruned (file base) was altered");
    memcpy(state->origin, note.origin, sizeof state->origin);
    memcpy(state->key, note.next_key, PUBLIC_BYTES);
    memcpy(state->identity, note.identity, PUBLIC_BYTES);
    state->has_identity = note.has_identity;
    state->begun = state->fresh = true;
    state->epoch = note.epoch;
    state->begin_ms = note.begin_ms;
    state->first_ms = state->last_ms = note.last_ms;
    state->epoch_start = state->base_size = state->signed_size = note.size;
    state->base_root = note.root;
    state->checkpoints = note.checkpoint;
    state->chain = note.chain;
    return MAILLE_OK;
}
