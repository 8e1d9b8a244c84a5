/* The table of rules: complete in both languages, and what is made of it. tests/rules.sh holds it to the
 * code. */
#include "disclosure/rule.h"

#include "base/file.h"
#include "base/test.h"
#include "disclosure/policy_table.h"

static void every_row_is_whole(void **state)
{
    (void)state;
    for (size_t r = 0; r < rule_n_rows; r++) {
        const struct rule *rule = &rule_rows[r];
        size_t values = 0;
        assert_true(rule->code != NULL && strlen(rule->code) < MAILLE_RULE_MAX);
        assert_ptr_equal(rule_find(rule->code), rule); /* no code twice */
        assert_true(rule->stages != 0 && rule->stages < 1U << RULE_STAGES);
        for (int l = 0; l < LANGUAGES; l++) {
            assert_true(rule->demand[l] != NULL && rule->demand[l][0] != '\0');
            assert_true(rule->sentence[l] != NULL && rule->sentence[l][0] != '\0');
            assert_true(rule->remedy[l] != NULL && rule->remedy[l][0] != '\0');
            assert_null(strpbrk(rule->sentence[l], "0123456789|\n")); /* a refusal has no number */
            assert_null(strpbrk(rule->remedy[l], "0123456789|\n"));
            for (const char *c = strchr(rule->demand[l], '%'); c != NULL; c = strchr(c + 1, '%')) {
                assert_int_equal(c[1], 's');
                values++;
            }
        }
        assert_true(values == 0 || values == LANGUAGES); /* one value, in all languages or in none */
        for (size_t e = 0; e < RULE_EFFECTS; e++)
            assert_true((rule->effects[e].words[LANGUAGE_EN] == NULL) ==
                        (rule->effects[e].words[LANGUAGE_FR] == NULL));
    }
    assert_null(rule_find(""));
    assert_null(rule_find("min_cel"));
}

/* What a policy can ask for is a rule; but for how cells are judged, which refuses nothing by itself. */
static void every_key_of_the_policy_is_a_rule(void **state)
{
    (void)state;
    for (size_t r = 0; r < policy_n_rows; r++) {
        const char *name = policy_rows[r].name;
        char code[MAILLE_RULE_MAX];
        snprintf(code, sizeof code, "%.*s",
                 strcmp(name, "variables.deny") == 0 ? (int)strlen(name) : (int)strcspn(name, "."), name);
        if (strcmp(code, "fine_predicates") == 0) /* a rule about the dictionary's cuts */
            snprintf(code, sizeof code, "cuts");
        if (strcmp(code, "cell_rule") != 0 && rule_find(code) == NULL)
            fail_msg("the policy has a key %s, the table no rule", code);
    }
}

struct sample {
    struct arena *arena;
    const struct policy *policy;
    struct analysis analysis;
    struct query_method method;
    struct cells cells;
    struct rule_facts facts;
};

static void sample_make(struct sample *sample, const char *text)
{
    struct maille_error error = {0};
    *sample = (struct sample){.arena = arena_new()};
    assert_ok(policy_parse(&sample->policy, sample->arena, "policy.yaml", text, strlen(text), &error),
              &error);
    sample->analysis.declared = &sample->method;
    sample->facts =
        (struct rule_facts){.policy = sample->policy, .analysis = &sample->analysis, .cells = &sample->cells};
}

static const char *demand_of(struct sample *sample, const char *code, enum language language)
{
    return rule_demand(sample->arena, rule_find(code), &sample->facts, language);
}

static void demands_follow_the_policy(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample, "policy: strict\nfinest_grid: quarter\nmin_cell: 13\nbudget: { models: 7 }\n");
    assert_string_equal(demand_of(&sample, "min_cell", LANGUAGE_EN), "at least 13 patients in a cell");
    assert_string_equal(demand_of(&sample, "min_sites", LANGUAGE_EN), "at least 3 sites take part");
    assert_string_equal(demand_of(&sample, "differencing", LANGUAGE_EN),
                        "no group that was shown before and differs by 1 to 10 patients");
    assert_non_null(demand_of(&sample, "own_totals", LANGUAGE_EN));
    assert_non_null(demand_of(&sample, "arithmetic", LANGUAGE_EN));
    assert_null(demand_of(&sample, "min_events", LANGUAGE_EN)); /* no arms */
    assert_null(demand_of(&sample, "min_tail", LANGUAGE_EN));
    assert_null(demand_of(&sample, "finest_grid", LANGUAGE_EN));
    assert_null(demand_of(&sample, "max_scalar_share", LANGUAGE_EN)); /* no model */
    assert_null(demand_of(&sample, "public", LANGUAGE_EN));
    assert_null(demand_of(&sample, "expired", LANGUAGE_EN)); /* no policy decides */
    assert_string_equal(
        demand_of(&sample, "budget", LANGUAGE_FR),
        "au plus 50 tableaux par protocole, chercheur et instantané, et un reste à l'enregistrement");
    sample.method.is_model = true;
    sample.cells.spec.n_blocks = 1;
    sample.cells.rules[0] = CELL_EVENTS;
    sample.cells.tail[0] = 0.25;
    sample.cells.axis.days = 30;
    assert_string_equal(
        demand_of(&sample, "budget", LANGUAGE_EN),
        "at most 7 models a protocol, researcher and snapshot, and something left of the registration");
    assert_string_equal(demand_of(&sample, "finest_grid", LANGUAGE_FR),
                        "temps par trimestre ou plus grossiers");
    assert_string_equal(
        demand_of(&sample, "max_scalar_share", LANGUAGE_EN),
        "at most 0.33 coefficients, standard errors and weighted means a patient, of one cohort");
    sample.facts.unpooled = true;
    assert_null(demand_of(&sample, "max_scalar_share", LANGUAGE_EN));
    assert_string_equal(demand_of(&sample, "min_tail", LANGUAGE_EN),
                        "at least 11 patients beyond a quantile");
    arena_free(sample.arena);
    sample_make(&sample, "policy: open\n");
    assert_null(demand_of(&sample, "min_cell", LANGUAGE_EN));
    assert_null(demand_of(&sample, "own_totals", LANGUAGE_EN));
    assert_null(demand_of(&sample, "arithmetic", LANGUAGE_EN));
    assert_null(demand_of(&sample, "budget", LANGUAGE_EN));
    assert_non_null(demand_of(&sample, "public", LANGUAGE_EN));
    assert_string_equal(demand_of(&sample, "min_sites", LANGUAGE_EN), "at least 3 sites take part");
    arena_free(sample.arena);
}

