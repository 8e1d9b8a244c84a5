/* Sums that real sites open for themselves: what they pool is what is there, one lie of anybody's gives
 * nobody a total, and nothing but results reaches the researcher. */
#include "crypto/circle.h"
#include "tests/protocol/sites.h"

#include "audit/log.h"
#include "base/test.h"
#include "disclosure/rule.h"
#include "tests/federation/federation.h"

static int none_up(void **state)
{
    *state = NULL;
    return 0;
}

/* Each site starts again: what is not on disk is gone. */
static void restart_all(struct world *world)
{
    for (size_t i = 0; i < world->n; i++) {
        site_close(world, i);
        site_open(world, i);
    }
}

static void run_to_the_end(struct world *world, bool restarts)
{
    sites_to_roster(world);
    for (uint32_t round = 1; study_run_open(&world->run); round++) {
        assert_true(round <= 20);
        sites_to_masked(world, round, 1);
        if (restarts)
            restart_all(world);
        sites_finish_round(world);
        if (restarts)
            restart_all(world);
    }
}

/* The plan of the same patients, worked out over plain numbers. */
static void plain_plan(struct plan *plan, struct world *world, const struct study *study)
{
    struct columns *table = NULL, *parts[SITES_MAX];
    const struct dictionary *dictionary;
    const struct policy *strictest;
    const char *texts[SITES_MAX];
    size_t lengths[SITES_MAX];
    struct maille_error error = {0};
    for (size_t i = 0; i < world->n; i++) {
        texts[i] = world->sites[i].policy;
        lengths[i] = strlen(texts[i]);
    }
    if (policy_strictest(&strictest, world->arena, texts, lengths, world->n, &error) != MAILLE_OK ||
        federation_data(&dictionary, &table, world->arena, "rotterdam", &error) != MAILLE_OK ||
        federation_split(parts, world->n_asked, table, 7, &error) != MAILLE_OK ||
        federation_thresholds(plan, study, parts, world->n, strictest, NULL, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t i = 0; i < world->n_asked; i++)
        columns_free(parts[i]);
    columns_free(table);
}

/* --- the honest run, in networks of every size --- */

#define YOUNGEST "  - { id: few, method: count, cohort: \"age < 27\" }\n"

static void every_network_ends_with_what_its_plan_lets_pass(void **state)
{
    (void)state;
    for (size_t n = 3; n <= SITES_MAX; n++) {
        struct world *world = sites_up_with(&(struct sites_options){
            .n = n,
            .study = "  - { id: patients, method: count, by: [chemo] }\n" YOUNGEST
                     "  - { id: logit, method: glm, family: binomial, formula: \"death ~ age\" }\n"
                     "  - { id: cox, method: cox, formula: \"Surv(dtime, death) ~ chemo\" }\n"});
        void *down = world;
        struct plan plan = {0};
        run_to_the_end(world, n == 4);
        plain_plan(&plan, world, world->study);
        for (size_t k = 0; k < world->study->n_analyses; k++) {
            const struct analysis_state *came = &world->run.states[k];
            assert_string_equal(came->rule, plan.analyses[k].rule);
            assert_int_equal(came->status, plan.analyses[k].rule[0] != '\0' ? ANALYSIS_REFUSED : ANALYSIS_OK);
        }
        assert_int_equal(world->run.states[0].outcome.n, 2982);
        assert_int_equal(world->run.states[1].status, ANALYSIS_REFUSED);
        assert_int_equal(world->run.states[3].status, ANALYSIS_OK);
        plan_clear(&plan);
        sites_down(&down);
    }
}

#define YOUNG "  - { id: young, method: km, cohort: \"age < 33\", formula: \"Surv(dtime, death) ~ 1\" }\n"
#define EVERYBODY "  - { id: all, method: count }\n"

/* 76 patients are under 33: 2 to 36 at each of six sites. Judged alone most sites would refuse (min_patients
 * 30); together they are enough. Where no cell may be pooled, each site judges its own. */
static void what_passes_pooled_fails_alone(void **state)
{
    (void)state;
    static const char *const policies[] = {"policy: standard\n", "policy: standard\ncell_rule: local\n"};
    for (size_t local = 0; local < 2; local++) {
        struct sites_options options = {.n = 6, .study = YOUNG EVERYBODY};
        for (size_t i = 0; i < options.n; i++)
            options.policies[i] = policies[local];
        struct world *world = sites_up_with(&options);
        void *down = world;
        run_to_the_end(world, false);
        assert_int_equal(world->run.states[1].status, ANALYSIS_OK);
        assert_int_equal(world->run.states[0].status, local ? ANALYSIS_REFUSED : ANALYSIS_OK);
        if (local)
            assert_string_equal(world->run.states[0].rule, "few"); /* of its cells, or of its events */
        sites_down(&down);
    }
}

/* The strictest policy of the roster holds for all; where no policy asks for head counts, values begin at
 * once. */
static void the_strictest_policy_holds(void **state)
{
    (void)state;
    static const struct {
        const char *policies[3];
        enum query_mode mode;
        const char *rule;
    } cases[] = {
        {{"policy: open\n", "policy: open\n", "policy: open\n"}, MODE_AGENT, NULL},
        {{"policy: open\n", "policy: open\nmin_patients: 2\n", "policy: open\n"}, MODE_CIRCLE, NULL},
        {{"policy: open\n", "policy: open\n", "policy: open\nmin_patients: 5000\n"}, MODE_CIRCLE, "few"},
        {{"policy: open\nmax_site_share: 0.5\n", "policy: open\n", "policy: open\n"},
         MODE_CIRCLE,
         "few"}, /* alpha has 58 % */
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct sites_options options = {.n = 3};
        memcpy(options.policies, cases[c].policies, sizeof cases[c].policies);
        struct world *world = sites_up_with(&options);
        void *down = world;
        run_to_the_end(world, false);
        assert_int_equal(world->mode, cases[c].mode);
        assert_int_equal(world->run.states[1].status, cases[c].rule != NULL ? ANALYSIS_REFUSED : ANALYSIS_OK);
        if (cases[c].rule != NULL)
            assert_string_equal(world->run.states[1].rule, cases[c].rule);
        sites_down(&down);
    }
}

/* --- the log --- */

struct passed {
    bool rules[64];
    size_t n_refused;
};

static void take_rules(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct passed *passed = context;
    (void)sequence;
    (void)utc_ms;
    for (size_t i = 0; i < entry->n_rules; i++) {
        const struct rule *rule = rule_find(entry->rules[i].rule);
        assert_non_null(rule);
        assert_true(entry->rules[i].value[0] != '\0');
        passed->rules[rule - rule_rows] =
            passed->rules[rule - rule_rows] || strcmp(entry->rules[i].result, "passed") == 0;
        passed->n_refused += strcmp(entry->rules[i].result, "refused") == 0;
    }
}

#define OF_EVERY_RULE                                                                                        \
    "  - { id: mean, method: describe, variables: [age] }\n"                                                 \
    "  - { id: middle, method: quantile, variable: age, probs: [0.5] }\n"                                    \
    "  - { id: curve, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n"                               \
    "  - { id: logit, method: glm, family: binomial, formula: \"death ~ age\" }\n"

/* A rule that a policy turns on is in the log of every site, whether it is looked at with the question, with
 * the roster, with the head counts or in a round of values. */
static void every_rule_is_in_the_log(void **state)
{
    (void)state;
    struct sites_options options = {.n = 5, .study = OF_EVERY_RULE};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] =
            "policy: standard\nown_totals: shielded\nfine_predicates: refuse\nunanimous: hide\n"
            "round_counts: 5\n";
    struct world *world = sites_up_with(&options);
    void *down = world;
    struct maille_error error = {0};
    run_to_the_end(world, false);
    for (size_t i = 0; i < world->n; i++) {
        struct passed passed = {0};
        site_close(world, i);
        assert_ok(audit_read(arena_printf(world->arena, "%s/log", world->sites[i].folder), take_rules,
                             &passed, &error),
                  &error);
        assert_int_equal(passed.n_refused, 0);
        for (size_t r = 0; r < rule_n_rows; r++)
            if (rule_rows[r].value != NULL && strcmp(rule_rows[r].code, "public") != 0 && !passed.rules[r])
                fail_msg("the log of %s does not say that %s was passed", world->sites[i].folder,
                         rule_rows[r].code);
    }
    sites_down(&down);
}

