#include "stats/shares.h"

#include <string.h>

#include "stats/groups.h"
#include "stats/guard.h"
#include "stats/iptw.h"
#include "stats/methods.h"
#include "stats/wording.h"
#include "tally/exceed.h"

/* Terms of a sum: 1, t and, of what is no variable, t², where x = middle + half·t. Of weights 1 alone. */
enum { TERM_ONE, TERM_VALUE, TERM_SQUARE, TERMS_MAX };
/* What is compared: the patient's part of Σ w·(x − m), and of Σ w·(x − mean)². */
enum { RULE_SHARE, RULE_SPREAD };
/* A part this small of all that is summed is a rounding, not a patient. */
#define SHARE_ROUNDING 0x1p-45
/* A whole of which roundings may be more than this cannot be judged, if bounds were computed: a factor makes
 * them as wide as somebody likes. */
#define SHARE_UNSEEN 0.1

bool shares_judged(const struct surviving *surviving)
{
    return surviving != NULL && surviving->max_share > 0;
}

/* --- θ --- */

/* A count at the end of v[0 … *n − 1], and that many numbers before it. */
static bool take_tail(const double **numbers, size_t *n_numbers, const double *v, size_t *n)
{
    if (*n == 0)
        return false;
    const double count = v[*n - 1];
    if (!(count >= 0 && count <= (double)(*n - 1)) || (double)(size_t)count < count)
        return false;
    *n_numbers = (size_t)count;
    *n -= 1 + *n_numbers;
    *numbers = v + *n;
    return true;
}

enum maille_code shares_read(struct shares_theta *out, const struct vector *theta,
                             const struct surviving *surviving, struct maille_error *error)
{
    struct shares_theta read = {.own = *theta};
    if (shares_judged(surviving) && theta->n > 0 &&
        (!take_tail(&read.marks, &read.n_marks, theta->v, &read.own.n) ||
         !take_tail(&read.sums, &read.n_sums, theta->v, &read.own.n)))
        return maille_fail(error, MAILLE_INVALID,
                           "expected behind the parameters the sums that are judged, found something else");
    *out = read;
    return MAILLE_OK;
}

bool shares_first(const struct shares_theta *theta)
{
    return theta->own.n == 0;
}

static void put_tail(struct vector *theta, const double *numbers, size_t n)
{
    double *v = vector_grow(theta, n);
    if (n > 0)
        memcpy(v, numbers, n * sizeof *v);
    vector_push(theta, (double)n);
}

void shares_close(struct vector *theta, const double *marks, size_t n)
{
    put_tail(theta, NULL, 0);
    put_tail(theta, marks, n);
}

/* --- what is judged --- */

/* A variable of the dictionary: its bounds are those that somebody agreed on. */
static bool is_plain(const struct cells_share *share)
{
    return share->x->op == OP_VARIABLE || share->from_zero;
}

static size_t terms_of(const struct cells_share *share)
{
    return share->from_zero ? TERM_VALUE : is_plain(share) ? TERM_SQUARE : TERMS_MAX;
}

static size_t groups_of(const struct shares *shares, size_t s)
{
    return tally_block_groups(&shares->cells->spec.blocks[shares->list[s].block]);
}

static size_t n_sums(const struct shares *shares)
{
    size_t n = 0;
    for (size_t s = 0; s < shares->n; s++)
        n += groups_of(shares, s) * terms_of(&shares->list[s]);
    return n;
}

enum maille_code shares_of(struct shares *out, const struct analysis *analysis,
                           const struct shares_theta *theta, const struct cells *cells,
                           const struct surviving *surviving, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cells *judged = arena_alloc(arena, sizeof *judged);
    *out = (struct shares){0};
    if (!shares_judged(surviving))
        goto out;
    *judged = *cells;
    const struct method *method = method_find(analysis->method);
    if (analysis->propensity != NULL || method->shares != NULL) { /* weights that depend on θ */
        const struct cells *weighted = NULL;
        MAILLE_TRY((analysis->propensity != NULL ? iptw_shares : method->shares)(&weighted, analysis,
                                                                                 &theta->own, arena, error));
        judged->n_shares = 0;
        if (weighted != NULL) {
            judged->shares = weighted->shares;
            judged->n_shares = weighted->n_shares;
        }
    } else if (!shares_first(theta)) {
        judged->n_shares = 0;
    } else if (analysis->weights != NULL) {
        groups_share_weights(judged, arena, CELLS_COHORT, analysis->weights);
    }
    *out = (struct shares){.list = judged->shares, .n = judged->n_shares, .cells = judged};
    if (theta->n_sums > 0 && theta->n_sums != n_sums(out))
        code = maille_fail(error, MAILLE_INVALID, "expected %zu sums that are judged, found %zu", n_sums(out),
                           theta->n_sums);
out:
    return code;
}

/* --- rounds --- */

