#include "tests/liars/liars.h"

#include "audit/log.h"
#include "proto/open.h"
#include "tests/silence/patients.h"

/* One site is lied to, or lies; the researcher is told, or tells, too. */
enum { SITES = 3, LIAR = PLAY_SITE + 1, SEED = 5, SETTLE_MS = 1000 };

/* --- what must never be --- */

void guard_look(struct guard *guard, const struct flight *flight)
{
    struct message in;
    struct arena *arena = arena_new();
    if (message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, NULL) !=
            MAILLE_OK ||
        message_decode(&in, NULL, 0, NULL) != MAILLE_OK)
        goto out;
    if (in.envelope.kind == MESSAGE_START && guard->n_rounds < 256) {
        memcpy(guard->rounds[guard->n_rounds].psi, in.psi.b, HASH_BYTES);
        guard->rounds[guard->n_rounds++].round = in.round.round;
    }
    if (flight->from < PLAY_SITE)
        goto out;
    if (in.envelope.kind == MESSAGE_MASKED) {
        const struct message_masked *masked = &in.body.masked;
        for (size_t i = 0; i < guard->n_masked; i++)
            if (guard->masked[i].party == flight->from &&
                memcmp(guard->masked[i].psi, masked->psi.b, HASH_BYTES) == 0 &&
                memcmp(guard->masked[i].vector, masked->share.vector.b, HASH_BYTES) != 0)
                fail_msg("site %zu answers one start with two vectors", flight->from - PLAY_SITE + 1);
        assert_true(guard->n_masked < 256);
        guard->masked[guard->n_masked].party = flight->from;
        memcpy(guard->masked[guard->n_masked].psi, masked->psi.b, HASH_BYTES);
        memcpy(guard->masked[guard->n_masked++].vector, masked->share.vector.b, HASH_BYTES);
    }
    if (in.envelope.kind == MESSAGE_REVEAL) {
        const struct message_reveal *reveal = &in.body.reveal;
        uint32_t round = 0;
        for (size_t i = 0; i < guard->n_rounds; i++)
            if (memcmp(guard->rounds[i].psi, reveal->psi.b, HASH_BYTES) == 0)
                round = guard->rounds[i].round;
        for (size_t i = 0; i < guard->n_revealed; i++)
            if (guard->revealed[i].party == flight->from && guard->revealed[i].round == round &&
                memcmp(guard->revealed[i].qid, reveal->qid, QID_BYTES) == 0 &&
                memcmp(guard->revealed[i].psi, reveal->psi.b, HASH_BYTES) != 0)
                fail_msg("site %zu opens two masks for round %u", flight->from - PLAY_SITE + 1, round);
        assert_true(guard->n_revealed < 256);
        guard->revealed[guard->n_revealed].party = flight->from;
        guard->revealed[guard->n_revealed].round = round;
        memcpy(guard->revealed[guard->n_revealed].qid, reveal->qid, QID_BYTES);
        memcpy(guard->revealed[guard->n_revealed++].psi, reveal->psi.b, HASH_BYTES);
    }
out:
    arena_free(arena);
}

/* --- the honest exchange --- */

/* A mean, and a model that takes several rounds. */
static const char study[] = "  - { id: age, method: describe, variables: [age] }\n"
                            "  - { id: logit, method: glm, family: binomial, formula: \"meno ~ year\" }\n";
static const char next_study[] = "  - { id: age, method: describe, variables: [year] }\n"
                                 "  - { id: logit, method: glm, family: binomial, formula: \"meno ~ er\" }\n";

static bool is_lied_about(const struct flight *flight)
{
    return flight->from == LIAR || flight->to == LIAR || flight->from == PLAY_AGENT ||
           flight->to == PLAY_AGENT;
}

struct recorder {
    struct exchange *exchange;
    bool foreign;
    unsigned seen[PLAY_PARTIES][PLAY_PARTIES][MESSAGE_KINDS];
    struct guard guard;
};

