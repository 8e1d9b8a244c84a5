/* What happened at a site, and what its log is worth: the pages of `maille audit page`, inside this one. */
#include "cli/web/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/audit_page.h"
#include "cli/commands.h"
#include "cli/web/home.h"
#include "web/layout.h"

struct opened {
    struct web_layout layout;
    const struct web_request *request;
};

static void begin(void *context, const char *title, const char *lead)
{
    struct opened *opened = context;
    web_layout_open(&opened->layout, opened->request, title, NULL);
    html_element(&opened->layout.html, "p", "lead", lead);
}

static enum maille_code read_all(struct audit_page *page, const struct web_request *request,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct home *home = home_of(request);
    struct audit_page_command command = {
        .against = {.network = home->access.network, .witness = home->witness, .programs = home->programs},
        .key = home->access.key,
        .credential = home->access.credential};
    bool sound;
    MAILLE_TRY(audit_against_read(&command.against, request->arena, error));
    MAILLE_TRY(audit_page_read(page, &command, home->logs, home->n_logs, &sound, error));
out:
    return code;
}

/* number 0: the first page; else the study of that number. */
static void show(const struct web_request *request, struct web_reply *reply, size_t number)
{
    struct opened opened = {.request = request};
    const struct audit_frame frame = {.begin = begin,
                                      .context = &opened,
                                      .index = "/record",
                                      .study = "/record-study?n=",
                                      .others = "/register?what=",
                                      .stop = "/withdraw?q="};
    struct audit_page page = {.frame = &frame, .language = request->language, .arena = request->arena};
    struct maille_error error = {0};
    if (read_all(&page, request, &error) != MAILLE_OK) {
        web_layout_error(request, reply, &error);
        return;
    }
    if (number == 0)
        audit_page_index_write(&opened.layout.html, &page);
    for (size_t i = 0; number > 0 && i < page.n_logs; i++) {
        const struct page_log *log = &page.logs[i];
        if (log->told && number > log->first && number <= log->first + log->book.n_queries)
            audit_page_study_write(&opened.layout.html, &page, log,
                                   &log->book.queries[number - log->first - 1]);
    }
    if (opened.layout.request != NULL) {
        web_layout_send(&opened.layout, reply);
        return;
    }
    maille_fail(&error, MAILLE_INVALID, "expected a study of these logs, found none of that number");
    web_layout_error(request, reply, &error);
}

void cli_web_record(const struct web_request *request, struct web_reply *reply)
{
    show(request, reply, 0);
}

void cli_web_record_study(const struct web_request *request, struct web_reply *reply)
{
    const char *said = web_query(request, "n");
    const unsigned long number = said == NULL ? 0 : strtoul(said, NULL, 10);
    show(request, reply, number == 0 ? SIZE_MAX : number);
}

/* A register, as maille audit page writes it beside its pages. */
void cli_web_register(const struct web_request *request, struct web_reply *reply)
{
    enum { WORDS_MAX = 32, LOGS_MAX = 8 };
    static const char *const names[] = {"register.csv", "register.json", "releases.csv", "access.csv",
                                        "audit.json"};
    const struct home *home = home_of(request);
    const char *what = web_query(request, "what"), *found = NULL;
    const char *folder = arena_printf(request->arena, "%s/register", home->folder);
    const char *words[WORDS_MAX] = {"audit",           "page",  "--network", home->access.network, "--lang",
                                    web_lang(request), "--out", folder};
    size_t n = 8;
    struct maille_error error = {0};
    struct bytes said = {0}, out = {0};
    for (size_t i = 0; what != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], what) == 0)
            found = names[i];
    for (size_t i = 0; i < home->n_logs && i < LOGS_MAX; i++)
        words[n++] = home->logs[i];
    if (found == NULL)
        maille_fail(&error, MAILLE_INVALID, "expected the name of a register, found another");
    else if (web_command(cli_audit, words, NULL, &said) > 1)
        maille_fail(&error, MAILLE_FAILED, "%.*s", (int)said.length, (const char *)said.data);
    else if (file_read(&out, arena_printf(request->arena, "%s/%s", folder, found), HOME_TEXT_MAX, &error) ==
             MAILLE_OK)
        web_reply_all(reply, 200, strstr(found, ".csv") != NULL ? DOOR_CSV : DOOR_JSON, found, &out);
    if (error.code != MAILLE_OK)
        web_reply_error(reply, &error);
    bytes_clear(&said);
    bytes_clear(&out);
}
