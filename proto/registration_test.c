/* Registrations: what is read, what is written, and which study they let be asked. */
#include "proto/registration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proto/directory.h"

static struct arena *arena;

#define KEY(digit) digit digit digit digit digit digit digit digit
#define HEX(digit) KEY(digit) KEY(digit) KEY(digit) KEY(digit) KEY(digit) KEY(digit) KEY(digit) KEY(digit)
#define HEX_1 HEX("1")
#define HEX_2 HEX("2")
#define HEX_3 HEX("3")
#define HEX_4 HEX("4")
#define HEX_5 HEX("5")
#define HEX_6 HEX("6")
#define HEX_7 HEX("7")
static const char head[] = "network: toy\n"
                           "version: 3\n"
                           "quorum: 1\n"
                           "authorities: [{ name: board, identity: " HEX_1 " }]\n"
                           "coordinator: { name: c, endpoint: \"tcp://127.0.0.1:9700\", "
                           "identity: " HEX_2 ", transport: " HEX_3 " }\n"
                           "researchers: [{ name: alice, identity: " HEX_4 ", transport: " HEX_5 " },\n"
                           "  { name: bob, identity: " HEX_6 ", transport: " HEX_7 " }]\n"
                           "purposes: [research, quality]\n";

static const char one[] = "registrations:\n"
                          "  - id: HDH-0000\n"
                          "    title: \"Chemotherapy\"\n"
                          "    summary_for_patients: |\n"
                          "      We want to know who lives longer.\n"
                          "      « Nobody » reads your record.\n"
                          "    legal_basis: MR-004\n"
                          "    purposes: [research]\n"
                          "    researchers: [alice]\n"
                          "    dictionary: toy@1\n"
                          "    variables: [age, arm]\n"
                          "    cuts: { age: [45, 62.5], seen: [2015-07-01] }\n"
                          "    budget: { tables: 7 }\n"
                          "    ethics: { opinion: \"CPP 12, favourable\", date: 2026-03-01 }\n"
                          "    notice: \"A letter\"\n"
                          "    controller: \"Institut X\"\n"
                          "    objection: \"Write to dpo@x.example: «no»\"\n"
                          "    retention: \"10 years\"\n"
                          "    transfers: none\n"
                          "    result: \"doi:10.1/x\"\n"
                          "    begin: 2026-04-01\n"
                          "    end: 2026-04-30\n";

static enum maille_code parse(const struct directory **directory, const char *registrations,
                              struct maille_error *error)
{
    const char *text = arena_printf(arena, "%s%s", head, registrations);
    return directory_parse(directory, arena, "network.yaml", text, strlen(text), error);
}

