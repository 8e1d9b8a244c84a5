/* docs/STUDY.md says what the parsers read: its tables are written from the rows that the parsers themselves
 * use, and its examples are parsed. `--write` puts the tables into the page. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/test.h"
#include "query/language.h"
#include "query/manual.h"
#include "query/yaml.h"
#include "stats/methods.h"

#define PAGE "docs/STUDY.md"

static void put(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

/* A cell: `|` would end it. */
static void put_cell(struct bytes *out, const char *text, bool code)
{
    if (code)
        put(out, "`");
    for (; *text != '\0'; text++) {
        if (*text == '|')
            put(out, "\\");
        bytes_put(out, text, 1);
    }
    put(out, code ? "` | " : " | ");
}

static void put_rows(struct bytes *out, const struct manual_row *rows, size_t n, const char *const *heads)
{
    for (size_t i = 0; heads[i] != NULL; i++) {
        put(out, i == 0 ? "| " : "");
        put(out, heads[i]);
        put(out, heads[i + 1] == NULL ? " |\n" : " | ");
    }
    put(out, "| --- | --- |");
    put(out, heads[2] == NULL ? "\n" : " --- |\n");
    for (size_t i = 0; i < n; i++) {
        put(out, "| ");
        if (heads[2] != NULL)
            put_cell(out, rows[i].name, true);
        put_cell(out, rows[i].form, heads[2] == NULL);
        put_cell(out, rows[i].meaning, false);
        out->length--;
        put(out, "\n");
    }
}

static void put_fallback(struct bytes *out, const struct query_key *key)
{
    char text[64] = "";
    const char *choice = key->choices;
    if (key->required) {
        put(out, ", required");
        return;
    }
    switch (key->kind) {
    case KEY_NUMBER:
        if (!isfinite(key->fallback))
            return;
        snprintf(text, sizeof text, ", default %.15g", key->fallback);
        break;
    case KEY_FLAG:
    case KEY_FLAG_OR_CHOICES:
        snprintf(text, sizeof text, ", default %s", key->fallback != 0 ? "true" : "false");
        break;
    case KEY_CHOICE:
        for (int i = 0; i < (int)key->fallback && strchr(choice, '|') != NULL; i++)
            choice = strchr(choice, '|') + 1;
        snprintf(text, sizeof text, ", default %.*s", (int)strcspn(choice, "|"), choice);
        break;
    default:
        break;
    }
    put(out, text);
}

static const char *kind_words(const struct query_key *key, char text[256])
{
    char limits[96] = "", choices[128];
    size_t n = 0;
    if (key->kind == KEY_NUMBER || key->kind == KEY_NUMBERS)
        snprintf(limits, sizeof limits, " from %.6g to %.6g", key->min, key->max);
    for (const char *c = key->choices; c != NULL && *c != '\0' && n + 3 < sizeof choices; c++) {
        if (*c == '|') {
            choices[n++] = ',';
            choices[n++] = ' ';
        } else {
            choices[n++] = *c;
        }
    }
    choices[n] = '\0';
    switch (key->kind) {
    case KEY_VARIABLE:
        return "a variable";
    case KEY_VARIABLES:
    case KEY_SUBGROUPS:
        return "a list of variables";
    case KEY_NUMBER:
        snprintf(text, 256, "a number%s", limits);
        return text;
    case KEY_NUMBERS:
        snprintf(text, 256, "a list of numbers%s", limits);
        return text;
    case KEY_FLAG:
        return "true or false";
    case KEY_CHOICE:
        snprintf(text, 256, "one of %s", choices);
        return text;
    case KEY_FLAG_OR_CHOICES:
        snprintf(text, 256, "true, false or a list of %s", choices);
        return text;
    case KEY_FORMULA:
        return "a formula";
    case KEY_TEXT:
        return "a text";
    case KEY_ANALYSIS:
        return "the id of another analysis";
    case KEY_ANALYSES:
        return "a list of ids of other analyses";
    case KEY_MODEL:
        snprintf(text, 256, "a map of `method` (%s) and its keys", choices);
        return text;
    }
    return "";
}

