/* Private to disclosure/: what somebody who holds the whole release of a study can work out, as a system of
 * sums.
 *
 * Every head count is a sum over atoms: cells of the cross of all attributes by which the study classifies
 * its patients. An attribute is a variable of the dictionary, its values joined to classes that no grouping
 * and no cohort of the study tells apart, with `missing` as one more value; or an expression over several
 * variables (or follow-up), which stands for itself. The cross is never written out: the sums of the tables
 * over a tree of cliques (suppress_tree.c) have non-negative atoms if and only if neighbours agree on what
 * they share (Lauritzen and Spiegelhalter, JRSS B 1988;50:157; Dobra and Fienberg, PNAS 2000;97:11885), so
 * the least and the greatest that a cell can be are two linear programs over the cliques (suppress_lp.c). */
#ifndef DISCLOSURE_SUPPRESS_H
#define DISCLOSURE_SUPPRESS_H

#include "disclosure/lattice.h"
#include "disclosure/plan_judge.h"

#define SUPPRESS_NONE SIZE_MAX
#define SUPPRESS_NO_CLASS UINT32_MAX /* of a value that no number counts */

/* SUPPRESS_CELLS_MAX: cells of one clique. SUPPRESS_TREE_MAX: of all of them, so that a release is judged in
 * seconds: its linear programs take the square and more (28,000 cells two minutes). SUPPRESS_LINK_MAX: cells
 * up to which an expression and the variables that decide it are put into one clique. SUPPRESS_EXACT_MAX:
 * values up to which arithmetic over several variables is followed. */
enum {
    SUPPRESS_CELLS_MAX = 20000,
    SUPPRESS_TREE_MAX = 10000,
    SUPPRESS_LINK_MAX = 2000,
    SUPPRESS_EXACT_MAX = 50
};

/* --- suppress_system.c --- */

struct attribute {
    bool single; /* a variable of the dictionary */
    uint32_t variable;
    const struct expression *whole; /* of any other: the expression that it is */
    const uint8_t *key;             /* its canonical bytes */
    size_t key_length;
    size_t *parts; /* features that decide what it is, where it reads several variables; of OP_COMPLETE: what
                      must be present */
    size_t n_parts;
    struct lattice lattice; /* of any other than a variable: value i + 1 is code i */
    uint32_t *class_of;     /* [value] */
    size_t n_classes;
    size_t *value_of; /* [class]: one of its values */
    const uint32_t
        *joins; /* [class of `fine`]: of one that joins the classes of another, which one; else NULL */
    size_t fine;
};

/* What an expression makes of the values of an attribute. */
struct feature {
    size_t attribute;
    const struct expression *e;
    bool presence;         /* only whether it is there: 0 or −1 */
    bool exact;            /* of a NUMBER: every value by itself */
    const int32_t *coarse; /* joins its codes; NULL: as they are */
    int32_t *of_value;     /* −1: missing */
    int32_t *of_class;
};

/* A released or hidden head count. */
struct number {
    size_t analysis, block, cell; /* cell: of a table the cell itself */
    double value;
    bool released; /* else nothing is known of it */
    bool assumed;  /* the n of an analysis with tables: this release does not say it, but another query over
                      the same cohort may have */
    bool hideable; /* a cell of a table; others can only be refused with their analysis */
    bool target;   /* hidden for its own sake: must stay unknown */
    size_t owner;  /* the number of the table's cell without which it is not shown; SUPPRESS_NONE: it stands
                      alone */
    double weight; /* what it costs to give it up, per patient by which it then may vary */
    int row;       /* in the linear program */
};

/* A block of head counts: rows that meet all conditions, by the cross of the parts. */
struct member {
    size_t analysis, block;
    bool empty; /* a condition that nobody meets */
    struct condition {
        size_t feature;
        int32_t wanted;
    } * conditions;
    size_t n_conditions, n_parts;
    size_t parts[TALLY_BLOCKS_MAX]; /* features, the last fastest */
    uint32_t levels[TALLY_BLOCKS_MAX];
    size_t *number_of; /* of each cell of the cross */
    size_t clique;
};

struct system {
    struct arena *arena;
    struct judge *judge;
    bool assumes; /* numbers that are assumed count as released */
    struct attribute *attributes;
    struct feature *features;
    struct number *numbers;
    struct member *members;
    size_t n_attributes, n_features, n_numbers, n_members;
    size_t room_attributes, room_features, room_numbers, room_members;
};

