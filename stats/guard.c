#include "stats/guard.h"

#include <string.h>

#include "stats/groups.h"

const struct guard guard_cohort = {.block = CELLS_COHORT, .parts = 1};
const struct guard guard_missing = {.block = CELLS_MISSING, .parts = 1};
const struct guard guard_uncounted = {.block = GUARD_UNCOUNTED};
const struct guard guard_sites = {.block = GUARD_SITES};

bool guard_is_counted(const struct guard *guard)
{
    return guard->block != GUARD_UNCOUNTED && guard->block != GUARD_SITES;
}

static const struct guard *guard_make(struct arena *arena, struct guard guard)
{
    struct guard *made = arena_alloc(arena, sizeof *made);
    *made = guard;
    return made;
}

const struct guard *guard_each(struct arena *arena, size_t block)
{
    return guard_make(arena, (struct guard){.block = block});
}

const struct guard *guard_parts(struct arena *arena, size_t block, size_t parts)
{
    return guard_make(arena, (struct guard){.block = block, .parts = parts});
}

const struct guard *guard_whole(struct arena *arena, size_t block)
{
    return guard_parts(arena, block, 1);
}

const struct guard *guard_joined(struct arena *arena, size_t block, size_t parts, const size_t *to,
                                 uint64_t places)
{
    return guard_make(arena, (struct guard){.block = block, .parts = parts, .to = to, .places = places});
}

const struct guard *guard_places(struct arena *arena, const struct guard *guard, uint64_t places)
{
    struct guard one = *guard;
    one.places = places;
    return guard_make(arena, one);
}

const struct guard *guard_both(struct arena *arena, const struct guard *a, const struct guard *b)
{
    struct guard first = *a;
    first.also = a->also == NULL ? b : guard_both(arena, a->also, b);
    return guard_make(arena, first);
}

const struct guard *guard_behind(struct arena *arena, const struct guard *guard, size_t first)
{
    if (guard == NULL)
        return NULL;
    struct guard moved = *guard;
    moved.block += guard_is_counted(guard) ? first : 0;
    moved.also = guard_behind(arena, guard->also, first);
    return guard_make(arena, moved);
}

/* --- what stands --- */

/* One guard of one block. */
struct watch {
    const struct guard *guard;
    enum cell_rule rule;
    size_t n_groups, n_cells, parts;
    size_t n_bins;       /* of the head counts; 0: no bins */
    const uint8_t *kept; /* n_cells */
};

/* Bins cannot stand one by one as cells of a table do. */
static bool rule_guards(const struct watch *watch)
{
    switch (watch->rule) {
    case CELL_AT_RISK:
        return watch->guard->to == NULL && watch->parts == watch->n_cells;
    case CELL_ENTERING: /* judged with CELL_AT_RISK, which guards both */
        return false;
    case CELL_MERGE:
        return watch->guard->to != NULL || watch->n_cells / watch->parts % watch->n_bins == 0;
    default:
        return watch->guard->to == NULL;
    }
}

static enum maille_code watch_of(struct watch *watch, const struct guard *guard, size_t n_groups,
                                 const struct cells *cells, struct maille_error *error)
{
    *watch = (struct watch){.guard = guard, .n_groups = n_groups, .parts = 1};
    if (!guard_is_counted(guard))
        return MAILLE_OK;
    if (guard->block >= cells->spec.n_blocks)
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected a guard among %zu blocks of head counts, found block %zu",
                           cells->spec.n_blocks, guard->block);
    watch->rule = cells->rules[guard->block];
    watch->n_cells = tally_block_groups(&cells->spec.blocks[guard->block]);
    watch->parts = guard->parts > 0 ? guard->parts : watch->n_cells;
    watch->n_bins = cells->n_bins[guard->block];
    const bool fits = n_groups % watch->parts == 0 &&
                      (guard->to != NULL || watch->n_cells % watch->parts == 0) &&
                      (guard->places == 0 || n_groups / watch->parts <= 64);
    if (!fits || !rule_guards(watch))
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected a guard that fits %zu groups, found block %zu of %zu cells in %zu parts",
                           n_groups, guard->block, watch->n_cells, watch->parts);
    return MAILLE_OK;
}

