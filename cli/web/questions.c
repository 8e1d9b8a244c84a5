/* What waits for the officer: who asks what, for which purpose, which sums, what is near in words; and her
 * decision, signed by `maille officer` and brought to the site by `maille-worker decide`. No count is here.
 */
#include "cli/web/pages.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/sandbox_process.h"
#include "cli/web/home.h"
#include "proto/decision.h"
#include "report/page.h"
#include "report/pending.h"
#include "web/layout.h"

enum { QUESTIONS_MAX = 1000, ID_DIGITS = 64 };

static const char *question_path(struct arena *arena, const struct home *home, const char *id,
                                 const char *end)
{
    return arena_printf(arena, "%s/%s.%s", home->inbox, id, end);
}

static bool is_id(const char *text)
{
    return text != NULL && strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS;
}

/* What is asked, or NULL. The file may be of another party's making: no link is followed. */
static const char *question_text(struct arena *arena, const struct home *home, const char *id)
{
    struct bytes text = {0};
    const char *found = NULL;
    if (is_id(id) && file_read_regular(&text, question_path(arena, home, id, "pending"), PENDING_BYTES_MAX,
                                       NULL) == MAILLE_OK)
        found = arena_strndup(arena, text.length > 0 ? (const char *)text.data : "", text.length);
    bytes_clear(&text);
    return found;
}

/* What names a text: she signs the one that she has read. */
static const char *hash_of(struct arena *arena, const char *text)
{
    struct digest digest;
    char hex[2 * HASH_BYTES + 1];
    decision_pending_hash(&digest, text, strlen(text));
    bytes_to_hex(hex, digest.b, HASH_BYTES);
    return arena_strdup(arena, hex);
}

/* The value of a line "key: value" of the head; "" where there is none. */
static const char *value_of(struct arena *arena, const char *text, const char *key)
{
    const size_t length = strlen(key);
    for (const char *line = text; *line != '\0' && *line != '\n';) {
        const size_t whole = strcspn(line, "\n");
        if (whole > length + 1 && strncmp(line, key, length) == 0 && line[length] == ':')
            return arena_strndup(arena, line + length + 2, whole - length - 2);
        line += whole + (line[whole] == '\n');
    }
    return "";
}

static size_t list_questions(const char **ids, struct arena *arena, const struct home *home)
{
    struct dirent **entries = NULL;
    const int found = scandir(home->inbox, &entries, NULL, alphasort);
    size_t n = 0;
    for (int i = 0; i < found; i++) {
        const char *name = entries[i]->d_name;
        if (strlen(name) == ID_DIGITS + strlen(".pending") && strcmp(name + ID_DIGITS, ".pending") == 0 &&
            n < QUESTIONS_MAX) {
            const char *id = arena_strndup(arena, name, ID_DIGITS);
            if (is_id(id))
                ids[n++] = id;
        }
        free(entries[i]);
    }
    free(entries);
    return n;
}

static bool is_decided(struct arena *arena, const struct home *home, const char *id)
{
    return file_exists(question_path(arena, home, id, "decision"));
}

static void put_row(struct web_layout *page, struct arena *arena, const struct home *home, const char *id)
{
    struct html *h = &page->html;
    const char *text = question_text(arena, home, id);
    const bool decided = is_decided(arena, home, id);
    if (text == NULL)
        return;
    const char *title = value_of(arena, text, "title"), *asked = value_of(arena, text, "asked");
    html_open(h, "tr");
    html_open(h, "th");
    html_set(h, "scope", "row");
    web_link(page, arena_printf(arena, "/question?q=%s", id), NULL, title[0] != '\0' ? title : id);
    html_close(h);
    html_element(h, "td", NULL, value_of(arena, text, "researcher"));
    html_element(h, "td", NULL, value_of(arena, text, "purpose"));
    html_element(h, "td", "w",
                 arena_printf(arena, "%.10s %.5s", asked, strlen(asked) > 16 ? asked + 11 : ""));
    html_open(h, "td");
    const bool one_of_two = file_exists(question_path(arena, home, id, "first"));
    web_say_element(page, "span", decided ? "state good" : "state going",
                    decided      ? WEB_decided
                    : one_of_two ? WEB_first_signed
                                 : WEB_waits);
    html_close(h);
    html_close(h);
    html_newline(h);
}

