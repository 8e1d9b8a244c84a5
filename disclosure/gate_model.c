/* What a site asks of the sums of a model while it iterates: that no weight singles out a few of its
 * patients. */
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
