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

extern const struct method method_finegray;
const struct method method_finegray = {
    .declared = {.name = "finegray",
                 .keys = keys,
                 .n_keys = sizeof keys / sizeof *keys,
                 .takes_landmark = true,
                 .is_model = true},
    .version = 1,
    .words = {.name = "Fine and Gray model",
              .sentence =
                  "Proportional subdistribution hazards, censoring weighted by its Kaplan–Meier curve.",
              .r = "cmprsk::crr(), survival::finegray()",
              .source = "Fine and Gray, Journal of the American Statistical Association 1999;94:496"},
    .check = cox_check,
    .cells = cox_cells,
    .plan = cox_plan,
    .step = cox_step};
