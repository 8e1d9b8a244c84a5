#include "audit/verify.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/heads.h"
#include "audit/store.h"
#include "base/clock.h"
#include "base/number.h"

const char *audit_fault_name(enum audit_fault fault)
{
    static const char *const names[] = {
        [AUDIT_SOUND] = "sound",
        [AUDIT_ALTERED] = "altered",
        [AUDIT_REMOVED] = "removed",
        [AUDIT_REORDERED] = "reordered",
        [AUDIT_SEAL_MISSING] = "missing seal",
        [AUDIT_RESEALED] = "resealed",
        [AUDIT_UNSEALED] = "unsealed",
        [AUDIT_CUT] = "cut",
        [AUDIT_SPLIT_VIEW] = "split view",
        [AUDIT_STRANGER] = "wrong key",
    };
    return names[fault];
}

/* --- the records, as they are read --- */

struct reading {
    const struct audit_check *check;
    struct audit_report *report;
    struct audit_heads *heads;
    struct record record;
    bool base_said; /* an entry "pruned" speaks of the base */
    enum maille_code code;
    struct maille_error *error;
};

static void read_frame(void *context, const struct state *state, enum frame_kind kind, const uint8_t *data,
                       size_t length)
{
    struct reading *reading = context;
    struct record_header header;
    if (kind != FRAME_RECORD || reading->code != MAILLE_OK || !record_peek(&header, data, length) ||
        header.way == WAY_BEGIN || header.way == WAY_SEAL)
        return;
    reading->code = record_decode(&reading->record, data, length, reading->error);
    if (reading->code != MAILLE_OK)
        return;
    const struct audit_entry *entry = &reading->record.entry;
    if (header.way <= WAY_NOTE)
        reading->report->entries++;
    if (audit_entry_lost(entry) > reading->report->lost)
        reading->report->lost = audit_entry_lost(entry);
    if (header.way == WAY_PRUNED && entry->n_seen == 1 && entry->seen[0].head.size == state->base_size &&
        digest_equal(&entry->seen[0].head.root, &state->base_root))
        reading->base_said = true;
    if (reading->heads != NULL && header.way != WAY_PRUNED && entry->n_seen > 0) {
        reading->code = heads_reserve(reading->heads, entry->n_seen, reading->error);
        for (size_t i = 0; i < entry->n_seen && reading->code == MAILLE_OK; i++)
            heads_put(reading->heads, reading->report->party, header.sequence + 1, &entry->seen[i], false);
    }
    if (reading->check->each != NULL)
        reading->check->each(reading->check->context, header.sequence + 1, header.utc_ms, entry);
}

/* --- what kind of wrong it is: a second look at the frames, trusting none --- */

struct survey {
    uint64_t *sequences; /* of the records, in the order in which they stand */
    size_t n, room;
    struct note *seals;
    size_t n_seals, room_seals;
};

static bool survey_record(struct survey *survey, const uint8_t *data, size_t length)
{
    struct record_header header;
    size_t note_length;
    const char *text;
    if (!record_peek(&header, data, length))
        return true;
    if (survey->n == survey->room) {
        survey->room = survey->room == 0 ? 1024 : 2 * survey->room;
        uint64_t *grown = realloc(survey->sequences, survey->room * sizeof *grown);
        if (grown == NULL)
            return false;
        survey->sequences = grown;
    }
    assert(survey->sequences != NULL);
    survey->sequences[survey->n++] = header.sequence;
    if (header.way != WAY_SEAL || (text = record_note(data, length, &note_length)) == NULL)
        return true;
    if (survey->n_seals == survey->room_seals) {
        survey->room_seals = survey->room_seals == 0 ? 64 : 2 * survey->room_seals;
        struct note *grown = realloc(survey->seals, survey->room_seals * sizeof *grown);
        if (grown == NULL)
            return false;
        survey->seals = grown;
    }
    survey->n_seals += note_parse(&survey->seals[survey->n_seals], NOTE_SEAL, NULL, text, note_length);
    return true;
}

