#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "disclosure/policy_table.h"

static const struct policy *parse(struct arena *arena, const char *text)
{
    const struct policy *policy = NULL;
    struct maille_error error = {0};
    if (policy_parse(&policy, arena, "policy.yaml", text, strlen(text), &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    return policy;
}

/* The sentence of a policy that must be refused. */
static void refused(const char *text, const char *where, const char *what)
{
    struct arena *arena = arena_new();
    const struct policy *policy = NULL;
    struct maille_error error = {0};
    enum maille_code code = policy_parse(&policy, arena, "policy.yaml", text, strlen(text), &error);
    assert_int_equal(code, MAILLE_INVALID);
    assert_null(policy);
    if (strstr(error.sentence, where) == NULL || strstr(error.sentence, what) == NULL)
        fail_msg("expected \"%s\" and \"%s\" in: %s", where, what, error.sentence);
    arena_free(arena);
}

static void presets_are_the_columns(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct policy *strict = parse(arena, "policy: strict\n");
    assert_string_equal(strict->preset, "strict");
    assert_float_equal(strict->min_sites, 3, 0);
    assert_float_equal(strict->min_patients, 30, 0);
    assert_float_equal(strict->min_cell, 11, 0);
    assert_float_equal(strict->min_events, 11, 0);
    assert_float_equal(strict->max_parameter_share, 0.1, 0);
    assert_int_equal(strict->finest_grid, GRID_MONTH);
    assert_int_equal(strict->missing, MISSING_STUDY);
    assert_int_equal(strict->own_totals, OWN_TOTALS_SHIELDED);
    assert_true(strict->methods.all && strict->purposes.all && strict->researchers.all);
    assert_false(strict->variables_deny.all);
    assert_int_equal(strict->variables_deny.n, 0);
    const struct policy *standard = parse(arena, "policy: standard\n");
    assert_float_equal(standard->min_events, 5, 0);
    assert_float_equal(standard->max_parameter_share, 0.33, 0);
    assert_int_equal(standard->missing, MISSING_ANALYSIS);
    const struct policy *open = parse(arena, "policy: open\n");
    assert_float_equal(open->min_patients, 1, 0);
    assert_float_equal(open->max_parameter_share, 1, 0);
    assert_float_equal(open->differencing, POLICY_OFF, 0);
    assert_float_equal(open->budget_models, POLICY_OFF, 0);
    assert_int_equal(open->finest_grid, GRID_DAY);
    assert_int_equal(open->own_totals, OWN_TOTALS_MAY_BE_INFERRED);
    arena_free(arena);
}

static void keys_override_the_preset(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct policy *policy = parse(arena, "policy: open\n"
                                               "min_cell: 5\n"
                                               "finest_grid: week\n"
                                               "differencing: off\n"
                                               "budget: {tables: 7, models: off}\n"
                                               "methods: [km, cox]\n"
                                               "variables: {deny: [pgr, \"role:identifier\"]}\n"
                                               "purposes: all\n"
                                               "researchers: [alice]\n"
                                               "approval: {default: auto, methods: {cox: hold}}\n");
    assert_float_equal(policy->min_cell, 5, 0);
    assert_int_equal(policy->finest_grid, GRID_WEEK);
    assert_float_equal(policy->budget_tables, 7, 0);
    assert_float_equal(policy->budget_models, POLICY_OFF, 0);
    assert_int_equal(policy->methods.n, 2);
    assert_string_equal(policy->methods.names[1], "cox");
    assert_int_equal(policy->variables_deny.n, 2);
    assert_true(policy->purposes.all);
    assert_int_equal(policy_approval(policy, "cox", "p"), APPROVAL_HOLD);
    assert_int_equal(policy_approval(policy, "km", "p"), APPROVAL_AUTO);
    policy = parse(arena, "policy: standard\nbudget: off\napproval: hold\n");
    assert_float_equal(policy->budget_tables, POLICY_OFF, 0);
    assert_float_equal(policy->budget_models, POLICY_OFF, 0);
    assert_int_equal(policy_approval(policy, "km", "p"), APPROVAL_HOLD);
    arena_free(arena);
}

static void malformed_policies_say_where(void **state)
{
    (void)state;
    refused("", "policy.yaml", "expected");
    refused("[strict]\n", "policy.yaml:1:1", "expected a map");
    refused("min_cell: 11\n", "policy.yaml:1:1", "policy");
    refused("policy: lax\n", "policy.yaml:1:9", "strict, standard or open");
    refused("policy: strict\nmin_cel: 11\n", "policy.yaml:2:1", "min_cell");
    refused("policy: strict\nmin_cell: 11\nmin_cell: 12\n", "policy.yaml:3:1", "min_cell");
    refused("policy: strict\nmin_cell: eleven\n", "policy.yaml:2:11", "eleven");
    refused("policy: strict\nmin_cell: 10.5\n", "policy.yaml:2:11", "whole");
    refused("policy: strict\nmin_cell: off\n", "policy.yaml:2:11", "min_cell");
    refused("policy: strict\ndifferencing: \"off\"\n", "policy.yaml:2:15", "differencing");
    refused("policy: strict\nfinest_grid: hour\n", "policy.yaml:2:14", "day|week|month|quarter|year");
    refused("policy: strict\nmissing: none\n", "policy.yaml:2:10", "analysis|study");
    refused("policy: strict\nmethods: km\n", "policy.yaml:2:10", "all or a list");
    refused("policy: strict\nmethods: [km, coks]\n", "policy.yaml:2:15", "cox");
    refused("policy: strict\nmethods: [km, km]\n", "policy.yaml:2:15", "once");
    refused("policy: strict\nresearchers: [\"a b\"]\n", "policy.yaml:2:15", "a b");
    refused("policy: strict\nvariables: [age]\n", "policy.yaml:2:12", "map");
    refused("policy: strict\nvariables: {allow: [age]}\n", "policy.yaml:2:13", "deny");
    refused("policy: strict\nbudget: {table: 3}\n", "policy.yaml:2:10", "tables");
    refused("policy: strict\napproval: maybe\n", "policy.yaml:2:11", "auto|hold");
    refused("policy: strict\napproval: {methods: {cox: later}}\n", "policy.yaml:2:27", "auto or hold");
}

/* Every number: just outside of its range, on both sides; every number inside of it is read. */
static void ranges_hold(void **state)
{
    (void)state;
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        char text[128], key[64];
        const char *dot = strchr(row->name, '.');
        if (row->kind != POLICY_NUMBER)
            continue;
        if (dot == NULL)
            snprintf(key, sizeof key, "%s: %%.17g\n", row->name);
        else
            snprintf(key, sizeof key, "%.*s: {%s: %%.17g}\n", (int)(dot - row->name), row->name, dot + 1);
        const double step = row->whole ? 1 : row->min / 2;
        const double values[] = {row->min - step, row->min, row->max, row->max + step};
        for (size_t i = 0; i < 4; i++) {
            int n = snprintf(text, sizeof text, "policy: open\n");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text + n, sizeof text - (size_t)n, key, values[i]);
#pragma GCC diagnostic pop
            if (i == 0 || i == 3) {
                refused(text, "policy.yaml:2:", row->name);
                continue;
            }
            struct arena *arena = arena_new();
            assert_float_equal(policy_number(parse(arena, text), row), values[i], 0);
            arena_free(arena);
        }
    }
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    refused("policy: open\nmin_patients: 5\nmin_cell: 11\n", "policy.yaml:3:11", "min_patients");
    refused("policy: open\nmin_events: 11\nmin_patients: 5\n", "policy.yaml:2:13", "min_patients");
    refused("policy: open\nmethods: [km]\napproval: {methods: {cox: hold}}\n", "policy.yaml:3:22", "cox");
    refused("policy: open\npurposes: [a]\napproval: {purposes: {b: hold}}\n", "policy.yaml:3:23", "b");
}

