#include "tests/vault/asking.h"

/* Every check of the vault on a round: the honest message with one thing changed is refused under the check's
 * rule, and the honest one is answered afterwards. */

#define COUNTS                                                                                               \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: age, method: describe, variables: [age], " \
                "by: arm }\n"
#define MODEL                                                                                                \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: m, method: glm, family: binomial, "        \
                "formula: \"death ~ age + arm\" }\n"

static const bool all_open[8] = {true, true, true, true, true, true, true, true};
static const struct vector no_thetas[8];

static int setup(void **state)
{
    *state = world_make("rounds", "policy: open\n", true, false);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* --- start --- */

typedef void change_start(struct asking *ask);

static void other_rho(struct asking *a)
{
    a->header.rho.b[0] ^= 1;
}
static void round_ahead(struct asking *a)
{
    a->header.round = 2;
}
static void round_zero(struct asking *a)
{
    a->header.round = 0;
}
static void attempt_zero(struct asking *a)
{
    a->header.attempt = 0;
}
static void too_few_members(struct asking *a)
{
    a->header.n_members = 3;
}
static void theta_altered(struct asking *a)
{
    a->header.theta_hash.b[0] ^= 1;
}
static void previous_set(struct asking *a)
{
    a->header.previous_hash.b[0] ^= 1;
}
static void no_analyses(struct asking *a)
{
    a->header.n_analyses = 0;
}
static void no_keys(struct asking *a)
{
    a->start.n_keys = 0;
}

static void not_a_member(struct asking *a)
{
    static const uint32_t members[] = {2, 3, 4, 5, 6};
    a->header.members = members;
    a->header.n_members = 5;
}

static void stranger_member(struct asking *a)
{
    static const uint32_t members[] = {1, 2, 3, 4, 5, 7};
    a->header.members = members;
}

static void member_twice(struct asking *a)
{
    static const uint32_t members[] = {1, 2, 2, 4, 5, 6};
    a->header.members = members;
}

static void analysis_of_no_study(struct asking *a)
{
    static const uint32_t analyses[] = {0, 2};
    a->header.analyses = analyses;
}

static void key_for_another(struct asking *a)
{
    struct message_sealed_key *keys = (struct message_sealed_key *)(uintptr_t)a->start.keys;
    keys[0].sealed = keys[1].sealed;
}

static void starts_are_dropped_by_rule(void **state)
{
    static const struct {
        change_start *change;
        enum maille_code code;
        const char *rule;
    } cases[] = {
        {other_rho, MAILLE_PROTOCOL, "rho"},
        {round_ahead, MAILLE_PROTOCOL, "order"},
        {round_zero, MAILLE_PROTOCOL, NULL},
        {attempt_zero, MAILLE_PROTOCOL, NULL},
        {too_few_members, MAILLE_PROTOCOL, "n_min"},
        {not_a_member, MAILLE_PROTOCOL, "members"},
        {stranger_member, MAILLE_PROTOCOL, "members"},
        {member_twice, MAILLE_PROTOCOL, NULL},
        {theta_altered, MAILLE_PROTOCOL, "theta_hash"},
        {previous_set, MAILLE_PROTOCOL, "previous"},
        {no_analyses, MAILLE_PROTOCOL, NULL},
        {analysis_of_no_study, MAILLE_PROTOCOL, "analyses"},
        {no_keys, MAILLE_PROTOCOL, "theta_key"},
        {key_for_another, MAILLE_SIGNATURE, NULL},
    };
    struct world *world = *state;
    struct asking ask;
    ask_roster(&ask, world, COUNTS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_start(&ask, world, 1, 1, all_open, no_thetas);
        cases[i].change(&ask);
        struct bytes header = {0};
        /* An encoder may refuse to make it: then it cannot come from a program of ours, and the decoder is
         * tested in proto/. */
        if (message_round_header_encode(&header, &ask.header, &world->error) == MAILLE_OK) {
            ask_sign(&ask, world, world->researcher);
            dropped(world, 0, ask.start_letter, cases[i].code, cases[i].rule);
        }
        bytes_clear(&header);
    }
    ask_start(&ask, world, 1, 1, all_open, no_thetas);
    ask_sign(&ask, world, world->coordinator);
    dropped(world, 0, ask.start_letter, MAILLE_SIGNATURE, "signature");
    ask_sign(&ask, world, world->researcher);
    struct letter cut = ask.start_letter;
    cut.frame_length--;
    dropped(world, 0, cut, MAILLE_PROTOCOL, "theta_hash");
    cut.frame = NULL;
    cut.frame_length = 0;
    dropped(world, 0, cut, MAILLE_PROTOCOL, "theta_hash");
    ask_masked(&ask, world, 0);
    ask_clear(&ask);
}

static void other_layout(struct asking *a)
{
    a->header.layout_hash.b[0] ^= 1;
}
static void other_length(struct asking *a)
{
    a->header.length += 16;
    a->runs[a->start.n_runs++] = (struct word_run){16, 8};
}
static void other_plan(struct asking *a)
{
    a->header.plan_hash.b[0] ^= 1;
}
static void to_custodians(struct asking *a)
{
    a->header.result_to = RESULT_TO_CUSTODIANS;
}
/* The same words in one run more. */
static void other_runs(struct asking *a)
{
    const uint32_t width = a->runs[0].width;
    memmove(a->runs + 1, a->runs, a->start.n_runs++ * sizeof *a->runs);
    a->runs[0].bytes = width;
    a->runs[1].bytes -= width;
}

/* What the researcher's program may have worked out otherwise (another version): told, for every open
 * analysis. */
static void plans_are_refused_by_rule(void **state)
{
    static const struct {
        change_start *change;
        const char *rule;
    } cases[] = {{other_layout, "layout"},
                 {other_length, "length"},
                 {other_plan, "plan"},
                 {to_custodians, "result_to"},
                 {other_runs, "runs"}};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asking ask;
        struct envelope envelope;
        struct message_refuse refuse;
        ask_roster(&ask, world, COUNTS);
        ask_start(&ask, world, 1, 1, all_open, no_thetas);
        cases[i].change(&ask);
        ask_sign(&ask, world, world->researcher);
        assert_ok(world_say(world, 0, ask.start_letter), &world->error);
        world_answer(world, 0, MESSAGE_REFUSE, &envelope);
        assert_ok(
            message_refuse_decode(&refuse, world->arena, envelope.body, envelope.body_length, &world->error),
            &world->error);
        assert_true(digest_equal(&refuse.psi, &ask.psi));
        assert_int_equal(refuse.n_findings, 2);
        assert_string_equal(refuse.findings[0].rule, cases[i].rule);
        assert_string_equal(refuse.findings[1].rule, cases[i].rule);
        ask_clear(&ask);
    }
}

