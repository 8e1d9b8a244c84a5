#include "tests/silence/script.h"

enum { ASKED_MAX = 16 };
struct watch {
    struct transcript *transcript;
    const struct question *question;
    const struct play *play;
    /* Those that were asked before. */
    struct {
        const struct question *question;
        uint8_t qid[QID_BYTES];
    } asked[ASKED_MAX];
    size_t n;
};

/* Who kept something of an earlier question back goes on with it. */
static const struct question *question_of(const struct watch *watch, const struct flight *flight)
{
    for (size_t i = 0; i < watch->n; i++)
        if (memmem(flight->envelope.data, flight->envelope.length, watch->asked[i].qid, QID_BYTES) != NULL)
            return watch->asked[i].question;
    return watch->question;
}

static bool is_withheld(const struct withheld *withheld, const struct flight *flight)
{
    const bool last = flight->to == PLAY_SITE + PATIENTS_SITES - 1;
    return withheld->kind != 0 && to_site(flight, withheld->kind) &&
           (withheld->from == FROM_ALL || last == (withheld->from == FROM_THE_LAST));
}

static unsigned note(void *context, const struct flight *flight)
{
    struct watch *watch = context;
    const struct question *question = question_of(watch, flight);
    transcript_note(watch->transcript, watch->play, flight);
    return is_withheld(&question->withheld, flight) ? 0 : 1;
}

static void alter(void *context, const struct play *play, struct flight *flight)
{
    struct watch *watch = context;
    const struct question *question = question_of(watch, flight);
    watch->play = play;
    if (flight->from >= PLAY_SITE && question->never != 0 && flight->kind == question->never)
        fail_msg("question %zu: a site says %s", watch->transcript->question + 1,
                 message_rule((uint32_t)flight->kind)->name);
    if (question->alter != NULL)
        question->alter(play, flight);
}

/* The question met what it is there for. */
static void expect(struct bytes *results, size_t from, const struct question *question, const char *name,
                   size_t q)
{
    bytes_put_u8(results, 0);
    const char *text = (const char *)results->data + from;
    if (getenv("MAILLE_SILENCE_SHOW") != NULL)
        fprintf(stderr, "%s, question %zu: %s", name, q + 1, text);
    for (size_t i = 0; i < sizeof question->says / sizeof *question->says && question->says[i] != NULL; i++)
        if (strstr(text, question->says[i]) == NULL)
            fail_msg("%s, question %zu: expected %s in its result, found %.1500s", name, q + 1,
                     question->says[i], text);
    results->length--;
}

static void ask(struct bytes *results, struct play *play, const struct script *script, size_t q)
{
    enum { LIMIT_MS = 8 * 3600 * 1000, SETTLE_MS = 1000, TURN_MS = 150 * 1000 };
    const struct question *question = &script->questions[q];
    struct maille_error error = {0};
    size_t n = 0;
    while (n < sizeof question->without / sizeof *question->without && question->without[n] != NULL)
        n++;
    play->options.without = question->without;
    play->options.n_without = n;
    play_ask(play, question->study);
    const enum maille_code code =
        play_run(play, question->limit_ms != 0 ? question->limit_ms : LIMIT_MS, &error);
    if (code != question->ends && !script->anyhow)
        fail_msg("%s, question %zu: the agent ends with %s, expected %s: %s", script->name, q + 1,
                 maille_code_name(code), maille_code_name(question->ends), error.sentence);
    const size_t from = results->length;
    /* What is on its way arrives; the coordinator gives up waiting for one that is left to its fate, before
     * it lets another one of the same dictionary be counted. */
    play_wait(play, code != MAILLE_TIMEOUT ? SETTLE_MS : TURN_MS);
    if (code == MAILLE_OK)
        play_result(results, play);
    else
        bytes_put(results, error.sentence, strlen(error.sentence));
    bytes_put_u8(results, '\n');
    expect(results, from, question, script->name, q);
}

static void check_said(const struct transcript *transcript, size_t q, const struct script *script)
{
    const enum message_kind some = script->questions[q].some;
    bool said = some == 0;
    for (size_t i = 0; i < transcript->n; i++)
        said = said || (transcript->list[i].question == q && transcript->list[i].kind == some);
    if (!said)
        fail_msg("%s, question %zu: expected that a site says %s, found none", script->name, q + 1,
                 message_rule((uint32_t)some)->name);
}

void script_run(struct transcript *transcript, struct bytes *results, const struct script *script,
                uint64_t deal)
{
    enum { MINUTE_MS = 60 * 1000 };
    struct columns *parts[PATIENTS_SITES];
    struct watch watch = {.transcript = transcript, .question = &script->questions[0]};
    const size_t n_sites = script->n_sites != 0 ? script->n_sites : PATIENTS_SITES;
    struct play_options options = {.seed = 12,
                                   .n_sites = n_sites,
                                   .policy = script->policy,
                                   .parts = parts,
                                   .study = script->questions[0].study,
                                   .fate = note,
                                   .alter = alter,
                                   .context = &watch};
    memcpy(options.policies, script->policies, sizeof script->policies);
    patients_deal(parts, n_sites, deal, script->last_keeps);
    struct play *play = play_new(&options);
    for (size_t q = 0; q < script->n; q++) {
        watch.question = &script->questions[q];
        transcript->question = q;
        transcript->asked_ms = play_elapsed_ms(play);
        ask(results, play, script, q);
        check_said(transcript, q, script);
        assert_true(watch.n < ASKED_MAX);
        watch.asked[watch.n].question = watch.question;
        assert_true(bytes_from_hex(watch.asked[watch.n++].qid, QID_BYTES, play->id));
    }
    play_ask(play, script->questions[0].study); /* nobody asks; what is on its way arrives */
    play_wait(play, MINUTE_MS);
    play_free(play);
}

/* Where two texts differ: the line of it. */
static const char *line_at(const struct bytes *text, size_t at, char line[256])
{
    size_t from = at;
    while (from > 0 && text->data[from - 1] != '\n')
        from--;
    snprintf(line, 256, "%.*s", (int)(text->length - from < 200 ? text->length - from : 200),
             (const char *)text->data + from);
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static void compare_results(const struct bytes *a, const struct bytes *b, const char *what)
{
    char x[256], y[256];
    size_t at = 0;
    while (at < a->length && at < b->length && a->data[at] == b->data[at])
        at++;
    if (at < a->length || at < b->length)
        fail_msg("%s: this deal is none of the class, since the totals differ: %s / %s", what,
                 line_at(a, at, x), line_at(b, at, y));
}

void script_compare_deals(const struct script *script)
{
    const char *many = getenv("MAILLE_SILENCE_DEALS");
    const uint64_t deals = many != NULL         ? strtoull(many, NULL, 10)
                           : script->deals != 0 ? script->deals
                                                : SCRIPT_DEALS;
    struct transcript first = {0}, other = {0};
    struct bytes results = {0}, again = {0};
    script_run(&first, &results, script, 0);
    for (uint64_t deal = 1; deal <= deals; deal++) {
        char what[64];
        snprintf(what, sizeof what, "%s, deal %llu", script->name, (unsigned long long)deal);
        script_run(&other, &again, script, deal);
        compare_results(&results, &again, what);
        transcript_compare(&first, &other, what);
        transcript_clear(&other);
        again.length = 0;
    }
    transcript_clear(&first);
    bytes_clear(&results);
    bytes_clear(&again);
}