static unsigned record(void *context, const struct flight *flight)
{
    struct recorder *recorder = context;
    struct exchange *exchange = recorder->exchange;
    guard_look(&recorder->guard, flight);
    if (!is_lied_about(flight))
        return 1;
    struct flight **list = recorder->foreign ? &exchange->foreign : &exchange->flights;
    unsigned **nth = recorder->foreign ? &exchange->foreign_nth : &exchange->nth;
    size_t *n = recorder->foreign ? &exchange->n_foreign : &exchange->n;
    *list = realloc(*list, (*n + 1) * sizeof **list);
    *nth = realloc(*nth, (*n + 1) * sizeof **nth);
    assert_non_null(*list);
    assert_non_null(*nth);
    struct flight *copy = &(*list)[*n];
    *copy = *flight;
    copy->envelope = copy->frame = (struct bytes){0};
    assert_int_equal(bytes_copy(&copy->envelope, flight->envelope.data, flight->envelope.length), MAILLE_OK);
    assert_int_equal(bytes_copy(&copy->frame, flight->frame.data, flight->frame.length), MAILLE_OK);
    (*nth)[(*n)++] = recorder->seen[flight->from][flight->to][flight->kind]++;
    return 1;
}

static struct play_options honest(enum query_mode mode, struct columns **parts)
{
    patients_deal(parts, SITES, 0, false);
    return (struct play_options){.seed = SEED,
                                 .n_sites = SITES,
                                 .parts = parts,
                                 .study = study,
                                 .mode = mode,
                                 .policy = mode == MODE_AGENT ? "policy: open\n" : NULL,
                                 .patience_ms = LIARS_PATIENCE_MS};
}

