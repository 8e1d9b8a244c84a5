/* maille check: parses and types a study, and shows what it will ask every site to add up. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/finding.h"
#include "base/options.h"
#include "cli/check_size.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "crypto/hash.h"
#include "base/number.h"
#include "disclosure/few.h"
#include "disclosure/gate.h"
#include "disclosure/rule.h"
#include "disclosure/threshold.h"
#include "query/words.h"
#include "query/yaml.h"
#include "stats/round.h"
#include "tally/describe.h"

/* One analysis and its first round; later rounds depend on totals. */
struct asked {
    const struct analysis *analysis;
    const char *cohort;  /* in words */
    const char *tallies; /* in words, a line each; NULL: cannot be asked, and problem says why */
    const char *problem;
    const char *held; /* why a person would decide on it; NULL: nobody, or no policy is known */
    size_t bytes;     /* from each site, masked */
};

static const char *words_of(struct arena *arena, const struct bytes *words)
{
    return arena_strndup(arena, words->length == 0 ? "" : (const char *)words->data, words->length);
}

static enum maille_code ask(struct asked *asked, size_t *n_bytes, const struct study *study,
                            struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct round_plan plan = {0};
    struct bytes words = {0};
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    struct vector *thetas = arena_array(arena, study->n_analyses + 1, sizeof *thetas);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    MAILLE_TRY(round_plan(&plan, study, open, thetas, NULL, 0, error));
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct analysis *analysis = &study->analyses[k];
        asked[k] =
            (struct asked){.analysis = analysis, .cohort = "everyone", .bytes = plan.analyses[k].bytes};
        words.length = 0;
        if (analysis->cohort != NULL) {
            expression_words(&words, analysis->cohort, study->dictionary);
            asked[k].cohort = words_of(arena, &words);
        }
        if (plan.analyses[k].error.code != MAILLE_OK) {
            asked[k].problem = arena_strdup(arena, plan.analyses[k].error.sentence);
            continue;
        }
        words.length = 0;
        tally_spec_words(&words, plan.analyses[k].spec, plan.analyses[k].extents, analysis->cohort,
                         study->dictionary, "    ");
        MAILLE_TRY(bytes_check(&words, error));
        asked[k].tallies = words_of(arena, &words);
    }
    *n_bytes = plan.bytes;
out:
    bytes_clear(&words);
    round_plan_clear(&plan);
    return code;
}

static void print_study(const struct study *study, const struct asked *asked, size_t n_bytes)
{
    char day[16];
    number_format_date(day, study->expires);
    printf("study %s: %s\n  dictionary %s@%lld, purpose %s, protocol %s, grid %s%s, missing %s, until %s\n",
           study->id, study->title, study->dictionary_name, (long long)study->dictionary_version,
           study->purpose, study->protocol, analysis_grid_name(study->grid),
           study->grid_by_default ? " (by default)" : "",
           study->missing == MISSING_STUDY ? "study" : "analysis", day);
    for (size_t k = 0; k < study->n_analyses; k++) {
        printf("\n%s (%s) of %s; round 1, %zu bytes from each site, masked:\n", asked[k].analysis->id,
               asked[k].analysis->method, asked[k].cohort, asked[k].bytes);
        if (asked[k].problem != NULL)
            printf("    cannot be asked: %s\n", asked[k].problem);
        else
            fputs(asked[k].tallies, stdout);
    }
    printf("\nround 1 in all: %zu bytes from each site\n", n_bytes);
}

/* --- for programs --- */

static void put_finding(struct json_put *to, struct arena *arena, const char *sentence)
{
    enum { TEXT_BYTES_MAX = 16 * 1024 * 1024 };
    struct finding finding;
    struct bytes text = {0};
    finding_of_sentence(&finding, arena, sentence, NULL, 0);
    if (finding.file != NULL && file_read(&text, finding.file, TEXT_BYTES_MAX, NULL) == MAILLE_OK)
        finding_of_sentence(&finding, arena, sentence, (const char *)text.data, text.length);
    finding_put(to, &finding);
    bytes_clear(&text);
}

