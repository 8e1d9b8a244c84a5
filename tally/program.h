/* Expression trees made flat: one instruction per distinct subexpression, in an order in which arguments come
 * first. Internal to tally/. */
#ifndef TALLY_PROGRAM_H
#define TALLY_PROGRAM_H

#include "base/arena.h"
#include "query/expression.h"

/* Stands where a root was NULL. */
#define PROGRAM_NONE UINT32_MAX

struct instruction {
    const struct expression *node;
    const uint32_t *args;  /* node->n_args instruction numbers, each below this one's */
    uint32_t slot;         /* where its values stand while they are needed */
    uint32_t column;       /* OP_VARIABLE: index into `variables` */
    bool may_fail;         /* a row may have met a domain error here or in an argument */
    const uint8_t *member; /* OP_IN_LEVELS: the table as bytes */
};

struct program {
    struct instruction *instructions;
    uint32_t n_instructions;
    uint32_t n_slots;
    const uint32_t *variables; /* distinct dictionary indices that are read */
    uint32_t n_variables;
    const uint32_t *roots; /* instruction of each root, PROGRAM_NONE for NULL */
};

/* Compiles n_roots trees (NULL is legal) into one program in arena. Subexpressions that are the same pointer
 * or equal in structure become one instruction. survival_may_fail: whether OP_SURV_* can meet a domain error.
 * Errors: MAILLE_INVALID for a tree that is too deep or too big, or a table shorter than its codes. */
enum maille_code program_compile(struct program *program, struct arena *arena,
                                 const struct expression *const *roots, size_t n_roots,
                                 bool survival_may_fail, struct maille_error *error) MAILLE_CHECKED;

#endif
