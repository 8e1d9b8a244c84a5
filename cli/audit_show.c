/* maille audit show: what left, in words and tables. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_private.h"
#include "cli/audit_trust.h"
#include "cli/files.h"

enum { LABEL_WIDTH = 22 };

struct show {
    enum language language;
    const char *query;
    bool summary, json, messages, study, all;
    const struct secret_keys *dpo;
    struct audit_trust trust;
};

static void line(const char *label, const char *text)
{
    fputs("  ", stdout);
    audit_cell(label, LABEL_WIDTH);
    puts(text);
}

static const char *or_none(enum language language, const char *text)
{
    return text[0] != '\0' ? text : word(language, WORD_NOT_RECORDED);
}

/* The study file, as it was signed: what exactly was asked. */
static void show_study(const struct book_query *query, enum language language)
{
    if (query->study_text[0] == '\0')
        return;
    printf("\n  %s\n", word(language, WORD_ASKED));
    for (const char *at = query->study_text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        fputs("    ", stdout);
        for (size_t i = 0; i < length; i++)
            putchar((uint8_t)at[i] < 0x20 ? ' ' : at[i]);
        putchar('\n');
        at += length + (at[length] == '\n');
    }
}

static void show_query(const struct show *show, const struct book *book, const struct book_query *query)
{
    const enum language language = show->language;
    char when[32];
    printf("\n%s %s\n", word(language, WORD_QUERY), query->name);
    line(word(language, WORD_ASKED_BY), or_none(language, query->requester));
    if (query->requester_key[0] != '\0')
        line(word(language, WORD_KEY), query->requester_key);
    line(word(language, WORD_STUDY), or_none(language, query->study));
    line(word(language, WORD_PURPOSE), or_none(language, query->purpose));
    line(word(language, WORD_LEGAL_BASIS), or_none(language, query->legal_basis));
    line(word(language, WORD_PROTOCOL), or_none(language, query->protocol));
    line(word(language, WORD_RECIPIENTS),
         or_none(language, query->recipients[0] != '\0' ? query->recipients : query->requester));
    book_time(when, query->first_ms);
    line(word(language, WORD_ASKED_ON), when);
    book_time(when, query->last_ms);
    line(word(language, WORD_LAST), when);
    if (!book->is_coordinator) {
        line(word(language, WORD_PATIENTS), or_none(language, query->cohort_band));
        line(word(language, WORD_DECISION), or_none(language, word_of_result(language, query->decision)));
        line(word(language, WORD_APPROVED_BY), query->approver[0] != '\0' ? query->approver
                                               : strcmp(query->decision, "ready") == 0
                                                   ? word(language, WORD_AUTOMATIC)
                                                   : or_none(language, ""));
        line(word(language, WORD_POLICY), or_none(language, query->policy));
        line(word(language, WORD_BUILD), or_none(language, query->build));
    }
    if (show->study)
        show_study(query, language);
    audit_show_rules(book->arena, query, language);
    for (size_t i = 0; i < query->n_refusals; i++)
        line(word_of_kind(language, "refused"), query->refusals[i]);
    if (!book->is_coordinator)
        audit_show_left(book->arena, query, language, show->all);
}

static void show_events(const struct book *book, enum language language)
{
    char when[32], text[32];
    if (book->n_events == 0 || book->only != NULL)
        return;
    printf("\n%s\n", word(language, WORD_EVENTS));
    for (size_t i = 0; i < book->n_events; i++) {
        fputs("    ", stdout);
        snprintf(text, sizeof text, "%llu", (unsigned long long)book->events[i].sequence);
        audit_cell(text, 8);
        book_time(when, book->events[i].utc_ms);
        audit_cell(when, 21);
        audit_cell(word_of_kind(language, book->events[i].kind), 30);
        puts(word_of_text(book->arena, language, book->events[i].detail));
    }
}

static void show_summary(const struct book *book)
{
    uint64_t vectors = 0, bytes = 0;
    for (size_t i = 0; i < book->n_queries; i++) {
        vectors += book->queries[i].n_vectors;
        bytes += book->queries[i].bytes;
    }
    printf("%-24s %4llu messages in, %4llu out; masked vectors that left: %3llu, %llu bytes in all\n",
           book->party, (unsigned long long)book->in, (unsigned long long)book->out,
           (unsigned long long)vectors, (unsigned long long)bytes);
}

/* --- as JSON --- */

static void json_field(const char *name, const char *text, bool more)
{
    printf("\"%s\": ", name);
    if (text[0] == '\0')
        fputs("null", stdout);
    else
        audit_json_text(stdout, text);
    if (more)
        fputs(", ", stdout);
}

