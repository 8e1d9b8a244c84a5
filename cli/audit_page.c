/* maille audit page: the logs as pages for a browser, without a script and without a server. */
#include "cli/audit_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/options.h"
#include "cli/audit_over.h"
#include "cli/audit_private.h"
#include "cli/audit_trust.h"
#include "cli/files.h"
#include "cli/plain_page.h"
#include "report/page.h"

/* What the report's style has not: wide tables, the lights, buttons. */
const char audit_page_css[] =
    "body{max-width:78rem}"
    ".light{display:inline-block;min-width:9.5rem;padding:.1rem .6rem;border-radius:4px;font-weight:700;"
    "border:2px solid;white-space:nowrap}"
    ".green{color:#0b5d1e;background:#e3f4e6;border-color:#0b5d1e}"
    ".amber{color:#6b4300;background:#fdf0d5;border-color:#6b4300}"
    ".red{color:#8c1212;background:#fde4e4;border-color:#8c1212}"
    ".buttons{display:flex;flex-wrap:wrap;gap:.6rem;list-style:none;padding:0}"
    ".button{display:inline-block;padding:.45rem .9rem;border:2px solid var(--accent);border-radius:6px;"
    "text-decoration:none;font-weight:600}"
    ".stop summary{display:inline-block;padding:.35rem .8rem;border:2px solid #8c1212;border-radius:6px;"
    "background:#fde4e4;color:#8c1212;font-weight:600}"
    ".stop code{display:block;user-select:all;padding:.5rem;background:var(--soft)}"
    ".qs{padding-left:1.2rem}.qs li{margin:.35rem 0}"
    "a:focus,summary:focus,[tabindex]:focus{outline:3px solid var(--accent);outline-offset:2px}"
    "td.r,th.r{text-align:right}";

const char *audit_page_say(const struct audit_page *page, const char *english, const char *french)
{
    return page->language == LANGUAGE_FR ? french : english;
}

void audit_page_begin(struct html *h, const struct audit_page *page, const char *title, const char *lead,
                      bool back)
{
    if (page->frame != NULL) {
        page->frame->begin(page->frame->context, title, lead);
    } else {
        plain_page_head(h, page->language, title, audit_page_css);
        html_open(h, "body");
        html_open(h, "header");
        html_element(h, "h1", NULL, title);
        html_element(h, "p", "lead", lead);
        html_close(h);
    }
    html_open(h, "nav");
    html_set(h, "aria-label", audit_page_say(page, "Sections", "Rubriques"));
    if (back) {
        html_open(h, "a");
        html_set(h, "href", page->frame != NULL ? page->frame->index : "index.html");
        html_text(h, audit_page_say(page, "All studies and logs", "Toutes les études et tous les journaux"));
        html_close(h);
    } else {
        static const char *const sections[][3] = {
            {"#logs", "Logs", "Journaux"},           {"#open", "Open now", "En cours"},
            {"#register", "Register", "Registre"},   {"#left", "What left", "Ce qui est sorti"},
            {"#refused", "Refused", "Refusé"},       {"#snapshots", "Objections", "Oppositions"},
            {"#programs", "Programs", "Programmes"}, {"#files", "Files", "Fichiers"}};
        for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
            html_open(h, "a");
            html_set(h, "href", sections[i][0]);
            html_text(h, audit_page_say(page, sections[i][1], sections[i][2]));
            html_close(h);
            html_text(h, " ");
        }
    }
    html_close(h);
    html_newline(h);
    if (page->frame == NULL)
        html_open(h, "main");
}

void audit_page_end(struct html *h, const struct audit_page *page)
{
    char when[32];
    if (page->frame != NULL)
        return;
    book_time(when, page->now_ms);
    html_close(h);
    html_open(h, "footer");
    html_textf(
        h,
        audit_page_say(
            page, "Made by maille %s on %s UTC from copies of logs. Nothing on this page leaves it.",
            "Faite par maille %s le %s UTC à partir de copies de journaux. Rien ne sort de cette page."),
        MAILLE_VERSION, when);
    while (h->depth > 0)
        html_close(h);
    html_newline(h);
}

void audit_page_rows(struct html *h, const char *name, const char *const *columns)
{
    page_table_open(h, name);
    html_open(h, "thead");
    html_open(h, "tr");
    for (size_t i = 0; columns[i] != NULL; i++)
        page_header(h, "col", NULL, columns[i]);
    html_close(h);
    html_close(h);
    html_open(h, "tbody");
}

void audit_page_cell(struct html *h, const char *text)
{
    html_element(h, "td", NULL, text);
}

void audit_page_number(struct html *h, uint64_t number)
{
    html_open(h, "td");
    html_set(h, "class", "r");
    html_textf(h, "%llu", (unsigned long long)number);
    html_close(h);
}

void audit_page_rows_end(struct html *h)
{
    html_close(h);
    page_table_close(h);
}

void audit_page_fact(struct html *h, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    html_element(h, "dt", NULL, name);
    html_element(h, "dd", NULL, value);
    html_newline(h);
}

