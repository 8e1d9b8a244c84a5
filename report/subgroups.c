/* The effect of a model's first term in subgroups, as a trial reports it: from the entry with the key
 * `subgroups` and the analyses that it added (docs/decisions/0011-subgroups-are-analyses.md). */
#include <math.h>
#include <string.h>

#include "report/cells.h"
#include "report/regression.h"

/* The analysis that the entry added for this variable; NULL: it is not there. */
static const struct report_analysis *added(const struct report *report, const struct report_analysis *entry,
                                           const char *variable, struct arena *arena)
{
    const char *id = arena_printf(arena, "%s-%s", entry->id, variable);
    for (size_t i = 0; i < report->n_analyses; i++)
        if (strcmp(report->analyses[i].id, id) == 0)
            return &report->analyses[i];
    return NULL;
}

static const struct result *rows_of(const struct report_analysis *a)
{
    const struct result *rows = a == NULL || a->status != ANALYSIS_OK || a->result == NULL
                                    ? NULL
                                    : result_get(a->result, "subgroups");
    return rows != NULL && rows->kind == RESULT_LIST ? rows : NULL;
}

/* The effect in all patients: the term of the entry's own model. */
static void put_all(struct regression *r, const struct report_analysis *entry, const char *term)
{
    const struct result *terms = result_get(entry->result, "terms");
    for (size_t i = 0; terms != NULL && i < terms->n; i++) {
        const char *name = result_text(terms->items[i], "term");
        if (name == NULL || strcmp(name, term) != 0)
            continue;
        r->rows[r->n] = regression_row_of(r, terms->items[i]);
        r->rows[r->n].words = "All patients";
        r->rows[r->n].p_value = NAN; /* the column is the interaction's */
        r->rows[r->n].n = entry->n;
        r->rows[r->n++].n_event = entry->n_event;
    }
}

static void put_variable(struct regression *r, const struct labels *labels, const struct report_analysis *a,
                         const char *variable, const char *term)
{
    const struct result *rows = rows_of(a);
    const char *words = labels_variable(labels, variable);
    const struct result *test = rows == NULL ? NULL : result_get(a->result, "interaction");
    if (rows == NULL) {
        words = arena_printf(labels->arena, "%s (%s)", words,
                             a != NULL && a->status == ANALYSIS_REFUSED ? "refused" : "no result");
        r->rows[r->n++] = regression_heading(words, NAN);
        return;
    }
    r->rows[r->n++] = regression_heading(words, test == NULL ? NAN : result_number(test, "p_value"));
    for (size_t i = 0; i < rows->n; i++) {
        const char *own = result_text(rows->items[i], "term"), *level = result_text(rows->items[i], "level");
        if (own == NULL || level == NULL || strcmp(own, term) != 0)
            continue;
        struct regression_row row = regression_row_of(r, rows->items[i]);
        row.words = labels_factor_level(labels, a->frame, variable, level);
        row.indented = true;
        row.p_value = NAN;
        r->has_n = r->has_n || row.n >= 0;
        r->has_event = r->has_event || row.n_event >= 0;
        r->rows[r->n++] = row;
    }
}

/* The coefficients of the treatment, each once: those that the subgroups' rows are of. */
static size_t terms_of(const char **terms, size_t most, const struct result *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const char *term = result_text(rows->items[i], "term");
        bool known = term == NULL;
        for (size_t k = 0; k < n; k++)
            known = known || strcmp(terms[k], term) == 0;
        if (!known && n < most)
            terms[n++] = term;
    }
    return n;
}

const struct regression *subgroups_of(const struct report *report, const struct report_analysis *entry,
                                      struct arena *arena)
{
    enum { TERMS_MAX = 8 };
    const char *terms[TERMS_MAX];
    const struct result *variables = entry->asked == NULL ? NULL : result_get(entry->asked, "subgroups");
    struct labels labels = labels_of(report, arena);
    size_t n_rows = 0, n_terms = 0;
    if (entry->status != ANALYSIS_OK || entry->result == NULL || rows_of(entry) != NULL ||
        variables == NULL || variables->kind != RESULT_LIST)
        return NULL;
    for (size_t v = 0; v < variables->n; v++) {
        if (variables->items[v]->kind != RESULT_STRING)
            return NULL;
        const struct result *rows = rows_of(added(report, entry, variables->items[v]->string, arena));
        n_rows += 1 + (rows == NULL ? 0 : rows->n);
        if (rows != NULL && n_terms == 0)
            n_terms = terms_of(terms, TERMS_MAX, rows);
    }
    if (n_terms == 0) /* none of them came out */
        return NULL;
    struct regression *r = regression_begin(entry, arena);
    r->p_words = "Interaction p";
    r->rows = arena_array(arena, n_terms * (n_rows + variables->n + 2), sizeof *r->rows);
    for (size_t t = 0; t < n_terms; t++) {
        const char *words = cells_term(&labels, entry->frame, terms[t]);
        if (t == 0)
            r->of = words;
        if (n_terms > 1) {
            r->rows[r->n] = regression_heading(words, NAN);
            r->rows[r->n++].part = true;
        }
        put_all(r, entry, terms[t]);
        for (size_t v = 0; v < variables->n; v++) {
            const char *variable = variables->items[v]->string;
            put_variable(r, &labels, added(report, entry, variable, arena), variable, terms[t]);
        }
    }
    if (n_terms > 1)
        r->of = labels_term(&labels, entry->frame, terms[0]).words;
    return r;
}

bool subgroups_shown_elsewhere(const struct report *report, const struct report_analysis *a,
                               struct arena *arena)
{
    for (size_t i = 0; rows_of(a) != NULL && i < report->n_analyses; i++) {
        const struct report_analysis *entry = &report->analyses[i];
        const struct result *variables = entry->asked == NULL ? NULL : result_get(entry->asked, "subgroups");
        for (size_t v = 0; entry != a && variables != NULL && v < variables->n; v++)
            if (variables->items[v]->kind == RESULT_STRING &&
                added(report, entry, variables->items[v]->string, arena) == a &&
                subgroups_of(report, entry, arena) != NULL)
                return true;
    }
    return false;
}
