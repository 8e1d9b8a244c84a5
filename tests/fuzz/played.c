/* A study of one analysis, played to its end over a few patients of one site, by the doors between a vault
 * and its step: the plan of the threshold rounds (disclosure/plan.h), the state and the totals
 * (vault/step.h), θ (stats/round.h), how it ended (stats/run_bytes.h). An input is the inside of the
 * analysis's braces in YAML, and behind a NUL what is altered: five bytes each, a number that says of which
 * bytes and in which round, LE16 a place, LE16 what is put there. What was not altered is read again in the
 * same bytes. */
#include <string.h>

#include "tests/fuzz/patients.h"
#include "vault/step.h"

enum { ROUNDS_MAX = 12, CHANGE_BYTES = 5 };
enum changed { OF_TOTALS, OF_STATE, OF_PLAN, OF_THETA, OF_KEPT, OF_FLAGS, OF_ENDED, CHANGED };

static const struct dictionary *dictionary;
static struct columns *patients;

struct changes {
    const uint8_t *data;
    size_t n;
};

/* Puts what is to be put of this kind and round into bytes. Whether anything was. */
static bool change(struct changes changes, enum changed kind, size_t round, uint8_t *bytes, size_t length)
{
    bool any = false;
    for (size_t i = 0; i < changes.n && length > 0; i++) {
        const uint8_t *one = changes.data + i * CHANGE_BYTES;
        const size_t place = (size_t)(one[1] | one[2] << 8) % length;
        if (one[0] % CHANGED != kind || one[0] / CHANGED != round)
            continue;
        any = any || bytes[place] != one[3];
        bytes[place] = one[3];
        if (place + 1 < length && one[4] != 0) {
            any = any || bytes[place + 1] != one[4];
            bytes[place + 1] = one[4];
        }
    }
    return any;
}

