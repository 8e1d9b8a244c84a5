/* The attacker's linear program. Columns: the cells of all cliques, which are not negative, and two for each
 * number by which it may be let go. Rows: the numbers, and for each clique that it agrees with its parent.
 *
 * GLPK's simplex method looks for answers in floating point; what lets a number be shown is none of them
 * before it was checked in whole numbers (suppress_exact.h): that a cell is safe, by two solutions that are
 * so far apart; that no patients can have given the totals, by a combination of rows that says so. */
#include "disclosure/suppress.h"

#include <glpk.h>
#include <math.h>
#include <stdlib.h>

#include "disclosure/suppress_exact.h"

/* The matrix, from 1 as GLPK counts. */
struct entries {
    int *row, *column, *value;
    size_t n, room;
    bool no_memory;
};

/* What the n of tables are taken as: what they are, and the least and the most that they can be by what is
 * shown.
 */
enum world { WORLD_TRUE, WORLD_LEAST, WORLD_MOST, WORLDS };

struct bounds_program {
    glp_prob *lp;          /* of `world` */
    glp_prob *lps[WORLDS]; /* each stays where it was solved last; NULL: that world is not possible */
    struct entries entries;
    int n_rows, n_columns; /* without those by which numbers are let go */
    struct system *system;
    bool counts;
    int **columns; /* [clique][cell]; 0 where nobody can be */
    const struct tree *tree;
    double *assumed[WORLDS]; /* [number] */
    enum world world;
    int first_slack; /* number i may rise by column first_slack + 2i, fall by the next */
};

/* --- rows and columns --- */

static void entry_add(struct entries *entries, int row, int column, int value)
{
    if (entries->n + 2 > entries->room) {
        size_t room = entries->room == 0 ? 4096 : 2 * entries->room;
        int *rows = realloc(entries->row, room * sizeof *rows);
        if (rows != NULL)
            entries->row = rows;
        int *columns = realloc(entries->column, room * sizeof *columns);
        if (columns != NULL)
            entries->column = columns;
        int *values = realloc(entries->value, room * sizeof *values);
        if (values != NULL)
            entries->value = values;
        if (rows == NULL || columns == NULL || values == NULL) {
            entries->no_memory = true;
            return;
        }
        entries->room = room;
    }
    entries->n++; /* GLPK counts from 1 */
    entries->row[entries->n] = row;
    entries->column[entries->n] = column;
    entries->value[entries->n] = value;
}

static void entries_clear(struct entries *entries)
{
    free(entries->row);
    free(entries->column);
    free(entries->value);
}

/* Cells of a clique: in which numbers each is, and in which cell that it shares with its parent. */
static void clique_entries(struct bounds_program *made, struct entries *entries, size_t c,
                           const int *agreement, uint32_t *classes)
{
    const struct clique *clique = &made->tree->cliques[c];
    for (size_t cell = 0; cell < clique->n_cells; cell++) {
        int column = made->columns[c][cell];
        if (column == 0)
            continue;
        tree_classes(made->system, clique, cell, classes);
        for (size_t m = 0; m < made->system->n_members; m++) {
            const struct member *member = &made->system->members[m];
            size_t number =
                member->clique == c ? system_number(made->system, member, classes) : SUPPRESS_NONE;
            if (number != SUPPRESS_NONE)
                entry_add(entries, made->system->numbers[number].row, column, 1);
        }
        if (clique->parent != SUPPRESS_NONE)
            entry_add(entries, agreement[c] + (int)clique->up[cell], column, 1);
        for (size_t child = 0; child < c; child++)
            if (made->tree->cliques[child].parent == c)
                entry_add(entries, agreement[child] + (int)made->tree->cliques[child].down[cell], column, -1);
    }
}

static double value_of(const struct bounds_program *program, size_t number)
{
    const struct number *of = &program->system->numbers[number];
    return !program->counts ? 0 : of->assumed ? program->assumed[program->world][number] : of->value;
}

