/* Where the words of a spec stand and how they are scaled: from public bounds only. */
#include <string.h>

#include "tally/fixed.h"
#include "tally/program.h"
#include "tally/riskset.h"
#include "tally/tally.h"

/* The exponent of a weight that disclosure control still accepts. */
#define THETA_MAX 30.0
/* The same of a logit that is cut off at THETA_MAX: how steep it may be. */
#define THETA_CUT_MAX 100.0

struct tally_block *tally_spec_add(struct tally_spec *spec)
{
    if (spec->n_blocks >= TALLY_BLOCKS_MAX)
        return NULL;
    struct tally_block *block = &spec->blocks[spec->n_blocks++];
    memset(block, 0, sizeof *block);
    return block;
}

static double magnitude(const struct expression *e)
{
    double low = e->low < 0 ? -e->low : e->low, high = e->high < 0 ? -e->high : e->high;
    return low > high ? low : high;
}

static bool is_finite(double x)
{
    return x - x == 0;
}

/* ⌈log2(x)⌉ of a finite x > 0; −1022 for anything smaller. */
static int ceil_log2(double x)
{
    uint64_t bits = fixed_bits(x);
    int exponent = (int)(bits >> 52 & 2047) - 1023;
    if (exponent < -1022)
        return -1022;
    return exponent + ((bits & ((UINT64_C(1) << 52) - 1)) != 0);
}

static enum maille_code bounded(const struct expression *e, const char *what, size_t number,
                                struct maille_error *error)
{
    if (is_finite(e->low) && is_finite(e->high) && e->low <= e->high)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_FAILED,
        "expected a bounded expression as %s %zu, found values from %g to %g (line %d); use variables with "
        "min and max, and arguments of log() and / that stay above 0",
        what, number, e->low, e->high, e->line);
}

static enum maille_code theta_refuse(double found, double most, struct maille_error *error)
{
    return maille_refuse(error, "theta",
                         "expected an exponent of at most %g within the bounds of the dictionary, found %g; "
                         "narrow min and max, "
                         "or drop the covariate that makes it so large",
                         most, found);
}

/* The predictor under min(max(x, …), …); x itself where it is not cut off. */
static const struct expression *uncut(const struct expression *x)
{
    for (size_t i = 0; i < 2 && (x->op == OP_MIN || x->op == OP_MAX); i++)
        x = x->args[0];
    return x;
}

/* own: of a site's own rounds, where an exponent that is cut off meets the limit of a logit. */
static enum maille_code check_exponents(const struct program *program, bool own, struct maille_error *error)
{
    for (uint32_t i = 0; i < program->n_instructions; i++) {
        const struct expression *e = program->instructions[i].node;
        if (e->op == OP_EXP && e->args[0]->high > THETA_MAX)
            return theta_refuse(e->args[0]->high, THETA_MAX, error);
        if (e->op != OP_LOGISTIC && e->op != OP_SOFTPLUS &&
            !(own && e->op == OP_EXP && uncut(e->args[0]) != e->args[0]))
            continue;
        const struct expression *x = uncut(e->args[0]);
        double most = x == e->args[0] ? THETA_MAX : THETA_CUT_MAX;
        if (x->op == OP_LINEAR && magnitude(x) > most)
            return theta_refuse(magnitude(x), most, error);
    }
    return MAILLE_OK;
}

static enum maille_code check_survival_leaves(const struct program *program, const struct tally_spec *spec,
                                              struct maille_error *error)
{
    for (uint32_t i = 0; i < program->n_instructions; i++) {
        enum expression_op op = program->instructions[i].node->op;
        bool leaf = expression_op_follows_up(op);
        if ((leaf && spec->survival.stop == NULL) || (op == OP_SURV_ENTRY && spec->survival.start == NULL))
            return maille_fail(error, MAILLE_INVALID,
                               "expected follow-up times for an expression that reads them, found none");
    }
    return MAILLE_OK;
}

