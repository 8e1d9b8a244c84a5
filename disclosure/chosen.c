#include "disclosure/chosen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/lattice.h"

/* CHOSEN_TRIED_MAX: combinations of values of several variables that are tried; CHOSEN_WORK_MAX: values of
 * expressions that are worked out in all. Past either a condition stands as it is: fewer groups are then
 * alike. */
enum { CHOSEN_TRIED_MAX = 4096, CHOSEN_WORK_MAX = 1 << 25, CHOSEN_PASSES_MAX = 1000 };

/* What was worked out for one group serves the next. */
struct chosen {
    const struct dictionary *dictionary;
    struct arena *arena;
    struct lattice *lattices; /* [variable]; n 0: not made yet */
    size_t **all;             /* [variable]: 0, 1, … of its lattice */
    bool *used;               /* [variable]: room */
    double *at;               /* [variable]: room */
    size_t work;              /* so far */
    struct known *known;      /* conditions that were met before */
    size_t n_known, room;
};

/* One group. */
struct work {
    struct chosen *chosen;
    struct arena *arena;
    struct table *tables; /* about several variables; no two about the same */
    size_t n_tables;
    bool *present; /* [variable]: it must have a value */
    bool **left;   /* [variable]: which of its values (0: missing) the conditions leave; NULL: all */
    struct byte_view *others; /* the rest, as bytes */
    size_t n_others;
    bool anybody;
};

/* --- what a condition says, value by value --- */

/* Of each combination of values of the variables that a condition reads, missing ones too, whether it holds;
 * the first variable fastest. That an expression has a value is no choice where one of its variables has
 * none. */
struct table {
    size_t n_variables, n;
    uint32_t *variables;
    size_t *sizes, *strides;
    size_t **values; /* [variable][sizes]: which values of its lattice; 0: missing */
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
        if (lattice->complete) {
            size_t *all = arena_array(chosen->arena, lattice->n, sizeof *all);
            for (size_t i = 0; i < lattice->n; i++)
                all[i] = i;
            chosen->all[variable] = all;
        }
    }
    return lattice;
}

static size_t nodes_of(const struct expression *e)
{
    size_t n = 1;
    for (size_t i = 0; i < e->n_args; i++)
        n += nodes_of(e->args[i]);
    return n;
}

/* The variables and sizes of a table. false: it cannot be followed, or not within so many combinations. */
static bool table_shape(struct table *table, struct chosen *chosen, const struct part_condition *condition)
{
    const size_t n_variables = chosen->dictionary->n_variables;
    size_t n_used = 0;
    if (!lattice_knows(condition->e))
        return false;
    memset(chosen->used, 0, n_variables * sizeof *chosen->used);
    expression_variables(condition->e, chosen->used);
    for (uint32_t v = 0; v < n_variables; v++)
        n_used += chosen->used[v];
    *table = table_new(n_used, chosen->arena);
    for (uint32_t v = 0; v < n_variables; v++) {
        chosen->at[v] = NAN;
        if (!chosen->used[v])
            continue;
        const struct lattice *lattice = lattice_of(chosen, v);
        if (!lattice->complete ||
            (n_used > 1 && (lattice->n > CHOSEN_TRIED_MAX || lattice->n * table->n > CHOSEN_TRIED_MAX)))
            return false;
        add_variable(table, v, chosen->all[v], lattice->n);
    }
    const size_t nodes = nodes_of(condition->e);
    if (nodes > (CHOSEN_WORK_MAX - chosen->work) / table->n)
        return false;
    chosen->work += nodes * table->n;
    return true;
}

