/* maille-worker policy check|explain: a policy file in words, and what a query of each method would meet
 * under it. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "disclosure/rule.h"
#include "proto/directory.h"
#include "query/yaml.h"
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
    "  - { name: fracture, type: boolean }\n"
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
    "  - { id: attrition, method: attrition, criteria: [treated, death] }\n"
    "  - { id: pathways, method: pathways, variables: [stage, treated] }\n"
    "  - { id: ttest, method: ttest, formula: \"age ~ treated\" }\n"
    "  - { id: anova, method: anova, formula: \"age ~ stage\" }\n"
    "  - { id: correlation, method: correlation, variables: [age, bmi] }\n"
    "  - { id: glm, method: glm, family: binomial, formula: \"death ~ age + stage\" }\n"
    "  - { id: gformula, method: gformula, family: binomial, treatment: treated, formula: \"death ~ treated "
    "+ "
    "age\" }\n"
    "  - { id: emulation, method: emulation, formula: \"Surv(time, death) ~ age\", treatment: treated, "
    "start: "
    "time, grace: [182.625], times: [365] }\n"
    "  - { id: km, method: km, formula: \"Surv(time, death) ~ treated\" }\n"
    "  - { id: logrank, method: logrank, formula: \"Surv(time, death) ~ treated\" }\n"
    "  - { id: cox, method: cox, formula: \"Surv(time, death) ~ age + treated\" }\n"
    "  - { id: cuminc, method: cuminc, formula: \"Surv(time, status) ~ treated\" }\n"
    "  - { id: finegray, method: finegray, formula: \"Surv(time, status) ~ age + treated\", cause: cancer }\n"
    "  - { id: meta, method: meta, model: { method: glm, formula: \"death ~ age + treated\", family: "
    "binomial }, term: treatedTRUE }\n"
    "  - { id: negative_controls, method: negative_controls, analysis: cox, controls: [other], term: "
    "treatedTRUE }\n"
    "  - { id: other, method: cox, formula: \"Surv(time, fracture) ~ age + treated\" }\n"
    "  - { id: rate, method: rate, formula: \"Surv(time, death) ~ treated\" }\n"
    "  - { id: smd, method: smd, treatment: treated, variables: [age, stage] }\n"
    "  - { id: table1, method: table1, variables: [age, stage], by: treated, smd: true, p: true }\n";

/* The text of the analysis's line in the sample, between the braces. */
static const char *sample_question(struct arena *arena, const char *id)
{
    const char *at = strstr(sample_study, arena_printf(arena, "{ id: %s,", id));
    const char *from = at != NULL ? strstr(at, "method: ") : NULL;
    const char *end = from != NULL ? strchr(from, '\n') : NULL;
    return end != NULL ? arena_strndup(arena, from, (size_t)(end - from) - 2) : "";
}

/* --- in words --- */

enum word {
    WORD_EVERY,
    WORD_EVERY_ANALYSIS,
    WORD_POOLED,
    WORD_LOCAL,
    WORD_INFERRED,
    WORD_EXAMPLE,
    WORD_AT_ONCE,
    WORD_OFFICER,
    WORDS
};

static const char *const words[WORDS][LANGUAGES] = {
    [WORD_EVERY] = {"Every study", "Toute étude"},
    [WORD_EVERY_ANALYSIS] = {"Every analysis", "Toute analyse"},
    [WORD_POOLED] =
        {"judged on the head counts of all sites together where five or more take part, else on this "
         "site's own",
         "jugée sur les effectifs de tous les sites réunis s'ils sont cinq ou plus, sinon sur ceux "
         "de ce seul site"},
    [WORD_LOCAL] = {"judged on this site's own head counts", "jugée sur les effectifs de ce seul site"},
    [WORD_INFERRED] =
        {"may show this site's own totals by the difference of two rosters",
         "peut révéler les totaux propres à ce site par différence entre deux groupes de sites"},
    [WORD_EXAMPLE] = {"e.g.", "p. ex."},
    [WORD_AT_ONCE] = {"answered at once", "réponse immédiate"},
    [WORD_OFFICER] = {"waits for the data protection officer",
                      "attend le délégué à la protection des données"},
};

static void put_line(const char *text, const char *code)
{
    printf("    %s (%s)\n", text, code);
}

/* What comes of a rule for the head counts that a method declares. */
static void explain_effects(const struct rule *rule, const struct cells *cells, enum language language)
{
    for (int counted = CELL_COHORT; cells != NULL && counted <= CELL_MERGE; counted++) {
        bool there = false;
        for (size_t b = 0; b < cells->spec.n_blocks; b++)
            there = there || (int)cells->rules[b] == counted;
        const char *text = there ? rule_effect(rule, counted + 1, language) : NULL;
        if (text != NULL)
            printf("        %s\n", text);
    }
}

static void explain_rule(struct arena *arena, const struct rule *rule, const struct rule_facts *facts,
                         enum language language)
{
    const char *demand = rule_demand(arena, rule, facts, language);
    const char *effect = rule_effect(rule, RULE_EVERYWHERE, language);
    if (demand == NULL)
        return;
    put_line(effect != NULL ? arena_printf(arena, "%s, %s", demand, effect) : demand, rule->code);
    explain_effects(rule, facts->cells, language);
}

/* What a policy asks of every analysis alike: then it is said once. */
static bool asked_alike(struct arena *arena, const struct rule *rule, const struct rule_facts *all, size_t n)
{
    const char *first = rule_demand(arena, rule, &all[0], LANGUAGE_EN);
    bool alike = rule_effect(rule, RULE_EVERYWHERE, LANGUAGE_EN) != NULL && first != NULL;
    for (size_t k = 1; k < n && alike; k++) {
        const char *other = rule_demand(arena, rule, &all[k], LANGUAGE_EN);
        alike = other != NULL && strcmp(first, other) == 0;
    }
    return alike;
}