static const struct directory *good(const char *registrations)
{
    const struct directory *directory = NULL;
    struct maille_error error = {0};
    if (parse(&directory, registrations, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    return directory;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const struct directory *d = good(one), *again = NULL;
    struct bytes text = {0}, twice = {0};
    assert_int_equal(d->registrations.rule, REGISTRATION_LISTED);
    assert_int_equal(d->registrations.n, 1);
    directory_write(&text, d);
    assert_int_equal(directory_parse(&again, arena, "again", (const char *)text.data, text.length, NULL),
                     MAILLE_OK);
    const struct registration *r = registration_find(again, "HDH-0000");
    assert_non_null(r);
    assert_string_equal(r->title, "Chemotherapy");
    assert_string_equal(r->summary, "We want to know who lives longer.\n« Nobody » reads your record.");
    assert_string_equal(r->legal_basis, "MR-004");
    assert_string_equal(r->notice, "A letter");
    assert_string_equal(r->controller, "Institut X");
    assert_string_equal(r->objection, "Write to dpo@x.example: «no»");
    assert_string_equal(r->retention, "10 years");
    assert_string_equal(r->transfers, "none");
    assert_string_equal(r->result, "doi:10.1/x");
    assert_int_equal(r->n_purposes, 1);
    assert_string_equal(r->purposes[0], "research");
    assert_int_equal(r->n_researchers, 1);
    assert_string_equal(r->researchers[0], "alice");
    assert_string_equal(r->dictionary, "toy@1");
    assert_int_equal(r->n_variables, 2);
    assert_string_equal(r->variables[1], "arm");
    assert_int_equal(r->n_cuts, 2);
    assert_string_equal(r->cuts[0].name, "age");
    assert_int_equal(r->cuts[0].n, 2);
    assert_string_equal(r->cuts[0].texts[1], "62.5");
    assert_string_equal(r->cuts[1].texts[0], "2015-07-01");
    assert_int_equal(r->budget_tables, 7);
    assert_int_equal(r->budget_models, REGISTRATION_NO_BUDGET);
    assert_string_equal(r->opinion, "CPP 12, favourable");
    assert_int_equal(r->opinion_date, 20513);
    assert_int_equal(r->begin, 20544);
    assert_int_equal(r->end, 20573);
    assert_false(r->closed);
    directory_write(&twice, again);
    assert_int_equal(twice.length, text.length);
    assert_memory_equal(twice.data, text.data, text.length);
    assert_null(registration_find(again, "HDH-0001"));
    bytes_clear(&text);
    bytes_clear(&twice);
    /* Without the key, with nobody in it, and for everybody: three different things, also once written. */
    static const char *const texts[] = {"", "registrations: any\n", "registrations: []\n"};
    for (int rule = REGISTRATION_NONE; rule <= REGISTRATION_LISTED; rule++) {
        d = good(texts[rule]);
        assert_int_equal(d->registrations.rule, rule);
        assert_int_equal(d->registrations.n, 0);
        directory_write(&text, d);
        assert_int_equal(directory_parse(&again, arena, "again", (const char *)text.data, text.length, NULL),
                         MAILLE_OK);
        assert_int_equal(again->registrations.rule, rule);
        bytes_clear(&text);
    }
}

/* One thing wrong at a time: what is replaced in a good text, and what the sentence must say. */
static void bad_texts_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"age: [45, 62.5]", "age: []", "expected at least one cut of age, found none"},
        {"age: [45, 62.5]", "age: [old]", "expected a number"},
        {"seen: [2015-07-01]", "\"2\": [1]", "expected the name of a variable, found \"2\""},
        {"cuts: { age: [45, 62.5], seen: [2015-07-01] }", "cuts: [45]", "expected cuts of variables as"},
        {"    title: \"Chemotherapy\"\n", "", "network.yaml:10:5: expected the key \"title\""},
        {"    notice: \"A letter\"\n", "", "expected the key \"notice\""},
        {"    title:", "    titel:", "title"},
        {"\"Chemotherapy\"", "\"\"", "network.yaml:11:12: expected 1 to 300 bytes for \"title\", found 0"},
        {"\"Chemotherapy\"", "\"a\\nb\"", "expected one line for \"title\", found several"},
        {"\"Chemotherapy\"", "\"a\\eb\"", "U+001B"},
        {"\"Chemotherapy\"", "\"a\\u202Eb\"", "U+202E"},
        {"\"Chemotherapy\"", "\"a\\tb\"", "a tab"},
        {"\"Chemotherapy\"", "[a]", "expected a text"},
        {"purposes: [research]", "purposes: [reserch]",
         "network.yaml:16:16: expected a purpose that the network "
         "lists, found \"reserch\"; did you mean \"research\"?"},
        {"purposes: [research]", "purposes: []", "expected at least one purpose"},
        {"researchers: [alice]", "researchers: [alize]", "did you mean \"alice\"?"},
        {"researchers: [alice]", "researchers: [alice, alice]", "found alice again"},
        {"researchers: [alice]", "researchers: alice", "as a list"},
        {"toy@1", "toy@0", "expected a dictionary as name@version"},
        {"toy@1", "\"@1\"", "expected a dictionary as name@version"},
        {"[age, arm]", "[age, \"a b\"]", "expected a name among the variables"},
        {"[age, arm]", "[]", "expected at least one variable"},
        {"{ tables: 7 }", "{ tables: -1 }", "network.yaml:"},
        {"{ tables: 7 }", "{ table: 7 }", "tables"},
        {"{ tables: 7 }", "7", "expected a budget as"},
        {", date: 2026-03-01 }", " }", "expected an opinion as"},
        {"2026-03-01", "soon", "expected a date as YYYY-MM-DD, found \"soon\""},
        {"begin: 2026-04-01", "begin: 2026-05-01", "expected an end that is not before the begin"},
        {"end: 2026-04-30\n", "end: 2026-04-31\n", "expected a date"},
        {"end: 2026-04-30\n", "end: 2026-04-30\n    closed: perhaps\n", "network.yaml:"},
        {"registrations:\n", "registrations: { a: b }\nother:\n", "network.yaml:"},
        {"  - id: HDH-0000", "  - 5\n  - id: HDH-0000", "expected a registration"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct directory *read = NULL;
        struct maille_error error = {0};
        const char *at = strstr(one, cases[i].from);
        assert_non_null(at);
        const char *text =
            arena_printf(arena, "%.*s%s%s", (int)(at - one), one, cases[i].to, at + strlen(cases[i].from));
        if (parse(&read, text, &error) != MAILLE_INVALID || strstr(error.sentence, cases[i].says) == NULL)
            fail_msg("case %zu (\"%s\"): expected \"%s\" in: %s", i, cases[i].to, cases[i].says,
                     error.sentence);
        assert_null(read);
    }
    struct maille_error error = {0};
    const struct directory *read = NULL;
    const char *twice = arena_printf(arena, "%s%s", one, strstr(one, "  - id"));
    assert_int_equal(parse(&read, twice, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "found HDH-0000 again"));
}

