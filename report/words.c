#include "report/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct {
    const char *name, *words;
} columns[] =
    {
        {"n", "n"},
        {"sd", "SD"},
        {"q1", "Q1"},
        {"q3", "Q3"},
        {"smd", "SMD"},
        {"se", "SE"},
        {"df", "df"},
        {"df1", "df 1"},
        {"df2", "df 2"},
        {"p_value", "p"},
        {"std_error", "Std. error"},
        {"robust_se", "Robust SE"},
        {"conf_low", "Lower limit"},
        {"conf_high", "Upper limit"},
        {"median_low", "Median, lower limit"},
        {"median_high", "Median, upper limit"},
        {"rmst_tau", "Restricted to"},
        {"rmst_estimate", "Restricted mean"},
        {"rmst_std_error", "Its std. error"},
        {"difference_se", "Difference, std. error"},
        {"difference_low", "Difference, lower limit"},
        {"difference_high", "Difference, upper limit"},
        {"difference_p_value", "Difference, p"},
        {"ratio_low", "Ratio, lower limit"},
        {"ratio_high", "Ratio, upper limit"},
        {"ratio_p_value", "Ratio, p"},
        {"sir_expected", "Expected"},
        {"sir_ratio", "SIR"},
        {"sir_conf_low", "SIR, lower limit"},
        {"sir_conf_high", "SIR, upper limit"},
        {"standardised_rate", "Standardised rate"},
        {"standardised_conf_low", "Standardised rate, lower limit"},
        {"standardised_conf_high", "Standardised rate, upper limit"},
        {"n_event", "Events"},
        {"n_event_at", "Events"},
        {"n_followed", "Followed beyond the grace period"},
        {"n_risk", "At risk"},
        {"n_censor", "Censored"},
        {"n_missing", "Missing"},
        {"cumhaz", "Cumulative hazard"},
        {"aic", "AIC"},
        {"probs", "Probability"},
        {"values", "Quantile"},
        {"counts", "n"},
        {"breaks_low", "From"},
        {"breaks_high", "To"},
        {"cramers_v", "Cramér’s V"},
        {"loglik_1", "Log likelihood, null"},
        {"loglik_2", "Log likelihood, fitted"},
},
  tests[] =
      {
          {"chisq", "χ² test"},
          {"chisq_uncorrected", "χ² test, uncorrected"},
          {"fisher", "Fisher’s exact test"},
          {"likelihood_ratio", "Likelihood ratio"},
          {"wald", "Wald"},
          {"interaction", "Interaction, Wald"},
          {"score", "Score"},
          {"logrank", "Log-rank"},
          {"trend", "Trend"},
          {"ttest", "t test"},
          {"anova", "Analysis of variance"},
},
  parts[] = {
      {"curve", "Curve, step by step"},        {"risk_set", "At risk, step by step"},
      {"subgroups", "Effect in subgroups"},    {"at_time", "Survival at chosen times"},
      {"contrast", "Curves compared"},         {"contrasts", "Compared"},
      {"vcov", "Covariance of the estimates"}, {"zph", "Proportional hazards"},
};

static const char *as_words(char buffer[WORDS_MAX], const char *name)
{
    snprintf(buffer, WORDS_MAX, "%s", name);
    for (char *c = buffer; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
    buffer[0] = (char)toupper((unsigned char)buffer[0]);
    return buffer;
}

const char *words_column(char buffer[WORDS_MAX], const char *column)
{
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (strcmp(columns[i].name, column) == 0)
            return columns[i].words;
    /* Names with anything but small letters and underscores are terms or variables, which have their own
     * spelling. */
    if (strspn(column, "abcdefghijklmnopqrstuvwxyz_") != strlen(column))
        return column;
    return as_words(buffer, column);
}

const char *words_part(char buffer[WORDS_MAX], const char *part)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, part) == 0)
            return parts[i].words;
    return as_words(buffer, part);
}

