/* The keys of a policy file, one row each: the parser, the printed policy, the template that `init` writes
 * and the page docs/POLICY.md come from these rows. */
#ifndef DISCLOSURE_POLICY_TABLE_H
#define DISCLOSURE_POLICY_TABLE_H

#include "disclosure/policy.h"

enum policy_preset { PRESET_STRICT, PRESET_STANDARD, PRESET_OPEN, PRESETS };
extern const char *const policy_presets[PRESETS];

enum policy_kind {
    POLICY_NUMBER,    /* double; POLICY_OFF where may_be_off */
    POLICY_CHOICE,    /* an enum: its value is `base` + the position in `choices` */
    POLICY_NAMES,     /* struct name_list: the word all, or a list */
    POLICY_DENIED,    /* struct name_list: a list, empty by default */
    POLICY_EXCEPTIONS /* two struct name_list (hold, auto): a map from name to hold or auto */
};

/* What a tighter policy has of it. */
enum policy_tighter { TIGHTER_MORE, TIGHTER_LESS };

struct policy_row {
    const char *name; /* "min_cell"; "budget.tables" is the key tables of the map budget */
    enum policy_kind kind;
    size_t offset;  /* in struct policy */
    size_t offset2; /* POLICY_EXCEPTIONS: of the list of autos */
    const char *unit;
    double min, max;     /* POLICY_NUMBER: inclusive */
    bool whole;          /* POLICY_NUMBER: no fraction */
    bool may_be_off;     /* POLICY_NUMBER: the word off */
    const char *choices; /* POLICY_CHOICE: "month|quarter" */
    int base;
    enum policy_tighter tighter;
    double presets[PRESETS]; /* POLICY_NUMBER: values; POLICY_CHOICE: positions */
    const char *sentence;
};

extern const struct policy_row policy_rows[];
extern const size_t policy_n_rows;

/* One setting of a policy, as the row says. */
double policy_number(const struct policy *policy,
                     const struct policy_row *row); /* POLICY_CHOICE: the position */
void policy_set_number(struct policy *policy, const struct policy_row *row, double value);
struct name_list *policy_names(struct policy *policy, size_t offset);
double policy_tighter(const struct policy_row *row, double a, double b); /* of two values of a row */

/* The word at a position of "a|b|c": its length in *length. */
const char *policy_choice_word(const char *choices, int position, size_t *length);
/* The position of a word, or −1. */
int policy_choice_position(const char *choices, const char *word);

#endif
