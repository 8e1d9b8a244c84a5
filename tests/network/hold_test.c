/* Every method, asked where an officer decides on what leaves: behind threshold rounds, with bins that are
 * joined, in networks of 3, 4, 6 and 18 sites. What was approved is what leaves, at each site and in every
 * round; so the result is, bit for bit, what the same study gives where nobody decides. (An approved pooled
 * Cox model was refused once: its second round was not what the officer had seen.)
 *
 * All methods in one study, at 3 and 18 sites those with rounds that follow from one another; with
 * MAILLE_MATRIX=all everywhere all, and each in a study of its own, under standard and under strict. */
#include "tests/network/testing.h"

#include "proto/open.h"
#include "stats/methods.h"
#include "stats/run_bytes.h"

static const char head[] =
    "study: held\ndictionary: rotterdam@1\ntitle: a test\npurpose: research\nlegal_basis: MR-004\n"
    "protocol: P-1\nexpires: 2099-12-31\nsites: all\ngrid: month\nmissing: analysis\nderive:\n"
    "  first: factor(recur * 1 + (death && !recur) * 2, levels = c(0, 1, 2), labels = c(\"neither\", "
    "\"relapse\", \"death\"))\n"
    "  after: factor(recur * 1 + (death && !recur) * 2, levels = c(1, 2), labels = c(\"relapse\", "
    "\"death\"))\nanalyses:\n";

/* At least one of each method of the table. */
static const struct row {
    const char *id, *text; /* of the rest of the analysis, method first */
    bool follows;          /* what is masked in one round follows from the round before */
    bool needs_five;       /* sites: with fewer it fails, with and without an officer */
} rows[] = {
    {"count", "method: count, by: grade", false, false},
    {"describe", "method: describe, variables: [age, pgr], by: hormon", false, false},
    {"quantile", "method: quantile, variable: pgr, probs: [0.25, 0.5, 0.75], by: meno", false, false},
    {"histogram", "method: histogram, variable: age, breaks: [20, 45, 60, 95]", false, false},
    {"crosstab", "method: crosstab, variables: [meno, hormon]", false, false},
    {"attrition", "method: attrition, criteria: [meno]", false, false},
    {"pathways", "method: pathways, variables: [hormon, after]", false, false},
    {"ttest", "method: ttest, formula: \"age ~ chemo\"", false, false},
    {"anova", "method: anova, formula: \"age ~ size\"", false, false},
    {"correlation", "method: correlation, variables: [age, pgr, er]", false, false},
    {"line", "method: glm, family: gaussian, formula: \"nodes ~ age + grade\"", false, false},
    {"logit", "method: glm, family: binomial, formula: \"death ~ age + chemo\", robust: true", true, false},
    {"poisson", "method: glm, family: poisson, formula: \"death ~ age + offset(log(dtime + 1))\"", false,
     false},
    {"gformula", "method: gformula, family: binomial, treatment: chemo, formula: \"death ~ chemo + age\"",
     false, false},
    {"emulation",
     "method: emulation, formula: \"Surv(dtime, death) ~ age\", treatment: recur, start: rtime, grace: "
     "[1826.25], times: [2191.5]",
     false, false},
    {"km", "method: km, formula: \"Surv(dtime, death) ~ chemo\", tau: 3000", false, false},
    {"logrank", "method: logrank, formula: \"Surv(dtime, death) ~ meno\"", false, false},
    {"rate", "method: rate, formula: \"Surv(dtime, death) ~ chemo\"", false, false},
    {"cox", "method: cox, formula: \"Surv(dtime, death) ~ age + chemo\", zph: true, baseline: true", true,
     false},
    {"site", "method: cox, formula: \"Surv(rtime, recur) ~ age + strata(site)\"", false, false},
    {"cuminc", "method: cuminc, formula: \"Surv(rtime, first) ~ chemo\"", false, false},
    {"finegray", "method: finegray, formula: \"Surv(rtime, first) ~ age + chemo\", cause: relapse", true,
     false},
    {"meta", "method: meta, model: { method: cox, formula: \"Surv(dtime, death) ~ age\" }, term: age", false,
     true},
    {"smd", "method: smd, treatment: hormon, variables: [age, meno]", false, false},
    {"weighted", "method: cox, formula: \"Surv(dtime, death) ~ chemo\", weights: { iptw: \"chemo ~ grade\" }",
     true, false},
    {"table1", "method: table1, variables: [age, chemo], by: hormon, p: true", false, false},
    {"controls", "method: negative_controls, analysis: cox, controls: [weighted], term: chemoTRUE", true,
     false},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* In networks of 3 and 4 every cell must hold at each site: with the minima of `standard` a fifth of this
 * would be left. */
static const char small[] =
    "policy: standard\nmin_patients: 5\nmin_cell: 2\nmin_events: 2\nmin_tail: 2\ndifferencing: 2\n"
    "approval: { default: hold }\n";
static const char standard[] = "policy: standard\napproval: { default: hold }\n",
                  strict[] = "policy: strict\napproval: { default: hold }\n";

/* How often sites said that a study waits there, and that it goes on. */
struct waits {
    unsigned held, approved;
};

static unsigned count_ready(void *context, const struct flight *flight)
{
    struct waits *waits = context;
    struct message in;
    struct arena *arena = arena_new();
    if (flight->kind == MESSAGE_READY && flight->from >= PLAY_SITE) {
        assert_int_equal(
            message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, NULL),
            MAILLE_OK);
        assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
        waits->held += in.body.ready.state == READY_HELD;
        waits->approved += in.body.ready.state == READY_READY;
    }
    arena_free(arena);
    return 1;
}