static void json_vector(const struct book_vector *vector)
{
    char when[32];
    clock_format(when, vector->utc_ms);
    printf("{\"entry\": %llu, \"time\": \"%s\", \"round\": %u, \"attempt\": %u, \"sites\": %zu, \"bytes\": "
           "%llu, ",
           (unsigned long long)vector->sequence, when, vector->round, vector->attempt, vector->n_members,
           (unsigned long long)vector->bytes);
    json_field("vector", vector->vector, true);
    json_field("detail", vector->detail, true);
    json_field("replay", strcmp(vector->replay, "=") == 0 ? "ok" : vector->replay, true);
    fputs("\"analyses\": [", stdout);
    for (size_t k = 0; k < vector->n_released; k++) {
        fputs(k > 0 ? ", {" : "{", stdout);
        json_field("analysis", vector->released[k].analysis, true);
        json_field("method", vector->released[k].method, true);
        json_field("what", vector->released[k].what, true);
        json_field("variables", vector->released[k].variables, true);
        json_field("groups", vector->released[k].groups, true);
        json_field("values", vector->released[k].values, true);
        printf("\"numbers\": %llu}", (unsigned long long)vector->released[k].numbers);
    }
    fputs("], \"numbers\": ", stdout);
    if (vector->numbers == NULL)
        fputs("null", stdout);
    for (size_t k = 0; vector->numbers != NULL && k <= vector->n_numbers; k++)
        printf("%s%s",
               k == 0                  ? "["
               : k < vector->n_numbers ? ", "
                                       : "",
               k < vector->n_numbers ? vector->numbers[k] : "]");
    putchar('}');
}

static void json_query(const struct book_query *query)
{
    char when[32];
    printf("{\"query\": \"%s\", ", query->name);
    json_field("requester", query->requester, true);
    json_field("requester_key", query->requester_key, true);
    json_field("study", query->study, true);
    json_field("purpose", query->purpose, true);
    json_field("legal_basis", query->legal_basis, true);
    json_field("protocol", query->protocol, true);
    json_field("recipients", query->recipients, true);
    clock_format(when, query->first_ms);
    json_field("asked", when, true);
    clock_format(when, query->last_ms);
    json_field("last_message", when, true);
    json_field("patients", query->cohort_band, true);
    json_field("cohort", query->cohort, true);
    json_field("policy", query->policy, true);
    json_field("decision", query->decision, true);
    json_field("approver", query->approver, true);
    json_field("approver_key", query->approver_key, true);
    json_field("build", query->build, true);
    json_field("study_file", query->study_text, true);
    json_field("end", query->end, true);
    fputs("\"rules\": [", stdout);
    for (size_t i = 0; i < query->n_rules; i++) {
        fputs(i > 0 ? ", {" : "{", stdout);
        json_field("rule", query->rules[i].rule, true);
        json_field("analysis", query->rules[i].analysis, true);
        json_field("result", query->rules[i].result, true);
        json_field("value", query->rules[i].value, false);
        putchar('}');
    }
    fputs("], \"refusals\": [", stdout);
    for (size_t i = 0; i < query->n_refusals; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        audit_json_text(stdout, query->refusals[i]);
    }
    fputs("], \"released\": [", stdout);
    for (size_t i = 0; i < query->n_vectors; i++) {
        fputs(i > 0 ? ",\n    " : "\n    ", stdout);
        json_vector(&query->vectors[i]);
    }
    fputs("]}", stdout);
}

static void show_json(const struct book *book, const struct audit_worth *worth, bool first)
{
    char when[32];
    fputs(first ? "[\n{" : ",\n{", stdout);
    json_field("party", book->party, true);
    printf("\"verified\": %s, \"sound\": %s, ", worth->verified ? "true" : "false",
           worth->sound ? "true" : "false");
    json_field("fault", worth->fault, true);
    json_field("worth", worth->sentence, true);
    fputs("\"queries\": [", stdout);
    for (size_t i = 0; i < book->n_queries; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", stdout);
        json_query(&book->queries[i]);
    }
    fputs("],\n \"events\": [", stdout);
    for (size_t i = 0; i < book->n_events; i++) {
        clock_format(when, book->events[i].utc_ms);
        printf("%s{\"entry\": %llu, \"time\": \"%s\", ", i > 0 ? ",\n  " : "\n  ",
               (unsigned long long)book->events[i].sequence, when);
        json_field("kind", book->events[i].kind, true);
        json_field("detail", book->events[i].detail, false);
        putchar('}');
    }
    fputs("]}", stdout);
}

/* --- message by message --- */

