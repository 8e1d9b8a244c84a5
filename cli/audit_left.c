/* Tables of maille audit show: the rules, and what left, down to the very numbers where the officer's key
 * opened them. */
#include <string.h>

#include "cli/audit_private.h"
#include "disclosure/rule.h"

enum { NUMBERS_SHOWN = 24, COLUMNS_MAX = 6, COLUMN_MAX = 30, GROUP_WIDTH = 44 };

static int characters(const char *text)
{
    int shown = 0;
    for (const char *c = text; *c != '\0'; c++)
        shown += ((uint8_t)*c & 0xc0) != 0x80;
    return shown;
}

void audit_cell(const char *text, int width)
{
    fputs(text, stdout);
    for (int shown = characters(text); shown < width; shown++)
        putchar(' ');
    if (characters(text) >= width)
        putchar(' ');
}

static void right(const char *text, int width)
{
    for (int shown = characters(text); shown < width; shown++)
        putchar(' ');
    fputs(text, stdout);
}

/* --- rules --- */

static bool same_rule(const struct audit_rule *a, const struct audit_rule *b)
{
    return strcmp(a->rule, b->rule) == 0 && strcmp(a->result, b->result) == 0 &&
           strcmp(a->value, b->value) == 0;
}

/* How many analyses the rules speak of. */
static size_t analyses_of(const struct book_query *query)
{
    size_t n = 0;
    for (size_t i = 0; i < query->n_rules; i++) {
        bool before = query->rules[i].analysis[0] == '\0';
        for (size_t k = 0; k < i && !before; k++)
            before = strcmp(query->rules[i].analysis, query->rules[k].analysis) == 0;
        n += !before;
    }
    return n;
}

void audit_show_rules(struct arena *arena, const struct book_query *query, enum language language)
{
    const size_t all = analyses_of(query);
    if (query->n_rules == 0)
        return;
    printf("\n  %s\n    ", word(language, WORD_RULES));
    audit_cell(word(language, WORD_RULE), 21);
    audit_cell(word(language, WORD_RESULT), 18);
    audit_cell(word(language, WORD_DEMANDED), 60);
    puts(word(language, WORD_ANALYSIS));
    for (size_t i = 0; i < query->n_rules; i++) {
        const struct audit_rule *rule = &query->rules[i];
        const char *names = "";
        size_t n = 0;
        bool before = false;
        for (size_t k = 0; k < i && !before; k++)
            before = same_rule(rule, &query->rules[k]);
        if (before)
            continue;
        for (size_t k = i; k < query->n_rules; k++)
            if (same_rule(rule, &query->rules[k]) && query->rules[k].analysis[0] != '\0') {
                names = arena_printf(arena, "%s%s%s", names, n > 0 ? ", " : "", query->rules[k].analysis);
                n++;
            }
        fputs("    ", stdout);
        audit_cell(rule->rule, 21);
        audit_cell(word_of_result(language, rule->result), 18);
        const struct rule *known = rule_find(rule->rule);
        const char *value = known != NULL ? rule_translate(arena, known, rule->value, language) : rule->value;
        audit_cell(value == rule->value ? word_of_text(arena, language, value) : value, 60);
        puts(n == 0 || n == all ? word(language, WORD_ALL) : names);
        if (known != NULL && strcmp(rule->result, "refused") == 0)
            printf("        %s\n", rule_reason(arena, rule->rule, language));
    }
}

/* --- numbers --- */

size_t audit_split(const char ***list, struct arena *arena, const char *text)
{
    size_t n = text[0] != '\0';
    for (const char *c = text; *c != '\0'; c++)
        n += *c == '|';
    const char **parts = arena_array(arena, n + 1, sizeof *parts);
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn(text, "|");
        parts[i] = arena_strndup(arena, text, length);
        text += length + (text[length] == '|');
    }
    *list = parts;
    return n;
}

static void put_more(uint64_t left, enum language language)
{
    if (left > 0)
        printf("            … %llu %s\n", (unsigned long long)left, word(language, WORD_MORE_NUMBERS));
}

/* One line a group, one column a value. */
static void show_table(const char **groups, size_t n_groups, const char **values, size_t n_values,
                       const char **numbers, size_t shown, enum language language, struct arena *arena)
{
    int widths[COLUMNS_MAX];
    fputs("            ", stdout);
    audit_cell(n_groups > 1 ? word(language, WORD_GROUP) : "", GROUP_WIDTH);
    for (size_t v = 0; v < n_values; v++) {
        const char *name = word_of_text(arena, language, values[v]);
        widths[v] = characters(name) > 14 ? characters(name) : 14;
        for (size_t i = v; i < shown; i += n_values)
            widths[v] = characters(numbers[i]) > widths[v] ? characters(numbers[i]) : widths[v];
        right(name, widths[v] + 2);
    }
    putchar('\n');
    for (size_t g = 0; g < n_groups && (g + 1) * n_values <= shown; g++) {
        fputs("            ", stdout);
        audit_cell(groups != NULL ? word_of_text(arena, language, groups[g]) : "", GROUP_WIDTH);
        for (size_t v = 0; v < n_values; v++)
            right(numbers[g * n_values + v], widths[v] + 2);
        putchar('\n');
    }
}

