#include "tally/program.h"

#include <stdlib.h>
#include <string.h>

/* Far above what the parsers permit (EXPRESSION_DEPTH_MAX): stats/ puts its own nodes on top. */
enum { DEPTH_MAX = 1000, INSTRUCTIONS_MAX = 1 << 18 };

/* Open addressing; an entry is an instruction number + 1, 0 is free. Two tables: by pointer, so that a shared
 * subtree is walked once, and by structure. */
struct table {
    uint32_t *entries;
    const struct expression **keys; /* by pointer only */
    size_t capacity, used;          /* a power of two */
};

struct compiler {
    struct arena *arena;
    struct instruction *code;
    uint32_t n, capacity;
    struct table by_pointer, by_structure;
    bool survival_may_fail, no_memory;
};

static void table_clear(struct table *table)
{
    free(table->entries);
    free(table->keys);
    *table = (struct table){0};
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t mix_double(uint64_t hash, double value)
{
    return mix(hash, bits_of(value));
}

static uint64_t structure_hash(const struct expression *e, const uint32_t *args)
{
    uint64_t hash = mix((uint64_t)e->op, (uint64_t)e->kind);
    hash = mix(mix(mix(hash, e->n_levels), e->variable), (uint64_t)e->integer);
    hash = mix_double(mix_double(mix(hash, e->flag), e->value), e->value2);
    for (size_t i = 0; i < e->n_table; i++)
        hash = mix_double(hash, e->table[i]);
    for (size_t i = 0; i < e->n_args; i++)
        hash = mix(hash, args[i]);
    return hash;
}

static bool same_double(double a, double b)
{
    return bits_of(a) == bits_of(b);
}

static bool structure_equal(const struct instruction *a, const struct expression *e, const uint32_t *args)
{
    const struct expression *f = a->node;
    return f->op == e->op && f->kind == e->kind && f->n_levels == e->n_levels && f->variable == e->variable &&
           f->integer == e->integer && f->flag == e->flag && same_double(f->value, e->value) &&
           same_double(f->value2, e->value2) && f->n_table == e->n_table && f->n_args == e->n_args &&
           (e->n_table == 0 || f->table == e->table ||
            memcmp(f->table, e->table, e->n_table * sizeof *e->table) == 0) &&
           (e->n_args == 0 || memcmp(a->args, args, e->n_args * sizeof *args) == 0);
}

static uint64_t pointer_hash(const struct expression *e)
{
    return mix(0, (uint64_t)(uintptr_t)e);
}

static bool table_room(struct compiler *c, struct table *table, bool keyed)
{
    if (2 * (table->used + 1) <= table->capacity)
        return true;
    struct table larger = {.capacity = table->capacity == 0 ? 256 : 2 * table->capacity, .used = table->used};
    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    larger.keys = keyed ? calloc(larger.capacity, sizeof *larger.keys) : NULL;
    if (larger.entries == NULL || (keyed && larger.keys == NULL)) {
        table_clear(&larger);
        c->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->entries[i] == 0)
            continue;
        const struct instruction *at = &c->code[table->entries[i] - 1];
        uint64_t hash = keyed ? pointer_hash(table->keys[i]) : structure_hash(at->node, at->args);
        size_t slot = hash & (larger.capacity - 1);
        while (larger.entries[slot] != 0)
            slot = (slot + 1) & (larger.capacity - 1);
        larger.entries[slot] = table->entries[i];
        if (keyed)
            larger.keys[slot] = table->keys[i];
    }
    table_clear(table);
    *table = larger;
    return true;
}

/* Can this operation itself meet a domain error, given the interval of its argument? */
static bool op_may_fail(const struct expression *e)
{
    switch (e->op) {
    case OP_LOG:
        return !(e->args[0]->low > 0);
    case OP_SQRT:
        return !(e->args[0]->low >= 0);
    case OP_DIVIDE:
        return !(e->args[1]->low > 0 || e->args[1]->high < 0);
    case OP_POWER:
        return e->integer < 0 && !(e->args[0]->low > 0 || e->args[0]->high < 0);
    default:
        return false;
    }
}