/* Everything that a block evaluates, for the checks on single nodes. */
static enum maille_code check_expressions(const struct tally_spec *spec, const struct tally_block *block,
                                          bool own, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct program program;
    const struct expression **roots = arena_array(arena, block->n_terms + 4, sizeof *roots);
    roots[0] = block->weight;
    for (size_t i = 0; i < block->n_terms; i++)
        roots[1 + i] = block->terms[i];
    MAILLE_TRY(program_compile(&program, arena, roots, block->n_terms + 1, false, error));
    MAILLE_TRY(check_exponents(&program, own, error));
    if (block->kind == TALLY_RISKSET && block->eta != NULL &&
        !(block->eta->high <= THETA_MAX && block->eta->low >= -THETA_CUT_MAX)) {
        code = theta_refuse(magnitude(block->eta), THETA_MAX, error);
        goto out;
    }
    roots[block->n_terms + 1] = block->filter;
    roots[block->n_terms + 2] = block->group;
    roots[block->n_terms + 3] = block->kind == TALLY_RISKSET ? block->eta : NULL;
    MAILLE_TRY(program_compile(&program, arena, roots, block->n_terms + 4, false, error));
    MAILLE_TRY(
        check_exponents(&program, own, error)); /* a group may be an interval of a predicted probability */
    MAILLE_TRY(check_survival_leaves(&program, spec, error));
    if (block->kind == TALLY_OWN && block->own->over != NULL)
        for (size_t b = 0; b < block->own->over->n_blocks; b++)
            MAILLE_TRY(check_expressions(block->own->over, &block->own->over->blocks[b], true, arena, error));
out:
    return code;
}

static enum maille_code check_shape(const struct tally_spec *spec, const struct tally_block *block,
                                    struct maille_error *error)
{
    bool counts = block->order == 0 && block->weight == NULL;
    if (block->n_terms > TALLY_TERMS_MAX)
        return maille_fail(error, MAILLE_INVALID,
                           "expected at most %d terms, found %zu; ask for fewer variables", TALLY_TERMS_MAX,
                           block->n_terms);
    if (block->group != NULL && (block->group->kind != EXPRESSION_CODE || block->group->n_levels == 0))
        return maille_fail(error, MAILLE_INVALID,
                           "expected groups that are categories, found something else");
    if (block->group != NULL && block->group->n_levels > TALLY_GROUPS_MAX)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected at most %d cells, found %u; ask for fewer variables, levels or a coarser grid",
            TALLY_GROUPS_MAX, block->group->n_levels);
    if (block->kind == TALLY_MOMENTS &&
        (block->order < 0 || block->order > 2 || (block->distinct && !counts)))
        return maille_fail(error, MAILLE_INVALID,
                           "expected moments of order 0 to 2, and patients counted without a weight");
    if (block->kind == TALLY_OWN &&
        (block->own == NULL || block->own->what == NULL || block->own->run == NULL ||
         block->own->n_values == 0 || block->own->n_values > TALLY_OWN_MAX || block->n_terms != 0 ||
         !(block->own->bound > 0) || !is_finite(block->own->bound)))
        return maille_fail(error, MAILLE_INVALID,
                           "expected 1 to %d numbers of a site with a public bound, found others",
                           TALLY_OWN_MAX);
    if (block->kind != TALLY_RISKSET)
        return MAILLE_OK;
    bool cox = block->riskset != RISKSET_LOGRANK;
    if (spec->survival.stop == NULL || (cox && block->eta == NULL) ||
        (!cox && (block->arms == NULL || block->arms->kind != EXPRESSION_CODE || block->weight != NULL ||
                  (block->rho != 0 && block->rho != 1))))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected follow-up times with a linear predictor, or arms without a weight and rho 0 or 1");
    if (block->riskset == RISKSET_SCORES_LEVELS &&
        (block->arms == NULL || block->arms->kind != EXPRESSION_CODE || block->n_terms == 0 ||
         block->terms[block->n_terms - 1]->low < 0 ||
         !(block->terms[block->n_terms - 1]->high <= block->arms->n_levels - 1)))
        return maille_fail(error, MAILLE_INVALID,
                           "expected the level of every row as the last term, found something else");
    if (!(block->bound > 0) || !is_finite(block->bound))
        return maille_fail(error, MAILLE_FAILED, "expected a public bound of each sum, found %g",
                           block->bound);
    return MAILLE_OK;
}

