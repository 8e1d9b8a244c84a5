#include "tally/describe.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/words.h"

enum { TERMS_NAMED = 8 };

static void put(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

static void put_terms(struct bytes *out, const struct tally_block *block, const struct dictionary *dictionary)
{
    char text[64];
    snprintf(text, sizeof text, "%zu term%s (", block->n_terms, block->n_terms == 1 ? "" : "s");
    put(out, text);
    for (size_t t = 0; t < block->n_terms && t < TERMS_NAMED; t++) {
        put(out, t > 0 ? ", " : "");
        expression_words(out, block->terms[t], dictionary);
    }
    put(out, block->n_terms > TERMS_NAMED ? ", …)" : ")");
}

static void put_what(struct bytes *out, const struct tally_block *block, const struct dictionary *dictionary)
{
    if (block->kind == TALLY_RISKSET) {
        put(out, block->riskset == RISKSET_LOGRANK
                     ? "the site's own log-rank sums (observed, expected, variance)"
                 : block->riskset == RISKSET_SCORES_ROWS   ? "the site's own squared score residuals of "
                 : block->riskset == RISKSET_SCORES_LEVELS ? "the site's own score residuals per cluster of "
                 : block->riskset == RISKSET_SCORES_SITE
                     ? "the site's own squared score of "
                     : "the site's own partial likelihood, score and information of ");
        if (block->riskset != RISKSET_LOGRANK)
            put_terms(out, block, dictionary);
    } else if (block->kind == TALLY_OWN) {
        put(out, "the site's own ");
        put(out, block->own->what);
    } else if (block->order == 0) {
        put(out, block->weight != NULL ? "sum of weights" : block->distinct ? "distinct patients" : "rows");
    } else {
        put(out, block->order == 1 ? "sums of " : "sums of products of ");
        put_terms(out, block, dictionary);
    }
    if (block->weight != NULL && block->order > 0)
        put(out, ", weighted");
}

static void put_block(struct bytes *out, const struct tally_block *block, const struct tally_extent *extent,
                      const struct dictionary *dictionary, const char *indent)
{
    char text[96];
    put(out, indent);
    put_what(out, block, dictionary);
    if (block->group != NULL) {
        put(out, ", per ");
        expression_words(out, block->group, dictionary);
    }
    size_t n_parts = tally_block_parts(block), n_kept = n_parts;
    for (size_t i = 0; block->kept != NULL && i < n_parts; i++)
        n_kept -= block->kept[i] == 0;
    if (n_kept < n_parts) {
        snprintf(text, sizeof text, " (%zu of %zu %s, the others are left out)", n_kept, n_parts,
                 block->kind == TALLY_MOMENTS ? "groups" : "parts");
        put(out, text);
    }
    snprintf(text, sizeof text, ": %zu %snumber%s\n", extent->count, extent->width == 8 ? "whole " : "",
             extent->count == 1 ? "" : "s");
    put(out, text);
}

/* "chemo TRUE, grade 2": the level of each part of a group. */
static void put_level(struct bytes *out, const struct expression *code, size_t level,
                      const struct dictionary *dictionary)
{
    char number[32];
    if (code->op == OP_CROSS) {
        size_t below = code->n_levels;
        for (size_t i = 0; i < code->n_args; i++) {
            below /= code->args[i]->n_levels;
            put(out, i > 0 ? ", " : "");
            put_level(out, code->args[i], level / below % code->args[i]->n_levels, dictionary);
        }
        return;
    }
    if (code->op == OP_UNIFORM_BIN) {
        expression_words(out, code->args[0], dictionary);
        put(out, " from ");
        number_format_double(number, code->value + (double)level * code->value2);
        put(out, number);
        return;
    }
    expression_words(out, code->op == OP_CUT ? code->args[0] : code, dictionary);
    snprintf(number, sizeof number, "%zu", level);
    put(out, " ");
    put(out, code->levels != NULL ? code->levels[level] : number);
}

/* "age × age" for the value `index` of a group of a block of moments. */
static void put_value_name(struct bytes *out, const struct tally_block *block, size_t index,
                           const struct dictionary *dictionary)
{
    size_t i = 0, left = index;
    if (block->kind != TALLY_MOMENTS || block->order == 0)
        return;
    if (block->order == 2)
        while (left >= block->n_terms - i)
            left -= block->n_terms - i++;
    expression_words(out, block->terms[block->order == 1 ? index : i], dictionary);
    if (block->order == 2) {
        put(out, " x ");
        expression_words(out, block->terms[i + left], dictionary);
    }
    put(out, ": ");
}

static void put_number(struct bytes *out, const struct tally_extent *extent, const uint8_t *words,
                       size_t index)
{
    char text[64];
    if (extent->width == 8)
        snprintf(text, sizeof text, "%lld\n", (long long)tally_count(words, extent, index));
    else
        snprintf(text, sizeof text, "%.17g\n", tally_real(words, extent, index));
    put(out, text);
}

static bool is_zero(const uint8_t *word, size_t width)
{
    static const uint8_t zeros[16];
    return memcmp(word, zeros, width) == 0;
}

void tally_numbers_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                         const uint8_t *words, const struct dictionary *dictionary, const char *indent,
                         size_t lines)
{
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        const size_t groups =
            block->group != NULL && block->kind == TALLY_MOMENTS ? block->group->n_levels : 1;
        const size_t values = groups > 0 ? extents[b].count / groups : 0;
        size_t shown = 0, zeros = 0;
        char text[96];
        put_block(out, block, &extents[b], dictionary, indent);
        for (size_t i = 0; i < extents[b].count; i++) {
            if (is_zero(words + extents[b].offset + i * extents[b].width, extents[b].width)) {
                zeros++;
                continue;
            }
            if (shown++ >= lines)
                continue;
            put(out, indent);
            put(out, "    ");
            if (groups > 1) {
                put_level(out, block->group, i / values, dictionary);
                put(out, ": ");
            }
            put_value_name(out, block, i % values, dictionary);
            put_number(out, &extents[b], words, i);
        }
        if (shown > lines || zeros > 0) {
            snprintf(text, sizeof text, "    and %zu more, %zu zeros\n", shown > lines ? shown - lines : 0,
                     zeros);
            put(out, indent);
            put(out, text);
        }
    }
}

void tally_spec_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                      const struct dictionary *dictionary, const char *indent)
{
    for (size_t b = 0; b < spec->n_blocks; b++)
        put_block(out, &spec->blocks[b], &extents[b], dictionary, indent);
}
