/* A study as it is written: its text, and what `maille check` says of it. */
#include "cli/web/pages.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "cli/commands.h"
#include "cli/web/home.h"
#include "proto/directory.h"
#include "web/layout.h"

/* What a first study looks like here: a purpose and a registration that the network has. */
static const char *first_text(struct arena *arena, const struct home *home)
{
    enum { DAYS = 365 };
    const struct directory *directory = home->access.directory;
    const char *name = "DICTIONARY";
    int64_t version = 1;
    struct bytes text = {0};
    struct maille_error ignored;
    const struct dictionary *dictionary = NULL;
    char until[16];
    if (file_read(&text, arena_printf(arena, "%s/dictionary.yaml", home->folder), HOME_TEXT_MAX, &ignored) ==
            MAILLE_OK &&
        dictionary_parse(&dictionary, arena, "dictionary.yaml", (const char *)text.data, text.length,
                         &ignored) == MAILLE_OK) {
        name = dictionary->name;
        version = dictionary->version;
    }
    bytes_clear(&text);
    number_format_date(until, (int32_t)(time(NULL) / 86400) + DAYS);
    return arena_printf(arena,
                        "study: first-look\n"
                        "dictionary: %s@%lld\n"
                        "title: \n"
                        "purpose: %s\n"
                        "legal_basis: \n"
                        "protocol: %s\n"
                        "expires: %s\n"
                        "sites: all\n"
                        "analyses:\n"
                        "  - { id: patients, method: count }\n",
                        name, (long long)version, directory->n_purposes > 0 ? directory->purposes[0] : "",
                        directory->registrations.n > 0 ? directory->registrations.list[0].id : "", until);
}

void cli_web_study(const struct web_request *request, struct web_reply *reply)
{
    struct web_layout page = {0};
    struct html *h = &page.html;
    const struct home *home = home_of(request);
    const char *number = NULL;
    struct maille_error ignored;
    const char *text = home_asked(&number, request, &ignored) == MAILLE_OK
                           ? home_text(request->arena, home, number, "study.yaml")
                           : first_text(request->arena, home);
    web_layout_open(&page, request, web_word(request->language, WEB_new_study), "/page/study.js");
    web_say_element(&page, "p", "lead", WEB_study_lead);
    html_open(h, "noscript");
    web_say_element(&page, "p", "no", WEB_needs_script);
    html_close(h);
    html_open(h, "label");
    html_set(h, "for", "text");
    html_text(h, web_say(&page, WEB_study_text));
    html_close(h);
    html_open(h, "textarea");
    html_set(h, "id", "text");
    html_set(h, "rows", "18");
    html_set(h, "spellcheck", "false");
    html_set(h, "autocapitalize", "off");
    html_set(h, "aria-describedby", "verdict");
    html_text(h, "\n"); /* HTML takes the first line break away */
    html_text(h, text);
    html_close(h);
    html_open(h, "details"); /* its fields are drawn from the method table (page/form.js) */
    html_set(h, "id", "by-form");
    html_set(h, "hidden", "");
    web_say_element(&page, "summary", NULL, WEB_by_form);
    html_open(h, "div");
    html_set(h, "id", "form");
    html_close(h);
    html_close(h);
    html_open(h, "p");
    html_set(h, "id", "verdict");
    html_set(h, "role", "status");
    html_close(h);
    html_open(h, "ul");
    html_set(h, "id", "findings");
    html_close(h);
    html_open(h, "p");
    web_button(&page, "ask", "button", WEB_ask);
    html_close(h);
    web_say_element(&page, "h2", NULL, WEB_before);
    html_open(h, "div");
    html_set(h, "id", "before");
    html_close(h);
    web_layout_send(&page, reply);
}

void cli_web_check(const struct web_request *request, struct web_reply *reply)
{
    const struct home *home = home_of(request);
    struct arena *arena = request->arena;
    const char *draft = arena_printf(arena, "%s/draft-%d.yaml", home->folder, (int)getpid());
    const char *policy = arena_printf(arena, "%s/policy.yaml", home->folder);
    const char *words[] = {"check", "--json",   "--network", home->access.network,
                           draft,   "--policy", policy,      NULL};
    struct bytes out = {0};
    struct maille_error error = {0};
    if (!file_exists(policy))
        words[5] = NULL;
    if (file_write_atomic(draft, request->body, request->length, 0600, &error) != MAILLE_OK) {
        web_reply_error(reply, &error);
        return;
    }
    web_command(cli_check, words, &out, NULL);
    unlink(draft);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
    bytes_clear(&out);
}

void cli_web_schema(const struct web_request *request, struct web_reply *reply)
{
    static const char *const words[] = {"schema", "methods", NULL};
    struct bytes out = {0};
    (void)request;
    web_command(cli_schema, words, &out, NULL);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
    bytes_clear(&out);
}
