/* What is compared by its length alone must say nothing either. Two things are tried:
 *
 * Guesses. Somebody knows every public fact and guesses all totals right. All bytes that leave the sites are
 * searched for every hash that she could make: each that a vault makes with a key (of what its totals came
 * to, of ψ, of a plan, of the past), without the key; H(θ), H(plan); what is sealed, hashed in the clear. And
 * for every secret itself: K_c, the secret ψ, self masks, seeds, the qids of earlier questions.
 *
 * Noise. Sums that a veto has spoilt, pair words of groups that are far from one another, and everything that
 * is masked or sealed, must look uniform. A sample of n bytes passes while the χ² of its 256 values, of 255
 * degrees of freedom, is within 8 standard deviations of 255, and each of the 64 bits of a word is set in
 * n/16 words to within 6. Of true noise the first fails once in 10^9, the second (by a union over the bits)
 * once in 10^7; here the noise is a stream with a fixed seed, so the test fails always or never.
 *
 * The functions of the programs that hash, seal and open are watched (the linker's --wrap): the programs
 * themselves are as they are shipped. */
#include <math.h>

#include "disclosure/threshold.h"
#include "tests/silence/script.h"

/* --- what is watched --- */

struct seen_bytes {
    uint8_t b[HASH_BYTES];
    char what[48];
};
static struct {
    struct seen_bytes *list; /* what must not be in any message */
    size_t n, room;
    struct seen_bytes known; /* of the control: the last public ψ */
    struct bytes opened;     /* the sum of a round, as masks come off it */
    struct bytes sampled;    /* the last that was sampled: each member opens the same */
    size_t off;              /* how many have */
    const void *sum;
    struct bytes vetoed, counts, pairs, sealed; /* samples of what should be noise */
    uint64_t small;                             /* veto words that are small numbers */
} watched;

static void must_not_leave(const void *bytes, const char *label, const char *what)
{
    if (watched.n == watched.room) {
        watched.room = watched.room == 0 ? 4096 : 2 * watched.room;
        watched.list = realloc(watched.list, watched.room * sizeof *watched.list);
        assert_non_null(watched.list);
    }
    struct seen_bytes *one = &watched.list[watched.n++];
    memcpy(one->b, bytes, HASH_BYTES);
    snprintf(one->what, sizeof one->what, "%.20s %.20s", what, label);
}

static bool is_one_of(const char *label, const char *const *labels)
{
    for (; *labels != NULL; labels++)
        if (strcmp(*labels, label) == 0)
            return true;
    return false;
}

/* ψ of a header, which is public, or of all that a round is of: its header, θ, the plan. That of the first
 * round is of public facts too. */
static void round_without_key(const struct digest *psi, const uint8_t *data, size_t length)
{
    struct message_round_header header;
    struct arena *arena = arena_new();
    const bool is_all = length > 8 && le64_load(data) < length - 8;
    if (!is_all)
        memcpy(watched.known.b, psi->b, HASH_BYTES);
    else if (message_round_header_decode(&header, arena, data + 8, (size_t)le64_load(data), NULL) ==
                 MAILLE_OK &&
             header.round > 1)
        must_not_leave(psi->b, "round", "without a key,");
    arena_free(arena);
}

void __real_hash_kdf(struct digest *out, const uint8_t *key, const char *label, const void *data,
                     size_t length);
void __wrap_hash_kdf(struct digest *out, const uint8_t *key, const char *label, const void *data,
                     size_t length);
void __wrap_hash_kdf(struct digest *out, const uint8_t *key, const char *label, const void *data,
                     size_t length)
{
    static const char *const secret[] = {"self", "pair", "mask", "fill", "reveal", "circle", NULL};
    /* Of what totals came to: not without a key. */
    static const char *const derived[] = {"circle", "theta", "plan", "state", "reveal", "history", NULL};
    static const uint8_t zeros[KEY_BYTES];
    static struct digest round; /* ψ of the last round's RS, without K_c */
    static struct digest open;  /* what K_c would be of public facts: ρ and the first ψ */
    struct digest guess;
    __real_hash_kdf(out, key, label, data, length);
    if (key == NULL) {
        if (strcmp(label, "circle") == 0)
            __real_hash_kdf(&open, NULL, label, data, 2 * HASH_BYTES);
        if (is_one_of(label, derived))
            must_not_leave(out->b, label, "hash of");
        if (strcmp(label, "round") == 0)
            round_without_key(out, data, length);
        return;
    }
    __real_hash_kdf(&guess, NULL, label, data, length);
    must_not_leave(guess.b, label, "guessed");
    if (strcmp(label, "round") == 0) {
        must_not_leave(out->b, label, "secret");
        round = guess;
    }
    __real_hash_kdf(&guess, zeros, label, data, length);
    must_not_leave(guess.b, label, "guessed (0)");
    __real_hash_kdf(&guess, open.b, label, data, length);
    must_not_leave(guess.b, label, "by an open key");
    if (strcmp(label, "state") == 0 && length > HASH_BYTES) { /* ψ ‖ state */
        struct bytes other = {0};
        bytes_put(&other, round.b, HASH_BYTES);
        bytes_put(&other, (const uint8_t *)data + HASH_BYTES, length - HASH_BYTES);
        __real_hash_kdf(&guess, NULL, label, other.data, other.length);
        must_not_leave(guess.b, label, "guessed with ψ");
        __real_hash_kdf(&guess, NULL, label, other.data + HASH_BYTES, length - HASH_BYTES);
        must_not_leave(guess.b, label, "guessed alone");
        bytes_clear(&other);
    }
    if (is_one_of(label, secret))
        must_not_leave(out->b, label, "secret");
}

