/* The gate: what a site's policy says of a study, in one place that can be read in ten minutes. It never
 * alters a number: an analysis passes whole or is refused under the policy key's name, and no refusal carries
 * a count. */
#ifndef DISCLOSURE_GATE_H
#define DISCLOSURE_GATE_H

#include "disclosure/policy.h"
#include "disclosure/release.h"
#include "stats/round.h"

/* Verdict on one analysis. rule "" : passes. The sentence stays at the site (its log and terminal). */
struct verdict {
    char rule[MAILLE_RULE_MAX];
    char sentence[MAILLE_SENTENCE_MAX];
    char held[MAILLE_SENTENCE_MAX]; /* why a person decides on it (gate_cuts); "": the policy alone says */
};

/* A whole number of so few values is a category, here and for moments. */
enum { GATE_FEW_VALUES = 4 };

/* Puts a rule and a sentence into a verdict that has none: the first rule that refuses is the one that is
 * told. rule: of the table (disclosure/rule.h). */
void gate_refuse(struct verdict *verdict, const char *rule, const char *format, ...) MAILLE_PRINTF(3, 4);

/* What is refused before anything is counted: methods, purposes, researchers, variables, finest_grid,
 * missing, arithmetic. verdicts: one per analysis. MAILLE_REFUSED when the whole study is (purpose,
 * researcher): rule in error. */
enum maille_code gate_question(struct verdict *verdicts, const struct policy *policy,
                               const struct study *study, const char *researcher,
                               struct maille_error *error) MAILLE_CHECKED;

/* Roster rule: sites with data in the roster ≥ min_sites. MAILLE_REFUSED "min_sites". */
enum maille_code gate_roster(const struct policy *policy, size_t n_sites,
                             struct maille_error *error) MAILLE_CHECKED;

/* Whether a logarithm, a root or a division is defined for a site's patients is one bit about the least or
 * the greatest of them, and a researcher who moves the bound by halves would read them off. So unless the
 * data are public (policy open) the dictionary's bounds alone decide: what they do not rule out is refused
 * under the rule domain_bounds, whoever the patients are. MAILLE_MEMORY. */
enum maille_code gate_domain(struct verdict *verdict, const struct policy *policy,
                             const struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;

/* What a method's head counts say of themselves: survival times finer than the policy allows; and of what its
 * result tells: moments of products of several variables, and of whole numbers of a few values (rule
 * moments). */
void gate_cells(struct verdict *verdict, const struct policy *policy, const struct analysis *analysis,
                const struct cells *cells);

/* Rule cuts (gate_cuts.c): groups of a number or a date that are made in another way than by the dictionary's
 * cuts and the registered ones. The policy's fine_predicates says whether they are for a person to decide
 * (`held` of the verdict; refused where the site has none) or refused. cells: NULL where not known. */
void gate_cuts(struct verdict *verdict, const struct policy *policy, const struct analysis *analysis,
               const struct cells *cells, const struct variable_cuts *registered, size_t n_registered,
               bool person);

/* --- a model's rounds (gate_model.c) --- */

/* The least effective sample size (Σw)²/Σw² (Kish, Survey Sampling, 1965, §11.2) of the weights of a round,
 * as a share of this site's rows that they are of; 1 where the round has no weights, the site nobody, or all
 * weights are 0. What it sums never leaves the site. Two passes over the columns. Errors: those of tally_run
 * and tally_layout. */
enum maille_code gate_weight_share(double *share, const struct tally_spec *spec, struct columns *columns,
                                   const struct tally_options *options,
                                   struct maille_error *error) MAILLE_CHECKED;
/* The rule min_ess_share. */
void gate_weights(struct verdict *verdict, const struct policy *policy, double share);

/* What a site puts in the place of an analysis that it must not answer, for a reason in its own data. */
struct gate_veto {
    const bool *vetoed;   /* one per analysis */
    const uint8_t *noise; /* a keystream as long as the round's vector; its words stand for the analysis's
                             sums, and its veto word is from there too (a word of 0 becomes 1) */
};

/* One round's sums to a release: every open analysis of the plan must have passed (verdicts), words must be
 * plan->bytes long with veto words of 0, and what the guards of a block take out (stats/guard.h) must be 0 in
 * it. surviving: what the threshold rounds left, one per analysis; NULL: there were none. veto: NULL: none.
 * Takes the content of words (left empty). MAILLE_REFUSED with the first rule that is set; MAILLE_INTERNAL
 * where a block has no guard, the plan is not what its guards say, or words are not 0 that must be. */
enum maille_code gate_release(struct release **release, const struct round_plan *plan,
                              const struct surviving *const *surviving, const struct verdict *verdicts,
                              const struct gate_veto *veto, struct tally *words,
                              struct maille_error *error) MAILLE_CHECKED;

/* The runs of equal word width of a plan, gaps included: what the coordinator needs to add. Returns their
 * number; where that is more than `room` they did not fit, and what is in runs is of no use. */
size_t gate_runs(struct word_run *runs, size_t room, const struct round_plan *plan);

#endif
