/* How much a plan lets be shown of a group: numbers of models by max_scalar_share, moments of one variable by
 * the rule moments (docs/DISCLOSURE.md §8). With what was shown before, analysis by analysis in study order.
 */
#include <string.h>

#include "disclosure/plan_judge.h"

/* Of one variable, in a group of few; and of n patients a tenth of n. */
enum { MOMENTS_FEW = 3, MOMENTS_TENTH = 10 };

static int64_t patients_of(const struct judge *judge, const struct threshold_analysis *analysis)
{
    return threshold_word(judge->first, analysis->blocks[0].counts);
}

/* --- numbers of models --- */

/* The cohort, whatever its rows may miss. */
static void scalars_of(struct shown_entry *entry, const struct judge *judge, size_t k, struct bytes *group,
                       struct bytes *item)
{
    const struct analysis *asked = &judge->threshold->study->analyses[k];
    const struct study *study = judge->threshold->study;
    if (asked->cohort != NULL)
        expression_serialise(group, asked->cohort);
    bytes_put_block(item, study->text, study->text_length);
    bytes_put_text(item, asked->id);
    *entry = (struct shown_entry){.kind = SHOWN_SCALARS,
                                  .patients = patients_of(judge, &judge->threshold->analyses[k]),
                                  .amount = judge->threshold->analyses[k].cells->n_shown,
                                  .group = group->data,
                                  .group_length = group->length,
                                  .item = item->data,
                                  .item_length = item->length};
}

static bool too_many_scalars(const struct judge *judge, struct shown_entry *entry)
{
    const double share = judge->policy->max_scalar_share;
    const struct shown one = {.n = 1, .entries = entry};
    const struct shown *const lists[] = {judge->threshold->shown, &judge->plan->shown, &one};
    uint64_t all = shown_of_group(lists, sizeof lists / sizeof *lists, entry);
    return share != POLICY_OFF && entry->patients > 0 && (double)all > share * (double)entry->patients;
}

/* --- moments --- */

/* Patients of a group of a block; 0 where it is not shown. Under a local rule, where nobody knows, so few
 * that the least limit holds. */
static int64_t group_patients(const struct judge *judge, size_t k, size_t b, size_t cell)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct threshold_block *block = &analysis->blocks[b];
    if (!judge->kept[k][b][cell])
        return 0;
    return block->counts == THRESHOLD_ABSENT ? MOMENTS_TENTH
                                             : threshold_word(judge->first, block->counts + cell);
}

/* Adds the moments of an analysis to `to`: of each variable that the number reads, since the others may be
 * there for show (age^2 + 0·nodes). */
static void moments_add(struct shown *to, const struct judge *judge, size_t k, struct arena *arena)
{
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct dictionary *dictionary = judge->threshold->study->dictionary;
    for (size_t m = 0; m < analysis->cells->n_moments; m++) {
        const struct cells_moment *moment = &analysis->cells->moments[m];
        struct bytes item = {0};
        bool *used = arena_array(arena, dictionary->n_variables + 1, sizeof *used);
        uint8_t group[8];
        expression_variables(moment->x, used);
        expression_serialise(&item, moment->x);
        if (moment->weight != NULL)
            expression_serialise(&item, moment->weight);
        bytes_put_u8(&item, 0);
        for (size_t cell = 0; !item.failed && cell < analysis->blocks[moment->block].n_cells; cell++) {
            int64_t n = group_patients(judge, k, moment->block, cell);
            for (unsigned power = 1; n > 0 && power <= moment->powers; power++) {
                item.data[item.length - 1] = (uint8_t)power;
                for (size_t v = 0; v < dictionary->n_variables; v++) {
                    if (!used[v])
                        continue;
                    le64_store(group, v);
                    shown_add(to, arena,
                              &(struct shown_entry){.kind = SHOWN_MOMENT,
                                                    .patients = n,
                                                    .amount = 1,
                                                    .group = group,
                                                    .group_length = sizeof group,
                                                    .item = item.data,
                                                    .item_length = item.length});
                }
            }
        }
        bytes_clear(&item);
    }
}

/* Would one of these make too many of its variable in its group? */
static bool too_many_moments(const struct judge *judge, const struct shown *more)
{
    for (size_t i = 0; i < more->n; i++) {
        const struct shown_entry *entry = &more->entries[i];
        const int64_t most = entry->patients / MOMENTS_TENTH;
        const struct shown *const lists[] = {judge->threshold->shown, &judge->plan->shown, more};
        if (shown_of_group(lists, sizeof lists / sizeof *lists, entry) >
            (uint64_t)(most > MOMENTS_FEW ? most : MOMENTS_FEW))
            return true;
    }
    return false;
}

void plan_judge_shown(struct judge *judge, size_t k)
{
    struct arena *arena = judge->plan->arena;
    struct shown moments = {0};
    struct shown_entry scalars;
    struct bytes group = {0}, item = {0};
    scalars_of(&scalars, judge, k, &group, &item);
    if (group.failed || item.failed || (scalars.amount > 0 && too_many_scalars(judge, &scalars)))
        plan_refuse(judge, k, "max_scalar_share");
    if (judge->policy->min_cell > 1) {
        moments_add(&moments, judge, k, arena);
        if (too_many_moments(judge, &moments))
            plan_refuse(judge, k, "moments");
    }
    if (!plan_refused(judge, k)) {
        if (scalars.amount > 0)
            shown_add(&judge->plan->shown, arena, &scalars);
        for (size_t i = 0; i < moments.n; i++)
            shown_add(&judge->plan->shown, arena, &moments.entries[i]);
    }
    bytes_clear(&group);
    bytes_clear(&item);
}
