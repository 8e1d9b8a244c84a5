/* What came of a study: where it stands, its results as the report has them, and files to take away. */
#include "cli/web/pages.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/web/home.h"
#include "query/study.h"
#include "report/page.h"
#include "report/report.h"
#include "web/layout.h"

enum { FILES_MAX = 512 };

static void download_link(struct web_layout *page, const char *number, const char *what, const char *text)
{
    html_open(&page->html, "li");
    web_link(page, arena_printf(page->request->arena, "/download?n=%s&what=%s", number, what), NULL, text);
    html_close(&page->html);
}

/* Names in a folder of the study, sorted; only those that a download may name. */
static size_t list_files(const char **names, struct arena *arena, const struct home *home, const char *number,
                         const char *folder)
{
    struct dirent **entries = NULL;
    const int found = scandir(home_path(arena, home, number, folder), &entries, NULL, alphasort);
    size_t n = 0;
    for (int i = 0; i < found; i++) {
        if (entries[i]->d_name[0] != '.' && door_is_word(entries[i]->d_name) && n < FILES_MAX)
            names[n++] = arena_strdup(arena, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return n;
}

static void put_files(struct web_layout *page, const struct home *home, const char *number,
                      const char *folder, enum web_word title)
{
    struct arena *arena = page->request->arena;
    const char *names[FILES_MAX];
    const size_t n = list_files(names, arena, home, number, folder);
    if (n == 0)
        return;
    html_open(&page->html, "details");
    html_open(&page->html, "summary");
    html_textf(&page->html, "%s (%zu)", web_say(page, title), n);
    html_close(&page->html);
    html_open(&page->html, "ul");
    html_set(&page->html, "class", "files");
    for (size_t i = 0; i < n; i++)
        download_link(page, number, names[i], names[i]);
    html_close(&page->html);
    html_close(&page->html);
}

/* How a program of the reader's own asks the same (clients/r, clients/python). */
static void put_code(struct web_layout *page, const struct home *home)
{
    const struct cli_access *access = &home->access;
    struct bytes code = {0};
    const bool sealed = access->credential != NULL;
    bytes_printf(&code,
                 "# R\nlibrary(maille)\nresult <- maille_run(\"study.yaml\", network = \"%s\",\n             "
                 "        key = \"%s\"%s%s%s)\n",
                 access->network, access->key, sealed ? ", credential = \"" : "",
                 sealed ? access->credential : "", sealed ? "\"" : "");
    bytes_printf(&code,
                 "\n# Python\nimport maille\nresult = maille.run(\"study.yaml\", \"%s\",\n                   "
                 " key=\"%s\"%s%s%s)\n",
                 access->network, access->key, sealed ? ", credential=\"" : "",
                 sealed ? access->credential : "", sealed ? "\"" : "");
    html_open(&page->html, "details");
    web_say_element(page, "summary", NULL, WEB_reproduce);
    web_say_element(page, "p", "n", WEB_reproduce_lead);
    html_open(&page->html, "pre");
    html_set(&page->html, "tabindex", "0");
    html_text(&page->html, arena_strndup(page->request->arena, code.length > 0 ? (const char *)code.data : "",
                                         code.length));
    html_close(&page->html);
    html_close(&page->html);
    bytes_clear(&code);
}

static void put_downloads(struct web_layout *page, const struct home *home, const char *number)
{
    html_open(&page->html, "section");
    html_set(&page->html, "class", "take");
    web_say_element(page, "h2", NULL, WEB_downloads);
    html_open(&page->html, "ul");
    html_set(&page->html, "class", "files");
    download_link(page, number, "everything.tar", web_say(page, WEB_everything));
    download_link(page, number, "report.html", web_say(page, WEB_report_file));
    download_link(page, number, "result.json", web_say(page, WEB_result_file));
    download_link(page, number, "bundle.tar", web_say(page, WEB_evidence));
    html_close(&page->html);
    put_files(page, home, number, "tables", WEB_tables);
    put_files(page, home, number, "figures", WEB_figures);
    put_code(page, home);
    html_close(&page->html);
}

static void put_results(struct web_layout *page, const struct home *home, const char *number)
{
    struct bytes text = {0};
    struct report report;
    struct maille_error error = {0};
    const char *path = home_path(page->request->arena, home, number, "result.json");
    if (file_read(&text, path, REPORT_BYTES_MAX, &error) == MAILLE_OK &&
        report_read(&report, page->request->arena, "result.json", text.data, text.length, &error) ==
            MAILLE_OK) {
        html_open(&page->html, "div");
        html_set(&page->html, "lang", "en"); /* whatever the page's: a report has one language */
        page_report(&page->html, &report, page->request->arena);
        html_close(&page->html);
    } else {
        html_element(&page->html, "p", "no", error.sentence);
    }
    bytes_clear(&text);
}

static void put_progress(struct web_layout *page, const char *number, enum home_state state)
{
    html_open(&page->html, "section");
    html_set(&page->html, "id", "progress");
    html_set(&page->html, "data-number", number);
    html_set(&page->html, "data-runs", state == HOME_RUNNING ? "yes" : "no");
    web_say_element(page, "h2", NULL, WEB_progress);
    html_open(&page->html, "p");
    html_set(&page->html, "id", "now");
    html_set(&page->html, "class", "now");
    html_set(&page->html, "role", "status");
    html_close(&page->html);
    html_open(&page->html, "progress");
    html_set(&page->html, "id", "bar");
    html_set(&page->html, "aria-label", web_say(page, WEB_progress));
    if (state != HOME_RUNNING)
        html_set(&page->html, "hidden", "");
    html_close(&page->html);
    html_open(&page->html, "ul");
    html_set(&page->html, "id", "said");
    html_set(&page->html, "class", "notes");
    html_close(&page->html);
    html_open(&page->html, "p");
    if (state == HOME_RUNNING)
        web_button(page, "cancel", "plain", WEB_cancel);
    else
        web_button(page, "resume", "button", WEB_resume);
    html_close(&page->html);
    html_close(&page->html);
}

void cli_web_answer(const struct web_request *request, struct web_reply *reply)
{
    struct web_layout page = {0};
    const struct home *home = home_of(request);
    const char *number = NULL;
    struct maille_error error = {0};
    struct study_heading heading;
    if (home_asked(&number, request, &error) != MAILLE_OK) {
        web_layout_error(request, reply, &error);
        return;
    }
    const char *text = home_text(request->arena, home, number, "study.yaml");
    const enum home_state state = home_state(request->arena, home, number);
    study_heading(&heading, request->arena, text, strlen(text));
    web_layout_open(&page, request, heading.title[0] != '\0' ? heading.title : number, "/page/run.js");
    if (state == HOME_DONE) {
        put_downloads(&page, home, number);
        put_results(&page, home, number);
    } else {
        put_progress(&page, number, state);
        html_open(&page.html, "details");
        web_say_element(&page, "summary", NULL, WEB_study_as_asked);
        html_element(&page.html, "pre", NULL, text);
        html_close(&page.html);
    }
    html_open(&page.html, "p");
    web_link(&page, arena_printf(request->arena, "/study?n=%s", number), NULL, web_say(&page, WEB_again));
    html_close(&page.html);
    web_layout_send(&page, reply);
}

/* --- files --- */

static enum maille_code add_files(struct archive_file *files, struct bytes *texts, size_t *n, const char *top,
                                  const char *folder, const struct web_request *request, const char *number,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = request->arena;
    const char *names[FILES_MAX];
    const size_t found = list_files(names, arena, home_of(request), number, folder);
    for (size_t i = 0; i < found && *n < FILES_MAX; i++) {
        const bool inside = folder[0] != '\0';
        const char *beneath = arena_printf(arena, "%s%s%s", folder, inside ? "/" : "", names[i]);
        const char *path = home_path(arena, home_of(request), number, beneath);
        if (!inside && (strcmp(names[i], "lock") == 0 || strcmp(names[i], "tables") == 0 ||
                        strcmp(names[i], "figures") == 0))
            continue;
        MAILLE_TRY(file_read(&texts[*n], path, HOME_TEXT_MAX, error));
        files[*n] = (struct archive_file){arena_printf(arena, "%s/%s", top, beneath), texts[*n].data,
                                          texts[*n].length};
        ++*n;
    }
out:
    return code;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct archive_file *)a)->name, ((const struct archive_file *)b)->name);
}

