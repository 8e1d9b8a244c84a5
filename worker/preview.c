/* maille-worker preview: exactly what a study would take from this site in its first round, before it is
 * masked. It runs beside the worker, over the newest snapshot, and sends nothing. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "audit/access.h"
#include "base/file.h"
#include "base/json.h"
#include "base/language.h"
#include "base/options.h"
#include "disclosure/gate.h"
#include "disclosure/rule.h"
#include "query/words.h"
#include "tally/describe.h"
#include "worker/commands.h"
#include "worker/data.h"
#include "worker/source.h"
#include "vault/spool.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024, THREADS_DEFAULT = 0 };

struct preview_command {
    const char *dir;
    uint64_t lines;
    enum language language;
    bool json;
};

/* What is shown: the study, and of each analysis what it asks, with the numbers where nobody waits for a
 * decision on it. */
struct shown {
    const struct preview_command *command;
    const struct study *study;
    struct arena *arena;
    bool waits; /* a person has yet to decide: no count is looked at (docs/DISCLOSURE.md) */
    struct bytes text;
    struct json_put json;
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

/* The study file that a question of the spool ends with. False: it has none. */
static bool study_of(const char **text, size_t *length, struct arena *arena, const struct bytes *pending)
{
    static const char mark[] = "\nthe study as it was signed:\n";
    const uint8_t *at = memmem(pending->data, pending->length, mark, sizeof mark - 1);
    if (at == NULL)
        return false;
    at += sizeof mark - 1;
    *length = pending->length - (size_t)(at - pending->data) - 1;
    *text = arena_strndup(arena, (const char *)at, *length);
    return true;
}

/* The study in a file, or of a query that waits, whose text is at the end of what the officer was asked.
 * *waits: a person has yet to decide on it, or on the same text. */
static enum maille_code find_study(const char **text, size_t *length, const char **name, bool *waits,
                                   struct arena *arena, const char *dir, const char *asked,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    struct bytes pending = {0};
    size_t n = 0;
    const bool file = file_exists(asked);
    *name = asked;
    *waits = false;
    if (file)
        MAILLE_TRY(read_text(text, length, arena, asked, error));
    MAILLE_TRY(spool_list(&qids, &n, arena, dir, error));
    for (size_t i = 0; i < n && !*waits; i++) {
        char hex[2 * QID_BYTES + 1];
        const char *found;
        size_t found_length;
        bytes_to_hex(hex, qids[i], QID_BYTES);
        if (!file && strncmp(hex, asked, strlen(asked)) != 0)
            continue;
        pending.length = 0;
        MAILLE_TRY(spool_pending(&pending, dir, qids[i], error));
        if (!study_of(&found, &found_length, arena, &pending) ||
            (file && (found_length != *length || memcmp(found, *text, *length) != 0)))
            continue;
        *text = found;
        *length = found_length;
        *waits = true;
    }
    if (!file && !*waits)
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected a study file, or the id of a study that waits, found neither: %s", asked);
out:
    bytes_clear(&pending);
    return code;
}

static void put_words(struct shown *shown, const char *text)
{
    bytes_put_text(&shown->text,
                   shown->command->language == LANGUAGE_FR ? tally_words_french(shown->arena, text) : text);
}

/* Why a rule refuses: in French what the rule means, since the sentence of this refusal is in English. */
static const char *reason_of(const struct shown *shown, const struct verdict *verdict)
{
    return shown->command->language == LANGUAGE_FR && !shown->command->json
               ? rule_reason(shown->arena, verdict->rule, LANGUAGE_FR)
               : verdict->sentence;
}

/* One line that says why nothing is shown, for a person or a program. */
static void put_reason(struct shown *shown, const char *key, const char *words, const char *rule,
                       const char *sentence)
{
    if (shown->command->json) {
        json_put_text(&shown->json, key, rule[0] != '\0' ? rule : sentence);
        if (rule[0] != '\0')
            json_put_text(&shown->json, "sentence", sentence);
    } else
        put_words(shown, rule[0] != '\0'
                             ? arena_printf(shown->arena, "    %s: %s: %s\n", words, rule, sentence)
                             : arena_printf(shown->arena, "    %s: %s\n", words, sentence));
}

static void put_lines(struct shown *shown, const char *text)
{
    json_put_list(&shown->json, shown->waits ? "asked" : "numbers");
    for (const char *at = text; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        json_put_text(&shown->json, NULL, arena_strndup(shown->arena, at, length));
        at += length + (at[length] == '\n');
    }
    json_put_end(&shown->json);
}

/* sums NULL: no number is shown. */
static void put_analysis(struct shown *shown, size_t k, const struct round_plan *plan,
                         const struct verdict *verdict, const struct data_round *sums)
{
    const struct study *study = shown->study;
    const struct analysis *analysis = &study->analyses[k];
    struct bytes words = {0};
    if (analysis->cohort != NULL)
        expression_words(&words, analysis->cohort, study->dictionary);
    else
        bytes_put(&words, "everyone", 8);
    const char *cohort = arena_strndup(shown->arena, (const char *)words.data, words.length);
    words.length = 0;
    if (shown->command->json) {
        json_put_object(&shown->json, NULL);
        json_put_text(&shown->json, "id", analysis->id);
        json_put_text(&shown->json, "method", analysis->method);
        json_put_text(&shown->json, "cohort", cohort);
    } else
        put_words(shown,
                  arena_printf(shown->arena, "\n%s (%s) of %s\n", analysis->id, analysis->method, cohort));
    if (verdict->rule[0] != '\0')
        put_reason(shown, "refused", "would be refused", verdict->rule, reason_of(shown, verdict));
    else if (sums != NULL && sums->failures[k].rule[0] != '\0')
        put_reason(shown, "not_counted", "cannot be counted here", "", sums->failures[k].sentence);
    else if (plan->analyses[k].error.code != MAILLE_OK)
        put_reason(shown, "not_asked", "cannot be asked", "", plan->analyses[k].error.sentence);
    else {
        if (sums != NULL)
            tally_numbers_words(&words, plan->analyses[k].spec, plan->analyses[k].extents,
                                sums->words.words.data + plan->analyses[k].offset, analysis->cohort,
                                study->dictionary, "    ", (size_t)shown->command->lines);
        else
            tally_spec_words(&words, plan->analyses[k].spec, plan->analyses[k].extents, analysis->cohort,
                             study->dictionary, "    ");
        const char *text =
            words.length > 0 ? arena_strndup(shown->arena, (const char *)words.data, words.length) : "";
        if (shown->command->json)
            put_lines(shown, text);
        else
            put_words(shown, text);
    }
    if (shown->command->json)
        json_put_end(&shown->json);
    bytes_clear(&words);
}

static void put_head(struct shown *shown, const struct data_facts *facts, const struct policy *policy,
                     const struct verdict *whole)
{
    static const char *const heads[LANGUAGES] = {
        "study %s: %s\npurpose %s, legal basis %s, protocol %s\nsnapshot %u, policy %s; nothing is sent\n",
        "étude %s : %s\nfinalité %s, base légale %s, protocole %s\ninstantané %u, politique %s ; rien n'est "
        "envoyé\n"};
    static const char *const undecided[LANGUAGES] = {
        "a person has yet to decide on it: its counts are not shown; afterwards, with your key: maille audit "
        "show LOG --query ID --key dpo.key\n",
        "une personne doit encore en décider : ses effectifs ne sont pas montrés ; ensuite, avec votre clé : "
        "maille audit show JOURNAL --query ID --key dpo.key\n"};
    static const char *const refused[LANGUAGES] = {"the whole study would be refused: %s: %s\n",
                                                   "l'étude entière serait refusée : %s : %s\n"};
    const struct study *study = shown->study;
    const char *title = policy_title(shown->arena, policy);
    if (shown->command->json) {
        json_put_object(&shown->json, NULL);
        json_put_text(&shown->json, "study", study->id);
        json_put_text(&shown->json, "title", study->title);
        json_put_text(&shown->json, "purpose", study->purpose);
        json_put_text(&shown->json, "legal_basis", study->legal_basis);
        json_put_text(&shown->json, "protocol", study->protocol);
        json_put_integer(&shown->json, "snapshot", facts->number);
        json_put_text(&shown->json, "policy", title);
        json_put_boolean(&shown->json, "waits_for_a_decision", shown->waits);
        if (whole->rule[0] != '\0') {
            json_put_text(&shown->json, "refused", whole->rule);
            json_put_text(&shown->json, "sentence", whole->sentence);
        }
        json_put_list(&shown->json, "analyses");
        return;
    }
    const enum language language = shown->command->language;
    bytes_put_text(&shown->text,
                   arena_printf(shown->arena, heads[language], study->id, study->title, study->purpose,
                                study->legal_basis, study->protocol, facts->number, title));
    if (shown->waits)
        bytes_put_text(&shown->text, undecided[language]);
    if (whole->rule[0] != '\0')
        bytes_put_text(&shown->text,
                       arena_printf(shown->arena, refused[language], whole->rule, reason_of(shown, whole)));
}

static void put_foot(struct shown *shown, size_t bytes)
{
    static const char *const feet[LANGUAGES] = {
        "\nfirst round: %zu bytes, masked before they leave. What the pooled thresholds suppress leaves "
        "as 0;\n"
        "further rounds of a model depend on the totals of the round before and are in the message log.\n",
        "\npremier tour : %zu octets, masqués avant de sortir. Ce que les seuils communs suppriment sort "
        "comme 0 ;\n"
        "les tours suivants d'un modèle dépendent des totaux du tour précédent et sont dans le journal.\n"};
    if (!shown->command->json) {
        bytes_put_text(&shown->text, arena_printf(shown->arena, feet[shown->command->language], bytes));
        return;
    }
    json_put_end(&shown->json);
    json_put_integer(&shown->json, "first_round_bytes", (int64_t)bytes);
    json_put_end(&shown->json);
    bytes_put_text(&shown->text, "\n");
}

/* What can be said before other sites are asked: the rules on the question itself. */
static enum maille_code judge(struct verdict *verdicts, struct verdict *whole, const struct policy *policy,
                              const struct study *study, const struct round_plan *plan,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error why = {0};
    struct policy anybody = *policy; /* who will ask is not known yet */
    anybody.researchers.all = true;
    code = gate_question(verdicts, &anybody, study, "", &why);
    if (code == MAILLE_REFUSED) {
        gate_refuse(whole, why.rule, "%s", why.sentence);
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
    struct worker_settings settings;
    struct site_engine engine = {0};
    const struct policy *policy;
    const struct dictionary *dictionary;
    const struct study *study;
    struct verdict whole = {0};
    struct shown shown = {.command = command};
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
    MAILLE_TRY(worker_settings_read(&settings, arena, command->dir, error));
    if (settings.source == SOURCE_ENGINE) {
        MAILLE_TRY(source_find(&engine, &settings, error));
        MAILLE_TRY(source_connect(&engine, error));
        const struct engine_reader reader = engine_reader_over(&engine.link);
        data_engine(data, &reader);
    }
    struct data_source source = data_local(data);
    MAILLE_TRY(source.facts(source.context, &facts, 0, arena, error));
    MAILLE_TRY(find_study(&text, &length, &name, &shown.waits, arena, command->dir, asked, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, "the snapshot's dictionary", facts.dictionary,
                                facts.dictionary_length, error));
    MAILLE_TRY(policy_check_dictionary(policy, dictionary, error));
    MAILLE_TRY(study_parse(&study, arena, dictionary, methods, n_methods, name, text, length, error));
    for (size_t k = 0; k < study->n_analyses; k++)
        if (method_find(study->analyses[k].method)->check != NULL)
            MAILLE_TRY(method_find(study->analyses[k].method)->check(&study->analyses[k], error));
    MAILLE_TRY(
        audit_access_leave(command->dir, arena_printf(arena, "preview of study %s", study->id), error));
    shown.study = study;
    shown.arena = arena;
    shown.json.out = &shown.text;
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    struct vector *none = arena_array(arena, study->n_analyses + 1, sizeof *none);
    struct verdict *verdicts = arena_array(arena, study->n_analyses + 1, sizeof *verdicts);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    MAILLE_TRY(round_plan(&plan, study, open, none, NULL, 0, error));
    MAILLE_TRY(judge(verdicts, &whole, policy, study, &plan, error));
    put_head(&shown, &facts, policy, &whole);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = plan.analyses[k].error.code == MAILLE_OK && verdicts[k].rule[0] == '\0';
    round_plan_clear(&plan);
    MAILLE_TRY(round_plan(&plan, study, open, none, NULL, 0, error));
    if (!shown.waits)
        MAILLE_TRY(source.round(source.context, &sums, facts.number, study, open, none, NULL, error));
    for (size_t k = 0; k < study->n_analyses; k++)
        put_analysis(&shown, k, &plan, &verdicts[k], shown.waits ? NULL : &sums);
    put_foot(&shown, plan.bytes);
    MAILLE_TRY(bytes_check(&shown.text, error));
    fwrite(shown.text.data, 1, shown.text.length, stdout);
out:
    bytes_clear(&shown.text);
    data_round_clear(&sums);
    round_plan_clear(&plan);
    data_free(data);
    source_clear(&engine);
    arena_free(arena);
    return code;
}

int worker_preview(int argc, char **argv)
{
    struct maille_error error = {0};
    struct preview_command command = {.lines = 40};
    const char *asked = NULL, *lang = NULL;
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
        {.name = "json", .kind = OPTION_FLAG, .target = &command.json, .sentence = "as JSON"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker preview",
                                       .positional = "STUDY.yaml|ID",
                                       .sentence = "Shows exactly what a study would take from this site in "
                                                   "its first round, in clear, for the site's own\n"
                                                   "eyes; of one that waits for a decision, what it asks "
                                                   "and no count. Nothing is sent.",
                                       .min_positional = 1,
                                       .max_positional = 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &asked, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&command.language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = preview(&command, asked, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