static void survey_folder(struct survey *survey, const char *folder, uint64_t base)
{
    struct store_file *files = NULL;
    size_t n = 0;
    if (store_list(&files, &n, folder, base, NULL) != MAILLE_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        struct source *source = NULL;
        enum source_end end = SOURCE_MORE;
        enum frame_kind kind;
        const uint8_t *data;
        size_t length;
        if (source_open(&source, folder, &files[i], NULL) != MAILLE_OK)
            continue;
        while (source_next(source, &end, &kind, &data, &length, NULL) == MAILLE_OK && end == SOURCE_MORE)
            if (kind == FRAME_RECORD && !survey_record(survey, data, length))
                break;
        source_close(source);
    }
    free(files);
}

/* An entry in the place of another: moved, altered, or what stood between is gone. */
static void name_place(struct state *state, const struct survey *survey, struct maille_error *error)
{
    uint64_t expected = state->tree.size;
    size_t at = (size_t)(expected - state->base_size);
    if (at >= survey->n || survey->sequences[at] == expected)
        return;
    for (size_t i = at + 1; i < survey->n; i++)
        if (survey->sequences[i] == expected) {
            state->fault = AUDIT_REORDERED;
            maille_fail(error, MAILLE_CORRUPT,
                        "entry %" PRIu64 " stands in the place of entry %" PRIu64
                        ", which comes later: the order was changed, or an entry stands twice",
                        survey->sequences[at] + 1, expected + 1);
            return;
        }
    if (at + 1 < survey->n && survey->sequences[at + 1] == expected + 1) {
        state->fault = AUDIT_ALTERED;
        maille_fail(error, MAILLE_CORRUPT, "entry %" PRIu64 " was altered: it says that it is entry %" PRIu64,
                    expected + 1, survey->sequences[at] + 1);
    } else if (state->fault == AUDIT_REORDERED)
        state->fault = AUDIT_ALTERED;
}

/* A seal whose signature is not the epoch's: is it a later epoch's? */
static void name_seal(struct state *state, const struct survey *survey, struct maille_error *error)
{
    const struct note *seal = NULL;
    for (size_t i = 0; i < survey->n_seals && seal == NULL; i++)
        if (survey->seals[i].epoch == state->epoch)
            seal = &survey->seals[i];
    if (seal == NULL || note_valid(seal, state->key))
        return;
    for (size_t i = 0; i < survey->n_seals; i++)
        if (survey->seals[i].epoch >= state->epoch && note_valid(seal, survey->seals[i].next_key)) {
            state->fault = AUDIT_RESEALED;
            maille_fail(error, MAILLE_CORRUPT,
                        "the seal of epoch %" PRIu64 " is signed with the key of epoch %" PRIu64
                        ": the log was written again up to there",
                        seal->epoch, survey->seals[i].epoch + 1);
            return;
        }
    if (state->fault == AUDIT_RESEALED)
        state->fault = AUDIT_ALTERED;
}

static void name_fault(struct state *state, const char *folder, struct maille_error *error)
{
    struct survey survey = {0};
    if (!state->begun)
        return;
    survey_folder(&survey, folder, state->base_size);
    switch (state->fault) {
    case AUDIT_REMOVED:
    case AUDIT_REORDERED:
    case AUDIT_SEAL_MISSING:
        name_place(state, &survey, error);
        break;
    case AUDIT_ALTERED:
    case AUDIT_RESEALED:
        name_seal(state, &survey, error);
        break;
    default:
        break;
    }
    free(survey.sequences);
    free(survey.seals);
}

/* --- what a log that chains can still be wrong in --- */

static enum maille_code wrong(struct audit_report *report, enum audit_fault fault, struct maille_error *error,
                              const char *format, ...) MAILLE_PRINTF(4, 5);
static enum maille_code wrong(struct audit_report *report, enum audit_fault fault, struct maille_error *error,
                              const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    report->fault = fault;
    return maille_fail(error, fault == AUDIT_STRANGER ? MAILLE_SIGNATURE : MAILLE_CORRUPT, "%s", sentence);
}

