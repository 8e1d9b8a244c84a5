#include "tally/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tally/riskset.h"
#include "tally/survival.h"

enum { ROOT_FILTER, ROOT_START, ROOT_STOP, ROOT_EVENT, ROOT_SAME, N_ROOTS };

/* Rows of a unit inside one block. */
struct segment {
    size_t block, first, n;
};

/* Follow-up of consecutive rows, as wanted by survival_rows and as given by it. */
struct follow_up {
    double *start, *stop;
    int32_t *event, *same, *exit, *entry, *status, *fate;
    uint8_t *failed;
};

struct unit {
    const struct unit_plan *plan;
    struct columns *columns;
    struct evaluator *evaluator; /* of plan->program */
    struct column_scratch scratch;
    struct segment *segments;
    size_t n_segments, segments_capacity;
    int32_t *patients; /* of all rows of the unit, where patients stay whole */
    size_t capacity;   /* rows of patients and follow_up */
    struct follow_up follow_up;
    size_t segment, done, row; /* next: rows done of a segment, row of the unit */
    size_t loaded;             /* block that the caller loaded last */
    size_t survival_loaded;    /* and that our own evaluator has */
};

enum maille_code unit_plan(struct unit_plan *plan, const struct tally_spec *spec, struct columns *columns,
                           struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool distinct = false;
    for (size_t b = 0; b < spec->n_blocks; b++)
        distinct = distinct || spec->blocks[b].distinct || riskset_by_patient(&spec->blocks[b]);
    *plan = (struct unit_plan){.n = columns_blocks(columns)};
    if (spec->survival.stop != NULL) {
        const struct expression *roots[N_ROOTS] = {spec->survival.filter, spec->survival.start,
                                                   spec->survival.stop, spec->survival.event,
                                                   spec->survival.same};
        plan->survival = &spec->survival;
        MAILLE_TRY(program_compile(&plan->program, arena, roots, N_ROOTS, false, error));
    }
    plan->whole_patients = columns_patients(columns) != columns_rows(columns) &&
                           (distinct || (plan->survival != NULL && plan->survival->start != NULL));
out:
    return code;
}

bool unit_survival_may_fail(const struct unit_plan *plan)
{
    for (size_t i = 0; plan->survival != NULL && i < N_ROOTS; i++) {
        uint32_t root = plan->program.roots[i];
        if (root != PROGRAM_NONE && plan->program.instructions[root].may_fail)
            return true;
    }
    return false;
}

static bool delayed(const struct unit *unit)
{
    return unit->plan->survival != NULL && unit->plan->survival->start != NULL;
}

static bool grow_array(void *array, size_t rows, size_t size)
{
    void **pointer = array;
    void *larger = realloc(*pointer, rows * size);
    if (larger == NULL)
        return false;
    *pointer = larger;
    return true;
}

static enum maille_code unit_room(struct unit *unit, size_t rows, struct maille_error *error)
{
    struct follow_up *f = &unit->follow_up;
    if (rows <= unit->capacity)
        return MAILLE_OK;
    rows = rows < 2 * unit->capacity ? 2 * unit->capacity : rows;
    if (!grow_array(&unit->patients, rows, sizeof *unit->patients) ||
        !grow_array(&f->start, rows, sizeof *f->start) || !grow_array(&f->stop, rows, sizeof *f->stop) ||
        !grow_array(&f->event, rows, sizeof *f->event) || !grow_array(&f->exit, rows, sizeof *f->exit) ||
        !grow_array(&f->entry, rows, sizeof *f->entry) || !grow_array(&f->status, rows, sizeof *f->status) ||
        !grow_array(&f->fate, rows, sizeof *f->fate) || !grow_array(&f->same, rows, sizeof *f->same) ||
        !grow_array(&f->failed, rows, sizeof *f->failed))
        return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu rows, found none", rows);
    unit->capacity = rows;
    return MAILLE_OK;
}

enum maille_code unit_new(struct unit **unit, const struct unit_plan *plan, struct columns *columns,
                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct unit *made = calloc(1, sizeof *made);
    if (made == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a thread, found none");
        goto out;
    }
    made->plan = plan;
    made->columns = columns;
    made->loaded = made->survival_loaded = SIZE_MAX;
    MAILLE_TRY(unit_room(made, EVALUATE_ROWS, error));
    if (plan->survival != NULL)
        MAILLE_TRY(evaluate_new(&made->evaluator, &plan->program, columns, error));
    *unit = made;
    made = NULL;
out:
    unit_free(made);
    return code;
}

