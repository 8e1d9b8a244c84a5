#include "disclosure/gate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/gate_arithmetic.h"
#include "disclosure/release_private.h"
#include "disclosure/rule.h"
#include "stats/guard.h"

/* Reading order: what is asked (gate_question), who else is there (gate_roster), what must not depend on a
 * patient (gate_cells, gate_domain), and the one place where sums become
 * a release (gate_release). */

/* A limit in days is met when what is asked is not finer by more than rounding. */
static const double day_slack = 1e-9;

void gate_refuse(struct verdict *verdict, const char *rule, const char *format, ...)
{
    assert(rule_find(rule) != NULL);
    if (verdict->rule[0] != '\0')
        return;
    snprintf(verdict->rule, sizeof verdict->rule, "%s", rule);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->sentence, sizeof verdict->sentence, format, arguments);
    va_end(arguments);
}

static bool list_has(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->names[i], name) == 0)
            return true;
    return false;
}

static bool list_allows(const struct name_list *list, const char *name)
{
    return list->all || list_has(list, name);
}

/* --- what is asked --- */

static void rule_methods(struct verdict *verdict, const struct policy *policy,
                         const struct analysis *analysis)
{
    if (!list_allows(&policy->methods, analysis->method))
        gate_refuse(verdict, "methods", "the policy does not allow the method %s", analysis->method);
}

/* Entries of variables.deny are names, or the words role:identifier, role:date, role:quasi. */
static bool variable_denied(const struct policy *policy, const struct variable *variable)
{
    static const char *const roles[] = {[ROLE_NONE] = NULL,
                                        [ROLE_IDENTIFIER] = "role:identifier",
                                        [ROLE_DATE] = "role:date",
                                        [ROLE_QUASI] = "role:quasi"};
    const char *role = roles[variable->role];
    return list_has(&policy->variables_deny, variable->name) ||
           (role != NULL && list_has(&policy->variables_deny, role));
}

static void rule_variables(struct verdict *verdict, const struct policy *policy,
                           const struct analysis *analysis)
{
    const struct dictionary *dictionary = analysis->study->dictionary;
    bool *used = calloc(dictionary->n_variables + 1, sizeof *used);
    if (used == NULL) {
        gate_refuse(verdict, "variables.deny", "there is no memory to see which variables are read");
        return;
    }
    analysis_variables(analysis, used);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (used[v] && variable_denied(policy, &dictionary->variables[v]))
            gate_refuse(verdict, "variables.deny", "the policy denies the variable %s",
                        dictionary->variables[v].name);
    free(used);
}

/* Finer survival times than the policy's are refused, never coarsened. What counts is the width in days.
 * Where a time has no unit, nobody knows how wide its steps are: only a policy that allows single days lets
 * it through, and not where a variable in it is finer than that. */
static void rule_axis(struct verdict *verdict, const struct policy *policy, const struct time_axis *axis)
{
    bool finer = axis->days < analysis_grid_days(policy->finest_grid) * (1 - day_slack);
    if (!axis->has_unit && (finer || policy->finest_grid != GRID_DAY))
        gate_refuse(
            verdict, "finest_grid",
            "the policy allows times by %s, and the unit of the time is not known once something was done to "
            "it: take a duration of the dictionary as it is",
            analysis_grid_name(policy->finest_grid));
    else if (finer)
        gate_refuse(verdict, "finest_grid", "the policy allows times by %s, the study asks for finer ones",
                    analysis_grid_name(policy->finest_grid));
}

static void rule_finest_grid(struct verdict *verdict, const struct policy *policy,
                             const struct analysis *analysis)
{
    for (size_t k = 0; k < analysis->declared->n_keys; k++) {
        const struct formula *formula = analysis->values[k].formula;
        struct time_axis axis;
        if (formula == NULL || formula->kind != RESPONSE_SURVIVAL)
            continue;
        if (analysis_time_axis(&axis, analysis, formula, NULL) == MAILLE_OK) /* else the method refuses */
            rule_axis(verdict, policy, &axis);
    }
}

/* Under `study` two models of one study must not differ by the few patients that miss a variable of one of
 * them. With one model both readings are the same. */
static void rule_missing(struct verdict *verdict, const struct policy *policy,
                         const struct analysis *analysis)
{
    const struct study *study = analysis->study;
    size_t n_models = 0;
    for (size_t i = 0; i < study->n_analyses; i++)
        n_models += study->analyses[i].declared->is_model;
    bool same = n_models < 2;
    if (policy->missing == MISSING_STUDY && study->missing != MISSING_STUDY && analysis->declared->is_model &&
        !same)
        gate_refuse(verdict, "missing", "the policy wants `missing: study` in a study of several models");
}

/* As domain_bounds: by the dictionary's bounds alone, unless the data are public. */
static void rule_arithmetic(struct verdict *verdict, const struct policy *policy,
                            const struct analysis *analysis)
{
    const char *fault = strcmp(policy->preset, "open") == 0 ? NULL : gate_arithmetic_fault(analysis);
    if (fault != NULL)
        gate_refuse(verdict, "arithmetic", "%s", fault);
}

