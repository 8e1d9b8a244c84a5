/* What a methods section says: estimator, source, and the function of R whose number it is (docs/methods). */
#include <string.h>

#include "report/page.h"

static const struct {
    const char *method, *name, *sentence, *r, *source;
} methods[] = {
    {"count", "Counts", "Head counts by group.", "table()", NULL},
    {"describe", "Description",
     "Means and standard deviations of numbers, counts and shares of categories, without the missing values.",
     "mean(), sd(), table()", NULL},
    {"quantile", "Quantiles",
     "Quantiles of the pooled values by their counts on a lattice of the dictionary’s resolution.",
     "quantile(type = 7)", "Hyndman and Fan, The American Statistician 1996;50:361"},
    {"histogram", "Histogram", "Counts between breaks.", "hist()", NULL},
    {"crosstab", "Cross table", "Head counts, Pearson’s χ² test, Fisher’s exact test for 2 × 2 tables.",
     "chisq.test(), fisher.test()", "Agresti, Categorical Data Analysis, 3rd ed., 2013"},
    {"ttest", "t test", "Comparison of two means.", "t.test()", "Welch, Biometrika 1947;34:28"},
    {"anova", "Analysis of variance", "Comparison of means.", "oneway.test()",
     "Welch, Biometrika 1951;38:330"},
    {"correlation", "Correlation", "Pearson’s correlations of complete rows.", "cor.test()", NULL},
    {"glm", "Generalised linear model", "Maximum likelihood by iteratively reweighted least squares.",
     "glm()", "McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989"},
    {"km", "Kaplan–Meier", "Product-limit estimator, Greenwood’s variance.", "survival::survfit()",
     "Kaplan and Meier, Journal of the American Statistical Association 1958;53:457"},
    {"logrank", "Log-rank test", "Observed against expected events.", "survival::survdiff()",
     "Mantel, Cancer Chemotherapy Reports 1966;50:163"},
    {"cox", "Cox model", "Partial likelihood by Newton’s method.", "survival::coxph()",
     "Cox, Journal of the Royal Statistical Society B 1972;34:187; Efron, Journal of the American "
     "Statistical Association "
     "1977;72:557"},
    {"cuminc", "Cumulative incidence", "Aalen–Johansen estimator; Gray’s test of equality.",
     "cmprsk::cuminc()", "Gray, The Annals of Statistics 1988;16:1141"},
    {"finegray", "Fine and Gray model",
     "Proportional subdistribution hazards, censoring weighted by its Kaplan–Meier curve.",
     "cmprsk::crr(), survival::finegray()",
     "Fine and Gray, Journal of the American Statistical Association 1999;94:496"},
    {"meta", "Meta-analysis of sites",
     "Every site’s own fit, combined by inverse variance and with random effects.",
     "metafor::rma(method = \"EE\", \"DL\")", "DerSimonian and Laird, Controlled Clinical Trials 1986;7:177"},
    {"smd", "Balance", "Standardised mean differences.", "cobalt::bal.tab()",
     "Austin, Statistics in Medicine 2009;28:3083"},
};

enum { N_METHODS = sizeof methods / sizeof *methods };

const char *page_method_name(const char *method)
{
    for (size_t i = 0; i < N_METHODS; i++)
        if (strcmp(methods[i].method, method) == 0)
            return methods[i].name;
    return method;
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
    html_open(h, "section");
    html_element(h, "h2", NULL, "Methods");
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
    for (size_t i = 0; i < N_METHODS; i++) {
        if (!is_used(report, methods[i].method))
            continue;
        html_open(h, "li");
        html_textf(h, "%s. %s ", methods[i].name, methods[i].sentence);
        html_text(h, "R: ");
        html_element(h, "code", NULL, methods[i].r);
        html_text(h, ".");
        if (methods[i].source != NULL)
            html_textf(h, " %s.", methods[i].source);
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
        {"min_contributors", "Join levels that few sites have."},
        {"max_site_share", "Join levels that stand at one site alone, or widen the cohort."},
        {"min_tail", "Ask for quantiles nearer to the median."},
        {"differencing", "Use the same cohort as before, or one that differs by many patients."},
        {"own_totals", "Ask the sites of the earlier question, all of them."},
        {"budget", "Ask the sites’ officers, or wait for the protocol’s next budget."},
        {"min_ess_share", "Truncate or stabilise the weights, or model the treatment with fewer covariates."},
        {"finest_grid", "Set grid: to the one that the policies allow."},
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
