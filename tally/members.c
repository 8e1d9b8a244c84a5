#include "tally/members.h"

#include <string.h>

#include "tally/unit.h"

static enum maille_code members_unit(struct unit *unit, struct evaluator *evaluator, size_t number,
                                     tally_member_rows *each, void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t keep[EVALUATE_ROWS], failed[EVALUATE_ROWS];
    MAILLE_TRY(unit_start(unit, number, error));
    for (struct unit_rows rows; unit_next(unit, &rows);) {
        struct evaluate_survival survival = {0};
        if (rows.new_block)
            MAILLE_TRY(evaluate_load(evaluator, rows.block, error));
        MAILLE_TRY(unit_survival(unit, &survival, &rows, error));
        MAILLE_TRY(evaluate_rows(evaluator, rows.first, rows.n, &survival, error));
        memset(keep, 1, rows.n);
        memset(failed, 0, rows.n);
        evaluate_keep(keep, failed, evaluator, 0, rows.n);
        MAILLE_TRY(evaluate_check(keep, failed, rows.n, error));
        MAILLE_TRY(each(context, rows.block, rows.first, keep, rows.n, error));
    }
out:
    return code;
}

enum maille_code tally_members(const struct tally_spec *spec, size_t block, struct columns *columns,
                               tally_member_rows *rows, void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct tally_block *counted = &spec->blocks[block];
    struct arena *arena = arena_new();
    struct unit_plan units;
    struct program program;
    struct unit *unit = NULL;
    struct evaluator *evaluator = NULL;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for an analysis, found none");
    if (counted->kind != TALLY_MOMENTS || counted->group != NULL || counted->weight != NULL ||
        counted->n_terms != 0) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a count of everybody, found another block");
        goto out;
    }
    MAILLE_TRY(unit_plan(&units, spec, columns, arena, error));
    MAILLE_TRY(program_compile(&program, arena, &counted->filter, 1, unit_survival_may_fail(&units), error));
    MAILLE_TRY(evaluate_new(&evaluator, &program, columns, error));
    MAILLE_TRY(unit_new(&unit, &units, columns, error));
    for (size_t number = 0; number < units.n; number++)
        MAILLE_TRY(members_unit(unit, evaluator, number, rows, context, error));
out:
    evaluate_free(evaluator);
    unit_free(unit);
    arena_free(arena);
    return code;
}