void cli_web_questions(const struct web_request *request, struct web_reply *reply)
{
    static const enum web_word titles[] = {WEB_study, WEB_who_asks, WEB_purpose, WEB_asked, WEB_state};
    struct web_layout page = {0};
    struct html *h = &page.html;
    const struct home *home = home_of(request);
    const char **ids = arena_array(request->arena, QUESTIONS_MAX, sizeof *ids);
    const size_t n = list_questions(ids, request->arena, home);
    web_layout_open(&page, request, web_word(request->language, WEB_to_decide), NULL);
    html_open(h, "p");
    html_set(h, "class", "lead");
    html_textf(h, web_say(&page, n > 0 ? WEB_decide_lead : WEB_nothing_waits),
               home->site != NULL ? home->site : home->inbox);
    html_close(h);
    if (n > 0) {
        page_table_open(h, web_say(&page, WEB_to_decide));
        html_open(h, "thead");
        html_open(h, "tr");
        for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
            page_header(h, "col", NULL, web_say(&page, titles[i]));
        html_close(h);
        html_close(h);
        html_open(h, "tbody");
        for (size_t i = 0; i < n; i++)
            put_row(&page, request->arena, home, ids[i]);
        html_close(h);
        page_table_close(h);
    }
    web_layout_send(&page, reply);
}

/* --- one of them --- */

/* "key: value" lines down to the first empty one, but for the first line, which names the form. */
static const char *put_facts(struct web_layout *page, const char *text)
{
    struct arena *arena = page->request->arena;
    const char *line = text;
    html_open(&page->html, "dl");
    while (*line != '\0' && *line != '\n') {
        const size_t whole = strcspn(line, "\n"), key = strcspn(line, ":");
        if (key < whole) {
            html_element(&page->html, "dt", NULL, arena_strndup(arena, line, key));
            html_element(&page->html, "dd", NULL, arena_strndup(arena, line + key + 1, whole - key - 1));
        }
        line += whole + (line[whole] == '\n');
    }
    html_close(&page->html);
    html_newline(&page->html);
    return line;
}

/* Each analysis under its own heading, its lines as they are. */
static void put_analyses(struct web_layout *page, const char *text)
{
    struct arena *arena = page->request->arena;
    struct bytes lines = {0};
    for (const char *line = text;; line += strcspn(line, "\n"), line += *line == '\n') {
        const size_t whole = strcspn(line, "\n");
        const bool heading = whole > 0 && line[0] != ' ';
        if ((heading || *line == '\0') && lines.length > 0) {
            html_open(&page->html, "pre");
            html_set(&page->html, "tabindex", "0");
            html_text(&page->html, arena_strndup(arena, (const char *)lines.data, lines.length));
            html_close(&page->html);
            lines.length = 0;
        }
        if (*line == '\0')
            break;
        if (heading)
            html_element(&page->html, "h3", NULL, arena_strndup(arena, line, whole));
        else if (whole > 4)
            bytes_printf(&lines, "%.*s\n", (int)(whole - 4), line + 4);
    }
    bytes_clear(&lines);
}

static void put_form(struct web_layout *page, const char *id, const char *hash, bool decided)
{
    struct html *h = &page->html;
    html_open(h, "section");
    html_set(h, "class", "take");
    html_set(h, "id", "decision");
    html_set(h, "data-query", id);
    html_set(h, "data-hash", hash);
    web_say_element(page, "h2", NULL, WEB_your_decision);
    web_say_element(page, "p", "n", WEB_decision_signed);
    html_open(h, "label");
    html_set(h, "for", "reason");
    html_text(h, web_say(page, WEB_reason));
    html_close(h);
    html_open(h, "input");
    html_set(h, "id", "reason");
    html_set(h, "type", "text");
    html_set(h, "maxlength", "200");
    html_set(h, "class", "wide-field");
    html_close(h);
    html_open(h, "p");
    html_set(h, "class", "tools");
    if (decided) {
        web_button(page, "stop", "plain", WEB_withdraw);
    } else {
        web_button(page, "approve", "button", WEB_approve);
        web_button(page, "deny", "plain", WEB_deny);
    }
    html_close(h);
    html_open(h, "p");
    html_set(h, "id", "verdict");
    html_set(h, "role", "status");
    html_close(h);
    html_close(h);
}

void cli_web_question(const struct web_request *request, struct web_reply *reply)
{
    struct web_layout page = {0};
    struct arena *arena = request->arena;
    const struct home *home = home_of(request);
    const char *id = web_query(request, "q"), *text = question_text(arena, home, id);
    struct bytes words = {0};
    struct maille_error error = {0};
    if (text == NULL) {
        maille_fail(&error, MAILLE_INVALID, "expected a study that waits here, found none of that id");
        web_layout_error(request, reply, &error);
        return;
    }
    report_pending_text(&words, text, request->language, arena);
    const char *said = arena_strndup(arena, words.length > 0 ? (const char *)words.data : "", words.length);
    const char *title = value_of(arena, text, "title");
    const char *study =
        strstr(said, request->language == LANGUAGE_FR ? "\nl'étude telle" : "\nthe study as it was signed:");
    web_layout_open(&page, request, title[0] != '\0' ? title : id, "/page/decide.js");
    const char *rest = put_facts(&page, said);
    web_say_element(&page, "h2", NULL, WEB_sums_and_near);
    put_analyses(&page,
                 study != NULL && study > rest ? arena_strndup(arena, rest, (size_t)(study - rest)) : rest);
    put_form(&page, id, hash_of(arena, text), is_decided(arena, home, id));
    if (study != NULL) {
        web_say_element(&page, "h2", NULL, WEB_study_as_asked);
        html_open(&page.html, "pre");
        html_set(&page.html, "tabindex", "0");
        html_text(&page.html, study + 1 + strcspn(study + 1, "\n") + 1);
        html_close(&page.html);
    }
    bytes_clear(&words);
    web_layout_send(&page, reply);
}