static enum maille_code check_identity(struct audit_report *report, const struct audit_check *check,
                                       struct maille_error *error)
{
    const uint8_t *identity = check->identity;
    if (identity == NULL && check->roster == NULL)
        return MAILLE_OK;
    if (identity == NULL && (identity = check->roster(check->context, report->party)) == NULL)
        return wrong(report, AUDIT_STRANGER, error, "the roster has nobody of the name %s", report->party);
    if (!report->certified)
        return wrong(report, AUDIT_STRANGER, error,
                     "nobody has signed the first key of this log: the roster's key of %s cannot be compared",
                     report->party);
    if (memcmp(report->identity, identity, PUBLIC_BYTES) != 0)
        return wrong(report, AUDIT_STRANGER, error,
                     "the first key of this log is signed by another identity than the roster's %s",
                     report->party);
    return MAILLE_OK;
}

/* The open end: only while the log is being written. */
static enum maille_code check_end(struct audit_report *report, const struct state *state,
                                  const struct walk_end *end, const char *folder,
                                  const struct audit_check *check, struct maille_error *error)
{
    bool behind = false;
    int64_t taken = check->taken_ms != 0 ? check->taken_ms : clock_utc_ms();
    int64_t due = state->begin_ms + AUDIT_EPOCH_MS + 2 * (int64_t)AUDIT_LATE_MS;
    char when[32], last[32];
    enum maille_code code = store_tail(&behind, folder, end, error);
    if (code != MAILLE_OK)
        return code;
    if (behind)
        return wrong(report, AUDIT_ALTERED, error,
                     "messages.log was altered at byte %" PRIu64 ": signed entries stand behind it",
                     end->offset);
    report->open = state->fresh ? 0 : state->tree.size - state->epoch_start;
    if ((state->fresh && state_unsigned(state) == 0 && end->length == end->offset) || taken <= due)
        return MAILLE_OK;
    clock_format(when, taken);
    clock_format(last, state->last_ms);
    return wrong(report, AUDIT_UNSEALED, error,
                 "the end of the log, epoch %" PRIu64
                 " with its last entry of %s, was never sealed, and it is now %s: it was cut "
                 "there, or the program was killed and not started again (if the folder was copied while the "
                 "program ran, "
                 "say when: --taken)",
                 state->epoch, last, when);
}

/* Is NAME that of a log of the party? which: how often it had begun again, 0 for the first. */
static bool log_of(uint32_t *which, const char *name, const char *party)
{
    const size_t length = strlen(party);
    uint64_t number = 0;
    if (strncmp(name, party, length) != 0)
        return false;
    if (name[length] != '\0' &&
        (name[length] != '~' || !number_parse_u64(name + length + 1, strlen(name + length + 1), &number) ||
         number > UINT32_MAX))
        return false;
    *which = (uint32_t)number;
    return true;
}

/* One head that somebody kept of this log. */
static enum maille_code check_head(struct audit_report *report, const struct state *state,
                                   const struct audit_witness_head *seen, bool before,
                                   struct maille_error *error)
{
    struct digest root;
    const bool fits = seen->head.size <= state->tree.size;
    if (fits && !tree_root(&root, &state->tree, seen->head.size)) /* pruned since */
        return MAILLE_OK;
    if (fits && digest_equal(&root, &seen->head.root)) {
        report->witnessed++;
        if (seen->head.size >= report->seen.size)
            report->seen = seen->head;
        return MAILLE_OK;
    }
    if (before) {
        report->before++;
        return MAILLE_OK;
    }
    if (!fits)
        return wrong(report, AUDIT_CUT, error,
                     "the end was cut: %s has seen %" PRIu64 " entries of this log (its entry %" PRIu64
                     "), found %" PRIu64,
                     seen->witness, seen->head.size, seen->sequence, state->tree.size);
    return wrong(report, AUDIT_SPLIT_VIEW, error,
                 "split view: the first %" PRIu64
                 " entries are not those that %s was shown (its entry %" PRIu64 ")",
                 seen->head.size, seen->witness, seen->sequence);
}

