#include "query/formula_terms.h"

#include <math.h>
#include <string.h>

#include "query/expression_type.h"

/* terms.formula() as R does it (src/library/stats/src/model.c: EncodeVars and its helpers): a term is a set
 * of factors, an expression a list of sets. `parity` is false inside what is subtracted, where 1 and 0 change
 * places. */

struct sets {
    uint64_t list[FORMULA_TERMS_MAX];
    size_t n;
};

struct coding {
    struct formula_reading *reading;
    bool parity;
    size_t comparisons; /* of sets, bounded: products of products could go on for minutes */
};

enum { COMPARISONS_MAX = 20000000 };

static enum maille_code too_many(struct coding *c, const struct syntax *at)
{
    return syntax_fail(c->reading->error, c->reading->scope, at, "expected at most %d terms, found more",
                       FORMULA_TERMS_MAX);
}

/* Adds a set unless it is there (R's TrimRepeats keeps the first). */
static enum maille_code add_set(struct coding *c, struct sets *sets, uint64_t set, const struct syntax *at)
{
    c->comparisons += sets->n;
    if (c->comparisons > COMPARISONS_MAX)
        return too_many(c, at);
    for (size_t i = 0; i < sets->n; i++)
        if (sets->list[i] == set)
            return MAILLE_OK;
    if (sets->n == FORMULA_TERMS_MAX)
        return too_many(c, at);
    sets->list[sets->n++] = set;
    return MAILLE_OK;
}

static enum maille_code encode(struct coding *c, struct sets *out, const struct syntax *s);

static enum maille_code encode_operands(struct coding *c, struct sets *left, struct sets *right,
                                        const struct syntax *s)
{
    enum maille_code code;
    MAILLE_TRY(encode(c, left, s->args[0]));
    MAILLE_TRY(encode(c, right, s->args[1]));
out:
    return code;
}

/* a:b and a*b: every pair; a set of nothing cannot come here, since numbers and specials are refused. */
static enum maille_code encode_product(struct coding *c, struct sets *out, const struct syntax *s)
{
    enum maille_code code;
    struct sets *sides = arena_array(c->reading->arena, 2, sizeof *sides);
    for (size_t i = 0; i < 2; i++) {
        const struct syntax *side = syntax_bare(s->args[i]);
        if (side->kind == SYNTAX_NUMBER || formula_is_special(side)) {
            code = syntax_fail(
                c->reading->error, c->reading->scope, side,
                "expected a variable on both sides of `%s`, found `%.80s`; it stands as a term of its own",
                s->spelling, syntax_deparse(c->reading->arena, side));
            goto out;
        }
    }
    MAILLE_TRY(encode_operands(c, &sides[0], &sides[1], s));
    if (s->op == SYNTAX_MULTIPLY)
        for (size_t i = 0; i < 2; i++)
            for (size_t k = 0; k < sides[i].n; k++)
                MAILLE_TRY(add_set(c, out, sides[i].list[k], s));
    for (size_t i = 0; i < sides[0].n; i++)
        for (size_t k = 0; k < sides[1].n; k++)
            MAILLE_TRY(add_set(c, out, sides[0].list[i] | sides[1].list[k], s));
out:
    return code;
}

/* (a + b)^k: every product of up to k terms (R's PowerTerms). */
static enum maille_code encode_power(struct coding *c, struct sets *out, const struct syntax *s)
{
    enum maille_code code;
    double exponent;
    struct sets *base = arena_alloc(c->reading->arena, sizeof *base),
                *power = arena_alloc(c->reading->arena, sizeof *power);
    if (!syntax_is_number(s->args[1], false, &exponent) || exponent != nearbyint(exponent) || exponent < 1 ||
        exponent > FORMULA_FACTORS_MAX) {
        code = syntax_fail(c->reading->error, c->reading->scope, s->args[1],
                           "expected a whole power from 1 to %d of terms, such as (a + b)^2, found `%.80s`; "
                           "arithmetic stands inside I()",
                           FORMULA_FACTORS_MAX, syntax_deparse(c->reading->arena, s->args[1]));
        goto out;
    }
    MAILLE_TRY(encode(c, base, s->args[0]));
    *power = *base;
    for (int k = 1; k < (int)exponent; k++) {
        struct sets last = *power;
        power->n = 0;
        for (size_t i = 0; i < base->n; i++)
            for (size_t j = 0; j < last.n; j++)
                MAILLE_TRY(add_set(c, power, base->list[i] | last.list[j], s));
        if (power->n == last.n)
            break;
    }
    for (size_t i = 0; i < power->n; i++)
        MAILLE_TRY(add_set(c, out, power->list[i], s));
out:
    return code;
}

