/* Programs of two versions of the wire on one network: eighteen hospitals never upgrade in one night. Whoever
 * speaks another version is named with what to install, and nobody hangs. The older programs are played on
 * the wire: what they say is what a program of version 1 says, byte for byte, and what they cannot read they
 * do not hear. */
#include "tests/network/testing.h"

#include "proto/open.h"

static const char study[] = "  - { id: os, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n";

struct mixed {
    size_t old[2]; /* parties that are of version 1 */
    size_t n_old;
    size_t asked; /* messages that came to one of them beside a welcome and a problem */
};

static bool is_old(const struct mixed *mixed, size_t party)
{
    for (size_t i = 0; i < mixed->n_old; i++)
        if (mixed->old[i] == party)
            return true;
    return false;
}

/* Signed anew, by whom it is of. */
static void put_body(struct flight *flight, const struct play *play, const char *from,
                     const struct bytes *body)
{
    struct bytes made = {0};
    assert_int_equal(envelope_encode(&made, flight->kind, play_keys(play, flight->from), from, body, NULL),
                     MAILLE_OK);
    flight->envelope.length = 0;
    bytes_put(&flight->envelope, made.data, made.length);
    bytes_clear(&made);
}

/* The same message of another version: a hello, a welcome, a manifest. */
static void as_version(struct flight *flight, const struct play *play, uint32_t wire)
{
    struct arena *arena = arena_new();
    struct bytes body = {0};
    struct message in;
    assert_int_equal(message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, NULL),
                     MAILLE_OK);
    assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
    if (flight->kind == MESSAGE_HELLO) {
        in.body.hello.wire = wire;
        assert_int_equal(message_hello_encode(&body, &in.body.hello, NULL), MAILLE_OK);
    } else if (flight->kind == MESSAGE_WELCOME) {
        in.body.welcome.wire = wire;
        assert_int_equal(message_welcome_encode(&body, &in.body.welcome, NULL), MAILLE_OK);
    } else {
        in.body.manifest.protocol = wire;
        assert_int_equal(message_manifest_encode(&body, &in.body.manifest, NULL), MAILLE_OK);
    }
    put_body(flight, play, in.envelope.from, &body);
    bytes_clear(&body);
    arena_free(arena);
}

static void alter(void *context, const struct play *play, struct flight *flight)
{
    struct mixed *mixed = context;
    const bool tells =
        flight->kind == MESSAGE_HELLO || flight->kind == MESSAGE_WELCOME || flight->kind == MESSAGE_MANIFEST;
    if (is_old(mixed, flight->from) && tells)
        as_version(flight, play, 1);
    else if (is_old(mixed, flight->to) && flight->kind == MESSAGE_WELCOME)
        as_version(flight, play, PROTOCOL_VERSION); /* a program of version 1 looks for no version in it */
    if (flight->to >= PLAY_SITE && is_old(mixed, flight->to) && flight->kind != MESSAGE_WELCOME &&
        flight->kind != MESSAGE_PROBLEM)
        mixed->asked++;
}

static struct play *run(struct mixed *mixed, uint64_t seed, enum maille_code *code,
                        struct maille_error *error)
{
    struct play *play = play_new(
        &(struct play_options){.seed = seed, .n_sites = 5, .study = study, .alter = alter, .context = mixed});
    *code = play_run(play, TESTING_LIMIT_MS, error);
    return play;
}

static void says(const struct maille_error *error, const char *words)
{
    if (strstr(error->sentence, words) == NULL)
        fail_msg("expected \"%s\", found: %s", words, error->sentence);
}

static void an_old_site_is_named_at_once(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct mixed mixed = {.old = {PLAY_SITE + 2}, .n_old = 1};
    enum maille_code code;
    struct play *play = run(&mixed, 1, &code, &error);
    assert_int_equal(code, MAILLE_UNREACHABLE);
    says(&error, "the site gamma to speak version 2 of the wire, found version 1; gamma needs maille 0.2.0");
    says(&error, "--without gamma");
    assert_true(play_elapsed_ms(play) < 10000); /* not after a timeout */
    assert_int_equal(mixed.asked, 0);           /* nobody asked it anything that it cannot read */
    play_free(play);
}

static void an_old_coordinator_is_named(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct mixed mixed = {.old = {PLAY_COORDINATOR}, .n_old = 1};
    enum maille_code code;
    struct play *play = run(&mixed, 2, &code, &error);
    assert_int_equal(code, MAILLE_UNREACHABLE);
    says(
        &error,
        "the coordinator coordinator to speak version 2 of the wire, found version 1; it needs maille 0.2.0");
    assert_true(play_elapsed_ms(play) < 10000);
    play_free(play);
}

/* An old agent hears a refusal that it can read, and nothing reaches a site. */
static void an_old_agent_is_refused(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct mixed mixed = {.old = {PLAY_AGENT}, .n_old = 1};
    enum maille_code code;
    struct play *play = run(&mixed, 3, &code, &error);
    assert_int_equal(code, MAILLE_REFUSED);
    says(&error, "wire_version");
    assert_int_equal(play_said(play, PLAY_SITE, MESSAGE_READY), 0);
    play_free(play);
}

/* gamma is a release on: its steps may come to other bits. */
static void other_arithmetic(void *context, const struct play *play, struct flight *flight)
{
    struct arena *arena = arena_new();
    struct bytes body = {0};
    struct message in;
    (void)context;
    if (flight->kind == MESSAGE_ACCEPT && flight->from == PLAY_SITE + 2) {
        assert_int_equal(
            message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, NULL),
            MAILLE_OK);
        assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
        in.body.accept.arithmetic++;
        assert_int_equal(message_accept_encode(&body, &in.body.accept, NULL), MAILLE_OK);
        put_body(flight, play, in.envelope.from, &body);
    }
    bytes_clear(&body);
    arena_free(arena);
}

static void two_arithmetics_are_named(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct play *play =
        play_new(&(struct play_options){.seed = 4, .n_sites = 5, .study = study, .alter = other_arithmetic});
    assert_int_equal(play_run(play, TESTING_LIMIT_MS, &error), MAILLE_REFUSED);
    says(&error, "gamma with");
    says(&error, "install the same release of maille at both");
    for (size_t site = PLAY_SITE; site < PLAY_SITE + 5; site++) {
        assert_int_equal(play_said(play, site, MESSAGE_MASKED), 0);
        assert_int_equal(play_said(play, site, MESSAGE_CANCEL), site == PLAY_SITE + 2 ? 0 : 1);
    }
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_site_is_named_at_once),
        cmocka_unit_test(an_old_coordinator_is_named),
        cmocka_unit_test(an_old_agent_is_refused),
        cmocka_unit_test(two_arithmetics_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
