/* maille-worker preview: exactly what a study would take from this site in its first round, before it is
 * masked. It runs beside the worker, over the newest snapshot, and sends nothing. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "audit/access.h"
#include "base/file.h"
#include "base/options.h"
#include "disclosure/gate.h"
#include "query/words.h"
#include "tally/describe.h"
#include "worker/commands.h"
#include "worker/data.h"
#include "vault/spool.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024, THREADS_DEFAULT = 0 };

struct preview_command {
    const char *dir;
    uint64_t lines;
};

static enum maille_code read_text(const char **text, size_t *length, struct arena *arena, const char *path,
                                  struct maille_error *error)
{
    struct bytes bytes = {0};
    enum maille_code code = file_read(&bytes, path, TEXT_BYTES_MAX, error);
    if (code == MAILLE_OK) {
        *text = arena_strndup(arena, bytes.length > 0 ? (const char *)bytes.data : "", bytes.length);
        *length = bytes.length;
    }
    bytes_clear(&bytes);
    return code;
}

/* The study in a file, or of a query that waits, whose text is at the end of what the officer was asked. */
static enum maille_code find_study(const char **text, size_t *length, const char **name, struct arena *arena,
                                   const char *dir, const char *asked, struct maille_error *error)
{
    static const char mark[] = "\nthe study as it was signed:\n";
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    struct bytes pending = {0};
    size_t n = 0;
    *name = asked;
    if (file_exists(asked))
        return read_text(text, length, arena, asked, error);
    MAILLE_TRY(spool_list(&qids, &n, arena, dir, error));
    for (size_t i = 0; i < n; i++) {
        char hex[2 * QID_BYTES + 1];
        bytes_to_hex(hex, qids[i], QID_BYTES);
        if (strncmp(hex, asked, strlen(asked)) != 0)
            continue;
        MAILLE_TRY(spool_pending(&pending, dir, qids[i], error));
        const uint8_t *at = memmem(pending.data, pending.length, mark, sizeof mark - 1);
        if (at != NULL) {
            at += sizeof mark - 1;
            *length = pending.length - (size_t)(at - pending.data) - 1;
            *text = arena_strndup(arena, (const char *)at, *length);
            goto out;
        }
    }
    code = maille_fail(error, MAILLE_INVALID,
                       "expected a study file, or the id of a study that waits, found neither: %s", asked);
out:
    bytes_clear(&pending);
    return code;
}

static void print_analysis(const struct preview_command *command, const struct study *study, size_t k,
                           const struct round_plan *plan, const struct verdict *verdict,
                           const struct data_round *sums)
{
    const struct analysis *analysis = &study->analyses[k];
    struct bytes words = {0};
    if (analysis->cohort != NULL)
        expression_words(&words, analysis->cohort, study->dictionary);
    else
        bytes_put(&words, "everyone", 8);
    printf("\n%s (%s) of %.*s\n", analysis->id, analysis->method, (int)words.length,
           (const char *)words.data);
    words.length = 0;
    if (verdict->rule[0] != '\0')
        printf("    would be refused: %s: %s\n", verdict->rule, verdict->sentence);
    else if (sums->failures[k].rule[0] != '\0')
        printf("    cannot be counted here: %s\n", sums->failures[k].sentence);
    else if (plan->analyses[k].error.code != MAILLE_OK)
        printf("    cannot be asked: %s\n", plan->analyses[k].error.sentence);
    else {
        tally_numbers_words(&words, plan->analyses[k].spec, plan->analyses[k].extents,
                            sums->words.words.data + plan->analyses[k].offset, analysis->cohort,
                            study->dictionary, "    ", (size_t)command->lines);
        printf("%.*s", (int)words.length, (const char *)words.data);
    }
    bytes_clear(&words);
}

/* What can be said before other sites are asked: the rules on the question itself. */
static enum maille_code judge(struct verdict *verdicts, const struct policy *policy,
                              const struct study *study, const struct round_plan *plan,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error why = {0};
    struct policy anybody = *policy; /* who will ask is not known yet */
    anybody.researchers.all = true;
    code = gate_question(verdicts, &anybody, study, "", &why);
    if (code == MAILLE_REFUSED) {
        printf("the whole study would be refused: %s: %s\n", why.rule, why.sentence);
        return MAILLE_OK;
    }
    for (size_t k = 0; k < study->n_analyses && code == MAILLE_OK; k++)
        if (plan->analyses[k].spec != NULL)
            code = gate_domain(&verdicts[k], policy, plan->analyses[k].spec, &why);
    if (code != MAILLE_OK)
        *error = why;
    return code;
}