/* Σ w·t by the cells of the head counts. */
static enum maille_code sum_block(struct tally_block *block, double *middle, double *half,
                                  const struct cells *cells, const struct cells_share *share,
                                  struct arena *arena, struct maille_error *error)
{
    const struct tally_block *counts = &cells->spec.blocks[share->block];
    const struct expression **terms = arena_array(arena, TERMS_MAX, sizeof *terms);
    enum maille_code code = MAILLE_OK;
    terms[TERM_ONE] = expression_constant(arena, 1);
    if (!share->from_zero) {
        MAILLE_TRY(expression_unit_scale(middle, half, share->x, "a sum", error));
        terms[TERM_VALUE] = expression_scale(arena, share->x, *middle, *half);
        terms[TERM_SQUARE] = expression_power(arena, terms[TERM_VALUE], 2);
    }
    *block = (struct tally_block){.kind = TALLY_MOMENTS,
                                  .filter = counts->filter,
                                  .group = counts->group,
                                  .weight = share->from_zero ? share->x : share->weight,
                                  .terms = terms,
                                  .n_terms = terms_of(share),
                                  .order = 1,
                                  .guard = guard_each(arena, share->block)};
out:
    return code;
}

/* What a cell compares under a rule: Σ shape·(a patient's sums) with a limit. sums: of the cell. */
static void compare(double *shape, double *limit, size_t rule, const struct cells_share *share,
                    const double *sums, double least, double max_share)
{
    double whole = sums[TERM_ONE];
    shape[TERM_ONE] = 1;
    if (rule == RULE_SHARE && !share->from_zero) { /* x − m, in halves */
        shape[TERM_ONE] = least;
        shape[TERM_VALUE] = 1;
        whole = least * sums[TERM_ONE] + sums[TERM_VALUE];
    }
    if (rule == RULE_SPREAD) {
        const double mean = sums[TERM_ONE] > 0 ? sums[TERM_VALUE] / sums[TERM_ONE] : 0;
        shape[TERM_ONE] = mean * mean;
        shape[TERM_VALUE] = -2 * mean;
        shape[TERM_SQUARE] = 1;
        whole = sums[TERM_SQUARE] - mean * sums[TERM_VALUE];
    }
    const double rounding = SHARE_ROUNDING * sums[TERM_ONE];
    *limit = max_share * whole + rounding;
    if (!is_plain(share) && rounding > SHARE_UNSEEN * max_share * whole)
        *limit = -1; /* nobody's part is below 0 */
}

/* Who carries too much of the sums of one block. */
static void exceed_block(struct tally_block *block, const struct tally_spec *spec,
                         const struct cells_share *share, const double *sums, double least, double max_share,
                         struct arena *arena)
{
    const size_t n_groups = tally_block_groups(block), n_terms = block->n_terms,
                 n_rules = is_plain(share) ? RULE_SPREAD : RULE_SPREAD + 1;
    double *shape = arena_array(arena, n_rules * n_groups * n_terms, sizeof *shape);
    double *limits = arena_array(arena, n_rules * n_groups, sizeof *limits);
    for (size_t rule = 0; rule < n_rules; rule++)
        for (size_t g = 0; g < n_groups; g++) {
            const size_t at = rule * n_groups + g;
            compare(shape + at * n_terms, &limits[at], rule, share, sums + g * n_terms, least, max_share);
        }
    struct tally_block *over = arena_alloc(arena, sizeof *over);
    struct tally_exceed *exceed = arena_alloc(arena, sizeof *exceed);
    struct tally_own *own = arena_alloc(arena, sizeof *own);
    struct tally_spec *hashed = arena_alloc(arena, sizeof *hashed);
    *over = *block;
    *hashed = (struct tally_spec){.survival = spec->survival, .n_blocks = 1};
    hashed->blocks[0] = *block;
    *exceed = (struct tally_exceed){
        .survival = spec->survival, .over = over, .n_rules = n_rules, .shape = shape, .limits = limits};
    *own = (struct tally_own){
        .what = arena_printf(
            arena, "whether one patient carries more than %g of a sum, by the cells of its table", max_share),
        .n_values = n_groups,
        .bound = 1,
        .run = tally_exceed_run,
        .context = exceed,
        .over = hashed};
    *block =
        (struct tally_block){.kind = TALLY_OWN, .filter = over->filter, .guard = over->guard, .own = own};
}

enum maille_code shares_plan(struct tally_spec *spec, struct shares *shares, const struct shares_theta *theta,
                             const struct surviving *surviving, struct arena *arena,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const double *sums = theta->sums;
    shares->first = spec->n_blocks;
    if (shares->n > 0 && spec->survival.stop == NULL)
        spec->survival = shares->cells->spec.survival;
    for (size_t s = 0; s < shares->n; s++) {
        const struct cells_share *share = &shares->list[s];
        struct tally_block *block = tally_spec_add(spec);
        double middle = 0, half = 1;
        if (block == NULL)
            return maille_refuse(
                error, "size", "expected at most %d sums in one analysis, found more: split it into several",
                TALLY_BLOCKS_MAX);
        MAILLE_TRY(sum_block(block, &middle, &half, shares->cells, share, arena, error));
        if (theta->n_sums == 0)
            continue;
        exceed_block(block, spec, share, sums, (middle - share->x->low) / half, surviving->max_share, arena);
        sums += groups_of(shares, s) * terms_of(share);
    }
out:
    return code;
}