/* study and asked are NULL where the study cannot be read: problems says why. */
static enum maille_code print_json(const char *path, const struct study *study, const struct asked *asked,
                                   size_t n_bytes, const struct study_problems *problems, struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes out = {0};
    struct json_put to = {.out = &out, .lines = true};
    json_put_object(&to, NULL);
    json_put_boolean(&to, "valid", problems->n == 0);
    json_put_text(&to, "file", path);
    json_put_list(&to, "findings");
    for (size_t i = 0; i < problems->n; i++)
        put_finding(&to, arena, problems->sentences[i]);
    json_put_end(&to);
    if (asked != NULL) {
        json_put_text(&to, "study", study->id);
        json_put_integer(&to, "bytes", (int64_t)n_bytes);
        json_put_list(&to, "analyses");
        for (size_t k = 0; k < study->n_analyses; k++) {
            json_put_object(&to, NULL);
            json_put_text(&to, "id", asked[k].analysis->id);
            json_put_text(&to, "method", asked[k].analysis->method);
            json_put_text(&to, "cohort", asked[k].cohort);
            json_put_integer(&to, "bytes", (int64_t)asked[k].bytes);
            json_put_text(&to, "tallies", asked[k].tallies);
            json_put_text(&to, "held", asked[k].held);
            json_put_end(&to);
        }
        json_put_end(&to);
    }
    json_put_end(&to);
    bytes_put_u8(&out, '\n');
    MAILLE_TRY(bytes_check(&out, error));
    fwrite(out.data, 1, out.length, stdout);
out:
    bytes_clear(&out);
    return code;
}

static void note(struct study_problems *problems, const char *sentence)
{
    if (problems->n < STUDY_PROBLEMS_MAX)
        problems->sentences[problems->n++] = sentence;
}

/* What is known of a network beside a policy. */
struct told {
    const char *whose;                 /* "the policy", "the network's floor" */
    const struct directory *directory; /* NULL: none */
    size_t n_without;                  /* sites that have no officer */
};

/* Held, or refused, by what is public. */
static void judge_analysis(struct asked *asked, const struct policy *policy, const struct told *told,
                           const struct verdict *verdict, struct study_problems *problems, bool print,
                           struct arena *arena, const char *path)
{
    const struct analysis *a = asked->analysis;
    const struct rule *rule = rule_find(verdict->held[0] != '\0' ? "cuts" : verdict->rule);
    const char *can = rule != NULL ? rule->remedy[LANGUAGE_EN] : "";
    const char *refused = arena_printf(arena, "%s:%d: analysis %s: expected a question that %s answers", path,
                                       a->line, a->id, told->whose);
    if (verdict->rule[0] != '\0') {
        note(problems, arena_printf(arena, "%s, found a refusal (%s): %s; %s", refused, verdict->rule,
                                    verdict->sentence, can));
    } else if (verdict->held[0] != '\0' && told->n_without > 0) {
        note(problems,
             arena_printf(arena, "%s, found that a site without an officer refuses it (cuts): %s; %s",
                          refused, verdict->held, can));
    } else if (verdict->held[0] != '\0') {
        asked->held = arena_printf(arena, "cuts: %s; %s", verdict->held, can);
    } else if (policy_approval(policy, a->method, a->study->purpose) == APPROVAL_HOLD) {
        asked->held = "approval: every such question waits for the officer";
    }
    if (print && asked->held != NULL && verdict->rule[0] == '\0')
        printf("%s: held by %s until an officer approves (%s)\n", a->id, told->whose, asked->held);
}