static void number_in_words(char buffer[WORDS_MAX], const char *column, double x)
{
    double size = fabs(x);
    size_t length = strlen(column);
    if (length >= 7 && strcmp(column + length - 7, "p_value") == 0) {
        if (x < 0.001)
            snprintf(buffer, WORDS_MAX, "<0.001");
        else if (x > 0.999)
            snprintf(buffer, WORDS_MAX, ">0.999");
        else
            snprintf(buffer, WORDS_MAX, "%.3f", x);
    } else if (strcmp(column, "share") == 0) {
        snprintf(buffer, WORDS_MAX, "%.1f%%", 100 * x);
    } else if (strcmp(column, "probs") == 0 || strncmp(column, "breaks", 6) == 0 ||
               strcmp(column, "resolution") == 0) {
        snprintf(buffer, WORDS_MAX, "%.10g", x); /* as it was asked for */
    } else if (size >= 1e7 || (size > 0 && size < 5e-5)) {
        snprintf(buffer, WORDS_MAX, "%.3g", x);
    } else {
        /* Four digits that mean something, and no more than four decimals. */
        int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
        if (x == nearbyint(x))
            decimals = 0;
        snprintf(buffer, WORDS_MAX, "%.*f", decimals, x);
    }
}

const char *words_cell(char buffer[WORDS_MAX], const char *column, const struct result *cell)
{
    if (cell == NULL)
        return "";
    switch (cell->kind) {
    case RESULT_STRING:
        for (size_t i = 0; strcmp(column, "test") == 0 && i < sizeof tests / sizeof *tests; i++)
            if (strcmp(tests[i].name, cell->string) == 0)
                return tests[i].words;
        return cell->string;
    case RESULT_BOOLEAN:
        return cell->boolean ? "yes" : "no";
    case RESULT_INTEGER:
        snprintf(buffer, WORDS_MAX, "%" PRId64, cell->integer);
        return buffer;
    case RESULT_NUMBER:
        number_in_words(buffer, column, cell->number);
        return buffer;
    default:
        return "–";
    }
}

bool words_right(const struct report_table *table, size_t column)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct result *cell = report_cell(table, i, column);
        if (cell != NULL && cell->kind == RESULT_STRING)
            return false;
    }
    return true;
}

const char *words_ratio(const struct result *result)
{
    const struct result *link = result_get(result, "link");
    if (result_get(result, "terms") == NULL)
        return NULL;
    if (result_get(result, "ties") != NULL)
        return "Hazard ratio";
    if (link == NULL || link->kind != RESULT_STRING)
        return NULL;
    if (strcmp(link->string, "logit") == 0)
        return "Odds ratio";
    return strcmp(link->string, "log") == 0 ? "Rate ratio" : NULL;
}

const char *words_ratio_cell(char buffer[WORDS_MAX], const struct report_table *terms, size_t row)
{
    static const char *const names[] = {"estimate", "conf_low", "conf_high"};
    double values[3] = {NAN, NAN, NAN};
    for (size_t j = 0; j < terms->n_columns; j++)
        for (size_t k = 0; k < 3; k++) {
            const struct result *cell = report_cell(terms, row, j);
            if (strcmp(terms->columns[j], names[k]) == 0 && cell != NULL && cell->kind == RESULT_NUMBER)
                values[k] = exp(cell->number);
        }
    if (isnan(values[0]))
        snprintf(buffer, WORDS_MAX, "–");
    else if (isnan(values[1]) || isnan(values[2]))
        snprintf(buffer, WORDS_MAX, "%.3g", values[0]);
    else /* a slope per unit of a variable with many units needs more decimals than a treatment */
        snprintf(buffer, WORDS_MAX,
                 fabs(log(values[0])) < 0.05 ? "%.4f (%.4f to %.4f)" : "%.2f (%.2f to %.2f)", values[0],
                 values[1], values[2]);
    return buffer;
}

/* What may be asked instead, as a sentence; "": nothing is known. */
static const char *offer_words(const char *offer, struct arena *arena)
{
    if (offer == NULL || offer[0] == '\0')
        return "";
    if (strcmp(offer, "everybody") == 0)
        return " Too near to it is everybody, who may be asked instead: leave out `cohort`.";
    return arena_printf(arena, " Too near to it is a cohort that may be asked instead: `cohort: %s`.", offer);
}

const char *words_status(const struct report_analysis *analysis, struct arena *arena)
{
    const char *reason =
        analysis->reason == NULL || *analysis->reason == '\0' ? "no reason was given" : analysis->reason;
    switch (analysis->status) {
    case ANALYSIS_OK:
        return "done";
    case ANALYSIS_REFUSED:
        return arena_printf(arena, "Refused by the policy of the sites (rule %s): %s.%s",
                            analysis->rule == NULL ? "unknown" : analysis->rule, reason,
                            offer_words(analysis->offer, arena));
    case ANALYSIS_VETOED:
        return arena_printf(arena, "Vetoed: %s.", reason);
    case ANALYSIS_FAILED:
        return arena_printf(arena, "Could not be computed: %s.", reason);
    default:
        return "Not finished: the run ended before it.";
    }
}
