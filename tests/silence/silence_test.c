/* The rule of silence: everything that a site sends is a function of public things, of decisions of people,
 * of its operator's state, of fresh randomness, and of what all vaults derive alike from totals that were
 * opened to them.
 *
 * Real vaults. The main class: the same patients, dealt to the sites in another way, so that all pooled
 * totals are the same bit for bit. Kinds, sizes, order and rules of everything that leaves every site must be
 * equal, to the end of each query. What is random or hashed is compared by its length. Drivers: honest
 * studies one after the other, differences by a few patients, an abandoned reservation, a roster without a
 * site. */
#include "proto/open.h"
#include "tests/protocol/sites.h"

enum { SITES_ASKED = 6, TRANSCRIPT_MAX = 4096, DEALS = 4 };

/* One message as it looks from outside. */
struct seen {
    size_t step, site;
    enum message_kind kind;
    size_t envelope, frame;
    char rule[MAILLE_RULE_MAX];
};
struct transcript {
    struct seen list[TRANSCRIPT_MAX];
    size_t n;
};

/* What a message says in clear of why. */
static void take_rule(struct seen *seen, const struct message_outgoing *out)
{
    struct arena *arena = arena_new();
    struct message in;
    assert_int_equal(message_open(&in, arena, out->envelope.data, out->envelope.length, NULL, 0, NULL),
                     MAILLE_OK);
    assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
    if (out->kind == MESSAGE_CANCEL)
        snprintf(seen->rule, sizeof seen->rule, "%s", in.body.cancel.rule);
    else if (out->kind == MESSAGE_READY)
        snprintf(seen->rule, sizeof seen->rule, "%d %s %zu", (int)in.body.ready.state, in.body.ready.rule,
                 in.body.ready.n_findings);
    else if (out->kind == MESSAGE_REFUSE)
        snprintf(seen->rule, sizeof seen->rule, "%s", in.body.refuse.findings[0].rule);
    else if (out->kind == MESSAGE_ACCEPT)
        snprintf(seen->rule, sizeof seen->rule, "%zu", in.body.accept.n_ledger);
    arena_free(arena);
}

static void note(struct transcript *transcript, const struct world *world, size_t step)
{
    for (size_t i = 0; i < world->n_asked; i++)
        for (size_t m = 0; m < world->sites[i].outbox.n; m++) {
            const struct message_outgoing *out = &world->sites[i].outbox.messages[m];
            assert_true(transcript->n < TRANSCRIPT_MAX);
            struct seen *seen = &transcript->list[transcript->n++];
            *seen = (struct seen){.step = step,
                                  .site = i,
                                  .kind = out->kind,
                                  .envelope = out->envelope.length,
                                  .frame = out->frame.length};
            take_rule(seen, out);
        }
}

static void end_query(struct world *world)
{
    struct bytes body = {0};
    struct message_end end;
    memcpy(end.qid, world->qid, QID_BYTES);
    assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    for (size_t i = 0; i < world->n_asked; i++)
        assert_int_equal(site_hear(world, i, MESSAGE_END, world->alice, &body, NULL, NULL), MAILLE_OK);
    bytes_clear(&body);
}

static void to_the_end(struct world *world)
{
    sites_to_roster(world);
    for (uint32_t round = 1; study_run_open(&world->run); round++) {
        assert_true(round <= 30);
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
}

/* A roster of five of six. */
static void without_one(struct world *world)
{
    struct bytes body = {0};
    world->n = SITES_ASKED - 1;
    sites_to_ready(world);
    sites_to_accept(world);
    sites_roster(&body, world, world->accepts);
    for (size_t i = 0; i < world->n; i++)
        assert_int_equal(site_hear(world, i, MESSAGE_ROSTER, world->coordinator, &body, NULL, NULL),
                         MAILLE_OK);
    world->n = SITES_ASKED;
    bytes_clear(&body);
}

static void abandoned(struct world *world)
{
    sites_to_ready(world);
    sites_to_accept(world);
}

/* What a researcher who means harm asks, and one who does not. */
static const struct {
    const char *analyses;
    void (*drive)(struct world *world);
} steps[] = {
    {"  - { id: x, method: count }\n", to_the_end},
    {"  - { id: x, method: count, cohort: \"age < 88\" }\n", to_the_end}, /* three patients less */
    {"  - { id: x, method: count, cohort: \"nodes < 20\" }\n", abandoned},
    {"  - { id: x, method: count, cohort: \"!(age == 90)\" }\n", to_the_end},
    {"  - { id: x, method: count, cohort: \"age != 90\" }\n", without_one},
    {"  - { id: t, method: count, by: [chemo] }\n"
     "  - { id: m, method: glm, family: binomial, formula: \"death ~ age + chemo\" }\n",
     to_the_end},
    {"  - { id: o, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n", to_the_end},
};

static void play(struct transcript *transcript, const char *policy, uint64_t deal)
{
    struct sites_options options = {.n = SITES_ASKED, .study = steps[0].analyses, .deal = deal};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = policy;
    struct world *world = sites_up_with(&options);
    transcript->n = 0;
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        if (s > 0)
            sites_next(world, steps[s].analyses);
        steps[s].drive(world);
        note(transcript, world, s);
        if (steps[s].drive != without_one)
            end_query(world);
    }
    void *down = world;
    sites_down(&down);
}

static void compare(const struct transcript *a, const struct transcript *b, uint64_t deal)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const struct seen *x = &a->list[i], *y = &b->list[i];
        if (x->step != y->step || x->site != y->site || x->kind != y->kind || x->envelope != y->envelope ||
            x->frame != y->frame || strcmp(x->rule, y->rule) != 0)
            fail_msg("deal %llu, question %zu: site %zu said %s of %zu and %zu bytes (%s), then site %zu %s "
                     "of %zu and "
                     "%zu (%s)",
                     (unsigned long long)deal, x->step + 1, x->site + 1,
                     message_rule((uint32_t)x->kind)->name, x->envelope, x->frame, x->rule, y->site + 1,
                     message_rule((uint32_t)y->kind)->name, y->envelope, y->frame, y->rule);
    }
    assert_int_equal(a->n, b->n);
}

/* MAILLE_SILENCE_DEALS: how many; 4 by default, thousands by hand. */
static void the_same_patients_dealt_otherwise(void **state)
{
    (void)state;
    const char *many = getenv("MAILLE_SILENCE_DEALS");
    const uint64_t deals = many != NULL ? strtoull(many, NULL, 10) : DEALS;
    struct transcript *first = calloc(1, sizeof *first), *other = calloc(1, sizeof *other);
    assert_non_null(first);
    assert_non_null(other);
    play(first, "policy: strict\n", 0);
    assert_true(first->n > 200);
    for (uint64_t deal = 1; deal <= deals; deal++) {
        play(other, "policy: strict\n", deal);
        compare(first, other, deal);
    }
    free(first);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_patients_dealt_otherwise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