/* What a policy says of the study before anything is counted: refused or held analyses. */
static enum maille_code judge(const struct policy *policy, const struct told *told, const struct study *study,
                              struct asked *asked, struct study_problems *problems, bool print,
                              struct arena *arena, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct policy anybody = *policy;
    struct verdict *verdicts = arena_array(arena, study->n_analyses + 1, sizeof *verdicts);
    struct round_plan plan = {0};
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    struct vector *thetas = arena_array(arena, study->n_analyses + 1, sizeof *thetas);
    const struct variable_cuts *registered = NULL;
    size_t n_registered = 0;
    if (told->directory != NULL)
        n_registered = registration_cuts_of(
            &registered, arena, registration_find(told->directory, study->protocol), study->dictionary);
    anybody.researchers.all = true; /* who asks is not known here */
    code = gate_question(verdicts, &anybody, study, "", error);
    if (code == MAILLE_REFUSED) {
        note(problems,
             arena_printf(arena, "%s:1:1: expected a study that %s accepts, found a refusal (%s): %s", path,
                          told->whose, error->rule, error->sentence));
        return MAILLE_OK;
    }
    MAILLE_TRY(code);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    MAILLE_TRY(round_plan(&plan, study, open, thetas, NULL, 0, error));
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct analysis *a = &study->analyses[k];
        struct cells *cells = arena_alloc(arena, sizeof *cells);
        if (plan.analyses[k].error.code != MAILLE_OK)
            continue;
        MAILLE_TRY(method_cells(a, arena, cells, error));
        gate_cells(&verdicts[k], policy, a, cells);
        gate_cuts(&verdicts[k], policy, a, cells, registered, n_registered, true);
        MAILLE_TRY(gate_domain(&verdicts[k], policy, plan.analyses[k].spec, error));
        judge_analysis(&asked[k], policy, told, &verdicts[k], problems, print, arena, path);
    }
out:
    round_plan_clear(&plan);
    return code;
}

static void hash_words(uint8_t out[FEW_HASH_BYTES], const uint8_t *data, size_t length)
{
    struct digest digest;
    hash_bytes(&digest, data, length);
    memcpy(out, digest.b, FEW_HASH_BYTES);
}

/* How much counts against the registration where its patients are few, in the worst case. */
static enum maille_code print_few(const struct policy *policy, const struct study *study, size_t n_sites,
                                  struct arena *arena, struct maille_error *error)
{
    struct threshold threshold = {0};
    size_t most = 0;
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    if (policy->budget_registration_few == POLICY_OFF || n_sites == 0 || !threshold_needed(policy))
        return MAILLE_OK;
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    enum maille_code code = threshold_init(&threshold, study, open, policy, n_sites, NULL, 0, error);
    if (code == MAILLE_OK)
        code = few_most(&most, &threshold, hash_words, error);
    if (code == MAILLE_OK)
        printf("at most %zu of the %g groups withheld for few patients at which the registration is closed: "
               "each counts once, whatever is asked of it\n",
               most, policy->budget_registration_few);
    threshold_clear(&threshold);
    return code == MAILLE_INVALID ? MAILLE_OK : code; /* too large: said elsewhere */
}

/* What the study would take of a registration's budget, where nothing of it was asked before. */
static enum maille_code print_cost(const struct policy *policy, const struct registration *registration,
                                   const struct study *study, size_t n_sites, struct arena *arena,
                                   struct maille_error *error)
{
    size_t n_models = 0;
    for (size_t k = 0; k < study->n_analyses; k++)
        n_models += study->analyses[k].declared->is_model;
    const double budgets[] = {policy->budget_registration_tables, policy->budget_registration_models};
    const int64_t signed_budgets[] = {registration->budget_tables, registration->budget_models};
    const size_t n[] = {study->n_analyses - n_models, n_models};
    for (int m = 0; m < 2; m++) {
        double budget = budgets[m];
        if (signed_budgets[m] != REGISTRATION_NO_BUDGET &&
            (budget == POLICY_OFF || (double)signed_budgets[m] < budget))
            budget = (double)signed_budgets[m];
        if (budget != POLICY_OFF)
            printf("at most %zu of %g %s of the registration: what was asked before costs nothing again\n",
                   n[m], budget, m == 0 ? "tables" : "models");
    }
    return print_few(policy, study, n_sites, arena, error);
}