/* --- sites that are lost --- */

/* Six become five in the first round, and no fewer: so few sites' sums are nearly a site's own. */
static void five_of_six_go_on_and_four_do_not(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 6});
    void *down = world;
    struct bytes theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    world->n = 4;
    const struct message_round_header four = sites_header(world, &theta, 1, 2);
    assert_int_equal(site_start(world, 0, &four, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "n_min");
    world->n = 5;
    for (uint32_t round = 1; study_run_open(&world->run); round++) {
        sites_to_masked(world, round, round == 1 ? 2 : 1);
        sites_finish_round(world);
    }
    for (size_t k = 0; k < world->study->n_analyses; k++)
        assert_int_equal(world->run.states[k].status, ANALYSIS_OK);
    assert_true(world->run.states[0].outcome.n < 2982);
    bytes_clear(&theta);
    sites_down(&down);
}

/* Four sites of a large network, or three of four: not asked. A question that says otherwise is refused. */
static void so_few_are_not_asked(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct envelope envelope;
    struct message_ready ready;
    struct message_manifest manifest = sites_manifest(world);
    manifest.n_sites = manifest.n_min = 4;
    assert_int_equal(site_ask(world, 0, &manifest, NULL), MAILLE_OK);
    const struct message_outgoing *said = site_said(world, 0, MESSAGE_READY);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_int_equal(ready.state, READY_REFUSED);
    assert_string_equal(ready.rule, "n_min");
    /* Nor with the sums for the researcher. */
    crypto_random_bytes(world->qid, sizeof world->qid);
    manifest = sites_manifest(world);
    manifest.mode = MODE_AGENT;
    assert_int_equal(site_ask(world, 0, &manifest, NULL), MAILLE_OK);
    said = site_said(world, 0, MESSAGE_READY);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_int_equal(ready.state, READY_REFUSED);
    assert_string_equal(ready.rule, "mode");
    sites_down(&down);
}

