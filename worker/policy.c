/* maille-worker policy check|explain: a policy file in words, and what a query of each method would meet
 * under it. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "disclosure/policy.h"
#include "stats/methods.h"
#include "worker/commands.h"

enum { POLICY_TEXT_MAX = 1024 * 1024 };

/* One question of each method over a small dictionary: the head counts that a method declares for it are what
 * the rules apply to. */
static const char sample_dictionary[] =
    "dictionary: sample\n"
    "version: 1\n"
    "key: patient\n"
    "variables:\n"
    "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
    "  - { name: bmi, type: real, units: kg/m2, min: 10, max: 80, resolution: 1 }\n"
    "  - { name: stage, type: category, levels: [\"1\", \"2\", \"3\"] }\n"
    "  - { name: treated, type: boolean }\n"
    "  - { name: time, type: duration, units: days, min: 0, max: 3650 }\n"
    "  - { name: death, type: boolean }\n"
    "  - { name: status, type: category, levels: [\"alive\", \"cancer\", \"other\"] }\n";
static const char sample_study[] =
    "study: sample\n"
    "dictionary: sample@1\n"
    "title: one question of each method\n"
    "purpose: sample\n"
    "legal_basis: none\n"
    "protocol: none\n"
    "expires: 2100-01-01\n"
    "sites: all\n"
    "missing: study\n"
    "analyses:\n"
    "  - { id: count, method: count, variables: [stage] }\n"
    "  - { id: describe, method: describe, variables: [age, stage], by: treated }\n"
    "  - { id: quantile, method: quantile, variable: age, probs: [0.25, 0.5, 0.75] }\n"
    "  - { id: histogram, method: histogram, variable: age, width: 10 }\n"
    "  - { id: crosstab, method: crosstab, variables: [stage, treated] }\n"
    "  - { id: ttest, method: ttest, formula: \"age ~ treated\" }\n"
    "  - { id: anova, method: anova, formula: \"age ~ stage\" }\n"
    "  - { id: correlation, method: correlation, variables: [age, bmi] }\n"
    "  - { id: glm, method: glm, family: binomial, formula: \"death ~ age + stage\" }\n"
    "  - { id: km, method: km, formula: \"Surv(time, death) ~ treated\" }\n"
    "  - { id: logrank, method: logrank, formula: \"Surv(time, death) ~ treated\" }\n"
    "  - { id: cox, method: cox, formula: \"Surv(time, death) ~ age + treated\" }\n"
    "  - { id: cuminc, method: cuminc, formula: \"Surv(time, status) ~ treated\" }\n"
    "  - { id: finegray, method: finegray, formula: \"Surv(time, status) ~ age + treated\", cause: cancer }\n"
    "  - { id: meta, method: meta, model: { method: glm, formula: \"death ~ age + treated\", family: "
    "binomial }, term: treatedTRUE }\n"
    "  - { id: smd, method: smd, treatment: treated, variables: [age, stage] }\n";

/* The text of the analysis's line in the sample, between the braces. */
static const char *sample_question(struct arena *arena, const char *id)
{
    const char *at = strstr(sample_study, arena_printf(arena, "{ id: %s,", id));
    const char *from = at != NULL ? strstr(at, "method: ") : NULL;
    const char *end = from != NULL ? strchr(from, '\n') : NULL;
    return end != NULL ? arena_strndup(arena, from, (size_t)(end - from) - 2) : "";
}