void unit_free(struct unit *unit)
{
    if (unit == NULL)
        return;
    evaluate_free(unit->evaluator);
    column_scratch_clear(&unit->scratch);
    free(unit->segments);
    free(unit->patients);
    free(unit->follow_up.start);
    free(unit->follow_up.stop);
    free(unit->follow_up.event);
    free(unit->follow_up.exit);
    free(unit->follow_up.entry);
    free(unit->follow_up.status);
    free(unit->follow_up.fate);
    free(unit->follow_up.same);
    free(unit->follow_up.failed);
    free(unit);
}

/* --- which rows --- */

static enum maille_code segment_add(struct unit *unit, size_t block, size_t first, size_t n,
                                    const int32_t *patients, size_t *rows, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (unit->n_segments == unit->segments_capacity) {
        size_t capacity = unit->segments_capacity == 0 ? 4 : 2 * unit->segments_capacity;
        if (!grow_array(&unit->segments, capacity, sizeof *unit->segments)) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for a thread, found none");
            goto out;
        }
        unit->segments_capacity = capacity;
    }
    if (patients != NULL) {
        MAILLE_TRY(unit_room(unit, *rows + n, error));
        memcpy(unit->patients + *rows, patients + first, n * sizeof *patients);
    }
    unit->segments[unit->n_segments++] = (struct segment){.block = block, .first = first, .n = n};
    *rows += n;
out:
    return code;
}

static enum maille_code load_patients(struct unit *unit, struct column_block *out, size_t block,
                                      struct maille_error *error)
{
    enum maille_code code = columns_patient_block(out, unit->columns, &unit->scratch, block, error);
    if (code == MAILLE_OK && (out->storage != STORE_INT32 || out->missing != NULL))
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected a patient index for every row, found rows without one");
    return code;
}

/* Rows of `number`'s block without those of a patient who began before it, and the following rows of its last
 * patient. */
static enum maille_code whole_segments(struct unit *unit, size_t number, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct column_block block;
    size_t first = 0, rows = 0;
    int32_t before = -1;
    if (number > 0) {
        MAILLE_TRY(load_patients(unit, &block, number - 1, error));
        before = ((const int32_t *)block.values)[block.rows - 1];
    }
    MAILLE_TRY(load_patients(unit, &block, number, error));
    while (first < block.rows && ((const int32_t *)block.values)[first] == before)
        first++;
    if (first == block.rows)
        goto out;
    int32_t last = ((const int32_t *)block.values)[block.rows - 1];
    MAILLE_TRY(segment_add(unit, number, first, block.rows - first, block.values, &rows, error));
    for (size_t next = number + 1; next < unit->plan->n; next++) {
        MAILLE_TRY(load_patients(unit, &block, next, error));
        size_t n = 0;
        while (n < block.rows && ((const int32_t *)block.values)[n] == last)
            n++;
        if (n > 0)
            MAILLE_TRY(segment_add(unit, next, 0, n, block.values, &rows, error));
        if (n < block.rows)
            break;
    }
out:
    return code;
}

static size_t block_rows(const struct unit *unit, size_t block)
{
    size_t rows = columns_rows(unit->columns), first = block * COLUMNS_BLOCK_ROWS;
    return rows - first < COLUMNS_BLOCK_ROWS ? rows - first : COLUMNS_BLOCK_ROWS;
}

bool unit_next(struct unit *unit, struct unit_rows *rows)
{
    if (unit->segment == unit->n_segments)
        return false;
    const struct segment *segment = &unit->segments[unit->segment];
    size_t left = segment->n - unit->done;
    rows->block = segment->block;
    rows->first = segment->first + unit->done;
    rows->n = left < EVALUATE_ROWS ? left : EVALUATE_ROWS;
    rows->new_block = unit->loaded != segment->block;
    rows->patients = unit->plan->whole_patients ? unit->patients + unit->row : NULL;
    unit->loaded = segment->block;
    unit->done += rows->n;
    unit->row += rows->n;
    if (unit->done == segment->n) {
        unit->segment++;
        unit->done = 0;
    }
    return true;
}

/* --- follow-up --- */