static bool table_make(struct table *table, struct chosen *chosen, const struct part_condition *condition)
{
    if (!table_shape(table, chosen, condition))
        return false;
    table->holds = arena_array(chosen->arena, table->n, sizeof *table->holds);
    for (size_t i = 0; i < table->n; i++) {
        bool lacks = false;
        for (size_t v = 0; v < table->n_variables; v++) {
            const uint32_t variable = table->variables[v];
            const size_t value = digit(table, i, v);
            chosen->at[variable] = value == 0 ? NAN : chosen->lattices[variable].values[value];
            lacks = lacks || value == 0;
        }
        const int32_t code = lattice_code_of(condition->e, chosen->at);
        table->holds[i] = condition->kind == PART_PRESENT ? lacks || code >= 0 : code == 1;
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
    bool *relevant = arena_array(arena, table->n_variables + 1, sizeof *relevant), all = true;
    for (size_t v = 0; v < table->n_variables; v++) {
        relevant[v] = is_relevant(table, v);
        all = all && relevant[v];
    }
    if (all)
        return;
    struct table made = table_new(table->n_variables, arena);
    size_t *from = arena_array(arena, table->n_variables + 1, sizeof *from);
    for (size_t v = 0; v < table->n_variables; v++)
        if (relevant[v]) {
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

/* With which of its variables must have a value: `x > 0 || y` with and without x known are two choices. */
static void add_as_it_stands(struct work *work, const struct part_condition *condition, struct bytes *room)
{
    bool *used = work->chosen->used;
    const size_t n_variables = work->chosen->dictionary->n_variables;
    room->length = 0;
    bytes_put_u8(room, 0);
    bytes_put_block(room, condition->key.data, condition->key.length);
    memset(used, 0, n_variables * sizeof *used);
    expression_variables(condition->e, used);
    for (size_t v = 0; v < n_variables; v++)
        if (used[v])
            bytes_put_u8(room, work->present[v]);
    add_other(work, room);
}

/* About one variable. */
static void add_values(struct work *work, const struct table *table)
{
    const uint32_t variable = table->variables[0];
    bool **left = &work->left[variable];
    const size_t n = lattice_of(work->chosen, variable)->n;
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

static bool is_left(const struct work *work, uint32_t variable, size_t value)
{
    const bool *left = work->left[variable];
    return (value != 0 || !work->present[variable]) && (left == NULL || left[value]);
}

/* Over the values that are left alone. false: these are all that it is about, or none. */
static bool table_restrict(struct table *table, const struct work *work)
{
    bool less = false, none = false;
    for (size_t v = 0; v < table->n_variables; v++) {
        size_t n = 0;
        for (size_t i = 0; i < table->sizes[v]; i++)
            n += is_left(work, table->variables[v], table->values[v][i]);
        less = less || n < table->sizes[v];
        none = none || n == 0;
    }
    if (!less || none)
        return false;
    struct table made = table_new(table->n_variables, work->arena);
    size_t **digits = arena_array(work->arena, table->n_variables + 1, sizeof *digits);
    for (size_t v = 0; v < table->n_variables; v++) {
        size_t n = 0, *values = arena_array(work->arena, table->sizes[v] + 1, sizeof *values);
        digits[v] = arena_array(work->arena, table->sizes[v] + 1, sizeof **digits);
        for (size_t i = 0; i < table->sizes[v]; i++)
            if (is_left(work, table->variables[v], table->values[v][i])) {
                digits[v][n] = i;
                values[n++] = table->values[v][i];
            }
        add_variable(&made, table->variables[v], values, n);
    }
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

/* One table, by what is known of its variables. false: nothing follows. */
static bool follow(struct work *work, size_t t)
{
    struct table *table = &work->tables[t];
    if (!table_restrict(table, work))
        return false;
    if (table->n_variables >= 2) {
        project(work, table);
        return true;
    }
    const struct table simple = *table;
    *table = work->tables[--work->n_tables];
    add_simple(work, &simple);
    return true;
}

/* What the conditions say of each other by single variables, until nothing follows any more. */
static void restrict_all(struct work *work)
{
    bool more = true;
    for (size_t t = 0; t < work->n_tables; t++)
        project(work, &work->tables[t]);
    for (size_t pass = 0; more && pass < CHOSEN_PASSES_MAX; pass++) {
        more = false;
        for (size_t t = 0; t < work->n_tables; t++)
            more = follow(work, t) || more;
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

/* A value that is asked for where a variable of the dictionary says so (`ifelse(treated, start, 0)`,
 * `ifelse(arm
 * == "a", start, 0)`): who lacks it lacks a value of a variable. With a condition over numbers in its place,
 * the study's own, it is a choice. */
static bool is_asked_where(const struct expression *e)
{
    if (e->op != OP_SELECT)
        return false;
    for (size_t i = 0; i < e->n_args; i++) {
        const struct expression *own = e->args[i];
        if (i == 0 && own->op == OP_IN_LEVELS)
            own = own->args[0];
        if (own->op != OP_VARIABLE && own->op != OP_CONSTANT)
            return false;
    }
    return true;
}

static void add_condition(struct work *work, const struct part_condition *condition, struct bytes *room)
{
    if (condition->kind == PART_PRESENT && is_asked_where(condition->e))
        return; /* as its table would say, which may be too large */
    if (condition->kind == PART_FOLLOW_UP) {
        if (condition->chosen.length > 0) {
            room->length = 0;
            bytes_put_u8(room, 2);
            bytes_put(room, condition->chosen.data, condition->chosen.length);
            add_other(work, room);
        }
        return;
    }
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

/* The values of a variable that are left: of a category by name, else where they begin and end, so that
 * another version of the dictionary may have more. Nothing where these are all values that there are, whoever
 * lacks one. */
static void put_values(struct bytes *out, struct work *work, uint32_t v)
{
    const struct variable *variable = &work->chosen->dictionary->variables[v];
    const struct lattice *lattice = lattice_of(work->chosen, v);
    size_t n_left = 0;
    for (size_t i = 1; i < lattice->n; i++)
        n_left += is_left(work, v, i);
    work->anybody = work->anybody && (n_left > 0 || is_left(work, v, 0));
    if (n_left + 1 == lattice->n)
        return;
    bytes_put_string(out, variable->name);
    bytes_put_u8(out, is_left(work, v, 0));
    for (size_t i = 1; i < lattice->n; i++) {
        const bool here = is_left(work, v, i), before = i > 1 && is_left(work, v, i - 1);
        if (variable->type == VARIABLE_CATEGORY && here)
            bytes_put_string(out, variable->levels[i - 1]);
        else if (variable->type != VARIABLE_CATEGORY && here != before)
            bytes_put_f64(out, lattice->values[i]);
    }
    bytes_put_u8(out, 0);
}

struct chosen *chosen_new(const struct dictionary *dictionary)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        return NULL;
    const size_t n = dictionary->n_variables + 1;
    struct chosen *chosen = arena_alloc(arena, sizeof *chosen);
    *chosen = (struct chosen){.dictionary = dictionary, .arena = arena};
    chosen->lattices = arena_array(arena, n, sizeof *chosen->lattices);
    chosen->all = arena_array(arena, n, sizeof *chosen->all);
    chosen->used = arena_array(arena, n, sizeof *chosen->used);
    chosen->at = arena_array(arena, n, sizeof *chosen->at);
    return chosen;
}

void chosen_free(struct chosen *chosen)
{
    if (chosen != NULL)
        arena_free(chosen->arena);
}

/* That a variable has a value. */
static bool is_known(const struct part_condition *condition)
{
    return condition->kind == PART_PRESENT && condition->e->op == OP_VARIABLE;
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
                        .present = arena_array(arena, n_variables + 1, sizeof *work.present),
                        .left = arena_array(arena, n_variables + 1, sizeof *work.left),
                        .tables = arena_array(arena, part->n_conditions + 1, sizeof *work.tables),
                        .others = arena_array(arena, part->n_conditions + 1, sizeof *work.others),
                        .anybody = true};
    for (size_t i = 0; i < part->n_conditions; i++)
        if (is_known(&part->conditions[i]))
            work.present[part->conditions[i].e->variable] = true;
    for (size_t i = 0; i < part->n_conditions; i++)
        if (!is_known(&part->conditions[i]))
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