/* Between the two rounds the roster is frozen: a site that was away goes on from its disk, and nobody goes on
 * without it. */
static void between_the_rounds_everybody_is_waited_for(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct bytes theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_finish_round(world);
    site_close(world, 4);
    world->n = 4;
    const struct message_round_header header = sites_header(world, &theta, 2, 1);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "members");
    world->n = 5;
    site_open(world, 4);
    for (uint32_t round = 2; study_run_open(&world->run); round++) {
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    bytes_clear(&theta);
    sites_down(&down);
}

/* --- a coordinator that lies in custody --- */

static void custody_of(struct bytes *body, struct world *world, const struct digest *psi,
                       const struct bytes *const *reveals, size_t n)
{
    struct byte_view views[SITES_MAX];
    struct message_custody custody = {.psi = *psi, .n = n, .reveals = views};
    for (size_t i = 0; i < n; i++)
        views[i] = (struct byte_view){reveals[i]->data, reveals[i]->length};
    memcpy(custody.qid, world->qid, QID_BYTES);
    body->length = 0;
    assert_int_equal(message_custody_encode(body, &custody, NULL), MAILLE_OK);
}

static void dropped(struct world *world, size_t i, const struct bytes *body, const struct bytes *frame,
                    const char *rule)
{
    struct maille_error error = {0};
    enum maille_code code = site_custody(world, i, body, frame, &error);
    if (code != MAILLE_PROTOCOL || (rule != NULL && strcmp(error.rule, rule) != 0))
        fail_msg("expected the rule %s, found %s: %s", rule, error.rule, error.sentence);
    assert_null(site_said(world, i, MESSAGE_TAKEN));
    assert_null(site_said(world, i, MESSAGE_CANCEL));
}

