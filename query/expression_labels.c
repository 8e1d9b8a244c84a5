#include "query/expression_labels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/expression.h"

/* formatC(x, digits, width = 1) of R: C's %g. */
static const char *break_label(struct arena *arena, double value, int digits)
{
    return arena_printf(arena, "%.*g", digits, value);
}

const char *const *expression_labels_of_cut(struct arena *arena, const double *breaks, size_t n, bool right,
                                            bool include_lowest)
{
    /* R takes the first number of digits, 3 to 12, that tells all neighbours apart, and numbers the ranges
     * when none does. */
    const char **names = arena_array(arena, n, sizeof *names);
    const char **labels = arena_array(arena, n - 1, sizeof *labels);
    bool distinct = false;
    for (int digits = 3; digits <= 12 && !distinct; digits++) {
        distinct = true;
        for (size_t i = 0; i < n; i++) {
            names[i] =
                isinf(breaks[i]) ? (breaks[i] < 0 ? "-Inf" : " Inf") : break_label(arena, breaks[i], digits);
            distinct = distinct && (i == 0 || strcmp(names[i - 1], names[i]) != 0);
        }
    }
    for (size_t i = 0; i + 1 < n; i++) {
        bool closed_left = !right || (include_lowest && i == 0);
        bool closed_right = right || (include_lowest && i + 2 == n);
        labels[i] = distinct ? arena_printf(arena, "%s%s,%s%s", closed_left ? "[" : "(", names[i],
                                            names[i + 1], closed_right ? "]" : ")")
                             : arena_printf(arena, "Range_%zu", i + 1);
    }
    return labels;
}

const char *expression_level_label(const struct expression *x, const struct dictionary *dictionary,
                                   size_t level)
{
    if (x->op == OP_VARIABLE) {
        const char **labels = dictionary->variables[x->variable].labels;
        return labels == NULL ? NULL : labels[level];
    }
    if (x->op == OP_BOOLEAN_CODE)
        return expression_level_label(x->args[0], dictionary, level);
    if (x->op != OP_RECODE || x->args[0]->levels == NULL)
        return NULL;
    size_t from = 0, n = 0;
    for (size_t i = 0; i < x->n_table; i++)
        if (x->table[i] == (double)level) {
            from = i;
            n++;
        }
    /* Joined levels, and one that the study renamed, have no word of the dictionary. */
    return n == 1 && strcmp(x->args[0]->levels[from], x->levels[level]) == 0
               ? expression_level_label(x->args[0], dictionary, from)
               : NULL;
}

const char *expression_labels_of_number(struct arena *arena, double value)
{
    if (isinf(value))
        return value > 0 ? "Inf" : "-Inf";
    char text[40];
    int digits = 1;
    /* The fewest significant digits that give the value to 15 digits (formatReal in R's format.c). */
    snprintf(text, sizeof text, "%.14e", value);
    double target = strtod(text, NULL);
    for (; digits < 15; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == target)
            break;
    }
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    int exponent = atoi(strchr(text, 'e') + 1);
    int negative = value < 0;
    int left = exponent >= 0 ? exponent + 1 : 1;
    int decimals = digits - 1 - exponent > 0 ? digits - 1 - exponent : 0;
    int fixed = negative + left + (decimals > 0 ? decimals + 1 : 0);
    int scientific = negative + (digits > 1 ? digits + 1 : 1) + (abs(exponent) >= 100 ? 5 : 4);
    if (fixed > scientific)
        return arena_strdup(arena, text);
    return arena_printf(arena, "%.*f", decimals, value);
}
