/* A site's policy file: every key of docs/POLICY.md is known; an unknown one is refused. */
#ifndef DISCLOSURE_POLICY_H
#define DISCLOSURE_POLICY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "query/study.h"

/* off is a value of its own where the table says so */
#define POLICY_OFF (-1.0)

enum cell_scope { CELL_SCOPE_TOTAL, CELL_SCOPE_LOCAL };
enum own_totals { OWN_TOTALS_SHIELDED, OWN_TOTALS_COUNTED, OWN_TOTALS_MAY_BE_INFERRED };
enum unanimous { UNANIMOUS_HIDE, UNANIMOUS_SHOW };
enum fine_predicates { FINE_ALLOW, FINE_HOLD, FINE_REFUSE };
enum approval_mode { APPROVAL_AUTO, APPROVAL_HOLD };

struct name_list { /* n == 0 and all: everything */
    bool all;
    const char **names;
    size_t n;
};

struct policy {
    const char *preset; /* strict | standard | open */
    double min_sites, min_patients, min_cell, min_events, max_site_share, min_contributors,
        max_parameter_share;
    double min_ess_share, max_scalar_share, max_patient_share, round_counts, min_tail,
        differencing;                                              /* POLICY_OFF possible */
    double budget_tables, budget_models;                           /* POLICY_OFF possible */
    double budget_registration_tables, budget_registration_models; /* POLICY_OFF possible */
    double budget_registration_few;                                /* POLICY_OFF possible */
    enum unanimous unanimous;
    enum cell_scope cell_rule;
    enum grid_unit finest_grid;
    enum fine_predicates fine_predicates;
    enum own_totals own_totals;
    enum missing_rule missing;
    struct name_list methods, variables_deny, purposes, researchers;
    enum approval_mode approval_default;
    struct name_list hold_methods, hold_purposes; /* exceptions from approval_default */
    struct name_list auto_methods, auto_purposes;
    const char *text; /* the file as read: its hash is the policy version */
    size_t text_length;
};

/* Parses a policy. Errors: MAILLE_INVALID with file, line and column for an unknown key, a value out of
 * range, a contradiction. */
enum maille_code policy_parse(const struct policy **policy, struct arena *arena, const char *name,
                              const char *text, size_t length, struct maille_error *error) MAILLE_CHECKED;

/* Tightens a policy to a network's floor, key by key (a site may tighten, never loosen). */
/* floor NULL: own as it is. */
enum maille_code policy_with_floor(const struct policy **effective, struct arena *arena,
                                   const struct policy *own, const struct policy *floor) MAILLE_CHECKED;

/* Whether a question of this method under this purpose waits for a person: hold where any exception says so,
 * else auto where one does, else the default. */
enum approval_mode policy_approval(const struct policy *policy, const char *method, const char *purpose);

/* The share of a sum that one patient may carry (max_patient_share); 0: any, off or 1. */
double policy_patient_share(const struct policy *policy);

/* Every setting as text that policy_parse reads back to the same policy: what a site tells others of its
 * floor. */
void policy_write(struct bytes *out, const struct policy *policy);

/* What a policy is called: its preset, and where it is looser than that, in what: "strict, loosened: min_cell
 * 5 (strict: 11)". Lives in arena. */
const char *policy_title(struct arena *arena, const struct policy *policy);

/* Whether every variable that the policy denies is one of the dictionary: another would deny nothing.
 * MAILLE_REFUSED with the rule variables.deny and the nearest name. */
enum maille_code policy_check_dictionary(const struct policy *policy, const struct dictionary *dictionary,
                                         struct maille_error *error) MAILLE_CHECKED;
/* Whether every purpose that the policy names is one of a network's n (0: it lists none). MAILLE_REFUSED with
 * the rule purposes and the nearest name. */
enum maille_code policy_check_purposes(const struct policy *policy, const char *const *purposes, size_t n,
                                       struct maille_error *error) MAILLE_CHECKED;

/* The file that a new site starts from: the preset, and each other key as a comment with its value there and
 * its meaning. MAILLE_INVALID for an unknown preset. */
enum maille_code policy_template(struct bytes *out, const char *preset,
                                 struct maille_error *error) MAILLE_CHECKED;

/* The table of keys for people: docs/POLICY.md. */
void policy_manual(struct bytes *out);

#endif
