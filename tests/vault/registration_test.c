#include "tests/vault/asking.h"

/* A site in a network that registers: what is within is answered, what is outside is refused under
 * `protocol`, a registration that is closed ends what is open on it, and its budget counts over all studies.
 */

#define COUNTS WORLD_STUDY "  - { id: n, method: count, by: arm }\n"

#define REGISTRATION                                                                                         \
    "registrations:\n  - id: p\n    title: T\n    summary_for_patients: S\n    legal_basis: b\n"             \
    "    purposes: [care]\n    researchers: [alice]\n    dictionary: toy@1\n    variables: [arm, age]\n"     \
    "    notice: N\n    begin: 2020-01-01\n    end: 2098-12-31\n"

/* The first sites go on under a later directory, which has these lines. */
static void world_register(struct world *world, int sites, unsigned version, const char *registrations)
{
    world->registrations = registrations;
    world->network = world_network(world, version, false, world->authority);
    assert_ok(directory_accept(&world->directory, world->arena, "network", world->network,
                               strlen(world->network), NULL, &world->error),
              &world->error);
    for (int s = 0; s < sites; s++)
        world_restart(world, s);
}

/* `from` in REGISTRATION replaced. */
static const char *registered(struct world *world, const char *from, const char *to)
{
    const char *at = strstr(REGISTRATION, from);
    assert_non_null(at);
    return arena_printf(world->arena, "%.*s%s%s", (int)(at - REGISTRATION), REGISTRATION, to,
                        at + strlen(from));
}

static void answers(struct world *world, const char *study, const char *rule)
{
    struct asking ask;
    struct message_ready ready;
    ask_manifest(&ask, world, study);
    ask_ready(&ask, world, 0, &ready);
    assert_string_equal(ready.rule, rule != NULL ? rule : "");
    assert_int_equal(ready.state, rule != NULL ? READY_REFUSED : READY_READY);
    assert_int_equal(ready.n_findings, 0);
    ask_clear(&ask);
}

static void what_is_outside_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"id: p\n", "id: q\n"},
        {"legal_basis: b", "legal_basis: c"},
        {"researchers: [alice]", "researchers: []"},
        {"toy@1", "toy@2"},
        {"[arm, age]", "[age]"},
        {"begin: 2020-01-01", "begin: 2098-01-01"},
        {"end: 2098-12-31", "end: 2020-12-31"},
        {"    notice: N\n", "    notice: N\n    closed: true\n"},
    };
    struct world *world = world_make("registered", "policy: open\n", true, false);
    unsigned version = 2;
    answers(world, COUNTS, NULL); /* the network has not begun to register */
    world_register(world, 1, version++, REGISTRATION);
    answers(world, COUNTS, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world_register(world, 1, version++, registered(world, cases[i].from, cases[i].to));
        answers(world, COUNTS, "protocol");
    }
    world_register(world, 1, version++, "registrations: []\n");
    answers(world, COUNTS, "protocol");
    world_register(world, 1, version++, "registrations: any\n");
    answers(world, COUNTS, NULL);
    world_free(world);
}

#define YOUNG WORLD_STUDY "  - { id: n, method: count, by: arm, cohort: \"age < 47\" }\n"

/* A cut that the dictionary has not waits for a person, unless the registration has it; where the policy says
 * so, it is refused. */
static void registered_cuts_need_nobody(void **state)
{
    (void)state;
    static const char *const policies[] = {"policy: open\nfine_predicates: hold\n",
                                           "policy: open\nfine_predicates: refuse\n"};
    for (int refused = 0; refused < 2; refused++)
        for (int known = 0; known < 2; known++) {
            struct world *world = world_make("cuts", policies[refused], true, false);
            struct asking ask;
            struct message_ready ready;
            world_register(
                world, 1, 2,
                known ? registered(world, "    notice: N\n", "    notice: N\n    cuts: { age: [47] }\n")
                      : REGISTRATION);
            ask_manifest(&ask, world, YOUNG);
            ask_ready(&ask, world, 0, &ready);
            assert_string_equal(ready.rule, "");
            assert_int_equal(ready.state, !known && !refused ? READY_HELD : READY_READY);
            assert_int_equal(ready.n_findings, !known && refused);
            if (ready.n_findings == 1)
                assert_string_equal(ready.findings[0].rule, "cuts");
            ask_clear(&ask);
            world_free(world);
        }
}

