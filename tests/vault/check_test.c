#include "tests/vault/asking.h"

/* Every check of the vault: the honest message with one thing changed is refused under the check's rule, and
 * the honest one is answered afterwards. */

#define COUNTS                                                                                               \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: age, method: describe, variables: [age], " \
                "by: arm }\n"

static int setup(void **state)
{
    *state = world_make("checks", "policy: open\n", true, false);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* --- envelopes --- */

static void bytes_that_are_no_message_are_dropped(void **state)
{
    struct world *world = *state;
    struct asking ask;
    uint8_t noise[300];
    crypto_random_bytes(noise, sizeof noise);
    dropped(world, 0, (struct letter){.envelope = noise, .length = sizeof noise}, MAILLE_PROTOCOL, NULL);
    dropped(world, 0, (struct letter){.envelope = noise, .length = 0}, MAILLE_PROTOCOL, NULL);
    ask_manifest(&ask, world, COUNTS);
    for (size_t cut = 1; cut < ask.manifest_letter.length; cut += 97)
        dropped(world, 0, (struct letter){.envelope = ask.manifest_letter.envelope, .length = cut},
                MAILLE_PROTOCOL, NULL);
    struct letter framed = ask.manifest_letter;
    framed.frame = noise;
    framed.frame_length = sizeof noise;
    dropped(world, 0, framed, MAILLE_PROTOCOL, "frame");
    /* What only sites send is not for a site. */
    struct message_ready ready;
    ask_ready(&ask, world, 0, &ready);
    dropped(world, 1, ask.ready[0], MAILLE_PROTOCOL, "kind");
}

/* --- manifest --- */

typedef void change_manifest(struct message_manifest *manifest);

static void wrong_directory(struct message_manifest *m)
{
    m->directory_hash.b[0] ^= 1;
}
static void wrong_dictionary(struct message_manifest *m)
{
    m->dictionary_hash.b[0] ^= 1;
}
static void expired(struct message_manifest *m)
{
    m->expires_ms = world_now_ms() - CLOCK_SKEW_MS;
    m->created_ms = m->expires_ms - 1000;
}
static void from_tomorrow(struct message_manifest *m)
{
    m->created_ms += 6 * 60 * 1000, m->expires_ms += 6 * 60 * 1000;
}
static void too_long_lived(struct message_manifest *m)
{
    m->expires_ms += 1000;
}
static void too_small(struct message_manifest *m)
{
    m->n_min = 3;
}
static void too_large(struct message_manifest *m)
{
    m->n_min = 7;
}
static void two_sites(struct message_manifest *m)
{
    m->n_sites = 2, m->n_min = 2;
}
static void not_named(struct message_manifest *m)
{
    m->sites++, m->n_sites--;
}
static void too_many_bytes(struct message_manifest *m)
{
    m->bytes_max++;
}
static void too_many_rounds(struct message_manifest *m)
{
    m->rounds_max = 257;
}

static void wrong_version(struct message_manifest *m)
{
    ((struct message_method *)(uintptr_t)m->methods)[0].version = 99;
}

static void unknown_method(struct message_manifest *m)
{
    ((struct message_method *)(uintptr_t)m->methods)[0].name = "sorcery";
}

static void method_left_out(struct message_manifest *m)
{
    m->n_methods--;
}

static void unknown_site(struct message_manifest *m)
{
    static const uint32_t sites[] = {1, 2, 3, 4, 5, 99};
    m->sites = sites;
}

static void manifests_are_refused_by_rule(void **state)
{
    static const struct {
        change_manifest *change;
        const char *rule;
    } cases[] = {
        {wrong_directory, "directory"}, {wrong_dictionary, "dictionary"},
        {expired, "expired"},           {from_tomorrow, "clock"},
        {too_long_lived, "expired"},    {too_small, "n_min"},
        {too_large, "n_min"},           {two_sites, "n_min"},
        {not_named, "sites"},           {unknown_site, "sites"},
        {too_many_bytes, "limits"},     {wrong_version, "version"},
        {unknown_method, "version"},    {method_left_out, "version"},
        {too_many_rounds, "limits"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asking ask;
        struct message_ready ready;
        ask_manifest(&ask, world, COUNTS);
        cases[i].change(&ask.manifest);
        ask.manifest_letter = manifest_letter(world, &ask.manifest, world->researcher);
        ask_ready(&ask, world, 0, &ready);
        assert_int_equal(ready.state, READY_REFUSED);
        assert_string_equal(ready.rule, cases[i].rule);
    }
    /* Another protocol is not even read. */
    struct asking ask;
    ask_manifest(&ask, world, COUNTS);
    ask.manifest.protocol = PROTOCOL_VERSION + 1;
    dropped(world, 0, manifest_letter(world, &ask.manifest, world->researcher), MAILLE_PROTOCOL, NULL);
}

/* What the study itself says. */
static void studies_are_refused_by_rule(void **state)
{
    static const struct {
        const char *from, *to, *rule;
    } cases[] = {{"variables: [age]", "variables: [ego]", "study"},
                 {"purpose: care", "purpose: sale", "purposes"},
                 {"expires: 2099-01-01", "expires: 2001-01-01", "expired"},
                 {"sites: all", "sites: [site-1, site-2, site-3]", "sites"}};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asking ask;
        struct message_ready ready;
        ask_manifest(&ask, world, COUNTS);
        const char *at = strstr(COUNTS, cases[i].from);
        const char *text = arena_printf(world->arena, "%.*s%s%s", (int)(at - COUNTS), COUNTS, cases[i].to,
                                        at + strlen(cases[i].from));
        ask.manifest.study = (struct byte_view){(const uint8_t *)text, strlen(text)};
        ask.manifest_letter = manifest_letter(world, &ask.manifest, world->researcher);
        ask_ready(&ask, world, 0, &ready);
        assert_int_equal(ready.state, READY_REFUSED);
        assert_string_equal(ready.rule, cases[i].rule);
    }
}

/* Six sites have a sixth of 2^34 rows each. */
static uint64_t claimed_rows;
static enum maille_code (*true_facts)(void *context, struct data_facts *facts, uint32_t number,
                                      struct arena *arena, struct maille_error *error);

static enum maille_code claimed_facts(void *context, struct data_facts *facts, uint32_t number,
                                      struct arena *arena, struct maille_error *error)
{
    enum maille_code code = true_facts(context, facts, number, arena, error);
    facts->rows = claimed_rows;
    return code;
}

static void more_rows_than_sums_hold_are_refused(void **state)
{
    struct world *world = *state;
    const uint64_t share = (UINT64_C(1) << TALLY_N_MAX_LOG2) / WORLD_SITES;
    struct vault_options options = world_options(world, 0);
    true_facts = options.data.facts;
    options.data.facts = claimed_facts;
    vault_free(world->vaults[0]);
    assert_ok(vault_open(&world->vaults[0], &options, &world->error), &world->error);
    for (claimed_rows = share; claimed_rows <= share + 1; claimed_rows++) {
        struct asking ask;
        struct message_ready ready;
        ask_manifest(&ask, world, COUNTS);
        ask_ready(&ask, world, 0, &ready);
        assert_string_equal(ready.rule, claimed_rows > share ? "rows" : "");
    }
    world_restart(world, 0);
}

static void manifests_are_signed_by_their_researcher(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct secret_keys *stranger = world_keys(world, KEY_RESEARCHER, "mallory");
    struct secret_keys *impostor = world_keys(world, KEY_RESEARCHER, "alice");
    ask_manifest(&ask, world, COUNTS);
    dropped(world, 0, manifest_letter(world, &ask.manifest, stranger), MAILLE_SIGNATURE, "signature");
    dropped(world, 0, manifest_letter(world, &ask.manifest, impostor), MAILLE_SIGNATURE, "signature");
    ask.manifest.researcher = "bob";
    dropped(world, 0, manifest_letter(world, &ask.manifest, world->researcher), MAILLE_SIGNATURE,
            "signature");
    /* One bit of the body, under the old signature. */
    uint8_t *bytes = (uint8_t *)arena_strndup(world->arena, (const char *)ask.manifest_letter.envelope,
                                              ask.manifest_letter.length);
    uint8_t *title = memmem(bytes, ask.manifest_letter.length, "title: t", 8);
    title[7] = 'u';
    dropped(world, 0, (struct letter){.envelope = bytes, .length = ask.manifest_letter.length},
            MAILLE_SIGNATURE, "signature");
    secret_keys_free(stranger);
    secret_keys_free(impostor);
}

static void a_qid_is_taken_once(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct message_ready ready;
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    ask.manifest.n_min = 5;
    dropped(world, 0, manifest_letter(world, &ask.manifest, world->researcher), MAILLE_PROTOCOL, "qid");
}

/* --- call --- */

static void calls_are_checked(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct message_ready ready;
    static const uint32_t three[] = {1, 2, 3}, without[] = {2, 3, 4, 5, 6}, strangers[] = {1, 2, 3, 4, 9};
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    dropped(world, 0, call_letter(world, &ask, ask.sites, 6, world->coordinator), MAILLE_SIGNATURE,
            "signature");
    dropped(world, 0, call_letter(world, &ask, three, 3, world->researcher), MAILLE_PROTOCOL, "n_min");
    dropped(world, 0, call_letter(world, &ask, without, 5, world->researcher), MAILLE_PROTOCOL, "called");
    dropped(world, 0, call_letter(world, &ask, strangers, 5, world->researcher), MAILLE_PROTOCOL, "called");
    ask.call_letter = call_letter(world, &ask, ask.sites, 6, world->researcher);
    ask_accept(&ask, world, 0);
    /* Nothing is answered for a query that was never asked. */
    crypto_random_bytes(ask.manifest.qid, QID_BYTES);
    dropped(world, 0, call_letter(world, &ask, ask.sites, 6, world->researcher), MAILLE_PROTOCOL, "state");
}

/* --- roster --- */

static void ask_accepts(struct asking *ask, struct world *world, const char *study)
{
    struct message_ready ready;
    ask_manifest(ask, world, study);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_ready(ask, world, s, &ready);
    ask->call_letter = call_letter(world, ask, ask->sites, WORLD_SITES, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_accept(ask, world, s);
    ask_rho(ask);
}

/* An accept of site `of`, made by `signer` out of its honest one with other keys. */
static struct letter forged_accept(struct world *world, const struct asking *ask, int of,
                                   const struct secret_keys *signer, bool other_manifest)
{
    struct envelope envelope;
    struct message_accept accept;
    struct bytes body = {0};
    uint8_t secret[KEY_BYTES];
    assert_ok(envelope_decode(&envelope, world->arena, ask->accept[of].envelope, ask->accept[of].length,
                              &world->error),
              &world->error);
    assert_ok(
        message_accept_decode(&accept, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    seal_box_pair(accept.ek, secret);
    accept.manifest_hash.b[0] ^= other_manifest;
    assert_ok(message_accept_encode(&body, &accept, &world->error), &world->error);
    return world_letter(world, MESSAGE_ACCEPT, signer, &body);
}

static void rosters_are_checked(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct letter accepts[WORLD_SITES], swap;
    ask_accepts(&ask, world, COUNTS);
#define ROSTER(n) roster_letter(world, &ask, accepts, n, world->coordinator)
    memcpy(accepts, ask.accept, sizeof accepts);
    dropped(world, 0, roster_letter(world, &ask, accepts, 6, world->researcher), MAILLE_SIGNATURE,
            "signature");
    dropped(world, 0, ROSTER(3), MAILLE_PROTOCOL, "n_min");
    dropped(world, 5, ROSTER(5), MAILLE_PROTOCOL, "own_accept"); /* its own is missing */
    accepts[0] = forged_accept(world, &ask, 0, world->sites[0],
                               false); /* its own, signed by it, and yet not what it sent */
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "own_accept");
    memcpy(accepts, ask.accept, sizeof accepts);
    accepts[1] = forged_accept(world, &ask, 1, world->coordinator, false); /* the coordinator in the middle */
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "accept_signed");
    accepts[1] = forged_accept(world, &ask, 1, world->sites[2], false);
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "accept_signed");
    accepts[1] = forged_accept(world, &ask, 1, world->sites[1], true);
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "same_manifest");
    accepts[1] = ask.ready[1]; /* not an accept at all */
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "accept_signed");
    memcpy(accepts, ask.accept, sizeof accepts);
    accepts[2] = accepts[1]; /* one site twice */
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "sites");
    memcpy(accepts, ask.accept, sizeof accepts);
    swap = accepts[1];
    accepts[1] = accepts[2];
    accepts[2] = swap;
    dropped(world, 0, ROSTER(6), MAILLE_PROTOCOL, "sites");
    /* The honest one, and then no other. */
    memcpy(accepts, ask.accept, sizeof accepts);
    assert_ok(world_say(world, 0, ROSTER(6)), &world->error);
    dropped(world, 0, ROSTER(5), MAILLE_PROTOCOL, "rho");
    assert_ok(world_say(world, 0, ROSTER(6)), &world->error);
