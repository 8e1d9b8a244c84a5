/* From a relation of the site's to the next frozen table in its engine, in one transaction: what a file is
 * held to (import.h) is asked by SQL, patients and rows get their numbers, and the codes are written. No
 * value of a patient leaves the engine but counts.
 *
 * In the schema, beside the frozen tables: patient_numbers (key, number), row_numbers (hash, number) and
 * folder (id). Who reads the frozen tables has no right to these. A row is known by a hash (SHA-256) of its
 * patient's pseudonym and its content as rowkeys.h has it. */
#ifndef REGISTRY_ENGINE_FREEZE_H
#define REGISTRY_ENGINE_FREEZE_H

#include "registry/engine_columns.h"
#include "registry/import.h"

struct engine_freeze {
    struct engine_link *link;
    const struct dictionary *dictionary;
    const char *relation; /* SCHEMA.NAME of letters, digits, dots and quotation marks */
    const char *reader;   /* the role that serves */
    struct arena *arena;
};

/* Begins the transaction, copies the relation, and checks it. The report is filled as by import_csv (min and
 * medians are not), and is cleared by the caller. MAILLE_INVALID where it has an error, or where a column has
 * no type that fits. */
enum maille_code engine_freeze_read(const struct engine_freeze *freeze, struct import_report *report,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Gives each patient and row its number; new ones where there are none. MAILLE_INVALID past ROW_NUMBERS_MAX.
 */
enum maille_code engine_freeze_number(const struct engine_freeze *freeze,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Tells found each patient whom this schema ever had under this pseudonym, or one that differs in case,
 * blanks and leading zeros alone. */
enum maille_code engine_freeze_find(const struct engine_freeze *freeze, const char *pseudonym,
                                    enum maille_code (*found)(void *context, const char *key, uint32_t number,
                                                              struct maille_error *error),
                                    void *context, struct maille_error *error) MAILLE_CHECKED;

/* The frozen table of that number, without n patients, and its count. salt: of the snapshot. The table may be
 * read by the same connection; nobody else sees it before engine_freeze_end. */
enum maille_code engine_freeze_write(const struct engine_freeze *freeze, struct engine_count *count,
                                     uint32_t number, const char *salt, const uint32_t *without, size_t n,
                                     struct maille_error *error) MAILLE_CHECKED;

/* For good, or (good false) as if nothing had happened. */
enum maille_code engine_freeze_end(const struct engine_freeze *freeze, bool good,
                                   struct maille_error *error) MAILLE_CHECKED;

#endif