static enum maille_code preview(const struct preview_command *command, const char *asked,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data *data = NULL;
    struct data_facts facts;
    struct round_plan plan = {0};
    struct data_round sums = {0};
    const struct policy *policy;
    const struct dictionary *dictionary;
    const struct study *study;
    const char *text = NULL, *name = NULL, *policy_text = NULL;
    char folder[PATH_MAX], path[PATH_MAX];
    size_t length = 0, policy_length = 0, n_methods = 0;
    const struct query_method *methods = methods_declared(&n_methods);
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(file_path_join(path, sizeof path, command->dir, "policy.yaml", error));
    MAILLE_TRY(read_text(&policy_text, &policy_length, arena, path, error));
    MAILLE_TRY(policy_parse(&policy, arena, arena_strdup(arena, path), policy_text, policy_length, error));
    MAILLE_TRY(file_path_join(folder, sizeof folder, command->dir, "snapshots", error));
    MAILLE_TRY(data_open(&data, folder, THREADS_DEFAULT, error));
    struct data_source source = data_local(data);
    MAILLE_TRY(source.facts(source.context, &facts, 0, arena, error));
    MAILLE_TRY(find_study(&text, &length, &name, arena, command->dir, asked, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, "the snapshot's dictionary", facts.dictionary,
                                facts.dictionary_length, error));
    MAILLE_TRY(policy_check_dictionary(policy, dictionary, error));
    MAILLE_TRY(study_parse(&study, arena, dictionary, methods, n_methods, name, text, length, error));
    for (size_t k = 0; k < study->n_analyses; k++)
        if (method_find(study->analyses[k].method)->check != NULL)
            MAILLE_TRY(method_find(study->analyses[k].method)->check(&study->analyses[k], error));
    MAILLE_TRY(
        audit_access_leave(command->dir, arena_printf(arena, "preview of study %s", study->id), error));
    printf("study %s: %s\npurpose %s, legal basis %s, protocol %s\nsnapshot %u, policy %s; nothing is sent\n",
           study->id, study->title, study->purpose, study->legal_basis, study->protocol, facts.number,
           policy_title(arena, policy));
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    struct vector *none = arena_array(arena, study->n_analyses + 1, sizeof *none);
    struct verdict *verdicts = arena_array(arena, study->n_analyses + 1, sizeof *verdicts);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    MAILLE_TRY(round_plan(&plan, study, open, none, NULL, 0, error));
    MAILLE_TRY(judge(verdicts, policy, study, &plan, error));
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = plan.analyses[k].error.code == MAILLE_OK && verdicts[k].rule[0] == '\0';
    round_plan_clear(&plan);
    MAILLE_TRY(round_plan(&plan, study, open, none, NULL, 0, error));
    MAILLE_TRY(source.round(source.context, &sums, facts.number, study, open, none, NULL, error));
    for (size_t k = 0; k < study->n_analyses; k++)
        print_analysis(command, study, k, &plan, &verdicts[k], &sums);
    printf("\nfirst round: %zu bytes, masked before they leave. What the pooled thresholds suppress leaves "
           "as 0;\n"
           "further rounds of a model depend on the totals of the round before and are in the message log.\n",
           plan.bytes);
out:
    data_round_clear(&sums);
    round_plan_clear(&plan);
    data_free(data);
    arena_free(arena);
    return code;
}

int worker_preview(int argc, char **argv)
{
    struct maille_error error = {0};
    struct preview_command command = {.lines = 40};
    const char *asked = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &command.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "lines",
         .kind = OPTION_UNSIGNED,
         .target = &command.lines,
         .argument = "N",
         .sentence = "numbers shown of each block (default: 40)",
         .min = 1,
         .max = 1000000000},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker preview",
                                       .positional = "STUDY.yaml|ID",
                                       .sentence = "Shows exactly what a study, or one that waits, would "
                                                   "take from this site in its first round, in clear,\n"
                                                   "for the site's own eyes. Nothing is sent.",
                                       .min_positional = 1,
                                       .max_positional = 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &asked, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = preview(&command, asked, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