struct matrix {
    size_t asked[ROWS], ok[ROWS]; /* in how many studies each row was asked, and came to a result */
    size_t joined;                /* results that name where steps were joined */
};

static void same_bytes(const struct study_run *run, const struct study_run *expected, size_t k)
{
    struct bytes a = {0}, b = {0};
    study_run_write_ended(&a, run, k);
    study_run_write_ended(&b, expected, k);
    if (a.length != b.length || memcmp(a.data, b.data, a.length) != 0)
        fail_msg("%s came to another result than where nobody decides", run->study->analyses[k].id);
    bytes_clear(&a);
    bytes_clear(&b);
}

/* The analyses of these rows. In arena. */
static const char *study_of(struct arena *arena, const bool *asked)
{
    const char *text = "";
    for (size_t r = 0; r < ROWS; r++)
        if (asked[r])
            text = arena_printf(arena, "%s  - { id: %s, %s }\n", text, rows[r].id, rows[r].text);
    return text;
}

/* Rows that a row names are asked with it. */
static void with_others(bool *asked)
{
    for (size_t r = 0; r < ROWS; r++)
        for (size_t other = 0; asked[r] && strcmp(rows[r].id, "controls") == 0 && other < ROWS; other++)
            asked[other] =
                asked[other] || strcmp(rows[other].id, "cox") == 0 || strcmp(rows[other].id, "weighted") == 0;
}

