#include "tally/exceed.h"

#include <string.h>

#include "tally/unit.h"

enum { ROOT_FILTER, ROOT_GROUP, ROOT_WEIGHT, ROOT_TERMS };

/* The sums of the patient whose rows are read now. */
struct carried {
    const struct tally_exceed *exceed;
    double *values;  /* one a group: what comes out */
    double *sums;    /* [group][term]; 0 but for groups that are touched */
    size_t *touched; /* groups that she has rows in */
    size_t n_touched, n_groups, n_terms;
    bool *is_touched; /* [group] */
    int32_t patient;  /* −1: nobody yet */
};

static bool exceeds(const struct carried *carried, size_t group)
{
    const struct tally_exceed *exceed = carried->exceed;
    for (size_t r = 0; r < exceed->n_rules; r++) {
        const size_t at = r * carried->n_groups + group;
        double carries = 0;
        for (size_t t = 0; t < carried->n_terms; t++)
            carries += exceed->shape[at * carried->n_terms + t] * carried->sums[group * carried->n_terms + t];
        if (carries > exceed->limits[at])
            return true;
    }
    return false;
}

/* She has no further row. */
static void patient_end(struct carried *carried)
{
    for (size_t i = 0; i < carried->n_touched; i++) {
        const size_t group = carried->touched[i];
        if (exceeds(carried, group))
            carried->values[group] = 1;
        memset(carried->sums + group * carried->n_terms, 0, carried->n_terms * sizeof *carried->sums);
        carried->is_touched[group] = false;
    }
    carried->n_touched = 0;
}

static void add_row(struct carried *carried, const struct evaluator *evaluator, size_t row)
{
    const struct tally_block *over = carried->exceed->over;
    const size_t group = over->group == NULL ? 0 : (size_t)evaluate_codes(evaluator, ROOT_GROUP)[row];
    const double weight = over->weight == NULL ? 1 : evaluate_numbers(evaluator, ROOT_WEIGHT)[row];
    if (!carried->is_touched[group]) {
        carried->is_touched[group] = true;
        carried->touched[carried->n_touched++] = group;
    }
    for (size_t t = 0; t < carried->n_terms; t++)
        carried->sums[group * carried->n_terms + t] +=
            weight * evaluate_numbers(evaluator, ROOT_TERMS + t)[row];
}

static enum maille_code add_rows(struct carried *carried, const struct evaluator *evaluator,
                                 const struct unit_rows *rows, struct maille_error *error)
{
    uint8_t keep[EVALUATE_ROWS], failed[EVALUATE_ROWS];
    memset(keep, 1, rows->n);
    memset(failed, 0, rows->n);
    for (size_t root = 0; root < ROOT_TERMS + carried->n_terms; root++)
        evaluate_keep(keep, failed, evaluator, root, rows->n);
    enum maille_code code = evaluate_check(keep, failed, rows->n, error);
    for (size_t r = 0; code == MAILLE_OK && r < rows->n; r++) {
        if (rows->patients == NULL || rows->patients[r] != carried->patient)
            patient_end(carried);
        carried->patient = rows->patients == NULL ? -1 : rows->patients[r];
        if (keep[r])
            add_row(carried, evaluator, r);
    }
    return code;
}

static enum maille_code read_unit(struct carried *carried, struct unit *unit, struct evaluator *evaluator,
                                  size_t number, struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(unit_start(unit, number, error));
    for (struct unit_rows rows; unit_next(unit, &rows);) {
        struct evaluate_survival survival = {0};
        if (rows.new_block)
            MAILLE_TRY(evaluate_load(evaluator, rows.block, error));
        MAILLE_TRY(unit_survival(unit, &survival, &rows, error));
        MAILLE_TRY(evaluate_rows(evaluator, rows.first, rows.n, &survival, error));
        MAILLE_TRY(add_rows(carried, evaluator, &rows, error));
    }
    patient_end(carried);
out:
    return code;
}

static struct carried carried_of(const struct tally_exceed *exceed, double *values, struct arena *arena)
{
    struct carried carried = {.exceed = exceed, .values = values, .patient = -1};
    carried.n_groups = tally_block_groups(exceed->over);
    carried.n_terms = exceed->over->n_terms;
    carried.sums = arena_array(arena, carried.n_groups * carried.n_terms, sizeof *carried.sums);
    carried.touched = arena_array(arena, carried.n_groups, sizeof *carried.touched);
    carried.is_touched = arena_array(arena, carried.n_groups, sizeof *carried.is_touched);
    return carried;
}

enum maille_code tally_exceed_run(double *values, const struct tally_own *own, struct columns *columns,
                                  const struct tally_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct tally_exceed *exceed = own->context;
    const struct tally_block *over = exceed->over;
    struct evaluator *evaluator = NULL;
    struct unit *unit = NULL;
    struct unit_plan units;
    struct program program;
    struct arena *arena = arena_new();
    (void)options; /* one thread: it reads each row once */
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for an analysis, found none");
    const struct expression **roots = arena_array(arena, ROOT_TERMS + over->n_terms, sizeof *roots);
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    *spec = (struct tally_spec){.survival = exceed->survival};
    *tally_spec_add(spec) = (struct tally_block){.filter = over->filter, .distinct = true};
    roots[ROOT_FILTER] = over->filter;
    roots[ROOT_GROUP] = over->group;
    roots[ROOT_WEIGHT] = over->weight;
    memcpy(roots + ROOT_TERMS, over->terms, over->n_terms * sizeof *roots);
    struct carried carried = carried_of(exceed, values, arena);
    MAILLE_TRY(unit_plan(&units, spec, columns, arena, error));
    MAILLE_TRY(program_compile(&program, arena, roots, ROOT_TERMS + over->n_terms,
                               unit_survival_may_fail(&units), error));
    MAILLE_TRY(evaluate_new(&evaluator, &program, columns, error));
    MAILLE_TRY(unit_new(&unit, &units, columns, error));
    for (size_t number = 0; number < units.n; number++)
        MAILLE_TRY(read_unit(&carried, unit, evaluator, number, error));
out:
    evaluate_free(evaluator);
    unit_free(unit);
    arena_free(arena);
    return code;
}
