#include "tests/attacks/lp.h"

#include <glpk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Atoms that no number tells apart are one. Returns their number; of[atom] is set. */
static size_t distinct(size_t *of, const struct attack *attack)
{
    size_t n = 0;
    for (size_t a = 0; a < attack->n_atoms; a++) {
        size_t same = 0;
        for (; same < n; same++) {
            bool equal = true;
            for (size_t i = 0; i < attack->n_numbers && equal; i++)
                equal =
                    attack->counts[i * attack->n_atoms + a] == attack->counts[i * attack->n_atoms + of[same]];
            if (equal)
                break;
        }
        if (same == n)
            of[n++] = a;
    }
    return n;
}

bool attack_bounds(double *low, double *high, const struct attack *attack, size_t number)
{
    size_t *of = calloc(attack->n_atoms + 1, sizeof *of);
    if (of == NULL)
        abort();
    size_t n = distinct(of, attack);
    int *columns = calloc(n + 2, sizeof *columns);
    double *values = calloc(n + 2, sizeof *values);
    if (columns == NULL || values == NULL)
        abort();
    glp_term_out(GLP_OFF);
    glp_prob *lp = glp_create_prob();
    glp_add_cols(lp, (int)n);
    glp_add_rows(lp, (int)attack->n_numbers);
    for (size_t j = 0; j < n; j++) {
        glp_set_col_bnds(lp, (int)j + 1, GLP_LO, 0, 0);
        glp_set_obj_coef(lp, (int)j + 1, attack->counts[number * attack->n_atoms + of[j]]);
    }
    for (size_t i = 0; i < attack->n_numbers; i++) {
        int length = 0;
        for (size_t j = 0; j < n; j++)
            if (attack->counts[i * attack->n_atoms + of[j]] != 0) {
                columns[++length] = (int)j + 1;
                values[length] = attack->counts[i * attack->n_atoms + of[j]];
            }
        glp_set_mat_row(lp, (int)i + 1, length, columns, values);
        glp_set_row_bnds(lp, (int)i + 1, attack->released[i] ? GLP_FX : GLP_FR, attack->values[i],
                         attack->values[i]);
    }
    bool possible = true;
    for (int side = 0; side < 2; side++) {
        glp_smcp options;
        glp_init_smcp(&options);
        options.msg_lev = GLP_MSG_OFF;
        glp_set_obj_dir(lp, side == 0 ? GLP_MIN : GLP_MAX);
        int failure = glp_simplex(lp, &options), status = glp_get_status(lp);
        possible = possible && failure == 0 && (status == GLP_OPT || status == GLP_UNBND);
        *(side == 0 ? low : high) = status == GLP_UNBND ? INFINITY : glp_get_obj_val(lp);
    }
    glp_delete_prob(lp);
    glp_free_env();
    free(of);
    free(columns);
    free(values);
    return possible;
}
