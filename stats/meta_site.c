#include "stats/meta.h"

#include <math.h>
#include <string.h>

#include "stats/round.h"

enum { OWN_ROUNDS_MAX = 500 };

/* All rounds of the model over this site's patients alone: sites, wire and sums of one. */
static enum maille_code site_fit(struct study_run *run, struct columns *columns,
                                 const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct round_plan plan = {0};
    struct tally tally = {0};
    unsigned round = 0;
    while (study_run_open(run)) {
        if (++round > OWN_ROUNDS_MAX) {
            study_run_fail(run, 0, "expected the fit to end, found it going on");
            break;
        }
        round_plan_clear(&plan);
        MAILLE_TRY(study_run_plan(run, &plan, error));
        if (!plan.analyses[0].open)
            continue;
        tally_clear(&tally);
        MAILLE_TRY(tally_run(&tally, plan.analyses[0].spec, columns, options, error));
        (void)bytes_reserve(&tally.words, plan.bytes - tally.words.length); /* no veto of oneself */
        MAILLE_TRY(bytes_check(&tally.words, error));
        study_run_step(run, &plan, tally.words.data, 1);
    }
out:
    tally_clear(&tally);
    round_plan_clear(&plan);
    return code;
}

/* Has the site somebody at the first level of every factor that the term's meaning depends on? */
static enum maille_code site_references(bool *all, const struct meta *meta, struct columns *columns,
                                        const struct tally_options *options, struct arena *arena,
                                        struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct tally tally = {0};
    size_t bytes;
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    struct tally_extent *extents = arena_array(arena, TALLY_BLOCKS_MAX, sizeof *extents);
    *all = true;
    for (size_t i = 0; *all && i < meta->n_references; i++) {
        *spec = (struct tally_spec){.n_blocks = 0};
        struct tally_block *block = tally_spec_add(spec);
        block->filter = meta->rows;
        block->group = meta->references[i];
        tally_clear(&tally);
        MAILLE_TRY(tally_layout(extents, &bytes, spec, error));
        MAILLE_TRY(tally_run(&tally, spec, columns, options, error));
        *all = tally_count(tally.words.data, &extents[0], 0) > 0;
    }
out:
    tally_clear(&tally);
    return code;
}

static double finite_number(const struct result *row, const char *name)
{
    const struct result *item = result_get(row, name);
    return item != NULL && item->kind == RESULT_NUMBER ? item->number : NAN;
}

/* The term's row in the result of the fit; the robust standard error where there is one. */
static void site_estimate(double *estimate, double *std_error, const struct result *result, const char *term)
{
    const struct result *terms = result_get(result, "terms");
    *estimate = *std_error = NAN;
    for (size_t i = 0; terms != NULL && i < terms->n; i++) {
        const struct result *row = terms->items[i];
        if (strcmp(result_get(row, "term")->string, term) != 0)
            continue;
        double robust = finite_number(row, "robust_se");
        *estimate = finite_number(row, "estimate");
        *std_error = isnan(robust) ? finite_number(row, "std_error") : robust;
    }
}

enum maille_code meta_site(double *values, const struct tally_own *own, struct columns *columns,
                           const struct tally_options *options, struct maille_error *error)
{
    const struct meta *meta = own->context;
    enum maille_code code = MAILLE_OK;
    struct study_run run = {0};
    struct study study = *meta->model->study;
    struct analysis model =
        *meta->model; /* its study stays the whole one: `missing: study` looks at all models */
    bool references = false;
    double estimate, std_error;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a fit, found none");
    study.analyses = &model;
    study.n_analyses = 1;
    MAILLE_TRY(study_run_init(&run, &study, error));
    MAILLE_TRY(site_fit(&run, columns, options, error));
    const struct outcome *outcome = &run.states[0].outcome;
    values[META_ROWS] = outcome->n > 0 ? (double)outcome->n : 0;
    values[META_MISSING] = outcome->n_missing > 0 ? (double)outcome->n_missing : 0;
    values[META_EVENTS] = outcome->n_event > 0 ? (double)outcome->n_event : 0;
    if (run.states[0].status != ANALYSIS_OK)
        goto out;
    MAILLE_TRY(site_references(&references, meta, columns, options, arena, error));
    site_estimate(&estimate, &std_error, outcome->result, meta->term);
    double y = estimate * meta->scale, se = std_error * fabs(meta->scale), own_weight = 1 / (se * se);
    if (!references || !(fabs(y) <= META_ESTIMATE_MAX) || !(own_weight > 0 && own_weight <= META_WEIGHT_MAX))
        goto out;
    double w = 1 / (se * se + meta->tau2);
    values[META_SITES] = 1;
    values[META_W] = w;
    values[META_WY] = w * y;
    values[META_WYY] = w * y * y;
    values[META_WW] = w * w;
out:
    study_run_clear(&run);
    arena_free(arena);
    return code;
}