static void same_settings(const struct policy *a, const struct policy *b)
{
    struct bytes left = {0}, right = {0};
    policy_write(&left, a);
    policy_write(&right, b);
    bytes_put_u8(&left, 0);
    bytes_put_u8(&right, 0);
    assert_string_equal((char *)left.data, (char *)right.data);
    bytes_clear(&left);
    bytes_clear(&right);
}

static void a_printed_policy_reads_back(void **state)
{
    (void)state;
    const char *texts[] = {
        "policy: strict\n", "policy: standard\n", "policy: open\n",
        "policy: strict\nmethods: [km, cox]\nvariables: {deny: [age]}\nbudget: off\n"
        "max_parameter_share: 0.07\napproval: {default: hold, methods: {km: auto, cox: hold}}\n"
        "finest_grid: year\nown_totals: may_be_inferred\nresearchers: []\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena *arena = arena_new();
        struct bytes text = {0};
        const struct policy *policy = parse(arena, texts[i]);
        policy_write(&text, policy);
        bytes_put_u8(&text, 0);
        same_settings(policy, parse(arena, (const char *)text.data));
        bytes_clear(&text);
        arena_free(arena);
    }
}

/* The template is the preset whether its comments are taken away or not. */
static void the_template_is_its_preset(void **state)
{
    (void)state;
    for (int preset = 0; preset < PRESETS; preset++) {
        struct arena *arena = arena_new();
        struct bytes text = {0};
        char brief[32];
        snprintf(brief, sizeof brief, "policy: %s\n", policy_presets[preset]);
        assert_int_equal(policy_template(&text, policy_presets[preset], NULL), MAILLE_OK);
        bytes_put_u8(&text, 0);
        same_settings(parse(arena, (const char *)text.data), parse(arena, brief));
        char *settings = strstr((char *)text.data, "policy: ");
        for (char *at = settings; (at = strstr(at, "\n# ")) != NULL;)
            memmove(at + 1, at + 3, strlen(at + 3) + 1);
        same_settings(parse(arena, settings), parse(arena, brief));
        bytes_clear(&text);
        arena_free(arena);
    }
    struct bytes text = {0};
    assert_int_equal(policy_template(&text, "lax", NULL), MAILLE_INVALID);
    bytes_clear(&text);
}

