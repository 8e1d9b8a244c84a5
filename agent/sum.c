/* The sum, fetched by credit and added again: nothing the coordinator says of it is believed
 * (docs/PROTOCOL.md §3, sum). */
#include "agent/private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Segments under way at once, and what a sample holds at least. Where all vectors together are no longer than
 * WHOLE_BYTES nothing is sampled, whatever the coordinator says that it holds. */
enum { CREDIT = 64, PULL_MAX = 16, LEAVES_MAX = 1024, SAMPLE_SEGMENTS = 256, WHOLE_BYTES = 64 * 1024 * 1024 };

static size_t segment_bytes(uint64_t length, uint64_t index)
{
    uint64_t start = index * SEGMENT_BYTES;
    return (size_t)(length - start < SEGMENT_BYTES ? length - start : SEGMENT_BYTES);
}

static uint64_t wanted_segment(const struct agent_vector *vector, size_t position)
{
    return vector->wanted != NULL ? vector->wanted[position] : position;
}

static enum maille_code send_pull(struct agent *agent, uint32_t source, enum pull_what what, uint64_t first,
                                  uint32_t count, struct maille_error *error)
{
    struct message_pull pull = {
        .psi = agent->at.psi, .source = source, .what = what, .first = first, .count = count};
    struct bytes body = {0};
    memcpy(pull.qid, agent->qid, QID_BYTES);
    enum maille_code code = message_pull_encode(&body, &pull, error);
    return code == MAILLE_OK ? agent_send(agent, MESSAGE_PULL, &body, error) : code;
}

/* Leaves come before segments where a sample is drawn: the root must be the signed one before a segment means
 * anything. */
static bool needs_leaves(const struct agent *agent, const struct agent_vector *vector)
{
    return !agent->at.held && vector->source != 0 &&
           vector->leaves_got < hash_segment_count((size_t)agent->at.shape.length);
}

enum maille_code agent_pull(struct agent *agent, bool again, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent_round *at = &agent->at;
    size_t under_way = 0;
    if (!at->closed || !at->has_sum)
        return MAILLE_OK;
    agent->sum_moved_ms = agent_now_ms(agent);
    for (size_t v = 0; v < at->n_vectors; v++) {
        struct agent_vector *vector = &at->vectors[v];
        if (again) { /* what was under way is lost: from the first that is not here */
            vector->asked = vector->under_way = 0;
            vector->leaves_asked = false;
        }
        under_way += vector->under_way + vector->leaves_asked;
    }
    for (size_t v = 0; v < at->n_vectors && under_way < CREDIT; v++) {
        struct agent_vector *vector = &at->vectors[v];
        if (!at->held && v > 0 && !at->vectors[0].verified)
            break; /* the sum first and whole: the sample is told after it is known */
        if (needs_leaves(agent, vector)) {
            size_t left = hash_segment_count((size_t)at->shape.length) - vector->leaves_got;
            if (vector->leaves_asked)
                continue;
            MAILLE_TRY(send_pull(agent, vector->source, PULL_LEAVES, vector->leaves_got,
                                 (uint32_t)(left < LEAVES_MAX ? left : LEAVES_MAX), error));
            vector->leaves_asked = true;
            under_way++;
            continue;
        }
        while (vector->asked < vector->n_wanted && under_way < CREDIT) {
            if (vector->have[vector->asked]) { /* after a loss: those that came already */
                vector->asked++;
                continue;
            }
            uint64_t first = wanted_segment(vector, vector->asked);
            uint32_t count = 1;
            while (count < PULL_MAX && vector->asked + count < vector->n_wanted &&
                   under_way + count < CREDIT &&
                   wanted_segment(vector, vector->asked + count) == first + count &&
                   !vector->have[vector->asked + count])
                count++;
            MAILLE_TRY(send_pull(agent, vector->source, PULL_SEGMENTS, first, count, error));
            vector->asked += count;
            vector->under_way += count;
            under_way += count;
        }
    }
out:
    return code;
}

