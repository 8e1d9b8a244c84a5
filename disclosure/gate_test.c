#include "base/test.h"

#include "base/file.h"
#include "disclosure/gate.h"
#include "registry/import.h"

/* 40 patients: 30 in arm a, of whom 12 died, and 10 in arm b, of whom 4 died. */
static const char dictionary_text[] =
    "dictionary: toy\n"
    "version: 1\n"
    "key: id\n"
    "missing: [\"\"]\n"
    "variables:\n"
    "  - { name: arm, type: category, levels: [a, b] }\n"
    "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
    "  - { name: birth, type: date, min: 1900-01-01, max: 2020-12-31, role: date }\n"
    "  - { name: time, type: duration, units: days, min: 0, max: 3000 }\n"
    "  - { name: months, type: duration, units: months, min: 0, max: 120 }\n"
    "  - { name: death, type: boolean }\n";

struct world {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct columns *table;
};

static int setup(void **state)
{
    static struct world world;
    struct maille_error error = {0};
    struct bytes csv = {0};
    struct import_report report = {0};
    char path[512], line[128];
    world.arena = arena_new();
    assert_ok(dictionary_parse(&world.dictionary, world.arena, "toy.yaml", dictionary_text,
                               strlen(dictionary_text), &error),
              &error);
    bytes_put(&csv, "id,arm,age,birth,time,months,death\n", 35);
    for (int i = 0; i < 40; i++) {
        int in_b = i >= 30, rank = in_b ? i - 30 : i;
        int n = snprintf(line, sizeof line, "p%d,%s,%d,1950-01-%02d,%d,%d,%d\n", i, in_b ? "b" : "a", 40 + i,
                         1 + i % 28, 100 + 20 * i, 3 + i, rank < (in_b ? 4 : 12));
        bytes_put(&csv, line, (size_t)n);
    }
    test_path(path, "gate.csv");
    assert_ok(file_write_atomic(path, csv.data, csv.length, 0600, &error), &error);
    assert_ok(import_csv(&world.table, &report, world.dictionary, path, NULL, &error), &error);
    import_report_clear(&report);
    bytes_clear(&csv);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    columns_free(world->table);
    arena_free(world->arena);
    return 0;
}

/* head: further lines of the study; analyses: the list. */
static const struct study *study_of(struct world *world, const char *head, const char *analyses)
{
    struct maille_error error = {0};
    const struct study *study = NULL;
    size_t n;
    const struct query_method *methods = methods_declared(&n);
    const char *text =
        arena_printf(world->arena,
                     "study: s\ndictionary: toy@1\ntitle: t\npurpose: care\nlegal_basis: b\nprotocol: p\n"
                     "expires: 2030-01-01\nsites: all\n%sanalyses:\n%s",
                     head, analyses);
    assert_ok(study_parse(&study, world->arena, world->dictionary, methods, n, "study.yaml", text,
                          strlen(text), &error),
              &error);
    return study;
}

static const struct policy *policy_of(struct world *world, const char *text)
{
    struct maille_error error = {0};
    const struct policy *policy = NULL;
    assert_ok(policy_parse(&policy, world->arena, "policy.yaml", text, strlen(text), &error), &error);
    return policy;
}

/* The rule of the first analysis, or the rule that refuses the whole study. */
static const char *question(struct world *world, const char *policy, const char *head, const char *analyses)
{
    static struct verdict verdicts[8];
    static struct maille_error error;
    const struct study *study = study_of(world, head, analyses);
    error = (struct maille_error){0};
    if (gate_question(verdicts, policy_of(world, policy), study, "alice", &error) != MAILLE_OK) {
        assert_int_equal(error.code, MAILLE_REFUSED);
        return error.rule;
    }
    return verdicts[0].rule;
}

/* As question, of what the first analysis says of its own head counts. */
static const char *cells_of(struct world *world, const char *policy, const char *head, const char *analyses)
{
    static struct verdict verdict;
    struct maille_error error = {0};
    const struct study *study = study_of(world, head, analyses);
    struct cells *cells = arena_alloc(world->arena, sizeof *cells);
    assert_ok(method_find(study->analyses[0].method)->cells(&study->analyses[0], world->arena, cells, &error),
              &error);
    verdict = (struct verdict){{0}, {0}, {0}};
    gate_cells(&verdict, policy_of(world, policy), &study->analyses[0], cells);
    return verdict.rule;
}

