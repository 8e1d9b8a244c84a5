/* Inside of the ledger: sets of numbers, and where they are kept. */
#ifndef DISCLOSURE_LEDGER_PRIVATE_H
#define DISCLOSURE_LEDGER_PRIVATE_H

#include <sqlite3.h>

#include "disclosure/ledger.h"

/* --- ledger_set.c: bitmaps --- */

enum {
    LEDGER_PIECE_NUMBERS = 65536, /* a piece is what is packed and read at a time */
    LEDGER_PIECE_BYTES = LEDGER_PIECE_NUMBERS / 8,
    LEDGER_PIECES_MAX = LEDGER_NUMBERS_MAX / LEDGER_PIECE_NUMBERS,
    LEDGER_TILE_NUMBERS = 4096, /* a tile is what is counted: LE16 each, of a set's digest */
    LEDGER_TILE_BYTES = LEDGER_TILE_NUMBERS / 8
};

/* A set in memory, whole: a multiple of LEDGER_PIECE_BYTES; the tiles' counts beside it. */
struct plain_set {
    struct bytes bits, tiles;
    int64_t n; /* numbers in it */
    uint64_t hash;
    bool single; /* no two numbers are of one patient */
};
enum maille_code plain_set_fill(struct plain_set *set, const struct ledger_set *from, bool single,
                                struct maille_error *error) MAILLE_CHECKED;
void plain_set_clear(struct plain_set *set);
/* Piece `number`, of zeros where there is none. */
const uint8_t *plain_set_piece(const struct plain_set *set, size_t number);
size_t plain_set_pieces(const struct plain_set *set);

/* Packs a piece into out (LEDGER_PIECE_BYTES; LZ4 where that is shorter); returns the bytes, 0 for a piece
 * without a number. */
size_t ledger_piece_pack(uint8_t out[LEDGER_PIECE_BYTES], const uint8_t piece[LEDGER_PIECE_BYTES]);
/* NULL: not what ledger_piece_pack writes. room is used where the piece was packed. */
const uint8_t *ledger_piece_unpack(uint8_t room[LEDGER_PIECE_BYTES], const uint8_t *packed, size_t length);

/* Whose a row is: per number the patient's. n 0: every number is its own patient. */
struct person_map {
    uint32_t *of;
    size_t n;
    uint64_t *seen[2]; /* one bit a patient, of each direction */
    struct bytes touched[2];
};
void person_map_clear(struct person_map *map);

/* How two sets differ, in distinct patients. Counting stops where one of the numbers is `limit` or more. */
struct difference {
    int64_t only_now, only_then; /* of the plain set, of the other */
    int64_t limit;
    bool now_single, then_single; /* else the map is asked */
    struct person_map *map;
};
/* One more piece of both; call with ascending pieces. */
void difference_add(struct difference *difference, const uint8_t *now, const uint8_t *then, size_t piece);
bool difference_settled(const struct difference *difference);
/* Forgets the patients that were seen: before the next pair. */
void difference_done(struct difference *difference);

/* What the tiles' counts alone say: true where one of the numbers is surely `limit` or more, or both are
 * known exactly; then they are set. Only for sets in which no two numbers are of one patient. Where a tile is
 * empty or full in one set its differences are known; elsewhere the larger count shows the least that
 * differs: |S \ T| >= |S| - |T|. */
bool difference_by_tiles(struct difference *difference, const struct bytes *now, const uint8_t *then,
                         size_t then_bytes);

/* --- ledger.c --- */

/* A site in the roster of a query: LE32, with this bit where it may be inferred. */
#define LEDGER_INFERRED 0x80000000U
static inline uint32_t ledger_roster_site(const uint8_t *roster, size_t at)
{
    return (uint32_t)roster[4 * at] | (uint32_t)roster[4 * at + 1] << 8 | (uint32_t)roster[4 * at + 2] << 16 |
           (uint32_t)roster[4 * at + 3] << 24;
}

/* Its number; 0: it is not there. */
enum maille_code ledger_find_query(int64_t *id, struct ledger *ledger, const uint8_t *query,
                                   struct maille_error *error) MAILLE_CHECKED;
/* What chose a group, as a hash. */
struct ledger_chosen {
    bool known, plain;
    uint8_t bytes[LEDGER_CHOSEN_BYTES];
};
/* From a column of a row. */
void ledger_read_chosen(struct ledger_chosen *chosen, sqlite3_stmt *statement, int column);
/* The sets of a group, of rows and patients (0: not known here), and what chose it (NULL: not wanted). */
enum maille_code ledger_group_sets(int64_t sets[2], struct ledger_chosen *chosen, struct ledger *ledger,
                                   const uint8_t *query, uint32_t analysis, uint32_t part,
                                   struct maille_error *error) MAILLE_CHECKED;
/* ledger_release, within a transaction. */
enum maille_code ledger_forget(struct ledger *ledger, const uint8_t *query,
                               struct maille_error *error) MAILLE_CHECKED;

/* --- ledger_store.c: the database --- */