/* What is asked does not outlive its registration, also where the network's lifetime is longer. */
static void a_question_ends_with_its_registration(void **state)
{
    (void)state;
    struct world *world = world_make("ending", "policy: open\n", true, false);
    struct asking ask;
    struct message_ready ready;
    char day[16];
    number_format_date(day, (int32_t)(world_now_ms() / 86400000) + 2);
    world_register(world, 1, 2, registered(world, "2098-12-31", day));
    ask_manifest(&ask, world, COUNTS); /* it lives for 7 days */
    ask_ready(&ask, world, 0, &ready);
    assert_string_equal(ready.rule, "protocol");
    ask_manifest(&ask, world, COUNTS);
    ask.manifest.expires_ms = registration_end_ms(registration_find(world->directory, "p"));
    ask.manifest_letter = manifest_letter(world, &ask.manifest, world->researcher);
    ask_ready(&ask, world, 0, &ready);
    assert_string_equal(ready.rule, "");
    ask_clear(&ask);
    world_free(world);
}

/* An analysis of a query is open, the registration is closed: no reveal any more. Another query's goes on. */
static void closing_ends_what_is_open(void **state)
{
    (void)state;
    struct world *world = world_make("closing", "policy: open\n", true, false);
    struct asking closed, other;
    struct envelope envelope;
    struct message_cancel cancel;
    const char *two = arena_printf(world->arena, "%s%s", REGISTRATION,
                                   strstr(registered(world, "id: p\n", "id: q\n"), "  - id: q"));
    const char *at = strstr(COUNTS, "protocol: p"),
               *study = arena_printf(world->arena, "%.*sprotocol: q%s", (int)(at - COUNTS), COUNTS, at + 11);
    world_register(world, WORLD_SITES, 2, two);
    ask_roster(&closed, world, COUNTS);
    ask_roster(&other, world, study);
    assert_int_equal(vault_queries(world->vaults[0]), 2);
    two = arena_printf(world->arena, "%s    closed: true\n%s", REGISTRATION, strstr(two, "  - id: q"));
    world_register(world, 1, 3, two);
    message_outbox_clear(&world->out);
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    world_answer(world, 0, MESSAGE_CANCEL, &envelope);
    assert_ok(
        message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    assert_memory_equal(cancel.qid, closed.manifest.qid, QID_BYTES);
    assert_string_equal(cancel.rule, "protocol");
    assert_int_equal(vault_queries(world->vaults[0]), 1);
    ask_clear(&closed);
    ask_clear(&other);
    world_free(world);
}

/* --- budgets --- */

#define ONE(line) WORLD_STUDY "  - " line "\n"

/* What one site answers to a study, to its end or only asked; the rule of its first analysis. */
static const char *asked(struct world *world, const char *study, bool called)
{
    struct asking ask;
    struct message_ready ready;
    ask_manifest(&ask, world, study);
    ask_ready(&ask, world, 0, &ready);
    assert_int_equal(ready.state, READY_READY);
    const char *rule = ready.n_findings > 0 ? arena_strdup(world->arena, ready.findings[0].rule) : "";
    if (called) {
        ask.call_letter = call_letter(world, &ask, ask.sites, WORLD_SITES, world->researcher);
        ask_accept(&ask, world, 0);
    }
    ask_clear(&ask);
    return rule;
}

static void a_registration_has_a_budget(void **state)
{
    (void)state;
    struct world *world = world_make("budget", "policy: open\n", true, false);
    world_register(world, 1, 2,
                   registered(world, "    notice: N\n", "    budget: { tables: 2 }\n    notice: N\n"));
    assert_string_equal(asked(world, ONE("{ id: a, method: count }"), true), "");
    assert_string_equal(asked(world, ONE("{ id: b, method: count, by: arm }"), true), "");
    assert_string_equal(asked(world, ONE("{ id: c, method: describe, variables: [age] }"), true), "budget");
    /* What was asked costs nothing again: another study, another name. */
    assert_string_equal(asked(world, ONE("{ id: other, method: count, by: arm }"), true), "");
    /* A model has no limit here. */
    assert_string_equal(
        asked(world, ONE("{ id: m, method: glm, family: gaussian, formula: \"age ~ arm\" }"), true), "");
    /* Two that are asked at once: the second finds out when it is called. */
    world_register(world, 1, 3,
                   registered(world, "    notice: N\n", "    budget: { tables: 3 }\n    notice: N\n"));
    struct asking first, second;
    struct message_ready ready;
    struct envelope envelope;
    struct message_cancel cancel;
    ask_manifest(&first, world, ONE("{ id: c, method: describe, variables: [age] }"));
    ask_ready(&first, world, 0, &ready);
    assert_int_equal(ready.n_findings, 0);
    ask_manifest(&second, world, ONE("{ id: d, method: count, cohort: age > 50 }"));
    ask_ready(&second, world, 0, &ready);
    assert_int_equal(ready.n_findings, 0);
    first.call_letter = call_letter(world, &first, first.sites, WORLD_SITES, world->researcher);
    ask_accept(&first, world, 0);
    assert_ok(world_say(world, 0, call_letter(world, &second, second.sites, WORLD_SITES, world->researcher)),
              &world->error);
    world_answer(world, 0, MESSAGE_CANCEL, &envelope);
    assert_ok(
        message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    assert_string_equal(cancel.rule, "budget");
    ask_clear(&first);
    ask_clear(&second);
    world_free(world);
}

/* Which analyses are the same one: of the same method and the same trees, whatever they are called. */
static void an_analysis_is_known_by_what_it_asks(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"{ id: a, method: count, by: arm }", "{ id: b, method: count, by: [arm] }", true},
        {"{ id: a, method: count, by: arm }", "{ id: a, method: count }", false},
        {"{ id: a, method: count, cohort: age > 50 }", "{ id: a, method: count, cohort: \"age  >  50\" }",
         true},
        {"{ id: a, method: count, cohort: age > 50 }", "{ id: a, method: count, cohort: age >= 51 }", false},
        {"{ id: a, method: describe, variables: [age] }",
         "{ id: a, method: quantile, variable: age, probs: [0.5] }", false},
        {"{ id: a, method: quantile, variable: age, probs: [0.5] }",
         "{ id: a, method: quantile, variable: age, probs: [0.25] }", false},
        {"{ id: a, method: glm, family: gaussian, formula: \"age ~ arm\" }",
         "{ id: a, method: glm, family: gaussian, formula: \"age ~ arm + death\" }", false},
        {"{ id: a, method: glm, family: gaussian, formula: \"age ~ arm + death\" }",
         "{ id: a, method: glm, family: gaussian, formula: \"age ~ arm * death\" }", false},
        {"{ id: a, method: glm, family: binomial, formula: \"death ~ age\" }",
         "{ id: a, method: glm, family: poisson, formula: \"death ~ age\" }", false},
        {"{ id: a, method: glm, family: binomial, formula: \"death ~ age\" }",
         "{ id: a, method: glm, family: binomial, formula: \"death ~ age + offset(time)\" }", false},
        {"{ id: a, method: cox, formula: \"Surv(time, death) ~ age\" }",
         "{ id: a, method: cox, formula: \"Surv(time, death) ~ age\", ties: efron }", true},
        {"{ id: a, method: cox, formula: \"Surv(time, death) ~ age\" }",
         "{ id: a, method: cox, formula: \"Surv(time, death) ~ age\", ties: breslow }", false},
        {"{ id: a, method: cox, formula: \"Surv(time, death) ~ age\" }",
         "{ id: a, method: cox, formula: \"Surv(time, death) ~ age + strata(arm)\" }", false},
        {"{ id: a, method: km, formula: \"Surv(time, death) ~ arm\" }",
         "{ id: a, method: km, formula: \"Surv(time, death) ~ arm\", conf_level: 0.9 }", false},
        {"{ id: a, method: km, formula: \"Surv(time, death) ~ arm\" }",
         "{ id: a, method: km, formula: \"Surv(time, death) ~ arm\", weights: { iptw: \"arm ~ age\" } }",
         false},
        {"{ id: a, method: km, formula: \"Surv(time, death) ~ arm\", weights: { iptw: \"arm ~ age\" } }",
         "{ id: a, method: km, formula: \"Surv(time, death) ~ arm\", weights: { iptw: \"arm ~ age\", "
         "estimand: att } }",
         false},
    };
    struct world *world = world_make("same", "policy: open\n", true, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const lines[] = {cases[i].one, cases[i].other};
        struct bytes bytes[2] = {{0}, {0}};
        for (size_t k = 0; k < 2; k++) {
            const struct study *study =
                world_study(world, arena_printf(world->arena, WORLD_STUDY "  - %s\n", lines[k]));
            analysis_serialise(&bytes[k], world->arena, &study->analyses[0]);
            assert_ok(bytes_check(&bytes[k], &world->error), &world->error);
        }
        const bool same =
            bytes[0].length == bytes[1].length && memcmp(bytes[0].data, bytes[1].data, bytes[0].length) == 0;
        if (same != cases[i].same)
            fail_msg("case %zu: expected %s: %s and %s", i, cases[i].same ? "the same" : "two", lines[0],
                     lines[1]);
        bytes_clear(&bytes[0]);
        bytes_clear(&bytes[1]);
    }
    /* Grid and dictionary's derived variables count, the study's names do not. */
    static const struct {
        const char *from, *to;
        bool same;
    } heads[] = {{"title: t", "title: u", true},
                 {"study: s", "study: other", true},
                 {"grid: month", "grid: year", false},
                 {"analyses:", "derive: { x: age > 50 }\nanalyses:", true}};
    const char *line = WORLD_STUDY "  - { id: a, method: km, formula: \"Surv(time, death) ~ arm\" }\n";
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        const char *at = strstr(line, heads[i].from),
                   *other = arena_printf(world->arena, "%.*s%s%s", (int)(at - line), line, heads[i].to,
                                         at + strlen(heads[i].from));
        struct bytes one = {0}, two = {0};
        analysis_serialise(&one, world->arena, &world_study(world, line)->analyses[0]);
        analysis_serialise(&two, world->arena, &world_study(world, other)->analyses[0]);
        assert_int_equal(one.length == two.length && memcmp(one.data, two.data, one.length) == 0,
                         heads[i].same);
        bytes_clear(&one);
        bytes_clear(&two);
    }
    world_free(world);
}