enum maille_code __real_seal_to(struct bytes *out, const uint8_t *box, const void *data, size_t length);
enum maille_code __wrap_seal_to(struct bytes *out, const uint8_t *box, const void *data, size_t length);
enum maille_code __wrap_seal_to(struct bytes *out, const uint8_t *box, const void *data, size_t length)
{
    static const char *const labels[] = {"result", "vector", "segment", "reveal"};
    struct digest guess;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        __real_hash_kdf(&guess, NULL, labels[i], data, length);
        must_not_leave(guess.b, labels[i], "clear bytes");
    }
    hash_bytes(&guess, data, length);
    must_not_leave(guess.b, "", "clear bytes");
    return __real_seal_to(out, box, data, length);
}

/* Opened totals: the buffer from which the last mask was taken. */
void __real_mask_unmask_sum(uint8_t *sum, size_t length, const struct word_run *runs, size_t n,
                            const struct digest *b);
void __wrap_mask_unmask_sum(uint8_t *sum, size_t length, const struct word_run *runs, size_t n,
                            const struct digest *b);
void __wrap_mask_unmask_sum(uint8_t *sum, size_t length, const struct word_run *runs, size_t n,
                            const struct digest *b)
{
    __real_mask_unmask_sum(sum, length, runs, n, b);
    watched.off = sum == watched.sum && length == watched.opened.length ? watched.off + 1 : 1;
    watched.sum = sum;
    watched.opened.length = 0;
    bytes_put(&watched.opened, sum, length);
}

/* Threshold rounds: which words are no counts. */
const uint8_t *__real_threshold_random(const struct threshold *threshold, enum threshold_which which,
                                       struct arena *arena);
const uint8_t *__wrap_threshold_random(const struct threshold *threshold, enum threshold_which which,
                                       struct arena *arena);
const uint8_t *__wrap_threshold_random(const struct threshold *threshold, enum threshold_which which,
                                       struct arena *arena)
{
    enum { SMALL = 1 << 20 };
    const uint8_t *random = __real_threshold_random(threshold, which, arena);
    if (watched.sampled.length == watched.opened.length &&
        memcmp(watched.sampled.data, watched.opened.data, watched.opened.length) == 0)
        return random;
    watched.sampled.length = 0;
    bytes_put(&watched.sampled, watched.opened.data, watched.opened.length);
    for (size_t at = 0; at < threshold->n_words[which] && 8 * at < watched.opened.length; at++) {
        const uint64_t word = le64_load(watched.opened.data + 8 * at);
        const uint64_t patients = word & ((UINT64_C(1) << THRESHOLD_PATIENT_BITS) - 1);
        if (random[at] == 0 || word == 0)
            continue;
        if (which == THRESHOLD_SECOND) {
            watched.small += word < SMALL;
            bytes_put(&watched.counts, watched.opened.data + 8 * at, 8);
        } else if (patients >= SMALL) { /* else nobody has many of them: it is what the pair differs by */
            bytes_put(&watched.pairs, watched.opened.data + 8 * at, 8);
        }
    }
    return random;
}

static void forget(void)
{
    bytes_clear(&watched.opened);
    bytes_clear(&watched.sampled);
    bytes_clear(&watched.vetoed);
    bytes_clear(&watched.counts);
    bytes_clear(&watched.pairs);
    bytes_clear(&watched.sealed);
    free(watched.list);
    memset(&watched, 0, sizeof watched);
}

/* --- guesses --- */

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, TAG_BYTES);
}