/* What threshold rounds leave that hide some cells, as bytes, and read back. false: not of this study. */
static bool plan_of(struct bytes *out, const struct study *study, struct changes changes, struct arena *arena)
{
    struct maille_error error = {0};
    struct plan_analysis analysis = {.open = true};
    const struct surviving *surviving = &analysis.surviving;
    struct plan plan = {.n = 1, .analyses = &analysis, .surviving = &surviving}, read = {0};
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct tally_extent *extents = arena_array(arena, TALLY_BLOCKS_MAX, sizeof *extents);
    struct bytes again = {0};
    uint8_t flags[8] = {0};
    size_t bytes;
    if (method_cells(&study->analyses[0], arena, cells, &error) != MAILLE_OK ||
        tally_layout(extents, &bytes, &cells->spec, &error) != MAILLE_OK)
        return true;
    uint8_t **kept = arena_array(arena, cells->spec.n_blocks + 1, sizeof *kept);
    size_t *n_cells = arena_array(arena, cells->spec.n_blocks + 1, sizeof *n_cells);
    for (size_t b = 0; b < cells->spec.n_blocks; b++) {
        n_cells[b] = extents[b].count;
        kept[b] = arena_array(arena, n_cells[b] + 1, 1);
        memset(kept[b], 1, n_cells[b]);
        change(changes, OF_KEPT, b, kept[b], n_cells[b]);
    }
    change(changes, OF_FLAGS, 0, flags, sizeof flags);
    analysis.n_cells = n_cells;
    analysis.surviving = (struct surviving){.n_blocks = cells->spec.n_blocks,
                                            .kept = (const uint8_t *const *)kept,
                                            .no_covariance = flags[0] & 1,
                                            .closed = flags[0] & 2,
                                            .narrow = flags[0] & 4,
                                            .min_cell = flags[1],
                                            .round_counts = flags[2] % 21,
                                            .max_share = flags[3] / 256.0,
                                            .patients = flags[4]};
    memcpy(analysis.rule, "few", (flags[5] & 1) != 0 ? 4 : 0);
    analysis.open = (flags[5] & 2) == 0;
    plan_write(out, &plan);
    change(changes, OF_PLAN, 0, out->data, out->length);
    const bool is_plan = plan_read(&read, study, out->data, out->length, &error) == MAILLE_OK;
    if (!is_plan && error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    if (is_plan) {
        plan_write(&again, &read);
        if (again.length != out->length || memcmp(again.data, out->data, again.length) != 0)
            fuzz_fail("the plan that was read");
    }
    bytes_clear(&again);
    plan_clear(&read);
    return is_plan;
}

static void totals_of(struct bytes *out, const struct round_plan *plan)
{
    uint8_t *words = bytes_reserve(out, plan->bytes);
    out->length = plan->bytes;
    memset(words, 0, plan->bytes);
    for (size_t k = 0; k < plan->n; k++) {
        struct tally tally = {0};
        if (!plan->analyses[k].open)
            continue;
        if (tally_run(&tally, plan->analyses[k].spec, patients, NULL, NULL) != MAILLE_OK)
            fuzz_fail("sums of a round that was planned");
        memcpy(words + plan->analyses[k].offset, tally.words.data, tally.words.length);
        tally_clear(&tally);
    }
}

/* θ as others hear it, and back. */
static void theta_of(const struct study *study, const struct vector *theta, struct changes changes,
                     size_t round)
{
    static const bool open = true;
    struct vector read = {0};
    struct bytes bytes = {0}, again = {0};
    struct maille_error error = {0};
    round_thetas_write(&bytes, study, &open, theta);
    change(changes, OF_THETA, round, bytes.data, bytes.length);
    if (round_thetas_read(&read, study, &open, bytes.data, bytes.length, &error) == MAILLE_OK) {
        round_thetas_write(&again, study, &open, &read);
        if (again.length != bytes.length || memcmp(again.data, bytes.data, again.length) != 0)
            fuzz_fail("the θ that was read");
    } else if (error.sentence[0] == '\0') {
        fuzz_fail("a sentence with an error");
    }
    vector_clear(&read);
    bytes_clear(&bytes);
    bytes_clear(&again);
}

/* How it ended, as a site says it, and as another says it that heard otherwise. */
static void end_of(const struct study *study, const struct study_run *run, struct changes changes)
{
    struct study_run other = {0};
    struct bytes ended = {0};
    struct maille_error error = {0};
    const char *name = "";
    if (study_run_init(&other, study, NULL) != MAILLE_OK)
        fuzz_fail("a run");
    study_run_write_ended(&ended, run, 0);
    const bool changed = change(changes, OF_ENDED, 0, ended.data, ended.length);
    struct reader reader = reader_of(ended.data, ended.length);
    if (study_run_read_ended(&other, 0, &reader, &error) == MAILLE_OK) {
        const bool agrees = analysis_state_agrees(&run->states[0], &other.states[0], &name);
        if (!changed && run->states[0].status == ANALYSIS_OK && !agrees) /* else it says less */
            fuzz_fail("the end that was written");
    } else if (!changed || error.sentence[0] == '\0') {
        fuzz_fail("an end that can be read back, or a sentence");
    }
    study_run_clear(&other);
    bytes_clear(&ended);
}

static void play(const struct study *study, struct changes changes, struct arena *arena)
{
    struct maille_error error = {0};
    struct study_run run = {0};
    struct bytes plan = {0}, state = {0}, totals = {0}, again = {0};
    struct round_plan round = {0};
    bool open = true;
    if (study_run_init(&run, study, NULL) != MAILLE_OK)
        fuzz_fail("a run");
    if (changes.n > 0 && changes.data[0] % CHANGED >= OF_KEPT && !plan_of(&plan, study, changes, arena))
        goto out;
    study_run_write(&state, &run);
    struct step_request request = {.dictionary = fuzz_dictionary,
                                   .dictionary_length = sizeof fuzz_dictionary - 1,
                                   .study = study->text,
                                   .study_length = study->text_length,
                                   .plan = &plan,
                                   .run = &state,
                                   .open = &open,
                                   .n = 1,
                                   .n_sites = 5};
    struct plan read = {0};
    if (plan.length > 0 && plan_read(&read, study, plan.data, plan.length, NULL) == MAILLE_OK)
        study_run_survive(&run, read.surviving);
    for (size_t n = 0; n < ROUNDS_MAX && study_run_open(&run); n++) {
        round_plan_clear(&round);
        run.room = round_room(request.n_sites);
        if (study_run_plan(&run, &round, &error) != MAILLE_OK || !study_run_open(&run))
            break;
        theta_of(study, &run.states[0].iteration.theta, changes, n);
        totals.length = 0;
        totals_of(&totals, &round);
        bool changed = change(changes, OF_TOTALS, n, totals.data, totals.length);
        state.length = 0;
        study_run_write(&state, &run);
        changed = change(changes, OF_STATE, n, state.data, state.length) || changed;
        request.totals = totals.data;
        request.length = totals.length;
        if (step_local().step(NULL, &state, &request, &error) != MAILLE_OK) {
            if (error.sentence[0] == '\0' || !changed)
                fuzz_fail("a step of right totals, or a sentence");
            break;
        }
        if (study_run_read(&run, state.data, state.length, &error) != MAILLE_OK)
            fuzz_fail("the state that a step gave");
        again.length = 0;
        study_run_write(&again, &run);
        if (again.length != state.length || memcmp(again.data, state.data, again.length) != 0)
            fuzz_fail("the state that was read");
    }
    if (!study_run_open(&run))
        end_of(study, &run, changes);
    plan_clear(&read);
out:
    round_plan_clear(&round);
    study_run_clear(&run);
    bytes_clear(&plan);
    bytes_clear(&state);
    bytes_clear(&totals);
    bytes_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct study *study;
    struct maille_error error = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (patients == NULL)
        patients = fuzz_patients(&dictionary);
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    const size_t length = end != NULL ? (size_t)(end - data) : size;
    const struct changes changes = {data + length + (end != NULL),
                                    end != NULL ? (size - length - 1) / CHANGE_BYTES : 0};
    const char *text =
        arena_printf(arena,
                     "study: six\ndictionary: six@1\ntitle: t\npurpose: p\nlegal_basis: l\nprotocol: r\n"
                     "expires: 2099-12-31\nsites: all\ngrid: day\nmissing: analysis\n"
                     "derive:\n  root: sqrt(age)\n  turned: 90 - age / 4\n  older: age + x\n"
                     "  next: factor(cause, levels = c(\"cancer\", \"other\"))\n  small: x < 0.5\n  young: "
                     "age < 65\nanalyses:\n  - { id: a, %.*s }\n",
                     (int)(length < 2000 ? length : 2000), (const char *)data);
    if (study_parse(&study, arena, dictionary, methods, n_methods, "study.yaml", text, strlen(text),
                    &error) != MAILLE_OK)
        goto out;
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct method *method = method_find(study->analyses[k].method);
        if (study->n_analyses != 1 ||
            (method->check != NULL && method->check(&study->analyses[k], &error) != MAILLE_OK))
            goto out;
    }
    play(study, changes, arena);
out:
    arena_free(arena);
    return 0;
}