/* In place: left stays in out, so that a long sum needs no room per term. */
static enum maille_code encode_sum(struct coding *c, struct sets *out, const struct syntax *s)
{
    enum maille_code code;
    struct sets *right = arena_alloc(c->reading->arena, sizeof *right);
    MAILLE_TRY(encode_operands(c, out, right, s));
    for (size_t i = 0; i < right->n; i++)
        MAILLE_TRY(add_set(c, out, right->list[i], s));
out:
    return code;
}

static void remove_sets(struct sets *from, const struct sets *gone)
{
    size_t kept = 0;
    for (size_t i = 0; i < from->n; i++) {
        bool keep = true;
        for (size_t k = 0; k < gone->n; k++)
            keep = keep && gone->list[k] != from->list[i];
        if (keep)
            from->list[kept++] = from->list[i];
    }
    from->n = kept;
}

/* left is NULL for a unary minus. */
static enum maille_code encode_difference(struct coding *c, struct sets *out, const struct syntax *left,
                                          const struct syntax *right)
{
    enum maille_code code = MAILLE_OK;
    struct sets *gone = arena_alloc(c->reading->arena, sizeof *gone);
    if (left != NULL)
        MAILLE_TRY(encode(c, out, left));
    if (formula_is_special(syntax_bare(right))) {
        code =
            syntax_fail(c->reading->error, c->reading->scope, right,
                        "expected a term after `-`, found `%.80s`", syntax_deparse(c->reading->arena, right));
        goto out;
    }
    c->parity = !c->parity;
    code = encode(c, gone, right);
    c->parity = !c->parity;
    if (code == MAILLE_OK)
        remove_sets(out, gone);
out:
    return code;
}

static enum maille_code encode_number(struct coding *c, const struct syntax *s)
{
    if (s->number == 1)
        c->reading->formula->intercept = c->parity;
    else if (s->number == 0)
        c->reading->formula->intercept = !c->parity;
    else
        return syntax_fail(
            c->reading->error, c->reading->scope, s,
            "expected a variable or 1 or 0 as a term, found the number %g; arithmetic stands inside I()",
            s->number);
    return MAILLE_OK;
}

static enum maille_code encode(struct coding *c, struct sets *out, const struct syntax *s)
{
    int index;
    enum maille_code code;
    struct formula_reading *r = c->reading;
    switch (s->kind) {
    case SYNTAX_PAREN:
        return encode(c, out, s->args[0]);
    case SYNTAX_NUMBER:
        return encode_number(c, s);
    case SYNTAX_UNARY:
        if (s->op == SYNTAX_SUBTRACT)
            return encode_difference(c, out, NULL, s->args[0]);
        if (s->op == SYNTAX_ADD)
            return encode(c, out, s->args[0]);
        break;
    case SYNTAX_BINARY:
        if (s->op == SYNTAX_ADD)
            return encode_sum(c, out, s);
        if (s->op == SYNTAX_SUBTRACT)
            return encode_difference(c, out, s->args[0], s->args[1]);
        if (s->op == SYNTAX_COLON || s->op == SYNTAX_MULTIPLY)
            return encode_product(c, out, s);
        if (s->op == SYNTAX_POWER)
            return encode_power(c, out, s);
        break;
    case SYNTAX_NAME:
    case SYNTAX_CALL:
        code = formula_factor_of(r, s, &index);
        if (code == MAILLE_OK && index >= 0)
            code = add_set(c, out, (uint64_t)1 << index, s);
        return code;
    default:
        break;
    }
    return syntax_fail(
        r->error, r->scope, s,
        "expected terms joined by + : * -, found `%.80s`; arithmetic and comparisons stand inside I()",
        s->spelling != NULL ? s->spelling : syntax_deparse(r->arena, s));
}

static unsigned order_of(uint64_t set)
{
    return (unsigned)__builtin_popcountll(set);
}

static const char *term_label(struct arena *arena, const struct formula *f, uint64_t set)
{
    const char *label = NULL;
    for (size_t i = 0; i < f->n_factors; i++)
        if (set >> i & 1)
            label = label == NULL ? f->factors[i].label
                                  : arena_printf(arena, "%s:%s", label, f->factors[i].label);
    return label;
}

enum maille_code formula_terms(struct formula_reading *r, const struct syntax *right)
{
    enum maille_code code;
    struct coding c = {.reading = r, .parity = true};
    struct sets *sets = arena_alloc(r->arena, sizeof *sets);
    struct formula *f = r->formula;
    f->intercept = true;
    MAILLE_TRY(encode(&c, sets, right));
    for (unsigned order = 1; order <= FORMULA_FACTORS_MAX; order++)
        for (size_t i = 0; i < sets->n; i++)
            if (order_of(sets->list[i]) == order) {
                f->terms[f->n_terms].factors = sets->list[i];
                f->terms[f->n_terms].label = term_label(r->arena, f, sets->list[i]);
                f->n_terms++;
            }
out:
    return code;
}
