#include "tally/describe.h"

#include <stdio.h>
#include <string.h>

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
        put(out, block->riskset == RISKSET_LOGRANK ? "the site's own log-rank sums (observed, expected, variance)"
            : block->riskset == RISKSET_SCORES_ROWS   ? "the site's own squared score residuals of "
            : block->riskset == RISKSET_SCORES_LEVELS ? "the site's own score residuals per cluster of "
            : block->riskset == RISKSET_SCORES_SITE   ? "the site's own squared score of "
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

void tally_spec_words(struct bytes *out, const struct tally_spec *spec, const struct tally_extent *extents,
                      const struct dictionary *dictionary, const char *indent)
{
    for (size_t b = 0; b < spec->n_blocks; b++) {
        const struct tally_block *block = &spec->blocks[b];
        char text[64];
        put(out, indent);
        put_what(out, block, dictionary);
        if (block->group != NULL) {
            put(out, ", per ");
            expression_words(out, block->group, dictionary);
        }
        size_t n_groups = tally_block_groups(block), n_kept = n_groups;
        for (size_t g = 0; block->kept != NULL && g < n_groups; g++)
            n_kept -= block->kept[g] == 0;
        if (n_kept < n_groups) {
            snprintf(text, sizeof text, " (%zu of %zu groups; the others are left out)", n_kept, n_groups);
            put(out, text);
        }
        snprintf(text, sizeof text, ": %zu %snumber%s\n", extents[b].count, extents[b].width == 8 ? "whole " : "",
                 extents[b].count == 1 ? "" : "s");
        put(out, text);
    }
}