/* Evaluates start, stop and event of n rows into place `at` of the arrays. */
static enum maille_code evaluate_follow_up(struct unit *unit, size_t at, size_t block, size_t first, size_t n,
                                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct follow_up *f = &unit->follow_up;
    uint8_t keep[EVALUATE_ROWS], failed[EVALUATE_ROWS];
    if (unit->survival_loaded != block) {
        unit->survival_loaded = SIZE_MAX;
        MAILLE_TRY(evaluate_load(unit->evaluator, block, error));
        unit->survival_loaded = block;
    }
    MAILLE_TRY(evaluate_rows(unit->evaluator, first, n, NULL, error));
    memset(keep, 1, n);
    memset(failed, 0, n);
    /* The event last, by hand: it may be FALSE. */
    for (size_t root = ROOT_FILTER; root < ROOT_EVENT; root++)
        evaluate_keep(keep, failed, unit->evaluator, root, n);
    const double *stop = evaluate_numbers(unit->evaluator, ROOT_STOP);
    const int32_t *event = evaluate_codes(unit->evaluator, ROOT_EVENT);
    const uint8_t *event_failed = evaluate_failed(unit->evaluator, ROOT_EVENT);
    for (size_t r = 0; r < n; r++) {
        bool this_failed = failed[r] || (event_failed != NULL && event_failed[r]);
        bool counts = keep[r] && (event[r] >= 0 || (event_failed != NULL && event_failed[r]));
        f->failed[at + r] = counts && this_failed;
        f->stop[at + r] = counts && !this_failed ? stop[r] : __builtin_nan("");
        f->event[at + r] = event[r];
    }
    survival_times(f->stop + at, f->stop + at, n, unit->plan->survival->lattice);
    if (unit->plan->survival->same != NULL)
        memcpy(f->same + at, evaluate_codes(unit->evaluator, ROOT_SAME), n * sizeof *f->same);
    if (delayed(unit))
        survival_times(f->start + at, evaluate_numbers(unit->evaluator, ROOT_START), n,
                       unit->plan->survival->lattice);
out:
    return code;
}

static enum maille_code bins_of(struct unit *unit, size_t n, struct maille_error *error)
{
    const struct follow_up *f = &unit->follow_up;
    const struct tally_survival *survival = unit->plan->survival;
    struct survival_rows rows = {.n = n,
                                 .start = delayed(unit) ? f->start : NULL,
                                 .stop = f->stop,
                                 .event = f->event,
                                 .joins = survival->joins,
                                 .same = survival->same != NULL ? f->same : NULL,
                                 .patient = unit->plan->whole_patients ? unit->patients : NULL};
    return survival_rows(f->exit, f->entry, f->status, f->fate, &rows, survival->per_bin, survival->n_bins,
                         error);
}

enum maille_code unit_start(struct unit *unit, size_t number, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t rows = 0;
    unit->n_segments = unit->segment = unit->done = unit->row = 0;
    if (!unit->plan->whole_patients) {
        MAILLE_TRY(segment_add(unit, number, 0, block_rows(unit, number), NULL, &rows, error));
        goto out;
    }
    MAILLE_TRY(whole_segments(unit, number, error));
    for (size_t s = 0; delayed(unit) && s < unit->n_segments; s++) {
        const struct segment *segment = &unit->segments[s];
        for (size_t done = 0, n; done < segment->n; done += n, rows += n) {
            n = segment->n - done < EVALUATE_ROWS ? segment->n - done : EVALUATE_ROWS;
            MAILLE_TRY(evaluate_follow_up(unit, rows, segment->block, segment->first + done, n, error));
        }
    }
    if (delayed(unit))
        MAILLE_TRY(bins_of(unit, rows, error));
out:
    return code;
}

enum maille_code unit_survival(struct unit *unit, struct evaluate_survival *survival,
                               const struct unit_rows *rows, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct follow_up *f = &unit->follow_up;
    size_t at = 0;
    if (unit->plan->survival == NULL)
        goto out;
    if (unit->plan->whole_patients && delayed(unit)) {
        at = unit->row - rows->n; /* unit_start did it for all rows */
    } else {
        MAILLE_TRY(evaluate_follow_up(unit, 0, rows->block, rows->first, rows->n, error));
        MAILLE_TRY(bins_of(unit, rows->n, error));
    }
    *survival =
        (struct evaluate_survival){.exit = f->exit + at,
                                   .entry = delayed(unit) ? f->entry + at : NULL,
                                   .status = f->status + at,
                                   .fate = f->fate + at,
                                   .failed = unit_survival_may_fail(unit->plan) ? f->failed + at : NULL};
out:
    return code;
}
