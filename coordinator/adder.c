#include "coordinator/adder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct member {
    uint32_t site;
    bool expected, complete;
    struct digest root;
    uint64_t next;
    struct digest *leaves;
    uint8_t *vector; /* NULL unless held */
};

struct adder {
    uint64_t length;
    size_t segments, n, n_runs;
    bool held;
    struct word_run *runs;
    struct member *members;
    uint8_t *sum;
    struct digest sum_root;
};

static void *zeroed(size_t count, size_t size)
{
    return calloc(count == 0 ? 1 : count, size);
}

enum maille_code adder_new(struct adder **adder, uint64_t length, const uint32_t *members, size_t n,
                           const struct word_run *runs, size_t n_runs, size_t held_max,
                           struct maille_error *error)
{
    uint64_t all, covered;
    assert(mask_runs_length(&covered, runs, n_runs) && covered == length); /* message_decode */
    struct adder *made = calloc(1, sizeof *made);
    bool good = made != NULL;
    if (good) {
        made->length = length;
        made->segments = hash_segment_count((size_t)length);
        made->n = n;
        made->n_runs = n_runs;
        made->held = !__builtin_mul_overflow(length, (uint64_t)n, &all) && all <= held_max;
        made->runs = zeroed(n_runs, sizeof *made->runs);
        made->members = zeroed(n, sizeof *made->members);
        made->sum = zeroed((size_t)length, 1);
        good = made->runs != NULL && made->members != NULL && made->sum != NULL;
    }
    if (good && n_runs > 0)
        memcpy(made->runs, runs, n_runs * sizeof *runs);
    for (size_t i = 0; good && i < n; i++) {
        made->members[i].site = members[i];
        made->members[i].leaves = zeroed(made->segments, sizeof *made->members[i].leaves);
        made->members[i].vector = made->held ? zeroed((size_t)length, 1) : NULL;
        good = made->members[i].leaves != NULL && (!made->held || made->members[i].vector != NULL);
    }
    if (!good) {
        adder_free(made);
        return maille_fail(error, MAILLE_MEMORY,
                           "expected memory for the sum of %zu vectors of %llu bytes, found none", n,
                           (unsigned long long)length);
    }
    *adder = made;
    return MAILLE_OK;
}

void adder_free(struct adder *adder)
{
    if (adder == NULL)
        return;
    for (size_t i = 0; adder->members != NULL && i < adder->n; i++) {
        free(adder->members[i].leaves);
        free(adder->members[i].vector);
    }
    free(adder->members);
    free(adder->runs);
    free(adder->sum);
    free(adder);
}

static struct member *find(const struct adder *adder, uint32_t site)
{
    for (size_t i = 0; i < adder->n; i++)
        if (adder->members[i].site == site)
            return &adder->members[i];
    return NULL;
}

static void forget(struct member *member)
{
    member->next = 0;
    member->expected = member->complete = false;
}

/* The last segment of a member is in. */
static enum maille_code finish(struct adder *adder, struct member *member, struct maille_error *error)
{
    struct digest root;
    hash_segment_root(&root, adder->length, member->leaves, adder->segments);
    if (!digest_equal(&root, &member->root)) {
        forget(member);
        if (!adder->held) { /* it is in the sum already */
            memset(adder->sum, 0, (size_t)adder->length);
            for (size_t i = 0; i < adder->n; i++) {
                adder->members[i].next = 0;
                adder->members[i].complete = false;
            }
        }
        return maille_fail(error, MAILLE_SIGNATURE, "expected the vector that site %u signed, found another",
                           member->site);
    }
    member->complete = true;
    if (adder->held)
        share_add(adder->sum, member->vector, 0, (size_t)adder->length, adder->runs, adder->n_runs);
    if (adder_complete(adder))
        hash_vector(&adder->sum_root, adder->sum, (size_t)adder->length);
    return MAILLE_OK;
}

enum maille_code adder_expect(struct adder *adder, uint32_t site, const struct digest *root,
                              struct maille_error *error)
{
    struct member *member = find(adder, site);
    if (member == NULL)
        return maille_protest(error, "member", "expected a member of the round, found site %u", site);
    if (member->expected && digest_equal(&member->root, root))
        return MAILLE_OK;
    if (member->complete)
        return maille_protest(error, "vector", "expected one vector of site %u, found a second", site);
    member->expected = true;
    member->root = *root;
    member->next = 0;
    return adder->segments == 0 ? finish(adder, member, error) : MAILLE_OK;
}

bool adder_expects(const struct adder *adder, uint32_t site)
{
    const struct member *member = find(adder, site);
    return member != NULL && member->expected;
}

enum maille_code adder_segment(struct adder *adder, uint32_t site, uint64_t index, const uint8_t *data,
                               size_t length, bool *taken, struct maille_error *error)
{
    struct member *member = find(adder, site);
    *taken = false;
    if (member == NULL || !member->expected || member->complete || index != member->next ||
        index >= adder->segments)
        return MAILLE_OK;
    const size_t offset = (size_t)index * SEGMENT_BYTES;
    const size_t left = (size_t)adder->length - offset;
    if (length != (left < SEGMENT_BYTES ? left : SEGMENT_BYTES))
        return maille_protest(error, "segment", "expected segment %llu of site %u whole, found %zu bytes",
                              (unsigned long long)index, site, length);
    hash_segment_leaf(&member->leaves[index], index, data, length);
    if (adder->held)
        memcpy(member->vector + offset, data, length);
    else
        share_add(adder->sum + offset, data, offset, length, adder->runs, adder->n_runs);
    member->next++;
    *taken = true;
    return member->next == adder->segments ? finish(adder, member, error) : MAILLE_OK;
}

size_t adder_segments(const struct adder *adder)
{
    return adder->segments;
}

uint64_t adder_next(const struct adder *adder, uint32_t site)
{
    const struct member *member = find(adder, site);
    return member == NULL ? 0 : member->next;
}

bool adder_has(const struct adder *adder, uint32_t site)
{
    const struct member *member = find(adder, site);
    return member != NULL && member->complete;
}

bool adder_complete(const struct adder *adder)
{
    for (size_t i = 0; i < adder->n; i++)
        if (!adder->members[i].complete)
            return false;
    return true;
}

bool adder_holds(const struct adder *adder)
{
    return adder->held;
}

const uint8_t *adder_sum(const struct adder *adder, struct digest *root)
{
    *root = adder->sum_root;
    return adder->sum;
}

const uint8_t *adder_vector(const struct adder *adder, uint32_t site)
{
    const struct member *member = find(adder, site);
    return member == NULL || !member->complete ? NULL : member->vector;
}

const struct digest *adder_leaves(const struct adder *adder, uint32_t site)
{
    const struct member *member = find(adder, site);
    return member == NULL || !member->complete ? NULL : member->leaves;
}
