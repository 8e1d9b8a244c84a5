/* The rule of silence: everything that a site sends is a function of public things, of decisions of people,
 * of its operator's state, of fresh randomness, and of what all vaults derive alike from totals that were
 * opened to them.
 *
 * The main class: the same patients, dealt to the sites in another way, so that all pooled totals are the
 * same bit for bit. Everything that leaves every site must be the same, to the end of every question, but for
 * what is masked, sealed, signed, hashed or random (transcript.c). Real vaults, the real coordinator, the
 * real agent (tests/network). What one who means harm drives is in hostile_test.c. */
#include "tests/silence/script.h"

/* One site's rule of its own (min_ess_share) is broken by those who have patients of a kind: who that is,
 * each deal decides. The others' policies have none of it. */
#define STANDARD "policy: standard\nmin_ess_share: 0.6\n"

static const struct question questions[] = {
    {.study = "  - { id: x, method: count, by: [chemo] }\n", .says = {"\"status\": \"ok\""}},
    /* a few patients less, and the same few in other words */
    {.study = "  - { id: x, method: count, cohort: \"age < 82\" }\n", .says = {"few"}},
    {.study = "  - { id: x, method: count, cohort: \"!(nodes >= 15)\" }\n", .says = {"few"}},
    /* two groups of one question that differ by a few, and one that is far from all */
    {.study = "  - { id: a, method: count, cohort: \"age < 60\" }\n"
              "  - { id: b, method: count, cohort: \"age < 60 && pgr < 900\" }\n",
     .says = {"\"status\": \"ok\"", "few"}},
    /* vetoed in a round of values, beside a model that is not: what the offset makes of the weights rests on
     * few rows where somebody has many nodes */
    {.study = "  - { id: m, method: glm, family: gaussian, formula: \"nodes ~ age + chemo\" }\n"
              "  - { id: p, method: glm, family: poisson, formula: \"recur ~ pgr + offset(nodes / 10)\" }\n",
     .says = {"\"status\": \"ok\"", "\"status\": \"vetoed\""}},
    {.study = "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n"
              "  - { id: c, method: cox, formula: \"Surv(rtime, recur) ~ age + nodes\" }\n",
     .says = {"\"status\": \"ok\""}},
};

static void the_same_patients_dealt_otherwise(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){.name = "standard",
                                          .policy = STANDARD,
                                          .questions = questions,
                                          .n = sizeof questions / sizeof *questions});
}

/* Values begin in the first round: the policies have nothing that needs head counts. */
static const struct question open_questions[] = {
    {.study = "  - { id: b, method: count, by: [size] }\n"
              "  - { id: p, method: glm, family: poisson, formula: \"recur ~ pgr + offset(nodes / 10)\" }\n",
     .says = {"\"status\": \"ok\"", "\"status\": \"vetoed\""}},
};

static void without_threshold_rounds(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){.name = "open",
                                          .deals = 2,
                                          .policy = "policy: open\nmin_ess_share: 0.9\n",
                                          .questions = open_questions,
                                          .n = sizeof open_questions / sizeof *open_questions});
}

/* In every cell there is a site that has more of it than it may: which, or how many, each deal decides. */
static const struct question dominated[] = {
    {.study = "  - { id: b, method: count, by: [size] }\n"
              "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n",
     .says = {"few"}},
};

static void who_has_most_of_a_cell(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){.name = "dominance",
                                          .deals = 2,
                                          .policy = "policy: standard\nmax_site_share: 0.1\n",
                                          .questions = dominated,
                                          .n = sizeof dominated / sizeof *dominated});
}

/* Every method of the table but meta, which is of sites. */
static const struct question methods[] = {
    {.study = "  - { id: a, method: describe, variables: [age, pgr], by: hormon }\n"
              "  - { id: b, method: quantile, variable: age, probs: [0.5], by: meno }\n"
              "  - { id: c, method: histogram, variable: age, breaks: [20, 45, 60, 95] }\n"
              "  - { id: d, method: crosstab, variables: [meno, grade] }\n"
              "  - { id: e, method: ttest, formula: \"age ~ chemo\" }\n"
              "  - { id: f, method: anova, formula: \"age ~ grade\" }\n"
              "  - { id: g, method: correlation, variables: [age, pgr, er] }\n"
              "  - { id: h, method: smd, treatment: meno, variables: [age, grade] }\n"
              "  - { id: i, method: table1, variables: [age, chemo], by: meno, p: true }\n"},
    {.study = "  - { id: a, method: logrank, formula: \"Surv(rtime, recur) ~ meno\" }\n"
              "  - { id: b, method: rate, formula: \"Surv(rtime, recur) ~ meno\" }\n"
              "  - { id: c, method: cox, formula: \"Surv(rtime, recur) ~ age\", zph: true, baseline: true }\n"
              "  - { id: d, method: cox, formula: \"Surv(rtime, recur) ~ meno\", weights: { iptw: \"meno ~ "
              "grade\" } }\n"},
    {.study = "  - { id: a, method: cuminc, formula: \"Surv(rtime, factor(recur * 1 + (death && !recur) * 2, "
              "levels = c(0, 1, 2))) ~ meno\" }\n"},
};

static void every_method(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){.name = "methods",
                                          .policy = "policy: standard\nmin_contributors: 1\n",
                                          .deals = 1,
                                          .questions = methods,
                                          .n = sizeof methods / sizeof *methods});
}

/* Three sites: nothing is pooled but whole cohorts, each judges its own cells, and an officer decides. What
 * each judges holds in every deal. */
static const struct question few_sites[] = {
    {.study = "  - { id: x, method: count, by: [meno] }\n", .says = {"\"status\": \"ok\""}},
    {.study = "  - { id: x, method: count, cohort: \"age < 82\" }\n", .says = {"few"}},
    {.study = "  - { id: m, method: glm, family: gaussian, formula: \"nodes ~ age + meno\" }\n",
     .says = {"\"status\": \"ok\""}},
};

static void three_sites(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){.name = "three",
                                          .n_sites = 3,
                                          .deals = 1,
                                          .questions = few_sites,
                                          .n = sizeof few_sites / sizeof *few_sites});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_patients_dealt_otherwise),
        cmocka_unit_test(without_threshold_rounds),
        cmocka_unit_test(who_has_most_of_a_cell),
        cmocka_unit_test(every_method),
        cmocka_unit_test(three_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