/* Nobody chooses where a method begins. */
static void theta_is_empty_in_round_one(void **state)
{
    struct world *world = *state;
    struct asking ask;
    double start_values[3] = {0.1, 0.2, 0.3};
    struct vector thetas[8] = {{0}, {.v = start_values, .n = 3, .capacity = 3}};
    ask_roster(&ask, world, MODEL);
    ask_start(&ask, world, 1, 1, all_open, thetas);
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "theta");
    ask_start(&ask, world, 1, 1, all_open, no_thetas);
    ask_sign(&ask, world, world->researcher);
    ask_masked(&ask, world, 0);
    ask_clear(&ask);
}

static void attempts_only_take_away(void **state)
{
    struct world *world = *state;
    struct asking ask;
    static const bool one[8] = {true, false};
    ask_roster(&ask, world, COUNTS);
    ask_start(&ask, world, 1, 2, one, no_thetas);
    ask.header.n_members = 5;
    ask_sign(&ask, world, world->researcher);
    struct letter second = ask.start_letter;
    ask_masked(&ask, world, 0);
    ask_start(&ask, world, 1, 1, one, no_thetas); /* back */
    ask.header.n_members = 5;
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "order");
    ask_start(&ask, world, 1, 2, one, no_thetas); /* the same attempt with another header */
    ask.header.n_members = 4;
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "order");
    ask_start(&ask, world, 1, 3, one, no_thetas); /* nobody and nothing left out: θ alone could differ */
    ask.header.n_members = 5;
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "attempt");
    ask_start(&ask, world, 1, 3, all_open, no_thetas); /* an analysis that had left */
    ask.header.n_members = 5;
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "analyses");
    ask_start(&ask, world, 1, 3, one, no_thetas); /* a site that was lost */
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "members");
    assert_ok(world_say(world, 0, second), &world->error); /* the last one is answered again */
    struct envelope envelope;
    assert_true(same_letter(world_answer(world, 0, MESSAGE_MASKED, &envelope), ask.answers[0]));
    ask_clear(&ask);
}

