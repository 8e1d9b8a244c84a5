/* Private to derive: what its files share. */
#ifndef REGISTRY_DERIVE_PRIVATE_H
#define REGISTRY_DERIVE_PRIVATE_H

#include "query/yaml.h"
#include "registry/derive.h"
#include "registry/lines.h"

struct columns;
struct line_source;

enum rule { RULE_COUNT, RULE_ANY, RULE_FIRST, RULE_LAST, RULE_MIN, RULE_MAX };

struct source {
    const char *name, *path;
    const struct dictionary *dictionary;
    int order; /* variable; −1: none */
    struct columns *rows;
    size_t *first;                   /* per patient: the first row; one more at the end */
    bool *asked;                     /* per patient */
    const struct line_source *lines; /* out of which table it is made; NULL: it is read */
};

struct condition {
    uint32_t variable;
    int64_t *values; /* codes or steps */
    size_t n;
};

struct derivation {
    size_t source;
    enum rule rule;
    int of, after; /* variable of the table; of the dictionary; −1: none */
    double least, greatest;
    struct condition *conditions;
    size_t n_conditions;
    bool changes; /* a value of its own in each row: of what is known on the day the row starts */
};

/* How drugs become lines: variables of the table `of`. */
struct line_source {
    size_t of;
    uint32_t drug, begin;
    int end; /* −1: none */
    struct condition *conditions;
    size_t n_conditions;
    struct line_rules rules;
};

/* Rows (start, stop] of a patient, and those of the patient at hand. */
struct derive_rows {
    bool made;
    uint32_t from, to, event, start, stop; /* variables of the dictionary */
    struct cell *before, *now;             /* one per variable: what is compared */
    bool followed;                         /* has a follow-up */
    int64_t begin, end;                    /* days */
    struct cell kept;                      /* the event */
    int64_t *cuts;                         /* days between, ascending, at which something changes */
    size_t n, room;
    size_t unfollowed; /* patients without a follow-up, so far */
};

struct derive {
    const struct dictionary *dictionary;
    struct source *sources;
    size_t n_sources;
    const struct derivation **of_variable; /* per variable of the dictionary; NULL: it is read */
    struct derive_rows rows;
    const char *text; /* canonical */
};

/* derive.c: the values that a row may have, `where: { variable: [values] }`; at may be NULL. */
enum maille_code derive_conditions(struct condition **conditions, size_t *n, struct arena *arena,
                                   const struct dictionary *table, const struct yaml_node *at,
                                   struct maille_error *error) MAILLE_CHECKED;

/* derive_text.c: derive_text of what was parsed. */
enum maille_code derive_canonical(const char **text, struct arena *arena, const struct yaml_node *root,
                                  const struct derive *derive, struct maille_error *error) MAILLE_CHECKED;

/* derive_lines.c: a table of lines out of the tables before it (`before` of them), and its rows, once those
 * are read. MAILLE_INVALID: rules that do not hold together; a drug without a name or begin. */
enum maille_code derive_lines_parse(struct source *source, struct arena *arena, const struct source *sources,
                                    size_t before, const struct yaml_node *map,
                                    struct maille_error *error) MAILLE_CHECKED;
enum maille_code derive_lines_make(struct source *source, const struct source *sources,
                                   struct maille_error *error) MAILLE_CHECKED;

/* derive_rows.c: `rows: { from, to, event, start, stop }`, once the variables are parsed. */
enum maille_code derive_rows_parse(struct derive *derive, struct arena *arena, const struct yaml_node *map,
                                   struct maille_error *error) MAILLE_CHECKED;

/* derive_cells.c. An entry of a table in memory; false: missing. */
bool derive_entry(int64_t *value, const struct columns *rows, size_t v, size_t row);
bool derive_meets(const struct columns *rows, const struct condition *conditions, size_t n, size_t row);
/* Whether a row of its table counts for a variable; day: what is known by then, of one that changes. */
bool derive_counts(const struct derivation *derivation, const struct derive *derive, size_t row,
                   const struct cell *cells, int64_t day);
/* The rows of a patient in a table: from *first to *end. */
void derive_patient_rows(size_t *first, size_t *end, const struct source *source, const char *key,
                         size_t length);
/* One variable of the patient with this key; false: it does not fit, as sentence says. */
bool derive_one(struct cell *cell, char sentence[CELL_SENTENCE_MAX], const struct derive *derive,
                size_t variable, const struct cell *cells, int64_t day, const char *key, size_t length);
/* Days as the variable counts them. */
bool derive_days(struct cell *cell, char sentence[CELL_SENTENCE_MAX], const struct variable *target,
                 int64_t days);

#endif