enum maille_code gate_question(struct verdict *verdicts, const struct policy *policy,
                               const struct study *study, const char *researcher, struct maille_error *error)
{
    if (!list_allows(&policy->purposes, study->purpose))
        return maille_refuse(error, "purposes", "the policy does not accept the purpose %s", study->purpose);
    if (!list_allows(&policy->researchers, researcher))
        return maille_refuse(error, "researchers", "the policy does not answer the researcher %s",
                             researcher);
    for (size_t i = 0; i < study->n_analyses; i++) {
        verdicts[i] = (struct verdict){{0}, {0}, {0}};
        rule_methods(&verdicts[i], policy, &study->analyses[i]);
        rule_variables(&verdicts[i], policy, &study->analyses[i]);
        rule_finest_grid(&verdicts[i], policy, &study->analyses[i]);
        rule_missing(&verdicts[i], policy, &study->analyses[i]);
        rule_arithmetic(&verdicts[i], policy, &study->analyses[i]);
    }
    return MAILLE_OK;
}

/* --- who else is there --- */

enum maille_code gate_roster(const struct policy *policy, size_t n_sites, struct maille_error *error)
{
    if ((double)n_sites < policy->min_sites)
        return maille_refuse(error, "min_sites", "the policy wants %.0f sites in the roster, found %zu",
                             policy->min_sites, n_sites);
    return MAILLE_OK;
}

/* --- what must not depend on a patient --- */

/* Whole numbers of so few values are a category: their mean and spread would say how many have each. */
enum { PRODUCT_DEGREE_MAX = 2 };

static void rule_moment(struct verdict *verdict, const struct cells_moment *moment,
                        const struct dictionary *dictionary, struct arena *arena)
{
    const struct expression *x = moment->x;
    bool *used = arena_array(arena, dictionary->n_variables + 1, sizeof *used);
    size_t n = 0;
    expression_variables(x, used);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        n += used[v];
    if (x->step > 0 && moment->powers > 1 && (x->high - x->low) / x->step < GATE_FEW_VALUES)
        gate_refuse(verdict, "moments", "a mean and a spread are asked of a number of at most 4 values");
    if (n > 1 && gate_arithmetic_degree(x) > PRODUCT_DEGREE_MAX)
        gate_refuse(verdict, "moments", "a product of different variables has a degree above 2");
}

void gate_cells(struct verdict *verdict, const struct policy *policy, const struct analysis *analysis,
                const struct cells *cells)
{
    if (cells->axis.days > 0)
        rule_axis(verdict, policy, &cells->axis);
    struct arena *arena = policy->min_cell > 1 && cells->n_moments > 0 ? arena_new() : NULL;
    for (size_t m = 0; arena != NULL && m < cells->n_moments; m++)
        if (!cells->moments[m].of_model)
            rule_moment(verdict, &cells->moments[m], analysis->study->dictionary, arena);
    arena_free(arena);
}

enum maille_code gate_domain(struct verdict *verdict, const struct policy *policy,
                             const struct tally_spec *spec, struct maille_error *error)
{
    bool may_fail = true;
    if (strcmp(policy->preset, "open") == 0)
        return MAILLE_OK;
    enum maille_code code = tally_spec_may_fail(&may_fail, spec, error);
    if (code != MAILLE_OK)
        return code;
    if (may_fail)
        gate_refuse(
            verdict, "domain_bounds",
            "a logarithm, a root or a division is not defined for every value within the dictionary's "
            "limits");
    return MAILLE_OK;
}

/* --- from sums to a release --- */

/* Adds a run, or lengthens the one before when the width is the same. */
static void run_put(struct word_run *runs, size_t room, size_t *n, uint64_t bytes, uint32_t width)
{
    if (bytes == 0)
        return;
    if (*n > 0 && *n <= room && runs[*n - 1].width == width) {
        runs[*n - 1].bytes += bytes;
        return;
    }
    if (*n < room)
        runs[*n] = (struct word_run){.bytes = bytes, .width = width};
    (*n)++;
}

/* Gaps hold zeros: words of 8 bytes. A block of 16-byte words starts at a multiple of 16 (tally_layout), and
 * so does its run. */
size_t gate_runs(struct word_run *runs, size_t room, const struct round_plan *plan)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->analyses[i].spec == NULL)
            continue;
        for (size_t block = 0; block < plan->analyses[i].spec->n_blocks; block++) {
            const struct tally_extent *extent = &plan->analyses[i].extents[block];
            size_t start = plan->analyses[i].offset + extent->offset;
            assert(start >= at && (start - at) % 8 == 0 && start % extent->width == 0);
            run_put(runs, room, &n, start - at, 8);
            run_put(runs, room, &n, extent->count * extent->width, extent->width);
            at = start + extent->count * extent->width;
        }
    }
    assert(at <= plan->bytes);
    run_put(runs, room, &n, plan->bytes - at, 8);
    return n;
}

