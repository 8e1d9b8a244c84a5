#include "tally/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "tally/elementary.h"
#include "tally/operation.h"
#include "base/vector.h"

/* A slot: values of up to EVALUATE_ROWS rows, then a byte each for failures. Aligned for any vector. */
enum { SLOT_VALUES = EVALUATE_ROWS * sizeof(double), SLOT_BYTES = SLOT_VALUES + EVALUATE_ROWS };

struct evaluator {
    const struct program *program;
    struct columns *columns;
    uint8_t *slots;
    struct column_scratch *scratch; /* per variable of the program */
    struct column_block *loaded;
    struct operation *operations; /* per instruction, pointers filled in */
    void **arguments;             /* of all operations: values, then failures */
    bool *missable;               /* per instruction: a value may be missing in the block at hand */
};

static void *slot_values(const struct evaluator *evaluator, uint32_t instruction)
{
    return evaluator->slots + (size_t)evaluator->program->instructions[instruction].slot * SLOT_BYTES;
}

static uint8_t *slot_failed(const struct evaluator *evaluator, uint32_t instruction)
{
    if (!evaluator->program->instructions[instruction].may_fail)
        return NULL;
    return (uint8_t *)slot_values(evaluator, instruction) + SLOT_VALUES;
}

static void fill_constant(const struct expression *node, void *slot)
{
    double *numbers = slot;
    int32_t *codes = slot;
    for (size_t r = 0; r < EVALUATE_ROWS; r++) {
        if (node->kind == EXPRESSION_NUMBER)
            numbers[r] = node->value;
        else
            codes[r] = (int32_t)node->value;
    }
}

static void operations_bind(struct evaluator *evaluator)
{
    void **next = evaluator->arguments;
    for (uint32_t i = 0; i < evaluator->program->n_instructions; i++) {
        const struct instruction *at = &evaluator->program->instructions[i];
        struct operation *operation = &evaluator->operations[i];
        size_t n = at->node->n_args;
        *operation = (struct operation){.node = at->node,
                                        .member = at->member,
                                        .out = slot_values(evaluator, i),
                                        .failed = slot_failed(evaluator, i),
                                        .args = next,
                                        .args_failed = (uint8_t **)(next + n)};
        for (size_t k = 0; k < n; k++) {
            operation->args[k] = slot_values(evaluator, at->args[k]);
            operation->args_failed[k] = slot_failed(evaluator, at->args[k]);
        }
        next += 2 * n;
        if (at->node->op == OP_CONSTANT)
            fill_constant(at->node, operation->out);
    }
}

enum maille_code evaluate_new(struct evaluator **evaluator, const struct program *program,
                              struct columns *columns, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct evaluator *made = calloc(1, sizeof *made);
    size_t n_arguments = 0;
    for (uint32_t i = 0; i < program->n_instructions; i++)
        n_arguments += 2 * program->instructions[i].node->n_args;
    if (made == NULL)
        goto no_memory;
    made->program = program;
    made->columns = columns;
    made->slots = aligned_alloc(64, ((size_t)program->n_slots + 1) * SLOT_BYTES);
    made->scratch = calloc(program->n_variables + (size_t)1, sizeof *made->scratch);
    made->loaded = calloc(program->n_variables + (size_t)1, sizeof *made->loaded);
    made->operations = calloc(program->n_instructions + (size_t)1, sizeof *made->operations);
    made->arguments = calloc(n_arguments + 1, sizeof *made->arguments);
    made->missable = calloc(program->n_instructions + (size_t)1, sizeof *made->missable);
    if (made->slots == NULL || made->scratch == NULL || made->loaded == NULL || made->operations == NULL ||
        made->arguments == NULL || made->missable == NULL)
        goto no_memory;
    for (uint32_t k = 0; k < program->n_variables; k++) {
        if (program->variables[k] >= columns_dictionary(columns)->n_variables) {
            code = maille_fail(
                error, MAILLE_INVALID,
                "expected a variable of the dictionary, found number %u of %zu; give both sides the same "
                "dictionary",
                program->variables[k], columns_dictionary(columns)->n_variables);
            goto out;
        }
    }
    operations_bind(made);
    *evaluator = made;
    return MAILLE_OK;
no_memory:
    code = maille_fail(error, MAILLE_MEMORY, "expected memory for %u values, found none", program->n_slots);
out:
    evaluate_free(made);
    return code;
}