#undef ROSTER
}

static void two_sites_of_one_legal_entity_are_refused(void **state)
{
    (void)state;
    struct world *world = world_make("twins", "policy: open\n", true, true);
    struct asking ask;
    ask_accepts(&ask, world, COUNTS);
    dropped(world, 0, roster_letter(world, &ask, ask.accept, 6, world->coordinator), MAILLE_PROTOCOL,
            "legal_entities");
    assert_ok(world_say(world, 0, roster_letter(world, &ask, ask.accept, 5, world->coordinator)),
              &world->error);
    world_free(world);
}

/* A policy that wants more sites than came: the site says so and leaves the query. */
static void a_roster_below_min_sites_is_cancelled(void **state)
{
    (void)state;
    struct world *world = world_make("min_sites", "policy: open\nmin_sites: 6\n", true, false);
    struct asking ask;
    struct envelope envelope;
    struct message_cancel cancel;
    ask_accepts(&ask, world, COUNTS);
    assert_ok(world_say(world, 0, roster_letter(world, &ask, ask.accept, 5, world->coordinator)),
              &world->error);
    world_answer(world, 0, MESSAGE_CANCEL, &envelope);
    assert_ok(
        message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    assert_string_equal(cancel.rule, "min_sites");
    assert_int_equal(vault_queries(world->vaults[0]), 0);
    assert_ok(world_say(world, 1, roster_letter(world, &ask, ask.accept, 6, world->coordinator)),
              &world->error);
    assert_int_equal(world->out.n, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_no_message_are_dropped),
        cmocka_unit_test(manifests_are_refused_by_rule),
        cmocka_unit_test(studies_are_refused_by_rule),
        cmocka_unit_test(more_rows_than_sums_hold_are_refused),
        cmocka_unit_test(manifests_are_signed_by_their_researcher),
        cmocka_unit_test(a_qid_is_taken_once),
        cmocka_unit_test(calls_are_checked),
        cmocka_unit_test(rosters_are_checked),
        cmocka_unit_test(two_sites_of_one_legal_entity_are_refused),
        cmocka_unit_test(a_roster_below_min_sites_is_cancelled),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