/* A log is in English: every demand that stands in one reads in French as if it had been made so. */
static void a_log_is_told_in_french(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample, "policy: strict\nmethods: [km, cox]\n");
    sample.method.is_model = true;
    sample.cells.spec.n_blocks = 1;
    sample.cells.rules[0] = CELL_EVENTS;
    sample.cells.tail[0] = 0.25;
    sample.cells.axis.days = 30;
    sample.cells.n_parameters = 2;
    size_t n = 0;
    for (size_t r = 0; r < rule_n_rows; r++) {
        const char *english = rule_demand(sample.arena, &rule_rows[r], &sample.facts, LANGUAGE_EN);
        if (english == NULL)
            continue;
        assert_string_equal(rule_translate(sample.arena, &rule_rows[r], english, LANGUAGE_FR),
                            rule_demand(sample.arena, &rule_rows[r], &sample.facts, LANGUAGE_FR));
        assert_string_equal(rule_translate(sample.arena, &rule_rows[r], english, LANGUAGE_EN), english);
        n++;
    }
    assert_true(n >= 20);
    const struct rule *rule = rule_find("min_cell");
    assert_string_equal(rule_translate(sample.arena, rule, "at least many", LANGUAGE_FR), "at least many");
    assert_string_equal(rule_translate(sample.arena, rule, "", LANGUAGE_FR), "");
    arena_free(sample.arena);
}

static void a_reason_says_what_can_be_done(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    assert_string_equal(
        rule_reason(arena, "min_sites", LANGUAGE_EN),
        "fewer sites take part than the policies of this network allow; wait until more sites "
        "are up, or name more of them");
    /* Which of them it was is not told. */
    static const char *const few[] = {"min_patients", "min_cell",       "min_events",  "min_contributors",
                                      "min_tail",     "max_site_share", "differencing"};
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
        assert_string_equal(rule_told(rule_find(few[i])), "few");
        assert_string_equal(rule_reason(arena, few[i], LANGUAGE_EN), rule_reason(arena, "few", LANGUAGE_EN));
    }
    assert_string_equal(rule_reason(arena, "of_next_year", LANGUAGE_EN),
                        "a rule of a site's policy does not allow it");
    assert_string_equal(rule_effect(rule_find("min_patients"), RULE_EVERYWHERE, LANGUAGE_EN),
                        "else the analysis is refused");
    assert_string_equal(rule_effect(rule_find("min_cell"), CELL_AT_RISK + 1, LANGUAGE_EN),
                        "a curve ends where fewer are at risk");
    assert_null(rule_effect(rule_find("min_cell"), RULE_EVERYWHERE, LANGUAGE_EN));
    arena_free(arena);
}

/* docs/DISCLOSURE.md holds the tables as rule_manual prints them. */
static void the_page_is_the_table(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct bytes page = {0};
    assert_ok(file_read(&page, "docs/DISCLOSURE.md", 1 << 20, &error), &error);
    for (int l = 0; l < LANGUAGES; l++) {
        struct bytes table = {0};
        rule_manual(&table, (enum language)l);
        assert_ok(bytes_check(&table, &error), &error);
        if (memmem(page.data, page.length, table.data, table.length) == NULL)
            fail_msg("docs/DISCLOSURE.md should hold this table:\n%.*s", (int)table.length,
                     (const char *)table.data);
        bytes_clear(&table);
    }
    bytes_clear(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_is_whole),
                                       cmocka_unit_test(every_key_of_the_policy_is_a_rule),
                                       cmocka_unit_test(demands_follow_the_policy),
                                       cmocka_unit_test(a_log_is_told_in_french),
                                       cmocka_unit_test(a_reason_says_what_can_be_done),
                                       cmocka_unit_test(the_page_is_the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
