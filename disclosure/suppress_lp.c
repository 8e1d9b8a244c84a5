/* The attacker's linear program, by GLPK's simplex method. Columns: the cells of all cliques, which are not
 * negative, and two for each number by which it may be let go. Rows: the numbers, and for each clique that it
 * agrees with its parent. Only optimal values are read where they decide, and those are unique; which numbers
 * are let go is made unique by their weights. */
#include "disclosure/suppress.h"

#include <glpk.h>
#include <math.h>
#include <stdlib.h>

struct bounds_program {
    glp_prob *lp;
    struct system *system;
    bool counts;
    int **columns; /* [clique][cell]; 0 where nobody can be */
    const struct tree *tree;
    int first_slack; /* number i may rise by column first_slack + 2i, fall by the next */
};

static enum maille_code failed(struct maille_error *error)
{
    return maille_fail(error, MAILLE_FAILED,
                       "expected the linear program of a release to be solved, found that it was not");
}

/* --- rows and columns --- */

struct entries {
    int *row, *column;
    double *value;
    size_t n, room;
    bool no_memory;
};

static void entry_add(struct entries *entries, int row, int column, double value)
{
    if (entries->n + 2 > entries->room) {
        size_t room = entries->room == 0 ? 4096 : 2 * entries->room;
        int *rows = realloc(entries->row, room * sizeof *rows);
        if (rows != NULL)
            entries->row = rows;
        int *columns = realloc(entries->column, room * sizeof *columns);
        if (columns != NULL)
            entries->column = columns;
        double *values = realloc(entries->value, room * sizeof *values);
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

static void row_set(struct bounds_program *program, size_t number)
{
    const struct number *of = &program->system->numbers[number];
    double value = program->counts ? of->value : 0;
    glp_set_row_bnds(program->lp, of->row, of->released ? GLP_FX : GLP_FR, value, value);
}

/* Numbers may be let go, each at its weight; or not. */
static void slacks_set(struct bounds_program *program, bool open)
{
    for (size_t i = 0; i < program->system->n_numbers; i++)
        for (int side = 0; side < 2; side++) {
            int column = program->first_slack + 2 * (int)i + side;
            bool used = open && program->system->numbers[i].released && !program->system->numbers[i].assumed;
            glp_set_col_bnds(program->lp, column, used ? GLP_LO : GLP_FX, 0, 0);
            glp_set_obj_coef(program->lp, column, used ? program->system->numbers[i].weight : 0);
        }
}

/* GLP_OPT, GLP_UNBND or GLP_NOFEAS; 0 where it was not solved. */
static int solve(struct bounds_program *program)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
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

static bool fill(struct bounds_program *made, struct arena *scratch)
{
    struct entries entries = {0};
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
        clique_entries(made, &entries, c, agreement, classes);
    for (size_t i = 0; i < system->n_numbers; i++) {
        entry_add(&entries, system->numbers[i].row, made->first_slack + 2 * (int)i, -1);
        entry_add(&entries, system->numbers[i].row, made->first_slack + 2 * (int)i + 1, 1);
    }
    for (int row = (int)system->n_numbers + 1; row <= n_rows; row++)
        glp_set_row_bnds(made->lp, row, GLP_FX, 0, 0);
    slacks_set(made, false);
    if (!entries.no_memory)
        glp_load_matrix(made->lp, (int)entries.n, entries.row, entries.column, entries.value);
    entries_clear(&entries);
    return !entries.no_memory;
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
    if (scratch == NULL || !fill(made, scratch)) {
        code = maille_fail(error, MAILLE_MEMORY,
                           "expected memory for the linear program of a release, found none");
        goto out;
    }
    for (size_t i = 0; i < system->n_numbers; i++)
        row_set(made, i);
    int status = counts ? solve(made) : GLP_OPT;
    if (status == GLP_NOFEAS && system->assumes) { /* patients in several cells: their sum is not n */
        system_assume_nothing(system);
        for (size_t i = 0; i < system->n_numbers; i++)
            row_set(made, i);
        status = solve(made);
    }
    if (status == GLP_NOFEAS) {
        made->counts = false;
        for (size_t i = 0; i < system->n_numbers; i++)
            row_set(made, i);
    } else if (status == 0) {
        code = failed(error);
        goto out;
    }
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
    glp_delete_prob(program->lp);
    glp_free_env(); /* what GLPK keeps for this thread */
}

bool suppress_lp_counts(const struct bounds_program *program)
{
    return program->counts;
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

enum maille_code suppress_lp_bounds(double *low, double *high, struct bounds_program *program, size_t number,
                                    struct maille_error *error)
{
    objective_set(program, number, 1);
    glp_set_obj_dir(program->lp, GLP_MIN);
    int least = solve(program);
    double bottom = glp_get_obj_val(program->lp);
    glp_set_obj_dir(program->lp, GLP_MAX);
    int most = solve(program);
    double top = glp_get_obj_val(program->lp);
    objective_set(program, number, 0);
    if (least != GLP_OPT || (most != GLP_OPT && most != GLP_UNBND))
        return failed(error);
    *low = bottom;
    *high = most == GLP_UNBND ? INFINITY : top;
    return MAILLE_OK;
}

enum maille_code suppress_lp_widen(bool *changed, bool *possible, struct bounds_program *program,
                                   size_t number, double value, struct maille_error *error)
{
    static const double some = 1e-6;
    int row = program->system->numbers[number].row;
    slacks_set(program, true);
    glp_set_row_bnds(program->lp, row, GLP_LO, value, 0);
    glp_set_obj_dir(program->lp, GLP_MIN);
    int status = solve(program);
    for (size_t i = 0; i < program->system->n_numbers; i++) {
        int column = program->first_slack + 2 * (int)i;
        changed[i] = status == GLP_OPT && (glp_get_col_prim(program->lp, column) > some ||
                                           glp_get_col_prim(program->lp, column + 1) > some);
    }
    row_set(program, number);
    slacks_set(program, false);
    *possible = status == GLP_OPT;
    return status != 0 ? MAILLE_OK : failed(error);
}

void suppress_lp_drop(struct bounds_program *program, size_t number)
{
    program->system->numbers[number].released = false;
    row_set(program, number);
}
