#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

/* A set in memory against one in the ledger, and whose a row is. */

/* --- whose a row is --- */

/* Each row of the table holds PERSONS_PER_ROW numbers: LE32 each, packed. */
enum { PERSONS_PER_ROW = 65536, PERSONS_BYTES = 4 * PERSONS_PER_ROW };

static enum maille_code map_room(struct person_map *map, size_t n, struct maille_error *error)
{
    if (n <= map->n)
        return MAILLE_OK;
    uint32_t *of = realloc(map->of, n * sizeof *of);
    if (of != NULL) {
        memset(of + map->n, 0, (n - map->n) * sizeof *of);
        map->of = of;
    }
    for (size_t way = 0; way < 2; way++) {
        uint64_t *seen = calloc(n / 64 + 1, sizeof *seen); /* nothing is seen between two pairs */
        if (of == NULL || seen == NULL) {
            free(seen);
            return maille_fail(error, MAILLE_MEMORY,
                               "expected memory for the patients of %zu rows, found none", n);
        }
        free(map->seen[way]);
        map->seen[way] = seen;
    }
    map->n = n;
    return MAILLE_OK;
}

static enum maille_code read_map(struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    if (ledger->map_read)
        goto out;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GET_PERSONS, error));
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        int64_t at = sqlite3_column_int64(statement, 0);
        if (at < 0 || at >= LEDGER_NUMBERS_MAX / PERSONS_PER_ROW) {
            code = ledger_corrupt(error);
            goto out;
        }
        MAILLE_TRY(map_room(&ledger->map, ((size_t)at + 1) * PERSONS_PER_ROW, error));
        if (LZ4_decompress_safe(sqlite3_column_blob(statement, 1),
                                (char *)(ledger->map.of + (size_t)at * PERSONS_PER_ROW),
                                sqlite3_column_bytes(statement, 1), PERSONS_BYTES) != PERSONS_BYTES) {
            code = ledger_corrupt(error);
            goto out;
        }
    }
    ledger->map_read = true;
out:
    return code;
}

enum maille_code ledger_read_persons(const struct person_map **map, struct ledger *ledger,
                                     struct maille_error *error)
{
    const enum maille_code code = read_map(ledger, error);
    *map = &ledger->map;
    return code;
}

static enum maille_code put_person_row(struct ledger *ledger, size_t at, char *packed,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    int length = LZ4_compress_default((const char *)(ledger->map.of + at * PERSONS_PER_ROW), packed,
                                      PERSONS_BYTES, LZ4_COMPRESSBOUND(PERSONS_BYTES));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_PERSONS, error));
    sqlite3_bind_int64(statement, 1, (int64_t)at);
    ledger_bind_blob(statement, 2, packed, (size_t)length);
    code = ledger_run(ledger, statement, error);
out:
    return code;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are kept as they stand, little-endian");

enum maille_code ledger_put_persons(struct ledger *ledger, const uint8_t *persons, size_t n,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char *packed = malloc(LZ4_COMPRESSBOUND(PERSONS_BYTES));
    size_t rows = (n + PERSONS_PER_ROW - 1) / PERSONS_PER_ROW;
    if (packed == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected memory for the patients of %zu rows, found none", n);
        goto out;
    }
    MAILLE_TRY(read_map(ledger, error));
    MAILLE_TRY(map_room(&ledger->map, rows * PERSONS_PER_ROW, error));
    for (size_t at = 0; at < rows; at++) {
        bool changed = false;
        for (size_t number = at * PERSONS_PER_ROW; number < (at + 1) * PERSONS_PER_ROW && number < n;
             number++) {
            uint32_t person;
            memcpy(&person, persons + 4 * number, sizeof person);
            if (person == 0 || ledger->map.of[number] == person)
                continue;
            ledger->map.of[number] = person;
            changed = true;
        }
        if (changed)
            MAILLE_TRY(put_person_row(ledger, at, packed, error));
    }
out:
    free(packed);
    return code;
}

/* --- comparing --- */

enum maille_code ledger_compare(struct difference *difference, struct ledger *ledger,
                                const struct plain_set *now, int64_t then, bool by_patient, int64_t limit,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    uint8_t room[LEDGER_PIECE_BYTES];
    static const uint8_t nothing[LEDGER_PIECE_BYTES];
    bool row;
    size_t next = 0;
    struct difference made = {.limit = limit, .now_single = by_patient || now->single};
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GET_SET, error));
    sqlite3_bind_int64(statement, 1, then);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    if (!row) {
        code = ledger_corrupt(error);
        goto out;
    }
    made.then_single = by_patient || sqlite3_column_int(statement, 2) != 0;
    if (made.now_single && made.then_single &&
        difference_by_tiles(&made, &now->tiles, sqlite3_column_blob(statement, 3),
                            (size_t)sqlite3_column_bytes(statement, 3)))
        goto done;
    if (!made.now_single || !made.then_single) {
        MAILLE_TRY(read_map(ledger, error));
        made.map = &ledger->map;
    }
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GET_PIECES, error));
    sqlite3_bind_int64(statement, 1, then * LEDGER_PIECES_MAX);
    sqlite3_bind_int64(statement, 2, (then + 1) * LEDGER_PIECES_MAX - 1);
    while (!difference_settled(&made)) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        size_t piece =
            row ? (size_t)(sqlite3_column_int64(statement, 0) % LEDGER_PIECES_MAX) : plain_set_pieces(now);
        for (; next < piece; next++)
            difference_add(&made, plain_set_piece(now, next), nothing, next);
        if (!row)
            break;
        const uint8_t *bits = ledger_piece_unpack(room, sqlite3_column_blob(statement, 1),
                                                  (size_t)sqlite3_column_bytes(statement, 1));
        if (bits == NULL) {
            code = ledger_corrupt(error);
            goto out;
        }
        difference_add(&made, plain_set_piece(now, piece), bits, piece);
        next = piece + 1;
    }
    sqlite3_reset(statement);
    difference_done(&made);
    if (made.map != NULL)
        for (size_t way = 0; way < 2; way++)
            MAILLE_TRY(bytes_check(&made.map->touched[way], error));
done:
    *difference = made;
out:
    return code;
}
