/* A site whose sums cannot be: masked, signed and committed to as they should be, and far larger than any
 * patients give. */
#include "tests/liars/liars.h"

#include "tests/silence/patients.h"

struct liar {
    struct data_source real;
    unsigned rounds;
};

static enum maille_code facts(void *context, struct data_facts *out, uint32_t number, struct arena *arena,
                              struct maille_error *error)
{
    const struct liar *liar = context;
    return liar->real.facts(liar->real.context, out, number, arena, error);
}

static enum maille_code cells(void *context, struct data_cells *out, uint32_t number,
                              const struct study *study, struct maille_error *error)
{
    const struct liar *liar = context;
    return liar->real.cells(liar->real.context, out, number, study, error);
}

static enum maille_code members(void *context, struct data_members *out, uint32_t number,
                                const struct study *study, size_t analysis, bool persons,
                                struct maille_error *error)
{
    const struct liar *liar = context;
    return liar->real.members(liar->real.context, out, number, study, analysis, persons, error);
}

/* Every word that says something is 2^55 larger or so. */
static enum maille_code too_much(void *context, struct data_round *out, uint32_t number,
                                 const struct study *study, const bool *open, const struct vector *thetas,
                                 const struct bytes *plan, struct maille_error *error)
{
    struct liar *liar = context;
    const enum maille_code code =
        liar->real.round(liar->real.context, out, number, study, open, thetas, plan, error);
    for (size_t i = 0; code == MAILLE_OK && i + 8 <= out->words.words.length; i += 8)
        if (memcmp(out->words.words.data + i, (uint8_t[8]){0}, 8) != 0)
            out->words.words.data[i + 6] ^= 0x7f;
    liar->rounds++;
    return code;
}

/* Nobody gets a number, and whoever asked is told the rule; `says` stands in the sentence. */
static void nobody_believes(enum query_mode mode, const char *says)
{
    struct columns *parts[PATIENTS_SITES];
    struct maille_error error = {0};
    struct liar liar = {0};
    struct bytes result = {0};
    patients_deal(parts, 3, 0, false);
    struct play *play =
        play_new(&(struct play_options){.seed = 3,
                                        .n_sites = 3,
                                        .parts = parts,
                                        .study = "  - { id: age, method: describe, variables: [age] }\n",
                                        .mode = mode,
                                        .patience_ms = LIARS_PATIENCE_MS,
                                        .policy = mode == MODE_AGENT ? "policy: open\n" : NULL});
    struct party *beta = &play->parties[PLAY_SITE + 1];
    liar.real = beta->source;
    beta->source = (struct data_source){&liar, facts, cells, too_much, members};
    play_restart(play, PLAY_SITE + 1);
    const enum maille_code code = play_run(play, LIARS_LIMIT_MS, &error);
    assert_true(liar.rounds > 0);
    if (code == MAILLE_OK) {
        for (size_t k = 0; k < agent_study_run(play_agent(play))->study->n_analyses; k++)
            assert_int_not_equal(agent_study_run(play_agent(play))->states[k].status, ANALYSIS_OK);
        play_result(&result, play);
        bytes_put_u8(&result, 0);
    }
    const char *words = code == MAILLE_OK ? (const char *)result.data : error.sentence;
    if (strstr(words, says) == NULL)
        fail_msg("expected \"%s\", found %s", says, words);
    bytes_clear(&result);
    play_free(play);
}

static void in_the_circle(void **state)
{
    (void)state;
    nobody_believes(MODE_CIRCLE, "\"rule\": \"custody\"");
}

static void where_the_agent_steps(void **state)
{
    (void)state;
    nobody_believes(MODE_AGENT, "totals within their public bounds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_circle),
        cmocka_unit_test(where_the_agent_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
