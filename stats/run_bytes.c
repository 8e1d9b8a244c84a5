#include "stats/run_bytes.h"

#include <math.h>
#include <string.h>

#include "stats/result_bytes.h"

/* Every NaN is one: which of them an operation gives is the machine's. */
static void put_vector(struct bytes *out, const struct vector *vector)
{
    bytes_put_u64(out, vector->n);
    for (size_t i = 0; i < vector->n; i++)
        bytes_put_f64(out, isnan(vector->v[i]) ? (double)NAN : vector->v[i]);
}

/* memo may hold what is no number (a value that is not there yet); θ may not. */
static bool take_vector(struct vector *vector, struct reader *reader, bool numbers)
{
    const uint64_t n = reader_u64(reader);
    vector_truncate(vector, 0);
    if (reader->bad || n > reader_left(reader) / sizeof(double))
        return false;
    double *v = vector_grow(vector, (size_t)n);
    for (uint64_t i = 0; i < n; i++) {
        v[i] = reader_f64(reader);
        if (numbers && isnan(v[i]))
            return false;
    }
    return true;
}

static void put_outcome(struct bytes *out, const struct outcome *outcome)
{
    bytes_put_u64(out, (uint64_t)outcome->n);
    bytes_put_u64(out, (uint64_t)outcome->n_missing);
    bytes_put_u64(out, (uint64_t)outcome->n_event);
    bytes_put_u64(out, (uint64_t)outcome->suppressed);
    bytes_put_u8(out, outcome->grid_merged);
    result_write(out, outcome->warnings);
    result_write(out, outcome->dropped_levels);
    result_write(out, outcome->aliased);
    result_write(out, outcome->result);
}

/* A result of this kind; of a list of sentences every item is one. */
static struct result *take_result(struct reader *reader, struct arena *arena, enum result_kind kind)
{
    struct result *made = result_read(reader, arena);
    bool right = made != NULL && made->kind == kind;
    for (size_t i = 0; right && kind == RESULT_LIST && i < made->n; i++)
        right = made->items[i]->kind == RESULT_STRING;
    return right ? made : NULL;
}

static bool take_outcome(struct outcome *outcome, struct reader *reader)
{
    struct outcome made = {.arena = outcome->arena};
    made.n = (int64_t)reader_u64(reader);
    made.n_missing = (int64_t)reader_u64(reader);
    made.n_event = (int64_t)reader_u64(reader);
    made.suppressed = (int64_t)reader_u64(reader);
    const uint8_t merged = reader_u8(reader);
    made.grid_merged = merged != 0;
    if (reader->bad || merged > 1 || (made.warnings = take_result(reader, made.arena, RESULT_LIST)) == NULL ||
        (made.dropped_levels = take_result(reader, made.arena, RESULT_LIST)) == NULL ||
        (made.aliased = take_result(reader, made.arena, RESULT_LIST)) == NULL ||
        (made.result = take_result(reader, made.arena, RESULT_OBJECT)) == NULL)
        return false;
    *outcome = made;
    return true;
}

static bool take_text(char *out, size_t room, struct reader *reader)
{
    size_t length = 0;
    const uint8_t *text = reader_block(reader, room - 1, &length);
    if (text == NULL || memchr(text, 0, length) != NULL)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static void put_status(struct bytes *out, const struct analysis_state *state)
{
    bytes_put_u8(out, (uint8_t)state->status);
    bytes_put_string(out, state->rule);
}

static bool take_status(struct analysis_state *state, struct reader *reader)
{
    const uint8_t status = reader_u8(reader);
    if (reader->bad || status > ANALYSIS_VETOED || !take_text(state->rule, sizeof state->rule, reader))
        return false;
    state->status = (enum analysis_status)status;
    return true;
}

/* --- all of it --- */

void study_run_write(struct bytes *out, const struct study_run *run)
{
    bytes_put_u64(out, run->study->n_analyses);
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        const struct analysis_state *state = &run->states[k];
        put_status(out, state);
        bytes_put_string(out, state->reason);
        bytes_put_u32(out, state->iteration.round);
        put_vector(out, &state->iteration.theta);
        put_vector(out, &state->iteration.memo);
        put_outcome(out, &state->outcome);
    }
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        bytes_put_string(out, run->states[k].offer);
        if (run->states[k].status == ANALYSIS_OPEN)
            result_write_heads(out, run->states[k].outcome.result);
    }
}

