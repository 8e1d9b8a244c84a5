#include "worker/data_members.h"

#include <stdlib.h>

#include "registry/rowkeys.h"
#include "tally/members.h"

/* Filters of one pass over the rows. */
enum { PASS_MAX = 64 };

struct collecting {
    struct data_members *members;
    size_t first; /* the part of this pass's first filter */
    struct columns *columns;
    struct column_scratch scratch;
    const uint64_t *ids; /* of the block that is loaded */
    size_t block;
    bool persons;
};

/* Room for so many bytes, zeros; grows by doubling. */
static bool reach(struct bytes *bytes, size_t length)
{
    if (length > bytes->length)
        bytes_reserve(bytes, (length > 2 * bytes->length ? length : 2 * bytes->length) - bytes->length);
    return !bytes->failed;
}

static bool set_bit(struct bytes *bits, uint32_t number)
{
    if (!reach(bits, number / 8 + 1))
        return false;
    bits->data[number / 8] |= (uint8_t)(1u << number % 8);
    return true;
}

static bool set_person(struct bytes *persons, uint32_t row, uint32_t patient)
{
    if (!reach(persons, 4 * ((size_t)row + 1)))
        return false;
    for (unsigned b = 0; b < 4; b++)
        persons->data[4 * (size_t)row + b] = (uint8_t)(patient >> 8 * b);
    return true;
}

static enum maille_code collect(void *context, size_t which, size_t block, size_t first,
                                const uint8_t *counts, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct collecting *work = context;
    struct data_members *members = work->members;
    struct data_part *part = &members->parts[work->first + which];
    const bool persons = work->persons && work->first + which == 0;
    if (work->block != block) {
        MAILLE_TRY(columns_row_id_block(&work->ids, work->columns, &work->scratch, block, error));
        work->block = block;
    }
    for (size_t r = 0; r < n; r++) {
        uint32_t row = row_id_row(work->ids[first + r]), patient = row_id_patient(work->ids[first + r]);
        if (row == 0 || patient == 0 || row >= ROW_NUMBERS_MAX || patient >= ROW_NUMBERS_MAX) {
            code = maille_fail(
                error, MAILLE_CORRUPT,
                "expected numbers of rows and patients in the snapshot, found others; import again");
            goto out;
        }
        if ((counts[r] && (!set_bit(&part->rows, row) || !set_bit(&part->patients, patient))) ||
            (persons && !set_person(&members->persons, row, patient))) {
            code = maille_fail(error, MAILLE_MEMORY, "no memory for the members of an analysis");
            goto out;
        }
    }
out:
    return code;
}

enum maille_code data_members_of(struct data_members *members, struct columns *columns,
                                 const struct analysis *analysis, bool persons, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct collecting work = {.members = members, .columns = columns};
    struct parts parts;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an analysis");
    work.persons = persons && columns_rows(columns) != columns_patients(columns);
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    MAILLE_TRY(method_cells(analysis, arena, cells, error));
    MAILLE_TRY(parts_read(&parts, cells, analysis->study->dictionary, arena, error));
    members->parts = calloc(parts.n, sizeof *members->parts);
    if (members->parts == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for the members of an analysis");
        goto out;
    }
    members->n = parts.n;
    for (work.first = 0; work.first < parts.n; work.first += PASS_MAX) {
        const struct expression *filters[PASS_MAX];
        const size_t n = parts.n - work.first < PASS_MAX ? parts.n - work.first : PASS_MAX;
        for (size_t i = 0; i < n; i++)
            filters[i] = parts.list[work.first + i].rows;
        work.block = SIZE_MAX;
        MAILLE_TRY(tally_members(filters, n, &cells->spec.survival, columns, collect, &work, error));
    }
out:
    column_scratch_clear(&work.scratch);
    arena_free(arena);
    return code;
}