/* Two and a third: a link holds both ways, and for those alone that it names. */
static void registrations_are_linked(void **state)
{
    (void)state;
    static const char *const ids[] = {"HDH-0000", "HDH \"1\"", "HDH-0002"};
    const char *text = one;
    struct maille_error error = {0};
    struct bytes written = {0};
    const struct directory *d = NULL, *again = NULL;
    for (size_t i = 1; i < 3; i++)
        text = arena_printf(arena, "%s  - id: '%s'%s%s", text, ids[i], strstr(one, "\n    title"),
                            i == 1 ? "    linked: [HDH-0000]\n" : "");
    d = good(text);
    directory_write(&written, d);
    assert_int_equal(
        directory_parse(&again, arena, "again", (const char *)written.data, written.length, NULL), MAILLE_OK);
    bytes_clear(&written);
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        const char **linked = registration_linked(&n, arena, again, registration_find(again, ids[i]));
        assert_int_equal(n, i == 2 ? 1 : 2);
        assert_string_equal(linked[0], i == 2 ? ids[2] : ids[0]);
        assert_string_equal(linked[n - 1], i == 2 ? ids[2] : ids[1]);
    }
    static const char *const bad[][2] = {
        {"[HDH-0001]",
         "expected the id of another registration of the directory, found \"HDH-0001\"; did you "
         "mean \"HDH-0000\"?"},
        {"['HDH \"1\"']", "expected the id of another registration"}, /* itself */
        {"[HDH-0000, HDH-0000]", "found HDH-0000 again"},
        {"HDH-0000", "as a list"},
        {"['']", "expected a name among the linked"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *at = strstr(text, "[HDH-0000]");
        const char *worse =
            arena_printf(arena, "%.*s%s%s", (int)(at - text), text, bad[i][0], at + strlen("[HDH-0000]"));
        if (parse(&d, worse, &error) != MAILLE_INVALID || strstr(error.sentence, bad[i][1]) == NULL)
            fail_msg("%s: expected \"%s\" in: %s", bad[i][0], bad[i][1], error.sentence);
    }
}

/* --- judging --- */

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b] }\n"
                                      "  - { name: age, type: integer, min: 0, max: 120 }\n"
                                      "  - { name: nodes, type: integer, min: 0, max: 99 }\n";

