/* Numbers of rows and patients that are stable across a site's snapshots: the key map of import. It stands
 * outside the snapshots and is no list of pseudonyms: what it holds are keyed hashes, under a key of the
 * site's own.
 *
 * A row is known by its patient's pseudonym and its content: each variable that is present, by name, with its
 * value (a level by its text). So a new column without values, or a level more, changes no number; a value
 * that changes gives the row a new one. Two rows of one patient that are equal in everything are told apart
 * by their order.
 *
 * File (integers little-endian):
 *
 *     16 bytes  "maille-rows", zeros to 12, LE32 version 1
 *     LE64      the next number that is free; LE64 entries; LE64 objections; LE64 the snapshot that it was
 * written for 16 bytes  keyed hash of "check": tells another key 20 bytes  per entry: keyed hash, LE32
 * number. Of a patient: 1 ‖ pseudonym, and 3 ‖ its fold (pseudonym.h). Of a row: 2 ‖ hash of its patient ‖
 * LE32 how many equal ones came before ‖ content 16 bytes  per objection: the patient's hash 16 bytes  keyed
 * hash of all of this */
#ifndef REGISTRY_ROWKEYS_H
#define REGISTRY_ROWKEYS_H

#include "registry/columns.h"

enum { ROW_KEY_BYTES = 16, ROW_NUMBERS_MAX = COLUMNS_ROWS_MAX };

/* A keyed hash: nobody without the key can tell whose it is. */
struct row_hash {
    void (*make)(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length);
    const void *context;
};

struct row_keys; /* opaque */

/* Reads path; an empty map where nothing is there. MAILLE_CORRUPT: other bytes than were written, or another
 * key; MAILLE_IO; MAILLE_MEMORY. Free with row_keys_free. hash outlives the map. */
enum maille_code row_keys_read(struct row_keys **keys, const char *path, const struct row_hash *hash,
                               struct maille_error *error) MAILLE_CHECKED;
void row_keys_free(struct row_keys *keys); /* NULL is legal */
bool row_keys_empty(const struct row_keys *keys);
uint32_t row_keys_snapshot(const struct row_keys *keys); /* that it was written for; 0: none */

/* Gives every row of a table that import_csv made its number and its patient's; new ones where there are
 * none. MAILLE_INVALID past ROW_NUMBERS_MAX; MAILLE_MEMORY. */
enum maille_code row_keys_number(struct row_keys *keys, struct columns *table,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Durable, 0600, before the snapshot whose rows it numbers. */
enum maille_code row_keys_write(struct row_keys *keys, const char *path, uint32_t snapshot,
                                struct maille_error *error) MAILLE_CHECKED;

/* --- objections --- */

/* A patient whom another list knows under this number (a site whose rows stay in its engine), where the map
 * has none. MAILLE_MEMORY. */
enum maille_code row_keys_know(struct row_keys *keys, const char *pseudonym, uint32_t number,
                               struct maille_error *error) MAILLE_CHECKED;

/* The number of the patient whom a table had under this pseudonym; 0: nobody. */
uint32_t row_keys_patient(const struct row_keys *keys, const char *pseudonym);

/* Whether a table had a patient whose pseudonym differs from this one in case, blanks and leading zeros at
 * most; of whom it is known since the import with this version. */
enum maille_code row_keys_alike(bool *alike, const struct row_keys *keys, const char *pseudonym,
                                struct maille_error *error) MAILLE_CHECKED;

/* From now on a patient objects, known or not; or no longer. One who objects already still does.
 * MAILLE_MEMORY. */
enum maille_code row_keys_object(struct row_keys *keys, const char *pseudonym,
                                 struct maille_error *error) MAILLE_CHECKED;
void row_keys_withdraw(struct row_keys *keys, const char *pseudonym);
bool row_keys_objects(const struct row_keys *keys, const char *pseudonym);
size_t row_keys_objections(const struct row_keys *keys);         /* in force */
size_t row_keys_objecting_patients(const struct row_keys *keys); /* of them, those whom a table had */

/* The table without the patients who object; *left_out of them were in it. *out is NULL where none was. Rows
 * must be numbered. */
enum maille_code row_keys_exclude(struct columns **out, size_t *left_out, const struct row_keys *keys,
                                  struct columns *table, struct maille_error *error) MAILLE_CHECKED;

#endif