static enum maille_code check_table(const struct expression *e, struct maille_error *error)
{
    size_t need = 0;
    if (e->op == OP_LINEAR)
        need = e->n_args + 1;
    else if (e->op == OP_IN_LEVELS || e->op == OP_LOOKUP || e->op == OP_RECODE)
        need = e->args[0]->kind == EXPRESSION_BOOLEAN ? 2 : e->args[0]->n_levels;
    if (e->n_table < need)
        return maille_fail(error, MAILLE_INVALID, "expected a table of %zu numbers, found %zu", need,
                           e->n_table);
    return MAILLE_OK;
}

static enum maille_code append(struct compiler *c, uint32_t *number, const struct expression *e,
                               const uint32_t *args, struct maille_error *error)
{
    if (c->n >= INSTRUCTIONS_MAX)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected at most %d distinct subexpressions, found more; ask for fewer terms at once",
            INSTRUCTIONS_MAX);
    if (c->n == c->capacity) {
        uint32_t capacity = c->capacity == 0 ? 64 : 2 * c->capacity;
        struct instruction *code = realloc(c->code, capacity * sizeof *code);
        if (code == NULL) {
            c->no_memory = true;
            return MAILLE_MEMORY;
        }
        c->code = code;
        c->capacity = capacity;
    }
    struct instruction *at = &c->code[c->n];
    *at = (struct instruction){.node = e, .args = args};
    at->may_fail = op_may_fail(e) || (expression_op_follows_up(e->op) && c->survival_may_fail);
    for (size_t i = 0; i < e->n_args; i++)
        at->may_fail = at->may_fail || c->code[args[i]].may_fail;
    if (e->op == OP_IN_LEVELS) {
        uint8_t *member = arena_array(c->arena, e->n_table, 1);
        for (size_t i = 0; i < e->n_table; i++)
            member[i] = e->table[i] == 1;
        at->member = member;
    }
    *number = c->n++;
    return MAILLE_OK;
}

static enum maille_code visit(struct compiler *c, uint32_t *number, const struct expression *e, int depth,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (depth > DEPTH_MAX)
        return maille_fail(error, MAILLE_INVALID,
                           "expected an expression at most %d levels deep, found a deeper one", DEPTH_MAX);
    if (!table_room(c, &c->by_pointer, true) || !table_room(c, &c->by_structure, false))
        return MAILLE_MEMORY;
    size_t mask = c->by_pointer.capacity - 1;
    for (size_t slot = pointer_hash(e) & mask; c->by_pointer.entries[slot] != 0; slot = (slot + 1) & mask) {
        if (c->by_pointer.keys[slot] == e) {
            *number = c->by_pointer.entries[slot] - 1;
            return MAILLE_OK;
        }
    }

    MAILLE_TRY(check_table(e, error));
    uint32_t *args = arena_array(c->arena, e->n_args + 1, sizeof *args);
    for (size_t i = 0; i < e->n_args; i++)
        MAILLE_TRY(visit(c, &args[i], e->args[i], depth + 1, error));

    /* The tables may have grown below. */
    if (!table_room(c, &c->by_pointer, true) || !table_room(c, &c->by_structure, false))
        return MAILLE_MEMORY;
    mask = c->by_structure.capacity - 1;
    size_t at = structure_hash(e, args) & mask;
    while (c->by_structure.entries[at] != 0 &&
           !structure_equal(&c->code[c->by_structure.entries[at] - 1], e, args))
        at = (at + 1) & mask;
    if (c->by_structure.entries[at] == 0) {
        MAILLE_TRY(append(c, number, e, args, error));
        c->by_structure.entries[at] = *number + 1;
        c->by_structure.used++;
    } else {
        *number = c->by_structure.entries[at] - 1;
    }
    mask = c->by_pointer.capacity - 1;
    at = pointer_hash(e) & mask;
    while (c->by_pointer.entries[at] != 0)
        at = (at + 1) & mask;
    c->by_pointer.entries[at] = *number + 1;
    c->by_pointer.keys[at] = e;
    c->by_pointer.used++;
out:
    return code;
}