void evaluate_free(struct evaluator *evaluator)
{
    if (evaluator == NULL)
        return;
    for (uint32_t k = 0; evaluator->scratch != NULL && k < evaluator->program->n_variables; k++)
        column_scratch_clear(&evaluator->scratch[k]);
    free(evaluator->slots);
    free(evaluator->scratch);
    free(evaluator->loaded);
    free(evaluator->operations);
    free(evaluator->arguments);
    free(evaluator->missable);
    free(evaluator);
}

/* Is an operation on values that are all there never missing itself? Only what is sure and frequent. */
static bool stays_complete(enum expression_op op)
{
    switch (op) {
    case OP_SCALE:
    case OP_INDICATOR:
    case OP_NUMBER_OF:
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_NOT:
    case OP_AND:
    case OP_OR:
    case OP_IN_LEVELS:
    case OP_CALENDAR:
    case OP_BOOLEAN_CODE:
    case OP_CROSS:
        return true;
    default:
        return false;
    }
}

/* What may be missing in the block that was loaded. Where an operation may fail nothing is promised. */
static void mark_missable(struct evaluator *evaluator)
{
    for (uint32_t i = 0; i < evaluator->program->n_instructions; i++) {
        const struct instruction *at = &evaluator->program->instructions[i];
        struct operation *operation = &evaluator->operations[i];
        operation->complete = !at->may_fail;
        for (size_t k = 0; k < at->node->n_args; k++)
            operation->complete = operation->complete && !evaluator->missable[at->args[k]];
        if (at->node->op == OP_VARIABLE)
            evaluator->missable[i] = evaluator->loaded[at->column].missing != NULL;
        else if (at->node->op == OP_CONSTANT)
            evaluator->missable[i] = !(at->node->value >= 0) && at->node->kind != EXPRESSION_NUMBER;
        else
            evaluator->missable[i] = !operation->complete || !stays_complete(at->node->op);
    }
}

/* What a column is unpacked from is needed by one scratch at a time: one buffer for all. */
static void pass_on(struct column_scratch *to, struct column_scratch *from)
{
    if (to == from)
        return;
    bytes_clear(&to->packed);
    to->packed = from->packed;
    from->packed = (struct bytes){0};
}

enum maille_code evaluate_load(struct evaluator *evaluator, size_t block, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct column_scratch *scratch = evaluator->scratch, *before = scratch;
    for (uint32_t k = 0; k < evaluator->program->n_variables; before = &scratch[k++]) {
        pass_on(&scratch[k], before);
        MAILLE_TRY(columns_block(&evaluator->loaded[k], evaluator->columns, &scratch[k],
                                 evaluator->program->variables[k], block, error));
    }
    pass_on(scratch, before);
    mark_missable(evaluator);
out:
    return code;
}

/* Asks for part `part` of `parts` of the rows that come after first … first + n − 1. The processor's own
 * prefetching stops where a page ends, which a run of one column does; asked for in parts while other rows
 * are worked on, nobody waits. */
VECTOR_INLINE void ask_ahead(const struct evaluator *evaluator, size_t first, size_t n, size_t part,
                             size_t parts)
{
    enum { LINE = 64 };
    for (uint32_t k = 0; k < evaluator->program->n_variables; k++) {
        const struct column_block *column = &evaluator->loaded[k];
        static const uint8_t sizes[] = {
            [STORE_INT8] = 1, [STORE_INT16] = 2, [STORE_INT32] = 4, [STORE_INT64] = 8};
        size_t next = first + n, left = next < column->rows ? column->rows - next : 0;
        size_t bytes = (left < n ? left : n) * sizes[column->storage];
        const char *from = (const char *)column->values + next * sizes[column->storage];
        for (size_t at = bytes * part / parts / LINE * LINE; at < bytes * (part + 1) / parts; at += LINE)
            __builtin_prefetch(from + at, 0, 2);
    }
}

