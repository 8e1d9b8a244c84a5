#include "disclosure/chosen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/lattice.h"

enum { CHOSEN_TRIED_MAX = 4096 }; /* combinations of values of several variables that are tried */

/* What was worked out for one group serves the next. */
struct chosen {
    const struct dictionary *dictionary;
    struct arena *arena;
    struct lattice *lattices; /* [variable]; n 0: not made yet */
    struct known *known;      /* conditions that were met before */
    size_t n_known, room;
};

/* One group. */
struct work {
    struct chosen *chosen;
    struct arena *arena;
    struct table *tables; /* about several variables; no two about the same */
    size_t n_tables;
    bool **left; /* [variable]: which of its values the conditions leave; NULL: none is about it */
    struct byte_view *others; /* the rest, as bytes */
    size_t n_others;
    bool anybody;
};

/* --- what a condition says, value by value --- */

/* Of each combination of values of the variables that a condition reads, whether it holds; the first variable
 * fastest. */
struct table {
    size_t n_variables, n;
    uint32_t *variables;
    size_t *sizes, *strides;
    size_t **values; /* [variable][sizes]: which of its values, from 0 */
    bool *holds;
};

static struct table table_new(size_t n_variables, struct arena *arena)
{
    return (struct table){.n = 1,
                          .variables = arena_array(arena, n_variables + 1, sizeof(uint32_t)),
                          .sizes = arena_array(arena, n_variables + 1, sizeof(size_t)),
                          .strides = arena_array(arena, n_variables + 1, sizeof(size_t)),
                          .values = arena_array(arena, n_variables + 1, sizeof(size_t *))};
}

static void add_variable(struct table *table, uint32_t variable, size_t *values, size_t size)
{
    const size_t at = table->n_variables++;
    table->variables[at] = variable;
    table->values[at] = values;
    table->sizes[at] = size;
    table->strides[at] = table->n;
    table->n *= size;
}

static size_t digit(const struct table *table, size_t combination, size_t v)
{
    return combination / table->strides[v] % table->sizes[v];
}

static const struct lattice *lattice_of(const struct chosen *chosen, uint32_t variable)
{
    struct lattice *lattice = &chosen->lattices[variable];
    if (lattice->n == 0) {
        const struct expression *e = expression_variable(chosen->arena, chosen->dictionary, variable);
        lattice_make(lattice, chosen->arena, &chosen->dictionary->variables[variable], &e, 1);
    }
    return lattice;
}

