/* Rule codes in words. A site sends the code alone; the sentence that names a value stays in the hospital. */
#include <string.h>

#include "agent/private.h"

const char *agent_rule_sentence(const char *rule)
{
    static const struct {
        const char *rule, *sentence;
    } rules[] = {
        {"min_sites", "fewer sites take part than the policies of this network allow"},
        {"min_patients", "the cohort holds fewer patients than the policies of this network allow"},
        {"min_cell", "a cell holds fewer patients than the policies of this network allow"},
        {"min_events", "an arm or a level holds fewer events than the policies of this network allow"},
        {"max_parameter_share",
         "the model has more parameters for its patients than the policies of this network allow"},
        {"min_contributors", "a cell holds patients of fewer sites than the policies of this network allow"},
        {"max_site_share", "one site holds more of a cell than the policies of this network allow"},
        {"min_tail", "too few patients lie beyond a quantile for the policies of this network"},
        {"differencing", "the answer would differ from an earlier one by a few patients"},
        {"own_totals", "a site's own totals would follow from an earlier answer to other sites"},
        {"budget", "the researcher has asked as much of this protocol as a site's policy allows"},
        {"approval", "the sums are not those that a site's officer approved"},
        {"min_ess_share", "the weights of a site rest on too few of its patients for its policy"},
        {"max_scalar_share",
         "the model would release more numbers for its patients than a site's policy allows"},
        {"site_rule", "a rule that a site judges by itself does not allow it"},
        {"custody", "the head counts that the sites open for themselves do not add up: the masks of one of "
                    "them are wrong"},
        {"finest_grid", "the time grid is finer than the policies of this network allow"},
        {"methods", "a site does not take part in this method"},
        {"variables.deny", "a site does not take part in questions on one of these variables"},
        {"purposes", "a site does not take part in studies of this purpose"},
        {"researchers", "a site does not answer this researcher"},
        {"missing",
         "a site asks for missing: study, so that a study's own analyses do not differ by a few patients"},
        {"domain", "a logarithm, a root or a division met a value for which it is not defined"},
        {"domain_bounds", "a logarithm, a root or a division is not defined for every value within the "
                          "dictionary's limits, and whether a "
                          "patient has such a value is not told"},
        {"arithmetic", "an expression could be large for few patients and small for all others: a steep "
                       "exp(), a divisor near zero, a power above "
                       "the third, a kink, narrow splines, or a comparison that is multiplied"},
        {"theta", "the linear predictor could reach beyond the bound of 30 within the dictionary's limits"},
        {"snapshot", "a site has no snapshot that it can read"},
        {"public", "a site's policy is open and its snapshot was not imported as public"},
        {"round_idle", "the query was left alone for too long"},
        {"expired", "the query has expired"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].rule, rule) == 0)
            return rules[i].sentence;
    return "a rule of a site's policy does not allow it";
}