void exchange_record(struct exchange *exchange, enum query_mode mode)
{
    struct columns *parts[PATIENTS_SITES];
    struct maille_error error = {0};
    struct play_options options = honest(mode, parts);
    struct recorder recorder = {.exchange = exchange};
    *exchange = (struct exchange){.mode = mode};
    options.fate = record;
    options.context = &recorder;
    exchange->play = play_new(&options);
    if (play_run(exchange->play, LIARS_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("the honest exchange: %s", error.sentence);
    play_result(&exchange->result, exchange->play);
    if (getenv("MAILLE_LIARS_SHOW") != NULL)
        fprintf(stderr, "%.*s\n", (int)exchange->result.length, (const char *)exchange->result.data);
    for (size_t k = 0; k < agent_study_run(play_agent(exchange->play))->study->n_analyses; k++)
        assert_int_equal(agent_study_run(play_agent(exchange->play))->states[k].status, ANALYSIS_OK);
    recorder.foreign = true;
    memset(recorder.seen, 0, sizeof recorder.seen);
    play_ask(exchange->play, next_study);
    if (play_run(exchange->play, LIARS_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("the next question: %s", error.sentence);
    play_result(&exchange->next_result, exchange->play);
}

void exchange_free(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->n; i++) {
        bytes_clear(&exchange->flights[i].envelope);
        bytes_clear(&exchange->flights[i].frame);
    }
    for (size_t i = 0; i < exchange->n_foreign; i++) {
        bytes_clear(&exchange->foreign[i].envelope);
        bytes_clear(&exchange->foreign[i].frame);
    }
    free(exchange->flights);
    free(exchange->foreign);
    free(exchange->nth);
    free(exchange->foreign_nth);
    bytes_clear(&exchange->result);
    bytes_clear(&exchange->next_result);
    play_free(exchange->play);
    *exchange = (struct exchange){0};
}

const struct flight *exchange_foreign(const struct exchange *exchange, const struct flight *flight,
                                      unsigned nth)
{
    const struct flight *found = NULL;
    for (size_t i = 0; i < exchange->n_foreign; i++) {
        const struct flight *one = &exchange->foreign[i];
        if (one->from == flight->from && one->to == flight->to && one->kind == flight->kind &&
            (found == NULL || exchange->foreign_nth[i] == nth))
            found = one;
    }
    return found;
}

/* --- all lies --- */

/* The first of its kind on its link, or the last: rounds are alike in between. */
static bool is_first_or_last(const struct exchange *exchange, size_t at)
{
    const struct flight *flight = &exchange->flights[at];
    for (size_t i = at + 1; i < exchange->n; i++) {
        const struct flight *one = &exchange->flights[i];
        if (one->from == flight->from && one->to == flight->to && one->kind == flight->kind)
            return exchange->nth[at] == 0;
    }
    return true;
}

static bool try_lie(struct lie *lie, char name[WRONG_NAME_BYTES], const struct exchange *exchange,
                    const struct flight *flight)
{
    struct flight copy = *flight;
    copy.envelope = copy.frame = (struct bytes){0};
    assert_int_equal(bytes_copy(&copy.envelope, flight->envelope.data, flight->envelope.length), MAILLE_OK);
    assert_int_equal(bytes_copy(&copy.frame, flight->frame.data, flight->frame.length), MAILLE_OK);
    const bool made =
        wrong_make(&copy, name, exchange->play,
                   lie->next ? NULL : exchange_foreign(exchange, flight, lie->nth), &lie->wrong);
    bytes_clear(&copy.envelope);
    bytes_clear(&copy.frame);
    return made;
}

/* What the second question tells of the first. */
static void lies_about_the_past(const struct exchange *exchange,
                                void (*each)(void *context, const struct lie *lie, const char *name),
                                void *context)
{
    char name[WRONG_NAME_BYTES];
    for (size_t i = 0; i < exchange->n_foreign; i++) {
        const struct flight *flight = &exchange->foreign[i];
        struct lie lie = {.mode = exchange->mode,
                          .next = true,
                          .from = flight->from,
                          .to = flight->to,
                          .kind = flight->kind,
                          .nth = exchange->foreign_nth[i]};
        if (lie.nth > 0 || !((flight->from == LIAR && flight->kind == MESSAGE_ACCEPT) ||
                             (flight->to == LIAR && flight->kind == MESSAGE_ROSTER)))
            continue;
        const unsigned leaves = wrong_leaves(exchange->play, flight);
        for (lie.wrong.leaf = 0; lie.wrong.leaf < leaves; lie.wrong.leaf++)
            for (lie.wrong.what = 0; lie.wrong.what < WRONG_FRAME_ALTERED; lie.wrong.what++)
                if (try_lie(&lie, name, exchange, flight) &&
                    (strstr(name, "Accept.ledger") != NULL || strstr(name, "Accept.forms") != NULL ||
                     strstr(name, "Accept.stored") != NULL))
                    each(context, &lie, name);
    }
}

void lies_of(const struct exchange *exchange,
             void (*each)(void *context, const struct lie *lie, const char *name), void *context)
{
    char name[WRONG_NAME_BYTES];
    for (size_t i = 0; i < exchange->n; i++) {
        const struct flight *flight = &exchange->flights[i];
        struct lie lie = {.mode = exchange->mode,
                          .from = flight->from,
                          .to = flight->to,
                          .kind = flight->kind,
                          .nth = exchange->nth[i]};
        if (!is_first_or_last(exchange, i))
            continue;
        const unsigned leaves = wrong_leaves(exchange->play, flight);
        for (lie.wrong.leaf = 0; lie.wrong.leaf < leaves; lie.wrong.leaf++)
            for (lie.wrong.what = 0; lie.wrong.what < WRONG_FRAME_ALTERED; lie.wrong.what++)
                if (try_lie(&lie, name, exchange, flight))
                    each(context, &lie, name);
        lie.wrong.leaf = 0;
        for (lie.wrong.what = WRONG_FRAME_ALTERED; lie.wrong.what < WRONG_LOST; lie.wrong.what++)
            if (try_lie(&lie, name, exchange, flight))
                each(context, &lie, name);
        for (; lie.wrong.what <= WRONG_LATE; lie.wrong.what++)
            each(context, &lie, message_rule((uint32_t)lie.kind)->name);
    }
    lies_about_the_past(exchange, each, context);
}

void lie_words(char *words, size_t size, const struct exchange *exchange, const struct lie *lie,
               const char *name)
{
    snprintf(words, size, "%s%s, %s to %s, %s %u: %s %s", lie->mode == MODE_AGENT ? "agent" : "circle",
             lie->next ? ", second question" : "", exchange->play->parties[lie->from].name,
             exchange->play->parties[lie->to].name, message_rule((uint32_t)lie->kind)->name, lie->nth, name,
             wrong_word(lie->wrong.what));
}

/* --- one lie --- */

enum { ECHOES = 3 };
struct liar {
    const struct exchange *exchange;
    const struct lie *lie;
    unsigned seen, echoes, others; /* echoes: how often it comes again; others: messages after it */
    bool told, busy, active;
    struct flight kept; /* told late, or again */
    struct guard guard;
    char name[WRONG_NAME_BYTES];
};

static bool is_of(const struct lie *lie, const struct flight *flight)
{
    return flight->from == lie->from && flight->to == lie->to && flight->kind == lie->kind;
}

static void keep(struct liar *liar, const struct flight *flight)
{
    liar->kept = *flight;
    liar->kept.envelope = liar->kept.frame = (struct bytes){0};
    assert_int_equal(bytes_copy(&liar->kept.envelope, flight->envelope.data, flight->envelope.length),
                     MAILLE_OK);
    assert_int_equal(bytes_copy(&liar->kept.frame, flight->frame.data, flight->frame.length), MAILLE_OK);
}

static void tell(void *context, const struct play *play, struct flight *flight)
{
    struct liar *liar = context;
    const struct lie *lie = liar->lie;
    guard_look(&liar->guard, flight); /* what the programs say themselves */
    if (!liar->active || !is_of(lie, flight) || lie->wrong.what >= WRONG_LOST || liar->seen != lie->nth)
        return;
    struct flight before = {.kind = flight->kind, .from = flight->from, .to = flight->to};
    liar->told =
        wrong_make(flight, liar->name, play,
                   lie->next ? NULL : exchange_foreign(liar->exchange, &before, lie->nth), &lie->wrong);
}

static unsigned decide(void *context, const struct flight *flight)
{
    struct liar *liar = context;
    const struct lie *lie = liar->lie;
    if (!liar->active || !is_of(lie, flight))
        return 1;
    const unsigned nth = liar->seen++;
    if (nth < lie->nth || (nth > lie->nth && lie->wrong.what != WRONG_LOST_ALWAYS))
        return 1;
    switch (lie->wrong.what) {
    case WRONG_LOST:
    case WRONG_LOST_ALWAYS:
        liar->told = true;
        return 0;
    case WRONG_REPEATED:
    case WRONG_LATE:
        keep(liar, flight);
        liar->told = true;
        liar->echoes = lie->wrong.what == WRONG_LATE ? 1 : ECHOES;
        return lie->wrong.what == WRONG_LATE ? 0 : 3;
    default:
        return 1;
    }
}

/* What was kept comes after other messages on the same link. */
static void come_again(void *context, const struct play *play, size_t party, const struct flight *flight)
{
    struct liar *liar = context;
    if (liar->busy || liar->echoes == 0 || flight == NULL || party != liar->lie->to ||
        flight->from != liar->lie->from || flight->kind == liar->lie->kind)
        return;
    if (liar->others++ == 0)
        return;
    liar->busy = true;
    liar->echoes--;
    party_hear(&((struct play *)(uintptr_t)play)->parties[party], &liar->kept);
    liar->busy = false;
}

/* --- who says what --- */

struct named {
    struct lie_outcome *outcome;
    const char *party;
};

static void take_rule(struct lie_outcome *outcome, const char *rule, size_t length)
{
    if (outcome->rule[0] == '\0' && length > 0 && length < sizeof outcome->rule &&
        strspn(rule, "abcdefghijklmnopqrstuvwxyz_0123456789") >= length)
        snprintf(outcome->rule, sizeof outcome->rule, "%.*s", (int)length, rule);
}

static void take_words(struct lie_outcome *outcome, const char *party, const char *what, const char *words)
{
    if (outcome->words[0] == '\0')
        snprintf(outcome->words, sizeof outcome->words, "%s, %s: %.*s", party, what,
                 (int)strcspn(words, "\n"), words);
}

/* "accept: signature: expected …": the rule stands after the kind. */
static void take_note(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    static const char *const kinds[] = {"dropped", "split view", "custody", "diverged", "problem"};
    const struct named *named = context;
    (void)sequence;
    (void)utc_ms;
    if (entry->direction != AUDIT_NOTE)
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(entry->message, kinds[i]) != 0)
            continue;
        const char *after = strcmp(entry->message, "dropped") == 0 ? strstr(entry->detail, ": ") : NULL;
        after = after != NULL ? after + 2 : entry->detail;
        const char *end = strstr(after, ": ");
        take_rule(named->outcome, after, end != NULL ? (size_t)(end - after) : strlen(after));
        if (strcmp(entry->message, "split view") == 0)
            take_rule(named->outcome, "log_head", strlen("log_head"));
        take_words(named->outcome, named->party, entry->message, entry->detail);
    }
}

void liars_named(struct lie_outcome *outcome, const struct play *play, const char *words)
{
    for (size_t i = PLAY_COORDINATOR; i < play->n; i++) {
        char folder[FOLDER_BYTES + 8];
        struct named named = {outcome, play->parties[i].name};
        struct maille_error error = {0};
        snprintf(folder, sizeof folder, "%s/log", play->parties[i].folder);
        if (audit_read(folder, take_note, &named, &error) != MAILLE_OK)
            fail_msg("%s: %s", named.party, error.sentence);
    }
    const char *dropped = strstr(words, "dropped a message: ");
    const char *says = strstr(words, "the coordinator says: ");
    if (says != NULL && strchr(says, ',') != NULL) {
        const char *rule = strchr(says, ',') + 2;
        take_rule(outcome, rule, strcspn(rule, "\n"));
        take_words(outcome, "alice", "problem", says);
    }
    if (dropped != NULL) {
        dropped += strlen("dropped a message: ");
        const char *end = strstr(dropped, ": ");
        take_rule(outcome, dropped, end != NULL ? (size_t)(end - dropped) : 0);
        take_words(outcome, "alice", "dropped", dropped);
    }
}

/* Analyses that have no result say by which rule. */
static bool all_named(const struct study_run *run, struct lie_outcome *outcome, bool *some)
{
    bool named = true;
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        const struct analysis_state *state = &run->states[k];
        if (state->status == ANALYSIS_OK)
            continue;
        *some = true;
        named = named && state->rule[0] != '\0';
        take_rule(outcome, state->rule, strlen(state->rule));
        take_words(outcome, "alice", "refused", state->reason);
    }
    return named;
}