/* From round 2 the members are frozen, and each header names the one before. */
static void later_rounds_hang_together(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct study_run run;
    bool open[2] = {true, true};
    struct vector thetas[2] = {{0}};
    ask_roster(&ask, world, MODEL);
    assert_ok(study_run_init(&run, ask.study, &world->error), &world->error);
    ask_start(&ask, world, 1, 1, open, thetas);
    ask_sign(&ask, world, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_masked(&ask, world, s);
    struct letter round_one = ask.start_letter;
    uint8_t *sum = ask_sum(&ask, world);
    study_run_step(&run, &ask.plan, sum, WORLD_SITES);
    free(sum);
    open[0] = run.states[0].status == ANALYSIS_OPEN;
    thetas[1] = run.states[1].iteration.theta;
    assert_false(open[0]);
    ask_start(&ask, world, 1, 2, open, no_thetas); /* the revealed round again */
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "order");
    ask_start(&ask, world, 3, 1, open, thetas);
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "order");
    ask_start(&ask, world, 2, 1, open, thetas);
    ask.header.previous_hash.b[5] ^= 1;
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "previous");
    ask_start(&ask, world, 2, 1, open, thetas);
    ask.header.n_members = 5;
    ask_sign(&ask, world, world->researcher);
    dropped(world, 0, ask.start_letter, MAILLE_PROTOCOL, "members");
    ask_start(&ask, world, 2, 1, open, thetas);
    ask_sign(&ask, world, world->researcher);
    assert_int_equal(ask.start.n_keys, 0); /* K_θ is known since round 1 */
    ask_masked(&ask, world, 0);
    dropped(world, 0, round_one, MAILLE_PROTOCOL, "order");
    study_run_clear(&run);
    ask_clear(&ask);
}

/* --- pull and close --- */