static void nothing_altered_in_custody_is_believed(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct bytes body = {0}, frame = {0}, bad = {0}, other = {0};
    struct maille_error error = {0};
    const struct bytes *reveals[SITES_MAX];
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_to_revealed(world);
    sites_make_custody(&body, &frame, world);
    for (size_t i = 0; i < world->n; i++)
        reveals[i] = &world->reveals[i];
    for (size_t i = 0; i < world->n; i++) { /* every site finds it, whoever's vector it is */
        for (size_t j = 0; j < world->n; j++) {
            frame.data[j * world->length + 8] ^= 1;
            dropped(world, i, &body, &frame, "vector");
            frame.data[j * world->length + 8] ^= 1;
        }
    }
    /* Two vectors in each other's places: the same sum. */
    assert_int_equal(bytes_copy(&other, frame.data, frame.length), MAILLE_OK);
    memcpy(other.data, frame.data + world->length, world->length);
    memcpy(other.data + world->length, frame.data, world->length);
    dropped(world, 0, &body, &other, "vector");
    other.length -= 8;
    dropped(world, 0, &body, &other, "length");
    dropped(world, 0, &body, NULL, "length");
    custody_of(&bad, world, &world->psi, reveals, world->n - 1);
    dropped(world, 0, &bad, &frame, "members");
    reveals[0] = &world->reveals[1];
    custody_of(&bad, world, &world->psi, reveals, world->n);
    dropped(world, 0, &bad, &frame, "reveal_signed");
    struct bytes forged = {0};
    assert_int_equal(bytes_copy(&forged, world->reveals[0].data, world->reveals[0].length), MAILLE_OK);
    forged.data[forged.length / 2] ^= 1;
    reveals[0] = &forged;
    custody_of(&bad, world, &world->psi, reveals, world->n);
    dropped(world, 0, &bad, &frame, NULL);
    custody_of(&bad, world, &world->previous, reveals, world->n);
    dropped(world, 0, &bad, &frame, "psi");
    /* What is right is taken, once; again it gets the same bytes, also after a restart. */
    assert_int_equal(site_custody(world, 0, &body, &frame, &error), MAILLE_OK);
    const struct message_outgoing *taken = site_said(world, 0, MESSAGE_TAKEN);
    assert_int_equal(bytes_copy(&other, taken->envelope.data, taken->envelope.length), MAILLE_OK);
    site_close(world, 0);
    site_open(world, 0);
    assert_int_equal(site_custody(world, 0, &body, &frame, &error), MAILLE_OK);
    taken = site_said(world, 0, MESSAGE_TAKEN);
    assert_int_equal(taken->envelope.length, other.length);
    assert_memory_equal(taken->envelope.data, other.data, other.length);
    bytes_clear(&body);
    bytes_clear(&frame);
    bytes_clear(&bad);
    bytes_clear(&other);
    bytes_clear(&forged);
    sites_down(&down);
}

/* Before the reveal there is nothing to take, and what belonged to the first round is not taken in the
 * second. */