static void a_floor_only_tightens(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    const struct policy *effective = NULL;
    const struct policy *strict = parse(arena, "policy: strict\n"), *open = parse(arena, "policy: open\n");
    assert_int_equal(policy_with_floor(&effective, arena, open, NULL), MAILLE_OK);
    assert_ptr_equal(effective, open);
    assert_int_equal(policy_with_floor(&effective, arena, strict, open), MAILLE_OK);
    same_settings(effective, strict);
    assert_int_equal(policy_with_floor(&effective, arena, open, strict), MAILLE_OK);
    for (size_t r = 0; r < policy_n_rows; r++)
        if (policy_rows[r].kind == POLICY_NUMBER || policy_rows[r].kind == POLICY_CHOICE)
            assert_float_equal(policy_number(effective, &policy_rows[r]),
                               policy_rows[r].presets[PRESET_STRICT], 0);
    const struct policy *own =
        parse(arena, "policy: open\nmethods: [km, cox]\nvariables: {deny: [age]}\n"
                     "min_cell: 20\napproval: {default: hold, methods: {km: auto, cox: auto}}\n");
    const struct policy *floor =
        parse(arena, "policy: standard\nmethods: [cox, count]\nvariables: {deny: [pgr]}\n"
                     "approval: {methods: {cox: hold}}\n");
    assert_int_equal(policy_with_floor(&effective, arena, own, floor), MAILLE_OK);
    assert_int_equal(effective->methods.n, 1);
    assert_string_equal(effective->methods.names[0], "cox");
    assert_int_equal(effective->variables_deny.n, 2);
    assert_float_equal(effective->min_cell, 20, 0);
    assert_float_equal(effective->min_patients, 30, 0);
    assert_int_equal(policy_approval(effective, "cox", "p"), APPROVAL_HOLD);
    assert_int_equal(policy_approval(effective, "km", "p"), APPROVAL_HOLD); /* not allowed: no exception */
    assert_int_equal(policy_approval(effective, "count", "p"), APPROVAL_HOLD);
    arena_free(arena);
}