static enum maille_code vector_init(struct agent_vector *vector, uint32_t source, const struct digest *root,
                                    uint64_t length, const uint64_t *wanted, size_t n_wanted, bool keep,
                                    struct maille_error *error)
{
    size_t segments = hash_segment_count(length);
    *vector = (struct agent_vector){
        .source = source, .root = *root, .n_wanted = wanted != NULL ? n_wanted : segments};
    vector->leaves = calloc(segments + 1, sizeof *vector->leaves);
    vector->have = calloc(vector->n_wanted + 1, 1);
    vector->bytes = keep ? calloc(1, length + 1) : NULL;
    vector->wanted = wanted != NULL ? calloc(n_wanted + 1, sizeof *wanted) : NULL;
    if (vector->leaves == NULL || vector->have == NULL || (keep && vector->bytes == NULL) ||
        (wanted != NULL && vector->wanted == NULL))
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a sum of %llu bytes, found none",
                           (unsigned long long)length);
    if (wanted != NULL)
        memcpy(vector->wanted, wanted, n_wanted * sizeof *wanted);
    return MAILLE_OK;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* A fresh sample of segments, ascending, without repeats: Floyd's algorithm (Bentley and Floyd, CACM 30(9),
 * 1987). */
static uint64_t *draw_sample(size_t segments, size_t least, size_t *n)
{
    size_t take = segments < least ? segments : least, drawn = 0;
    assert(take < SIZE_MAX);
    uint64_t *sample = calloc(take + 1, sizeof *sample);
    for (size_t j = segments - take; sample != NULL && j < segments; j++) {
        uint64_t pick = crypto_random_below((uint32_t)j + 1);
        for (size_t i = 0; i < drawn; i++)
            if (sample[i] == pick)
                pick = j;
        sample[drawn++] = pick;
    }
    if (sample != NULL)
        qsort(sample, drawn, sizeof *sample, compare_u64);
    *n = drawn;
    return sample;
}

enum maille_code agent_on_sum(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent_round *at = &agent->at;
    const struct message_sum *sum = &in->body.sum;
    uint64_t *sample = NULL;
    size_t n_sample = 0;
    if (agent_in_circle(agent) || !at->closed || at->has_sum || !digest_equal(&sum->psi, &at->psi))
        goto out; /* before its close: C sends both again */
    if (sum->length != at->shape.length) {
        code = maille_fail(
            error, MAILLE_SIGNATURE,
            "expected a sum of %llu bytes from the coordinator, found %llu; the query cannot go on",
            (unsigned long long)at->shape.length, (unsigned long long)sum->length);
        goto out;
    }
    if (!sum->vectors_held) {
        const bool whole = sum->length <= WHOLE_BYTES / at->n_members;
        sample = draw_sample(hash_segment_count(sum->length), whole ? SIZE_MAX : SAMPLE_SEGMENTS, &n_sample);
        if (sample == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
            goto out;
        }
    }
    at->held = sum->vectors_held;
    at->own_sum = calloc(1, sum->length + 1);
    at->vectors = calloc(at->n_members + 1, sizeof *at->vectors);
    if (at->own_sum == NULL || at->vectors == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a sum of %llu bytes, found none",
                           (unsigned long long)sum->length);
        goto out;
    }
    at->n_vectors = at->n_members + 1;
    MAILLE_TRY(vector_init(&at->vectors[0], 0, &sum->sum_hash, sum->length, NULL, 0, true, error));
    for (size_t m = 0; m < at->n_members; m++)
        MAILLE_TRY(vector_init(&at->vectors[m + 1], at->members[m], &at->masked[m].share.vector, sum->length,
                               sample, n_sample, false, error));
    at->has_sum = true;
    agent->moved_ms = agent_now_ms(agent);
    MAILLE_TRY(agent_pull(agent, false, error));
out:
    free(sample);
    return code;
}

static enum maille_code blame(const struct agent *agent, uint32_t source, struct maille_error *error)
{
    return maille_fail(
        error, MAILLE_SIGNATURE,
        source == 0 ? "expected the sum that %s signed for, found other bytes from it; the query cannot go on"
                    : "expected from %s the vector that %s signed, found other bytes; the query cannot go on",
        agent->options.directory->coordinator.name, agent_site_name(agent, source));
}

static enum maille_code take_leaves(struct agent *agent, struct agent_vector *vector,
                                    const struct message *in, struct maille_error *error)
{
    const struct message_segment *segment = &in->body.segment;
    size_t segments = hash_segment_count((size_t)agent->at.shape.length), n = in->frame_length / HASH_BYTES;
    struct digest root;
    if (agent->at.held || segment->index != vector->leaves_got || in->frame_length % HASH_BYTES != 0 ||
        n == 0 || n > segments - vector->leaves_got)
        return MAILLE_OK; /* not what is asked for at this moment */
    memcpy(vector->leaves + vector->leaves_got, in->frame, n * HASH_BYTES);
    vector->leaves_got += n;
    vector->leaves_asked = false;
    if (vector->leaves_got == segments) {
        hash_segment_root(&root, agent->at.shape.length, vector->leaves, segments);
        if (!digest_equal(&root, &vector->root))
            return blame(agent, vector->source, error);
    }
    return MAILLE_OK;
}