static void round_masked(struct asking *ask, struct world *world)
{
    ask_roster(ask, world, COUNTS);
    ask_start(ask, world, 1, 1, all_open, no_thetas);
    ask_sign(ask, world, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_masked(ask, world, s);
}

static struct letter pull_letter(struct world *world, const struct asking *ask, uint32_t source,
                                 uint64_t first, uint32_t count, bool other)
{
    struct bytes body = {0};
    struct message_pull pull = {.psi = ask->psi, .source = source, .first = first, .count = count};
    memcpy(pull.qid, ask->manifest.qid, QID_BYTES);
    pull.psi.b[0] ^= other;
    assert_ok(message_pull_encode(&body, &pull, &world->error), &world->error);
    return world_letter(world, MESSAGE_PULL, world->coordinator, &body);
}

static void pulls_stay_inside_the_vector(void **state)
{
    struct world *world = *state;
    struct asking ask;
    round_masked(&ask, world);
    dropped(world, 0, pull_letter(world, &ask, 1, 0, 2, false), MAILLE_PROTOCOL, "pull");
    dropped(world, 0, pull_letter(world, &ask, 1, 1, 1, false), MAILLE_PROTOCOL, "pull");
    dropped(world, 0, pull_letter(world, &ask, 1, 1 << 20, 16, false), MAILLE_PROTOCOL, "pull");
    dropped(world, 0, pull_letter(world, &ask, 1, UINT64_MAX, 1, false), MAILLE_PROTOCOL, NULL);
    dropped(world, 0, pull_letter(world, &ask, 2, 0, 1, false), MAILLE_PROTOCOL, "pull");
    dropped(world, 0, pull_letter(world, &ask, 1, 0, 1, true), MAILLE_PROTOCOL, "psi");
    assert_ok(world_say(world, 0, pull_letter(world, &ask, 1, 0, 1, false)), &world->error);
    assert_int_equal(world->out.messages[0].frame.length, ask.plan.bytes);
    assert_memory_equal(world->out.messages[0].frame.data, ask.answers[0].frame, ask.plan.bytes);
    ask_clear(&ask);
}

/* A masked message of site `of`, signed by `signer`, with a change. */
static struct letter changed_masked(struct world *world, const struct asking *ask, int of,
                                    const struct secret_keys *signer, void (*change)(struct message_masked *))
{
    struct message_masked *masked = arena_alloc(world->arena, sizeof *masked);
    struct bytes body = {0};
    *masked = ask->masked[of];
    change(masked);
    assert_ok(message_masked_encode(&body, masked, &world->error), &world->error);
    return world_letter(world, MESSAGE_MASKED, signer, &body);
}

static void other_tag(struct message_masked *m)
{
    m->share.tags[2].tag[0] ^= 1;
}
static void other_psi(struct message_masked *m)
{
    m->psi.b[0] ^= 1;
}
static void longer(struct message_masked *m)
{
    m->share.length += 16;
}
static void tag_missing(struct message_masked *m)
{
    m->share.n_tags--;
}
static void unchanged(struct message_masked *m)
{
    (void)m;
}
static void other_vector(struct message_masked *m)
{
    m->share.vector.b[0] ^= 1;
}

static void closes_are_checked(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct letter honest[WORLD_SITES], masked[WORLD_SITES];
    struct digest other;
    struct envelope envelope;
    round_masked(&ask, world);
    size_t n = ask_members(&ask, honest);
    other = ask.psi;
    other.b[0] ^= 1;
#define CLOSE(n) close_letter(world, &ask, masked, n, &ask.psi, world->coordinator)
#define HONEST memcpy(masked, honest, sizeof masked)
    HONEST;
    dropped(world, 0, close_letter(world, &ask, masked, n, &ask.psi, world->researcher), MAILLE_SIGNATURE,
            "signature");
    dropped(world, 0, close_letter(world, &ask, masked, n, &other, world->coordinator), MAILLE_PROTOCOL,
            "psi");
    dropped(world, 0, CLOSE(5), MAILLE_PROTOCOL, "members");
    masked[1] = masked[2];
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "masked_signed");
    HONEST;
    masked[3] =
        changed_masked(world, &ask, 3, world->coordinator, unchanged); /* the coordinator signs for a site */
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "masked_signed");
    masked[3] = changed_masked(world, &ask, 3, world->sites[3], other_psi);
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "psi");
    HONEST;
    world->head =
        (struct message_head){.size = 9, .root = {{1}}}; /* of another log than the one of the roster */
    assert_fails(world_say(world, 0, CLOSE(n)), MAILLE_PROTOCOL, &world->error, "");
    assert_string_equal(world->error.rule, "log_head");
    world_answer(world, 0, MESSAGE_LOG_HEAD, &envelope); /* it asks for what leads to that head */
    world->head = (struct message_head){0};
    masked[3] = changed_masked(world, &ask, 3, world->sites[3], longer);
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "length");
    masked[3] = changed_masked(world, &ask, 3, world->sites[3], tag_missing);
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "tags");
    masked[3] = changed_masked(world, &ask, 3, world->sites[3], other_tag);
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "tags");
    HONEST;
    masked[0] = changed_masked(world, &ask, 0, world->sites[0],
                               other_vector); /* not what it sent, whoever signed it */
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "own_masked");
    HONEST;
    masked[4] = ask.ready[4];
    dropped(world, 0, CLOSE(n), MAILLE_PROTOCOL, "masked_signed");
    HONEST;
    assert_ok(world_say(world, 0, CLOSE(n)), &world->error);
    world_answer(world, 0, MESSAGE_REVEAL, &envelope);
