/* What a methods section says: estimator, source, and the function of R whose number it is (docs/methods). */
#include <string.h>

#include "report/page.h"
#include "stats/methods.h"

const char *page_method_name(const char *method)
{
    const struct method *found = method_find(method);
    return found != NULL ? found->words.name : method;
}

static bool is_used(const struct report *report, const char *method)
{
    for (size_t i = 0; i < report->n_analyses; i++)
        if (strcmp(report->analyses[i].method, method) == 0 && report->analyses[i].status == ANALYSIS_OK)
            return true;
    return false;
}

void page_methods(struct html *h, const struct report *report)
{
    page_section_open(h, "about-methods", "Methods");
    html_open(h, "p");
    html_textf(h,
               "Each of %lld sites added up its own patients; the sums were masked so that only their total "
               "could be read, and "
               "the estimators ran on that total. Sums are integers, so the result does not depend on how "
               "patients are spread "
               "over sites, and equals that of the R function named below on the pooled data.",
               (long long)report->n_sites);
    if (report->grid != NULL)
        html_textf(h, " Times were taken on a grid of one %s.", report->grid);
    if (report->missing != NULL)
        html_text(h, strcmp(report->missing, "study") == 0
                         ? " Rows count where every variable of the study’s models is present."
                         : " Each analysis takes the rows that are complete for it.");
    html_close(h);
    html_open(h, "ul");
    html_set(h, "class", "refs");
    for (size_t i = 0; methods_all[i] != NULL; i++) {
        const struct method_words *words = &methods_all[i]->words;
        if (!is_used(report, methods_all[i]->declared.name))
            continue;
        html_open(h, "li");
        html_textf(h, "%s. %s ", words->name, words->sentence);
        html_text(h, "R: ");
        html_element(h, "code", NULL, words->r);
        html_text(h, ".");
        if (words->source != NULL)
            html_textf(h, " %s.", words->source);
        html_close(h);
        html_newline(h);
    }
    html_close(h);
    html_close(h);
    html_newline(h);
}

const char *page_advice(const char *rule)
{
    static const struct {
        const char *rule, *advice;
    } rows[] = {
        {"min_sites", "Ask again when more sites answer."},
        {"min_patients", "Widen the cohort, or leave this analysis out."},
        {"min_cell", "Join small levels (cut(), fewer groups), leave out a variable, or coarsen the grid."},
        {"min_events", "Join arms or levels that have few events, or lengthen the follow-up."},
        {"max_parameter_share", "Take fewer covariates or levels, or a larger cohort."},
        {"max_scalar_share", "Take a coarser grid, fewer covariates, or strata(site)."},
        {"max_patient_share", "Ask for the median or for groups of the variable, or truncate the weights."},
        {"min_contributors", "Join levels that few sites have."},
        {"max_site_share", "Join levels that stand at one site alone, or widen the cohort."},
        {"min_tail", "Ask for quantiles nearer to the median."},
        {"differencing", "Use the same cohort as before, or one that differs by many patients."},
        {"own_totals", "Ask the sites of the earlier question, all of them."},
        {"budget", "Ask the sites’ officers, or wait for the protocol’s next budget."},
        {"min_ess_share", "Truncate or stabilise the weights, model the treatment with fewer covariates, or "
                          "take the offset out."},
        {"finest_grid", "Set grid: to the one that the policies allow."},
        {"cuts", "Take cut points of the dictionary, or have yours registered."},
        {"methods", "Ask the site’s officer, or ask without that site."},
        {"variables.deny", "Leave the variable out, or ask without that site."},
        {"purposes", "State a purpose that the site takes part in, or ask without that site."},
        {"missing", "Write missing: study in the study file."},
        {"domain", "Keep values for which the function is defined: log(x + 1), a narrower cohort."},
        {"domain_bounds", "Make it defined for every value in the dictionary’s bounds: log(x + 1)."},
        {"arithmetic", "Use log(), a category, or a spline instead."},
        {"theta", "Centre or rescale the covariate, take its logarithm, or ask for narrower bounds in the "
                  "dictionary."},
        {"expired", "Ask again with a later expires:."},
    };
    for (size_t i = 0; rule != NULL && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].rule, rule) == 0)
            return rows[i].advice;
    return NULL;
}
