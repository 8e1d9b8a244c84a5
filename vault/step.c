#include "vault/step.h"

#include <string.h>

#include "query/yaml.h"

void step_request_write(struct bytes *out, const struct step_request *request)
{
    bytes_put_block(out, request->dictionary, request->dictionary_length);
    bytes_put_block(out, request->study, request->study_length);
    bytes_put_block(out, request->plan->data, request->plan->length);
    bytes_put_block(out, request->run->data, request->run->length);
    bytes_put_u64(out, request->n);
    for (size_t k = 0; k < request->n; k++)
        bytes_put_u8(out, request->open[k]);
    bytes_put_u64(out, request->n_sites);
    bytes_put_u8(out, request->totals != NULL);
    bytes_put_block(out, request->totals, request->totals != NULL ? request->length : 0);
}

/* A request, read; texts and arrays in arena, the rest in the request's own bytes. */
struct work {
    const struct study *study;
    struct plan plan;
    struct study_run run;
    bool *open;
    size_t n_sites;
    const uint8_t *totals; /* NULL: none */
    size_t length;
};

static enum maille_code nonsense(struct maille_error *error)
{
    return maille_fail(error, MAILLE_CORRUPT, "expected the step of a study, found other bytes");
}

static enum maille_code read_study(struct work *work, struct reader *reader, struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n_methods, length[2] = {0};
    const struct query_method *methods = methods_declared(&n_methods);
    const struct dictionary *dictionary;
    const char *text[2];
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *bytes = reader_block(reader, YAML_BYTES_MAX, &length[i]);
        if (bytes == NULL)
            return nonsense(error);
        text[i] = arena_strndup(arena, (const char *)bytes, length[i]);
    }
    MAILLE_TRY(dictionary_parse(&dictionary, arena, "dictionary", text[0], length[0], error));
    MAILLE_TRY(
        study_parse(&work->study, arena, dictionary, methods, n_methods, "study", text[1], length[1], error));
out:
    return code;
}

static enum maille_code read_request(struct work *work, struct reader *reader, struct arena *arena,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t plan_length = 0, run_length = 0;
    MAILLE_TRY(read_study(work, reader, arena, error));
    const size_t n = work->study->n_analyses;
    const uint8_t *plan = reader_block(reader, RUN_BYTES_MAX, &plan_length);
    const uint8_t *run = reader_block(reader, 2 * (size_t)RUN_BYTES_MAX, &run_length);
    if (plan == NULL || run == NULL || reader_u64(reader) != n)
        return nonsense(error);
    work->open = arena_array(arena, n, sizeof *work->open);
    for (size_t k = 0; k < n; k++)
        work->open[k] = reader_u8(reader) != 0;
    work->n_sites = (size_t)reader_u64(reader);
    const bool steps = reader_u8(reader) != 0;
    work->totals = reader_block(reader, TALLY_BYTES_MAX, &work->length);
    if (!reader_done(reader) || work->totals == NULL)
        return nonsense(error);
    if (!steps)
        work->totals = NULL;
    MAILLE_TRY(study_run_init(&work->run, work->study, error));
    if (plan_length > 0) {
        MAILLE_TRY(plan_read(&work->plan, work->study, plan, plan_length, error));
        study_run_survive(&work->run, work->plan.surviving);
    }
    MAILLE_TRY(study_run_read(&work->run, run, run_length, error));
    work->run.room = round_room(work->n_sites);
out:
    return code;
}

static enum maille_code step_totals(struct work *work, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = work->study->n_analyses;
    struct round_plan plan = {0};
    struct vector *thetas = arena_array(arena, n, sizeof *thetas); /* borrowed */
    bool *open = arena_array(arena, n, sizeof *open);
    for (size_t k = 0; k < n; k++) {
        open[k] = work->run.states[k].status == ANALYSIS_OPEN;
        thetas[k] = work->run.states[k].iteration.theta;
    }
    MAILLE_TRY(round_plan(&plan, work->study, open, thetas, work->run.surviving, work->run.room, error));
    for (size_t k = 0; k < n; k++)
        if (open[k] && plan.analyses[k].error.code != MAILLE_OK)
            code = nonsense(error);
    if (code == MAILLE_OK && plan.bytes != work->length)
        code = nonsense(error);
    if (code == MAILLE_OK && round_in_range(&plan, work->study, work->totals, NULL) != MAILLE_OK)
        code = nonsense(error);
    if (code == MAILLE_OK)
        study_run_step(&work->run, &plan, work->totals, work->n_sites);
out:
    round_plan_clear(&plan);
    return code;
}

/* Size decides, not memory: what is larger than a journal's record may be leaves, the largest analysis first.
 */
static enum maille_code write_within(struct bytes *out, struct study_run *run, struct maille_error *error)
{
    struct bytes one = {0};
    for (;;) {
        size_t largest = 0, most = 0;
        out->length = 0;
        study_run_write(out, run);
        if (out->failed || out->length <= RUN_BYTES_MAX)
            break;
        for (size_t k = 0; k < run->study->n_analyses; k++) {
            const struct study single = {.n_analyses = 1, .analyses = &run->study->analyses[k]};
            const struct study_run part = {.study = &single, .states = &run->states[k]};
            one.length = 0;
            study_run_write(&one, &part);
            if (one.length > most) {
                most = one.length;
                largest = k;
            }
        }
        struct outcome *outcome = &run->states[largest].outcome;
        study_run_fail(run, largest,
                       "its result is larger than the sites can keep; ask for a coarser grid or less");
        outcome->result = result_object(outcome->arena);
        outcome->warnings = result_list(outcome->arena);
    }
    bytes_wipe(&one);
    return bytes_check(out, error);
}

enum maille_code step_answer(struct bytes *run, const void *request, size_t length,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reader reader = reader_of(request, length);
    struct work work = {0};
    struct round_plan next = {0};
    struct bytes written = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a step, found none");
    MAILLE_TRY(read_request(&work, &reader, arena, error));
    for (size_t k = 0; k < work.study->n_analyses; k++)
        if (work.run.states[k].status == ANALYSIS_OPEN && !work.open[k])
            study_run_refuse(&work.run, k, "left", "it left before this round");
    if (work.totals != NULL)
        MAILLE_TRY(step_totals(&work, arena, error));
    MAILLE_TRY(study_run_plan(&work.run, &next, error));
    MAILLE_TRY(write_within(&written, &work.run, error));
    bytes_wipe(run);
    *run = written;
    written = (struct bytes){0};
out:
    bytes_wipe(&written);
    round_plan_clear(&next);
    study_run_clear(&work.run);
    plan_clear(&work.plan);
    arena_free(arena);
    return code;
}

static enum maille_code local(void *context, struct bytes *run, const struct step_request *request,
                              struct maille_error *error)
{
    struct bytes bytes = {0};
    (void)context;
    step_request_write(&bytes, request);
    enum maille_code code = bytes_check(&bytes, error);
    if (code == MAILLE_OK)
        code = step_answer(run, bytes.data, bytes.length, error);
    bytes_wipe(&bytes);
    return code;
}

struct step_source step_local(void)
{
    return (struct step_source){.step = local};
}