struct search {
    const struct seen_bytes *known; /* looked for too; NULL: nothing */
    size_t n_found;
};

/* Every place in what a message says: 16 bytes of a hash are as good as all. */
static void look_for_guesses(void *context, const struct left *left, const char *name, const uint8_t *data,
                             size_t length)
{
    struct search *search = context;
    for (size_t at = 0; at + TAG_BYTES <= length; at++) {
        const struct seen_bytes *found =
            bsearch(data + at, watched.list, watched.n, sizeof *watched.list, by_bytes);
        if (found != NULL)
            fail_msg("%s of site %zu has in its %s what somebody can make, or must not have: %s",
                     message_rule((uint32_t)left->kind)->name, left->party - PLAY_SITE + 1, name,
                     found->what);
        search->n_found += memcmp(data + at, search->known->b, TAG_BYTES) == 0;
    }
}

static const struct question guessed[] = {
    {.study = "  - { id: x, method: count, by: [chemo] }\n"
              "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n"},
    {.study = "  - { id: m, method: glm, family: binomial, formula: \"recur ~ age + chemo\" }\n"},
};

static void nothing_that_leaves_can_be_guessed(void **state)
{
    struct transcript transcript = {0};
    struct bytes results = {0};
    struct search search = {.known = &watched.known};
    (void)state;
    forget();
    script_run(&transcript, &results,
               &(struct script){.name = "guesses",
                                .policy = "policy: standard\nmin_ess_share: off\n",
                                .anyhow = true,
                                .questions = guessed,
                                .n = sizeof guessed / sizeof *guessed},
               0);
    assert_true(watched.n > 1000);
    qsort(watched.list, watched.n, sizeof *watched.list, by_bytes);
    transcript_fields(&transcript, look_for_guesses, &search);
    assert_true(search.n_found > 0); /* who looks, finds: the public ψ of the last round is there */
    transcript_clear(&transcript);
    bytes_clear(&results);
    forget();
}

/* A question's number is told to whoever is asked it, never to those who are asked later. */
static void look_for_earlier(void *context, const struct left *left, const char *name, const uint8_t *data,
                             size_t length)
{
    const struct transcript *all = context;
    for (size_t i = 0; i < all->n; i++) {
        struct envelope envelope;
        struct message_ready ready;
        struct arena *arena = arena_new();
        assert_int_equal(
            envelope_decode(&envelope, arena, all->list[i].envelope.data, all->list[i].envelope.length, NULL),
            MAILLE_OK);
        if (all->list[i].kind == MESSAGE_READY && all->list[i].question < left->question &&
            message_ready_decode(&ready, arena, envelope.body, envelope.body_length, NULL) == MAILLE_OK &&
            left->kind != MESSAGE_LOG_HEAD && length > 0 &&
            memmem(data, length, ready.qid, TAG_BYTES) != NULL)
            fail_msg("%s names an earlier question in its %s", message_rule((uint32_t)left->kind)->name,
                     name);
        arena_free(arena);
    }
}

static void no_accept_names_an_earlier_question(void **state)
{
    static const struct question three[] = {{.study = "  - { id: x, method: count }\n"},
                                            {.study = "  - { id: x, method: count, by: [chemo] }\n"},
                                            {.study = "  - { id: x, method: count, by: [meno] }\n"}};
    struct transcript transcript = {0};
    struct bytes results = {0};
    (void)state;
    script_run(&transcript, &results, &(struct script){.name = "ledger", .questions = three, .n = 3}, 0);
    transcript_fields(&transcript, look_for_earlier, &transcript);
    transcript_clear(&transcript);
    bytes_clear(&results);
    forget();
}

/* --- noise --- */

static void looks_uniform(const struct bytes *sample, size_t least, const char *what)
{
    double chi = 0, expected = (double)sample->length / 256;
    size_t counts[256] = {0}, bits[64] = {0};
    const size_t n_words = sample->length / 8;
    if (sample->length < least)
        fail_msg("%s: expected a sample of %zu bytes, found %zu", what, least, sample->length);
    for (size_t i = 0; i < sample->length; i++)
        counts[sample->data[i]]++;
    for (size_t v = 0; v < 256; v++)
        chi += ((double)counts[v] - expected) * ((double)counts[v] - expected) / expected;
    if (fabs(chi - 255) > 8 * sqrt(2 * 255.0))
        fail_msg("%s: %zu bytes are no noise: a χ² of %g of 255 degrees of freedom", what, sample->length,
                 chi);
    for (size_t w = 0; w < n_words; w++)
        for (size_t b = 0; b < 64; b++)
            bits[b] += le64_load(sample->data + 8 * w) >> b & 1;
    for (size_t b = 0; b < 64; b++)
        if (fabs((double)bits[b] - (double)n_words / 2) > 6 * sqrt((double)n_words) / 2)
            fail_msg("%s: bit %zu is set in %zu of %zu words", what, b, bits[b], n_words);
}