static void put_methods(struct bytes *out)
{
    size_t n;
    char text[256];
    const struct query_method *methods = methods_declared(&n);
    put(out, "| method | key | value | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < n; i++) {
        const struct query_method *m = &methods[i];
        const char *const legal[] = {m->takes_by ? "`by`" : NULL, m->takes_weights ? "`weights`" : NULL,
                                     m->takes_landmark ? "`landmark`" : NULL};
        char also[64] = "";
        for (size_t k = 0; k < sizeof legal / sizeof *legal; k++)
            if (legal[k] != NULL)
                snprintf(also + strlen(also), sizeof also - strlen(also), "%s%s",
                         *also == '\0' ? "takes " : " and ", legal[k]);
        put(out, "| `");
        put(out, m->name);
        put(out, "` | | | ");
        put(out, also);
        put(out, *also == '\0' ? "|\n" : " |\n");
        for (size_t k = 0; k < m->n_keys; k++) {
            put(out, "| | `");
            put(out, m->keys[k].name);
            put(out, "` | ");
            put_cell(out, kind_words(&m->keys[k], text), false);
            out->length -= 3;
            put_fallback(out, &m->keys[k]);
            put(out, " | ");
            put_cell(out, m->keys[k].sentence == NULL ? "" : m->keys[k].sentence, false);
            out->length--;
            put(out, "\n");
        }
    }
}

static void put_grid(struct bytes *out)
{
    char text[64];
    put(out, "| grid | days |\n| --- | --- |\n");
    for (int g = GRID_DAY; g <= GRID_YEAR; g++) {
        snprintf(text, sizeof text, "| `%s` | %g |\n", analysis_grid_name((enum grid_unit)g),
                 analysis_grid_days((enum grid_unit)g));
        put(out, text);
    }
}

static void put_key_value(struct bytes *out, const struct language_key *key)
{
    char text[160] = "";
    const char *choice;
    switch (key->kind) {
    case LANGUAGE_TEXT:
        put(out, key->pattern != NULL ? "a name" : "a line");
        break;
    case LANGUAGE_CHOICE:
        for (size_t i = 0; key->choice != NULL && (choice = key->choice(i)) != NULL; i++) {
            put(out, i > 0 ? ", " : "");
            put(out, choice);
        }
        for (choice = key->choices; choice != NULL && *choice != '\0'; choice += strcspn(choice, "|")) {
            choice += *choice == '|';
            bytes_put(out, choice, strcspn(choice, "|"));
            put(out, choice[strcspn(choice, "|")] == '|' ? ", " : "");
        }
        break;
    case LANGUAGE_WHOLE:
    case LANGUAGE_NUMBER:
        snprintf(text, sizeof text, "a number from %g to %.7g", key->min, key->max);
        break;
    case LANGUAGE_BETWEEN:
        snprintf(text, sizeof text, "a number between %g and %g", key->min, key->max);
        break;
    case LANGUAGE_FLAG:
        put(out, "true, false");
        break;
    case LANGUAGE_DATE:
        put(out, "a date");
        break;
    case LANGUAGE_BOUND:
        put(out, "a number or a date");
        break;
    case LANGUAGE_BOUNDS:
        put(out, "a list of numbers or dates");
        break;
    case LANGUAGE_TEXTS:
        put(out, "a list of texts");
        break;
    case LANGUAGE_EXPRESSION:
        put(out, "an expression");
        break;
    case LANGUAGE_FORMULA:
        put(out, "a formula");
        break;
    case LANGUAGE_OWN:
        break;
    }
    put(out, text);
    if (key->required)
        put(out, key->kind == LANGUAGE_OWN ? "required" : ", required");
}

static void put_keys(struct bytes *out, const struct language_key *table)
{
    put(out, "| key | value | meaning |\n| --- | --- | --- |\n");
    for (const struct language_key *key = table; key->name != NULL; key++) {
        put(out, "| `");
        put(out, key->name);
        put(out, "` | ");
        put_key_value(out, key);
        put(out, " | ");
        put_cell(out, key->sentence, false);
        out->length--;
        put(out, "\n");
    }
}