static enum maille_code everything(struct bytes *out, const struct web_request *request, const char *number,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static struct archive_file files[FILES_MAX];
    static struct bytes texts[FILES_MAX]; /* this process ends with its answer */
    const char *top = arena_printf(request->arena, "study-%s", number);
    size_t n = 0;
    MAILLE_TRY(add_files(files, texts, &n, top, "", request, number, error));
    MAILLE_TRY(add_files(files, texts, &n, top, "figures", request, number, error));
    MAILLE_TRY(add_files(files, texts, &n, top, "tables", request, number, error));
    qsort(files, n, sizeof *files, by_name);
    MAILLE_TRY(archive_write(out, files, n, error));
out:
    for (size_t i = 0; i < n; i++)
        bytes_clear(&texts[i]);
    return code;
}

static enum maille_code bundle(struct bytes *out, const struct web_request *request, const char *number,
                               struct maille_error *error)
{
    const struct home *home = home_of(request);
    struct arena *arena = request->arena;
    const char *path = home_path(arena, home, number, "bundle.tar");
    struct bytes said = {0};
    enum maille_code code = MAILLE_OK;
    const char *words[] = {"bundle",
                           "--key",
                           home->access.key,
                           "--out",
                           path,
                           home_query(arena, home, number),
                           "--credential",
                           home->access.credential,
                           NULL};
    if (home->access.credential == NULL)
        words[6] = NULL;
    if (!file_exists(path) && web_command(cli_bundle, words, NULL, &said) != 0)
        code = maille_fail(error, MAILLE_FAILED, "%.*s", (int)said.length, (const char *)said.data);
    if (code == MAILLE_OK)
        code = file_read(out, path, REPORT_BYTES_MAX, error);
    bytes_clear(&said);
    return code;
}