#undef CLOSE
#undef HONEST
    ask_clear(&ask);
}

/* One ψ per (query, round), for ever: after a reveal no other attempt of that round is started or closed,
 * also not after a restart. */
static void one_reveal_for_a_round(void **state)
{
    struct world *world = *state;
    struct asking first, second;
    struct letter letters[WORLD_SITES] = {{0}};
    struct envelope envelope;
    round_masked(&first, world);
    second = first;
    second.plan = (struct round_plan){0};
    size_t n = ask_members(&first, letters);
    struct letter close_one = close_letter(world, &first, letters, n, &first.psi, world->coordinator);
    assert_ok(world_say(world, 0, close_one), &world->error);
    struct letter reveal = world_answer(world, 0, MESSAGE_REVEAL, &envelope);
    /* The others go on to a second attempt as if site 1 had not revealed. */
    static const bool one_open[8] = {true, false};
    ask_start(&second, world, 1, 2, one_open, no_thetas);
    ask_sign(&second, world, world->researcher);
    for (int restart = 0; restart < 2; restart++) {
        dropped(world, 0, second.start_letter, MAILLE_PROTOCOL, "order");
        for (int s = 1; s < WORLD_SITES; s++)
            ask_masked(&second, world, s);
        struct letter close_two =
            close_letter(world, &second, second.answers, n, &second.psi, world->coordinator);
        dropped(world, 0, close_two, MAILLE_PROTOCOL, "revealed");
        assert_ok(world_say(world, 0, close_one), &world->error);
        assert_true(same_letter(reveal, world_answer(world, 0, MESSAGE_REVEAL, &envelope)));
        world_restart(world, 0);
    }
    ask_clear(&first);
    ask_clear(&second);
}

/* A site that refused an attempt has nothing to reveal for it. */
static void a_refused_attempt_is_not_closed(void **state)
{
    struct world *world = *state;
    struct asking ask;
    struct letter letters[WORLD_SITES] = {{0}};
    ask_roster(&ask, world, COUNTS);
    ask_start(&ask, world, 1, 1, all_open, no_thetas);
    ask.header.layout_hash.b[0] ^= 1;
    ask_sign(&ask, world, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++) {
        struct envelope envelope;
        assert_ok(world_say(world, s, ask.start_letter), &world->error);
        letters[s] = world_answer(world, s, MESSAGE_REFUSE, &envelope);
    }
    dropped(world, 0, close_letter(world, &ask, letters, WORLD_SITES, &ask.psi, world->coordinator),
            MAILLE_PROTOCOL, "own_masked");
    dropped(world, 0, pull_letter(world, &ask, 1, 0, 1, false), MAILLE_PROTOCOL, "psi");
    ask_clear(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_dropped_by_rule),
        cmocka_unit_test(plans_are_refused_by_rule),
        cmocka_unit_test(theta_is_empty_in_round_one),
        cmocka_unit_test(attempts_only_take_away),
        cmocka_unit_test(later_rounds_hang_together),
        cmocka_unit_test(pulls_stay_inside_the_vector),
        cmocka_unit_test(closes_are_checked),
        cmocka_unit_test(one_reveal_for_a_round),
        cmocka_unit_test(a_refused_attempt_is_not_closed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
