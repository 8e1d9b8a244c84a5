/* Columns of patients: a frozen snapshot, or a table in memory, read block by block. */
#ifndef REGISTRY_COLUMNS_H
#define REGISTRY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "query/dictionary.h"

/* Rows of one block: the chunk of the HDF5 file. */
enum { COLUMNS_BLOCK_ROWS = 65536 };
/* Rows of a site: what it works out by itself is bounded by them (tally/tally.h). */
enum { COLUMNS_ROWS_MAX = 1 << 28 };

enum column_storage { STORE_INT8, STORE_INT16, STORE_INT32, STORE_INT64 };

/* One variable of one block, in the smallest integer type that holds what the dictionary allows: codes of
 * categories and booleans; of numbers, durations and dates how many steps of the resolution they are
 * (dictionary_value gives the number). */
struct column_block {
    enum column_storage storage;
    size_t rows;
    const void *values;     /* rows entries of the storage type; one that is missing has no meaning */
    const uint8_t *missing; /* bit r (byte r/8, bit r%8) set: missing; NULL when none of the block is */
};

/* Whether entry r of a mask is missing; a NULL mask has none. */
static inline bool column_is_missing(const uint8_t *missing, size_t r)
{
    return missing != NULL && (missing[r / 8] >> r % 8 & 1);
}

/* Entry r of values of this storage. */
static inline int64_t column_entry(enum column_storage storage, const void *values, size_t r)
{
    switch (storage) {
    case STORE_INT8:
        return ((const int8_t *)values)[r];
    case STORE_INT16:
        return ((const int16_t *)values)[r];
    case STORE_INT32:
        return ((const int32_t *)values)[r];
    default:
        return ((const int64_t *)values)[r];
    }
}

/* Buffers for one variable in one thread; zero-initialise, clear at the end, use again block after block. */
struct column_cache;  /* column_cache.h */
struct cached_column; /* of one */
struct column_scratch {
    struct bytes packed, plain, bits;
    struct cached_column *held; /* what was given last stands in a cache */
    struct column_cache *held_in;
};
void column_scratch_clear(struct column_scratch *scratch);

struct columns; /* opaque */

struct snapshot_facts {
    uint32_t number;      /* 1, 2, … */
    char created[32];     /* RFC 3339, UTC */
    char source_hash[65]; /* hex, of the source file as imported; "" in memory */
    char salt[65];  /* hex of 32 random bytes: the file's hash, which sites publish, confirms no guess of
                     * what is in it; "" in memory */
    bool is_public; /* imported with --public: the policy `open` may run on it */
    char exclusions[256]; /* what was applied, in words; "" for nothing */
};

/* Opens a snapshot file and checks its shape (every dataset there, lengths equal, types as the dictionary
 * says). Errors: MAILLE_CORRUPT with the path and what is wrong, and the rule columns_other_format where
 * another version of maille wrote it; MAILLE_IO. Whether the bytes are the ones that were written is checked
 * by the worker, which keeps the file's hash. After the opening HDF5 is not used any more: the columns hold a
 * file descriptor and the places of the chunks. */
extern const char columns_other_format[];
enum maille_code columns_open(struct columns **columns, const char *path,
                              struct maille_error *error) MAILLE_CHECKED;

/* Writes a snapshot: HDF5 1.10 file format, group /patient, chunks of COLUMNS_BLOCK_ROWS rows, shuffle + LZ4
 * (filter 32004). Written beside and renamed; mode 0400. Nothing at path may exist (MAILLE_INVALID: snapshots
 * are frozen), and the salt must be there (MAILLE_INVALID). The facts of the table itself are not looked at:
 * facts are. Errors: also MAILLE_IO (nothing is left at path then), MAILLE_MEMORY. */
enum maille_code snapshot_write(const struct columns *table, const char *path,
                                const struct snapshot_facts *facts,
                                struct maille_error *error) MAILLE_CHECKED;

void columns_free(struct columns *columns); /* NULL is legal */

/* The dictionary belongs to the columns and lives as long as they do. */
const struct dictionary *columns_dictionary(const struct columns *columns);
const struct snapshot_facts *columns_facts(const struct columns *columns);
size_t columns_rows(const struct columns *columns);
size_t columns_patients(const struct columns *columns); /* distinct */
size_t columns_blocks(const struct columns *columns);

/* Variable `variable` (index in the dictionary), block `block`. Safe to call from several threads with
 * scratches of their own; what it gives is valid until the scratch is used again (the patients need another
 * one). Every entry, also a missing one, is a value that the dictionary allows: a code below n_levels, steps
 * from min to max. Errors: MAILLE_CORRUPT (a chunk that does not decompress, a value
 * outside), MAILLE_IO, MAILLE_MEMORY. */
enum maille_code columns_block(struct column_block *out, struct columns *columns,
                               struct column_scratch *scratch, uint32_t variable, size_t block,
                               struct maille_error *error) MAILLE_CHECKED;

/* Dense patient index (0 … patients−1, ascending, rows of one patient adjacent) of a block's rows: int32. */
enum maille_code columns_patient_block(struct column_block *out, struct columns *columns,
                                       struct column_scratch *scratch, size_t block,
                                       struct maille_error *error) MAILLE_CHECKED;

/* Who and what a block's rows are, by numbers that are stable across snapshots (registry/rowkeys.h). A row
 * whose values changed has another number than before; a patient's number is that of the first row he ever
 * had. Same scratch rules. */
enum maille_code columns_row_id_block(const uint64_t **ids, struct columns *columns,
                                      struct column_scratch *scratch, size_t block,
                                      struct maille_error *error) MAILLE_CHECKED;
static inline uint32_t row_id_row(uint64_t id)
{
    return (uint32_t)id;
}
static inline uint32_t row_id_patient(uint64_t id)
{
    return (uint32_t)(id >> 32);
}

/* A new table in memory with the rows of `from` for which keep[row] is true: tests and splits. Patients are
 * numbered anew, row ids and facts stay; `from` may be freed. keep has columns_rows(from) entries. */
enum maille_code columns_subset(struct columns **out, const struct columns *from, const bool *keep,
                                struct maille_error *error) MAILLE_CHECKED;

#endif