static void judge(struct lie_outcome *outcome, struct play *play, enum maille_code code,
                  const struct maille_error *error, const struct bytes *expected, const char *words)
{
    struct bytes result = {0};
    bool some = false;
    liars_named(outcome, play, words);
    if (code != MAILLE_OK) {
        take_rule(outcome, error->rule, strlen(error->rule));
        take_words(outcome, "alice", maille_code_name(code), error->sentence);
        outcome->verdict = outcome->rule[0] != '\0' || code == MAILLE_SIGNATURE ? VERDICT_REFUSED
                           : strstr(error->sentence, "still waiting for") != NULL ||
                                   code == MAILLE_UNREACHABLE ||
                                   (code == MAILLE_FAILED && strstr(error->sentence, "cancelled") != NULL)
                               ? VERDICT_WAITS
                               : VERDICT_UNNAMED;
        return;
    }
    play_result(&result, play);
    const bool same =
        result.length == expected->length && memcmp(result.data, expected->data, result.length) == 0;
    if (same)
        outcome->verdict = outcome->words[0] != '\0' ? VERDICT_DROPPED : VERDICT_SAME;
    else if (all_named(agent_study_run(play_agent(play)), outcome, &some) && some)
        outcome->verdict = VERDICT_REFUSED;
    else
        outcome->verdict = VERDICT_OTHER;
    bytes_clear(&result);
}