#define COUNT "  - { id: x, method: count, by: arm }\n"
#define AGES "  - { id: x, method: describe, variables: [age] }\n"
#define CURVE "  - { id: x, method: km, formula: \"Surv(time, death) ~ arm\" }\n"
#define COMPARED "  - { id: x, method: logrank, formula: \"Surv(time, death) ~ arm\" }\n"
#define MONTHS "  - { id: x, method: km, formula: \"Surv(months, death) ~ arm\" }\n"
#define LINE "  - { id: x, method: glm, family: binomial, formula: \"death ~ age + arm\" }\n"
#define TWO_LINES LINE "  - { id: y, method: glm, family: binomial, formula: \"death ~ age\" }\n"

static void methods_are_allowed_by_name(void **state)
{
    assert_string_equal(question(*state, "policy: open\nmethods: [count, km]\n", "", COUNT), "");
    assert_string_equal(question(*state, "policy: open\nmethods: [km]\n", "", COUNT), "methods");
    assert_string_equal(question(*state, "policy: open\nmethods: []\n", "", COUNT), "methods");
}

static void variables_are_denied_wherever_they_stand(void **state)
{
    const char *deny = "policy: open\nvariables: {deny: [age]}\n";
    assert_string_equal(question(*state, "policy: open\n", "", AGES), "");
    assert_string_equal(question(*state, deny, "", COUNT), "");
    assert_string_equal(question(*state, deny, "", AGES), "variables.deny");
    assert_string_equal(question(*state, deny, "", LINE), "variables.deny");
    /* Also what only the weights read. */
    assert_string_equal(
        question(*state, deny, "",
                 "  - { id: x, method: km, formula: \"Surv(time, death) ~ arm\", weights: { iptw: "
                 "\"death ~ age\" } }\n"),
        "variables.deny");
    assert_string_equal(question(*state, deny, "cohort: age > 50\n", COUNT), "variables.deny");
    assert_string_equal(
        question(*state, deny, "derive:\n  old: age > 60\n", "  - { id: x, method: count, by: old }\n"),
        "variables.deny");
    assert_string_equal(question(*state, "policy: open\nvariables: {deny: [\"role:date\"]}\n", "", AGES), "");
    assert_string_equal(question(*state, "policy: open\nvariables: {deny: [\"role:date\"]}\n",
                                 "cohort: birth > \"1950-01-10\"\n", COUNT),
                        "variables.deny");
}

static void grids_are_not_finer_than_the_finest(void **state)
{
    const char *month = "policy: open\nfinest_grid: month\n";
    assert_string_equal(question(*state, "policy: open\n", "grid: day\n", CURVE), "");
    assert_string_equal(question(*state, month, "grid: month\n", CURVE), "");
    assert_string_equal(question(*state, month, "grid: quarter\n", CURVE), "");
    assert_string_equal(question(*state, month, "grid: week\n", CURVE), "finest_grid");
    assert_string_equal(question(*state, month, "grid: day\n", CURVE), "finest_grid");
    assert_string_equal(question(*state, month, "grid: day\n", AGES), "");
    /* Months stay months under grid: day; they are as coarse as the policy wants. */
    assert_string_equal(question(*state, month, "grid: day\n", MONTHS), "");
    assert_string_equal(question(*state, "policy: open\nfinest_grid: year\n", "grid: month\n", MONTHS),
                        "finest_grid");
    /* What a method says of its own release is held to the same limit. */
    assert_string_equal(cells_of(*state, month, "grid: month\n", CURVE), "");
    assert_string_equal(cells_of(*state, month, "grid: day\n", CURVE), "finest_grid");
    /* Arithmetic on a time takes its unit away: whoever times days by 31 would see days under a grid of
     * months. */
    static const char *const hidden[] = {"method: cox, formula: \"Surv(time * 31, death) ~ arm\"",
                                         "method: km, formula: \"Surv(time * 31, death) ~ arm\"",
                                         "method: logrank, formula: \"Surv(time * 31, death) ~ arm\"",
                                         "method: cox, formula: \"Surv(time / 7, death) ~ arm\"",
                                         "method: km, formula: \"Surv(age * 12, death) ~ arm\""};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        char analysis[128];
        snprintf(analysis, sizeof analysis, "  - { id: x, %s }\n", hidden[i]);
        assert_string_equal(question(*state, month, "grid: month\n", analysis), "finest_grid");
        assert_string_equal(cells_of(*state, month, "grid: month\n", analysis), "finest_grid");
        assert_string_equal(question(*state, "policy: open\n", "grid: month\n", analysis), "");
        assert_string_equal(cells_of(*state, "policy: open\n", "grid: month\n", analysis), "");
    }
    /* A sum of durations of one unit has that unit. */
    assert_string_equal(question(*state, month, "grid: month\n",
                                 "  - { id: x, method: km, formula: \"Surv(time + 31, death) ~ arm\" }\n"),
                        "");
}