/* Bound of |one patient row's part| in any of the block's sums. */
static enum maille_code block_bound(double *bound, const struct tally_block *block,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    double weight = 1, term = 0;
    if (block->weight != NULL) {
        MAILLE_TRY(bounded(block->weight, "weight", 1, error));
        weight = magnitude(block->weight);
    }
    bool summed = block->kind == TALLY_MOMENTS && block->order > 0;
    for (size_t i = 0; summed && i < block->n_terms; i++) {
        MAILLE_TRY(bounded(block->terms[i], "term", i + 1, error));
        term = magnitude(block->terms[i]) > term ? magnitude(block->terms[i]) : term;
    }
    if (block->kind == TALLY_RISKSET)
        *bound = block->bound;
    else if (block->kind == TALLY_OWN) /* one number a site instead of one a patient */
        *bound = fixed_power(TALLY_SITES_MAX_LOG2 - TALLY_N_MAX_LOG2) * block->own->bound;
    else
        *bound = block->order == 0 ? weight : block->order == 1 ? weight * term : weight * term * term;
out:
    return code;
}

size_t tally_block_groups(const struct tally_block *block)
{
    return block->group == NULL ? 1 : block->group->n_levels;
}

size_t tally_block_values(const struct tally_block *block)
{
    return block->order == 0   ? 1
           : block->order == 1 ? block->n_terms
                               : block->n_terms * (block->n_terms + 1) / 2;
}

size_t tally_block_parts(const struct tally_block *block)
{
    if (block->kind == TALLY_OWN)
        return block->own->n_values;
    return block->kind == TALLY_MOMENTS ? tally_block_groups(block) : 1;
}

static size_t block_values(const struct tally_block *block)
{
    size_t n = block->n_terms;
    if (block->kind == TALLY_OWN)
        return block->own->n_values;
    if (block->kind == TALLY_RISKSET) {
        if (block->riskset == RISKSET_LOGRANK) {
            size_t arms = block->arms->n_levels;
            return 2 * arms + arms * (arms + 1) / 2;
        }
        if (riskset_is_concordance(block->riskset))
            return RISKSET_PAIRS;
        if (block->riskset == RISKSET_SCORES_LEVELS) /* the last term is the level */
            return block->arms->n_levels * (n - 1);
        if (block->riskset >= RISKSET_SQUARE)
            return n * (n + 1) / 2;
        return 1 + n + n * (n + 1) / 2;
    }
    return tally_block_groups(block) * tally_block_values(block);
}

static enum maille_code block_layout(struct tally_extent *extent, const struct tally_spec *spec,
                                     const struct tally_block *block, struct arena *arena,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    double bound = 0;
    MAILLE_TRY(check_shape(spec, block, error));
    MAILLE_TRY(check_expressions(spec, block, false, arena, error));
    MAILLE_TRY(block_bound(&bound, block, error));
    extent->count = block_values(block);
    if (block->kind == TALLY_MOMENTS && block->order == 0 && block->weight == NULL) {
        extent->width = 8;
        extent->fraction = 0;
        goto out;
    }
    int fraction = !is_finite(bound) ? -1 : bound > 0 ? 126 - TALLY_N_MAX_LOG2 - ceil_log2(bound) : 64;
    if (fraction < 0) {
        code = maille_fail(
            error, MAILLE_FAILED,
            "expected terms whose products stay below 2^%d, found a bound of %g; narrow min and max",
            126 - TALLY_N_MAX_LOG2, bound);
        goto out;
    }
    extent->width = 16;
    extent->fraction = fraction > 64 ? 64 : fraction;
out:
    return code;
}