/* What is too large for n_sites (0: not known how many). told: the caller said how many. */
static enum maille_code judge_size(const struct policy *policy, size_t n_sites, bool told,
                                   const struct study *study, struct study_problems *problems, bool print,
                                   struct arena *arena, const char *path, struct maille_error *error)
{
    struct check_size size = {0};
    /* Where all data are public the sites exchange nothing. */
    const bool exchanged = told || (policy != NULL && threshold_needed(policy));
    if (n_sites == 0)
        return MAILLE_OK;
    enum maille_code code = cli_check_size(&size, study, policy, n_sites, path, arena, error);
    for (size_t i = 0; code == MAILLE_OK && i < size.n; i++) {
        if (size.findings[i].sure && exchanged)
            note(problems, size.findings[i].sentence);
        else if (print)
            printf("refused unless the head counts join steps of it, or all data are public: %s\n",
                   size.findings[i].sentence);
    }
    return code;
}

/* What every site will say of the study's registration. Who will ask is not known here. */
static void judge_registration(const struct directory *directory, const struct study *study,
                               struct study_problems *problems, bool print, struct arena *arena,
                               const char *path)
{
    const char *faults[REGISTRATION_FAULTS_MAX];
    const struct registration *registration = registration_find(directory, study->protocol);
    const size_t n = registration_faults(faults, arena, directory, study, NULL, clock_utc_ms());
    for (size_t i = 0; i < n; i++)
        note(problems, arena_printf(arena, "%s:1:1: %s", path, faults[i]));
    if (print && registration != NULL && n == 0)
        printf("\nwithin the registration %s: %s\n", registration->id, registration->title);
}

/* Sites that are asked and have nobody to decide. */
static size_t without_officer(const struct directory *directory, const struct study *study)
{
    size_t n = 0;
    for (size_t s = 0; s < directory->n_sites; s++) {
        bool asked = study->all_sites;
        for (size_t k = 0; k < study->n_sites; k++)
            asked = asked || strcmp(study->sites[k], directory->sites[s].name) == 0;
        n += asked && !directory->sites[s].has_dpo;
    }
    return n;
}

static enum maille_code judge_all(const char *policy_path, const char *network, uint64_t n_sites,
                                  const struct study *study, struct asked *asked,
                                  struct study_problems *problems, bool print, struct arena *arena,
                                  const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct policy *policy = NULL;
    const bool told = n_sites > 0;
    const struct directory *directory = NULL;
    struct bytes text = {0};
    if (network != NULL)
        MAILLE_TRY(cli_read_network(&directory, arena, network, error));
    const struct told about = {.whose = "the policy",
                               .directory = directory,
                               .n_without = directory != NULL ? without_officer(directory, study) : 0};
    if (policy_path != NULL) {
        MAILLE_TRY(file_read(&text, policy_path, YAML_BYTES_MAX, error));
        MAILLE_TRY(policy_parse(&policy, arena, policy_path, (const char *)text.data, text.length, error));
        MAILLE_TRY(judge(policy, &about, study, asked, problems, print, arena, path, error));
    }
    if (directory != NULL) {
        for (size_t k = 0; k < study->n_sites; k++)
            if (directory_site_named(directory, study->sites[k]) == NULL)
                note(problems, arena_printf(arena, "%s:1:1: expected a site of the network %s, found `%s`",
                                            path, directory->network, study->sites[k]));
        if (!told)
            n_sites = study->all_sites ? directory->n_sites : study->n_sites;
        judge_registration(directory, study, problems, print, arena, path);
        if (directory->floor != NULL) {
            struct told floor = about;
            const struct policy *own = policy;
            floor.whose = "the network's floor";
            MAILLE_TRY(policy_parse(&policy, arena, "the network's floor", directory->floor,
                                    strlen(directory->floor), error));
            MAILLE_TRY(judge(policy, &floor, study, asked, problems, print, arena, path, error));
            if (own != NULL)
                MAILLE_TRY(policy_with_floor(&policy, arena, own, policy));
        }
        const struct registration *registration = registration_find(directory, study->protocol);
        if (print && policy != NULL && registration != NULL)
            MAILLE_TRY(print_cost(policy, registration, study, n_sites, arena, error));
    }
    if (!told && n_sites == 0 && !study->all_sites)
        n_sites = study->n_sites;
    MAILLE_TRY(judge_size(policy, n_sites, told, study, problems, print, arena, path, error));
out:
    bytes_clear(&text);
    return code;
}

