/* The page of one question: what it was, what became of it step by step, which rules were asked, what left.
 */
#include <string.h>

#include "cli/audit_page.h"
#include "cli/audit_private.h"
#include "disclosure/rule.h"
#include "report/page.h"

enum { NUMBERS_SHOWN = 2000 };

static void put_facts(struct html *h, const struct audit_page *page, const struct page_log *log,
                      const struct book_query *query)
{
    const enum language language = page->language;
    char when[32];
    html_open(h, "dl");
    audit_page_fact(h, word(language, WORD_OUTCOME), audit_page_outcome(page, query));
    if (query->outcome_rule[0] != '\0' && rule_find(query->outcome_rule) != NULL)
        audit_page_fact(h, audit_page_say(page, "which means", "c'est-à-dire"),
                        rule_reason(page->arena, query->outcome_rule, language));
    audit_page_fact(h, word(language, WORD_DECIDED_BY),
                    query->decided_by[0] != '\0' ? query->decided_by : word(language, WORD_AUTOMATIC));
    audit_page_fact(h, word(language, WORD_REASON), query->decided_reason);
    audit_page_fact(h, word(language, WORD_ASKED_BY), query->requester);
    audit_page_fact(h, word(language, WORD_KEY), query->requester_key);
    audit_page_fact(h, word(language, WORD_STUDY), query->study);
    audit_page_fact(h, word(language, WORD_PURPOSE), query->purpose);
    audit_page_fact(h, word(language, WORD_LEGAL_BASIS), query->legal_basis);
    audit_page_fact(h, word(language, WORD_PROTOCOL), query->protocol);
    audit_page_fact(h, word(language, WORD_RECIPIENTS),
                    query->recipients[0] != '\0' ? query->recipients : query->requester);
    book_time(when, query->first_ms);
    audit_page_fact(h, word(language, WORD_ASKED_ON), when);
    book_time(when, query->last_ms);
    audit_page_fact(h, word(language, WORD_LAST), when);
    audit_page_fact(h, word(language, WORD_PATIENTS),
                    query->cohort_band[0] != '\0' ? query->cohort_band : word(language, WORD_NOT_RECORDED));
    if (query->snapshot > 0)
        audit_page_fact(h, word(language, WORD_SNAPSHOT), arena_printf(page->arena, "%u", query->snapshot));
    audit_page_fact(h, word(language, WORD_SITE), log->book.party);
    audit_page_fact(h, word(language, WORD_POLICY), query->policy);
    audit_page_fact(h, word(language, WORD_BUILD), query->build);
    audit_page_fact(h, word(language, WORD_QUERY), query->name);
    html_close(h);
    html_newline(h);
}

static void put_steps(struct html *h, const struct audit_page *page, const struct book_query *query)
{
    char when[32];
    page_section_open(h, "steps", word(page->language, WORD_STEPS));
    html_open(h, "ol");
    for (size_t i = 0; i < query->n_steps; i++) {
        book_time(when, query->steps[i].utc_ms);
        html_open(h, "li");
        html_textf(h, "%s  %s", when, word_of_step(page->arena, page->language, &query->steps[i]));
        html_close(h);
    }
    html_close(h);
    html_close(h);
    html_newline(h);
}

static void put_rules(struct html *h, const struct audit_page *page, const struct book_query *query)
{
    const enum language language = page->language;
    const char *const columns[] = {word(language, WORD_RULE), word(language, WORD_RESULT),
                                   word(language, WORD_DEMANDED), word(language, WORD_ANALYSIS), NULL};
    page_section_open(h, "rules", word(language, WORD_RULES));
    audit_page_rows(h, word(language, WORD_RULES), columns);
    for (size_t i = 0; i < query->n_rules; i++) {
        const struct audit_rule *rule = &query->rules[i];
        const struct rule *known = rule_find(rule->rule);
        html_open(h, "tr");
        page_header(h, "row", NULL, rule->rule);
        audit_page_cell(h, word_of_result(language, rule->result));
        const char *value =
            known != NULL ? rule_translate(page->arena, known, rule->value, language) : rule->value;
        audit_page_cell(h, value == rule->value ? word_of_text(page->arena, language, value) : value);
        audit_page_cell(h, rule->analysis[0] != '\0' ? rule->analysis : word(language, WORD_ALL));
        html_close(h);
    }
    audit_page_rows_end(h);
    html_close(h);
    html_newline(h);
}