enum ledger_statement {
    LEDGER_FIND_QUERY,
    LEDGER_PUT_QUERY,
    LEDGER_PUT_ROSTER,
    LEDGER_DROP_QUERY,
    LEDGER_ALL_QUERIES,
    LEDGER_PUT_GROUP,
    LEDGER_FIND_GROUP,
    LEDGER_DROP_OPEN,
    LEDGER_ANSWER,
    LEDGER_POOL,
    LEDGER_PLAN,
    LEDGER_TAKE_BACK,
    LEDGER_HIDE,
    LEDGER_LEAVE,
    LEDGER_REVEALED_SINCE,
    LEDGER_PUT_REVEALED,
    LEDGER_LIST,
    LEDGER_LIST_GROUPS,
    LEDGER_QUERIES,
    LEDGER_NAMED,
    LEDGER_CLOSE_POOLED,
    LEDGER_COUNT_ANSWERED,
    LEDGER_SPENT,
    LEDGER_FIND_SET,
    LEDGER_PUT_SET,
    LEDGER_GET_SET,
    LEDGER_SETS_FROM,
    LEDGER_GROUPS_OF,
    LEDGER_USED_SET,
    LEDGER_DROP_SET,
    LEDGER_PUT_PIECE,
    LEDGER_GET_PIECES,
    LEDGER_DROP_PIECES,
    LEDGER_PUT_PERSONS,
    LEDGER_GET_PERSONS,
    LEDGER_STATEMENTS
};

struct ledger {
    sqlite3 *database;
    sqlite3_stmt *prepared[LEDGER_STATEMENTS];
    struct person_map map; /* read once it is needed */
    bool map_read;
};

/* ledger_few.c: its tables, which a ledger of this version may have been made without. */
enum maille_code ledger_few_open(struct ledger *ledger, struct maille_error *error) MAILLE_CHECKED;
/* ledger_stored.c: likewise. */
enum maille_code ledger_stored_open(struct ledger *ledger, struct maille_error *error) MAILLE_CHECKED;
enum maille_code ledger_fail(const struct ledger *ledger, struct maille_error *error);
/* Statements that give no row and take no value. */
enum maille_code ledger_execute(struct ledger *ledger, const char *sql,
                                struct maille_error *error) MAILLE_CHECKED;
/* A statement that is made when it is wanted. The caller finalizes it. */
enum maille_code ledger_prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                struct maille_error *error) MAILLE_CHECKED;
enum maille_code ledger_begin(struct ledger *ledger, struct maille_error *error) MAILLE_CHECKED;
/* Commits where code is MAILLE_OK, else rolls back; returns what became of it. */
enum maille_code ledger_finish(struct ledger *ledger, enum maille_code code,
                               struct maille_error *error) MAILLE_CHECKED;

/* A statement, reset, without bindings. */
enum maille_code ledger_ready(sqlite3_stmt **statement, struct ledger *ledger, enum ledger_statement which,
                              struct maille_error *error) MAILLE_CHECKED;
/* One of those over what other queries of this epoch and the one before have. */
enum maille_code ledger_ready_past(sqlite3_stmt **statement, struct ledger *ledger,
                                   enum ledger_statement which, const uint8_t *query, uint32_t epoch,
                                   struct maille_error *error) MAILLE_CHECKED;
void ledger_bind_blob(sqlite3_stmt *statement, int column, const void *data, size_t length);
/* Runs one that gives no row. */
enum maille_code ledger_run(struct ledger *ledger, sqlite3_stmt *statement,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code ledger_next(bool *row, struct ledger *ledger, sqlite3_stmt *statement,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code ledger_corrupt(struct maille_error *error);

/* The set's number, of one that is kept already where the same is. */
enum maille_code ledger_put_set(int64_t *id, struct ledger *ledger, const struct plain_set *set,
                                struct maille_error *error) MAILLE_CHECKED;
enum maille_code ledger_get_set(struct plain_set *set, struct ledger *ledger, int64_t id,
                                struct maille_error *error) MAILLE_CHECKED;
/* Removes it where no group refers to it. */
enum maille_code ledger_drop_set(struct ledger *ledger, int64_t id,
                                 struct maille_error *error) MAILLE_CHECKED;

/* --- ledger_shown.c --- */

/* Within a transaction: what this query's plan lets be shown; NULL: nothing. Again is fine. MAILLE_REFUSED
 * "again": another's was put since ledger_shown_before. */
enum maille_code ledger_shown_put(struct ledger *ledger, const uint8_t *query, const struct shown *shown,
                                  struct maille_error *error) MAILLE_CHECKED;

/* --- ledger_compare.c --- */

/* A plain set against one that is kept, piece by piece. by_patient: both are sets of patients. limit
 * INT64_MAX: exact. */
enum maille_code ledger_compare(struct difference *difference, struct ledger *ledger,
                                const struct plain_set *now, int64_t then, bool by_patient, int64_t limit,
                                struct maille_error *error) MAILLE_CHECKED;

/* Whose the rows are, of all snapshots in which patients have several. Borrowed. */
enum maille_code ledger_read_persons(const struct person_map **map, struct ledger *ledger,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Numbers and their patients, of a snapshot in which patients have several rows. */
enum maille_code ledger_put_persons(struct ledger *ledger, const uint8_t *persons, size_t n,
                                    struct maille_error *error) MAILLE_CHECKED;

#endif