int cli_check(int argc, char **argv)
{
    const char *dictionary_path = NULL, *path = NULL, *policy = NULL, *network = NULL;
    struct study_problems problems = {.today = (int32_t)(time(NULL) / 86400)};
    bool done = false, json = false;
    uint64_t sites = 0;
    size_t n, n_bytes = 0;
    const struct option_row rows[] = {
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &dictionary_path,
         .argument = "FILE",
         .sentence = "the data dictionary; looked for beside the study if absent"},
        {.name = "policy",
         .kind = OPTION_STRING,
         .target = &policy,
         .argument = "FILE",
         .sentence = "say which analyses a site with this policy would refuse or hold"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &network,
         .argument = "network.yaml",
         .sentence = "say whether the network has registered the study, and which analyses its floor would "
                     "refuse or hold"},
        {.name = "sites",
         .kind = OPTION_UNSIGNED,
         .target = &sites,
         .argument = "N",
         .min = 3,
         .max = 1024,
         .sentence = "say what is too large for so many sites to exchange; those of the network if absent"},
        {.name = "json",
         .kind = OPTION_FLAG,
         .target = &json,
         .sentence = "findings and tallies as JSON on standard output (docs/CLI.md)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille check", "STUDY.yaml",
        "Parses and types a study and shows the tallies that it will ask for. Nothing is sent.", 1, 1};
    struct maille_error error = {0};
    const struct study *study = NULL;
    const struct dictionary *dictionary;
    struct asked *asked = NULL;
    bool as_json = false; /* once the command line is known to be right */
    struct arena *arena = arena_new();
    enum maille_code code =
        arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none") : MAILLE_OK;
    if (code == MAILLE_OK)
        code = options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    as_json = json;
    code = cli_read_study(&study, &dictionary, &problems, arena, path, dictionary_path,
                          network == NULL ? NULL : cli_folder_of(arena, network), NULL, &error);
    if (code != MAILLE_OK)
        goto out;
    struct asked *each = arena_array(arena, study->n_analyses, sizeof *each);
    MAILLE_TRY(ask(each, &n_bytes, study, arena, &error));
    asked = each;
    if (!json)
        print_study(study, asked, n_bytes);
    for (size_t k = 0; k < study->n_analyses; k++)
        if (asked[k].problem != NULL)
            note(&problems, arena_printf(arena, "%s:%d: analysis %s: %s", path, asked[k].analysis->line,
                                         asked[k].analysis->id, asked[k].problem));
    MAILLE_TRY(judge_all(policy, network, sites, study, asked, &problems, !json, arena, path, &error));
    if (problems.n > 0)
        code = maille_fail(&error, MAILLE_INVALID, "%s", problems.sentences[0]);
out:
    if (code != MAILLE_OK && problems.n == 0)
        note(&problems, error.sentence);
    if (as_json) {
        struct maille_error writing = {0};
        const enum maille_code written = print_json(path, study, asked, n_bytes, &problems, arena, &writing);
        if (written != MAILLE_OK) {
            code = written;
            options_program_fail("maille check", &writing);
        }
    } else if (code != MAILLE_OK) {
        for (size_t i = 0; i < problems.n; i++)
            fprintf(stderr, "maille check: %s\n", problems.sentences[i]);
    }
    arena_free(arena);
    return maille_exit_status(code);
}