static const struct study *study_of(const char *protocol, const char *purpose, const char *basis,
                                    const char *cohort, const char *variables)
{
    static const struct query_key keys[] = {{.name = "variables", .kind = KEY_VARIABLES, .n_max = 9}};
    static const struct query_method methods[] = {{.name = "count", .keys = keys, .n_keys = 1}};
    const struct dictionary *dictionary;
    const struct study *study = NULL;
    struct maille_error error = {0};
    const char *text = arena_printf(
        arena,
        "study: s\ndictionary: toy@1\ntitle: t\npurpose: %s\nlegal_basis: %s\n%s%s\nexpires: 2099-12-31\n"
        "cohort: %s\nderive: { old: age > 60, many: nodes > 3 }\n"
        "analyses:\n  - { id: x, method: count, variables: [%s] }\n",
        purpose, basis, protocol[0] == '\0' ? "" : "protocol: ", protocol, cohort, variables);
    if (dictionary_parse(&dictionary, arena, "dictionary", dictionary_text, strlen(dictionary_text),
                         &error) != MAILLE_OK ||
        study_parse(&study, arena, dictionary, methods, 1, "study", text, strlen(text), &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    return study;
}

static const int64_t day_ms = INT64_C(86400000);

static void a_study_outside_is_named(void **state)
{
    (void)state;
    const int64_t april = 20550 * day_ms;
    static const struct {
        const char *protocol, *purpose, *basis, *cohort, *variables, *researcher, *says;
    } cases[] = {
        {"HDH-0000", "research", "MR-004", "age > 20", "[arm]", "alice", NULL},
        {"HDH-0000", "research", "MR-004", "age > 20", "[old]", "alice", NULL},
        {"HDH-0000", "research", "MR-004", "age > 20", "[arm]", NULL, NULL}, /* who asks is not known */
        {"", "research", "MR-004", "age > 20", "[arm]", "alice",
         "expected `protocol` to be a registration of the network toy, found none"},
        {"HDH-0001", "research", "MR-004", "age > 20", "[arm]", "alice",
         "found \"HDH-0001\"; did you mean \"HDH-0000\"?"},
        {"T-9", "research", "MR-004", "age > 20", "[arm]", "alice", "found \"T-9\""},
        {"HDH-0000", "quality", "MR-004", "age > 20", "[arm]", "alice",
         "expected a purpose of the registration HDH-0000: research, found quality"},
        {"HDH-0000", "research", "MR-001", "age > 20", "[arm]", "alice",
         "expected the legal basis of the registration HDH-0000: MR-004, found MR-001"},
        {"HDH-0000", "research", "MR-004", "age > 20", "[arm]", "bob",
         "expected a researcher of the registration HDH-0000: alice, found bob"},
        {"HDH-0000", "research", "MR-004", "nodes > 3", "[arm]", "alice",
         "expected the variables of the registration HDH-0000, found also nodes"},
        {"HDH-0000", "research", "MR-004", "age > 20", "[many]", "alice", "found also nodes"}, /* derived */
    };
    const struct directory *d = good(one);
    const char *faults[REGISTRATION_FAULTS_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *variables = arena_strndup(arena, cases[i].variables + 1, strlen(cases[i].variables) - 2);
        const struct study *study =
            study_of(cases[i].protocol, cases[i].purpose, cases[i].basis, cases[i].cohort, variables);
        const size_t n = registration_faults(faults, arena, d, study, cases[i].researcher, april);
        assert_int_equal(n, cases[i].says != NULL);
        if (n == 1 && strstr(faults[0], cases[i].says) == NULL)
            fail_msg("case %zu: expected \"%s\" in: %s", i, cases[i].says, faults[0]);
    }
    /* All of them at once, for `maille check`. */
    const struct study *study = study_of("HDH-0000", "quality", "MR-001", "nodes > 3", "arm");
    assert_int_equal(registration_faults(faults, arena, d, study, "bob", april + 365 * day_ms), 5);
}

static void a_registration_has_its_time(void **state)
{
    (void)state;
    const struct directory *d = good(one);
    const struct study *study = study_of("HDH-0000", "research", "MR-004", "age > 20", "arm");
    const char *faults[REGISTRATION_FAULTS_MAX];
    const int64_t begin = 20544 * day_ms, end = 20574 * day_ms;
    assert_int_equal(registration_end_ms(registration_find(d, "HDH-0000")), end);
    assert_int_equal(registration_faults(faults, arena, d, study, "alice", begin - CLOCK_SKEW_MS), 0);
    assert_int_equal(registration_faults(faults, arena, d, study, "alice", end + CLOCK_SKEW_MS - 1), 0);
    assert_int_equal(registration_faults(faults, arena, d, study, "alice", begin - CLOCK_SKEW_MS - 1), 1);
    assert_non_null(strstr(faults[0], "2026-04-01 to 2026-04-30, found one before it"));
    assert_int_equal(registration_faults(faults, arena, d, study, "alice", end + CLOCK_SKEW_MS), 1);
    assert_non_null(strstr(faults[0], "found one after it"));
    const char *closed = arena_printf(arena, "%s    closed: true\n", one);
    assert_int_equal(registration_faults(faults, arena, good(closed), study, "alice", begin), 1);
    assert_non_null(strstr(faults[0], "HDH-0000 is closed"));
}

static void a_registration_has_its_epoch(void **state)
{
    (void)state;
    const struct study *study = study_of("HDH-0000", "research", "MR-004", "age > 20", "arm");
    const char *faults[REGISTRATION_FAULTS_MAX];
    struct bytes written = {0};
    struct maille_error error;
    const struct directory *d;
    const struct directory *another = good(arena_printf(arena, "%s    epoch: 3\n", one));
    assert_int_equal(registration_faults(faults, arena, good(arena_printf(arena, "%s    epoch: 0\n", one)),
                                         study, "alice", 20550 * day_ms),
                     0); /* the directory names none: 0 */
    assert_int_equal(registration_faults(faults, arena, another, study, "alice", 20550 * day_ms), 1);
    assert_string_equal(faults[0], "expected the epoch of the registration HDH-0000: 3, found epoch 0");
    registrations_write(&written, &another->registrations);
    bytes_put_u8(&written, 0);
    assert_non_null(strstr((const char *)written.data, "    epoch: 3\n"));
    assert_int_equal(parse(&d, arena_printf(arena, "%s    epoch: -1\n", one), &error), MAILLE_INVALID);
    bytes_clear(&written);
}

static void the_dictionary_is_by_version_where_one_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *registered;
        size_t faults;
    } cases[] = {{"toy@1", 0}, {"toy", 0},    {"toy@2", 1}, {"toy@01", 0},
                 {"to", 1},    {"toys@1", 1}, {"toys", 1}};
    const struct study *study = study_of("HDH-0000", "research", "MR-004", "age > 20", "arm");
    const char *faults[REGISTRATION_FAULTS_MAX], *at = strstr(one, "toy@1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text =
            arena_printf(arena, "%.*s%s%s", (int)(at - one), one, cases[i].registered, at + strlen("toy@1"));
        assert_int_equal(registration_faults(faults, arena, good(text), study, "alice", 20550 * day_ms),
                         cases[i].faults);
    }
}

