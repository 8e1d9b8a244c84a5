/* Whoever decides at a site: two who must sign, her successor, and her who takes an approval back between the
 * sums that left and the key that would open them. */
#include "tests/protocol/sites.h"

#include "audit/log.h"
#include "base/test.h"
#include "base/clock.h"
#include "tests/approving.h"

static const char held[] = "policy: standard\napproval: { default: hold }\n";
enum { DAY_MS = 24 * 3600 * 1000 };

static struct world *up(unsigned signatures)
{
    return sites_up_with(&(struct sites_options){.policies = {held, held, held}, .signatures = signatures});
}

static void tick(struct world *world, size_t i)
{
    struct maille_error error = {0};
    assert_ok(vault_tick(world->sites[i].vault, &world->sites[i].outbox, &error), &error);
}

/* Asks the first site; it waits. */
static void ask(struct world *world)
{
    struct maille_error error = {0};
    struct bytes pending = {0};
    const struct message_manifest manifest = sites_manifest(world);
    assert_ok(site_ask(world, 0, &manifest, &error), &error);
    assert_ok(spool_pending(&pending, world->sites[0].folder, world->qid, &error), &error);
    bytes_clear(&pending);
}

static bool waits(struct world *world)
{
    struct bytes pending = {0};
    struct maille_error ignored;
    const bool there = spool_pending(&pending, world->sites[0].folder, world->qid, &ignored) == MAILLE_OK;
    bytes_clear(&pending);
    return there;
}

/* The state of the site's last answer. */
static enum ready_state answer(struct world *world)
{
    struct envelope envelope;
    struct message_ready ready;
    const struct message_outgoing *said = site_said(world, 0, MESSAGE_READY);
    assert_non_null(said);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    return ready.state;
}

static void decide(struct world *world, size_t i, enum decision_kind kind, const struct secret_keys *keys)
{
    struct maille_error error = {0};
    struct bytes pending = {0};
    struct decision decision = {.kind = kind, .at = "2026-01-01T00:00:00Z", .reason = "a reason"};
    memcpy(decision.qid, world->qid, QID_BYTES);
    if (kind != DECISION_STOP) {
        assert_ok(spool_pending(&pending, world->sites[i].folder, world->qid, &error), &error);
        decision_pending_hash(&decision.pending, pending.data, pending.length);
    }
    assert_ok(spool_decide(world->sites[i].folder, &decision, keys, &error), &error);
    bytes_clear(&pending);
    tick(world, i);
}

static struct secret_keys *person(const char *name)
{
    struct secret_keys *keys = NULL;
    assert_int_equal(secret_keys_new(&keys, KEY_DPO, name, NULL), MAILLE_OK);
    return keys;
}

/* days: from today. */
static void appoint(struct world *world, enum appointment_role role, const struct secret_keys *who, int days,
                    const struct secret_keys *by, const char *site)
{
    struct maille_error error = {0};
    struct bytes text = {0};
    struct appointment appointment = {.site = site,
                                      .role = role,
                                      .officer = secret_keys_name(who),
                                      .from = (int32_t)(sites_now_ms / DAY_MS) + days,
                                      .at = "2026-01-01T00:00:00Z"};
    memcpy(appointment.identity, secret_keys_public(who)->identity, PUBLIC_BYTES);
    memcpy(appointment.box, secret_keys_public(who)->box, PUBLIC_BYTES);
    assert_ok(appointment_write(&text, &appointment, by, &error), &error);
    assert_ok(spool_appoint(world->sites[0].folder, &text, &error), &error);
    bytes_clear(&text);
    tick(world, 0);
}

/* What the site's log says in notes of a kind, one after the other. */
struct said {
    struct arena *arena;
    const char *kind, *text;
};

static void take_note(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct said *said = context;
    (void)sequence;
    (void)utc_ms;
    if (entry->direction == AUDIT_NOTE && strcmp(entry->message, said->kind) == 0)
        said->text = arena_printf(said->arena, "%s%s|%s|%s\n", said->text,
                                  entry->decision != NULL ? entry->decision : "",
                                  entry->approver != NULL ? entry->approver : "", entry->detail);
}

static const char *notes(struct world *world, const char *kind)
{
    struct maille_error error = {0};
    struct said said = {.arena = world->arena, .kind = kind, .text = ""};
    site_close(world, 0); /* the log is its own while it is open */
    assert_ok(
        audit_read(arena_printf(world->arena, "%s/log", world->sites[0].folder), take_note, &said, &error),
        &error);
    site_open(world, 0);
    return said.text;
}

static void says(struct world *world, const char *kind, const char *words)
{
    const char *text = notes(world, kind);
    if (strstr(text, words) == NULL)
        fail_msg("expected \"%s\" in the log, found: %s", words, text);
}