const char *audit_page_file(const struct audit_page *page, const struct page_log *log, size_t query)
{
    const size_t number = log->first + query + 1;
    return page->frame != NULL ? arena_printf(page->arena, "%s%zu", page->frame->study, number)
                               : arena_printf(page->arena, "study-%04zu.html", number);
}

const char *audit_page_beside(const struct audit_page *page, const char *name)
{
    return page->frame != NULL ? arena_printf(page->arena, "%s%s", page->frame->others, name) : name;
}

const char *audit_page_outcome(const struct audit_page *page, const struct book_query *query)
{
    const char *words = word_of_outcome(page->language, query->outcome);
    return query->outcome_rule[0] == '\0' ? words
                                          : arena_printf(page->arena, "%s (%s)", words, query->outcome_rule);
}

bool audit_page_is_open(const struct book_query *query)
{
    return query->outcome == OUTCOME_ASKED || query->outcome == OUTCOME_ACCEPTED ||
           query->outcome == OUTCOME_HELD || query->outcome == OUTCOME_APPROVED ||
           query->outcome == OUTCOME_RUNNING;
}

void audit_page_stop(struct html *h, const struct audit_page *page, const struct book_query *query)
{
    if (page->frame != NULL && page->frame->stop != NULL) {
        html_open(h, "p");
        html_open(h, "a");
        html_set(h, "href", arena_printf(page->arena, "%s%s", page->frame->stop, query->name));
        html_text(h, audit_page_say(page, "Stop this study", "Arrêter cette étude"));
        html_close(h);
        html_close(h);
        return;
    }
    html_open(h, "details");
    html_set(h, "class", "stop");
    html_element(h, "summary", NULL, audit_page_say(page, "Stop this study", "Arrêter cette étude"));
    html_element(h, "p", NULL,
                 audit_page_say(page,
                                "One command, at the hospital's worker; nothing more leaves from then on:",
                                "Une commande, sur la machine du site ; rien ne sort plus dès lors :"));
    html_open(h, "code");
    html_textf(h, "maille-worker stop %.16s --dir DIR --key dpo.key --reason \"…\"", query->name);
    html_close(h);
    html_element(h, "p", NULL,
                 audit_page_say(page, "Or signed here, on your laptop, and carried there:",
                                "Ou signée ici, sur votre ordinateur, puis portée là-bas :"));
    html_open(h, "code");
    html_textf(h, "maille officer stop %s --key dpo.key --reason \"…\" --out stop.decision", query->name);
    html_close(h);
    html_close(h);
}

/* --- making it --- */

static enum maille_code write_page(const char *folder, const char *name, struct bytes *out,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[4096];
    MAILLE_TRY(bytes_check(out, error));
    MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
    MAILLE_TRY(file_write_atomic(path, out->data, out->length, 0600, error));
out:
    out->length = 0;
    return code;
}

static enum maille_code write_json(const char *folder, const struct audit_page *page,
                                   struct maille_error *error)
{
    struct bytes out = {0};
    struct json_put put = {.out = &out};
    json_put_list(&put, NULL);
    for (size_t i = 0; i < page->n_logs; i++) {
        const struct audit_health *health = page->logs[i].health;
        const struct audit_worth worth = {.verified = health->compared,
                                          .sound = health->sound,
                                          .fault =
                                              health->sound ? "" : audit_fault_name(health->report.fault),
                                          .sentence = health->sentence};
        if (page->logs[i].told)
            book_put_json(&put, &page->logs[i].book, &worth);
    }
    json_put_end(&put);
    const enum maille_code code = write_page(folder, "audit.json", &out, error);
    bytes_clear(&out);
    return code;
}

static enum maille_code write_pages(const char *folder, const struct audit_page *page,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes out = {0};
    MAILLE_TRY(file_folder_make(folder, 0700, error));
    audit_page_index_write(&(struct html){.out = &out}, page);
    MAILLE_TRY(write_page(folder, "index.html", &out, error));
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = 0; page->logs[i].told && k < page->logs[i].book.n_queries; k++) {
            audit_page_study_write(&(struct html){.out = &out}, page, &page->logs[i],
                                   &page->logs[i].book.queries[k]);
            MAILLE_TRY(write_page(folder, audit_page_file(page, &page->logs[i], k), &out, error));
        }
    MAILLE_TRY(write_json(folder, page, error));
out:
    bytes_clear(&out);
    return code;
}