/* --- steps --- */

void shares_sum(struct vector *theta, const struct shares *shares, const struct shares_theta *read,
                const struct totals *totals)
{
    struct vector made = {0}, sums = {0};
    for (size_t s = 0; s < shares->n; s++)
        for (size_t i = 0; i < groups_of(shares, s) * terms_of(&shares->list[s]); i++)
            vector_push(&sums, totals_real(totals, shares->first + s, i));
    double *own = vector_grow(&made, read->own.n);
    if (read->own.n > 0)
        memcpy(own, read->own.v, read->own.n * sizeof *own);
    put_tail(&made, sums.v, sums.n);
    put_tail(&made, read->marks, read->n_marks);
    vector_clear(&sums);
    vector_clear(theta);
    *theta = made;
}

/* "age and nodes": the variables that a number reads. */
static const char *names_of(const struct cells_share *share, const struct analysis *analysis,
                            struct arena *arena)
{
    const struct dictionary *dictionary = analysis->study->dictionary;
    bool *used = arena_array(arena, dictionary->n_variables + 1, sizeof *used);
    const char *names = "";
    expression_variables(share->x, used);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (used[v])
            names = arena_printf(arena, "%s%s%s", names, names[0] != '\0' ? " and " : "",
                                 dictionary->variables[v].name);
    return share->from_zero ? arena_printf(arena, "the weights (of %s)", names) : names;
}

enum maille_code shares_marks(const double **marks, size_t *n, const struct shares *shares,
                              const struct shares_theta *read, const struct analysis *analysis,
                              const struct totals *totals, struct arena *arena, struct maille_error *error)
{
    double *made = arena_array(arena, read->n_marks + shares->n + 1, sizeof *made);
    if (read->n_marks > 0)
        memcpy(made, read->marks, read->n_marks * sizeof *made);
    *n = read->n_marks;
    *marks = made;
    for (size_t s = 0; s < shares->n && read->n_sums > 0; s++) {
        const struct cells_share *share = &shares->list[s];
        bool carried = false;
        for (size_t g = 0; g < groups_of(shares, s); g++)
            carried = carried || totals_real(totals, shares->first + s, g) > 0;
        if (!carried)
            continue;
        if (shares->cells->rules[share->block] != CELL_TABLE)
            return maille_refuse(error, "max_patient_share",
                                 "one patient carries too much of a sum of %s: ask for its median or for "
                                 "groups of it, or widen the groups",
                                 names_of(share, analysis, arena));
        made[(*n)++] = (double)share->block;
    }
    return MAILLE_OK;
}

const struct surviving *shares_hide(const struct surviving *surviving, const struct cells *cells,
                                    const double *marks, size_t n, struct arena *arena)
{
    if (n == 0)
        return surviving;
    struct surviving *hidden = arena_alloc(arena, sizeof *hidden);
    const uint8_t **kept = arena_array(arena, surviving->n_blocks, sizeof *kept);
    memcpy(kept, surviving->kept, surviving->n_blocks * sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        const size_t block = (size_t)marks[i];
        if (block < surviving->n_blocks) /* all zeros */
            kept[block] = arena_array(arena, tally_block_groups(&cells->spec.blocks[block]), 1);
    }
    *hidden = *surviving;
    hidden->kept = kept;
    return hidden;
}

/* The number that a block tells of, or else the weights of its cells; NULL: neither. */
static const struct cells_share *told_by(const struct cells *cells, size_t block)
{
    const struct cells_share *told = NULL;
    for (size_t s = 0; s < cells->n_shares; s++)
        if (cells->shares[s].block == block &&
            (told == NULL || (told->from_zero && !cells->shares[s].from_zero)))
            told = &cells->shares[s];
    return told;
}

void shares_warn(const struct cells *cells, const double *marks, size_t n, const struct analysis *analysis,
                 struct outcome *outcome)
{
    for (size_t i = 0; i < n; i++) {
        const struct cells_share *told = told_by(cells, (size_t)marks[i]);
        bool said = told == NULL;
        for (size_t k = 0; k < i; k++)
            said = said || marks[k] == marks[i];
        if (!said && told->from_zero)
            wording_warn(
                outcome,
                "numbers of a table are withheld in all groups: in one of its cells one patient "
                "carries too much of %s (max_patient_share): widen the groups, or truncate the weights",
                names_of(told, analysis, outcome->arena));
        else if (!said)
            wording_warn(outcome,
                         "the numbers of %s are withheld in all groups: of one of their sums one patient "
                         "carries too much (max_patient_share); its median or its groups can be asked for",
                         names_of(told, analysis, outcome->arena));
    }
}
