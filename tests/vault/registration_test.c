#include "tests/vault/asking.h"

/* A site in a network that registers: what is within is answered, what is outside is refused under
 * `protocol`, and a registration that is closed ends what is open on it. */

#define COUNTS WORLD_STUDY "  - { id: n, method: count, by: arm }\n"

#define REGISTRATION                                                                                         \
    "registrations:\n  - id: p\n    title: T\n    summary_for_patients: S\n    legal_basis: b\n"             \
    "    purposes: [care]\n    researchers: [alice]\n    dictionary: toy@1\n    variables: [arm, age]\n"     \
    "    notice: N\n    begin: 2020-01-01\n    end: 2098-12-31\n"

/* The sites go on under a later directory, which has these lines. */
static void world_register(struct world *world, unsigned version, const char *registrations)
{
    world->registrations = registrations;
    world->network = world_network(world, version, false, world->authority);
    assert_ok(directory_accept(&world->directory, world->arena, "network", world->network,
                               strlen(world->network), NULL, &world->error),
              &world->error);
    for (int s = 0; s < WORLD_SITES; s++)
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
    world_register(world, version++, REGISTRATION);
    answers(world, COUNTS, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world_register(world, version++, registered(world, cases[i].from, cases[i].to));
        answers(world, COUNTS, "protocol");
    }
    world_register(world, version++, "registrations: []\n");
    answers(world, COUNTS, "protocol");
    world_register(world, version++, "registrations: any\n");
    answers(world, COUNTS, NULL);
    world_free(world);
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
    world_register(world, 2, registered(world, "2098-12-31", day));
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
    world_register(world, 2, two);
    ask_roster(&closed, world, COUNTS);
    ask_roster(&other, world, study);
    assert_int_equal(vault_queries(world->vaults[0]), 2);
    two = arena_printf(world->arena, "%s    closed: true\n%s", REGISTRATION, strstr(two, "  - id: q"));
    world_register(world, 3, two);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_outside_is_refused),
        cmocka_unit_test(a_question_ends_with_its_registration),
        cmocka_unit_test(closing_ends_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