static void missing_is_as_strict_as_the_policy(void **state)
{
    const char *study = "policy: open\nmissing: study\n";
    assert_string_equal(question(*state, "policy: open\n", "missing: analysis\n", TWO_LINES), "");
    assert_string_equal(question(*state, study, "missing: study\n", TWO_LINES), "");
    assert_string_equal(question(*state, study, "missing: analysis\n", TWO_LINES), "missing");
    assert_string_equal(question(*state, study, "missing: analysis\n", LINE), ""); /* alone: the same rows */
    assert_string_equal(question(*state, study, "", TWO_LINES), "missing");
    assert_string_equal(question(*state, study, "", LINE), ""); /* one model: both readings are the same */
    assert_string_equal(question(*state, study, "missing: analysis\n", COUNT), "");
}

/* A model of months on one term, and a describe of one derived variable, under this policy. */
static const char *term_of(struct world *world, const char *policy, const char *term)
{
    const char *analyses = arena_printf(
        world->arena, "  - { id: x, method: glm, family: gaussian, formula: \"months ~ %s\" }\n", term);
    return question(world, policy, "missing: study\n", analyses);
}

static const char *derived_of(struct world *world, const char *policy, const char *text)
{
    const char *head = arena_printf(world->arena, "missing: study\nderive:\n  y: %s\n", text);
    return question(world, policy, head, "  - { id: x, method: describe, variables: [y] }\n");
}

/* Each is large for one patient, or for few, and small for all others. */
static void arithmetic_does_not_single_out(void **state)
{
    static const char *const terms[] = {
        "I(exp(-100 * (age - 97)^2))",
        "I(1 / (0.001 + (age - 97)^2))",
        "I((0.001 + (age - 97)^2)^-1)",
        "I((age - 1) * (age - 2) * (age - 3) * (age - 4))",
        "I(age^4)",
        "I((age^2)^2)",
        "I((age * months)^4)",
        "I((age * months)^2 * time)",
        "I(age^2):I((age - 1)^2)",
        "I(age^2):I((months - 1)^2):time",
        "exp(age / 10)",
        "I(exp(age / 30) * exp(age / 30))",
        "I(exp(age / 30)^2)",
        "exp(age / 30):I(exp(age / 31))",
        "exp(exp(age / 100))",
        "I((age + 2)^-2)",
        "I(1 / (age + 2) * (1 / (age + 3)))",
        "I(1 / (1.02 - 1 / (age + 2)))",
        "log(0.0001 + (age - 97)^2)",
        "log(age + 0.0001)",
        "sqrt((age - 97)^2)",
        "I(sqrt((age - 96)^2) - 2 * sqrt((age - 97)^2) + sqrt((age - 98)^2))",
        "I((age == 97) * months)",
        "pmin(age, 50)",
        "pmax(age, 50, time)",
        "abs(age - 50)",
        "I(age + pmax(age - 60, 0))",
        "ifelse(age > 60, age, 0)",
        "ifelse(age > 60, 1, 0)",
        "poly(age, 4, raw = TRUE)",
        "poly(age, 2, raw = TRUE):I(age^2)",
        "I((age + 10)^(1/3))",
        "I(2 * death)",
        "I(death + 1)",
        "log(death + 1)",
        "offset(1 * death)",
        "ns(age, knots = c(96.6, 96.8, 97, 97.2), Boundary.knots = c(20, 100))",
        "ns(age, knots = c(50, 60), Boundary.knots = c(49.5, 100))",
        "ns(time, knots = c(500, 505), Boundary.knots = c(10, 2000))",
        "ns(log(age + 2), knots = c(0.9, 1.2, 1.5), Boundary.knots = c(0.7, 4.6))", /* 0, 1 and 2 years */
        "ns(sqrt(age), knots = c(1.5, 2, 3), Boundary.knots = c(0.5, 9))", /* none between 1 and 2 but 1 … 3
                                                                            */
    };
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const char *rule = term_of(*state, "policy: strict\n", terms[i]);
        if (strcmp(rule, "arithmetic") != 0)
            fail_msg("%s: expected arithmetic, found `%s`", terms[i], rule);
        assert_string_equal(term_of(*state, "policy: standard\n", terms[i]), "arithmetic");
        assert_string_equal(term_of(*state, "policy: open\n", terms[i]), "");
    }
    assert_string_equal(derived_of(*state, "policy: strict\n", "exp(0 - 100 * (age - 97)^2)"), "arithmetic");
    assert_string_equal(derived_of(*state, "policy: strict\n", "age * (age == 97)"), "arithmetic");
    assert_string_equal(derived_of(*state, "policy: open\n", "age * (age == 97)"), "");
}