static void row_set(struct bounds_program *program, size_t number)
{
    const struct number *of = &program->system->numbers[number];
    const double value = value_of(program, number);
    glp_set_row_bnds(program->lp, of->row, of->released ? GLP_FX : GLP_FR, value, value);
}

/* Which numbers may be let go: none; each that this release says, at its weight; each, at 1. */
enum slack { SLACK_NONE, SLACK_WEIGHED, SLACK_ALL };

static void slacks_set(struct bounds_program *program, enum slack slack)
{
    for (size_t i = 0; i < program->system->n_numbers; i++)
        for (int side = 0; side < 2; side++) {
            const struct number *number = &program->system->numbers[i];
            int column = program->first_slack + 2 * (int)i + side;
            bool used =
                number->released && (slack == SLACK_ALL || (slack == SLACK_WEIGHED && !number->assumed));
            glp_set_col_bnds(program->lp, column, used ? GLP_LO : GLP_FX, 0, 0);
            glp_set_obj_coef(program->lp, column, !used ? 0 : slack == SLACK_ALL ? 1 : number->weight);
        }
}

/* GLP_OPT, GLP_UNBND or GLP_NOFEAS; 0 where it was not solved. */
static int solve_by(struct bounds_program *program, int method)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.meth = method;
    options.it_lim = 500000;
    int failure = glp_simplex(program->lp, &options);
    if (failure == GLP_EBADB || failure == GLP_ESING ||
        failure == GLP_ECOND) { /* a basis that went bad: once more from the start */
        glp_std_basis(program->lp);
        failure = glp_simplex(program->lp, &options);
    }
    int status = failure == 0 ? glp_get_status(program->lp) : 0;
    return status == GLP_OPT || status == GLP_UNBND || status == GLP_NOFEAS ? status : 0;
}

static int solve(struct bounds_program *program)
{
    return solve_by(program, GLP_PRIMAL);
}

/* Somewhere within the bounds, after they have changed and while nothing is asked for: every basis is then
 * one for the dual simplex method, which finds its way back many times faster than the primal's first phase.
 */
static int settle(struct bounds_program *program)
{
    return solve_by(program, GLP_DUALP);
}

static bool fill(struct bounds_program *made, struct arena *scratch)
{
    struct entries *entries = &made->entries;
    const struct tree *tree = made->tree;
    struct system *system = made->system;
    int *agreement = arena_array(scratch, tree->n, sizeof *agreement), n_rows = 0, n_columns = 0;
    uint32_t *classes = arena_array(scratch, system->n_attributes + 1, sizeof *classes);
    for (size_t i = 0; i < system->n_numbers; i++)
        system->numbers[i].row = ++n_rows;
    for (size_t c = 0; c < tree->n; c++) {
        made->columns[c] = arena_array(system->arena, tree->cliques[c].n_cells, sizeof *made->columns[c]);
        for (size_t cell = 0; cell < tree->cliques[c].n_cells; cell++)
            if (tree->cliques[c].valid[cell])
                made->columns[c][cell] = ++n_columns;
        agreement[c] = n_rows + 1;
        n_rows += tree->cliques[c].parent != SUPPRESS_NONE ? (int)tree->cliques[c].n_shared : 0;
    }
    made->first_slack = n_columns + 1;
    glp_add_rows(made->lp, n_rows);
    glp_add_cols(made->lp, n_columns + 2 * (int)system->n_numbers);
    for (int column = 1; column <= n_columns; column++)
        glp_set_col_bnds(made->lp, column, GLP_LO, 0, 0);
    for (size_t c = 0; c < tree->n; c++)
        clique_entries(made, entries, c, agreement, classes);
    for (size_t i = 0; i < system->n_numbers; i++) {
        entry_add(entries, system->numbers[i].row, made->first_slack + 2 * (int)i, -1);
        entry_add(entries, system->numbers[i].row, made->first_slack + 2 * (int)i + 1, 1);
    }
    for (int row = (int)system->n_numbers + 1; row <= n_rows; row++)
        glp_set_row_bnds(made->lp, row, GLP_FX, 0, 0);
    slacks_set(made, SLACK_NONE);
    made->n_rows = n_rows;
    made->n_columns = n_columns;
    double *values = entries->no_memory ? NULL : calloc(entries->n + 1, sizeof *values);
    for (size_t i = 1; values != NULL && i <= entries->n; i++)
        values[i] = entries->value[i];
    if (values != NULL)
        glp_load_matrix(made->lp, (int)entries->n, entries->row, entries->column, values);
    free(values);
    return values != NULL;
}