/* Runs that stand by cells that were kept or not. */
static void stands_by_cells(uint8_t *stands, const struct watch *watch)
{
    memset(stands, 1, watch->parts);
    for (size_t i = 0; i < watch->n_cells; i++)
        if (watch->kept[i] == 0)
            stands[i / (watch->n_cells / watch->parts)] = 0;
}

static void stands_at_risk(uint8_t *stands, const struct watch *watch)
{
    for (size_t i = 0; i < watch->n_cells; i += watch->n_bins)
        memset(stands + i, 1, surviving_end(watch->kept + i, watch->n_bins));
}

/* Runs that joined steps go to; a step that is parted would show some of those who were joined with others.
 */
static enum maille_code stands_joined(uint8_t *stands, const struct watch *watch, struct maille_error *error)
{
    for (size_t i = 0; i < watch->n_cells; i++) {
        const size_t to = watch->guard->to[i];
        const bool joined = (i + 1) % watch->n_bins != 0 && watch->kept[i] == 0;
        if ((to != GUARD_NOWHERE && to >= watch->parts) || (joined && watch->guard->to[i + 1] != to))
            return maille_fail(
                error, MAILLE_INTERNAL,
                "expected a guard that keeps joined steps in one group, found cell %zu of block %zu "
                "parted from the next",
                i, watch->guard->block);
        if (to != GUARD_NOWHERE)
            stands[to] = 1;
    }
    return MAILLE_OK;
}

/* said: 1 of groups that somebody speaks for; kept: 0 of those that one of them takes out. */
static enum maille_code watch_apply(uint8_t *kept, uint8_t *said, const struct watch *watch, uint8_t *stands,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t per_run = watch->n_groups / watch->parts;
    memset(stands, 0, watch->parts);
    if (watch->kept != NULL && watch->guard->to != NULL)
        code = stands_joined(stands, watch, error);
    else if (watch->kept != NULL && watch->rule == CELL_AT_RISK)
        stands_at_risk(stands, watch);
    else if (watch->kept != NULL)
        stands_by_cells(stands, watch);
    for (size_t g = 0; code == MAILLE_OK && g < watch->n_groups; g++) {
        if (watch->guard->places != 0 && (watch->guard->places >> g % per_run & 1) == 0)
            continue;
        said[g] = 1;
        kept[g] = kept[g] && stands[g / per_run];
    }
    return code;
}

enum maille_code guard_mask(const uint8_t **kept, const struct tally_spec *spec, size_t block,
                            const struct cells *cells, const struct surviving *surviving, struct arena *arena,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct guard *guard = spec->blocks[block].guard;
    const size_t n = tally_block_parts(&spec->blocks[block]);
    struct watch watch;
    if (guard == NULL || (surviving != NULL && surviving->n_blocks != cells->spec.n_blocks)) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           guard == NULL
                               ? "expected the head counts that guard block %zu, found none: the method "
                                 "must name them"
                               : "expected what was left of the method's head counts, found of others "
                                 "(block %zu)",
                           block);
        goto out;
    }
    uint8_t *mask = arena_array(arena, n, 1), *said = arena_array(arena, n, 1);
    memset(mask, 1, n);
    for (; guard != NULL; guard = guard->also) {
        MAILLE_TRY(watch_of(&watch, guard, n, cells, error));
        if (surviving == NULL)
            continue;
        if (guard->block == GUARD_SITES) {
            memset(surviving->closed ? said : mask, surviving->closed, n);
            continue;
        }
        if (guard->block != GUARD_UNCOUNTED)
            watch.kept = surviving->kept[guard->block];
        MAILLE_TRY(watch_apply(mask, said, &watch, arena_array(arena, watch.parts, 1), error));
    }
    bool all = true;
    for (size_t g = 0; surviving != NULL && g < n; g++) {
        mask[g] = mask[g] && said[g];
        all = all && mask[g];
    }
    *kept = all ? NULL : mask;
out:
    return code;
}