/* In whatever place a number is written: response, time, weights, iptw, the model of a meta-analysis; not
 * where it only picks patients or groups them. */
static void arithmetic_is_looked_at_in_every_place(void **state)
{
    const char *strict = "policy: strict\n",
               *head = "grid: month\nmissing: study\nderive:\n  one: exp(0 - (age - 97)^2)\n"
                       "  flag: age == 97\n";
    static const char *const refused[] = {
        "  - { id: x, method: glm, family: gaussian, formula: \"one ~ months\" }\n",
        "  - { id: x, method: km, formula: \"Surv(one, death) ~ arm\" }\n",
        "  - { id: x, method: glm, family: gaussian, formula: \"months ~ age\", weights: one }\n",
        "  - { id: x, method: glm, family: gaussian, formula: \"months ~ age\", weights: flag }\n",
        "  - { id: x, method: km, formula: \"Surv(time, death) ~ arm\", weights: { iptw: \"death ~ one\" } "
        "}\n",
        "  - { id: x, method: meta, term: one, model: { method: glm, family: gaussian, formula: \"months ~ "
        "one\" } }\n",
        "  - { id: x, method: quantile, variable: one, probs: [0.5] }\n",
    };
    static const char *const passes[] = {
        "  - { id: x, method: describe, variables: [flag, age] }\n",
        "  - { id: x, method: count, cohort: one > 0.5, by: flag }\n",
        "  - { id: x, method: glm, family: gaussian, formula: \"months ~ flag\" }\n",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *rule = question(*state, strict, head, refused[i]);
        if (strcmp(rule, "arithmetic") != 0)
            fail_msg("%s: expected arithmetic, found `%s`", refused[i], rule);
        assert_string_equal(question(*state, "policy: open\n", head, refused[i]), "");
    }
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        assert_string_equal(question(*state, strict, head, passes[i]), "");
    /* So are variables that may not be read. */
    assert_string_equal(
        question(*state, "policy: open\nvariables: {deny: [age]}\n", "",
                 "  - { id: x, method: meta, term: age, model: { method: glm, family: gaussian, formula: "
                 "\"months ~ age\" } }\n"),
        "variables.deny");
}

