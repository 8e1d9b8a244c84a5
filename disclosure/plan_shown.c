/* How much a plan lets be shown of a group: numbers of models by max_scalar_share, moments of one variable by
 * the rule moments (docs/DISCLOSURE.md §8). With what was shown before, analysis by analysis in study order.
 * What the study itself shows before an analysis the plan judges. What other queries showed each site knows
 * for itself, or not: it says so by a veto word of T2, and one that knows is enough, so that sites need not
 * know the same. */
#include <math.h>
#include <string.h>

#include "disclosure/lattice.h"
#include "disclosure/plan_judge.h"

/* Of one variable, in a group of few; and of n patients a tenth of n, or of the values that it can have
 * there: as many power sums as values tell how many patients have each. */
enum { MOMENTS_FEW = 3, MOMENTS_TENTH = 10 };
enum { SCALARS, MOMENTS, KINDS };
enum { PARTS_MAX = 16 }; /* of a cohort, of one variable; what is past them restricts nothing */

/* --- numbers of models --- */

/* The cohort, whatever its rows may miss. */
static enum maille_code scalars_of(struct shown *to, const struct showing *showing, size_t k,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct threshold_analysis *analysis = &showing->threshold->analyses[k];
    const struct analysis *asked = &showing->threshold->study->analyses[k];
    struct bytes group = {0}, item = {0};
    const int64_t patients = threshold_word(showing->first, analysis->blocks[0].counts);
    if (analysis->cells->n_shown == 0)
        return MAILLE_OK;
    if (asked->cohort != NULL)
        expression_serialise(&group, asked->cohort);
    analysis_serialise(&item, showing->arena, asked);
    bytes_put_u64(&item, (uint64_t)patients); /* of another snapshot they are other numbers */
    MAILLE_TRY(bytes_check(&group, error));
    MAILLE_TRY(bytes_check(&item, error));
    shown_add(to, showing->arena,
              &(struct shown_entry){.kind = SHOWN_SCALARS,
                                    .patients = patients,
                                    .amount = analysis->cells->n_shown,
                                    .group = group.data,
                                    .group_length = group.length,
                                    .item = item.data,
                                    .item_length = item.length});
out:
    bytes_clear(&group);
    bytes_clear(&item);
    return code;
}

/* --- moments --- */

/* Patients of a group of a block; 0 where it is not shown. Under a local rule, where nobody knows, so few
 * that the least limit holds. */
static int64_t group_patients(const struct showing *showing, size_t k, size_t b, size_t cell)
{
    const struct threshold_block *block = &showing->threshold->analyses[k].blocks[b];
    if (showing->kept != NULL && !showing->kept[k][b][cell])
        return 0;
    if (block->counts == THRESHOLD_ABSENT)
        return MOMENTS_TENTH;
    const int64_t n = threshold_word(showing->first, block->counts + cell);
    return showing->kept == NULL && (double)n < showing->policy->min_cell ? 0 : n;
}

/* Does the conjunction e hold parts that read variable v alone? Adds them. */
static void parts_of(const struct expression **parts, size_t *n, const struct expression *e, uint32_t v)
{
    uint32_t read = 0;
    bool constant = false;
    if (e == NULL || *n == PARTS_MAX)
        return;
    if (e->op == OP_AND)
        for (size_t i = 0; i < e->n_args; i++)
            parts_of(parts, n, e->args[i], v);
    else if (lattice_reads(&read, &constant, e) && !constant && read == v)
        parts[(*n)++] = e;
}

/* How many values a variable can have in a cohort; 0: too many to count. */
static uint64_t values_of(const struct showing *showing, size_t k, uint32_t v)
{
    const struct variable *variable = &showing->threshold->study->dictionary->variables[v];
    const struct expression *parts[PARTS_MAX];
    struct lattice lattice;
    size_t n = 0;
    uint64_t found = 0;
    parts_of(parts, &n, showing->threshold->study->analyses[k].cohort, v);
    lattice_make(&lattice, showing->arena, variable, parts, n);
    if (!lattice.complete)
        return 0;
    bool *there = arena_array(showing->arena, lattice.n, sizeof *there);
    int32_t *codes = arena_array(showing->arena, lattice.n, sizeof *codes);
    memset(there, 1, lattice.n * sizeof *there);
    for (size_t p = 0; p < n; p++) {
        lattice_code(codes, &lattice, parts[p]);
        for (size_t i = 1; i < lattice.n; i++)
            there[i] = there[i] && codes[i] == 1;
    }
    for (size_t i = 1; i < lattice.n; i++)
        found += there[i];
    return found > 0 ? found : 1;
}