static void custody_has_its_time(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct bytes body = {0}, frame = {0}, theta = {0}, agreed = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_to_revealed(world);
    sites_make_custody(&body, &frame, world);
    /* Nor does the second round begin before. */
    world->previous = world->psi;
    const struct message_round_header early = sites_header(world, &theta, 2, 1);
    const struct digest psi = world->psi;
    assert_int_equal(site_start(world, 0, &early, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "custody");
    world->psi = psi;
    for (size_t i = 0; i < world->n; i++) {
        assert_int_equal(site_custody(world, i, &body, &frame, &error), MAILLE_OK);
        const struct message_outgoing *taken = site_said(world, i, MESSAGE_TAKEN);
        assert_int_equal(bytes_copy(&world->taken[i], taken->envelope.data, taken->envelope.length),
                         MAILLE_OK);
    }
    /* Nor before all agree. */
    assert_int_equal(site_start(world, 0, &early, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "agreed");
    world->psi = psi;
    sites_make_agreed(&agreed, world);
    for (size_t i = 0; i < world->n; i++)
        assert_int_equal(site_agreed(world, i, &agreed, &error), MAILLE_OK);
    sites_to_masked(world, 2, 1);
    assert_int_equal(site_custody(world, 0, &body, &frame, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "state");
    sites_to_revealed(world);
    assert_int_equal(site_custody(world, 0, &body, &frame, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "psi");
    bytes_clear(&agreed);
    bytes_clear(&body);
    bytes_clear(&frame);
    bytes_clear(&theta);
    sites_down(&down);
}

/* --- a site that lies --- */

/* The reveal of a site, changed and signed by it again. */
static void reveal_again(struct world *world, size_t i,
                         void (*change)(struct message_reveal *reveal, struct world *world))
{
    struct envelope envelope;
    struct message_reveal reveal;
    struct bytes body = {0};
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->reveals[i].data, world->reveals[i].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_reveal_decode(&reveal, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    change(&reveal, world);
    assert_int_equal(message_reveal_encode(&body, &reveal, NULL), MAILLE_OK);
    world->reveals[i].length = 0;
    assert_int_equal(envelope_encode(&world->reveals[i], MESSAGE_REVEAL, world->sites[i].keys,
                                     secret_keys_name(world->sites[i].keys), &body, NULL),
                     MAILLE_OK);
    bytes_clear(&body);
}

static void another_mask(struct message_reveal *reveal, struct world *world)
{
    struct message_sealed_key *keys = (struct message_sealed_key *)(uintptr_t)reveal->keys;
    struct envelope envelope;
    struct message_accept accept;
    struct bytes sealed = {0};
    static const uint8_t mask[HASH_BYTES] = {7};
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->accepts[0].data, world->accepts[0].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_accept_decode(&accept, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_int_equal(seal_to(&sealed, accept.ek, mask, sizeof mask), MAILLE_OK);
    keys[0].sealed = (struct byte_view){
        (const uint8_t *)arena_strndup(world->arena, (const char *)sealed.data, sealed.length),
        sealed.length};
    bytes_clear(&sealed);
}

static void no_key_for_alpha(struct message_reveal *reveal, struct world *world)
{
    (void)world;
    reveal->keys++;
    reveal->n_keys--;
}

static void a_key_of_another(struct message_reveal *reveal, struct world *world)
{
    (void)world;
    struct message_sealed_key *keys = (struct message_sealed_key *)(uintptr_t)reveal->keys;
    keys[0].sealed = keys[1].sealed;
}

static void another_close(struct message_reveal *reveal, struct world *world)
{
    (void)world;
    reveal->close_hash.b[0] ^= 1;
}

/* A reveal cannot be given twice, so a wrong one ends the query, and says so without a number. */
static void a_wrong_mask_ends_the_query(void **state)
{
    (void)state;
    static void (*const changes[])(struct message_reveal *, struct world *) = {another_mask, no_key_for_alpha,
                                                                               a_key_of_another};
    for (size_t c = 0; c < sizeof changes / sizeof *changes; c++) {
        struct world *world = sites_up_with(&(struct sites_options){.n = 3});
        void *down = world;
        struct bytes body = {0}, frame = {0};
        struct maille_error error = {0};
        struct envelope envelope;
        struct message_cancel cancel;
        sites_to_roster(world);
        sites_to_masked(world, 1, 1);
        sites_to_revealed(world);
        reveal_again(world, 2, changes[c]);
        sites_make_custody(&body, &frame, world);
        assert_int_equal(site_custody(world, 0, &body, &frame, &error), MAILLE_OK);
        const struct message_outgoing *said = site_said(world, 0, MESSAGE_CANCEL);
        assert_non_null(said);
        assert_null(site_said(world, 0, MESSAGE_TAKEN));
        assert_int_equal(
            envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
            MAILLE_OK);
        assert_int_equal(
            message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, NULL),
            MAILLE_OK);
        assert_string_equal(cancel.rule, "custody");
        assert_int_equal(vault_queries(world->sites[0].vault), 0);
        bytes_clear(&body);
        bytes_clear(&frame);
        sites_down(&down);
    }
    struct world *world = sites_up_with(&(struct sites_options){.n = 3});
    void *down = world;
    struct bytes body = {0}, frame = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_to_revealed(world);
    reveal_again(world, 2, another_close);
    sites_make_custody(&body, &frame, world);
    dropped(world, 0, &body, &frame, "close_hash");
    bytes_clear(&body);
    bytes_clear(&frame);
    sites_down(&down);
}

static struct digest lying_close;

static void for_the_lying_close(struct message_reveal *reveal, struct world *world)
{
    (void)world;
    reveal->close_hash = lying_close;
}

/* A vector that its site signed and that is not masked as agreed: the totals are no totals. */
static void masks_that_do_not_cancel_end_the_query(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 3});
    void *down = world;
    struct bytes body = {0}, frame = {0}, bytes = {0};
    struct maille_error error = {0};
    struct envelope envelope;
    struct message_masked *masked = arena_alloc(world->arena, sizeof *masked);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    /* gamma alone sees what it said at first, and reveals its mask. */
    sites_make_close(&body, world);
    assert_int_equal(site_hear(world, 2, MESSAGE_CLOSE, world->coordinator, &body, NULL, &error), MAILLE_OK);
    const struct message_outgoing *said = site_said(world, 2, MESSAGE_REVEAL);
    assert_int_equal(bytes_copy(&world->reveals[2], said->envelope.data, said->envelope.length), MAILLE_OK);
    /* To the others it signs for a vector with 2^62 more in its first count (before it: a veto word). */
    world->vectors[2].data[15] ^= 0x40;
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->masked[2].data, world->masked[2].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_masked_decode(masked, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    hash_vector(&masked->share.vector, world->vectors[2].data, world->vectors[2].length);
    body.length = 0;
    assert_int_equal(message_masked_encode(&body, masked, NULL), MAILLE_OK);
    world->masked[2].length = 0;
    assert_int_equal(
        envelope_encode(&world->masked[2], MESSAGE_MASKED, world->sites[2].keys, "gamma", &body, NULL),
        MAILLE_OK);
    body.length = 0;
    sites_make_close(&body, world);
    assert_int_equal(envelope_encode(&bytes, MESSAGE_CLOSE, world->coordinator, "coordinator", &body, NULL),
                     MAILLE_OK);
    hash_kdf(&lying_close, NULL, "close", bytes.data, bytes.length);
    reveal_again(world, 2, for_the_lying_close);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(site_hear(world, i, MESSAGE_CLOSE, world->coordinator, &body, NULL, &error),
                         MAILLE_OK);
        said = site_said(world, i, MESSAGE_REVEAL);
        assert_int_equal(bytes_copy(&world->reveals[i], said->envelope.data, said->envelope.length),
                         MAILLE_OK);
    }
    sites_make_custody(&body, &frame, world);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(site_custody(world, i, &body, &frame, &error), MAILLE_OK);
        assert_non_null(site_said(world, i, MESSAGE_CANCEL));
        assert_null(site_said(world, i, MESSAGE_TAKEN));
    }
    bytes_clear(&body);
    bytes_clear(&frame);
    bytes_clear(&bytes);
    sites_down(&down);
}

/* --- what the members say that they took --- */

/* A site that came to another state, or says so: nobody goes on, nothing is told, and it is named. */
static void one_that_diverged_ends_the_query(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct bytes body = {0}, frame = {0};
    struct maille_error error = {0};
    struct envelope envelope;
    struct message_taken taken;
    struct message_cancel cancel;
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_to_revealed(world);
    sites_make_custody(&body, &frame, world);
    for (size_t i = 0; i < world->n; i++) {
        assert_int_equal(site_custody(world, i, &body, &frame, &error), MAILLE_OK);
        const struct message_outgoing *said = site_said(world, i, MESSAGE_TAKEN);
        assert_int_equal(bytes_copy(&world->taken[i], said->envelope.data, said->envelope.length), MAILLE_OK);
    }
    /* A list that lacks one, or has one twice, or another's in its place. */
    struct bytes kept = world->taken[3];
    world->taken[3] = world->taken[4];
    sites_make_agreed(&body, world);
    assert_int_equal(site_agreed(world, 0, &body, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "taken_signed");
    world->taken[3] = kept;
    world->n = 4;
    sites_make_agreed(&body, world);
    world->n = 5;
    assert_int_equal(site_agreed(world, 0, &body, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "members");
    /* delta signs another state. */
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->taken[3].data, world->taken[3].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_taken_decode(&taken, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    taken.tag.b[0] ^= 1;
    body.length = 0;
    assert_int_equal(message_taken_encode(&body, &taken, NULL), MAILLE_OK);
    world->taken[3].length = 0;
    assert_int_equal(
        envelope_encode(&world->taken[3], MESSAGE_TAKEN, world->sites[3].keys, "delta", &body, NULL),
        MAILLE_OK);
    sites_make_agreed(&body, world);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(site_agreed(world, i, &body, &error), MAILLE_OK);
        assert_null(site_said(world, i, MESSAGE_RESULT));
        const struct message_outgoing *said = site_said(world, i, MESSAGE_CANCEL);
        assert_non_null(said);
        assert_int_equal(
            envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
            MAILLE_OK);
        assert_int_equal(
            message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, NULL),
            MAILLE_OK);
        assert_string_equal(cancel.rule, "diverged");
        assert_int_equal(vault_queries(world->sites[i].vault), 0);
    }
    bytes_clear(&body);
    bytes_clear(&frame);
    sites_down(&down);
}

/* --- a researcher that wants the totals, or another theta --- */

static void to_the_analyst(struct message_round_header *header)
{
    header->result_to = RESULT_TO_ANALYST;
}
static void with_a_plan(struct message_round_header *header)
{
    header->plan_hash.b[0] ^= 1;
}
static void with_a_layout(struct message_round_header *header)
{
    header->layout_hash.b[0] ^= 1;
}
static void with_a_theta(struct message_round_header *header)
{
    header->theta_hash.b[0] ^= 1;
}

/* A start says who takes part in what. What it says beside is not believed: it is no start. */
static void nothing_else_in_a_start_is_taken(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct message_round_header *header);
        const char *rule;
    } cases[] = {{to_the_analyst, "result_to"},
                 {with_a_plan, "circle"},
                 {with_a_layout, "circle"},
                 {with_a_theta, "circle"}};
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct bytes theta = {0}, none = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    for (uint32_t round = 1; round <= 3; round++) {
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            struct message_round_header header = sites_header(world, &theta, round, 1);
            cases[c].change(&header);
            assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
            assert_string_equal(error.rule, cases[c].rule);
        }
        const struct message_round_header header = sites_header(world, &theta, round, 1);
        bytes_put(&none, "theta", 5); /* a frame */
        assert_int_equal(site_start(world, 0, &header, &none, &error), MAILLE_PROTOCOL);
        assert_string_equal(error.rule, "circle");
        none.length = 0;
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    bytes_clear(&theta);
    bytes_clear(&none);
    sites_down(&down);
}

/* What the plan refused, and what has its result, is not counted again, though the researcher asks for it. */
static void what_is_over_stays_over(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){
        .n = 5,
        .study = EVERYBODY YOUNGEST
        "  - { id: logit, method: glm, family: binomial, formula: \"death ~ age\" }\n"});
    void *down = world;
    struct bytes theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_values(world);
    assert_int_equal(world->run.states[1].status, ANALYSIS_REFUSED);
    assert_string_equal(world->run.states[1].rule, "few");
    world->run.states[1].status = ANALYSIS_OPEN;
    struct message_round_header header = sites_header(world, &theta, 3, 1);
    assert_int_equal(header.n_analyses, 3);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "analyses");
    world->run.states[1].status = ANALYSIS_REFUSED;
    sites_to_masked(world, 3, 1);
    sites_finish_round(world);
    assert_int_equal(world->run.states[0].status, ANALYSIS_OK);
    world->run.states[0].status = ANALYSIS_OPEN;
    header = sites_header(world, &theta, 4, 1);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "analyses");
    bytes_clear(&theta);
    sites_down(&down);
}