static void take_frames(void *context, const struct left *left, const char *name, const uint8_t *data,
                        size_t length)
{
    (void)context;
    if (strcmp(name, "frame") == 0 && (left->kind == MESSAGE_MASKED || left->kind == MESSAGE_RESULT))
        bytes_put(&watched.sealed, data, length / 8 * 8);
}

static void run(struct transcript *transcript, const char *name, const char *policy,
                const struct question *question)
{
    struct bytes results = {0};
    forget();
    transcript_clear(transcript);
    script_run(
        transcript, &results, &(struct script){.name = name, .policy = policy, .questions = question, .n = 1},
        1); /* the few with many nodes are all at the first site, and so are its weights: it alone vetoes */
    bytes_clear(&results);
}

#define NO_THRESHOLDS                                                                                        \
    "policy: standard\nmin_patients: 1\nmin_cell: 1\nmin_events: 1\nmax_site_share: 1\nmin_contributors: "   \
    "1\n"                                                                                                    \
    "max_parameter_share: 1\nmax_patient_share: 1\nmax_scalar_share: off\nmin_tail: 1\ndifferencing: off\n"

/* One site vetoes, five do not: what is opened is noise in every word. */
static void sums_of_vetoed_words_are_noise(void **state)
{
    static const struct question question = {
        .study = "  - { id: w, method: km, formula: \"Surv(rtime, recur) ~ 1\", weights: nodes }\n",
        .says = {"\"status\": \"vetoed\""}};
    struct transcript transcript = {0};
    (void)state;
    run(&transcript, "vetoed", NO_THRESHOLDS "min_ess_share: 0.1\n", &question);
    assert_int_equal(watched.off % PATIENTS_SITES, 0); /* all masks are off it */
    looks_uniform(&watched.opened, 2048, "the sum of vetoed words");
    assert_true(le64_load(watched.opened.data + watched.opened.length - 8) > UINT32_MAX); /* the veto word */
    transcript_clear(&transcript);
    forget();
}

/* In every cell somebody has more than he may. */
static void vetoes_of_cells_are_noise(void **state)
{
    static const struct question question = {
        .study = "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n"
                 "  - { id: b, method: count, by: [size] }\n",
        .says = {"few"}};
    struct transcript transcript = {0};
    (void)state;
    run(&transcript, "dominance", "policy: standard\nmax_site_share: 0.1\n", &question);
    assert_int_equal(watched.small, 0);
    looks_uniform(&watched.counts, 2048, "vetoes of cells");
    transcript_clear(&transcript);
    forget();
}

static void pair_words_of_far_groups_are_noise(void **state)
{
    static char study[4096];
    struct transcript transcript = {0};
    struct question question = {.study = study};
    int at = 0;
    (void)state;
    for (int k = 0; k < 30; k++)
        at += snprintf(study + at, sizeof study - (size_t)at,
                       "  - { id: a%d, method: count, cohort: \"%s >= %d\" }\n", k,
                       k < 10   ? "age"
                       : k < 20 ? "pgr"
                                : "year",
                       k < 10   ? 35 + 5 * k
                       : k < 20 ? 4 << (k - 10)
                                : 1970 + k);
    run(&transcript, "pairs", "policy: standard\n", &question);
    looks_uniform(&watched.pairs, 2048, "pair words");
    transcript_clear(&transcript);
    forget();
}

static void what_is_masked_or_sealed_is_noise(void **state)
{
    static const struct question question = {
        .study = "  - { id: b, method: count, by: [size, grade] }\n"
                 "  - { id: q, method: km, formula: \"Surv(rtime, recur) ~ 1\" }\n"};
    struct transcript transcript = {0};
    (void)state;
    run(&transcript, "sealed", "policy: standard\n", &question);
    transcript_fields(&transcript, take_frames, NULL);
    looks_uniform(&watched.sealed, 100000, "masked vectors and sealed results");
    transcript_clear(&transcript);
    forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_leaves_can_be_guessed),
        cmocka_unit_test(no_accept_names_an_earlier_question),
        cmocka_unit_test(sums_of_vetoed_words_are_noise),
        cmocka_unit_test(vetoes_of_cells_are_noise),
        cmocka_unit_test(pair_words_of_far_groups_are_noise),
        cmocka_unit_test(what_is_masked_or_sealed_is_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