/* --- answers --- */

/* The program in whole numbers, as it stands; its arrays in scratch. */
static struct exact_system exact_of(const struct bounds_program *program, struct arena *scratch)
{
    const struct system *system = program->system;
    size_t n_rows = (size_t)program->n_rows;
    bool *given = arena_array(scratch, n_rows + 1, sizeof *given);
    int64_t *sum = arena_array(scratch, n_rows + 1, sizeof *sum);
    for (size_t row = system->n_numbers + 1; row <= n_rows; row++) /* a clique and its parent */
        given[row] = true;
    for (size_t i = 0; i < system->n_numbers; i++) {
        const struct number *number = &system->numbers[i];
        given[number->row] = number->released;
        sum[number->row] = number->released ? (int64_t)value_of(program, i) : 0;
    }
    return (struct exact_system){.row = program->entries.row,
                                 .column = program->entries.column,
                                 .value = program->entries.value,
                                 .n = program->entries.n,
                                 .n_rows = program->n_rows,
                                 .n_columns = program->n_columns,
                                 .given = given,
                                 .sum = sum};
}

/* Solves it; what a number is in a solution in whole numbers; false where there is none. */
static bool solve_exactly(struct exact_fraction *out, struct bounds_program *program, size_t number,
                          int direction)
{
    glp_set_obj_dir(program->lp, direction);
    struct arena *scratch = solve(program) == GLP_OPT ? arena_new() : NULL;
    if (scratch == NULL)
        return false;
    double *answer = arena_array(scratch, (size_t)program->n_columns + 1, sizeof *answer);
    for (int column = 1; column <= program->n_columns; column++)
        answer[column] = glp_get_col_prim(program->lp, column);
    struct exact_system system = exact_of(program, scratch);
    bool found = suppress_exact_solution(out, &system, answer, program->system->numbers[number].row);
    arena_free(scratch);
    return found;
}

/* Can no patients that are counted once each have given the released numbers? True where that is proved. */
static bool impossible(struct bounds_program *program)
{
    bool proved = false;
    slacks_set(program, SLACK_ALL);
    glp_set_obj_dir(program->lp, GLP_MIN);
    struct arena *scratch = solve(program) == GLP_OPT ? arena_new() : NULL;
    if (scratch != NULL) {
        double *weights = arena_array(scratch, (size_t)program->n_rows + 1, sizeof *weights);
        for (int row = 1; row <= program->n_rows; row++)
            weights[row] = glp_get_row_dual(program->lp, row);
        struct exact_system system = exact_of(program, scratch);
        proved = suppress_exact_contradiction(&system, weights);
    }
    arena_free(scratch);
    slacks_set(program, SLACK_NONE);
    return proved;
}

static void objective_set(struct bounds_program *program, size_t number, double coefficient);

/* Every hidden number of few patients is at most min_cell − 1 (most), or whatever it is. */
static void few_set(struct bounds_program *program, bool most)
{
    const struct system *system = program->system;
    const double few = ceil(system->judge->policy->min_cell) - 1;
    for (size_t i = 0; i < system->n_numbers; i++)
        if (system->numbers[i].target && few > 0 && system->numbers[i].value <= few)
            glp_set_row_bnds(program->lp, system->numbers[i].row, most ? GLP_DB : GLP_FR, 0, few);
}

/* The numbers that are assumed, no longer at what they are. A row without bounds begins at 0, far from every
 * solution: so they are first held at what they are from one side, and pushed away from it. */