/* The rules that are first looked at in one stage, of those that `wanted` holds. */
static void explain_rules(struct arena *arena, const struct rule_facts *facts, const bool *wanted,
                          enum language language)
{
    for (unsigned s = 0; s < RULE_STAGES; s++)
        for (size_t r = 0; r < rule_n_rows; r++)
            if (wanted[r] && (rule_rows[r].stages & ((2U << s) - 1)) == 1U << s)
                explain_rule(arena, &rule_rows[r], facts, language);
}

static void explain_every(struct arena *arena, const struct policy *policy, const struct rule_facts *all,
                          const bool *of_study, const bool *alike, enum language language)
{
    const struct rule_facts whole = {.policy = policy};
    printf("%s\n", words[WORD_EVERY][language]);
    put_line(words[policy->cell_rule == CELL_SCOPE_TOTAL ? WORD_POOLED : WORD_LOCAL][language], "cell_rule");
    explain_rules(arena, &whole, of_study, language);
    if (policy->own_totals == OWN_TOTALS_MAY_BE_INFERRED)
        put_line(words[WORD_INFERRED][language], "own_totals");
    printf("\n%s\n", words[WORD_EVERY_ANALYSIS][language]);
    explain_rules(arena, &(struct rule_facts){.policy = policy, .analysis = all[0].analysis}, alike,
                  language);
}

static bool method_answered(const struct policy *policy, const char *method)
{
    bool answered = policy->methods.all;
    for (size_t i = 0; i < policy->methods.n; i++)
        answered = answered || strcmp(policy->methods.names[i], method) == 0;
    return answered;
}

static void explain_method(struct arena *arena, const struct rule_facts *facts, const bool *wanted,
                           enum language language)
{
    const struct analysis *analysis = facts->analysis;
    printf("\n%s\n", analysis->method);
    if (!method_answered(facts->policy, analysis->method)) {
        put_line(rule_find("methods")->sentence[language], "methods");
        return;
    }
    printf("    %s %s\n", words[WORD_EXAMPLE][language], sample_question(arena, analysis->id));
    const bool held =
        policy_approval(facts->policy, analysis->method, analysis->study->purpose) == APPROVAL_HOLD;
    put_line(words[held ? WORD_OFFICER : WORD_AT_ONCE][language], "approval");
    explain_rules(arena, facts, wanted, language);
}

static enum maille_code explain(struct arena *arena, const struct policy *policy, enum language language,
                                struct maille_error *error)
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
    struct rule_facts *all = arena_array(arena, study->n_analyses, sizeof *all);
    bool *of_study = arena_array(arena, rule_n_rows, sizeof *of_study),
         *alike = arena_array(arena, rule_n_rows, sizeof *alike),
         *other = arena_array(arena, rule_n_rows, sizeof *other);
    for (size_t k = 0; k < study->n_analyses; k++) {
        struct cells *cells = arena_alloc(arena, sizeof *cells);
        MAILLE_TRY(method_cells(&study->analyses[k], arena, cells, error));
        all[k] = (struct rule_facts){.policy = policy, .analysis = &study->analyses[k], .cells = cells};
    }
    for (size_t r = 0; r < rule_n_rows; r++) {
        of_study[r] = rule_rows[r].of_study;
        alike[r] = !of_study[r] && asked_alike(arena, &rule_rows[r], all, study->n_analyses);
        other[r] = !of_study[r] && !alike[r];
    }
    explain_every(arena, policy, all, of_study, alike, language);
    for (size_t k = 0; k < study->n_analyses; k++)
        explain_method(arena, &all[k], other, language);
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

static enum maille_code check_dictionary(struct arena *arena, const struct policy *policy, const char *path,
                                         struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary;
    struct bytes text = {0};
    MAILLE_TRY(file_read(&text, path, YAML_BYTES_MAX, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, path, text.length > 0 ? (const char *)text.data : "",
                                text.length, error));
    code = policy_check_dictionary(policy, dictionary, error);
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code check_network(struct arena *arena, const struct policy *policy, const char *path,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *directory;
    struct bytes text = {0};
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(file_read(&text, path, DIRECTORY_BYTES_MAX, error));
    MAILLE_TRY(directory_accept(&directory, arena, path, text.length > 0 ? (const char *)text.data : "",
                                text.length, NULL, error));
    code = policy_check_purposes(policy, directory->purposes, directory->n_purposes, error);
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
    const char *lang = NULL, *dictionary = NULL, *network = NULL;
    enum language language = LANGUAGE_EN;
    const struct option_row all[] = {
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "en|fr",
         .sentence = "the language; else that of the environment"},
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &dictionary,
         .argument = "DICT.yaml",
         .sentence = "variables that the policy denies must be in it: another would deny nothing"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &network,
         .argument = "FILE",
         .sentence = "purposes that the policy names must be in it (network.yaml)"},
        {.name = NULL}};
    const struct option_row *rows = in_words ? all : &all[1];
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
    MAILLE_TRY(language_choose(&language, lang, &error));
    MAILLE_TRY(read_policy(&policy, arena, path, &error));
    if (dictionary != NULL)
        MAILLE_TRY(check_dictionary(arena, policy, dictionary, &error));
    if (network != NULL)
        MAILLE_TRY(check_network(arena, policy, network, &error));
    printf("%s: policy %s\n", path, policy_title(arena, policy));
    if (in_words) {
        printf("\n");
        MAILLE_TRY(explain(arena, policy, language, &error));
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
