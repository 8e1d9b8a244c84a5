/* `landmark: 183`: an analysis of those who are still followed at that time without the event, and time
 * counts from it (J. R. Anderson, K. C. Cain and R. D. Gelber, Journal of Clinical Oncology 1983;1:710). It
 * is the analysis with the condition that the time is later and with that much taken off the time, in all
 * that is worked out of either: rows, propensities, head counts, what earlier questions are compared with. */
#include <string.h>

#include "query/language.h"
#include "query/study_reading.h"

static size_t formula_key(const struct query_method *method)
{
    size_t k = 0;
    while (k < method->n_keys && method->keys[k].kind != KEY_FORMULA)
        k++;
    return k;
}

static enum maille_code check_formula(struct study_reading *r, const struct formula *formula, double landmark,
                                      const struct yaml_node *node)
{
    if (formula->kind != RESPONSE_SURVIVAL)
        return yaml_fail(r->error, node, "expected Surv(time, event) in the formula beside `landmark`");
    if (formula->start != NULL)
        return yaml_fail(
            r->error, node,
            "expected Surv(time, event) beside `landmark`, found a start: who enters later is not at "
            "risk at the landmark; write the start alone");
    if (!(landmark < formula->stop->high))
        return yaml_fail(r->error, node,
                         "expected a landmark before the latest time that there can be, %g, found %g",
                         formula->stop->high, landmark);
    return MAILLE_OK;
}

enum maille_code study_landmark(struct study_reading *r, struct analysis *analyses, size_t n,
                                const struct yaml_node *node)
{
    enum maille_code code = MAILLE_OK;
    const struct language_key *key = language_analysis;
    double landmark = 0;
    if (node == NULL)
        goto out;
    while (strcmp(key->name, "landmark") != 0)
        key++;
    MAILLE_TRY(yaml_number(&landmark, node, key->min, key->max, r->error));
    if (!(landmark > key->min)) {
        code = yaml_fail(r->error, node, "expected `landmark` above %g, found %s", key->min, node->scalar);
        goto out;
    }
    const struct expression *at = expression_constant(r->arena, landmark);
    for (size_t i = 0; i < n; i++) {
        struct query_value *value = &analyses[i].values[formula_key(analyses[i].declared)];
        struct formula *from = arena_alloc(r->arena, sizeof *from);
        MAILLE_TRY(check_formula(r, value->formula, landmark, node));
        const struct expression *stop = value->formula->stop;
        *from = *value->formula;
        from->stop = expression_binary(r->arena, OP_MAX, expression_binary(r->arena, OP_SUBTRACT, stop, at),
                                       expression_constant(r->arena, 0));
        value->formula = from;
        analyses[i].cohort =
            expression_and(r->arena, analyses[i].cohort, expression_binary(r->arena, OP_GT, stop, at));
    }
out:
    return code;
}