static const char *names_of(struct arena *arena, const struct name_list *list, const char *none)
{
    const char *text = "";
    if (list->all)
        return "all";
    for (size_t i = 0; i < list->n; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", list->names[i]);
    return list->n == 0 ? none : text;
}

static void explain_every(struct arena *arena, const struct policy *policy)
{
    printf("Every query\n");
    printf("  needs %.0f sites with data in its roster (min_sites)\n", policy->min_sites);
    printf("  is asked for a purpose of: %s (purposes)\n", names_of(arena, &policy->purposes, "none"));
    printf("  is asked by: %s (researchers)\n", names_of(arena, &policy->researchers, "nobody"));
    printf("  may not read: %s (variables.deny)\n",
           names_of(arena, &policy->variables_deny, "nothing is denied"));
    if (policy->cell_rule == CELL_SCOPE_TOTAL)
        printf("  is judged on pooled counts where 5 sites or more take part, else on this site's own "
               "(cell_rule total)\n");
    else
        printf("  is judged on this site's own counts (cell_rule local)\n");
    if (policy->differencing != POLICY_OFF)
        printf("  is refused where its patients differ from an earlier answered group by 1 to %.0f "
               "(differencing)\n",
               policy->differencing - 1);
    if (policy->budget_tables != POLICY_OFF)
        printf("  counts: %.0f tables per protocol, researcher and snapshot (budget.tables)\n",
               policy->budget_tables);
    if (policy->budget_models != POLICY_OFF)
        printf("  counts: %.0f models per protocol, researcher and snapshot (budget.models)\n",
               policy->budget_models);
    printf("  %s\n",
           policy->own_totals == OWN_TOTALS_SHIELDED
               ? "is refused where its roster differs by this site from an earlier one (own_totals shielded)"
               : "may show this site's own totals by the difference of two rosters (own_totals "
                 "may_be_inferred)");
    if (strcmp(policy->preset, "open") == 0)
        printf("  runs only on a snapshot that was imported with --public (policy open)\n");
    else
        printf("  is refused where a logarithm, root or division is not defined for every value of the "
               "dictionary (domain_bounds)\n"
               "  is refused where what it computes could be large for few patients and small for all others "
               "(arithmetic)\n");
}

static bool has_rule(const struct cells *cells, enum cell_rule rule)
{
    for (size_t b = 0; b < cells->spec.n_blocks; b++)
        if (cells->rules[b] == rule)
            return true;
    return false;
}

static void explain_share(const struct policy *policy, const char *of)
{
    if (policy->max_site_share < 1)
        printf("    %s of which one site holds more than %g %% %s (max_site_share)\n", of,
               100 * policy->max_site_share, "fails likewise");
    if (policy->min_contributors > 1)
        printf("    %s with patients from fewer than %.0f sites fails likewise (min_contributors)\n", of,
               policy->min_contributors);
}

static void explain_cells(const struct policy *policy, const struct cells *cells)
{
    if (policy->min_patients > 1)
        printf("    fewer than %.0f patients: refused (min_patients)\n", policy->min_patients);
    if (cells->n_parameters > 0 && policy->max_parameter_share < 1)
        printf("    more than %g parameters a patient: refused (max_parameter_share)\n",
               policy->max_parameter_share);
    if (has_rule(cells, CELL_TABLE) && policy->min_cell > 1) {
        printf("    a cell of 1 to %.0f patients is suppressed, and with it others that would give it away "
               "(min_cell)\n",
               policy->min_cell - 1);
        explain_share(policy, "a cell");
    }
    if (has_rule(cells, CELL_PATIENTS) && policy->min_cell > 1) {
        printf("    a group or level of 1 to %.0f patients: refused (min_cell)\n", policy->min_cell - 1);
        explain_share(policy, "a group");
    }
    if ((has_rule(cells, CELL_MISSING) || has_rule(cells, CELL_OUTSIDE)) && policy->min_cell > 1)
        printf("    a number of missing values of 1 to %.0f is suppressed (min_cell)\n",
               policy->min_cell - 1);
    if (has_rule(cells, CELL_EVENTS) && policy->min_events > 1)
        printf("    a group or level with 1 to %.0f events: refused (min_events)\n", policy->min_events - 1);
    if (has_rule(cells, CELL_AT_RISK) && policy->min_cell > 1)
        printf("    a curve ends where fewer than %.0f are at risk (min_cell)\n", policy->min_cell);
    if (has_rule(cells, CELL_MERGE) && policy->min_cell > 1)
        printf("    neighbouring bins are merged until each holds %.0f (min_cell)\n", policy->min_cell);
    for (size_t b = 0; b < cells->spec.n_blocks; b++)
        if (cells->tail[b] > 0 && policy->min_tail > 1) {
            printf("    fewer than %.0f patients beyond a quantile: refused (min_tail)\n", policy->min_tail);
            break;
        }
    if (cells->grid_days > 0)
        printf("    times finer than by %s: refused, never coarsened (finest_grid)\n",
               analysis_grid_name(policy->finest_grid));
}

static void explain_model(const struct policy *policy)
{
    if (policy->missing == MISSING_STUDY)
        printf("    `missing: study` is wanted where a study has two models (missing)\n");
    if (policy->min_ess_share != POLICY_OFF)
        printf("    weights of which a site's effective sample is below %g %% of its patients: refused "
               "(min_ess_share)\n",
               100 * policy->min_ess_share);
    if (policy->max_scalar_share != POLICY_OFF)
        printf("    more than %g released numbers a patient, over all rounds: refused (max_scalar_share)\n",
               policy->max_scalar_share);
    printf("    a linear predictor beyond 30: refused (theta)\n");
}

static enum maille_code explain_method(struct arena *arena, const struct policy *policy,
                                       const struct study *study, size_t k, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct analysis *analysis = &study->analyses[k];
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    bool answered = policy->methods.all;
    for (size_t i = 0; i < policy->methods.n; i++)
        answered = answered || strcmp(policy->methods.names[i], analysis->method) == 0;
    printf("\n%s\n", analysis->method);
    if (!answered) {
        printf("    refused (methods)\n");
        return MAILLE_OK;
    }
    printf("    e.g. %s\n", sample_question(arena, analysis->id));
    printf("    %s (approval)\n", policy_approval(policy, analysis->method, study->purpose) == APPROVAL_HOLD
                                      ? "waits for the officer"
                                      : "answered at once");
    MAILLE_TRY(method_find(analysis->method)->cells(analysis, arena, cells, error));
    explain_cells(policy, cells);
    if (analysis->declared->is_model)
        explain_model(policy);
out:
    return code;
}

static enum maille_code explain(struct arena *arena, const struct policy *policy, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary;
    const struct study *study;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    MAILLE_TRY(dictionary_parse(&dictionary, arena, "the sample dictionary", sample_dictionary,
                                sizeof sample_dictionary - 1, error));
    MAILLE_TRY(study_parse(&study, arena, dictionary, methods, n_methods, "the sample study", sample_study,
                           sizeof sample_study - 1, error));
    explain_every(arena, policy);
    for (size_t k = 0; k < study->n_analyses; k++)
        MAILLE_TRY(explain_method(arena, policy, study, k, error));
out:
    return code;
}

static enum maille_code read_policy(const struct policy **policy, struct arena *arena, const char *path,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    MAILLE_TRY(file_read(&text, path, POLICY_TEXT_MAX, error));
    const char *copy = arena_strndup(arena, text.length > 0 ? (const char *)text.data : "", text.length);
    MAILLE_TRY(policy_parse(policy, arena, path, copy, text.length, error));
out:
    bytes_clear(&text);
    return code;
}

static int policy_main(int argc, char **argv, bool in_words)
{
    struct maille_error error = {0};
    const struct policy *policy = NULL;
    const char *path = NULL;
    bool done = false;
    size_t n = 0;
    struct arena *arena = arena_new();
    const struct option_row rows[] = {{.name = NULL}};
    const struct option_usage usage = {
        .program = in_words ? "maille-worker policy explain" : "maille-worker policy check",
        .positional = "POLICY",
        .sentence = in_words
                        ? "Says in words what a query of each method would meet under a policy file.\n"
                          "The network's floor, in its signed directory, may be stricter: then that holds."
                        : "Reads a policy file; an unknown key, a value out of range or a contradiction is "
                          "told with its line.",
        .min_positional = 1,
        .max_positional = 1};
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(read_policy(&policy, arena, path, &error));
    printf("%s: policy %s\n", path, policy->preset);
    if (in_words) {
        printf("\n");
        MAILLE_TRY(explain(arena, policy, &error));
    }
out:
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}

static int policy_check(int argc, char **argv)
{
    return policy_main(argc, argv, false);
}

static int policy_explain(int argc, char **argv)
{
    return policy_main(argc, argv, true);
}

int worker_policy(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"check", policy_check, "read a policy file and tell what is wrong with it"},
        {"explain", policy_explain, "say in words what a query of each method would meet"},
        {NULL, NULL, NULL},
    };
    return options_subcommands_run("maille-worker policy",
                                   "The policy of a site: what it refuses, whoever asks.", table, argc, argv);
}