static void ordinary_terms_pass(void **state)
{
    static const char *const terms[] = {
        "age",
        "I(age^2)",
        "I(age^3)",
        "age + I(age^2) + I(age^3)",
        "log(time + 1)",
        "sqrt(time)",
        "age:time",
        "age * death * arm",
        "death:time",
        "age + death + factor(age > 60)",
        "I(age > 60)",
        "cut(age, c(40, 60, 80))",
        "relevel(arm, ref = \\\"b\\\")",
        "pmax(age, -1)",
        "abs(age)",
        "I(age^0.5)",
        "I(time^1.5)",
        "I((age + 10)^-0.5)",
        "poly(age, 3, raw = TRUE)",
        "year(birth) + month(birth)",
        "I(age / 10)",
        "I((age - 60) / 10)",
        "exp(age / 100)",
        "I(exp(age / 60) * exp(age / 60))",
        "I(time / (age + 20)^2)",
        "log(time / (age + 10) + 1)",
        "offset(log(time + 1))",
        "ns(age, knots = c(45, 55, 65), Boundary.knots = c(25, 85)) * death",
        "ns(log(time + 1), knots = c(4, 6), Boundary.knots = c(1, 8))",
        "ns(log(age + 2), knots = c(3, 3.5, 4), Boundary.knots = c(2, 4.6))",
        "ns(sqrt(age), knots = c(4, 6), Boundary.knots = c(2, 9))",
    };
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const char *rule = term_of(*state, "policy: strict\n", terms[i]);
        if (rule[0] != '\0')
            fail_msg("%s: expected to pass, found `%s`", terms[i], rule);
    }
    assert_string_equal(derived_of(*state, "policy: strict\n", "age / 10"), "");
    /* A derived variable that nobody uses does no harm. */
    assert_string_equal(question(*state, "policy: strict\n", "derive:\n  y: exp(age / 3)\n", COUNT), "");
}

static void purposes_and_researchers_are_allowed_by_name(void **state)
{
    assert_string_equal(question(*state, "policy: open\npurposes: [care]\n", "", COUNT), "");
    assert_string_equal(question(*state, "policy: open\npurposes: [trade]\n", "", COUNT), "purposes");
    assert_string_equal(question(*state, "policy: open\nresearchers: [alice]\n", "", COUNT), "");
    assert_string_equal(question(*state, "policy: open\nresearchers: [bob]\n", "", COUNT), "researchers");
}

static void a_roster_is_large_enough(void **state)
{
    struct maille_error error = {0};
    assert_ok(gate_roster(policy_of(*state, "policy: strict\n"), 3, &error), &error);
    assert_int_equal(gate_roster(policy_of(*state, "policy: strict\nmin_sites: 5\n"), 4, &error),
                     MAILLE_REFUSED);
    assert_string_equal(error.rule, "min_sites");
    assert_ok(gate_roster(policy_of(*state, "policy: strict\nmin_sites: 5\n"), 5, &error), &error);
}

/* --- releases --- */

struct round {
    struct round_plan plan;
    struct tally words;
    struct verdict verdicts[8];
    bool open[8];
};

static void round_make(struct round *round, struct world *world, const char *analyses)
{
    struct maille_error error = {0};
    const struct study *study = study_of(world, "grid: month\n", analyses);
    struct vector thetas[8] = {{0}};
    for (size_t k = 0; k < study->n_analyses; k++)
        round->open[k] = true;
    assert_ok(round_plan(&round->plan, study, round->open, thetas, NULL, 0, &error), &error);
    bytes_reserve(&round->words.words, round->plan.bytes);
    for (size_t i = 0; i < round->plan.vetoes; i++)
        round->words.words.data[i] = (uint8_t)i;
}

static void round_clear(struct round *round)
{
    round_plan_clear(&round->plan);
    tally_clear(&round->words);
    *round = (struct round){0};
}

static void a_release_takes_the_sums(void **state)
{
    struct round round = {0};
    struct release *release = NULL;
    struct maille_error error = {0};
    size_t length;
    round_make(&round, *state, COUNT);
    const uint8_t *data = round.words.words.data;
    assert_ok(gate_release(&release, &round.plan, NULL, round.verdicts, NULL, &round.words, &error), &error);
    assert_ptr_equal(release_words(release, &length), data);
    assert_int_equal(length, round.plan.bytes);
    assert_null(round.words.words.data);
    release_free(release);
    round_clear(&round);
    release_free(NULL);
}

