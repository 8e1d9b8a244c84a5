/* Whether the running worker is well, what it has counted, and which studies wait: as `status` and `pending`
 * say. */
#include "worker/web/pages.h"

#include <string.h>

#include "report/page.h"
#include "web/command.h"
#include "web/layout.h"
#include "worker/commands.h"

static const char *text_of(struct arena *arena, const struct bytes *bytes)
{
    return arena_strndup(arena, bytes->length > 0 ? (const char *)bytes->data : "", bytes->length);
}

/* "disk_free_bytes   18987053056  left on the disk …": a name, a value, what it means, two spaces between. */
static void put_figure(struct web_layout *page, const char *line, size_t length)
{
    struct arena *arena = page->request->arena;
    const char *end = line + length, *value = memchr(line, ' ', length);
    if (value == NULL || value == line)
        return;
    const char *name = arena_strndup(arena, line, (size_t)(value - line));
    value += strspn(value, " ");
    const char *gap = strstr(value, "  ");
    if (gap == NULL || gap >= end)
        return;
    const char *meaning = gap + strspn(gap, " ");
    html_open(&page->html, "tr");
    page_header(&page->html, "row", NULL, name);
    html_element(&page->html, "td", "r w", arena_strndup(arena, value, (size_t)(gap - value)));
    html_element(&page->html, "td", NULL, arena_strndup(arena, meaning, (size_t)(end - meaning)));
    html_close(&page->html);
    html_newline(&page->html);
}

static void put_figures(struct web_layout *page, const char *text)
{
    static const enum web_word titles[] = {WEB_figure, WEB_value, WEB_meaning};
    html_open(&page->html, "div");
    html_set(&page->html, "class", "filterable");
    page_table_open(&page->html, web_say(page, WEB_site_state));
    html_open(&page->html, "thead");
    html_open(&page->html, "tr");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        page_header(&page->html, "col", i == 1 ? "r" : NULL, web_say(page, titles[i]));
    html_close(&page->html);
    html_close(&page->html);
    html_open(&page->html, "tbody");
    for (const char *line = text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        put_figure(page, line, length);
        line += length + (line[length] == '\n');
    }
    html_close(&page->html);
    page_table_close(&page->html);
    html_close(&page->html);
}

/* What is not well: the lines that status sets in. */
static void put_problems(struct web_layout *page, const char *text)
{
    html_open(&page->html, "ul");
    html_set(&page->html, "class", "notes");
    for (const char *line = text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        if (length > 2 && line[0] == ' ')
            html_element(&page->html, "li", NULL, arena_strndup(page->request->arena, line + 2, length - 2));
        line += length + (line[length] == '\n');
    }
    html_close(&page->html);
    html_newline(&page->html);
}

/* A heading, and what a command prints. */
static void put_printed(struct web_layout *page, int (*command)(int, char **), const char *const *words,
                        enum web_word title)
{
    struct bytes out = {0};
    web_command(command, words, &out, NULL);
    web_say_element(page, "h2", NULL, title);
    html_open(&page->html, "pre");
    html_set(&page->html, "tabindex", "0");
    html_text(&page->html, text_of(page->request->arena, &out));
    html_close(&page->html);
    html_newline(&page->html);
    bytes_clear(&out);
}

void site_state(const struct web_request *request, struct web_reply *reply)
{
    const struct site_page *site = site_page_of(request);
    const char *lang = web_lang(request);
    const char *const status[] = {"status", "--dir", site->dir, "--lang", lang, NULL};
    const char *const studies[] = {"studies", "--dir", site->dir, "--lang", lang, NULL};
    const char *const pending[] = {"pending", "--dir", site->dir, "--lang", lang, NULL};
    struct web_layout page = {0};
    struct bytes out = {0}, said = {0};
    const int found = web_command(worker_status, status, &out, &said);
    web_layout_open(&page, request, web_word(request->language, WEB_site_state), NULL);
    if (found == 0) {
        html_open(&page.html, "p");
        web_say_element(&page, "span", "state good", WEB_well);
        html_close(&page.html);
    } else {
        html_open(&page.html, "p");
        html_set(&page.html, "class", "no");
        html_textf(&page.html, "%s ", web_say(&page, WEB_unwell));
        html_text(&page.html, text_of(request->arena, &said)); /* status itself failed */
        html_close(&page.html);
        put_problems(&page, text_of(request->arena, &out));
    }
    put_figures(&page, text_of(request->arena, &out));
    put_printed(&page, worker_pending, pending, WEB_waiting_studies);
    put_printed(&page, worker_studies, studies, WEB_last_studies);
    bytes_clear(&out);
    bytes_clear(&said);
    web_layout_send(&page, reply);
}
