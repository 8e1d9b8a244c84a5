/* finegray: the proportional hazards model of a subdistribution. J. P. Fine and R. J. Gray, JASA
 * 1999;94:496–509; R. B. Geskus, Biometrics 2011;67:39–49.
 *
 * A patient who had another cause at T stays in the risk sets with weight Ĝ(t−)/Ĝ(T−), Ĝ the Kaplan–Meier
 * curve of the censoring (per stratum). Those weights are a product of a factor of t and one of T, so the
 * sums of the risk sets follow from the tallies of a Cox model by exit bin and three statuses, once the
 * counts of round 1 have given Ĝ: no patient is ever split into the rows that R's finegray() makes, and it is
 * all in the rounds of cox. Robust errors are by patient: the sum over those rows. R's counterpart: coxph()
 * on finegray() rows with cluster(id); docs/methods/finegray.md. */
#include "stats/cox.h"

static const struct query_key keys[] = {
    {.name = "formula",
     .kind = KEY_FORMULA,
     .required = true,
     .sentence =
         "the model: Surv(time, status) ~ x + strata(z), status a category whose first level is censoring"},
    {.name = "cause",
     .kind = KEY_TEXT,
     .required = true,
     .sentence = "the level of status whose subdistribution is modelled"},
};

static struct cox_asked asked_of(const struct analysis *analysis)
{
    return (struct cox_asked){.efron = true, .cause = analysis_value(analysis, "cause")->names[0]};
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct cox_asked asked = asked_of(analysis);
    return cox_check(analysis, &asked, error);
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct cox_asked asked = asked_of(analysis);
    return cox_cells(analysis, &asked, arena, out, error);
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    struct cox_asked asked = asked_of(analysis);
    return cox_plan(analysis, &asked, theta, surviving, arena, spec, error);
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    struct cox_asked asked = asked_of(analysis);
    return cox_step(analysis, &asked, totals, iteration, outcome, done, error);
}

extern const struct method method_finegray;
const struct method method_finegray = {
    .declared = {.name = "finegray", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .is_model = true},
    .version = 1,
    .words = {.name = "Fine and Gray model",
              .sentence =
                  "Proportional subdistribution hazards, censoring weighted by its Kaplan–Meier curve.",
              .r = "cmprsk::crr(), survival::finegray()",
              .source = "Fine and Gray, Journal of the American Statistical Association 1999;94:496"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step};