/* Of every analysis that goes on. All in the arena. */
void system_build(struct system *system, struct judge *judge, struct arena *arena);
/* Of one block of one analysis; of bins, its groups. */
void system_build_block(struct system *system, struct judge *judge, size_t analysis, size_t block,
                        struct arena *arena);
/* The number that an atom of these classes (one per attribute; those that the member does not read are not
 * looked at) belongs to, or SUPPRESS_NONE. */
size_t system_number(const struct system *system, const struct member *member, const uint32_t *classes);
/* From here on nothing is taken as known that this release does not say. */
void system_assume_nothing(struct system *system);
/* Marks the attributes that a member reads. */
void system_reads(const struct system *system, const struct member *member, bool *reads);
/* Marks the attributes of the variables of one impossible cross of the dictionary. False where the system
 * does not know all of them. */
bool system_impossible_reads(const struct system *system, const struct impossible *impossible, bool *reads);
/* Does the dictionary rule these classes out? in: attributes whose classes are there. */
bool system_impossible(const struct system *system, const uint32_t *classes, const bool *in);

/* Adds an attribute; where. */
size_t system_attribute_add(struct system *system, const struct attribute *made);

/* --- suppress_coarse.c --- */

/* Once classes and their codes are made: gives what asks little of a variable an attribute of its own. */
void system_coarsen(struct system *system);

/* --- suppress_narrow.c --- */

/* Once classes are made: leaves out the values that no member counts, and the conditions that all others
 * meet. No number of the system can be more or less than before. */
void system_narrow(struct system *system);

/* --- suppress_tree.c --- */

struct clique {
    size_t *attributes;
    size_t n, n_cells;
    bool *valid;     /* [cell]: patients of these classes can be */
    size_t parent;   /* SUPPRESS_NONE: the root, which comes last */
    size_t n_shared; /* cells of the cross of what it shares with its parent */
    size_t *up;      /* [cell]: which of them */
    size_t *down;    /* [cell of the parent] */
};

struct tree {
    struct clique *cliques; /* children before parents */
    size_t n;
};

/* False where a clique would have more than SUPPRESS_CELLS_MAX cells, or all more than SUPPRESS_TREE_MAX. */
bool tree_build(struct tree *tree, struct system *system);
/* Classes of the attributes of a clique's cell, at their places in classes. */
void tree_classes(const struct system *system, const struct clique *clique, size_t cell, uint32_t *classes);
/* unbounded[number]: one patient more in it, somewhere, would change no released number: nothing bounds it
 * from above. */
void tree_unbounded(bool *unbounded, const struct tree *tree, const struct system *system,
                    struct arena *arena);

/* --- suppress_lp.c --- */

struct bounds_program; /* opaque */

/* counts: whether the numbers have values; without (a local rule) each is taken as 0, so that only what
 * nothing bounds is safe: true of any values, for if a patient more somewhere changes nothing, that may be
 * repeated. The same where no rows that are counted once each can have given the values (several rows of a
 * patient in several cells), also when nothing is assumed (system->assumes). MAILLE_MEMORY. */
enum maille_code suppress_lp_new(struct bounds_program **program, const struct tree *tree,
                                 struct system *system, bool counts,
                                 struct maille_error *error) MAILLE_CHECKED;
void suppress_lp_free(struct bounds_program *program);
/* Is it proved that a hidden number can be one thing and, with all that is released the same, another by
 * `width` or more, whatever the n of tables are (of what is shown they tell the least and the most)? False
 * where nothing is proved, and without counts. *low: the least that it can be, 0 where that is not known. */
bool suppress_lp_safe(double *low, struct bounds_program *program, size_t number,
                      int64_t width) MAILLE_CHECKED;
/* After suppress_lp_safe said no: changed[number]: the cheapest released numbers without which a hidden one
 * can be `value`. A proposal, which the simplex method made. False where it found none. */
bool suppress_lp_widen(bool *changed, struct bounds_program *program, size_t number,
                       double value) MAILLE_CHECKED;
/* A number that is no longer released. */
void suppress_lp_drop(struct bounds_program *program, size_t number);

#endif