/* docs/POLICY.md holds the table as policy_manual prints it. */
static void the_manual_is_true(void **state)
{
    (void)state;
    struct bytes table = {0}, page = {0};
    struct maille_error error = {0};
    policy_manual(&table);
    bytes_put_u8(&table, 0);
    if (file_read(&page, "docs/POLICY.md", 1 << 20, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    bytes_put_u8(&page, 0);
    if (strstr((char *)page.data, (char *)table.data) == NULL)
        fail_msg("docs/POLICY.md should hold this table:\n%s", (char *)table.data);
    bytes_clear(&table);
    bytes_clear(&page);
}

/* What a site tells others of its policy can be read by them; else one site's ordinary policy would stop
 * every roster. */
static void what_is_told_can_be_read(void **state)
{
    (void)state;
    static const char *const owns[] = {
        "policy: standard\nmin_cell: 40\n", "policy: strict\nmin_patients: 5\n",
        "policy: standard\napproval: { methods: { glm: hold } }\n",
        "policy: standard\napproval: { default: hold, purposes: { care: auto } }\n"};
    struct arena *arena = arena_new();
    const struct policy *floor = parse(arena, "policy: strict\nmethods: [km, cox]\npurposes: [research]\n"
                                              "approval: { default: hold, methods: { km: auto } }\n");
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++) {
        const struct policy *own = parse(arena, owns[i]), *effective;
        struct bytes text = {0};
        assert_int_equal(policy_with_floor(&effective, arena, own, floor), MAILLE_OK);
        policy_write(&text, effective);
        bytes_put_u8(&text, 0);
        const struct policy *read = parse(arena, (const char *)text.data);
        assert_true(read->min_cell == effective->min_cell && read->min_patients >= read->min_cell);
        bytes_clear(&text);
    }
    arena_free(arena);
}

static void a_loosened_preset_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *text, *title;
    } cases[] = {
        {"policy: strict\n", "strict"},
        {"policy: standard\nmin_patients: 100\nmin_sites: 4\n", "standard"},
        {"policy: standard\nmin_cell: 8\ndifferencing: off\n",
         "standard, loosened: min_cell 8 (standard: 11), differencing off (standard: 11)"},
        {"policy: strict\nmissing: analysis\nmax_site_share: 0.9\n",
         "strict, loosened: max_site_share 0.9 (strict: 0.85), missing analysis (strict: study)"},
        {"policy: open\n", "open"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(policy_title(arena, parse(arena, cases[i].text)), cases[i].title);
    arena_free(arena);
}

static void names_that_nobody_has_are_refused(void **state)
{
    (void)state;
    static const char *const purposes[] = {"research-public-interest", "quality-of-care"};
    static const char text[] = "dictionary: d\nversion: 1\nkey: id\nvariables:\n"
                               "  - { name: pgr, type: integer, min: 0, max: 9 }\n"
                               "  - { name: age, type: integer, min: 0, max: 9 }\n";
    static const struct {
        const char *text, *rule, *words;
    } cases[] = {
        {"policy: strict\nvariables: { deny: [PGR] }\n", "variables.deny", "\"PGR\"; did you mean \"pgr\"?"},
        {"policy: strict\nvariables: { deny: [pgr, weight] }\n", "variables.deny", "found \"weight\""},
        {"policy: strict\nvariables: { deny: [pgr, age] }\n", NULL, NULL},
        {"policy: strict\npurposes: [quality-of-car]\n", "purposes", "did you mean \"quality-of-care\"?"},
        {"policy: strict\napproval: { default: auto, purposes: { quality: hold } }\n", "purposes",
         "found \"quality\""},
        {"policy: strict\npurposes: [quality-of-care]\n", NULL, NULL},
    };
    struct arena *arena = arena_new();
    const struct dictionary *dictionary;
    assert_int_equal(dictionary_parse(&dictionary, arena, "d", text, sizeof text - 1, NULL), MAILLE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct policy *policy = parse(arena, cases[i].text);
        struct maille_error error = {0};
        enum maille_code code = policy_check_dictionary(policy, dictionary, &error);
        if (code == MAILLE_OK)
            code = policy_check_purposes(policy, purposes, 2, &error);
        assert_int_equal(code, cases[i].rule == NULL ? MAILLE_OK : MAILLE_REFUSED);
        assert_string_equal(error.rule, cases[i].rule == NULL ? "" : cases[i].rule);
        if (cases[i].words != NULL && strstr(error.sentence, cases[i].words) == NULL)
            fail_msg("case %zu: %s", i, error.sentence);
        assert_int_equal(policy_check_purposes(policy, purposes, 0, NULL), MAILLE_OK);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_the_columns),      cmocka_unit_test(keys_override_the_preset),
        cmocka_unit_test(malformed_policies_say_where), cmocka_unit_test(ranges_hold),
        cmocka_unit_test(contradictions_are_refused),   cmocka_unit_test(a_printed_policy_reads_back),
        cmocka_unit_test(the_template_is_its_preset),   cmocka_unit_test(a_floor_only_tightens),
        cmocka_unit_test(a_loosened_preset_says_so),    cmocka_unit_test(names_that_nobody_has_are_refused),
        cmocka_unit_test(the_manual_is_true),           cmocka_unit_test(what_is_told_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
