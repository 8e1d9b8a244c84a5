/* One line for the operator when a study is asked, when it is refused, and when it is over: names and rules,
 * no numbers of patients, no sentence that could hold a value. */
#include <stdarg.h>
#include <stdio.h>

#include "vault/private.h"

static void say(const struct vault *vault, const struct query *query, const char *format, ...)
    MAILLE_PRINTF(3, 4);

static void say(const struct vault *vault, const struct query *query, const char *format, ...)
{
    char words[512], line[640];
    va_list arguments;
    if (vault->options.tell == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "%s of %s: %s", query->study != NULL ? query->study->id : "a study",
             query->manifest.researcher, words);
    vault->options.tell(vault->options.tell_context, line);
}

static void count_judged(struct vault_figures *figures, const struct vault_judged *judged, int64_t refused)
{
    if (figures == NULL)
        return;
    figure_add(&figures->analyses, refused);
    figure_add(&figures->asked, judged->header == NULL);
    figure_add(&figures->refused, judged->header == NULL && judged->rule != NULL && judged->rule[0] != '\0');
}

void vault_tell_judged(const struct vault *vault, const struct vault_judged *judged)
{
    const struct query *query = judged->query;
    char refused[400] = "";
    size_t used = 0;
    int64_t n = 0;
    for (size_t k = 0; judged->verdicts != NULL && judged->study != NULL && k < judged->study->n_analyses;
         k++) {
        if ((judged->open != NULL && !judged->open[k]) || judged->verdicts[k].rule[0] == '\0')
            continue;
        n++;
        if (used < sizeof refused)
            used += (size_t)snprintf(refused + used, sizeof refused - used, "%s%s (%s)", used > 0 ? ", " : "",
                                     judged->study->analyses[k].id, judged->verdicts[k].rule);
    }
    count_judged(vault->options.figures, judged, n);
    if (judged->header != NULL)
        say(vault, query, "refused in round %u: %s", judged->header->round, refused);
    else if (judged->rule != NULL && judged->rule[0] != '\0')
        say(vault, query, "asked, refused under %s", judged->rule);
    else
        say(vault, query, "asked, %s%s%s", judged->decision, used > 0 ? "; refused: " : "", refused);
}

void vault_tell_over(const struct vault *vault, const struct query *query, const char *rule)
{
    const uint32_t round = query->attempt.masked ? query->attempt.header.round : 0;
    struct vault_figures *figures = vault->options.figures;
    if (figures != NULL && rule != NULL)
        figure_add(&figures->ended, 1);
    else if (figures != NULL && round > 0)
        figure_add(&figures->answered, 1);
    if (rule != NULL)
        say(vault, query, "ended by this site under %s", rule);
    else if (round > 0)
        say(vault, query, "answered, %u round%s", round, round == 1 ? "" : "s");
    else
        say(vault, query, "over, nothing was answered");
}