static enum maille_code read_logs(struct audit_page *page, const struct audit_page_command *command,
                                  const struct secret_keys *dpo, const char **logs, size_t n, bool *sound,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_health *health = arena_array(page->arena, n, sizeof *health), witness;
    size_t first = 0;
    page->logs = arena_array(page->arena, n, sizeof *page->logs);
    page->n_logs = n;
    *sound = audit_health_all(health, &witness, &command->against, logs, n);
    if (!witness.sound)
        return maille_fail(error, MAILLE_FAILED, "the witness is of no use: %s", witness.sentence);
    for (size_t i = 0; i < n; i++) {
        struct page_log *log = &page->logs[i];
        *log = (struct page_log){.health = &health[i], .first = first};
        if (!health[i].sound && !command->anyway)
            continue;
        code = book_read(&log->book, page->arena, logs[i], NULL, dpo, error);
        if (code != MAILLE_OK && (health[i].sound || code != MAILLE_CORRUPT))
            return code;
        code = MAILLE_OK; /* of one that is not sound, as far as it can be read */
        log->told = true;
        first += log->book.n_queries;
    }
    return code;
}

/* The register and its neighbours, beside the page, from the logs that are sound. */
static enum maille_code write_registers(const struct audit_page *page,
                                        const struct audit_page_command *command, const char **logs,
                                        struct maille_error *error)
{
    struct audit_over over = {.arena = page->arena,
                              .trust = {.network = command->against.network,
                                        .anyway = command->anyway,
                                        .directory = command->against.directory,
                                        .taken_ms = command->against.taken_ms},
                              .folder = command->folder,
                              .language = page->language};
    const char **told = arena_array(page->arena, page->n_logs + 1, sizeof *told);
    for (size_t i = 0; i < page->n_logs; i++)
        if (page->logs[i].told)
            told[over.n_logs++] = logs[i];
    over.logs = told;
    return audit_export_write(&over, error);
}

enum maille_code audit_page_read(struct audit_page *page, const struct audit_page_command *command,
                                 const char **logs, size_t n, bool *sound, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *dpo = NULL;
    if (command->against.network == NULL && !command->anyway) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected --network FILE, which says whose key signs a log, found none; without it "
                        "nobody can say what a log is worth (--anyway shows it all the same)");
        goto out;
    }
    if (command->key != NULL)
        MAILLE_TRY(cli_read_keys(&dpo, KEY_DPO, command->key, command->credential, error));
    page->network = command->against.directory != NULL ? command->against.directory->network : "";
    page->now_ms = clock_utc_ms();
    page->taken_ms = command->against.taken_ms;
    page->list = command->against.list;
    MAILLE_TRY(read_logs(page, command, dpo, logs, n, sound, error));
out:
    secret_keys_free(dpo);
    return code;
}

static enum maille_code make(const struct audit_page_command *command, struct audit_page *page,
                             const char **logs, size_t n, bool *sound, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(audit_page_read(page, command, logs, n, sound, error));
    MAILLE_TRY(write_pages(command->folder, page, error));
    MAILLE_TRY(write_registers(page, command, logs, error));
    printf("%s/index.html\n", command->folder);
out:
    return code;
}

int audit_page(int argc, char **argv)
{
    const char *lang = NULL, **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct audit_page_command command = {0};
    struct arena *arena = arena_new();
    struct audit_page page = {.arena = arena};
    bool done = false, sound = true;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &command.folder,
         .argument = "DIR",
         .sentence = "the folder to write into",
         .required = true},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &command.against.network,
         .argument = "FILE",
         .sentence = "network.yaml: whose key signs a log; needed to say what it is worth"},
        {.name = "witness",
         .kind = OPTION_STRING,
         .target = &command.against.witness,
         .argument = "LOG",
         .sentence = "the log of somebody who has kept heads of these"},
        {.name = "programs",
         .kind = OPTION_STRING,
         .target = &command.against.programs,
         .argument = "LIST",
         .sentence = "the published list of programs: was every judgement made by one of them?"},
        {.name = "since",
         .kind = OPTION_STRING,
         .target = &command.against.since,
         .argument = "OLD",
         .sentence = "an earlier copy of the log: it must go on from it"},
        {.name = "taken",
         .kind = OPTION_STRING,
         .target = &command.against.taken,
         .argument = "TIME",
         .sentence = "when the folders were copied, UTC, as 2026-11-23T15:50 (default: now)"},
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &command.key,
         .argument = "FILE",
         .sentence = "the data protection officer's key: the very numbers that left stand in the pages"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &command.credential,
         .argument = "FILE",
         .sentence = "opens the key without a passphrase"},
        {.name = "anyway",
         .kind = OPTION_FLAG,
         .target = &command.anyway,
         .sentence = "also tells of a log that is not sound, or that was compared with no network"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille audit page", "LOG…",
        "Writes DIR/index.html for a browser: what each log is worth and why, who asked for what, what left "
        "and\n"
        "what was refused, a page for each study, and the register of processing. It has no script and "
        "fetches\n"
        "nothing. Of a log that is not sound nothing is told but that. Exit status 1 where one is not.",
        1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&page.language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = audit_against_read(&command.against, arena, &error);
    if (code == MAILLE_OK && !done)
        code = make(&command, &page, logs, n, &sound, &error);
    arena_free(arena);
    free(logs);
    return code != MAILLE_OK ? options_program_fail("maille audit page", &error) : sound ? 0 : 1;
}