/* Slots: a value's slot is free again after its last use. Constants and roots keep theirs to the end. An
 * instruction never writes into a slot that it reads. */
static void assign_slots(struct compiler *c, struct program *program, const uint32_t *roots, size_t n_roots)
{
    uint32_t *last = arena_array(c->arena, c->n + 1, sizeof *last);
    uint32_t *spare = arena_array(c->arena, c->n + 1, sizeof *spare);
    uint32_t n_spare = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct instruction *at = &c->code[i];
        last[i] = at->node->op == OP_CONSTANT ? UINT32_MAX : i;
        for (size_t k = 0; k < at->node->n_args; k++) {
            if (last[at->args[k]] != UINT32_MAX)
                last[at->args[k]] = i;
        }
    }
    for (size_t i = 0; i < n_roots; i++) {
        if (roots[i] != PROGRAM_NONE)
            last[roots[i]] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        struct instruction *at = &c->code[i];
        bool constant =
            at->node->op == OP_CONSTANT; /* filled once, so never in a slot that had another value */
        at->slot = n_spare > 0 && !constant ? spare[--n_spare] : program->n_slots++;
        for (size_t k = 0; k < at->node->n_args; k++) {
            uint32_t arg = at->args[k];
            bool again = false; /* the same argument twice frees its slot once */
            for (size_t l = 0; l < k; l++)
                again = again || at->args[l] == arg;
            if (last[arg] == i && !again)
                spare[n_spare++] = c->code[arg].slot;
        }
        if (last[i] == i)
            spare[n_spare++] = at->slot;
    }
}

static void collect_variables(struct compiler *c, struct program *program)
{
    uint32_t *variables = arena_array(c->arena, c->n + 1, sizeof *variables);
    for (uint32_t i = 0; i < c->n; i++) {
        struct instruction *at = &c->code[i];
        if (at->node->op != OP_VARIABLE)
            continue;
        uint32_t k = 0;
        while (k < program->n_variables && variables[k] != at->node->variable)
            k++;
        if (k == program->n_variables)
            variables[program->n_variables++] = at->node->variable;
        at->column = k;
    }
    program->variables = variables;
}

enum maille_code program_compile(struct program *program, struct arena *arena,
                                 const struct expression *const *roots, size_t n_roots,
                                 bool survival_may_fail, struct maille_error *error)
{
    struct compiler c = {.arena = arena, .survival_may_fail = survival_may_fail};
    struct program made = {0};
    enum maille_code code = MAILLE_OK;
    uint32_t *numbers = arena_array(arena, n_roots + 1, sizeof *numbers);
    for (size_t i = 0; i < n_roots; i++) {
        numbers[i] = PROGRAM_NONE;
        if (roots[i] != NULL)
            MAILLE_TRY(visit(&c, &numbers[i], roots[i], 0, error));
    }
    assign_slots(&c, &made, numbers, n_roots);
    collect_variables(&c, &made);
    made.instructions = arena_array(arena, c.n + 1, sizeof *made.instructions);
    if (c.n > 0)
        memcpy(made.instructions, c.code, c.n * sizeof *c.code);
    made.n_instructions = c.n;
    made.roots = numbers;
    *program = made;
out:
    if (c.no_memory)
        code = maille_fail(error, MAILLE_MEMORY,
                           "expected memory for the expressions of an analysis, found none");
    table_clear(&c.by_pointer);
    table_clear(&c.by_structure);
    free(c.code);
    return code;
}
