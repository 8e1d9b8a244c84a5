/* In the circle every site seals the results to the question's key and signs the seal: with that key a reader
 * sees that the numbers of the result file are what the sites said (docs/PROTOCOL.md §7). */
#include <stdlib.h>
#include <string.h>

#include "cli/bundle.h"
#include "stats/methods.h"
#include "stats/result_bytes.h"
#include "stats/run_bytes.h"

static const char label[] = "maille result 1";

struct bundle_answers {
    struct arena *arena;
    const struct bundle_facts *facts;
    const struct study *study;
    const uint8_t *key;     /* of the question; NULL: none is here */
    struct study_run *runs; /* per site of the roster: what it signed */
    bool *taken;            /* per site and analysis */
};

enum maille_code bundle_answers_new(struct bundle_answers **out, struct arena *arena,
                                    const struct bundle_facts *facts, const struct bundle_input *input,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    struct bundle_answers *answers = arena_alloc(arena, sizeof *answers);
    *answers = (struct bundle_answers){.arena = arena, .facts = facts};
    if (input->question_key.length == KEY_BYTES)
        answers->key = input->question_key.data;
    MAILLE_TRY(
        dictionary_parse(&dictionary, arena, "dictionary.yaml",
                         arena_strndup(arena, (const char *)input->dictionary.data, input->dictionary.length),
                         input->dictionary.length, error));
    MAILLE_TRY(study_parse(&answers->study, arena, dictionary, methods, n_methods, "study.yaml",
                           arena_strndup(arena, (const char *)input->study.data, input->study.length),
                           input->study.length, error));
    answers->runs = arena_array(arena, facts->n_sites + 1, sizeof *answers->runs);
    answers->taken = arena_array(arena, (facts->n_sites + 1) * answers->study->n_analyses, sizeof(bool));
    *out = answers;
    for (size_t s = 0; s < facts->n_sites; s++)
        MAILLE_TRY(study_run_init(&answers->runs[s], answers->study, error));
out:
    return code;
}

void bundle_answers_free(struct bundle_answers *answers)
{
    for (size_t s = 0; answers != NULL && answers->runs != NULL && s < answers->facts->n_sites; s++)
        study_run_clear(&answers->runs[s]);
}

static enum maille_code wrong(struct maille_error *error, const struct directory_site *site)
{
    return maille_fail(error, MAILLE_SIGNATURE,
                       "expected a result of %s that opens with the question's key, found other bytes",
                       site->name);
}

enum maille_code bundle_answers_take(struct bundle_answers *answers, const struct directory_site *site,
                                     const struct message_result *result, const struct byte_view *frame,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_manifest *manifest = &answers->facts->manifest;
    struct bytes opened = {0};
    struct digest hash;
    size_t s = 0, length = 0;
    while (answers->facts->sites[s].site != site)
        s++;
    hash_kdf(&hash, NULL, "result", frame->data, frame->length);
    if (answers->key == NULL || !digest_equal(&hash, &result->hash) ||
        seal_open(&opened, manifest->rk, answers->key, frame->data, frame->length, NULL) != MAILLE_OK) {
        code = wrong(error, site);
        goto out;
    }
    struct reader reader = reader_of(opened.data, opened.length);
    const uint8_t *begins = reader_block(&reader, sizeof label, &length);
    const uint8_t *qid = reader_take(&reader, QID_BYTES);
    const uint32_t by = reader_u32(&reader);
    const uint8_t *psi = reader_take(&reader, HASH_BYTES);
    const uint64_t n = reader_u64(&reader);
    if (reader.bad || length != sizeof label - 1 || memcmp(begins, label, length) != 0 ||
        memcmp(qid, manifest->qid, QID_BYTES) != 0 || by != site->id ||
        memcmp(psi, result->psi.b, HASH_BYTES) != 0) {
        code = wrong(error, site);
        goto out;
    }
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t k = reader_u64(&reader);
        if (reader.bad || k >= answers->study->n_analyses ||
            answers->taken[s * answers->study->n_analyses + k] ||
            study_run_read_ended(&answers->runs[s], (size_t)k, &reader, NULL) != MAILLE_OK) {
            code = wrong(error, site);
            goto out;
        }
        answers->taken[s * answers->study->n_analyses + k] = true;
    }
out:
    bytes_clear(&opened);
    return code;
}

/* What a site signed, as the result file would have it. */
static enum maille_code as_file(struct report *report, struct bundle_answers *answers, size_t s,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct report_facts facts = {.query = answers->facts->id};
    struct report written;
    struct bytes text = {0};
    report_of_run(&written, answers->arena, &answers->runs[s], &facts);
    MAILLE_TRY(report_json(&text, &written, error));
    MAILLE_TRY(report_read(report, answers->arena, "a site's result", text.data, text.length, error));
out:
    bytes_clear(&text);
    return code;
}

static bool both(const struct result *a, const struct result *b)
{
    const char *name = NULL;
    return (a == NULL) == (b == NULL) && (a == NULL || result_agrees(a, b, &name));
}

static bool agrees(const struct report_analysis *a, const struct report_analysis *b)
{
    return strcmp(a->id, b->id) == 0 && a->status == b->status &&
           strcmp(a->rule != NULL ? a->rule : "", b->rule != NULL ? b->rule : "") == 0 && a->n == b->n &&
           a->n_missing == b->n_missing && a->n_event == b->n_event && a->suppressed == b->suppressed &&
           a->grid_merged == b->grid_merged && both(a->warnings, b->warnings) &&
           both(a->dropped_levels, b->dropped_levels) && both(a->aliased, b->aliased) &&
           both(a->result, b->result);
}

enum maille_code bundle_answers_compare(struct bundle_answers *answers, struct bundle_facts *facts,
                                        struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = answers->study->n_analyses;
    const struct report *result = &facts->report;
    size_t *same = arena_array(answers->arena, n + 1, sizeof *same),
           *said = arena_array(answers->arena, n + 1, sizeof *said);
    if (result->n_analyses != n) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected the %zu analyses of the study in result.json, found %zu", n,
                           result->n_analyses);
        goto out;
    }
    for (size_t s = 0; s < facts->n_sites; s++) {
        struct report own;
        MAILLE_TRY(as_file(&own, answers, s, error));
        for (size_t k = 0; k < n; k++) {
            said[k] += answers->taken[s * n + k];
            same[k] += answers->taken[s * n + k] && agrees(&result->analyses[k], &own.analyses[k]);
        }
    }
    facts->n_agreed = facts->n_sites;
    for (size_t k = 0; k < n; k++) {
        const bool ok = result->analyses[k].status == ANALYSIS_OK;
        if (!ok && said[k] == 0) /* it never came to an answer: one site refused it, or it left */
            continue;
        if (same[k] < facts->manifest.n_min) {
            code =
                maille_fail(error, MAILLE_SIGNATURE,
                            "expected the %s of %s in result.json to be signed by %u sites, found %zu who "
                            "signed it so",
                            ok ? "numbers" : "end", result->analyses[k].id, facts->manifest.n_min, same[k]);
            goto out;
        }
        facts->n_signed += ok;
        facts->n_agreed = same[k] < facts->n_agreed ? same[k] : facts->n_agreed;
    }
out:
    return code;
}