static void let_go(struct bounds_program *program, bool most)
{
    struct system *system = program->system;
    for (size_t i = 0; i < system->n_numbers; i++) {
        const int row = system->numbers[i].row;
        if (!system->numbers[i].assumed)
            continue;
        system->numbers[i].released = false;
        const double now = value_of(program, i);
        glp_set_row_bnds(program->lp, row, most ? GLP_LO : now > 0 ? GLP_DB : GLP_FX, most ? now : 0, now);
        if (glp_get_row_stat(program->lp, row) != GLP_BS)
            glp_set_row_stat(program->lp, row, most ? GLP_NL : GLP_NU);
    }
    few_set(program, most);
    settle(program);
    for (size_t i = 0; i < system->n_numbers; i++)
        if (system->numbers[i].assumed)
            objective_set(program, i, 1);
    glp_set_obj_dir(program->lp, most ? GLP_MAX : GLP_MIN);
    solve(program);
    for (size_t i = 0; i < system->n_numbers; i++)
        if (system->numbers[i].assumed) {
            objective_set(program, i, 0);
            row_set(program, i);
        }
    settle(program);
}

/* The n of a table is not shown where cells of it are hidden, but may be known. What it can be follows from
 * what is shown, whoever is in the hidden cells: the least, and the most where each of them has min_cell − 1.
 * A cell that is safe at both ends is safe between (the least that it can be is a convex function of n, the
 * most a concave one), so that a hidden cell of 0 and one of min_cell − 1 lead to the same plan. */
static bool assume(struct bounds_program *program, enum world world)
{
    struct system *system = program->system;
    const bool most = world == WORLD_MOST;
    bool found = true;
    let_go(program, most);
    for (size_t i = 0; i < system->n_numbers; i++) {
        struct exact_fraction n;
        if (!system->numbers[i].assumed)
            continue;
        objective_set(program, i, 1);
        found = found && solve_exactly(&n, program, i, most ? GLP_MAX : GLP_MIN);
        objective_set(program, i, 0);
        if (found) {
            const i128 whole = (n.above + (most ? 0 : n.below - 1)) / n.below;
            program->assumed[world][i] = (double)whole;
        }
        system->numbers[i].released = true;
        program->world = world;
        row_set(program, i);
    }
    few_set(program, false);
    return found;
}

/* Where a world was not found, whatever is shown may be in contradiction with it: it is left out. */
static void assume_all(struct bounds_program *program)
{
    for (enum world world = WORLD_LEAST; world < WORLDS; world++) {
        program->lp = glp_create_prob();
        glp_copy_prob(program->lp, program->lps[WORLD_TRUE], GLP_OFF);
        program->world = WORLD_TRUE;
        if (assume(program, world))
            program->lps[world] = program->lp;
        else
            glp_delete_prob(program->lp);
    }
}

static void world_set(struct bounds_program *program, enum world world)
{
    program->world = world;
    program->lp = program->lps[world];
}

enum maille_code suppress_lp_new(struct bounds_program **program, const struct tree *tree,
                                 struct system *system, bool counts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *scratch = arena_new();
    struct bounds_program *made = arena_alloc(system->arena, sizeof *made);
    glp_term_out(GLP_OFF);
    *made =
        (struct bounds_program){.lp = glp_create_prob(), .system = system, .counts = counts, .tree = tree};
    made->columns = arena_array(system->arena, tree->n, sizeof *made->columns);
    made->lps[WORLD_TRUE] = made->lp;
    for (enum world world = WORLD_TRUE; world < WORLDS; world++)
        made->assumed[world] =
            arena_array(system->arena, system->n_numbers + 1, sizeof *made->assumed[world]);
    for (size_t i = 0; i < system->n_numbers; i++)
        made->assumed[WORLD_TRUE][i] = system->numbers[i].value;
    if (scratch == NULL || !fill(made, scratch)) {
        code = maille_fail(error, MAILLE_MEMORY,
                           "expected memory for the linear program of a release, found none");
        goto out;
    }
    for (size_t i = 0; i < system->n_numbers; i++)
        row_set(made, i);
    int status = counts ? settle(made) : GLP_OPT;
    if (status == GLP_NOFEAS && system->assumes && impossible(made)) {
        /* patients in several cells: their sum is not n */
        system_assume_nothing(system);
        for (size_t i = 0; i < system->n_numbers; i++)
            row_set(made, i);
        status = settle(made);
    }
    if (status != GLP_OPT) {
        made->counts = false;
        for (size_t i = 0; i < system->n_numbers; i++)
            row_set(made, i);
    }
    if (made->counts && system->assumes)
        assume_all(made);
    world_set(made, WORLD_TRUE);
    *program = made;
    made = NULL;
out:
    suppress_lp_free(made);
    arena_free(scratch);
    return code;
}