static enum door_type type_of(const char *name)
{
    static const struct {
        const char *end;
        enum door_type type;
    } ends[] = {{".svg", DOOR_SVG},   {".pdf", DOOR_PDF}, {".csv", DOOR_CSV}, {".json", DOOR_JSON},
                {".html", DOOR_HTML}, {".tar", DOOR_TAR}, {".png", DOOR_PNG}, {".yaml", DOOR_TEXT}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof ends / sizeof *ends; i++)
        if (strcmp(dot, ends[i].end) == 0)
            return ends[i].type;
    return DOOR_TEXT;
}

static enum maille_code read_named(struct bytes *out, const struct web_request *request, const char *number,
                                   const char *what, struct maille_error *error)
{
    static const char *const folders[] = {"", "tables", "figures"};
    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
        const char *names[FILES_MAX];
        const size_t n = list_files(names, request->arena, home_of(request), number, folders[f]);
        for (size_t i = 0; i < n; i++)
            if (strcmp(names[i], what) == 0)
                return file_read(
                    out,
                    home_path(request->arena, home_of(request), number,
                              arena_printf(request->arena, "%s/%s", folders[f][0] ? folders[f] : ".", what)),
                    REPORT_BYTES_MAX, error);
    }
    return maille_fail(error, MAILLE_INVALID, "expected a file of this study, found none that is called %s",
                       what);
}

void cli_web_download(const struct web_request *request, struct web_reply *reply)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error error = {0};
    struct bytes out = {0};
    const char *number = NULL, *what = web_query(request, "what");
    MAILLE_TRY(home_asked(&number, request, &error));
    if (what == NULL || strlen(what) >= DOOR_NAME_MAX)
        code = maille_fail(&error, MAILLE_INVALID, "expected the name of a file, found none");
    else if (strcmp(what, "everything.tar") == 0)
        code = everything(&out, request, number, &error);
    else if (strcmp(what, "bundle.tar") == 0)
        code = bundle(&out, request, number, &error);
    else
        code = read_named(&out, request, number, what, &error);
    if (code == MAILLE_OK)
        web_reply_all(reply, 200, type_of(what), what, &out);
out:
    bytes_clear(&out);
    if (code != MAILLE_OK)
        web_reply_error(reply, &error);
}
