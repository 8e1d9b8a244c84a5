/* The rule of silence where somebody means harm: a coordinator that withholds messages or changes what a
 * researcher it is in league with had signed, and a researcher who asks beside what was answered. The same
 * patients dealt otherwise: what leaves every site is the same, message by message (silence_test.c).
 * README.md says which program of the review each of these is. */
#include "tests/silence/script.h"

enum { MINUTES = 60 * 1000 };

/* Signs a start again with another header. */
static void sign_start(const struct play *play, struct flight *flight,
                       void (*change)(struct message_round_header *header, uint32_t members[], size_t n))
{
    struct envelope envelope;
    struct message_start start;
    struct message_round_header changed;
    struct arena *arena = arena_new();
    struct bytes header = {0}, body = {0};
    uint32_t members[PATIENTS_SITES] = {0};
    assert_int_equal(envelope_decode(&envelope, arena, flight->envelope.data, flight->envelope.length, NULL),
                     MAILLE_OK);
    assert_int_equal(message_start_decode(&start, arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_int_equal(
        message_round_header_decode(&changed, arena, start.header.data, start.header.length, NULL),
        MAILLE_OK);
    memcpy(members, changed.members, changed.n_members * sizeof *members);
    change(&changed, members, changed.n_members);
    changed.members = members;
    assert_int_equal(message_round_header_encode(&header, &changed, NULL), MAILLE_OK);
    start.header = (struct byte_view){header.data, header.length};
    assert_int_equal(message_start_encode(&body, &start, NULL), MAILLE_OK);
    flight->envelope.length = 0;
    assert_int_equal(envelope_encode(&flight->envelope, MESSAGE_START, play_keys(play, PLAY_AGENT),
                                     envelope.from, &body, NULL),
                     MAILLE_OK);
    bytes_clear(&header);
    bytes_clear(&body);
    arena_free(arena);
}

static void first_five(struct message_round_header *header, uint32_t members[], size_t n)
{
    (void)members;
    header->n_members = n - 1;
}

static void one_for_another(struct message_round_header *header, uint32_t members[], size_t n)
{
    memmove(members, members + 1, (n - 1) * sizeof *members);
    header->n_members = n - 1;
    header->n_analyses = 1; /* it does leave something out */
    header->attempt = 2;
}

static void all_again(struct message_round_header *header, uint32_t members[], size_t n)
{
    (void)members;
    (void)n;
    header->attempt = 3;
}

/* The first start that reaches a site names five, the second another five, the third all of them. */
static void members_change(const struct play *play, struct flight *flight)
{
    static size_t seen[PLAY_PARTIES];
    if (flight->to == PLAY_COORDINATOR && flight->kind == MESSAGE_MANIFEST)
        memset(seen, 0, sizeof seen);
    if (!to_site(flight, MESSAGE_START))
        return;
    const size_t n = seen[flight->to]++;
    sign_start(play, flight, n == 0 ? first_five : n == 1 ? one_for_another : all_again);
}

/* The question as it is put to four sites of six. */
static void four_named(const struct play *play, struct flight *flight)
{
    struct envelope envelope;
    struct message_manifest manifest;
    struct arena *arena = arena_new();
    struct bytes body = {0};
    if (!to_site(flight, MESSAGE_MANIFEST))
        return;
    assert_int_equal(envelope_decode(&envelope, arena, flight->envelope.data, flight->envelope.length, NULL),
                     MAILLE_OK);
    assert_int_equal(message_manifest_decode(&manifest, arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    manifest.n_sites = manifest.n_min = 4;
    assert_int_equal(message_manifest_encode(&body, &manifest, NULL), MAILLE_OK);
    flight->envelope.length = 0;
    assert_int_equal(envelope_encode(&flight->envelope, MESSAGE_MANIFEST, play_keys(play, PLAY_AGENT),
                                     envelope.from, &body, NULL),
                     MAILLE_OK);
    bytes_clear(&body);
    arena_free(arena);
}

static void four_of_them(struct message_round_header *header, uint32_t members[], size_t n)
{
    (void)members;
    header->n_members = n - 2;
}

static void four_members(const struct play *play, struct flight *flight)
{
    if (to_site(flight, MESSAGE_START))
        sign_start(play, flight, four_of_them);
}

/* One analysis that the site had, and then again with it. */
static void less(struct message_round_header *header, uint32_t members[], size_t n)
{
    (void)members;
    (void)n;
    header->n_analyses = 1;
}

static void analyses_change(const struct play *play, struct flight *flight)
{
    static size_t seen[PLAY_PARTIES];
    if (flight->to == PLAY_COORDINATOR && flight->kind == MESSAGE_MANIFEST)
        memset(seen, 0, sizeof seen);
    if (!to_site(flight, MESSAGE_START))
        return;
    const size_t n = seen[flight->to]++;
    sign_start(play, flight, n == 0 ? less : all_again);
}

#define ANSWERED                                                                                             \
    {                                                                                                        \
        .study = "  - { id: x, method: count, by: [chemo] }\n", .says = { "\"status\": \"ok\"" }             \
    }
#define NEAR "  - { id: x, method: count, cohort: \"age < 82\" }\n"
#define TWO                                                                                                  \
    "  - { id: a, method: count, cohort: \"age < 60\" }\n"                                                   \
    "  - { id: b, method: count, cohort: \"age < 60 && pgr < 900\" }\n"

/* Every message that asks something of a site is kept back, a question later is answered, and what was left
 * to its fate counts for nothing. */
static const struct question abandoned[] = {
    {.study = NEAR,
     .withheld = {MESSAGE_CALL, FROM_ALL},
     .some = MESSAGE_READY,
     .limit_ms = 3 * MINUTES,
     .ends = MAILLE_TIMEOUT},
    {.study = NEAR,
     .withheld = {MESSAGE_ROSTER, FROM_ALL},
     .some = MESSAGE_ACCEPT,
     .ends = MAILLE_UNREACHABLE},
    {.study = NEAR,
     .withheld = {MESSAGE_START, FROM_THE_OTHERS},
     .some = MESSAGE_MASKED,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
    {.study = NEAR,
     .withheld = {MESSAGE_CLOSE, FROM_ALL},
     .some = MESSAGE_MASKED,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
    ANSWERED,
    {.study = NEAR,
     .withheld = {MESSAGE_CUSTODY, FROM_THE_LAST},
     .some = MESSAGE_REVEAL,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
    {.study = NEAR,
     .withheld = {MESSAGE_AGREED, FROM_THE_LAST},
     .some = MESSAGE_TAKEN,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
    {.study = NEAR, .says = {"few"}},
};

/* Fewer sites than were answered before: named so, called so, started so. */
static const struct question counted[] = {
    ANSWERED,
    {.study = NEAR, .without = {"zeta"}, .says = {"few"}},
    {.study = TWO, .without = {"zeta"}},
    {.study = NEAR,
     .withheld = {MESSAGE_CALL, FROM_THE_LAST},
     .some = MESSAGE_ACCEPT,
     .ends = MAILLE_UNREACHABLE},
    {.study = NEAR,
     .withheld = {MESSAGE_START, FROM_THE_LAST},
     .some = MESSAGE_MASKED,
     .ends = MAILLE_UNREACHABLE},
    {.study = NEAR,
     .alter = members_change,
     .some = MESSAGE_MASKED,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
    {.study = NEAR,
     .alter = four_members,
     .some = MESSAGE_ACCEPT,
     .never = MESSAGE_MASKED,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
    {.study = TWO,
     .alter = analyses_change,
     .some = MESSAGE_MASKED,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
};

/* Likewise, where the sites shield their totals. */
static const struct question shielded[] = {
    ANSWERED,
    {.study = NEAR,
     .withheld = {MESSAGE_CALL, FROM_THE_LAST},
     .never = MESSAGE_MASKED,
     .some = MESSAGE_CANCEL,
     .ends = MAILLE_UNREACHABLE},
    {.study = NEAR,
     .alter = members_change,
     .some = MESSAGE_ACCEPT,
     .never = MESSAGE_MASKED,
     .limit_ms = MINUTES,
     .ends = MAILLE_TIMEOUT},
};

static void questions_that_are_left_to_their_fate(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){
        .name = "abandoned", .deals = 1, .questions = abandoned, .n = sizeof abandoned / sizeof *abandoned});
}

static void fewer_sites_than_before(void **state)
{
    (void)state;
    script_compare_deals(&(struct script){.name = "counted",
                                          .deals = 1,
                                          .last_keeps = true,
                                          .questions = counted,
                                          .n = sizeof counted / sizeof *counted});
    script_compare_deals(&(struct script){.name = "shielded",
                                          .deals = 1,
                                          .policy = "policy: standard\nown_totals: shielded\n",
                                          .questions = shielded,
                                          .n = sizeof shielded / sizeof *shielded});
}

/* --- attempts --- */

struct attempts {
    struct digest psi[PLAY_PARTIES];
    size_t n;
};

static void one_psi_a_site(void *context, const struct left *left, const char *name, const uint8_t *data,
                           size_t length)
{
    struct attempts *attempts = context;
    struct digest *psi = &attempts->psi[left->party];
    static const struct digest none;
    if (strcmp(name, "Masked.psi") != 0)
        return;
    assert_int_equal(length, HASH_BYTES);
    if (!digest_equal(psi, &none) && memcmp(psi->b, data, HASH_BYTES) != 0)
        fail_msg("site %zu answers two attempts of one round, and the second leaves nothing out",
                 left->party - PLAY_SITE + 1);
    memcpy(psi->b, data, HASH_BYTES);
    attempts->n++;
}

/* A member that was not in the attempt before, an analysis that had left: no site answers that. */
static void attempts_only_leave_out(void **state)
{
    static const struct question questions[] = {
        {.study = TWO, .alter = members_change, .limit_ms = MINUTES, .ends = MAILLE_TIMEOUT},
        {.study = TWO, .alter = analyses_change, .limit_ms = MINUTES, .ends = MAILLE_TIMEOUT}};
    (void)state;
    for (size_t q = 0; q < sizeof questions / sizeof *questions; q++) {
        struct transcript transcript = {0};
        struct bytes results = {0};
        struct attempts attempts = {0};
        script_run(&transcript, &results,
                   &(struct script){.name = "attempts", .questions = &questions[q], .n = 1}, 0);
        transcript_fields(&transcript, one_psi_a_site, &attempts);
        assert_true(attempts.n >= PATIENTS_SITES - 1);
        transcript_clear(&transcript);
        bytes_clear(&results);
    }
}

/* --- four sites --- */

static void take_refusals(void *context, const struct left *left, const char *name, const uint8_t *data,
                          size_t length)
{
    (void)name;
    (void)data;
    (void)length;
    *(size_t *)context += left->kind == MESSAGE_ACCEPT || left->kind == MESSAGE_MASKED;
}

/* In a network of six, four are asked: nobody accepts, whoever her patients are. */
static void four_named_sites(void **state)
{
    static const struct question four = {.study = NEAR, .alter = four_named, .says = {"\"n_min\""}};
    const struct script script = {.name = "four", .deals = 1, .questions = &four, .n = 1};
    struct transcript transcript = {0};
    struct bytes results = {0};
    size_t n = 0;
    (void)state;
    script_run(&transcript, &results, &script, 0);
    transcript_fields(&transcript, take_refusals, &n);
    assert_int_equal(n, 0);
    transcript_clear(&transcript);
    bytes_clear(&results);
    script_compare_deals(&script);
}

/* --- sizes of results --- */

static void take_size(void *context, const struct left *left, const char *name, const uint8_t *data,
                      size_t length)
{
    enum { PAD_BYTES = 64 * 1024, SEALED = 48, NOTHING = 8 + 15 + 32 + 4 + 32 + 8 };
    (void)data;
    if (left->kind != MESSAGE_RESULT || strcmp(name, "frame") != 0)
        return;
    if (length != NOTHING + SEALED && (length - SEALED) % PAD_BYTES != 0)
        fail_msg("a result of %zu bytes: expected all of one size, or whole 64 KiB of it", length);
    *(size_t *)context += length > PAD_BYTES;
}

/* What ended is shown or hidden: the bytes are as many. */
static void results_have_one_size(void **state)
{
    static const struct question questions[] = {
        {.study = "  - { id: x, method: count, by: [size, grade] }\n"},
        {.study = "  - { id: x, method: count, cohort: \"pgr > 900\", by: [size, grade] }\n"},
        {.study = "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n"
                  "  - { id: m, method: glm, family: binomial, formula: \"recur ~ age + chemo\" }\n"},
    };
    struct transcript transcript = {0};
    struct bytes results = {0};
    size_t n = 0;
    (void)state;
    script_run(&transcript, &results, &(struct script){.name = "sizes", .questions = questions, .n = 3}, 0);
    transcript_fields(&transcript, take_size, &n);
    assert_true(n >= 3 * PATIENTS_SITES);
    transcript_clear(&transcript);
    bytes_clear(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_that_are_left_to_their_fate),
        cmocka_unit_test(fewer_sites_than_before),
        cmocka_unit_test(attempts_only_leave_out),
        cmocka_unit_test(four_named_sites),
        cmocka_unit_test(results_have_one_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
