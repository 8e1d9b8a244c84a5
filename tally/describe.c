#include "tally/describe.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/words.h"

enum { TERMS_NAMED = 8 };

/* --- what a block is --- */

static void put_terms(struct bytes *out, const struct tally_block *block, const struct dictionary *dictionary)
{
    char text[64];
    snprintf(text, sizeof text, " of %zu term%s (", block->n_terms, block->n_terms == 1 ? "" : "s");
    bytes_put_text(out, text);
    for (size_t t = 0; t < block->n_terms && t < TERMS_NAMED; t++) {
        bytes_put_text(out, t > 0 ? ", " : "");
        expression_words(out, block->terms[t], dictionary);
    }
    bytes_put_text(out, block->n_terms > TERMS_NAMED ? ", …)" : ")");
}

static const char *riskset_words(enum riskset_kind kind)
{
    switch (kind) { /* no default: the compiler names one that has no words */
    case RISKSET_COX_EFRON:
    case RISKSET_COX_BRESLOW:
        return "partial likelihood inside the site, its gradient and information";
    case RISKSET_LOGRANK:
        return "log-rank sums inside the site";
    case RISKSET_CONCORDANCE:
    case RISKSET_CONCORDANCE_SITE:
    case RISKSET_CONCORDANCE_PATIENTS:
        return "comparable pairs inside the site";
    case RISKSET_SQUARE:
        return "products of the site's own sums";
    case RISKSET_SQUARE_PATIENTS:
        return "products of each patient's own sums";
    case RISKSET_SCORES_ROWS:
        return "squared score residuals inside the site";
    case RISKSET_SCORES_LEVELS:
        return "squared score residuals per cluster inside the site";
    case RISKSET_SCORES_PATIENTS:
        return "squared score residuals per patient inside the site";
    case RISKSET_SCORES_SITE:
        return "squared score of the site";
    }
    return "sums over the patients at risk, inside the site";
}

const char *tally_fate_words(enum tally_fate fate)
{
    static const char *const words[FATES] = {
        [FATE_BACKWARDS] = "it stops when or before it starts",
        [FATE_EMPTIED] = "it starts and stops in one step of the grid, without an event",
        [FATE_OVERTAKEN] = "its patient has an event in the same step of the grid later",
        [FATE_FIRST] = "the first of its patient that counts",
        [FATE_LATER] = "a later one of its patient",
        [FATE_JOINED] = "taken together with the row that continues it"};
    return words[fate];
}

static void put_part(struct bytes *out, const char *how, const struct expression *part,
                     const struct dictionary *dictionary)
{
    if (part == NULL)
        return;
    bytes_put_text(out, how);
    expression_words(out, part, dictionary);
}

static const char *counted(const struct tally_block *block)
{
    return block->weight != NULL ? "sum" : block->distinct ? "patients" : "rows";
}

static void put_what(struct bytes *out, const struct tally_block *block, const struct dictionary *dictionary)
{
    if (block->kind == TALLY_OWN) {
        bytes_put_text(out, "the site's own fit: ");
        bytes_put_text(out, block->own->what);
        return;
    }
    bytes_put_text(out, block->kind == TALLY_RISKSET ? riskset_words(block->riskset)
                        : block->order == 0          ? counted(block)
                        : block->order == 1          ? "sums"
                                                     : "sums of products");
    if (block->n_terms > 0 && (block->kind == TALLY_RISKSET || block->order > 0))
        put_terms(out, block, dictionary);
    else
        put_part(out, " of ", block->eta, dictionary);
    put_part(out, block->kind != TALLY_RISKSET && block->order == 0 ? " of " : ", weighted by ",
             block->weight, dictionary);
}

/* The parts of a filter that are not the cohort's, joined by &&. */
static void put_filter(struct bytes *out, const struct expression *filter, const struct expression *cohort,
                       const struct dictionary *dictionary, const char **between)
{
    if (filter == NULL || filter == cohort ||
        (cohort != NULL && cohort->op == OP_AND && (filter == cohort->args[0] || filter == cohort->args[1])))
        return;
    if (filter->op == OP_AND) {
        put_filter(out, filter->args[0], cohort, dictionary, between);
        put_filter(out, filter->args[1], cohort, dictionary, between);
        return;
    }
    bytes_put_text(out, *between);
    *between = " && ";
    expression_words(out, filter, dictionary);
}

void tally_block_words(struct bytes *out, const struct tally_block *block, const struct expression *cohort,
                       const struct dictionary *dictionary)
{
    const bool riskset = block->kind == TALLY_RISKSET;
    const char *between = " where ";
    put_what(out, block, dictionary);
    put_part(out, riskset ? " by " : "", riskset ? block->arms : NULL, dictionary);
    put_part(out, riskset ? " in strata of " : " by ", block->group, dictionary);
    put_filter(out, block->filter, cohort, dictionary, &between);
}

static void put_block(struct bytes *out, const struct tally_block *block, const struct tally_extent *extent,
                      const struct expression *cohort, const struct dictionary *dictionary,
                      const char *indent)
{
    char text[96];
    const size_t n_parts = tally_block_parts(block);
    size_t n_kept = n_parts;
    bytes_put_text(out, indent);
    tally_block_words(out, block, cohort, dictionary);
    for (size_t i = 0; block->kept != NULL && i < n_parts; i++)
        n_kept -= block->kept[i] == 0;
    if (n_kept < n_parts) {
        snprintf(text, sizeof text, " (%zu of %zu %s, the others are left out)", n_kept, n_parts,
                 block->kind == TALLY_MOMENTS ? "groups" : "parts");
        bytes_put_text(out, text);
    }
    snprintf(text, sizeof text, ": %zu %snumber%s\n", extent->count, extent->width == 8 ? "whole " : "",
             extent->count == 1 ? "" : "s");
    bytes_put_text(out, text);
}