/* Of the kind that the dictionary's variable has; a name that it does not have fits nothing. */
static void cuts_are_those_of_the_dictionary(void **state)
{
    (void)state;
    static const char text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                               "  - { name: age, type: integer, min: 0, max: 120 }\n"
                               "  - { name: seen, type: date, min: 2000-01-01, max: 2030-01-01 }\n";
    const struct dictionary *dictionary = NULL;
    const struct variable_cuts *cuts = NULL;
    const char *at = strstr(one, "    cuts:"), *end = strchr(at, '\n');
    assert_int_equal(dictionary_parse(&dictionary, arena, "toy.yaml", text, strlen(text), NULL), MAILLE_OK);
    const struct directory *d = good(
        arena_printf(arena, "%.*s    cuts: { age: [45, 2015-07-01], seen: [2015-07-01, 45], weight: [80] }%s",
                     (int)(at - one), one, end));
    assert_int_equal(registration_cuts_of(&cuts, arena, registration_find(d, "HDH-0000"), dictionary), 3);
    assert_string_equal(cuts[0].name, "age");
    assert_int_equal(cuts[0].n, 1);
    assert_true(cuts[0].cuts[0] == 45);
    assert_int_equal(cuts[1].n, 1);
    assert_true(cuts[1].cuts[0] == 16617); /* days since 1970-01-01 */
    assert_int_equal(registration_cuts_of(&cuts, arena, NULL, dictionary), 0);
}

static void a_network_that_does_not_register_allows_all(void **state)
{
    (void)state;
    const struct study *study = study_of("T-9", "quality", "MR-001", "nodes > 3", "arm"),
                       *bare = study_of("", "quality", "MR-001", "nodes > 3", "arm");
    const char *faults[REGISTRATION_FAULTS_MAX];
    assert_int_equal(registration_faults(faults, arena, good(""), study, "bob", 0), 0);
    assert_int_equal(registration_faults(faults, arena, good("registrations: any\n"), study, "bob", 0), 0);
    assert_int_equal(registration_faults(faults, arena, good("registrations: any\n"), bare, "bob", 0), 0);
    assert_int_equal(registration_faults(faults, arena, good("registrations: []\n"), study, "bob", 0), 1);
    assert_non_null(strstr(faults[0], "found \"T-9\""));
}

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    return arena == NULL || crypto_start(NULL) != MAILLE_OK;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_texts_say_where, setup, teardown),
        cmocka_unit_test_setup_teardown(registrations_are_linked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_registration_has_its_epoch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_study_outside_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_registration_has_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(cuts_are_those_of_the_dictionary, setup, teardown),
        cmocka_unit_test_setup_teardown(the_dictionary_is_by_version_where_one_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_network_that_does_not_register_allows_all, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
