/* The catalogue of variables, for reading and for the editor. */
#include "cli/web/pages.h"

#include <stdio.h>

#include "base/json.h"
#include "base/number.h"
#include "cli/web/network.h"
#include "report/page.h"
#include "web/layout.h"

enum { CATALOGUE_MS = 5000 };

/* Levels, or the least and the greatest value. */
static void describe(struct bytes *out, const struct variable *variable)
{
    char low[32], high[32];
    if (variable->type == VARIABLE_CATEGORY) {
        for (size_t l = 0; l < variable->n_levels; l++) {
            bytes_printf(out, "%s%s", l == 0 ? "" : ", ", variable->levels[l]);
            if (variable->labels != NULL)
                bytes_printf(out, " (%s)", variable->labels[l]);
        }
    } else if (variable->type == VARIABLE_DATE) {
        number_format_date(low, (int32_t)variable->min);
        number_format_date(high, (int32_t)variable->max);
        bytes_printf(out, "%s – %s", low, high);
    } else if (variable->type != VARIABLE_BOOLEAN) {
        number_format_double(low, variable->min);
        number_format_double(high, variable->max);
        bytes_printf(out, "%s – %s", low, high);
    }
}

static const char *described(struct arena *arena, const struct variable *variable)
{
    struct bytes words = {0};
    describe(&words, variable);
    const char *text = arena_strndup(arena, words.length > 0 ? (const char *)words.data : "", words.length);
    bytes_clear(&words);
    return text;
}

static void open_table(struct web_layout *page, enum web_word name, const enum web_word *titles, size_t n)
{
    page_table_open(&page->html, web_say(page, name));
    html_open(&page->html, "thead");
    html_open(&page->html, "tr");
    for (size_t i = 0; i < n; i++)
        page_header(&page->html, "col", NULL, web_say(page, titles[i]));
    html_close(&page->html);
    html_close(&page->html);
    html_open(&page->html, "tbody");
}

static void close_table(struct web_layout *page)
{
    html_close(&page->html);
    page_table_close(&page->html);
}

static void put_sites(struct web_layout *page, const struct network_known *known)
{
    static const enum web_word titles[] = {WEB_site, WEB_snapshot, WEB_patients, WEB_dictionary, WEB_policy};
    struct html *h = &page->html;
    web_say_element(page, "h2", NULL, WEB_sites);
    open_table(page, WEB_sites, titles, sizeof titles / sizeof *titles);
    for (size_t s = 0; s < known->n_sites; s++) {
        const struct network_site *site = &known->sites[s];
        html_open(h, "tr");
        page_header(h, "row", NULL, site->name);
        html_open(h, "td");
        if (site->is_signed)
            html_textf(h, "%u", site->snapshot);
        else
            html_text(h, web_say(page, WEB_unsigned_site));
        html_close(h);
        html_element(h, "td", "w", site->is_signed ? site->patients : "");
        html_open(h, "td");
        if (site->is_signed)
            html_textf(h, "%s@%lld", site->dictionary, (long long)site->dictionary_version);
        html_close(h);
        html_element(h, "td", NULL, site->is_signed ? site->policy : "");
        html_close(h);
        html_newline(h);
    }
    close_table(page);
}

static void put_variables(struct web_layout *page, const struct dictionary *dictionary, struct arena *arena)
{
    static const enum web_word titles[] = {WEB_variable, WEB_label, WEB_type, WEB_units, WEB_levels};
    struct html *h = &page->html;
    web_say_element(page, "h2", NULL, WEB_variables);
    html_open(h, "div");
    html_set(h, "class", "filterable");
    open_table(page, WEB_variables, titles, sizeof titles / sizeof *titles);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        const struct variable *variable = &dictionary->variables[v];
        html_open(h, "tr");
        html_open(h, "th");
        html_set(h, "scope", "row");
        html_element(h, "code", NULL, variable->name);
        html_close(h);
        html_element(h, "td", NULL, variable->label);
        html_element(h, "td", NULL, variable_type_name(variable->type));
        html_element(h, "td", NULL, variable->units);
        html_element(h, "td", NULL, described(arena, variable));
        html_close(h);
        html_newline(h);
    }
    close_table(page);
    html_close(h);
}

void cli_web_variables(const struct web_request *request, struct web_reply *reply)
{
    struct network_known known;
    struct maille_error error = {0};
    struct web_layout page = {0};
    if (network_ask(&known, request->arena, home_of(request), CATALOGUE_MS, &error) != MAILLE_OK) {
        web_layout_error(request, reply, &error);
        return;
    }
    web_layout_open(&page, request, web_word(request->language, WEB_variables), NULL);
    web_say_element(&page, "p", "lead", WEB_variables_lead);
    if (known.dictionary != NULL)
        put_variables(&page, known.dictionary, request->arena);
    put_sites(&page, &known);
    web_layout_send(&page, reply);
}

void cli_web_variables_json(const struct web_request *request, struct web_reply *reply)
{
    struct network_known known;
    struct maille_error error = {0};
    struct bytes out = {0};
    struct json_put to = {.out = &out};
    if (network_ask(&known, request->arena, home_of(request), CATALOGUE_MS, &error) != MAILLE_OK) {
        web_reply_error(reply, &error);
        return;
    }
    json_put_object(&to, NULL);
    json_put_text(&to, "dictionary",
                  known.dictionary == NULL ? NULL
                                           : arena_printf(request->arena, "%s@%lld", known.dictionary->name,
                                                          (long long)known.dictionary->version));
    json_put_list(&to, "variables");
    for (size_t v = 0; known.dictionary != NULL && v < known.dictionary->n_variables; v++) {
        const struct variable *variable = &known.dictionary->variables[v];
        json_put_object(&to, NULL);
        json_put_text(&to, "name", variable->name);
        json_put_text(&to, "label", variable->label);
        json_put_text(&to, "type", variable_type_name(variable->type));
        json_put_text(&to, "units", variable->units);
        json_put_text(&to, "values", described(request->arena, variable));
        json_put_end(&to);
    }
    json_put_end(&to);
    json_put_end(&to);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
    bytes_clear(&out);
}