/* A study that is no longer here as a question: it runs, or is about to. The record links to it by its id. */
void cli_web_withdraw(const struct web_request *request, struct web_reply *reply)
{
    struct web_layout page = {0};
    struct maille_error error = {0};
    const char *id = web_query(request, "q");
    if (!is_id(id)) {
        maille_fail(&error, MAILLE_INVALID, "expected the id of a study, found another word");
        web_layout_error(request, reply, &error);
        return;
    }
    web_layout_open(&page, request, web_word(request->language, WEB_withdraw), "/page/decide.js");
    web_say_element(&page, "p", "lead", WEB_withdraw_lead);
    html_element(&page.html, "p", "n", id);
    put_form(&page, id, "", true);
    web_layout_send(&page, reply);
}

/* --- the decision --- */

/* Brings what was signed to the site whose folder this is; else puts a copy into the inbox, for who carries
 * it: others write there, so no link of theirs is followed. */
static enum maille_code hand_over(const struct home *home, const char *file, const char *there,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char program[PATH_MAX];
    struct bytes text = {0};
    if (home->site != NULL) {
        sandbox_program_path(program, "maille-worker");
        const char *argv[] = {program, "decide", file, "--dir", home->site, NULL};
        return sandbox_program_run(argv, error);
    }
    MAILLE_TRY(file_read(&text, file, PENDING_BYTES_MAX, error));
    MAILLE_TRY(file_write_shared(there, text.data, text.length, 0600, error));
out:
    bytes_clear(&text);
    return code;
}

void cli_web_decide(const struct web_request *request, struct web_reply *reply)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = request->arena;
    const struct home *home = home_of(request);
    const char *id = web_query(request, "q"), *kind = web_query(request, "kind");
    const char *reason =
        arena_strndup(arena, request->length > 0 ? (const char *)request->body : "", request->length);
    struct maille_error error = {0};
    struct bytes said = {0}, out = {0};
    struct json_put to = {.out = &out};
    const char *text = question_text(arena, home, id), *read = web_query(request, "h");
    const bool stop = kind != NULL && strcmp(kind, "stop") == 0;
    if (kind == NULL || (stop ? !is_id(id) : text == NULL) ||
        (strcmp(kind, "approve") != 0 && strcmp(kind, "deny") != 0 && !stop)) {
        code = maille_fail(&error, MAILLE_INVALID,
                           "expected approve, deny or stop of a study that waits here, found another");
        goto out;
    }
    if (!stop && (read == NULL || strcmp(read, hash_of(arena, text)) != 0)) {
        code = maille_fail(
            &error, MAILLE_INVALID,
            "expected the question that you have read, found that it has changed since; read it again");
        goto out;
    }
    const char *asked = arena_printf(arena, "%s/%s.asked", home->folder, id); /* nobody else's from here on */
    if (!stop)
        MAILLE_TRY(file_write_atomic(asked, text, strlen(text), 0600, &error));
    const char *file = arena_printf(arena, "%s/%s.%s", home->folder, id, kind);
    const char *there = question_path(arena, home, id, stop ? "stop" : "decision");
    const char *words[] = {"officer",
                           kind,
                           stop ? id : asked,
                           "--key",
                           home->access.key,
                           "--out",
                           file,
                           arena_printf(arena, "--reason=%s", reason),
                           NULL,
                           NULL,
                           NULL};
    if (home->access.credential != NULL) {
        words[8] = "--credential";
        words[9] = home->access.credential;
    }
    if (web_command(cli_officer, words, NULL, &said) != 0) {
        code = maille_fail(&error, MAILLE_FAILED, "%.*s", (int)said.length, (const char *)said.data);
        goto out;
    }
    MAILLE_TRY(hand_over(home, file, there, &error));
    json_put_object(&to, NULL);
    json_put_boolean(&to, "handed", home->site != NULL);
    json_put_text(&to, "file", home->site != NULL ? file : there);
    json_put_end(&to);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
out:
    bytes_clear(&said);
    bytes_clear(&out);
    if (code != MAILLE_OK)
        web_reply_error(reply, &error);
}