/* In the place of what is vetoed stands noise, and only there. */
static void a_veto_is_noise(void **state)
{
    struct round round = {0};
    struct release *release = NULL;
    struct maille_error error = {0};
    size_t length;
    round_make(&round, *state, COUNT "  - { id: y, method: describe, variables: [age] }\n");
    const bool vetoed[] = {true, false};
    uint8_t noise[8192];
    assert_true(round.plan.bytes <= sizeof noise);
    assert_int_equal(round.plan.bytes - round.plan.vetoes, 16);
    memset(noise, 0xa5, sizeof noise);
    memset(noise + round.plan.vetoes, 0, 16); /* one word in 2^64: still a veto */
    const struct gate_veto veto = {vetoed, noise};
    assert_ok(gate_release(&release, &round.plan, NULL, round.verdicts, &veto, &round.words, &error), &error);
    const uint8_t *words = release_words(release, &length);
    for (size_t i = 0; i < round.plan.vetoes; i++) {
        const bool first = i < round.plan.analyses[0].offset + round.plan.analyses[0].bytes;
        assert_int_equal(words[i], first ? 0xa5 : (uint8_t)i);
    }
    assert_int_equal(le64_load(words + round_veto_at(&round.plan, 0)), 1);
    assert_int_equal(le64_load(words + round_veto_at(&round.plan, 1)), 0);
    release_free(release);
    round_clear(&round);
}

static void a_release_needs_every_verdict(void **state)
{
    struct round round = {0};
    struct release *release = NULL;
    struct maille_error error = {0};
    round_make(&round, *state, COUNT "  - { id: y, method: describe, variables: [age] }\n");
    snprintf(round.verdicts[1].rule, sizeof round.verdicts[1].rule, "min_cell");
    assert_int_equal(gate_release(&release, &round.plan, NULL, round.verdicts, NULL, &round.words, &error),
                     MAILLE_REFUSED);
    assert_string_equal(error.rule, "min_cell");
    assert_null(release);
    assert_non_null(round.words.words.data);
    round_clear(&round);
}

static void a_release_has_the_length_of_its_plan(void **state)
{
    struct round round = {0};
    struct release *release = NULL;
    struct maille_error error = {0};
    round_make(&round, *state, COUNT);
    bytes_put_u8(&round.words.words, 0);
    assert_int_equal(gate_release(&release, &round.plan, NULL, round.verdicts, NULL, &round.words, &error),
                     MAILLE_INTERNAL);
    assert_null(release);
    round_clear(&round);
}

/* A table of four cells; threshold rounds that hid the second. */
static const struct surviving *second_hidden(struct world *world)
{
    static const uint8_t all[1] = {1}, cells[4] = {1, 0, 1, 1};
    struct surviving *surviving = arena_alloc(world->arena, sizeof *surviving);
    const uint8_t **kept = arena_array(world->arena, 3, sizeof *kept);
    kept[0] = kept[1] = all;
    kept[2] = cells;
    *surviving = (struct surviving){.n_blocks = 3, .kept = kept};
    return surviving;
}