enum maille_code study_run_read(struct study_run *run, const void *bytes, size_t length,
                                struct maille_error *error)
{
    struct reader reader = reader_of(bytes, length);
    bool right = reader_u64(&reader) == run->study->n_analyses;
    for (size_t k = 0; right && k < run->study->n_analyses; k++) {
        struct analysis_state *state = &run->states[k];
        right = take_status(state, &reader) && take_text(state->reason, sizeof state->reason, &reader);
        state->iteration.round = reader_u32(&reader);
        right = right && !reader.bad && take_vector(&state->iteration.theta, &reader, true) &&
                take_vector(&state->iteration.memo, &reader, false) && take_outcome(&state->outcome, &reader);
    }
    const bool later =
        right && reader_left(&reader) > 0; /* a program of before wrote neither offers nor heads */
    for (size_t k = 0; right && k < run->study->n_analyses; k++) {
        struct analysis_state *state = &run->states[k];
        state->offer[0] = '\0';
        right =
            !later || (take_text(state->offer, sizeof state->offer, &reader) &&
                       (state->status != ANALYSIS_OPEN || result_read_heads(state->outcome.result, &reader)));
    }
    return right && reader_done(&reader)
               ? MAILLE_OK
               : maille_fail(error, MAILLE_CORRUPT, "expected where a study stands, found other bytes");
}

void study_run_write_agreed(struct bytes *out, const struct study_run *run)
{
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        const struct analysis_state *state = &run->states[k];
        put_status(out, state);
        bytes_put_u32(out, state->iteration.round);
        put_vector(out, &state->iteration.theta);
        put_vector(out, &state->iteration.memo);
        result_write_shape(out, state->outcome.result);
    }
}

/* --- what ended --- */

void study_run_write_ended(struct bytes *out, const struct study_run *run, size_t analysis)
{
    const struct analysis_state *state = &run->states[analysis];
    static struct result none_listed = {.kind = RESULT_LIST}, none_shown = {.kind = RESULT_OBJECT};
    static const struct outcome nothing = {.n = -1,
                                           .n_missing = -1,
                                           .n_event = -1,
                                           .warnings = &none_listed,
                                           .dropped_levels = &none_listed,
                                           .aliased = &none_listed,
                                           .result = &none_shown};
    put_status(out, state);
    bytes_put_string(out, state->reason);
    bytes_put_string(out, state->offer);
    put_outcome(out, state->status == ANALYSIS_OK ? &state->outcome : &nothing);
}

enum maille_code study_run_read_ended(struct study_run *run, size_t analysis, struct reader *reader,
                                      struct maille_error *error)
{
    struct analysis_state *state = &run->states[analysis], made = *state;
    if (!take_status(&made, reader) || made.status == ANALYSIS_OPEN ||
        !take_text(made.reason, sizeof made.reason, reader) ||
        !take_text(made.offer, sizeof made.offer, reader) || !take_outcome(&made.outcome, reader))
        return maille_fail(error, MAILLE_INVALID, "expected an analysis that has ended, found other bytes");
    *state = made;
    return MAILLE_OK;
}

static bool list_agrees(const struct result *a, const struct result *b, const char *what, const char **name)
{
    if (result_agrees(a, b, name))
        return true;
    *name = what;
    return false;
}

bool analysis_state_agrees(const struct analysis_state *a, const struct analysis_state *b, const char **name)
{
    const struct outcome *x = &a->outcome, *y = &b->outcome;
    if (a->status != b->status || strcmp(a->rule, b->rule) != 0) {
        *name = "status";
        return false;
    }
    if (strcmp(a->offer, b->offer) != 0) {
        *name = "offer";
        return false;
    }
    if (x->n != y->n || x->n_missing != y->n_missing || x->n_event != y->n_event ||
        x->suppressed != y->suppressed || x->grid_merged != y->grid_merged) {
        *name = "n";
        return false;
    }
    return list_agrees(x->warnings, y->warnings, "warnings", name) &&
           list_agrees(x->dropped_levels, y->dropped_levels, "dropped_levels", name) &&
           list_agrees(x->aliased, y->aliased, "aliased", name) && result_agrees(x->result, y->result, name);
}