void lie_play(struct lie_outcome *outcome, const struct exchange *exchange, const struct lie *lie)
{
    struct columns *parts[PATIENTS_SITES];
    struct maille_error error = {0};
    struct play_options options = honest(lie->mode, parts);
    struct liar liar = {.exchange = exchange, .lie = lie};
    char *words = NULL;
    size_t size = 0;
    *outcome = (struct lie_outcome){0};
    options.words = open_memstream(&words, &size);
    assert_non_null(options.words);
    options.alter = tell;
    options.fate = decide;
    options.entered = come_again;
    options.context = &liar;
    liar.active = !lie->next;
    struct play *play = play_new(&options);
    enum maille_code code = play_run(play, LIARS_LIMIT_MS, &error);
    if (lie->next) {
        assert_int_equal(code, MAILLE_OK);
        play_ask(play, next_study);
        liar.active = true;
        code = play_run(play, LIARS_LIMIT_MS, &error);
    }
    play_wait(play, SETTLE_MS); /* what is on its way arrives */
    fflush(options.words);
    if (!liar.told && lie->kind != MESSAGE_LOG_HEAD)
        fail_msg("%s %u was never sent", message_rule((uint32_t)lie->kind)->name, lie->nth);
    judge(outcome, play, code, &error, lie->next ? &exchange->next_result : &exchange->result, words);
    bytes_clear(&liar.kept.envelope);
    bytes_clear(&liar.kept.frame);
    play_free(play);
    fclose(options.words);
    free(words);
}