/* Of each variable that the number reads, since the others may be there for show (age^2 + 0·nodes). */
static enum maille_code moments_of(struct shown *to, const struct showing *showing, size_t k,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct threshold_analysis *analysis = &showing->threshold->analyses[k];
    const struct dictionary *dictionary = showing->threshold->study->dictionary;
    struct bytes item = {0};
    for (size_t m = 0; m < analysis->cells->n_moments; m++) {
        const struct cells_moment *moment = &analysis->cells->moments[m];
        bool *used = arena_array(showing->arena, dictionary->n_variables + 1, sizeof *used);
        expression_variables(moment->x, used);
        item.length = 0;
        expression_serialise(&item, moment->x);
        if (moment->weight != NULL)
            expression_serialise(&item, moment->weight);
        bytes_put_u8(&item, 0);
        MAILLE_TRY(bytes_check(&item, error));
        for (uint32_t v = 0; v < dictionary->n_variables; v++) {
            if (!used[v])
                continue;
            uint8_t group[8];
            le64_store(group, v);
            const uint64_t values = values_of(showing, k, v);
            for (size_t cell = 0; cell < analysis->blocks[moment->block].n_cells; cell++) {
                const int64_t n = group_patients(showing, k, moment->block, cell);
                for (unsigned power = 1; n > 0 && power <= moment->powers; power++) {
                    item.data[item.length - 1] = (uint8_t)power;
                    shown_add(to, showing->arena,
                              &(struct shown_entry){.kind = SHOWN_MOMENT,
                                                    .patients = n,
                                                    .amount = 1,
                                                    .values = values,
                                                    .group = group,
                                                    .group_length = sizeof group,
                                                    .item = item.data,
                                                    .item_length = item.length});
                }
            }
        }
    }
out:
    bytes_clear(&item);
    return code;
}

/* --- both --- */

enum maille_code showing_of(struct shown out[2], const struct showing *showing, size_t analysis,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct shown made[KINDS] = {{0}, {0}};
    MAILLE_TRY(scalars_of(&made[SCALARS], showing, analysis, error));
    MAILLE_TRY(moments_of(&made[MOMENTS], showing, analysis, error));
    memcpy(out, made, sizeof made);
out:
    return code;
}

/* How many numbers of the group of an entry may be shown. */
static double most_of(const struct policy *policy, const struct shown_entry *entry)
{
    if (entry->kind == SHOWN_SCALARS ? policy->max_scalar_share == POLICY_OFF : policy->min_cell <= 1)
        return HUGE_VAL;
    if (entry->kind == SHOWN_SCALARS)
        return entry->patients > 0 ? policy->max_scalar_share * (double)entry->patients : HUGE_VAL;
    const uint64_t patients = (uint64_t)entry->patients,
                   least = entry->values > 0 && entry->values < patients ? entry->values : patients;
    return (double)(least / MOMENTS_TENTH > MOMENTS_FEW ? least / MOMENTS_TENTH : MOMENTS_FEW);
}

bool showing_exceeds(const struct showing *showing, const struct shown *const *lists, size_t n,
                     const struct shown *more)
{
    const struct shown **all = arena_array(showing->arena, n + 1, sizeof(const struct shown *));
    for (size_t l = 0; l < n; l++)
        all[l] = lists[l];
    all[n] = more;
    for (size_t i = 0; i < more->n; i++)
        if ((double)shown_of_group(all, n + 1, &more->entries[i], showing->arena) >
            most_of(showing->policy, &more->entries[i]))
            return true;
    return false;
}

static void add_all(struct shown *to, const struct shown *from, struct arena *arena)
{
    for (size_t i = 0; i < from->n; i++)
        shown_add(to, arena, &from->entries[i]);
}

enum maille_code showing_objects(bool (*objects)[2], const struct showing *showing,
                                 const struct shown *before, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct shown study = {0};
    for (size_t k = 0; k < showing->threshold->study->n_analyses; k++) {
        struct shown more[KINDS] = {{0}, {0}};
        const struct shown *const lists[] = {before, &study};
        objects[k][SCALARS] = objects[k][MOMENTS] = false;
        if (!showing->threshold->analyses[k].open)
            continue;
        MAILLE_TRY(showing_of(more, showing, k, error));
        for (size_t kind = 0; kind < KINDS; kind++)
            objects[k][kind] = showing_exceeds(showing, lists, 2, &more[kind]);
        for (size_t kind = 0; kind < KINDS && !objects[k][SCALARS] && !objects[k][MOMENTS]; kind++)
            add_all(&study, &more[kind], showing->arena);
    }
out:
    return code;
}

enum maille_code plan_judge_shown(struct judge *judge, size_t k, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
    const struct showing showing = {.threshold = judge->threshold,
                                    .policy = judge->policy,
                                    .first = judge->first,
                                    .kept = (uint8_t *const *const *)judge->kept,
                                    .arena = judge->plan->arena};
    struct shown more[KINDS] = {{0}, {0}};
    const struct shown *const lists[] = {&judge->plan->shown};
    MAILLE_TRY(showing_of(more, &showing, k, error));
    for (size_t kind = 0; kind < KINDS; kind++)
        if (showing_exceeds(&showing, lists, 1, &more[kind]) ||
            threshold_word(judge->second, analysis->shown[kind]) != 0)
            plan_refuse(judge, k, kind == SCALARS ? "max_scalar_share" : "moments");
    for (size_t kind = 0; kind < KINDS && !plan_refused(judge, k); kind++)
        add_all(&judge->plan->shown, &more[kind], judge->plan->arena);
out:
    return code;
}