/* The table of a name, as the page has to have it. */
static bool put_table(struct bytes *out, const char *name)
{
    static const struct {
        const char *name;
        const struct manual_row *(*rows)(size_t *n);
        const char *heads[4];
    } tables[] = {
        {"types", dictionary_types, {"type", "in expressions", "values", NULL}},
        {"operators", syntax_operators, {"operator", "meaning", NULL, NULL}},
        {"functions", expression_functions, {"function", "meaning", NULL, NULL}},
        {"formulas", formula_functions, {"in formulas", "meaning", NULL, NULL}},
    };
    static const struct {
        const char *name;
        const struct language_key *table;
    } keys[] = {{"dictionary", language_dictionary},
                {"variable", language_variable},
                {"study", language_study},
                {"analysis", language_analysis},
                {"propensity", language_propensity}};
    size_t n;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, name) == 0) {
            put_keys(out, keys[i].table);
            return true;
        }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i].name, name) == 0) {
            const struct manual_row *rows = tables[i].rows(&n);
            put_rows(out, rows, n, tables[i].heads);
            return true;
        }
    if (strcmp(name, "methods") == 0)
        put_methods(out);
    else if (strcmp(name, "grid") == 0)
        put_grid(out);
    else
        return false;
    return true;
}

/* The page with every table between `<!-- table: NAME -->` and `<!-- end -->` written anew; their number. */
static size_t rewrite(struct bytes *out, const char *page)
{
    static const char begin[] = "<!-- table: ", end[] = "<!-- end -->";
    size_t n = 0;
    for (const char *at; (at = strstr(page, begin)) != NULL; n++) {
        char name[32] = "";
        const char *line = strchr(at, '\n') + 1, *close = strstr(line, end);
        assert_true(sscanf(at + strlen(begin), "%31[a-z]", name) == 1 && close != NULL);
        bytes_put(out, page, (size_t)(line - page));
        if (!put_table(out, name))
            fail_msg("%s: a table `%s` that nobody writes", PAGE, name);
        page = close;
    }
    put(out, page);
    bytes_put_u8(out, 0);
    return n;
}

static const char *page_read(struct arena *arena)
{
    struct bytes bytes = {0};
    struct maille_error error = {0};
    assert_ok(file_read(&bytes, PAGE, 1 << 20, &error), &error);
    const char *page = arena_strndup(arena, (const char *)bytes.data, bytes.length);
    bytes_clear(&bytes);
    return page;
}

static void tables_are_those_of_the_code(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct bytes right = {0};
    const char *page = page_read(arena);
    assert_int_equal(rewrite(&right, page), 11);
    const char *expected = (const char *)right.data;
    for (int line = 1; *page != '\0' || *expected != '\0'; line++) {
        size_t n = strcspn(page, "\n"), m = strcspn(expected, "\n");
        if (n != m || strncmp(page, expected, n) != 0)
            fail_msg("%s:%d: expected\n%.*s\nfound\n%.*s\nwrite it with: test_tests_study_page --write", PAGE,
                     line, (int)m, expected, (int)n, page);
        page += n + (page[n] == '\n');
        expected += m + (expected[m] == '\n');
    }
    bytes_clear(&right);
    arena_free(arena);
}

/* Every YAML block is read: a dictionary, or a study over the last dictionary. */
static void examples_are_read(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = NULL;
    size_t n_methods, n_studies = 0;
    const struct query_method *methods = methods_declared(&n_methods);
    for (const char *page = page_read(arena); (page = strstr(page, "```yaml\n")) != NULL;) {
        struct maille_error error = {0};
        const struct study *study = NULL;
        const char *text = page + strlen("```yaml\n");
        size_t length = (size_t)(strstr(text, "```") - text);
        if (strncmp(text, "dictionary:", 11) == 0) {
            assert_ok(dictionary_parse(&dictionary, arena, PAGE, text, length, &error), &error);
        } else {
            assert_ok(study_parse(&study, arena, dictionary, methods, n_methods, PAGE, text, length, &error),
                      &error);
            n_studies++;
            for (size_t k = 0; k < study->n_analyses; k++) {
                const struct method *method = method_find(study->analyses[k].method);
                if (method->check != NULL)
                    assert_ok(method->check(&study->analyses[k], &error), &error);
            }
        }
        page = text + length;
    }
    assert_true(n_studies > 0);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--write") == 0) {
        struct arena *arena = arena_new();
        struct bytes right = {0};
        struct maille_error error = {0};
        (void)rewrite(&right, page_read(arena));
        enum maille_code code = file_write_atomic(PAGE, right.data, right.length - 1, 0644, &error);
        bytes_clear(&right);
        arena_free(arena);
        return code == MAILLE_OK ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_those_of_the_code),
        cmocka_unit_test(examples_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