enum maille_code tally_layout(struct tally_extent *extents, size_t *bytes, const struct tally_spec *spec,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct tally_extent made[TALLY_BLOCKS_MAX] = {{0}};
    size_t offset = 0;
    struct arena *arena = arena_new();
    if (arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a layout, found none");
        goto out;
    }
    if (spec->n_blocks > TALLY_BLOCKS_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected at most %d blocks, found %zu", TALLY_BLOCKS_MAX,
                           spec->n_blocks);
        goto out;
    }
    for (size_t b = 0; b < spec->n_blocks; b++) {
        MAILLE_TRY(block_layout(&made[b], spec, &spec->blocks[b], arena, error));
        /* Words of 16 bytes start at a multiple of 16: no word is cut by a segment of the wire. The gap is a
         * zero word. */
        offset = (offset + made[b].width - 1) / made[b].width * made[b].width;
        made[b].offset = offset;
        /* At most 2^22 groups of 2^17 values of 16 bytes: no overflow. */
        offset += made[b].count * made[b].width;
        if (offset > TALLY_BYTES_MAX) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected at most %zu MiB of sums, found more; ask for fewer cells or terms",
                               TALLY_BYTES_MAX >> 20);
            goto out;
        }
    }
    memcpy(extents, made, spec->n_blocks * sizeof *made);
    *bytes = (offset + 15) / 16 * 16;
out:
    arena_free(arena);
    return code;
}

static void put_optional(struct bytes *out, const struct expression *e)
{
    bytes_put_u8(out, e != NULL);
    if (e != NULL)
        expression_serialise(out, e);
}

void tally_spec_serialise(struct bytes *out, const struct tally_spec *spec)
{
    const struct tally_survival *survival = &spec->survival;
    bytes_put_u8(out, survival->stop != NULL);
    if (survival->stop != NULL) {
        put_optional(out, survival->filter);
        put_optional(out, survival->start);
        put_optional(out, survival->stop);
        put_optional(out, survival->event);
        put_optional(out, survival->same);
        bytes_put_u8(out, survival->joins);
        bytes_put_f64(out, survival->lattice);
        bytes_put_f64(out, survival->per_bin);
        bytes_put_u32(out, survival->n_bins);
    }
    bytes_put_u64(out, spec->n_blocks);
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        bytes_put_u8(out, (uint8_t)block->kind);
        put_optional(out, block->filter);
        put_optional(out, block->group);
        put_optional(out, block->weight);
        bytes_put_u64(out, block->n_terms);
        for (size_t i = 0; i < block->n_terms; i++)
            expression_serialise(out, block->terms[i]);
        bytes_put_u8(out, (uint8_t)block->order);
        bytes_put_u8(out, block->distinct);
        bytes_put_u8(out, block->kept != NULL);
        for (size_t g = 0; block->kept != NULL && g < tally_block_parts(block); g++)
            bytes_put_u8(out, block->kept[g] != 0);
        if (block->kind == TALLY_RISKSET) {
            bytes_put_u8(out, (uint8_t)block->riskset);
            put_optional(out, block->eta);
            put_optional(out, block->arms);
            bytes_put_f64(out, block->rho);
            bytes_put_u8(out, block->efron);
            bytes_put_f64(out, block->bound);
        }
        if (block->kind == TALLY_OWN) {
            bytes_put_string(out, block->own->what);
            bytes_put_u64(out, block->own->n_values);
            bytes_put_f64(out, block->own->bound);
            if (block->own->over != NULL)
                tally_spec_serialise(out, block->own->over);
        }
    }
}