static size_t *all_values(size_t n, struct arena *arena)
{
    size_t *values = arena_array(arena, n + 1, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = i;
    return values;
}

/* false: it cannot be followed, or not within so many combinations. */
static bool table_make(struct table *table, const struct chosen *chosen,
                       const struct part_condition *condition)
{
    const size_t n_variables = chosen->dictionary->n_variables;
    bool *used = arena_array(chosen->arena, n_variables + 1, sizeof *used);
    double *at = arena_array(chosen->arena, n_variables + 1, sizeof *at);
    if (!lattice_knows(condition->e))
        return false;
    *table = table_new(n_variables, chosen->arena);
    expression_variables(condition->e, used);
    for (uint32_t v = 0; v < n_variables; v++) {
        at[v] = NAN;
        if (!used[v])
            continue;
        const struct lattice *lattice = lattice_of(chosen, v);
        const size_t n = lattice->n - 1; /* its value 0 is missing */
        if (!lattice->complete || n == 0 ||
            (table->n_variables > 0 && (n > CHOSEN_TRIED_MAX || n * table->n > CHOSEN_TRIED_MAX)))
            return false;
        add_variable(table, v, all_values(n, chosen->arena), n);
    }
    table->holds = arena_array(chosen->arena, table->n, sizeof *table->holds);
    for (size_t i = 0; i < table->n; i++) {
        for (size_t v = 0; v < table->n_variables; v++)
            at[table->variables[v]] = chosen->lattices[table->variables[v]].values[1 + digit(table, i, v)];
        const int32_t code = lattice_code_of(condition->e, at);
        table->holds[i] = condition->kind == PART_PRESENT ? code >= 0 : code == 1;
    }
    return true;
}

static bool is_relevant(const struct table *table, size_t v)
{
    bool relevant = false;
    for (size_t i = 0; i < table->n && !relevant; i++)
        relevant = table->holds[i] != table->holds[i - digit(table, i, v) * table->strides[v]];
    return relevant;
}

/* Without the variables that do not matter. */
static void table_reduce(struct table *table, struct arena *arena)
{
    struct table made = table_new(table->n_variables, arena);
    size_t *from = arena_array(arena, table->n_variables + 1, sizeof *from);
    for (size_t v = 0; v < table->n_variables; v++)
        if (is_relevant(table, v)) {
            from[made.n_variables] = table->strides[v];
            add_variable(&made, table->variables[v], table->values[v], table->sizes[v]);
        }
    made.holds = arena_array(arena, made.n, sizeof *made.holds);
    for (size_t i = 0; i < made.n; i++) {
        size_t there = 0;
        for (size_t v = 0; v < made.n_variables; v++)
            there += digit(&made, i, v) * from[v];
        made.holds[i] = table->holds[there];
    }
    *table = made;
}

/* A condition that was met before. */
struct known {
    struct byte_view key;
    bool followed;
    struct table table; /* reduced */
};

/* NULL: it cannot be followed. */
static const struct table *table_of(struct chosen *chosen, const struct part_condition *condition)
{
    for (size_t i = 0; i < chosen->n_known; i++)
        if (byte_view_equal(chosen->known[i].key, condition->key))
            return chosen->known[i].followed ? &chosen->known[i].table : NULL;
    if (chosen->n_known == chosen->room) {
        struct known *grown = arena_array(chosen->arena, 2 * chosen->room + 16, sizeof *grown);
        if (chosen->n_known > 0)
            memcpy(grown, chosen->known, chosen->n_known * sizeof *grown);
        chosen->known = grown;
        chosen->room = 2 * chosen->room + 16;
    }
    struct known *made = &chosen->known[chosen->n_known++];
    uint8_t *key = arena_alloc(chosen->arena, condition->key.length + 1);
    memcpy(key, condition->key.data, condition->key.length);
    *made = (struct known){.key = {key, condition->key.length}};
    made->followed = table_make(&made->table, chosen, condition);
    if (!made->followed)
        return NULL;
    table_reduce(&made->table, chosen->arena);
    return &made->table;
}

/* --- all of them --- */

static void add_other(struct work *work, const struct bytes *bytes)
{
    uint8_t *copy = arena_alloc(work->arena, bytes->length + 1);
    if (bytes->length > 0)
        memcpy(copy, bytes->data, bytes->length);
    work->others[work->n_others++] = (struct byte_view){copy, bytes->length};
}

static void add_as_it_stands(struct work *work, const struct part_condition *condition, struct bytes *room)
{
    room->length = 0;
    bytes_put_u8(room, 0);
    bytes_put(room, condition->key.data, condition->key.length);
    add_other(work, room);
}

/* About one variable. */
static void add_values(struct work *work, const struct table *table)
{
    const uint32_t variable = table->variables[0];
    bool **left = &work->left[variable];
    const size_t n = lattice_of(work->chosen, variable)->n - 1;
    bool *holds = arena_array(work->arena, n, sizeof *holds);
    for (size_t i = 0; i < table->n; i++)
        holds[table->values[0][i]] = table->holds[i];
    for (size_t i = 0; i < n; i++)
        holds[i] = holds[i] && (*left == NULL || (*left)[i]);
    *left = holds;
}

/* A reduced table of one variable or none. */
static void add_simple(struct work *work, const struct table *table)
{
    if (table->n_variables == 1)
        add_values(work, table);
    else
        work->anybody = work->anybody && table->holds[0];
}

/* A reduced table, joined with what else is about the same variables: `x >= 1` says nothing beside `x == 2`.
 */
static void add_table(struct work *work, struct table table)
{
    while (table.n_variables > 1) {
        size_t t = 0;
        while (t < work->n_tables && (work->tables[t].n_variables != table.n_variables ||
                                      memcmp(work->tables[t].variables, table.variables,
                                             table.n_variables * sizeof *table.variables) != 0))
            t++;
        if (t == work->n_tables) {
            work->tables[work->n_tables++] = table;
            return;
        }
        for (size_t i = 0; i < table.n; i++)
            table.holds[i] = table.holds[i] && work->tables[t].holds[i];
        work->tables[t] = work->tables[--work->n_tables];
        table_reduce(&table, work->arena); /* it may be about fewer now */
    }
    add_simple(work, &table);
}

/* Over the values that are left alone. false: these are all that it is about. */
static bool table_restrict(struct table *table, const struct work *work)
{
    struct table made = table_new(table->n_variables, work->arena);
    size_t **digits = arena_array(work->arena, table->n_variables + 1, sizeof *digits);
    for (size_t v = 0; v < table->n_variables; v++) {
        const bool *left = work->left[table->variables[v]];
        size_t n = 0, *values = arena_array(work->arena, table->sizes[v] + 1, sizeof *values);
        digits[v] = arena_array(work->arena, table->sizes[v] + 1, sizeof **digits);
        for (size_t i = 0; i < table->sizes[v]; i++)
            if (left == NULL || left[table->values[v][i]]) {
                digits[v][n] = i;
                values[n++] = table->values[v][i];
            }
        add_variable(&made, table->variables[v], values, n);
    }
    if (made.n == table->n || made.n == 0)
        return false;
    made.holds = arena_array(work->arena, made.n, sizeof *made.holds);
    for (size_t i = 0; i < made.n; i++) {
        size_t there = 0;
        for (size_t v = 0; v < made.n_variables; v++)
            there += digits[v][digit(&made, i, v)] * table->strides[v];
        made.holds[i] = table->holds[there];
    }
    table_reduce(&made, work->arena);
    *table = made;
    return true;
}

/* Which values of each of its variables a table leaves: `death && !recur` is two conditions. */
static void project(struct work *work, const struct table *table)
{
    for (size_t v = 0; v < table->n_variables; v++) {
        struct table one = table_new(1, work->arena);
        add_variable(&one, table->variables[v], table->values[v], table->sizes[v]);
        one.holds = arena_array(work->arena, one.n, sizeof *one.holds);
        for (size_t i = 0; i < table->n; i++)
            one.holds[digit(table, i, v)] |= table->holds[i];
        add_values(work, &one);
    }
}

/* What the conditions say of each other by single variables, until nothing follows any more. */
static void restrict_all(struct work *work)
{
    for (size_t t = 0; t < work->n_tables; t++)
        project(work, &work->tables[t]);
    for (size_t t = 0; t < work->n_tables;) {
        struct table *table = &work->tables[t];
        if (!table_restrict(table, work)) {
            t++;
            continue;
        }
        if (table->n_variables >= 2) {
            project(work, table);
        } else {
            const struct table simple = *table;
            *table = work->tables[--work->n_tables];
            add_simple(work, &simple);
        }
        t = 0;
    }
}

static void put_table(struct work *work, const struct table *table, struct bytes *room)
{
    room->length = 0;
    bytes_put_u8(room, 1);
    for (size_t v = 0; v < table->n_variables; v++)
        bytes_put_string(room, work->chosen->dictionary->variables[table->variables[v]].name);
    for (size_t i = 0; i < table->n; i++)
        bytes_put_u8(room, table->holds[i]);
    add_other(work, room);
}

static void add_condition(struct work *work, const struct part_condition *condition, struct bytes *room)
{
    if (condition->kind == PART_FOLLOW_UP || /* curves of two times are of the same patients */
        (condition->kind == PART_PRESENT && condition->e->op == OP_VARIABLE))
        return;
    const struct table *known = table_of(work->chosen, condition);
    if (known == NULL) {
        add_as_it_stands(work, condition, room);
        return;
    }
    struct table table = *known;
    table.holds = arena_array(work->arena, table.n, sizeof *table.holds);
    memcpy(table.holds, known->holds, table.n * sizeof *table.holds);
    add_table(work, table);
}

static int by_bytes(const void *a, const void *b)
{
    const struct byte_view *x = a, *y = b;
    const int order = memcmp(x->data, y->data, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* The values of a variable that are left. Nothing where these are all. */
static void put_values(struct bytes *out, struct work *work, uint32_t v)
{
    const bool *left = work->left[v];
    const struct lattice *lattice = lattice_of(work->chosen, v);
    size_t n_left = 0;
    for (size_t i = 0; i + 1 < lattice->n; i++)
        n_left += left[i];
    work->anybody = work->anybody && n_left > 0;
    if (n_left + 1 == lattice->n)
        return;
    bytes_put_string(out, work->chosen->dictionary->variables[v].name);
    for (size_t i = 0; i + 1 < lattice->n; i++)
        if (i + 2 == lattice->n || left[i] != left[i + 1]) {
            bytes_put_f64(out, lattice->values[i + 1]);
            bytes_put_u8(out, left[i]);
        }
}

struct chosen *chosen_new(const struct dictionary *dictionary)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        return NULL;
    struct chosen *chosen = arena_alloc(arena, sizeof *chosen);
    *chosen =
        (struct chosen){.dictionary = dictionary,
                        .arena = arena,
                        .lattices = arena_array(arena, dictionary->n_variables + 1, sizeof(struct lattice))};
    return chosen;
}

void chosen_free(struct chosen *chosen)
{
    if (chosen != NULL)
        arena_free(chosen->arena);
}

void chosen_write(struct bytes *out, struct chosen *chosen, const struct part *part)
{
    const size_t before = out->length, n_variables = chosen->dictionary->n_variables;
    struct bytes room = {0};
    struct arena *arena = arena_new();
    if (arena == NULL) {
        out->failed = true;
        return;
    }
    struct work work = {.chosen = chosen,
                        .arena = arena,
                        .left = arena_array(arena, n_variables + 1, sizeof *work.left),
                        .tables = arena_array(arena, part->n_conditions + 1, sizeof *work.tables),
                        .others = arena_array(arena, 2 * part->n_conditions + 1, sizeof *work.others),
                        .anybody = true};
    for (size_t i = 0; i < part->n_conditions; i++)
        add_condition(&work, &part->conditions[i], &room);
    restrict_all(&work);
    for (size_t t = 0; t < work.n_tables; t++)
        put_table(&work, &work.tables[t], &room);
    bytes_put_u8(out, 1);
    for (uint32_t v = 0; v < n_variables; v++)
        if (work.left[v] != NULL)
            put_values(out, &work, v);
    bytes_put_u8(out, 0);
    if (work.n_others > 1)
        qsort(work.others, work.n_others, sizeof *work.others, by_bytes);
    for (size_t i = 0; i < work.n_others; i++)
        if (i == 0 || !byte_view_equal(work.others[i - 1], work.others[i]))
            bytes_put_block(out, work.others[i].data, work.others[i].length);
    out->failed = out->failed || room.failed;
    if (!work.anybody && !out->failed)
        out->length = before;
    bytes_clear(&room);
    arena_free(arena);
}