/* --- its cells --- */

static void put_level(struct bytes *out, const struct expression *code, size_t level,
                      const struct dictionary *dictionary)
{
    char number[32];
    if (code->op == OP_CROSS) {
        size_t below = code->n_levels;
        for (size_t i = 0; i < code->n_args; i++) {
            below /= code->args[i]->n_levels;
            assert(below > 0); /* a cross has the product of its parts' levels */
            bytes_put_text(out, i > 0 ? ", " : "");
            put_level(out, code->args[i], level / below % code->args[i]->n_levels, dictionary);
        }
        return;
    }
    snprintf(number, sizeof number, "%zu", level);
    if (expression_is_named(code) || (code->op == OP_RECODE && expression_is_named(code->args[0]))) {
        bytes_put_text(out, code->levels[level]);
        return;
    }
    if (code->op == OP_UNIFORM_BIN) {
        number_format_double(number, code->value + (double)level * code->value2);
        expression_words(out, code->args[0], dictionary);
        bytes_put_text(out, " from ");
    } else if (code->op == OP_SURV_EXIT || code->op == OP_SURV_ENTRY) {
        bytes_put_text(out, code->op == OP_SURV_EXIT ? "exit in step " : "entry in step ");
    } else if (code->op == OP_SURV_FATE) {
        bytes_put_text(out, tally_fate_words((enum tally_fate)level));
        return;
    } else if (code->op == OP_SURV_STATUS) {
        bytes_put_text(out, level == 0 ? "censored" : "event ");
        if (level == 0)
            return;
    } else {
        expression_words(out, code->op == OP_CUT ? code->args[0] : code, dictionary);
        bytes_put_text(out, " = ");
    }
    bytes_put_text(out, code->levels != NULL && level < code->n_levels ? code->levels[level] : number);
}

void tally_group_words(struct bytes *out, const struct tally_block *block, size_t level,
                       const struct dictionary *dictionary)
{
    if (block->kind == TALLY_MOMENTS && block->group != NULL)
        put_level(out, block->group, level, dictionary);
}

void tally_value_words(struct bytes *out, const struct tally_block *block, size_t index,
                       const struct dictionary *dictionary)
{
    size_t i = 0, left = index;
    if (block->kind != TALLY_MOMENTS)
        return;
    if (block->order == 0) {
        bytes_put_text(out, counted(block));
        return;
    }
    if (block->order == 2)
        while (left >= block->n_terms - i)
            left -= block->n_terms - i++;
    expression_words(out, block->terms[block->order == 1 ? index : i], dictionary);
    if (block->order == 2) {
        bytes_put_text(out, " x ");
        expression_words(out, block->terms[i + left], dictionary);
    }
}

/* --- a site's own numbers --- */

static void put_number(struct bytes *out, const struct tally_extent *extent, const uint8_t *words,
                       size_t index)
{
    char text[64];
    if (extent->width == 8)
        snprintf(text, sizeof text, "%lld\n", (long long)tally_count(words, extent, index));
    else
        snprintf(text, sizeof text, "%.17g\n", tally_real(words, extent, index));
    bytes_put_text(out, text);
}

static bool is_zero(const uint8_t *word, size_t width)
{
    static const uint8_t zeros[16];
    return memcmp(word, zeros, width) == 0;
}

void tally_numbers_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                         const uint8_t *words, const struct expression *cohort,
                         const struct dictionary *dictionary, const char *indent, size_t lines)
{
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        const bool moments = block->kind == TALLY_MOMENTS;
        const size_t groups = moments ? tally_block_groups(block) : 1;
        const size_t values = groups > 0 ? extents[b].count / groups : 0;
        size_t shown = 0, zeros = 0;
        char text[96];
        put_block(out, block, &extents[b], cohort, dictionary, indent);
        for (size_t i = 0; i < extents[b].count; i++) {
            assert(values > 0); /* count is groups times values */
            if (is_zero(words + extents[b].offset + i * extents[b].width, extents[b].width)) {
                zeros++;
                continue;
            }
            if (shown++ >= lines)
                continue;
            bytes_put_text(out, indent);
            bytes_put_text(out, "    ");
            if (groups > 1) {
                tally_group_words(out, block, i / values, dictionary);
                bytes_put_text(out, ": ");
            }
            if (moments && block->order > 0) {
                tally_value_words(out, block, i % values, dictionary);
                bytes_put_text(out, ": ");
            }
            put_number(out, &extents[b], words, i);
        }
        if (shown > lines || zeros > 0) {
            snprintf(text, sizeof text, "    and %zu more, %zu zeros\n", shown > lines ? shown - lines : 0,
                     zeros);
            bytes_put_text(out, indent);
            bytes_put_text(out, text);
        }
    }
}

void tally_spec_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                      const struct expression *cohort, const struct dictionary *dictionary,
                      const char *indent)
{
    for (size_t b = 0; b < spec->n_blocks; b++)
        put_block(out, &spec->blocks[b], &extents[b], cohort, dictionary, indent);
}