static bool all_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* One block: its mask is what its guards give, and what is masked is 0. */
static enum maille_code block_guarded(const struct tally_spec *spec, size_t block, const struct cells *cells,
                                      const struct surviving *surviving, const struct tally_extent *extent,
                                      const uint8_t *words, struct arena *arena, struct maille_error *error)
{
    const uint8_t *own = spec->blocks[block].kept, *kept = NULL;
    const size_t n = tally_block_parts(&spec->blocks[block]), bytes = extent->count / n * extent->width;
    enum maille_code code = guard_mask(&kept, spec, block, cells, surviving, arena, error);
    if (code != MAILLE_OK)
        return code;
    if ((own == NULL) != (kept == NULL) || (kept != NULL && memcmp(own, kept, n) != 0))
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected of block %zu what its guards leave, found a plan of something else",
                           block);
    for (size_t i = 0; kept != NULL && i < n; i++)
        if (kept[i] == 0 && !all_zero(words + i * bytes, bytes))
            return maille_fail(error, MAILLE_INTERNAL,
                               "expected 0 in block %zu where head counts did not pass, found sums", block);
    return MAILLE_OK;
}

static enum maille_code round_guarded(const struct round_plan *plan, const struct surviving *const *surviving,
                                      const struct tally *words, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory to see what guards a release");
    for (size_t k = 0; k < plan->n; k++) {
        if (!plan->analyses[k].open)
            continue;
        if (surviving != NULL && surviving[k] == NULL) {
            code =
                maille_fail(error, MAILLE_INTERNAL,
                            "expected of analysis %zu what the threshold rounds left, found nothing", k + 1);
            goto out;
        }
        const struct tally_spec *spec = plan->analyses[k].spec;
        for (size_t b = 0; b < spec->n_blocks; b++) {
            const struct tally_extent *extent = &plan->analyses[k].extents[b];
            code = block_guarded(spec, b, plan->analyses[k].cells, surviving != NULL ? surviving[k] : NULL,
                                 extent, words->words.data + plan->analyses[k].offset + extent->offset, arena,
                                 error);
            if (code != MAILLE_OK) {
                maille_error_prefix(error, "analysis %zu", k + 1);
                goto out;
            }
        }
    }
out:
    arena_free(arena);
    return code;
}

static void put_vetoes(const struct round_plan *plan, const struct gate_veto *veto, uint8_t *words)
{
    for (size_t k = 0; veto != NULL && k < plan->n; k++) {
        if (!plan->analyses[k].open || !veto->vetoed[k])
            continue;
        const size_t at = round_veto_at(plan, k);
        const uint64_t word = le64_load(veto->noise + at);
        if (plan->analyses[k].bytes > 0)
            memcpy(words + plan->analyses[k].offset, veto->noise + plan->analyses[k].offset,
                   plan->analyses[k].bytes);
        le64_store(words + at, word != 0 ? word : 1);
    }
}

enum maille_code gate_release(struct release **release, const struct round_plan *plan,
                              const struct surviving *const *surviving, const struct verdict *verdicts,
                              const struct gate_veto *veto, struct tally *words, struct maille_error *error)
{
    size_t n_blocks = 0;
    for (size_t i = 0; i < plan->n; i++) {
        if (!plan->analyses[i].open)
            continue;
        if (verdicts[i].rule[0] != '\0')
            return maille_refuse(error, verdicts[i].rule, "analysis %zu: %s", i + 1, verdicts[i].sentence);
        if (plan->analyses[i].spec == NULL)
            return maille_fail(error, MAILLE_INTERNAL, "expected a plan of analysis %zu, found none", i + 1);
        n_blocks += plan->analyses[i].spec->n_blocks;
    }
    if (words->words.failed || words->words.length != plan->bytes)
        return maille_fail(error, MAILLE_INTERNAL, "expected %zu bytes of sums, found %zu", plan->bytes,
                           words->words.length);

    enum maille_code code = round_guarded(plan, surviving, words, error);
    if (code != MAILLE_OK)
        return code;
    if (!all_zero(words->words.data + plan->vetoes, plan->bytes - plan->vetoes))
        return maille_fail(error, MAILLE_INTERNAL, "expected veto words of 0 in sums, found others");
    put_vetoes(plan, veto, words->words.data);
    /* Between two blocks there is at most one gap; one more at the end. */
    size_t room = 2 * n_blocks + 1;
    struct release *made = calloc(1, sizeof *made);
    struct word_run *runs = calloc(room, sizeof *runs);
    if (made == NULL || runs == NULL) {
        free(made);
        free(runs);
        return maille_fail(error, MAILLE_MEMORY, "no memory for a release of %zu bytes", plan->bytes);
    }
    made->runs = runs;
    made->n_runs = gate_runs(runs, room, plan);
    made->words = words->words;
    words->words = (struct bytes){0};
    *release = made;
    return MAILLE_OK;
}