static enum maille_code check_witness(struct audit_report *report, const struct state *state,
                                      const struct audit_check *check, struct maille_error *error)
{
    const uint32_t accepted = check->lost == NULL ? 0 : check->lost(check->context, report->party);
    /* What a log says of a loss may have been pruned. */
    const uint32_t noted = report->lost == 0 && report->pruned > 0 ? accepted : report->lost;
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; check->seen != NULL && i < check->seen->n && code == MAILLE_OK; i++) {
        const struct audit_witness_head *seen = &check->seen->list[i];
        uint32_t which;
        if (!log_of(&which, seen->party, report->party))
            continue;
        if (which > noted)
            report->after++;
        else
            code = check_head(report, state, seen, which < noted && which < accepted, error);
    }
    if (code == MAILLE_CORRUPT && noted > accepted && error != NULL) {
        const size_t used = strlen(error->sentence);
        snprintf(error->sentence + used, sizeof error->sentence - used,
                 " (the log notes that the network's authorities accepted a loss; %s)",
                 check->lost == NULL ? "--network FILE says whether they did"
                                     : "this directory does not say so: take the newest");
    }
    return code;
}

static void fill_report(struct audit_report *report, const struct state *state)
{
    report->fault = state->fault;
    report->head.size = state->tree.size;
    if (!tree_root(&report->head.root, &state->tree, state->tree.size))
        report->head = (struct audit_head){0};
    report->seals = state->seals;
    report->gaps = state->gaps;
    report->gap_ms = state->gap_ms;
    report->pruned = state->base_size;
    report->first_ms = state->first_ms;
    report->last_ms = state->last_ms;
    report->certified = state->has_identity;
    memcpy(report->identity, state->identity, PUBLIC_BYTES);
    if (state->begun)
        snprintf(report->party, sizeof report->party, "%s", state->origin + strcspn(state->origin, "/") + 1);
}

/* The party's name must be there while entries are read: heads carry it. */
static void read_first(void *context, const struct state *state, enum frame_kind kind, const uint8_t *data,
                       size_t length)
{
    struct reading *reading = context;
    if (reading->report->party[0] == '\0')
        fill_report(reading->report, state);
    read_frame(context, state, kind, data, length);
}

enum maille_code audit_verify(struct audit_report *report, struct audit_heads *heads, const char *folder,
                              const struct audit_check *check, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct state state = {0};
    struct walk_end end;
    *report = (struct audit_report){0};
    struct reading reading = {.check = check, .report = report, .heads = heads, .error = error};
    const struct walk walk = {.frame = read_first, .context = &reading};
    code = store_walk(&state, &end, folder, &walk, error);
    if (code == MAILLE_OK)
        code = state_finish(&state, error);
    if (code == MAILLE_CORRUPT) {
        if (state.fault == AUDIT_SOUND)
            state.fault = AUDIT_ALTERED;
        name_fault(&state, folder, error);
        if (state.fault == AUDIT_STRANGER)
            code = MAILLE_SIGNATURE;
    }
    fill_report(report, &state);
    MAILLE_TRY(code);
    if (!state.begun) {
        code = wrong(report, AUDIT_REMOVED, error, "expected a log in %s, found none", folder);
        goto out;
    }
    if (reading.code == MAILLE_CORRUPT)
        report->fault = AUDIT_ALTERED;
    MAILLE_TRY(reading.code);
    MAILLE_TRY(check_identity(report, check, error));
    if (state.base_size > 0 && !reading.base_said) {
        code = wrong(report, AUDIT_REMOVED, error,
                     "entries 1 to %" PRIu64 " were removed, and no entry says that they were pruned",
                     state.base_size);
        goto out;
    }
    MAILLE_TRY(check_end(report, &state, &end, folder, check, error));
    code = check_witness(report, &state, check, error);
out:
    record_clear(&reading.record);
    state_clear(&state);
    return code;
}

enum maille_code audit_read(const char *folder, audit_each *each, void *context, struct maille_error *error)
{
    struct audit_report report;
    const struct audit_check check = {.each = each, .context = context, .taken_ms = 1};
    enum maille_code code = audit_verify(&report, NULL, folder, &check, error);
    if (code == MAILLE_CORRUPT)
        maille_error_prefix(error, "%s", folder);
    return code;
}