static void what_is_hidden_is_0_in_a_release(void **state)
{
    struct round round = {0};
    struct release *release = NULL;
    struct maille_error error = {0};
    struct world *world = *state;
    const struct study *study =
        study_of(world, "grid: month\n", "  - { id: x, method: count, by: [arm, death] }\n");
    const struct surviving *surviving = second_hidden(world), *none = NULL;
    const struct vector theta = {0};
    round.open[0] = true;
    assert_ok(round_plan(&round.plan, study, round.open, &theta, &surviving, 0, &error), &error);
    struct tally_spec *spec = round.plan.analyses[0].spec;
    const struct tally_extent *extent = &round.plan.analyses[0].extents[1];
    uint8_t *words = bytes_reserve(&round.words.words, round.plan.bytes);
    memset(words, 7, round.plan.vetoes);
    assert_int_equal(
        gate_release(&release, &round.plan, &surviving, round.verdicts, NULL, &round.words, &error),
        MAILLE_INTERNAL);
    assert_non_null(strstr(error.sentence, "found sums"));
    memset(words + extent->offset + extent->width, 0, extent->width);
    /* The plan of another study's cells, or of none. */
    assert_int_equal(gate_release(&release, &round.plan, NULL, round.verdicts, NULL, &round.words, &error),
                     MAILLE_INTERNAL);
    assert_int_equal(gate_release(&release, &round.plan, &none, round.verdicts, NULL, &round.words, &error),
                     MAILLE_INTERNAL);
    const uint8_t *kept = spec->blocks[1].kept;
    spec->blocks[1].kept = NULL;
    assert_int_equal(
        gate_release(&release, &round.plan, &surviving, round.verdicts, NULL, &round.words, &error),
        MAILLE_INTERNAL);
    spec->blocks[1].kept = kept;
    const struct guard *guard = spec->blocks[1].guard;
    spec->blocks[1].guard = NULL;
    assert_int_equal(
        gate_release(&release, &round.plan, &surviving, round.verdicts, NULL, &round.words, &error),
        MAILLE_INTERNAL);
    assert_non_null(strstr(error.sentence, "guard block 1, found none"));
    spec->blocks[1].guard = guard;
    assert_null(release);
    assert_ok(gate_release(&release, &round.plan, &surviving, round.verdicts, NULL, &round.words, &error),
              &error);
    release_free(release);
    round_clear(&round);
}

/* Counts (8 bytes) and sums (16 bytes) of several analyses: the runs tile the vector, merge neighbours, and
 * begin where they must. */
static void runs_tile_the_vector(void **state)
{
    struct round round = {0};
    struct word_run runs[64];
    round_make(&round, *state,
               COUNT "  - { id: y, method: describe, variables: [age], by: arm }\n"
                     "  - { id: z, method: km, formula: \"Surv(time, death) ~ arm\" }\n"
                     "  - { id: w, method: glm, family: binomial, formula: \"death ~ age + arm\" }\n");
    size_t n = gate_runs(runs, 64, &round.plan);
    uint64_t at = 0;
    assert_true(n >= 2);
    for (size_t i = 0; i < n; i++) {
        assert_true(runs[i].width == 8 || runs[i].width == 16);
        assert_true(runs[i].bytes > 0);
        assert_int_equal(runs[i].bytes % runs[i].width, 0);
        assert_int_equal(at % runs[i].width, 0);
        if (i > 0)
            assert_int_not_equal(runs[i].width, runs[i - 1].width);
        at += runs[i].bytes;
    }
    assert_int_equal(at, round.plan.bytes);
    /* Every block lies in a run of its own width. */
    for (size_t k = 0; k < round.plan.n; k++)
        for (size_t b = 0; b < round.plan.analyses[k].spec->n_blocks; b++) {
            const struct tally_extent *extent = &round.plan.analyses[k].extents[b];
            uint64_t start = round.plan.analyses[k].offset + extent->offset,
                     end = start + extent->count * extent->width;
            size_t run = 0;
            for (at = 0; at + runs[run].bytes <= start; run++)
                at += runs[run].bytes;
            assert_int_equal(runs[run].width, extent->width);
            assert_true(end <= at + runs[run].bytes);
        }
    round_clear(&round);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_allowed_by_name),
        cmocka_unit_test(variables_are_denied_wherever_they_stand),
        cmocka_unit_test(grids_are_not_finer_than_the_finest),
        cmocka_unit_test(missing_is_as_strict_as_the_policy),
        cmocka_unit_test(arithmetic_does_not_single_out),
        cmocka_unit_test(arithmetic_is_looked_at_in_every_place),
        cmocka_unit_test(ordinary_terms_pass),
        cmocka_unit_test(purposes_and_researchers_are_allowed_by_name),
        cmocka_unit_test(a_roster_is_large_enough),
        cmocka_unit_test(a_release_takes_the_sums),
        cmocka_unit_test(a_veto_is_noise),
        cmocka_unit_test(a_release_needs_every_verdict),
        cmocka_unit_test(a_release_has_the_length_of_its_plan),
        cmocka_unit_test(what_is_hidden_is_0_in_a_release),
        cmocka_unit_test(runs_tile_the_vector),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
