/* A log that began again under the old name, because its party lost the one before and the network's
 * authorities accepted that: heads of the one before are not held against it, all others are. */
#include "audit/testing.h"
#include "audit/heads.h"

static struct testing before, again;
static struct audit_heads seen;

static uint32_t never(void *context, const char *party)
{
    (void)context, (void)party;
    return 0;
}
static uint32_t once(void *context, const char *party)
{
    (void)context;
    return strcmp(party, "alpha") == 0 ? 1 : 0;
}

static void keep_head(const struct audit_log *log, const char *name)
{
    struct audit_seen head = {name, {0}};
    audit_head(log, &head.head);
    assert_int_equal(heads_reserve(&seen, 1, NULL), MAILLE_OK);
    heads_put(&seen, "coordinator", seen.n + 1, &head, false);
}

/* A log of 40 entries that a witness saw grow, and one that begins with the note of the loss. */
static int setup(void **state)
{
    struct maille_error error = {0};
    const struct audit_entry note = {
        .direction = AUDIT_NOTE, .message = audit_lost, .detail = "1: the authorities accept it"};
    if (testing_start(state) != 0)
        return 1;
    testing_begin(&before, "lost-before", true);
    testing_begin(&again, "lost-again", false);
    again.keys = before.keys;
    struct audit_log *log = testing_open(&before);
    testing_append(&before, log, 0, 40, 4);
    keep_head(log, "alpha");
    audit_close(log);
    again.now_ms = before.now_ms;
    log = testing_open(&again);
    assert_ok(audit_append(log, &note, &error), &error);
    testing_append(&again, log, 100, 10, 2);
    keep_head(log, "alpha~1");
    testing_append(&again, log, 110, 10, 2);
    keep_head(log, "alpha~1");
    audit_close(log);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    audit_heads_clear(&seen);
    again.keys = NULL;
    testing_end(&again);
    testing_end(&before);
    return 0;
}

static enum maille_code verify(const char *folder, uint32_t (*lost)(void *, const char *),
                               struct audit_report *report, struct maille_error *error)
{
    const struct audit_check check = {.identity = secret_keys_public(before.keys)->identity,
                                      .taken_ms = again.now_ms + 1000,
                                      .lost = lost,
                                      .seen = &seen};
    *error = (struct maille_error){0};
    return audit_verify(report, NULL, folder, &check, error);
}

static void an_accepted_loss_is_not_held_against_a_log(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    assert_ok(verify(again.folder, once, &report, &error), &error);
    assert_int_equal(report.lost, 1);
    assert_int_equal(report.before, 1);
    assert_int_equal(report.witnessed, 2);
    assert_int_equal(report.after, 0);
}

/* A log cannot forgive itself. */
static void a_loss_that_nobody_accepted_is_a_cut(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    assert_fails(verify(again.folder, never, &report, &error), MAILLE_CORRUPT, &error,
                 "this directory does not say so");
    assert_int_equal(report.fault, AUDIT_CUT);
    assert_fails(verify(again.folder, NULL, &report, &error), MAILLE_CORRUPT, &error,
                 "--network FILE says whether they did");
}

/* The loss of the one before excuses nothing of the log that began again. */
static void what_began_again_is_held_to_its_own_heads(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    const struct audit_witness_head kept = seen.list[2];
    seen.list[2].head.size += 1000;
    assert_fails(verify(again.folder, once, &report, &error), MAILLE_CORRUPT, &error, "the end was cut");
    assert_int_equal(report.fault, AUDIT_CUT);
    seen.list[2] = kept;
    seen.list[2].head.root.b[0] ^= 1;
    assert_fails(verify(again.folder, once, &report, &error), MAILLE_CORRUPT, &error, "split view");
    seen.list[2] = kept;
}

/* The log of before is what it was; that there is a newer one is said. */
static void the_log_of_before_is_held_to_its_own_heads(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    assert_ok(verify(before.folder, once, &report, &error), &error);
    assert_int_equal(report.witnessed, 1);
    assert_int_equal(report.before, 0);
    assert_int_equal(report.after, 2);
    seen.list[0].head.size += 1000;
    assert_fails(verify(before.folder, once, &report, &error), MAILLE_CORRUPT, &error, "the end was cut");
    seen.list[0].head.size -= 1000;
}

/* Names that only look like it. */
static void another_name_is_another_log(void **state)
{
    (void)state;
    struct audit_report report;
    struct maille_error error;
    static const char *const names[] = {"alphabet", "alpha-1",          "alpha~",
                                        "alpha~x",  "alpha~4294967296", "alph"};
    const struct audit_witness_head kept = seen.list[2];
    seen.list[2].head.size += 1000;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(seen.list[2].party, sizeof seen.list[2].party, "%s", names[i]);
        assert_ok(verify(again.folder, once, &report, &error), &error);
        assert_int_equal(report.witnessed, 1);
    }
    seen.list[2] = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_loss_is_not_held_against_a_log),
        cmocka_unit_test(a_loss_that_nobody_accepted_is_a_cut),
        cmocka_unit_test(what_began_again_is_held_to_its_own_heads),
        cmocka_unit_test(the_log_of_before_is_held_to_its_own_heads),
        cmocka_unit_test(another_name_is_another_log),
    };
    return cmocka_run_group_tests(tests, setup, finish);
}