/* One block of numbers: a row for each group, a column for each value, where they have names. */
static void put_block(struct html *h, const struct audit_page *page, const struct audit_released *block,
                      const char **numbers)
{
    const char **groups = NULL, **values = NULL;
    const size_t n = (size_t)block->numbers;
    size_t n_groups = audit_split(&groups, page->arena, block->groups);
    size_t n_values = audit_split(&values, page->arena, block->values);
    const char *what = word_of_text(page->arena, page->language, block->what);
    if (n_values == 0 || n % n_values != 0 || (n_groups > 0 && n_groups * n_values != n)) {
        n_values = 1; /* names are not recorded, or too many */
        n_groups = 0;
        values = NULL;
    }
    const char **columns = arena_array(page->arena, n_values + 2, sizeof *columns);
    columns[0] = word(page->language, WORD_GROUP);
    for (size_t v = 0; v < n_values; v++)
        columns[1 + v] = values != NULL ? word_of_text(page->arena, page->language, values[v])
                                        : word(page->language, WORD_NUMBERS);
    html_element(h, "p", "n", what);
    audit_page_rows(h, what, columns);
    for (size_t g = 0; g * n_values < n && g * n_values < NUMBERS_SHOWN; g++) {
        html_open(h, "tr");
        page_header(h, "row", NULL,
                    n_groups > 0 && groups[g][0] != '\0'
                        ? word_of_text(page->arena, page->language, groups[g])
                        : arena_printf(page->arena, "%zu", g + 1));
        for (size_t v = 0; v < n_values; v++)
            html_element(h, "td", "r", numbers[g * n_values + v]);
        html_close(h);
    }
    audit_page_rows_end(h);
    if (n > NUMBERS_SHOWN)
        html_element(h, "p", "n",
                     arena_printf(page->arena, "… %zu %s: audit.json", n - NUMBERS_SHOWN,
                                  audit_page_say(page, "more", "de plus")));
}

static void put_vector(struct html *h, const struct audit_page *page, const struct book_vector *vector)
{
    const enum language language = page->language;
    const char *const columns[] = {word(language, WORD_ANALYSIS), word(language, WORD_METHOD),
                                   word(language, WORD_VARIABLES), word(language, WORD_NUMBERS), NULL};
    struct book_part part = {0};
    char when[32];
    book_time(when, vector->utc_ms);
    html_open(h, "h3");
    html_textf(h, "%s %u.%u, %s, %llu %s", word(language, WORD_ROUND), vector->round, vector->attempt, when,
               (unsigned long long)vector->bytes, word(language, WORD_BYTES));
    html_close(h);
    if (vector->threshold)
        html_element(h, "p", "n", word(language, WORD_SITES_ALONE));
    if (vector->replay[0] != '\0')
        html_element(h, "p", NULL,
                     strcmp(vector->replay, "=") == 0 ? word(language, WORD_SAME_BYTES) : vector->replay);
    if (vector->n_released == 0) {
        html_element(h, "p", NULL, word_of_text(page->arena, language, vector->detail));
        return;
    }
    audit_page_rows(
        h, arena_printf(page->arena, "%s %u.%u", word(language, WORD_ROUND), vector->round, vector->attempt),
        columns);
    while (book_next_part(&part, page->arena, vector)) {
        html_open(h, "tr");
        page_header(h, "row", NULL, vector->released[part.first].analysis);
        audit_page_cell(h, vector->released[part.first].method);
        audit_page_cell(h, part.variables[0] != '\0' ? part.variables : "–");
        audit_page_number(h, part.numbers);
        html_close(h);
    }
    audit_page_rows_end(h);
    if (vector->numbers == NULL)
        return;
    html_open(h, "details");
    html_element(h, "summary", NULL, audit_page_say(page, "The very numbers", "Les nombres mêmes"));
    size_t at = 0;
    for (size_t b = 0; b < vector->n_released; b++) {
        put_block(h, page, &vector->released[b], &vector->numbers[at]);
        at += (size_t)vector->released[b].numbers;
    }
    html_close(h);
}

static void put_left(struct html *h, const struct audit_page *page, const struct book_query *query)
{
    page_section_open(h, "left", word(page->language, WORD_LEFT));
    if (query->n_vectors == 0)
        html_element(h, "p", NULL, word(page->language, WORD_NOTHING_LEFT));
    for (size_t i = 0; i < query->n_vectors; i++)
        put_vector(h, page, &query->vectors[i]);
    html_close(h);
    html_newline(h);
}

void audit_page_study_write(struct html *h, const struct audit_page *page, const struct page_log *log,
                            const struct book_query *query)
{
    const char *title = query->study[0] != '\0' ? query->study : query->name;
    audit_page_begin(h, page, title, audit_page_outcome(page, query), true);
    put_facts(h, page, log, query);
    if (audit_page_is_open(query) && !log->book.is_coordinator)
        audit_page_stop(h, page, query);
    put_steps(h, page, query);
    put_rules(h, page, query);
    put_left(h, page, query);
    if (query->study_text[0] != '\0') {
        page_section_open(h, "study", word(page->language, WORD_ASKED));
        html_open(h, "pre");
        html_set(h, "tabindex", "0");
        html_set(h, "role", "group");
        html_set(h, "aria-label", word(page->language, WORD_ASKED));
        html_text(h, query->study_text);
        html_close(h);
        html_close(h);
    }
    audit_page_end(h, page);
}