/* What an answer is kept under: also what changes no group of patients, and the result. */
static void names_are_a_part_of_an_answer(void **state)
{
    (void)state;
    struct world *world = world_make("names", "policy: open\n", true, false);
    static const char *const others[] = {
        WORLD_STUDY "  - { id: b, method: cox, formula: \"Surv(time, death) ~ arm\", robust: false }\n",
        WORLD_STUDY "  - { id: b, method: cox, formula: \"Surv(time, death) ~  arm\" }\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct bytes one = {0}, two = {0};
        analysis_names(&one,
                       &world_study(world, WORLD_STUDY
                                    "  - { id: a, method: cox, formula: \"Surv(time, death) ~ arm\" }\n")
                            ->analyses[0]);
        analysis_names(&two, &world_study(world, others[i])->analyses[0]);
        assert_false(one.length == two.length && memcmp(one.data, two.data, one.length) == 0);
        bytes_clear(&one);
        bytes_clear(&two);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_outside_is_refused),
        cmocka_unit_test(registered_cuts_need_nobody),
        cmocka_unit_test(a_question_ends_with_its_registration),
        cmocka_unit_test(closing_ends_what_is_open),
        cmocka_unit_test(a_registration_has_a_budget),
        cmocka_unit_test(an_analysis_is_known_by_what_it_asks),
        cmocka_unit_test(names_are_a_part_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