static void the_second_round_is_of_the_same_analyses(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    struct bytes theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_finish_round(world);
    study_run_refuse(&world->run, 0, "methods", "");
    const struct message_round_header header = sites_header(world, &theta, 2, 1);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "analyses");
    bytes_clear(&theta);
    sites_down(&down);
}

/* A reveal holds nothing that the researcher can open, and from the second round on nothing that anybody can
 * whose key is not the circle's: no key of the query opens it. */
static void the_researcher_opens_no_mask(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    void *down = world;
    sites_to_roster(world);
    for (uint32_t round = 1; round <= 3; round++) {
        sites_to_masked(world, round, 1);
        sites_to_revealed(world);
        for (size_t i = 0; i < world->n; i++) {
            struct envelope envelope;
            struct message_reveal reveal;
            struct bytes opened = {0};
            assert_int_equal(envelope_decode(&envelope, world->arena, world->reveals[i].data,
                                             world->reveals[i].length, NULL),
                             MAILLE_OK);
            assert_int_equal(
                message_reveal_decode(&reveal, world->arena, envelope.body, envelope.body_length, NULL),
                MAILLE_OK);
            assert_int_equal(reveal.sealed.length, round == 1 ? 0 : CIRCLE_REVEAL_BYTES);
            assert_int_equal(reveal.n_keys, round == 1 ? world->n : 0);
            for (size_t k = 0; k <= reveal.n_keys; k++) {
                const struct byte_view *sealed = k < reveal.n_keys ? &reveal.keys[k].sealed : &reveal.sealed;
                assert_int_not_equal(
                    seal_open(&opened, world->rk, world->rk_secret, sealed->data, sealed->length, NULL),
                    MAILLE_OK);
            }
        }
        sites_finish_round(world);
    }
    sites_down(&down);
}

#define TEST(name) cmocka_unit_test_setup(name, none_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_network_ends_with_what_its_plan_lets_pass),
        TEST(what_passes_pooled_fails_alone),
        TEST(the_strictest_policy_holds),
        TEST(every_rule_is_in_the_log),
        TEST(five_of_six_go_on_and_four_do_not),
        TEST(so_few_are_not_asked),
        TEST(between_the_rounds_everybody_is_waited_for),
        TEST(nothing_altered_in_custody_is_believed),
        TEST(custody_has_its_time),
        TEST(a_wrong_mask_ends_the_query),
        TEST(masks_that_do_not_cancel_end_the_query),
        TEST(one_that_diverged_ends_the_query),
        TEST(nothing_else_in_a_start_is_taken),
        TEST(what_is_over_stays_over),
        TEST(the_second_round_is_of_the_same_analyses),
        TEST(the_researcher_opens_no_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
