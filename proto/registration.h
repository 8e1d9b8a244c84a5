/* Registrations: what the authorities of a network let be asked, for whom and for what. They are signed with
 * the directory, under its key `registrations`:
 *
 *     registrations:
 *       - id: "HDH-0000"                       # what a study says under `protocol`
 *         title: "Chemotherapy and survival after primary breast cancer"
 *         summary_for_patients: "We want to know …"
 *         legal_basis: "MR-004"
 *         purposes: [research-public-interest]
 *         researchers: [alice]
 *         dictionary: "rotterdam@1"            # or rotterdam: every version of it
 *         variables: [age, chemo]              # optional; absent: all
 *         cuts: { age: [45], diagnosis: [2015-07-01] }   # optional; beside the dictionary's
 *         budget: { tables: 200, models: 50 }  # optional
 *         ethics: { opinion: "CPP 2026-12, favourable", date: 2026-03-01 }   # optional
 *         notice: "Letter of the hospital, and its page on studies"
 *         controller: "Institut X, contact@…"  # optional, as the four below: MR-004 and the public register
 *         objection: "Write to dpo@…"          # how a patient objects
 *         retention: "10 years after the end"  # of the results
 *         transfers: "none"                    # outside the EU
 *         result: "doi:10.…"                   # what came out, once it did
 *         begin: 2026-04-01
 *         end: 2029-03-31
 *         closed: true                         # optional: nothing more may be asked
 *         linked: ["HDH-0001"]                 # optional: what was shown under these counts for combinations
 *         epoch: 3                             # optional: it asks within this epoch alone
 *         openings: 2                          # optional: how often it was opened again after sites had
 *                                              # closed it
 *
 * A directory without the key has not begun to register: everything may be asked that the sites' policies
 * allow. With it, also where it is an empty list, every site refuses what is outside (rule `protocol`).
 * `registrations: any` registers whatever a study names: `maille sandbox` writes it. Decision 0015. */
#ifndef PROTO_REGISTRATION_H
#define PROTO_REGISTRATION_H

#include "query/study.h"
#include "query/yaml.h"

enum {
    REGISTRATIONS_MAX = 1024,
    REGISTRATION_ID_BYTES = 64,
    REGISTRATION_TITLE_BYTES = 300,
    REGISTRATION_SUMMARY_BYTES = 4000,
    REGISTRATION_TEXT_BYTES = 500,
    REGISTRATION_PURPOSES_MAX = 64,
    REGISTRATION_LIST_MAX = 4096, /* researchers, variables */
    REGISTRATION_CUTS_MAX = 256,  /* of a variable */
    REGISTRATION_LINKED_MAX = 64,
    REGISTRATION_OPENINGS_MAX = 1000000,
    REGISTRATION_NO_BUDGET = -1,
    REGISTRATION_ANY_EPOCH = -1
};

/* Cut points of a variable, as they were written: numbers, or dates. */
struct registration_cuts {
    const char *name;
    const char **texts;
    size_t n;
};

struct registration {
    const char *id; /* one line, as all texts here but summary */
    const char *title, *summary /* for patients; may have several lines */, *legal_basis, *notice;
    const char *controller, *objection, *retention, *transfers, *result; /* NULL: not said */
    const char **purposes, **researchers, **variables;
    size_t n_purposes, n_researchers, n_variables; /* n_variables 0: all of the dictionary */
    const char *dictionary;                        /* NAME or NAME@VERSION */
    const struct registration_cuts *cuts;          /* approved for its studies, beside the dictionary's */
    size_t n_cuts;                                 /* variables that have any */
    const char **linked;                           /* ids of others in the directory */
    size_t n_linked;
    int64_t budget_tables, budget_models; /* REGISTRATION_NO_BUDGET possible */
    const char *opinion;                  /* of an ethics board; NULL: none is named */
    int32_t opinion_date, begin, end;     /* days since 1970-01-01; from begin through end, UTC */
    bool closed;
    int64_t epoch;     /* REGISTRATION_ANY_EPOCH possible */
    uint32_t openings; /* what sites counted against it before the last one counts no more */
};

enum registration_rule {
    REGISTRATION_NONE, /* the network has not begun to register */
    REGISTRATION_ANY,  /* whatever a study names is registered */
    REGISTRATION_LISTED
};

struct registrations {
    enum registration_rule rule;
    size_t n;
    const struct registration *list;
};

struct directory;

/* Reads one, as a directory holds it or a file of its own. directory: its researchers and purposes are read
 * already; the names of the registration must be among them (any purpose where it lists none).
 * MAILLE_INVALID with file:line:column. What is read lives in arena and in node's. */
enum maille_code registration_read(struct registration *registration, struct arena *arena,
                                   const struct yaml_node *node, const struct directory *directory,
                                   struct maille_error *error) MAILLE_CHECKED;

/* The key `registrations` of root. MAILLE_INVALID also where an id stands twice. */
enum maille_code registrations_read(struct registrations *registrations, struct arena *arena,
                                    const struct yaml_node *root, const struct directory *directory,
                                    struct maille_error *error) MAILLE_CHECKED;
/* As registrations_read reads it; nothing for REGISTRATION_NONE. */
void registrations_write(struct bytes *out, const struct registrations *registrations);

/* NULL: none has this id. */
const struct registration *registration_find(const struct directory *directory, const char *id);
/* Its own id, and those of the registrations that it names under `linked` or that name it. In arena. */
const char **registration_linked(size_t *n, struct arena *arena, const struct directory *directory,
                                 const struct registration *registration);

/* Its cuts, of the kind that the dictionary's variable has; others are left out. registration NULL: none. In
 * arena; returns how many variables. */
size_t registration_cuts_of(const struct variable_cuts **list, struct arena *arena,
                            const struct registration *registration, const struct dictionary *dictionary);

/* The end of its last day, in milliseconds since 1970: no question about it lives longer. */
int64_t registration_end_ms(const struct registration *registration);

/* Why the directory does not let this study be asked, by what is public alone: a sentence each, in arena,
 * without a number of patients. Their number; 0: it may be asked. researcher NULL: not known. A clock may be
 * CLOCK_SKEW_MS off. */
enum { REGISTRATION_FAULTS_MAX = 16 };
size_t registration_faults(const char *faults[REGISTRATION_FAULTS_MAX], struct arena *arena,
                           const struct directory *directory, const struct study *study,
                           const char *researcher, int64_t now_ms);

#endif