/* Everything of this vector has come: its root is the signed one. */
static enum maille_code vector_finish(struct agent *agent, struct agent_vector *vector,
                                      struct maille_error *error)
{
    struct digest root;
    if (vector->wanted == NULL) {
        hash_segment_root(&root, agent->at.shape.length, vector->leaves, vector->n_wanted);
        if (!digest_equal(&root, &vector->root))
            return blame(agent, vector->source, error);
    }
    vector->verified = true;
    return MAILLE_OK;
}

static enum maille_code take_segment(struct agent *agent, struct agent_vector *vector,
                                     const struct message *in, struct maille_error *error)
{
    const struct message_segment *segment = &in->body.segment;
    struct agent_round *at = &agent->at;
    size_t position = 0;
    if (vector->wanted == NULL)
        position = segment->index < vector->n_wanted ? (size_t)segment->index : vector->n_wanted;
    else
        while (position < vector->n_wanted && vector->wanted[position] != segment->index)
            position++;
    if (position == vector->n_wanted || vector->have[position] || needs_leaves(agent, vector))
        return MAILLE_OK;
    if (in->frame == NULL || in->frame_length != segment_bytes(at->shape.length, segment->index))
        return blame(agent, vector->source, error);
    struct digest leaf;
    hash_segment_leaf(&leaf, segment->index, in->frame, in->frame_length);
    if (vector->wanted != NULL && !digest_equal(&leaf, &vector->leaves[segment->index]))
        return blame(agent, vector->source, error);
    vector->leaves[segment->index] = leaf;
    size_t offset = (size_t)segment->index * SEGMENT_BYTES;
    if (vector->bytes != NULL)
        memcpy(vector->bytes + offset, in->frame, in->frame_length);
    else
        share_add(at->own_sum + offset, in->frame, offset, in->frame_length, at->shape.runs,
                  at->shape.n_runs);
    vector->have[position] = 1;
    vector->got++;
    vector->under_way -= vector->under_way > 0;
    if (vector->got == vector->n_wanted)
        return vector_finish(agent, vector, error);
    return MAILLE_OK;
}

enum maille_code agent_on_segment(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct agent_round *at = &agent->at;
    const struct message_segment *segment = &in->body.segment;
    if (!at->has_sum || !digest_equal(&segment->psi, &at->psi))
        goto out;
    for (size_t v = 0; v < at->n_vectors; v++) {
        struct agent_vector *vector = &at->vectors[v];
        if (vector->source != segment->source || vector->verified)
            continue;
        code = segment->what == PULL_LEAVES ? take_leaves(agent, vector, in, error)
                                            : take_segment(agent, vector, in, error);
        if (code != MAILLE_OK)
            goto out;
        agent->moved_ms = agent->sum_moved_ms = agent_now_ms(agent);
        break;
    }
    /* All vectors are there: the coordinator's addition is done again where the segments are known. */
    bool all = true;
    for (size_t v = 0; v < at->n_vectors; v++)
        all = all && at->vectors[v].verified;
    if (!all) {
        MAILLE_TRY(agent_pull(agent, false, error));
        goto out;
    }
    const struct agent_vector *one = &at->vectors[at->n_vectors - 1];
    for (size_t w = 0; w < one->n_wanted; w++) {
        uint64_t index = wanted_segment(one, w);
        size_t offset = (size_t)index * SEGMENT_BYTES;
        if (memcmp(at->own_sum + offset, at->vectors[0].bytes + offset,
                   segment_bytes(at->shape.length, index)) != 0) {
            code = maille_fail(
                error, MAILLE_SIGNATURE,
                "expected the sum of what the sites signed, found another from %s; the query cannot go on",
                agent->options.directory->coordinator.name);
            goto out;
        }
    }
out:
    return code;
}

bool agent_sum_complete(const struct agent *agent)
{
    if (!agent->at.has_sum)
        return false;
    for (size_t v = 0; v < agent->at.n_vectors; v++)
        if (!agent->at.vectors[v].verified)
            return false;
    return true;
}
