/* History: what was asked from here. */
#include "cli/web/pages.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "cli/web/home.h"
#include "query/study.h"
#include "report/page.h"
#include "web/layout.h"

static void put_row(struct web_layout *page, struct arena *arena, const struct home *home, const char *number)
{
    static const enum web_word words[] = {
        [HOME_RUNNING] = WEB_state_running, [HOME_DONE] = WEB_state_done, [HOME_STOPPED] = WEB_state_stopped};
    static const char *const classes[] = {
        [HOME_RUNNING] = "state going", [HOME_DONE] = "state good", [HOME_STOPPED] = "state"};
    const char *text = home_text(arena, home, number, "study.yaml");
    const enum home_state state = home_state(arena, home, number);
    struct study_heading heading;
    struct stat about;
    char when[32] = "";
    study_heading(&heading, arena, text, strlen(text));
    if (stat(home_path(arena, home, number, "study.yaml"), &about) == 0)
        clock_format(when, (int64_t)about.st_mtim.tv_sec * 1000);
    if (strlen(when) > 16)
        when[10] = ' ', when[16] = '\0';
    html_open(&page->html, "tr");
    html_element(&page->html, "td", "q", number);
    html_open(&page->html, "th");
    html_set(&page->html, "scope", "row");
    web_link(page, arena_printf(arena, "/answer?n=%s", number), NULL,
             heading.title[0] != '\0' ? heading.title : number);
    html_close(&page->html);
    html_element(&page->html, "td", "w", when);
    html_open(&page->html, "td");
    web_say_element(page, "span", classes[state], words[state]);
    html_close(&page->html);
    html_close(&page->html);
    html_newline(&page->html);
}

void cli_web_studies(const struct web_request *request, struct web_reply *reply)
{
    struct web_layout page = {0};
    const struct home *home = home_of(request);
    const char **numbers;
    const size_t n = home_list(&numbers, request->arena, home);
    web_layout_open(&page, request, web_word(request->language, WEB_studies), NULL);
    html_open(&page.html, "p");
    html_set(&page.html, "class", "lead");
    html_textf(&page.html, web_say(&page, n > 0 ? WEB_studies_lead : WEB_no_studies),
               home->access.directory->network);
    html_close(&page.html);
    html_open(&page.html, "p");
    web_link(&page, "/study", "button", web_say(&page, WEB_new_study));
    html_close(&page.html);
    if (n > 0) {
        static const enum web_word titles[] = {WEB_number, WEB_title, WEB_asked, WEB_state};
        page_table_open(&page.html, web_say(&page, WEB_studies));
        html_open(&page.html, "thead");
        html_open(&page.html, "tr");
        for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
            page_header(&page.html, "col", NULL, web_say(&page, titles[i]));
        html_close(&page.html);
        html_close(&page.html);
        html_open(&page.html, "tbody");
        for (size_t i = 0; i < n; i++)
            put_row(&page, request->arena, home, numbers[i]);
        html_close(&page.html);
        page_table_close(&page.html);
    }
    web_layout_send(&page, reply);
}