static void print_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    static const char *const ways[] = {[AUDIT_IN] = "in", [AUDIT_OUT] = "out", [AUDIT_NOTE] = "note"};
    const char *only = context;
    char when[32], hash[2 * HASH_BYTES + 1], qid[65] = "-";
    if (entry->qid != NULL)
        bytes_to_hex(qid, entry->qid, 32);
    if (only != NULL && strncmp(qid, only, strlen(only)) != 0)
        return;
    clock_format(when, utc_ms);
    bytes_to_hex(hash, entry->hash.b, HASH_BYTES);
    printf("%6llu  %s  %-4s  %-10s %-16s %10llu  %.8s  %.16s  %s\n", (unsigned long long)sequence, when,
           ways[entry->direction], entry->message, entry->peer, (unsigned long long)entry->bytes, qid, hash,
           entry->detail);
}

static enum maille_code show_log(const struct show *show, const char *folder, bool first,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct book book;
    struct audit_worth worth = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to read a log, found none");
    code = audit_trust_log(&worth, &show->trust, arena, folder, error);
    if (worth.party != NULL && !show->json) {
        fputs(first ? "" : "\n", stdout);
        audit_trust_say(&worth, show->language);
    }
    if (code != MAILLE_OK)
        goto out;
    if (show->messages) {
        printf("%6s  %-24s  %-4s  %-10s %-16s %10s  %-8s  %-16s  %s\n", "entry", "when (UTC)", "way",
               "message", "peer", "bytes", "query", "hash", "what");
        code = audit_read(folder, print_entry, (void *)(uintptr_t)show->query, error);
        goto tell;
    }
    code = book_read(&book, arena, folder, show->query, show->dpo, error);
    if (show->json)
        show_json(&book, &worth, first);
    else if (show->summary)
        show_summary(&book);
    else {
        printf("%s: %s\n", book.party, folder);
        for (size_t i = 0; i < book.n_queries; i++)
            show_query(show, &book, &book.queries[i]);
        if (book.n_queries == 0)
            printf("\n%s\n", word(show->language, WORD_NO_QUERY));
        show_events(&book, show->language);
    }
tell: /* with --anyway, what is wrong was said first */
    if (code == MAILLE_CORRUPT && show->trust.anyway && !worth.sound)
        code = MAILLE_OK;
out:
    arena_free(arena);
    return code;
}

int audit_show(int argc, char **argv)
{
    const char *lang = NULL, *key = NULL, *credential = NULL, **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct secret_keys *dpo = NULL;
    struct show show = {0};
    struct arena *arena = arena_new();
    bool done = false;
    size_t n = 0;
    struct option_row rows[AUDIT_TRUST_ROWS + 11] = {
        [AUDIT_TRUST_ROWS] = {.name = "query",
                              .kind = OPTION_STRING,
                              .target = &show.query,
                              .argument = "ID",
                              .sentence = "only this query (its id, or how it begins)"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = "json", .kind = OPTION_FLAG, .target = &show.json, .sentence = "as JSON"},
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &key,
         .argument = "FILE",
         .sentence = "the data protection officer's key: shows the very numbers that left"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence = "opens the key without a passphrase"},
        {.name = "study",
         .kind = OPTION_FLAG,
         .target = &show.study,
         .sentence = "the study file of each query too, as it was signed"},
        {.name = "all",
         .kind = OPTION_FLAG,
         .target = &show.all,
         .sentence = "every number of every block (with --key)"},
        {.name = "messages",
         .kind = OPTION_FLAG,
         .target = &show.messages,
         .sentence = "every message, one line each"},
        {.name = "summary", .kind = OPTION_FLAG, .target = &show.summary, .sentence = "one line per log"},
        {.name = NULL},
    };
    audit_trust_rows(rows, &show.trust);
    const struct option_usage usage = {"maille audit show", "LOG…",
                                       "Verifies log folders such as sites/NAME/log, and says what they are "
                                       "worth; then who asked for what and "
                                       "what left.",
                                       1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = audit_trust_read(&show.trust, arena, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&show.language, lang, &error);
    if (code == MAILLE_OK && !done && key != NULL)
        code = cli_read_keys(&dpo, KEY_DPO, key, credential, &error);
    show.dpo = dpo;
    for (size_t i = 0; code == MAILLE_OK && !done && i < n; i++)
        code = show_log(&show, logs[i], i == 0, &error);
    if (show.json && !done && n > 0 && (code == MAILLE_OK || code == MAILLE_CORRUPT))
        puts("\n]");
    free(logs);
    arena_free(arena);
    secret_keys_free(dpo);
    return code == MAILLE_OK ? 0 : options_program_fail("maille audit show", &error);
}
