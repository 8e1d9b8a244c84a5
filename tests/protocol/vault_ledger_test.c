/* The cohort ledger at six real sites: ordinary questions one after the other are answered, and what two
 * answers would tell of a few patients, or of one site, is not. */
#include "tests/protocol/questions.h"

#include "base/file.h"
#include "disclosure/ledger.h"
#include "worker/snapshots.h"

#define EVERYONE "  - { id: x, method: count }\n"
#define BUT_FEW "  - { id: x, method: count, cohort: \"age < 88\" }\n" /* 3 patients are 88 or older */

static struct message_accept accept_of(struct world *world, size_t i)
{
    struct envelope envelope;
    struct message_accept accept;
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->accepts[i].data, world->accepts[i].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_accept_decode(&accept, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    return accept;
}

/* The rule of the cancel that a site said. */
static const char *cancelled(struct world *world, size_t i)
{
    struct envelope envelope;
    struct message_cancel cancel;
    const struct message_outgoing *said = site_said(world, i, MESSAGE_CANCEL);
    assert_non_null(said);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    return cancel.rule;
}

/* --- differencing --- */

/* 16, 29 and 24 patients less than everyone: a few at each site, which lists everyone's question, and enough
 * over all of them. */
static void ordinary_questions_pass(void **state)
{
    (void)state;
    static const char *const questions[] = {"  - { id: x, method: count, cohort: \"year >= 1980\" }\n",
                                            "  - { id: x, method: count, cohort: \"nodes < 20\" }\n",
                                            "  - { id: x, method: count, cohort: \"pgr < 1500\" }\n"};
    static const int64_t left[] = {2966, 2953, 2958};
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    for (size_t q = 0; q < 3; q++) {
        size_t listed = 0;
        ask(world, questions[q], 0, NULL);
        assert_int_equal(world->run.states[0].outcome.n, left[q]);
        for (size_t i = 0; i < world->n; i++)
            listed += accept_of(world, i).n_ledger;
        assert_true(listed >= 4);
    }
    down(world);
}

/* A few patients over all sites, in either direction; with the key off the same question is answered. */
static void a_few_patients_are_refused(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    ask(world, BUT_FEW, 0, "few");
    ask(world, "  - { id: x, method: count, cohort: \"age != 90\" }\n", 0, "few"); /* one */
    ask(world, EVERYONE, 0, NULL);
    down(world);
    world = up("policy: strict\n", BUT_FEW);
    ask(world, NULL, 0, NULL);
    ask(world, EVERYONE, 0, "few");
    down(world);
    world = up("policy: strict\ndifferencing: off\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    ask(world, BUT_FEW, 0, NULL);
    down(world);
}

/* What was refused left nothing behind; neither did what never ended. */
static void only_what_was_answered_counts(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    sites_to_roster(world);
    sites_to_values(world); /* head counts were pooled, and no value left */
    end_query(world, MESSAGE_CANCEL);
    ask(world, BUT_FEW, 0, NULL);
    ask(world, EVERYONE, 0, "few");
    /* Both directions together: three who are 88 or older are here and were not there, and 29 others are
     * gone. */
    ask(world, "  - { id: x, method: count, cohort: \"nodes < 20\" }\n", 0, NULL);
    ask(world, "  - { id: x, method: count, cohort: \"age < 88 && nodes < 20\" }\n", 0, "few");
    down(world);
}

/* A reservation refuses nobody: of two questions at once the one that is counted first is answered, the other
 * is told to ask again, and then finds out. */
static void of_two_at_once_one_asks_again(void **state)
{
    (void)state;
    uint8_t first[QID_BYTES];
    struct bytes body = {0};
    struct world *world = up("policy: strict\n", EVERYONE);
    sites_to_roster(world);
    memcpy(first, world->qid, QID_BYTES);
    ask(world, BUT_FEW, 0, NULL);
    sites_next(world, EVERYONE);
    memcpy(world->qid, first, QID_BYTES);
    sites_to_roster(world); /* the same bytes again */
    sites_to_masked(world, 1, 1);
    sites_make_close(&body, world);
    for (size_t i = 0; i < world->n; i++) {
        assert_int_equal(site_hear(world, i, MESSAGE_CLOSE, world->coordinator, &body, NULL, NULL),
                         MAILLE_OK);
        assert_null(site_said(world, i, MESSAGE_REVEAL));
        assert_string_equal(cancelled(world, i), "again");
    }
    ask(world, EVERYONE, 0, "few");
    bytes_clear(&body);
    down(world);
}

/* Head counts of one question are pooled, and its researcher lets it lie; another that is near is asked
 * meanwhile: it is compared with the first, which is answered. */
static void of_two_counted_together_one_is_answered(void **state)
{
    (void)state;
    uint8_t first[QID_BYTES];
    struct world *world = up("policy: strict\n", EVERYONE);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_finish_round(world);
    const struct digest counted = world->previous;
    memcpy(first, world->qid, QID_BYTES);
    ask(world, BUT_FEW, 0, "few");
    sites_next(world, EVERYONE);
    memcpy(world->qid, first, QID_BYTES);
    sites_to_roster(world); /* the same bytes again */
    world->previous = counted;
    for (uint32_t round = 2; study_run_open(&world->run); round++) {
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    assert_int_equal(world->run.states[0].status, ANALYSIS_OK);
    end_query(world, MESSAGE_END);
    ask(world, BUT_FEW, 0, "few");
    down(world);
}

/* What one site tells the others of its state in the last round lets them give out the result. So it is
 * shown from then on, also where the coordinator never brings this site what the others said. */
static void what_others_may_show_is_shown(void **state)
{
    (void)state;
    for (size_t told = 0; told < 2; told++) { /* the one patient is not at both of them */
        struct bytes body = {0}, frame = {0};
        struct maille_error error = {0};
        struct world *world = up("policy: strict\n", EVERYONE);
        sites_to_roster(world);
        sites_to_values(world);
        sites_to_masked(world, 3, 1);
        sites_to_revealed(world);
        sites_make_custody(&body, &frame, world);
        for (size_t i = 0; i < world->n; i++) {
            if (site_custody(world, i, &body, &frame, &error) != MAILLE_OK)
                fail_msg("%s", error.sentence);
            const struct message_outgoing *said = site_said(world, i, MESSAGE_TAKEN);
            assert_non_null(said);
            assert_int_equal(bytes_copy(&world->taken[i], said->envelope.data, said->envelope.length),
                             MAILLE_OK);
        }
        sites_make_agreed(&body, world);
        if (site_agreed(world, told, &body, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        assert_non_null(site_said(world, told, MESSAGE_RESULT)); /* which is all that a researcher needs */
        end_query(world, MESSAGE_END);
        ask(world, "  - { id: x, method: count, cohort: \"age != 90\" }\n", 0, "few");
        bytes_clear(&body);
        bytes_clear(&frame);
        down(world);
    }
}

/* A model that cannot be fitted says so, of the patients that it was asked of: that is an answer like
 * another, and it holds no number, whatever the programs of the one who asked do with what they receive. */
static void a_question_that_fails_is_answered(void **state)
{
    (void)state;
    struct world *world = up(
        "policy: strict\n",
        "  - { id: x, method: glm, family: binomial, formula: \"I(age >= 60) ~ age\", cohort: \"death\" }\n");
    sites_to_roster(world);
    run_rounds(world);
    const struct analysis_state *analysis = &world->run.states[0];
    assert_int_equal(analysis->status, ANALYSIS_FAILED);
    assert_non_null(strstr(analysis->reason, "separate"));
    assert_int_equal(analysis->outcome.n, -1);
    assert_int_equal(analysis->outcome.n_missing, -1);
    assert_int_equal(analysis->outcome.n_event, -1);
    assert_int_equal(analysis->outcome.result->n, 0);
    assert_int_equal(analysis->outcome.warnings->n, 0);
    end_query(world, MESSAGE_END);
    ask(world, "  - { id: x, method: count, cohort: \"death && age < 88\" }\n", 0, "few");
    down(world);
}

/* Sites that have lost what they answered say so little that T is near where it may be: also where all who
 * differ are theirs. */
static void a_lost_past_is_near(void **state)
{
    (void)state;
    for (size_t kept = 0; kept < 2; kept++) { /* the one patient is not at both of them */
        struct world *world = up("policy: strict\n", EVERYONE);
        struct maille_error error = {0};
        struct bytes before[SITES_MAX] = {{0}};
        for (size_t i = 0; i < world->n; i++) {
            const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
            site_close(world, i);
            assert_int_equal(file_read(&before[i], path, 1 << 24, &error), MAILLE_OK);
            site_open(world, i);
        }
        ask(world, NULL, 0, NULL);
        for (size_t i = 0; i < world->n; i++) {
            const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
            site_close(world, i);
            if (i != kept)
                assert_int_equal(file_write_atomic(path, before[i].data, before[i].length, 0600, &error),
                                 MAILLE_OK);
            site_open(world, i);
            bytes_clear(&before[i]);
        }
        ask(world, "  - { id: x, method: count, cohort: \"age != 90\" }\n", 0, "few");
        down(world);
    }
}

/* All of it survives a restart of every site at each step. */
static void restarts_forget_nothing(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    for (size_t i = 0; i < world->n; i++) {
        site_close(world, i);
        site_open(world, i);
    }
    sites_next(world, BUT_FEW);
    sites_to_roster(world);
    for (size_t i = 0; i < world->n; i++) {
        site_close(world, i);
        site_open(world, i);
    }
    run_rounds(world);
    assert_string_equal(world->run.states[0].rule, "few");
    down(world);
}

/* Under scope local each site's own few decide: an ordinary question is refused. */
static void alone_each_site_judges_its_own(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\ncell_rule: local\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    ask(world, "  - { id: x, method: count, cohort: \"nodes < 20\" }\n", 0, "few");
    down(world);
}

/* Analyses of one study: the later one is refused. */
static void one_study_is_compared_with_itself(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", "  - { id: a, method: count }\n"
                                                 "  - { id: b, method: count, cohort: \"age < 88\" }\n"
                                                 "  - { id: c, method: count, cohort: \"chemo\" }\n");
    ask(world, NULL, 1, "few");
    down(world);
}

/* An ordinary study: a table, a curve, a model. */
static void an_ordinary_study_passes(void **state)
{
    (void)state;
    struct world *world =
        up("policy: strict\n",
           "study: paper\ndictionary: rotterdam@1\ntitle: t\npurpose: research\nlegal_basis: "
           "MR-004\nprotocol: P-1\n"
           "expires: 2099-12-31\nsites: all\nmissing: study\ncohort: \"nodes < 20\"\nanalyses:\n"
           "  - { id: table1, method: describe, variables: [age, nodes], by: chemo }\n"
           "  - { id: sizes, method: crosstab, variables: [size, chemo] }\n"
           "  - { id: logit, method: glm, family: binomial, formula: \"death ~ age + size\" }\n");
    ask(world, NULL, 0, NULL);
    ask(world, EVERYONE, 0, NULL);
    down(world);
}

/* A snapshot without a patient of each site: six are gone, and the question is refused before anything of it
 * is counted; on twelve it is answered. */
static void snapshots_that_differ_by_a_few_are_refused(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    for (uint32_t number = 2; number <= 3; number++) {
        one_less_at_each(world, number);
        const uint32_t rounds =
            ask(world, "  - { id: x, method: count, variables: [meno] }\n", 0, number == 2 ? "few" : NULL);
        assert_int_equal(rounds, number == 2 ? 1 : 4);
    }
    down(world);
}

/* What is near to a question of other sites is refused in T0, and T1 counts the rest alone; where there is a
 * T0, what is near on the same sites and snapshots is told there too. */
static void what_fails_before_is_not_counted(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\n", EVERYONE);
    struct bytes theta = {0};
    ask(world, NULL, 0, NULL);
    world->n = 5;
    sites_next(world, "  - { id: x, method: count }\n  - { id: y, method: count, cohort: \"nodes < 5\" }\n");
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    for (size_t i = 0; i < world->n; i++) {
        const struct message_outgoing *said = site_said(world, i, MESSAGE_MASKED);
        assert_non_null(said);
        assert_int_equal(said->frame.length,
                         4 * 8); /* a word for each pair and each combination, and no count */
    }
    sites_finish_round(world);
    assert_int_equal(world->run.states[0].status, ANALYSIS_REFUSED);
    assert_string_equal(world->run.states[0].rule, "few");
    assert_int_equal(world->run.states[1].status, ANALYSIS_OPEN);
    /* Nobody makes the sites count it after that. */
    struct message_round_header header = sites_header(world, &theta, 2, 1);
    static const uint32_t both[] = {0, 1};
    assert_int_equal(header.n_analyses, 1);
    header.analyses = both;
    header.n_analyses = 2;
    for (size_t i = 0; i < world->n; i++) {
        struct maille_error error = {0};
        message_outbox_clear(&world->sites[i].outbox);
        assert_int_equal(site_start(world, i, &header, &theta, &error), MAILLE_PROTOCOL);
        assert_string_equal(error.rule, "analyses");
    }
    for (uint32_t round = 2; study_run_open(&world->run); round++) {
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    assert_int_equal(world->run.states[1].status, ANALYSIS_OK);
    end_query(world, MESSAGE_END);
    world->n = 6;
    /* y is of five sites, so there is a T0; there the few that everybody has more are told as a combination.
     */
    assert_int_equal(ask(world, BUT_FEW, 0, "few"), 1);
    bytes_clear(&theta);
    down(world);
}

/* --- budgets and own totals --- */

static struct message_ready ready_of(struct world *world, size_t i)
{
    struct envelope envelope;
    struct message_ready ready;
    struct maille_error error = {0};
    const struct message_manifest manifest = sites_manifest(world);
    if (site_ask(world, i, &manifest, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    const struct message_outgoing *said = site_said(world, i, MESSAGE_READY);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    return ready;
}

#define TWO "  - { id: x, method: count }\n  - { id: y, method: count, cohort: \"chemo\" }\n"

/* Two tables: three cannot be asked; the same question costs nothing again; without the key they are
 * answered. */
static void budgets_are_kept(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\nbudget: { tables: 2, models: 1 }\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    ask(world, EVERYONE, 0, NULL);
    sites_next(world, TWO); /* the first of the two is one more question: two would be three */
    struct message_ready ready = ready_of(world, 0);
    assert_int_equal(ready.n_findings, 1);
    assert_int_equal(ready.findings[0].analysis, 1);
    assert_string_equal(ready.findings[0].rule, "budget");
    ask(world, "  - { id: m, method: glm, family: binomial, formula: \"death ~ age\" }\n", 0, NULL);
    sites_next(world, "  - { id: m, method: glm, family: binomial, formula: \"death ~ nodes\" }\n");
    assert_int_equal(ready_of(world, 0).n_findings, 1);
    down(world);
    world = up("policy: standard\nbudget: off\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    ask(world, TWO, 0, NULL);
    down(world);
}

/* Two at once that both found something left: the second is told at the call. */
static void a_budget_is_spent_once(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\nbudget: { tables: 1, models: 1 }\n", EVERYONE);
    uint8_t first[QID_BYTES];
    struct bytes body = {0};
    static const uint32_t ids[] = {1, 2, 3, 4, 5, 6};
    struct message_call call = {.n_sites = 6, .sites = ids};
    sites_to_ready(world);
    memcpy(first, world->qid, QID_BYTES);
    sites_next(world, "  - { id: y, method: count, cohort: \"chemo\" }\n");
    sites_to_ready(world);
    sites_to_accept(world);
    memcpy(call.qid, first, QID_BYTES);
    assert_int_equal(message_call_encode(&body, &call, NULL), MAILLE_OK);
    assert_int_equal(site_hear(world, 0, MESSAGE_CALL, world->alice, &body, NULL, NULL), MAILLE_OK);
    assert_string_equal(cancelled(world, 0), "budget");
    bytes_clear(&body);
    down(world);
}

/* Everyone at six sites, then at five: the difference is the sixth. Shielded: no question but to all of the
 * epoch's sites. Counted: the earlier answer stands, and what differs by more is answered. */
static void a_roster_with_one_site_less(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *question, *cancels, *refused;
    } cases[] = {{"policy: strict\n", EVERYONE, "own_totals", NULL},
                 {"policy: standard\n", EVERYONE, NULL, "few"},
                 {"policy: standard\n", "  - { id: x, method: count, cohort: \"nodes < 5\" }\n", NULL, NULL},
                 {"policy: standard\nown_totals: may_be_inferred\n", EVERYONE, NULL, NULL}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct world *world = up(cases[c].policy, EVERYONE);
        struct bytes body = {0};
        ask(world, NULL, 0, NULL);
        world->n = 5;
        if (cases[c].cancels == NULL) {
            ask(world, cases[c].question, 0, cases[c].refused);
        } else {
            sites_next(world, cases[c].question);
            sites_to_ready(world);
            sites_to_accept(world);
            sites_roster(&body, world, world->accepts);
            for (size_t i = 0; i < world->n; i++) {
                assert_int_equal(site_hear(world, i, MESSAGE_ROSTER, world->coordinator, &body, NULL, NULL),
                                 MAILLE_OK);
                assert_string_equal(cancelled(world, i), cases[c].cancels);
            }
        }
        bytes_clear(&body);
        down(world);
    }
}

/* First without a site, then with it: its patients are what is new, and they are many. */
static void a_site_that_joins_is_counted(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\n", EVERYONE);
    world->n = 5;
    ask(world, NULL, 0, NULL);
    world->n = 6;
    ask(world, EVERYONE, 0, NULL);
    /* Three patients, of whom the sixth may have some, are new. */
    ask(world, BUT_FEW, 0, "few");
    down(world);
}

/* The same by a site that is lost in the first round: no attempt without it where totals are shielded. */
static void an_attempt_with_one_site_less(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct world *world = up(c == 0 ? "policy: strict\n" : "policy: standard\n", EVERYONE);
        struct bytes theta = {0};
        sites_to_roster(world);
        sites_to_masked(world, 1, 1);
        world->n = 5;
        const struct message_round_header header = sites_header(world, &theta, 1, 2);
        for (size_t i = 0; i < world->n; i++) {
            struct maille_error error = {0};
            message_outbox_clear(&world->sites[i].outbox);
            if (site_start(world, i, &header, &theta, &error) != MAILLE_OK)
                fail_msg("%s", error.sentence);
            assert_non_null(site_said(world, i, c == 0 ? MESSAGE_REFUSE : MESSAGE_MASKED));
        }
        bytes_clear(&theta);
        down(world);
    }
}

/* What an accept says of the past is the same at every site, whoever its patients are: no oracle about any of
 * them. */
static void the_past_is_told_alike(void **state)
{
    (void)state;
    static const char *const sets[] = {"age == 90",
                                       "age >= 88",
                                       "age == 24",
                                       "age <= 26 && chemo",
                                       "nodes > 25",
                                       "pgr > 3000",
                                       "age == 83 && year == 1991 && death"};
    struct world *world = up("policy: strict\n", EVERYONE);
    ask(world, NULL, 0, NULL);
    for (size_t q = 0; q < sizeof sets / sizeof *sets; q++) {
        sites_next(world,
                   arena_printf(world->arena, "  - { id: x, method: count, cohort: \"!(%s)\" }\n", sets[q]));
        sites_to_ready(world);
        sites_to_accept(world);
        const struct message_accept first = accept_of(world, 0);
        assert_int_equal(first.n_ledger, 1);
        for (size_t i = 1; i < world->n; i++) {
            const struct message_accept accept = accept_of(world, i);
            assert_int_equal(accept.n_ledger, 1);
            assert_memory_equal(accept.ledger[0].id, first.ledger[0].id, LEDGER_ID_BYTES);
            assert_int_equal(accept.ledger[0].shown.length, first.ledger[0].shown.length);
            assert_memory_equal(accept.ledger[0].shown.data, first.ledger[0].shown.data,
                                first.ledger[0].shown.length);
            assert_int_equal(accept.ledger[0].roster.length, first.ledger[0].roster.length);
        }
        end_query(world, MESSAGE_CANCEL);
    }
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_questions_pass),
        cmocka_unit_test(a_few_patients_are_refused),
        cmocka_unit_test(only_what_was_answered_counts),
        cmocka_unit_test(of_two_at_once_one_asks_again),
        cmocka_unit_test(of_two_counted_together_one_is_answered),
        cmocka_unit_test(what_others_may_show_is_shown),
        cmocka_unit_test(a_question_that_fails_is_answered),
        cmocka_unit_test(a_lost_past_is_near),
        cmocka_unit_test(restarts_forget_nothing),
        cmocka_unit_test(alone_each_site_judges_its_own),
        cmocka_unit_test(one_study_is_compared_with_itself),
        cmocka_unit_test(an_ordinary_study_passes),
        cmocka_unit_test(snapshots_that_differ_by_a_few_are_refused),
        cmocka_unit_test(what_fails_before_is_not_counted),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(a_budget_is_spent_once),
        cmocka_unit_test(a_roster_with_one_site_less),
        cmocka_unit_test(a_site_that_joins_is_counted),
        cmocka_unit_test(an_attempt_with_one_site_less),
        cmocka_unit_test(the_past_is_told_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
