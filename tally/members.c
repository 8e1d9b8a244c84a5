#include "tally/members.h"

#include <string.h>

#include "tally/unit.h"

/* What every unit is read with. */
struct reading {
    struct unit *unit;
    struct evaluator *evaluator;
    size_t n; /* filters */
    tally_member_rows *each;
    void *context;
};

static enum maille_code members_unit(const struct reading *reading, size_t number, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t keep[EVALUATE_ROWS], failed[EVALUATE_ROWS];
    MAILLE_TRY(unit_start(reading->unit, number, error));
    for (struct unit_rows rows; unit_next(reading->unit, &rows);) {
        struct evaluate_survival survival = {0};
        if (rows.new_block)
            MAILLE_TRY(evaluate_load(reading->evaluator, rows.block, error));
        MAILLE_TRY(unit_survival(reading->unit, &survival, &rows, error));
        MAILLE_TRY(evaluate_rows(reading->evaluator, rows.first, rows.n, &survival, error));
        for (size_t which = 0; which < reading->n; which++) {
            memset(keep, 1, rows.n);
            memset(failed, 0, rows.n);
            evaluate_keep(keep, failed, reading->evaluator, which, rows.n);
            MAILLE_TRY(evaluate_check(keep, failed, rows.n, error));
            MAILLE_TRY(reading->each(reading->context, which, rows.block, rows.first, keep, rows.n, error));
        }
    }
out:
    return code;
}

enum maille_code tally_members(const struct expression *const *filters, size_t n,
                               const struct tally_survival *survival, struct columns *columns,
                               tally_member_rows *rows, void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct unit_plan units;
    struct program program;
    struct reading reading = {.n = n, .each = rows, .context = context};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for an analysis, found none");
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    *spec = (struct tally_spec){.survival = *survival};
    struct tally_block *block = tally_spec_add(spec);
    block->filter = filters[0];
    MAILLE_TRY(unit_plan(&units, spec, columns, arena, error));
    MAILLE_TRY(program_compile(&program, arena, filters, n, unit_survival_may_fail(&units), error));
    MAILLE_TRY(evaluate_new(&reading.evaluator, &program, columns, error));
    MAILLE_TRY(unit_new(&reading.unit, &units, columns, error));
    for (size_t number = 0; number < units.n; number++)
        MAILLE_TRY(members_unit(&reading, number, error));
out:
    evaluate_free(reading.evaluator);
    unit_free(reading.unit);
    arena_free(arena);
    return code;
}