void suppress_lp_free(struct bounds_program *program)
{
    if (program == NULL)
        return;
    for (enum world world = WORLD_TRUE; world < WORLDS; world++)
        if (program->lps[world] != NULL)
            glp_delete_prob(program->lps[world]);
    entries_clear(&program->entries);
    glp_free_env(); /* what GLPK keeps for this thread */
}

/* --- what is asked of it --- */

/* A hidden number as what is made least or greatest (1), or no longer (0). */
static void objective_set(struct bounds_program *program, size_t number, double coefficient)
{
    int row = program->system->numbers[number].row, n = glp_get_mat_row(program->lp, row, NULL, NULL);
    int *columns = calloc((size_t)n + 1, sizeof *columns);
    double *values = calloc((size_t)n + 1, sizeof *values);
    if (columns == NULL || values == NULL)
        abort(); /* of the size of one row */
    glp_get_mat_row(program->lp, row, columns, values);
    for (int i = 1; i <= n; i++)
        if (columns[i] < program->first_slack)
            glp_set_obj_coef(program->lp, columns[i], coefficient);
    free(columns);
    free(values);
}

/* As the n of tables stand now. */
static bool is_safe(double *low, struct bounds_program *program, size_t number, int64_t width)
{
    struct exact_fraction least, most;
    objective_set(program, number, 1);
    bool known = program->counts && solve_exactly(&least, program, number, GLP_MIN);
    *low = known ? (double)least.above / (double)least.below : 0;
    if (known) { /* no farther than must be: so the program has an end */
        glp_set_row_bnds(program->lp, program->system->numbers[number].row, GLP_UP, 0, *low + (double)width);
        known = solve_exactly(&most, program, number, GLP_MAX);
        row_set(program, number);
    }
    objective_set(program, number, 0);
    return known && suppress_exact_apart(least, most, width);
}

bool suppress_lp_safe(double *low, struct bounds_program *program, size_t number, int64_t width)
{
    for (enum world world = WORLD_TRUE; world < WORLDS; world++) {
        /* What is true lies between, but where there are several n: it comes last. */
        const enum world of = (enum world)((world + 1) % WORLDS);
        if (program->lps[of] == NULL)
            continue;
        world_set(program, of);
        if (!is_safe(low, program, number, width))
            return false; /* suppress_lp_widen goes on in this world */
    }
    return true;
}

bool suppress_lp_widen(bool *changed, struct bounds_program *program, size_t number, double value)
{
    static const double some = 1e-6;
    int row = program->system->numbers[number].row;
    slacks_set(program, SLACK_WEIGHED);
    glp_set_row_bnds(program->lp, row, GLP_LO, value, 0);
    glp_set_obj_dir(program->lp, GLP_MIN);
    bool possible = solve(program) == GLP_OPT;
    for (size_t i = 0; i < program->system->n_numbers; i++) {
        int column = program->first_slack + 2 * (int)i;
        changed[i] = possible && (glp_get_col_prim(program->lp, column) > some ||
                                  glp_get_col_prim(program->lp, column + 1) > some);
    }
    row_set(program, number);
    slacks_set(program, SLACK_NONE);
    return possible;
}

void suppress_lp_drop(struct bounds_program *program, size_t number)
{
    const enum world now = program->world;
    program->system->numbers[number].released = false;
    for (enum world world = WORLD_TRUE; world < WORLDS; world++)
        if (program->lps[world] != NULL) {
            world_set(program, world);
            row_set(program, number);
        }
    world_set(program, now);
}