/* One line a number. */
static void show_list(const char **groups, const char **values, size_t n_values, const char **numbers,
                      size_t shown, enum language language, struct arena *arena)
{
    for (size_t i = 0; i < shown; i++) {
        const char *group = groups != NULL ? word_of_text(arena, language, groups[i / n_values]) : "";
        const char *value = values != NULL ? word_of_text(arena, language, values[i % n_values]) : "";
        const char *name = group[0] == '\0' && value[0] == '\0'
                               ? arena_printf(arena, "%zu", i + 1)
                               : arena_printf(arena, "%s%s%s", group,
                                              group[0] != '\0' && value[0] != '\0' ? ": " : "", value);
        fputs("            ", stdout);
        audit_cell(name, 60);
        right(numbers[i], 16);
        putchar('\n');
    }
}

static void show_block(const struct audit_released *block, const char **numbers, struct arena *arena,
                       enum language language, bool all)
{
    const char **groups = NULL, **values = NULL;
    size_t n_groups = audit_split(&groups, arena, block->groups),
           n_values = audit_split(&values, arena, block->values);
    const size_t n = (size_t)block->numbers;
    size_t shown = all || n <= NUMBERS_SHOWN ? n : NUMBERS_SHOWN, widest = 0;
    if (n == 1) {
        printf("          %s: %s\n", word_of_text(arena, language, block->what), numbers[0]);
        return;
    }
    printf("          %s\n", word_of_text(arena, language, block->what));
    for (size_t v = 0; v < n_values; v++)
        widest = (size_t)characters(values[v]) > widest ? (size_t)characters(values[v]) : widest;
    if (n_values == 0 ||
        (n_groups > 0 ? n_groups : n / n_values) * n_values != n) { /* names are not recorded, or too many */
        n_values = n_values > 0 && n % n_values == 0 ? n_values : 1;
        n_groups = 0;
        values = n_values > 1 ? values : NULL;
    }
    if (n_groups == 0 && n_values >= 1 && n / n_values > 1) { /* groups without names have their number */
        groups = arena_array(arena, n / n_values, sizeof *groups);
        for (size_t g = 0; g < n / n_values; g++)
            groups[g] = arena_printf(arena, "%zu", g + 1);
    } else if (n_groups == 0)
        groups = NULL;
    if (values != NULL && n_values <= COLUMNS_MAX && widest <= COLUMN_MAX) {
        shown -= shown % n_values;
        show_table(groups, n / n_values, values, n_values, numbers, shown, language, arena);
    } else
        show_list(groups, values, n_values, numbers, shown, language, arena);
    put_more(n - shown, language);
}

/* --- what left --- */

static void show_parts(struct arena *arena, const struct book_vector *vector, enum language language,
                       bool all)
{
    struct book_part part = {0};
    char text[64];
    fputs("          ", stdout);
    audit_cell(word(language, WORD_ANALYSIS), 24);
    audit_cell(word(language, WORD_METHOD), 12);
    right(word(language, WORD_NUMBERS), 9);
    printf("  %s\n", word(language, WORD_VARIABLES));
    while (book_next_part(&part, arena, vector)) {
        const struct audit_released *first = &vector->released[part.first];
        snprintf(text, sizeof text, "%llu", (unsigned long long)part.numbers);
        fputs("          ", stdout);
        audit_cell(first->analysis, 24);
        audit_cell(first->method, 12);
        right(text, 9);
        printf("  %s\n", part.variables[0] != '\0' ? part.variables : "–");
    }
    if (vector->numbers == NULL)
        return;
    part = (struct book_part){0};
    while (book_next_part(&part, arena, vector)) {
        size_t at = part.first_number;
        printf("\n        %s (%s)\n", vector->released[part.first].analysis,
               vector->released[part.first].method);
        for (size_t b = part.first; b < part.first + part.n; b++) {
            show_block(&vector->released[b], &vector->numbers[at], arena, language, all);
            at += (size_t)vector->released[b].numbers;
        }
    }
}

static void show_unnamed(const struct book_vector *vector, enum language language, bool all)
{
    const size_t shown = all || vector->n_numbers <= NUMBERS_SHOWN ? vector->n_numbers : NUMBERS_SHOWN;
    for (size_t i = 0; i < shown; i++)
        printf("            %-8zu %s\n", i + 1, vector->numbers[i]);
    put_more(vector->n_numbers - shown, language);
}

void audit_show_left(struct arena *arena, const struct book_query *query, enum language language, bool all)
{
    char when[32];
    if (query->n_vectors == 0) {
        printf("\n  %s\n", word(language, WORD_NOTHING_LEFT));
        return;
    }
    printf("\n  %s\n", word(language, WORD_LEFT));
    for (size_t i = 0; i < query->n_vectors; i++) {
        const struct book_vector *vector = &query->vectors[i];
        book_time(when, vector->utc_ms);
        printf("\n      %s %llu, %s: ", word(language, WORD_ENTRY), (unsigned long long)vector->sequence,
               when);
        if (vector->round > 0)
            printf("%s %u.%u, %zu %s, ", word(language, WORD_ROUND), vector->round, vector->attempt,
                   vector->n_members, word(language, WORD_SITES));
        printf("%llu %s%s%s\n", (unsigned long long)vector->bytes, word(language, WORD_BYTES),
               vector->n_released == 0 ? ": " : "", vector->n_released == 0 ? vector->detail : "");
        if (vector->threshold)
            printf("        %s\n", word(language, WORD_SITES_ALONE));
        if (vector->replay[0] != '\0')
            printf("        %s\n",
                   strcmp(vector->replay, "=") == 0 ? word(language, WORD_SAME_BYTES) : vector->replay);
        if (vector->n_released > 0)
            show_parts(arena, vector, language, all);
        else if (vector->numbers != NULL)
            show_unnamed(vector, language, all);
    }
}
