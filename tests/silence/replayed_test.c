/* The rule of silence, second class: one site's patients are others, and it is told what it had been told.
 * Until the first total is opened to it nothing that it sends may be different, but for what is masked,
 * sealed, signed, hashed or random. In each recording the site has answered before (its ledger has a past)
 * and starts again; in two its snapshot is a new one. So the first total is that of T0, of T1, or of values.
 */
#include "tests/silence/replay.h"
#include "tests/silence/patients.h"

enum { SITE = 2, VARIANTS = 18 };

/* The policy standard without what needs head counts: values begin in the first round. */
#define NO_THRESHOLDS                                                                                        \
    "policy: standard\nmin_patients: 1\nmin_cell: 1\nmin_events: 1\nmax_site_share: 1\nmin_contributors: "   \
    "1\n"                                                                                                    \
    "max_parameter_share: 1\nmax_patient_share: 1\nmax_scalar_share: off\nmin_tail: 1\ndifferencing: off\n"

static const struct recorded {
    const char *name, *policy, *past, *question;
    bool imports; /* a new snapshot at every site before the question */
    bool vetoes;
} recorded[] = {
    {.name = "T1",
     .policy = "policy: standard\n",
     .past = "  - { id: x, method: count, by: [chemo] }\n",
     .question = "  - { id: x, method: count, cohort: \"age < 82\" }\n"
                 "  - { id: t, method: count, by: [size, grade] }\n"
                 "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n"
                 "  - { id: m, method: glm, family: binomial, formula: \"death ~ nodes + age\" }\n"},
    {.name = "T0",
     .imports = true,
     .policy = "policy: standard\n",
     .past = "  - { id: x, method: count, by: [chemo] }\n",
     .question = "  - { id: x, method: count, cohort: \"age < 82\" }\n"
                 "  - { id: t, method: count, by: [size, grade] }\n"
                 "  - { id: o, method: km, formula: \"Surv(rtime, recur) ~ chemo\" }\n"
                 "  - { id: m, method: glm, family: binomial, formula: \"death ~ nodes + age\" }\n"},
    {.name = "values",
     .imports = true,
     .policy = NO_THRESHOLDS "min_ess_share: 0.08\n",
     .past = "  - { id: x, method: count, by: [chemo] }\n",
     .question = "  - { id: t, method: count, by: [size, grade] }\n"
                 "  - { id: p, method: glm, family: poisson, formula: \"recur ~ nodes + age\" }\n"
                 "  - { id: w, method: km, formula: \"Surv(rtime, recur) ~ 1\", weights: nodes }\n",
     .vetoes = true},
};

struct watch {
    struct recording recording;
    struct transcript said;
    const struct play *play;
};

static void entered(void *context, const struct play *play, size_t party, const struct flight *flight)
{
    recording_entered(&((struct watch *)context)->recording, play, party, flight);
}

static unsigned note(void *context, const struct flight *flight)
{
    struct watch *watch = context;
    if (watch->recording.on && !watch->recording.over && flight->from == watch->recording.party)
        transcript_note(&watch->said, watch->play, flight);
    return 1;
}

/* The network with a past and a new snapshot at every site, up to the end of the second question. */
static struct play *record(struct watch *watch, const struct recorded *what)
{
    enum { LIMIT_MS = 8 * 3600 * 1000 };
    struct maille_error error = {0};
    struct columns *parts[PATIENTS_SITES];
    patients_deal(parts, PATIENTS_SITES, 0, false);
    struct play *play = play_new(&(struct play_options){.seed = 5,
                                                        .n_sites = PATIENTS_SITES,
                                                        .policy = what->policy,
                                                        .parts = parts,
                                                        .study = what->past,
                                                        .entered = entered,
                                                        .fate = note,
                                                        .context = watch});
    watch->play = play;
    if (play_run(play, LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s: %s", what->name, error.sentence);
    if (what->imports) {
        patients_deal(parts, PATIENTS_SITES, 0, false);
        for (size_t i = 0; i < PATIENTS_SITES; i++)
            play_import(play, PLAY_SITE + i, parts[i]);
    }
    recording_begin(&watch->recording, play, PLAY_SITE + SITE);
    play_restart(play, PLAY_SITE + SITE);
    play_ask(play, what->question);
    if (play_run(play, LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s: %s", what->name, error.sentence);
    return play;
}

/* Said again with the same patients, it is the same to the byte: the replay leaves nothing out. */
static void replays_are_faithful(const struct watch *watch, const char *name)
{
    struct transcript again = {0};
    bool masked = false, revealed = false;
    recording_replay(&again, &watch->recording, NULL);
    transcript_compare(&watch->said, &again, name);
    for (size_t i = 0; i < again.n; i++) {
        const struct left *x = &watch->said.list[i], *y = &again.list[i];
        assert_memory_equal(x->envelope.data, y->envelope.data, x->envelope.length);
        if (x->frame.length > 0)
            assert_memory_equal(x->frame.data, y->frame.data, x->frame.length);
        masked = masked || x->kind == MESSAGE_MASKED;
        revealed = revealed || x->kind == MESSAGE_REVEAL;
    }
    assert_true(masked && revealed);
    transcript_clear(&again);
}

static uint64_t variants(void)
{
    const char *many = getenv("MAILLE_SILENCE_DEALS");
    return many != NULL ? strtoull(many, NULL, 10) : VARIANTS;
}

static void other_patients_same_words(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof recorded / sizeof *recorded; r++) {
        struct watch watch = {0};
        size_t n_vetoed = 0, n = 0;
        struct play *play = record(&watch, &recorded[r]);
        replays_are_faithful(&watch, recorded[r].name);
        for (enum patients_change_kind kind = CHANGE_OUTCOME; kind <= CHANGE_REPLACED; kind++)
            for (uint64_t draw = 0; draw < variants(); draw++) {
                const struct patients_change change = {.kind = kind, .site = SITE, .draw = draw};
                struct transcript other = {0};
                char what[96];
                snprintf(what, sizeof what, "%s, %s (%llu)", recorded[r].name, patients_change_word(&change),
                         (unsigned long long)draw);
                n_vetoed += recording_replay(&other, &watch.recording, patients_changed(&change)) > 0;
                n++;
                transcript_compare(&watch.said, &other, what);
                transcript_clear(&other);
            }
        if (recorded[r].vetoes) /* some of them must not answer, and some may: nobody sees who */
            assert_true(n_vetoed > 0 && n_vetoed < n);
        recording_clear(&watch.recording);
        transcript_clear(&watch.said);
        play_free(play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(other_patients_same_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