/* The whole program over n rows. Compiled per instruction set; elementary_* choose for themselves. */
VECTOR_INLINE void run_loop(const struct evaluator *evaluator, size_t first, size_t n,
                            const struct evaluate_survival *survival, uint32_t *corrupt)
{
    for (uint32_t i = 0; i < evaluator->program->n_instructions; i++) {
        const struct instruction *at = &evaluator->program->instructions[i];
        const struct operation *operation = &evaluator->operations[i];
        ask_ahead(evaluator, first, n, i, evaluator->program->n_instructions);
        switch (at->node->op) {
        case OP_CONSTANT:
            break;
        case OP_VARIABLE:
            if (!operation_load(operation, &evaluator->loaded[at->column], first, n))
                *corrupt = i;
            break;
        case OP_SURV_EXIT:
            memcpy(operation->out, survival->exit, n * sizeof *survival->exit);
            break;
        case OP_SURV_ENTRY:
            memcpy(operation->out, survival->entry, n * sizeof *survival->entry);
            break;
        case OP_SURV_STATUS:
            memcpy(operation->out, survival->status, n * sizeof *survival->status);
            break;
        case OP_SURV_FATE:
            for (size_t r = 0; r < n; r++)
                ((int32_t *)operation->out)[r] =
                    survival->fate[r] < (int32_t)at->node->n_levels ? survival->fate[r] : -1;
            break;
        default:
            if (at->node->kind == EXPRESSION_NUMBER)
                operation_number(operation, n);
            else
                operation_code(operation, n);
        }
        if (at->may_fail) {
            if (at->node->n_args > 0)
                operation_fail(operation, n);
            else
                memcpy(operation->failed, survival->failed, n);
        }
    }
}

VECTOR_CLONES(run, run_loop,
              (const struct evaluator *evaluator, size_t first, size_t n,
               const struct evaluate_survival *survival, uint32_t *corrupt),
              (evaluator, first, n, survival, corrupt))

enum maille_code evaluate_rows(struct evaluator *evaluator, size_t first, size_t n,
                               const struct evaluate_survival *survival, struct maille_error *error)
{
    uint32_t corrupt = PROGRAM_NONE;
    run(evaluator, first, n, survival, &corrupt);
    if (corrupt != PROGRAM_NONE) {
        const struct expression *node = evaluator->program->instructions[corrupt].node;
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected values of %s within the bounds of the dictionary, found one outside of "
                           "them; import the "
                           "data again",
                           columns_dictionary(evaluator->columns)->variables[node->variable].name);
    }
    return MAILLE_OK;
}

const double *evaluate_numbers(const struct evaluator *evaluator, size_t root)
{
    return slot_values(evaluator, evaluator->program->roots[root]);
}

const int32_t *evaluate_codes(const struct evaluator *evaluator, size_t root)
{
    return slot_values(evaluator, evaluator->program->roots[root]);
}

const uint8_t *evaluate_failed(const struct evaluator *evaluator, size_t root)
{
    uint32_t instruction = evaluator->program->roots[root];
    return instruction == PROGRAM_NONE ? NULL : slot_failed(evaluator, instruction);
}

VECTOR_INLINE void keep_loop(uint8_t *keep, const struct expression *node, const void *values, size_t n)
{
    const double *x = values;
    const int32_t *c = values;
    int32_t least = node->kind == EXPRESSION_BOOLEAN; /* a boolean must be true, a code present */
    if (node->kind == EXPRESSION_NUMBER) {
        for (size_t r = 0; r < n; r++)
            keep[r] &= (uint8_t)(x[r] == x[r]);
    } else {
        for (size_t r = 0; r < n; r++)
            keep[r] &= (uint8_t)(c[r] >= least);
    }
}

VECTOR_CLONES(keep_present, keep_loop,
              (uint8_t * keep, const struct expression *node, const void *values, size_t n),
              (keep, node, values, n))

void evaluate_keep(uint8_t *keep, uint8_t *failed, const struct evaluator *evaluator, size_t root, size_t n)
{
    uint32_t instruction = evaluator->program->roots[root];
    if (instruction == PROGRAM_NONE)
        return;
    const struct expression *node = evaluator->program->instructions[instruction].node;
    const uint8_t *root_failed = slot_failed(evaluator, instruction);
    if (root_failed == NULL && !evaluator->missable[instruction] && node->kind != EXPRESSION_BOOLEAN)
        return;
    if (root_failed == NULL) {
        keep_present(keep, node, slot_values(evaluator, instruction), n);
        return;
    }
    uint8_t present[EVALUATE_ROWS];
    memset(present, 1, n);
    keep_present(present, node, slot_values(evaluator, instruction), n);
    for (size_t r = 0; r < n; r++) {
        keep[r] &= present[r] | root_failed[r];
        failed[r] |= root_failed[r];
    }
}

enum maille_code evaluate_check(const uint8_t *keep, const uint8_t *failed, size_t n,
                                struct maille_error *error)
{
    uint8_t any = 0;
    for (size_t r = 0; r < n; r++)
        any |= keep[r] & failed[r];
    if (any != 0)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected logarithms and divisors above 0, found a row where a logarithm or a division met a "
            "value that is not above 0; leave such rows out with cohort: or add a constant");
    return MAILLE_OK;
}