/* asked: which rows. */
static void ask(struct matrix *matrix, bool *asked, size_t n_sites, const char *policy)
{
    with_others(asked);
    struct waits waits = {0};
    struct maille_error error = {0};
    struct bytes json = {0};
    struct study_run expected = {0};
    struct plan plan = {0};
    struct arena *arena = arena_new();
    size_t row = 0, n_ok = 0;
    struct play *play = play_new(&(struct play_options){.seed = n_sites,
                                                        .n_sites = n_sites,
                                                        .policy = policy,
                                                        .head = head,
                                                        .study = study_of(arena, asked),
                                                        .fate = count_ready,
                                                        .context = &waits});
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%zu sites: %s", n_sites, error.sentence);
    play_expected_run(&expected, &plan, play);
    const struct study_run *run = agent_study_run(play_agent(play));
    for (size_t k = 0; k < run->study->n_analyses; k++, row++) {
        while (!asked[row])
            row++;
        const char *id = run->study->analyses[k].id;
        const struct analysis_state *found = &run->states[k], *wanted = &expected.states[k];
        if (found->status != wanted->status || strcmp(found->rule, wanted->rule) != 0)
            fail_msg("%zu sites: %s: expected %s, found %s: %s", n_sites, id, wanted->rule, found->rule,
                     found->reason);
        if (found->status != ANALYSIS_REFUSED)
            same_bytes(run, &expected, k);
        matrix->asked[row] += policy != strict && (n_sites >= 5 || !rows[row].needs_five);
        matrix->ok[row] += policy != strict && found->status == ANALYSIS_OK;
        if (found->status != ANALYSIS_OK && getenv("MAILLE_PLAY_WORDS") != NULL)
            fprintf(stderr, "%zu sites: %s: %s %s\n", n_sites, id, found->rule, found->reason);
        n_ok += found->status == ANALYSIS_OK;
    }
    if (n_ok > 0) { /* what is refused as a whole waits for nobody */
        assert_int_equal(waits.held, n_sites);
        assert_int_equal(waits.approved, n_sites);
    }
    play_result(&json, play);
    bytes_put_u8(&json, 0);
    matrix->joined += strstr((const char *)json.data, "\"grid_merged\": true") != NULL;
    bytes_clear(&json);
    study_run_clear(&expected);
    plan_clear(&plan);
    play_free(play);
    arena_free(arena);
}

static const size_t networks[] = {3, 4, 6, 18};
enum { NETWORKS = sizeof networks / sizeof *networks };

static bool everything(void)
{
    const char *which = getenv("MAILLE_MATRIX");
    return which != NULL && strcmp(which, "all") == 0;
}

static const char *policy_at(size_t n_sites)
{
    return n_sites < 5 ? small : standard;
}

/* strict may refuse what it likes. */
static void all_came_to_a_result(const struct matrix *matrix)
{
    for (size_t r = 0; r < ROWS; r++)
        if (matrix->asked[r] == 0 || matrix->ok[r] < matrix->asked[r])
            fail_msg("%s: expected %zu results, found %zu", rows[r].id, matrix->asked[r], matrix->ok[r]);
    assert_true(matrix->joined > 0);
}

static void every_method_has_a_row(void **state)
{
    (void)state;
    for (size_t m = 0; methods_all[m] != NULL; m++) {
        char wanted[64];
        bool found = false;
        snprintf(wanted, sizeof wanted, "method: %s,", methods_all[m]->declared.name);
        for (size_t r = 0; r < ROWS; r++)
            found = found || strncmp(rows[r].text, wanted, strlen(wanted)) == 0;
        if (!found)
            fail_msg("expected an analysis by `%s`, found none", methods_all[m]->declared.name);
    }
}

static void every_method_in_one_study(void **state)
{
    (void)state;
    struct matrix matrix = {{0}, {0}, 0};
    for (size_t i = 0; i < NETWORKS; i++) {
        bool asked[ROWS];
        for (size_t r = 0; r < ROWS; r++)
            asked[r] = networks[i] == 4 || networks[i] == 6 || rows[r].follows || everything();
        ask(&matrix, asked, networks[i], policy_at(networks[i]));
    }
    all_came_to_a_result(&matrix);
}

/* Then nothing else of the study hides what it has. */
static void every_method_alone(void **state)
{
    (void)state;
    struct matrix matrix = {{0}, {0}, 0};
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < NETWORKS; i++) {
            bool asked[ROWS] = {false};
            asked[r] = true;
            ask(&matrix, asked, networks[i], policy_at(networks[i]));
            ask(&matrix, asked, networks[i], strict);
        }
    all_came_to_a_result(&matrix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_has_a_row),
        cmocka_unit_test(every_method_in_one_study),
        cmocka_unit_test(every_method_alone),
    };
    return _cmocka_run_group_tests("hold", tests, everything() ? 3 : 2, NULL, NULL);
}