static void two_persons_must_sign(void **state)
{
    (void)state;
    struct world *world = up(2);
    void *down = world;
    struct secret_keys *second = person("second"), *stranger = person("stranger");
    ask(world);
    decide(world, 0, DECISION_APPROVE, world->officer);
    assert_true(waits(world)); /* one is not enough */
    assert_int_equal(answer(world), READY_HELD);
    assert_string_equal(spool_first_by(world->arena, world->sites[0].folder, world->qid), "officer");
    decide(world, 0, DECISION_APPROVE, world->officer); /* nor the same one again */
    assert_true(waits(world));
    decide(world, 0, DECISION_APPROVE, second); /* nor somebody whom nobody appointed */
    assert_true(waits(world));
    says(world, "approval", "||not taken: expected the signature of this site's data protection officer");
    appoint(world, APPOINTMENT_SECOND, second, 0, stranger, "alpha"); /* whom a stranger appoints is nobody */
    decide(world, 0, DECISION_APPROVE, second);
    assert_true(waits(world));
    appoint(world, APPOINTMENT_SECOND, second, 0, world->officer,
            "beta"); /* nor whom she appoints elsewhere */
    decide(world, 0, DECISION_APPROVE, second);
    assert_true(waits(world));
    appoint(world, APPOINTMENT_SECOND, second, 0, world->officer, "alpha");
    says(world, "officer", "expected an appointment for alpha, found one for beta");
    says(world, "officer", "second decides from "); /* and over the restart of the site */
    decide(world, 0, DECISION_APPROVE, second);
    assert_false(waits(world));
    assert_int_equal(answer(world), READY_READY);
    const char *text = notes(world, "approval");
    const char *first = strstr(text, "one of two|officer|a reason\n"),
               *then = strstr(text, "approved|second|a reason\n");
    assert_true(first != NULL && then != NULL && first < then);
    assert_non_null(strstr(text, "expected the signature of another person than the first one's"));
    secret_keys_free(second);
    secret_keys_free(stranger);
    sites_down(&down);
}

/* One of two is enough for a no. */
static void one_of_two_denies(void **state)
{
    (void)state;
    struct world *world = up(2);
    void *down = world;
    struct secret_keys *second = person("second");
    appoint(world, APPOINTMENT_SECOND, second, 0, world->officer, "alpha");
    ask(world);
    decide(world, 0, DECISION_APPROVE, world->officer);
    decide(world, 0, DECISION_DENY, second);
    assert_false(waits(world));
    assert_int_equal(answer(world), READY_REFUSED);
    secret_keys_free(second);
    sites_down(&down);
}

/* From a day on her successor decides and she does not; what she approved before stays approved. */
static void a_successor_decides_from_a_day_on(void **state)
{
    (void)state;
    struct world *world = up(1);
    void *down = world;
    struct secret_keys *next = person("next");
    ask(world);
    appoint(world, APPOINTMENT_SUCCESSOR, next, 1, world->officer, "alpha");
    decide(world, 0, DECISION_APPROVE, next); /* not yet */
    assert_true(waits(world));
    decide(world, 0, DECISION_APPROVE, world->officer);
    assert_false(waits(world));
    assert_int_equal(answer(world), READY_READY);
    sites_now_ms += DAY_MS;
    site_close(world, 0);
    site_open(world, 0);
    tick(world, 0); /* it stays approved, and nobody is asked again */
    assert_false(waits(world));
    assert_null(site_said(world, 0, MESSAGE_READY));
    decide(world, 0, DECISION_STOP, world->officer);
    assert_null(site_said(world, 0, MESSAGE_READY));
    says(world, "approval", "not taken: expected the signature of this site's data protection officer");
    decide(world, 0, DECISION_STOP, next);
    assert_int_equal(answer(world), READY_REFUSED);
    says(world, "approval", "approved|officer|a reason\n");
    says(world, "approval", "stopped|next|a reason\n");
    says(world, "officer", "next decides from ");
    /* She appoints nobody any more; he does. */
    struct secret_keys *third = person("third");
    appoint(world, APPOINTMENT_SUCCESSOR, third, 0, world->officer, "alpha");
    appoint(world, APPOINTMENT_SUCCESSOR, third, 0, next, "alpha");
    says(world, "officer", "third decides from ");
    secret_keys_free(next);
    secret_keys_free(third);
    sites_down(&down);
}

/* The masked sums have left. She takes her approval back, and the site gives out no key that opens the total.
 */
static void a_stop_comes_before_the_reveal(void **state)
{
    (void)state;
    struct world *world = up(1);
    void *down = world;
    struct maille_error error = {0};
    struct bytes body = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_make_close(&body, world);
    struct decision decision = {.kind = DECISION_STOP, .at = "2026-01-01T00:00:00Z", .reason = "a complaint"};
    memcpy(decision.qid, world->qid, QID_BYTES);
    assert_ok(spool_decide(world->sites[0].folder, &decision, world->officer, &error), &error);
    assert_ok(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &body, NULL, &error), &error);
    assert_null(site_said(world, 0, MESSAGE_REVEAL));
    assert_non_null(site_said(world, 0, MESSAGE_CANCEL));
    says(world, "approval", "stopped|officer|a complaint\n");
    bytes_clear(&body);
    sites_down(&down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_persons_must_sign),
        cmocka_unit_test(one_of_two_denies),
        cmocka_unit_test(a_successor_decides_from_a_day_on),
        cmocka_unit_test(a_stop_comes_before_the_reveal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
