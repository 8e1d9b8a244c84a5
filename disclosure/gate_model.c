/* What a site asks of the sums of a model while it iterates: that no weight singles out a few of its
 * patients, and that not more numbers leave than patients can stand behind. */
#include "disclosure/gate.h"

#include <stdio.h>
#include <string.h>

/* Weights are taken as multiples of their mean; none is more than their number, which is below this. */
#define MULTIPLE_MAX 0x1p26

/* Rounding of the sums: equal weights are a share of 1. */
static const double share_slack = 1e-9;

/* The weight of a block where it has one that may single out patients: not below 0 (a residual is no weight),
 * and of more than one sum (a log likelihood). Inside a site's risk sets exp() of the predictor is one. NULL:
 * none. */
static const struct expression *weight_of(const struct tally_block *block, struct arena *arena)
{
    if (block->kind == TALLY_RISKSET &&
        (block->riskset == RISKSET_COX_EFRON || block->riskset == RISKSET_COX_BRESLOW)) {
        const struct expression *risk = expression_unary(arena, OP_EXP, block->eta);
        return block->weight == NULL ? risk : expression_binary(arena, OP_MULTIPLY, block->weight, risk);
    }
    bool many = block->order > 0 || block->group != NULL;
    return block->kind == TALLY_MOMENTS && many && block->weight != NULL && block->weight->low >= 0
               ? block->weight
               : NULL;
}

/* Sums of a pass over the weights, one block per weight. */
struct pass {
    struct tally_spec *spec;
    struct tally_extent *extents;
    struct tally words;
};

static void pass_clear(struct pass *pass)
{
    tally_clear(&pass->words);
}

static void pass_add(struct pass *pass, const struct expression *filter,
                     const struct expression *const *terms, size_t n)
{
    struct tally_block *block = tally_spec_add(pass->spec);
    block->filter = filter;
    block->terms = terms;
    block->n_terms = n;
    block->order = 1;
}

static enum maille_code pass_run(struct pass *pass, struct columns *columns,
                                 const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code;
    size_t bytes;
    MAILLE_TRY(tally_layout(pass->extents, &bytes, pass->spec, error));
    MAILLE_TRY(tally_run(&pass->words, pass->spec, columns, options, error));
out:
    return code;
}

static double pass_sum(const struct pass *pass, size_t block, size_t term)
{
    return tally_real(pass->words.words.data, &pass->extents[block], term);
}

static struct pass pass_of(const struct tally_spec *spec, struct arena *arena)
{
    struct pass pass = {.spec = arena_alloc(arena, sizeof *pass.spec),
                        .extents = arena_array(arena, TALLY_BLOCKS_MAX, sizeof *pass.extents)};
    pass.spec->survival = spec->survival;
    return pass;
}

/* Σw and Σw² as one sum of squares would lose small weights under a large public bound; so the mean first,
 * then Σ(w/mean)². */
enum maille_code gate_weight_share(double *share, const struct tally_spec *spec, struct columns *columns,
                                   const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *weights[TALLY_BLOCKS_MAX], *filters[TALLY_BLOCKS_MAX];
    size_t n = 0, judged = 0;
    double least = 1, rows[TALLY_BLOCKS_MAX];
    struct pass means = {.spec = NULL}, squares = {.spec = NULL};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to judge weights, found none");
    means = pass_of(spec, arena);
    squares = pass_of(spec, arena);
    for (size_t b = 0; b < spec->n_blocks; b++) {
        weights[n] = weight_of(&spec->blocks[b], arena);
        filters[n] = spec->blocks[b].filter;
        if (weights[n] == NULL)
            continue;
        const struct expression **terms = arena_array(arena, 2, sizeof *terms);
        terms[0] = expression_constant(arena, 1);
        terms[1] = weights[n];
        pass_add(&means, filters[n++], terms, 2);
    }
    if (n > 0)
        MAILLE_TRY(pass_run(&means, columns, options, error));
    for (size_t i = 0; i < n; i++) {
        double count = pass_sum(&means, i, 0), sum = pass_sum(&means, i, 1);
        if (!(count > 0 && sum > 0)) /* nobody here, or nothing leaves */
            continue;
        const struct expression *multiple =
            expression_binary(arena, OP_MULTIPLY, weights[i], expression_constant(arena, count / sum));
        const struct expression **term = arena_alloc(arena, sizeof *term);
        *term = expression_power(
            arena, expression_binary(arena, OP_MIN, multiple, expression_constant(arena, MULTIPLE_MAX)), 2);
        pass_add(&squares, filters[i], term, 1);
        rows[judged++] = count;
    }
    if (judged > 0)
        MAILLE_TRY(pass_run(&squares, columns, options, error));
    for (size_t i = 0; i < judged; i++) {
        double own = rows[i] / pass_sum(&squares, i, 0); /* (Σw)²/(n·Σw²) */
        least = own < least ? own : least;
    }
    *share = least;
out:
    pass_clear(&means);
    pass_clear(&squares);
    arena_free(arena);
    return code;
}

void gate_weights(struct verdict *verdict, const struct policy *policy, double share)
{
    if (policy->min_ess_share == POLICY_OFF || share >= policy->min_ess_share * (1 - share_slack))
        return;
    gate_refuse(verdict, "min_ess_share",
                "the weights of this round stand for fewer patients here than the policy allows");
}

/* Does it read where a row stands on the grid? */
static bool reads_steps(const struct expression *e)
{
    bool found = e->op == OP_SURV_EXIT || e->op == OP_SURV_ENTRY;
    for (size_t i = 0; i < e->n_args && !found; i++)
        found = reads_steps(e->args[i]);
    return found;
}

/* Sums by step of the grid: behind threshold rounds every step has min_cell patients or more (CELL_MERGE). */
static bool by_step(const struct tally_block *block)
{
    return block->kind == TALLY_MOMENTS && block->group != NULL && reads_steps(block->group);
}

bool gate_sums_by_step(const struct tally_spec *spec)
{
    for (size_t b = 0; b < spec->n_blocks; b++)
        if (by_step(&spec->blocks[b]) && spec->blocks[b].order > 0)
            return true;
    return false;
}

uint64_t gate_scalars_of(const struct tally_spec *spec, const struct tally_extent *extents)
{
    uint64_t n = 0;
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        const size_t n_parts = tally_block_parts(block), per_part = extents[b].count / n_parts;
        if (block->kind == TALLY_MOMENTS && block->order == 0 && block->weight == NULL)
            continue; /* a head count: other rules are for those */
        if (by_step(block))
            continue; /* each of enough patients; gate_steps bounds how often */
        for (size_t i = 0; i < n_parts; i++)
            n += block->kept == NULL || block->kept[i] != 0 ? per_part : 0;
    }
    return n;
}

void gate_scalars(struct verdict *verdict, const struct policy *policy, uint64_t scalars, int64_t patients)
{
    if (policy->max_scalar_share == POLICY_OFF || patients <= 0 ||
        (double)scalars <= policy->max_scalar_share * (double)patients)
        return;
    gate_refuse(verdict, "max_scalar_share",
                "the rounds of this model release more numbers for its patients than the policy allows");
}

void gate_steps(struct verdict *verdict, const struct policy *policy, uint64_t rounds)
{
    const double most = 2 * (policy->min_cell - 1);
    if (policy->max_scalar_share == POLICY_OFF || policy->min_cell <= 1 || (double)rounds <= most)
        return;
    gate_refuse(verdict, "max_scalar_share",
                "the risk sets of this model were asked for in more rounds than the policy allows");
}
