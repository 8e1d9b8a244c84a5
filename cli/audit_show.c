/* maille audit show: what left, in words and tables. */
#include <stdlib.h>
#include <string.h>

#include "audit/access.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_private.h"
#include "cli/audit_trust.h"
#include "cli/files.h"
#include "disclosure/rule.h"

enum { LABEL_WIDTH = 22 };

struct show {
    enum language language;
    const char *query;
    struct book_filter filter;
    bool summary, json, messages, details, text, all;
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

static const char *outcome_of(struct arena *arena, const struct book_query *query, enum language language)
{
    const char *words = word_of_outcome(language, query->outcome);
    return query->outcome_rule[0] != '\0' ? arena_printf(arena, "%s (%s)", words, query->outcome_rule)
                                          : words;
}

static void show_steps(const struct book *book, const struct book_query *query, enum language language)
{
    char when[32];
    printf("\n  %s\n", word(language, WORD_STEPS));
    for (size_t i = 0; i < query->n_steps; i++) {
        book_time(when, query->steps[i].utc_ms);
        printf("    %s  %s\n", when, word_of_step(book->arena, language, &query->steps[i]));
    }
}

/* One line a question: when, id, who, for what, what became of it, what left. */
static void show_lines(const struct book *book, enum language language)
{
    static const int widths[] = {18, 10, 16, 26, 30, 36, 12};
    const enum word heads[] = {WORD_ASKED_ON, WORD_QUERY,   WORD_ASKED_BY, WORD_PURPOSE,
                               WORD_STUDY,    WORD_OUTCOME, WORD_PATIENTS};
    if (book->n_queries == 0)
        return;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        audit_cell(word(language, heads[i]), widths[i]);
    puts(word(language, WORD_BYTES));
    for (size_t i = 0; i < book->n_queries; i++) {
        const struct book_query *query = &book->queries[i];
        char when[32];
        book_time(when, query->first_ms);
        when[16] = '\0';
        audit_cell(when, widths[0]);
        audit_cell(arena_strndup(book->arena, query->name, 8), widths[1]);
        audit_cell(or_none(language, query->requester), widths[2]);
        audit_cell(or_none(language, query->purpose), widths[3]);
        audit_cell(or_none(language, query->study_id), widths[4]);
        audit_cell(outcome_of(book->arena, query, language), widths[5]);
        audit_cell(query->cohort_band[0] != '\0' ? query->cohort_band : "–", widths[6]);
        printf("%llu\n", (unsigned long long)query->bytes);
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
    line(word(language, WORD_OUTCOME), outcome_of(book->arena, query, language));
    if (query->outcome_rule[0] != '\0' && rule_find(query->outcome_rule) != NULL)
        line("", rule_reason(book->arena, query->outcome_rule, language));
    if (!book->is_coordinator) {
        line(word(language, WORD_PATIENTS), or_none(language, query->cohort_band));
        if (query->snapshot > 0)
            line(word(language, WORD_SNAPSHOT), arena_printf(book->arena, "%u", query->snapshot));
        if (query->decided_by[0] != '\0') {
            line(word(language, WORD_DECIDED_BY), query->decided_by);
            line(word(language, WORD_REASON), or_none(language, query->decided_reason));
        } else
            line(word(language, WORD_DECIDED_BY), word(language, WORD_AUTOMATIC));
        line(word(language, WORD_POLICY), or_none(language, query->policy));
        line(word(language, WORD_BUILD), or_none(language, query->build));
    }
    show_steps(book, query, language);
    if (show->text)
        show_study(query, language);
    audit_show_rules(book->arena, query, language);
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

static void show_json(const struct book *book, const struct audit_worth *worth, bool first)
{
    struct bytes json = {0};
    book_put_json(&(struct json_put){.out = &json}, book, worth);
    fputs(first ? "[\n" : ",\n", stdout);
    fwrite(json.data, 1, json.length, stdout);
    bytes_clear(&json);
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
    if (show->dpo != NULL)
        MAILLE_TRY(audit_access_leave_log(folder, "numbers that left, shown", error));
    code = book_read(&book, arena, folder, show->query, show->dpo, error);
    if (code == MAILLE_OK || code == MAILLE_CORRUPT) {
        enum maille_code kept = book_keep(&book, &show->filter, error);
        if (kept != MAILLE_OK) {
            code = kept;
            goto out;
        }
    }
    if (show->json)
        show_json(&book, &worth, first);
    else if (show->summary)
        show_summary(&book);
    else {
        printf("%s: %s\n", book.party, folder);
        for (size_t i = 0; i < book.n_queries && show->details; i++)
            show_query(show, &book, &book.queries[i]);
        if (!show->details)
            show_lines(&book, show->language);
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
    struct option_row rows[AUDIT_TRUST_ROWS + 17] = {
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
        {.name = "since",
         .kind = OPTION_STRING,
         .target = &show.filter.since,
         .argument = "DAY",
         .sentence = "only what was asked on this day (UTC) or later, as 2026-10-01"},
        {.name = "until",
         .kind = OPTION_STRING,
         .target = &show.filter.until,
         .argument = "DAY",
         .sentence = "only what was asked on this day or before"},
        {.name = "researcher",
         .kind = OPTION_STRING,
         .target = &show.filter.researcher,
         .argument = "NAME",
         .sentence = "only what this researcher asked"},
        {.name = "purpose",
         .kind = OPTION_STRING,
         .target = &show.filter.purpose,
         .argument = "PURPOSE",
         .sentence = "only what was asked for this purpose"},
        {.name = "study",
         .kind = OPTION_STRING,
         .target = &show.filter.study,
         .argument = "ID",
         .sentence = "only this study, each time it was asked"},
        {.name = "details",
         .kind = OPTION_FLAG,
         .target = &show.details,
         .sentence = "each query in full; so does --query, --key or --text"},
        {.name = "text",
         .kind = OPTION_FLAG,
         .target = &show.text,
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
                                       "what left: one line a query, or all of it (--details).",
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
    show.details = show.details || show.query != NULL || show.text || dpo != NULL;
    for (size_t i = 0; code == MAILLE_OK && !done && i < n; i++)
        code = show_log(&show, logs[i], i == 0, &error);
    if (show.json && !done && n > 0 && (code == MAILLE_OK || code == MAILLE_CORRUPT))
        puts("\n]");
    free(logs);
    arena_free(arena);
    secret_keys_free(dpo);
    return code == MAILLE_OK ? 0 : options_program_fail("maille audit show", &error);
}
