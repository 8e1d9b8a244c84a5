/* What a site asks its officer names the earlier groups that are near in words, and no number of patients. */
#include "tests/protocol/questions.h"

#include "base/test.h"
#include "vault/spool.h"

#define HELD "policy: standard\napproval: { default: hold }\n"
#define COUNT(cohort) "  - { id: x, method: count, cohort: \"" cohort "\" }\n"

/* The researcher takes the question back. */
static void take_back(struct world *world)
{
    struct bytes body = {0};
    struct message_cancel cancel = {.rule = "test"};
    memcpy(cancel.qid, world->qid, QID_BYTES);
    assert_int_equal(message_cancel_encode(&body, &cancel, NULL), MAILLE_OK);
    assert_int_equal(site_hear(world, 0, MESSAGE_CANCEL, world->alice, &body, NULL, NULL), MAILLE_OK);
    bytes_clear(&body);
}

/* What the first site asks about this study. In arena. */
static const char *asked(struct world *world, const char *analyses)
{
    struct maille_error error = {0};
    struct bytes pending = {0};
    sites_next(world, analyses);
    const struct message_manifest manifest = sites_manifest(world);
    assert_ok(site_ask(world, 0, &manifest, &error), &error);
    assert_ok(spool_pending(&pending, world->sites[0].folder, world->qid, &error), &error);
    const char *text = arena_strndup(world->arena, (const char *)pending.data, pending.length);
    take_back(world);
    bytes_clear(&pending);
    return text;
}

static void has(const char *text, const char *words)
{
    const char *near = strstr(text, "    near in words");
    if (strstr(text, words) == NULL)
        fail_msg("expected \"%s\", found: %s", words, near != NULL ? near : text);
}

static void one_condition_apart_is_named(void **state)
{
    (void)state;
    struct world *world = up(HELD, COUNT("age < 60 && nodes < 5"));
    ask(world, NULL, 0, NULL);
    /* Another constant, one condition more, one less. */
    has(asked(world, COUNT("age < 61 && nodes < 5")),
        "    near in words, as this site sees it (the sites' pooled patients decide):\n"
        "        \"age < 61 && nodes < 5\" is near \"age < 60 && nodes < 5\" of study ");
    has(asked(world, COUNT("age < 60 && nodes < 5 && meno")), "is near \"age < 60 && nodes < 5\" of study ");
    has(asked(world, COUNT("nodes < 5")), "\"nodes < 5\" is near \"age < 60 && nodes < 5\" of study ");
    /* The same group, one of other variables, one that differs in two conditions. */
    static const char none[] = "    near in words: no group that was answered here before\n";
    has(asked(world, COUNT("nodes < 5 && age < 60")), none);
    has(asked(world, COUNT("pgr < 5 && er < 10")), none);
    has(asked(world, COUNT("age < 61 && nodes < 6")), none);
    assert_null(strstr(asked(world, COUNT("age < 61")), "not_compared"));
    down(world);
}

/* What waits was answered by nobody. */
static void what_was_not_answered_is_not_named(void **state)
{
    (void)state;
    struct world *world = up(HELD, COUNT("age < 60"));
    sites_to_roster(world); /* it is reserved, and nothing of it was shown */
    has(asked(world, COUNT("age < 61")), "near in words: no group");
    down(world);
}

/* A part of one analysis, and the cohort of another; levels that share nobody are not near. */
static void parts_are_named(void **state)
{
    (void)state;
    struct world *world = up(HELD, "  - { id: x, method: count, variables: [meno, size] }\n");
    ask(world, NULL, 0, NULL);
    const char *text = asked(world, COUNT("meno && age < 85"));
    has(text, "\"meno && age < 85\" is near \"meno && size known\" of study ");
    assert_null(strstr(text, "is near \"!meno"));
    text = asked(world, "  - { id: x, method: count, variables: [size], cohort: \"age < 85\" }\n");
    has(text, "\"age < 85 && size known\" is near \"meno known && size known\" of study ");
    down(world);
}

/* More than a screen holds: the nearest are told, and that there are more. */
static void many_are_cut(void **state)
{
    (void)state;
    char study[4096] = "";
    for (int k = 0; k < 25; k++)
        snprintf(study + strlen(study), sizeof study - strlen(study),
                 "  - { id: x%d, method: count, cohort: \"age < %d\" }\n", k, 40 + k);
    struct world *world = up("policy: standard\ndifferencing: off\napproval: { default: hold }\n", study);
    ask(world, NULL, 0, NULL);
    const char *text = asked(world, COUNT("age < 70"));
    has(text, "        and 5 more such groups\n");
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, " is near ")) != NULL; at++)
        n++;
    assert_int_equal(n, 20);
    down(world);
}

/* An earlier study whose words are long does not make a later one too long to be read. */
static void long_words_are_cut(void **state)
{
    (void)state;
    char cohort[2048] = "age < 60", study[4096];
    for (int bound = 100; bound < 140; bound++)
        snprintf(cohort + strlen(cohort), sizeof cohort - strlen(cohort), " || pgr + er == %d", bound);
    snprintf(study, sizeof study, "  - { id: x, method: count, cohort: \"(%s) && nodes < 9\" }\n", cohort);
    struct world *world = up(HELD, study);
    ask(world, NULL, 0, NULL);
    snprintf(study, sizeof study, "  - { id: x, method: count, cohort: \"(%s) && nodes < 8\" }\n", cohort);
    const char *text = asked(world, study), *near = strstr(text, " is near ");
    assert_non_null(near);
    has(text, " …\" of study hostile (alice, ");
    assert_true(strcspn(near, "\n") < 500);
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_condition_apart_is_named),
                                       cmocka_unit_test(what_was_not_answered_is_not_named),
                                       cmocka_unit_test(parts_are_named), cmocka_unit_test(many_are_cut),
                                       cmocka_unit_test(long_words_are_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
