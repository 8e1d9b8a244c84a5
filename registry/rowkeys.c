#include "registry/rowkeys.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "registry/csv.h"
#include "registry/keymap.h"
#include "registry/pseudonym.h"
#include "registry/table.h"
#include "registry/text.h"

enum { HEAD_BYTES = 64, ENTRY_BYTES = ROW_KEY_BYTES + 4, FORMAT_VERSION = 1 };
static const char magic[12] = "maille-rows";
/* 2^28 rows, each perhaps the first of its patient, who has two entries. */
static const size_t file_max = HEAD_BYTES + (size_t)3 * ROW_NUMBERS_MAX * ENTRY_BYTES;

enum { OF_PATIENT = 1, OF_ROW = 2, OF_ALIKE = 3 };

struct row_keys {
    const struct row_hash *hash;
    struct bytes entries;    /* as in the file */
    uint32_t *slots;         /* entry + 1, 0: free; at most half are taken */
    size_t n_slots;          /* a power of two */
    struct bytes objections; /* ROW_KEY_BYTES each */
    uint64_t next;           /* number */
    uint32_t snapshot;
};

static enum maille_code no_memory(struct maille_error *error)
{
    return maille_fail(error, MAILLE_MEMORY, "expected memory for the numbers of rows, found none");
}

static size_t n_entries(const struct row_keys *keys)
{
    return keys->entries.length / ENTRY_BYTES;
}

static uint32_t le32_load(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

/* --- the table of entries --- */

/* The hashes are uniform: their first bytes do. */
static size_t slot_of(const struct row_keys *keys, const uint8_t *key)
{
    return (size_t)le64_load(key) & (keys->n_slots - 1);
}

static enum maille_code make_slots(struct row_keys *keys, size_t wanted, struct maille_error *error)
{
    size_t n_slots = 1024;
    while (n_slots < 2 * wanted)
        n_slots *= 2;
    if (n_slots <= keys->n_slots)
        return MAILLE_OK;
    uint32_t *slots = calloc(n_slots, sizeof *slots);
    if (slots == NULL)
        return no_memory(error);
    free(keys->slots);
    keys->slots = slots;
    keys->n_slots = n_slots;
    for (size_t e = 0; e < n_entries(keys); e++) {
        size_t slot = slot_of(keys, keys->entries.data + e * ENTRY_BYTES);
        while (slots[slot] != 0)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)e + 1;
    }
    return MAILLE_OK;
}

/* 0: not known. */
static uint32_t number_of(const struct row_keys *keys, const uint8_t *key)
{
    for (size_t slot = slot_of(keys, key); keys->slots[slot] != 0; slot = (slot + 1) & (keys->n_slots - 1)) {
        const uint8_t *entry = keys->entries.data + (size_t)(keys->slots[slot] - 1) * ENTRY_BYTES;
        if (memcmp(entry, key, ROW_KEY_BYTES) == 0)
            return le32_load(entry + ROW_KEY_BYTES);
    }
    return 0;
}

static enum maille_code add_entry(struct row_keys *keys, const uint8_t *key, uint32_t number,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(make_slots(keys, n_entries(keys) + 1, error));
    bytes_put(&keys->entries, key, ROW_KEY_BYTES);
    bytes_put_u32(&keys->entries, number);
    MAILLE_TRY(bytes_check(&keys->entries, error));
    size_t slot = slot_of(keys, key);
    while (keys->slots[slot] != 0)
        slot = (slot + 1) & (keys->n_slots - 1);
    keys->slots[slot] = (uint32_t)n_entries(keys);
out:
    return code;
}

/* --- the file --- */

static void make_check(uint8_t out[ROW_KEY_BYTES], const struct row_hash *hash)
{
    hash->make(out, hash->context, "check", 5);
}

static enum maille_code parse(struct row_keys *keys, const struct bytes *file, const char *path,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t check[ROW_KEY_BYTES];
    struct reader reader = reader_of(file->data, file->length);
    const uint8_t *found = reader_take(&reader, sizeof magic);
    bool good = found != NULL && memcmp(found, magic, sizeof magic) == 0;
    const uint32_t version = good ? reader_u32(&reader) : 0;
    if (version > FORMAT_VERSION)
        return maille_fail(
            error, MAILLE_CORRUPT,
            "%s: expected the numbers of rows in format %d, found format %u; a later maille-worker has "
            "written it: install that one again (docs/UPGRADE.md)",
            path, FORMAT_VERSION, version);
    good = good && version == FORMAT_VERSION;
    keys->next = reader_u64(&reader);
    uint64_t entries = reader_u64(&reader), objections = reader_u64(&reader);
    keys->snapshot = (uint32_t)reader_u64(&reader);
    found = reader_take(&reader, ROW_KEY_BYTES);
    make_check(check, keys->hash);
    if (good && found != NULL && memcmp(found, check, sizeof check) != 0)
        return maille_fail(error, MAILLE_CORRUPT,
                           "%s: expected the numbers of rows under this site's key, found another's; restore "
                           "the file or the key",
                           path);
    good = good && !reader.bad && keys->next > 0 && keys->next <= ROW_NUMBERS_MAX &&
           entries <= file->length / ENTRY_BYTES && objections <= file->length / ROW_KEY_BYTES;
    const uint8_t *first = good ? reader_take(&reader, (size_t)entries * ENTRY_BYTES) : NULL,
                  *objecting =
                      first != NULL ? reader_take(&reader, (size_t)objections * ROW_KEY_BYTES) : NULL;
    found = objecting != NULL ? reader_take(&reader, ROW_KEY_BYTES) : NULL;
    if (found != NULL)
        keys->hash->make(check, keys->hash->context, file->data, file->length - ROW_KEY_BYTES);
    if (found == NULL || !reader_done(&reader) || memcmp(found, check, sizeof check) != 0)
        return maille_fail(
            error, MAILLE_CORRUPT,
            "%s: expected the numbers of rows as they were written, found other bytes; restore it", path);
    MAILLE_TRY(bytes_copy(&keys->entries, first, (size_t)entries * ENTRY_BYTES));
    code = bytes_copy(&keys->objections, objecting, (size_t)objections * ROW_KEY_BYTES);
out:
    return code;
}

enum maille_code row_keys_read(struct row_keys **keys, const char *path, const struct row_hash *hash,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes file = {0};
    struct row_keys *made = calloc(1, sizeof *made);
    if (made == NULL)
        return no_memory(error);
    made->hash = hash;
    made->next = 1;
    if (file_exists(path)) {
        MAILLE_TRY(file_read(&file, path, file_max, error));
        MAILLE_TRY(parse(made, &file, path, error));
    }
    MAILLE_TRY(make_slots(made, n_entries(made) + 1, error));
    *keys = made;
    made = NULL;
out:
    bytes_clear(&file);
    row_keys_free(made);
    return code;
}

enum maille_code row_keys_write(struct row_keys *keys, const char *path, uint32_t snapshot,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes file = {0};
    uint8_t hash[ROW_KEY_BYTES];
    keys->snapshot = snapshot;
    bytes_put(&file, magic, sizeof magic);
    bytes_put_u32(&file, FORMAT_VERSION);
    bytes_put_u64(&file, keys->next);
    bytes_put_u64(&file, n_entries(keys));
    bytes_put_u64(&file, row_keys_objections(keys));
    bytes_put_u64(&file, snapshot);
    make_check(hash, keys->hash);
    bytes_put(&file, hash, sizeof hash);
    bytes_put(&file, keys->entries.data, keys->entries.length);
    bytes_put(&file, keys->objections.data, keys->objections.length);
    MAILLE_TRY(bytes_check(&file, error));
    keys->hash->make(hash, keys->hash->context, file.data, file.length);
    bytes_put(&file, hash, sizeof hash);
    MAILLE_TRY(bytes_check(&file, error));
    code = file_write_atomic(path, file.data, file.length, 0600, error);
out:
    bytes_clear(&file);
    return code;
}

void row_keys_free(struct row_keys *keys)
{
    if (keys == NULL)
        return;
    bytes_clear(&keys->entries);
    bytes_clear(&keys->objections);
    free(keys->slots);
    free(keys);
}

bool row_keys_empty(const struct row_keys *keys)
{
    return keys->entries.length == 0;
}

uint32_t row_keys_snapshot(const struct row_keys *keys)
{
    return keys->snapshot;
}

/* --- numbering --- */

static void patient_key(uint8_t out[ROW_KEY_BYTES], const struct row_keys *keys, struct bytes *room,
                        const char *pseudonym, size_t length)
{
    room->length = 0;
    bytes_put_u8(room, OF_PATIENT);
    bytes_put(room, pseudonym, length);
    keys->hash->make(out, keys->hash->context, room->data, room->length);
}

/* Of what pseudonyms have in common that differ in case, blanks and leading zeros alone. */
static enum maille_code alike_key(uint8_t out[ROW_KEY_BYTES], const struct row_keys *keys,
                                  const char *pseudonym, struct maille_error *error)
{
    struct bytes room = {0};
    const size_t length = strlen(pseudonym);
    bytes_put_u8(&room, OF_ALIKE);
    bytes_reserve(&room, length + 1);
    enum maille_code code = bytes_check(&room, error);
    if (code == MAILLE_OK) {
        size_t n = pseudonym_fold((char *)room.data + 1, pseudonym, length);
        keys->hash->make(out, keys->hash->context, room.data, 1 + n);
    }
    bytes_wipe(&room);
    return code;
}

/* What a row says, whatever the dictionary's order and version. */
static void put_content(struct bytes *out, const struct columns *table, size_t row)
{
    for (size_t v = 0; v < table->dictionary->n_variables; v++) {
        const struct stored *stored = &table->stored[v];
        const struct variable *variable = &table->dictionary->variables[v];
        if (column_is_missing(stored->missing, row))
            continue;
        bytes_put_string(out, variable->name);
        const int64_t integer = column_entry(stored->storage, stored->values, row);
        /* The value, not its number of steps, which another resolution would change. */
        double value = dictionary_value(variable, (double)integer);
        bool is_whole =
            variable->type != VARIABLE_REAL && floor(variable->resolution) == variable->resolution;
        if (variable->type == VARIABLE_CATEGORY)
            bytes_put_string(out, variable->levels[integer]);
        else if (variable->type == VARIABLE_BOOLEAN)
            bytes_put_u64(out, (uint64_t)integer);
        else if (is_whole)
            bytes_put_u64(out, (uint64_t)(int64_t)value);
        else
            bytes_put_f64(out, value);
    }
}

/* The number of a row, which no other row of this table has. */
static enum maille_code row_number(uint32_t *number, struct row_keys *keys, struct bytes *taken,
                                   const struct columns *table, size_t row,
                                   const uint8_t patient[ROW_KEY_BYTES], struct bytes *room,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t key[ROW_KEY_BYTES];
    for (uint32_t before = 0;; before++) {
        room->length = 0;
        bytes_put_u8(room, OF_ROW);
        bytes_put(room, patient, ROW_KEY_BYTES);
        bytes_put_u32(room, before);
        put_content(room, table, row);
        MAILLE_TRY(bytes_check(room, error));
        keys->hash->make(key, keys->hash->context, room->data, room->length);
        *number = number_of(keys, key);
        if (*number == 0)
            break;
        if (!(taken->data[*number / 8] >> *number % 8 & 1))
            goto take;
    }
    if (keys->next >= ROW_NUMBERS_MAX) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected fewer than %d rows over all snapshots, found more", ROW_NUMBERS_MAX);
        goto out;
    }
    *number = (uint32_t)keys->next++;
    MAILLE_TRY(add_entry(keys, key, *number, error));
take:
    taken->data[*number / 8] |= (uint8_t)(1u << *number % 8);
out:
    return code;
}

enum maille_code row_keys_number(struct row_keys *keys, struct columns *table, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes room = {0}, taken = {0};
    uint8_t patient[ROW_KEY_BYTES], alike[ROW_KEY_BYTES];
    uint32_t person = 0, number = 0;
    bytes_reserve(&taken, ((size_t)keys->next + table->rows) / 8 + 1);
    MAILLE_TRY(bytes_check(&taken, error));
    for (size_t r = 0; r < table->rows; r++) {
        bool first = r == 0 || table->patient[r] != table->patient[r - 1];
        if (first) {
            const char *pseudonym = keymap_text(table->keys, table->patient[r]);
            patient_key(patient, keys, &room, pseudonym, strlen(pseudonym));
            person = number_of(keys, patient);
        }
        MAILLE_TRY(row_number(&number, keys, &taken, table, r, patient, &room, error));
        if (first && person == 0) {
            person = number;
            MAILLE_TRY(add_entry(keys, patient, person, error));
        }
        if (first) {
            MAILLE_TRY(alike_key(alike, keys, keymap_text(table->keys, table->patient[r]), error));
            if (number_of(keys, alike) == 0)
                MAILLE_TRY(add_entry(keys, alike, person, error));
        }
        table->row_id[r] = (uint64_t)person << 32 | number;
    }
out:
    bytes_wipe(&room);
    bytes_clear(&taken);
    return code;
}

enum maille_code row_keys_know(struct row_keys *keys, const char *pseudonym, uint32_t number,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes room = {0};
    uint8_t key[ROW_KEY_BYTES];
    patient_key(key, keys, &room, pseudonym, strlen(pseudonym));
    if (number_of(keys, key) == 0)
        MAILLE_TRY(add_entry(keys, key, number, error));
    MAILLE_TRY(alike_key(key, keys, pseudonym, error));
    if (number_of(keys, key) == 0)
        MAILLE_TRY(add_entry(keys, key, number, error));
out:
    bytes_wipe(&room);
    return code;
}

/* --- objections --- */

/* Where the hash stands among the objections, in bytes from their beginning; their length: nowhere. */
static size_t objection_at(const struct row_keys *keys, const uint8_t key[ROW_KEY_BYTES])
{
    size_t at = 0;
    while (at < keys->objections.length && memcmp(keys->objections.data + at, key, ROW_KEY_BYTES) != 0)
        at += ROW_KEY_BYTES;
    return at;
}

static void key_of(uint8_t key[ROW_KEY_BYTES], const struct row_keys *keys, const char *pseudonym)
{
    struct bytes room = {0};
    patient_key(key, keys, &room, pseudonym, strlen(pseudonym));
    bytes_wipe(&room);
}

uint32_t row_keys_patient(const struct row_keys *keys, const char *pseudonym)
{
    uint8_t key[ROW_KEY_BYTES];
    key_of(key, keys, pseudonym);
    return number_of(keys, key);
}

enum maille_code row_keys_alike(bool *alike, const struct row_keys *keys, const char *pseudonym,
                                struct maille_error *error)
{
    uint8_t key[ROW_KEY_BYTES];
    enum maille_code code = alike_key(key, keys, pseudonym, error);
    if (code == MAILLE_OK)
        *alike = number_of(keys, key) != 0;
    return code;
}

bool row_keys_objects(const struct row_keys *keys, const char *pseudonym)
{
    uint8_t key[ROW_KEY_BYTES];
    key_of(key, keys, pseudonym);
    return objection_at(keys, key) < keys->objections.length;
}

enum maille_code row_keys_object(struct row_keys *keys, const char *pseudonym, struct maille_error *error)
{
    uint8_t key[ROW_KEY_BYTES];
    key_of(key, keys, pseudonym);
    if (objection_at(keys, key) == keys->objections.length)
        bytes_put(&keys->objections, key, sizeof key);
    return bytes_check(&keys->objections, error);
}

void row_keys_withdraw(struct row_keys *keys, const char *pseudonym)
{
    uint8_t key[ROW_KEY_BYTES];
    key_of(key, keys, pseudonym);
    const size_t at = objection_at(keys, key);
    if (at == keys->objections.length)
        return;
    keys->objections.length -= ROW_KEY_BYTES;
    memmove(keys->objections.data + at, keys->objections.data + at + ROW_KEY_BYTES,
            keys->objections.length - at);
}

size_t row_keys_objections(const struct row_keys *keys)
{
    return keys->objections.length / ROW_KEY_BYTES;
}

size_t row_keys_objecting_patients(const struct row_keys *keys)
{
    size_t n = 0;
    for (size_t at = 0; at < keys->objections.length; at += ROW_KEY_BYTES)
        n += number_of(keys, keys->objections.data + at) != 0;
    return n;
}

enum maille_code row_keys_exclude(struct columns **out, size_t *left_out, const struct row_keys *keys,
                                  struct columns *table, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes objecting = {0};
    struct column_scratch scratch = {0};
    bool *keep = malloc((columns_rows(table) + 1) * sizeof *keep);
    size_t row = 0, n = 0;
    uint32_t last = 0;
    *out = NULL;
    if (keep == NULL) {
        code = no_memory(error);
        goto out;
    }
    bytes_reserve(&objecting, (size_t)keys->next / 8 + 1);
    MAILLE_TRY(bytes_check(&objecting, error));
    for (size_t i = 0; i < row_keys_objections(keys); i++) {
        uint32_t person = number_of(keys, keys->objections.data + i * ROW_KEY_BYTES);
        if (person != 0) /* else a patient of elsewhere */
            objecting.data[person / 8] |= (uint8_t)(1u << person % 8);
    }
    for (size_t block = 0; block < columns_blocks(table); block++) {
        const uint64_t *ids;
        MAILLE_TRY(columns_row_id_block(&ids, table, &scratch, block, error));
        for (size_t r = 0; r < table_block_rows(table, block); r++, row++) {
            uint32_t person = row_id_patient(ids[r]);
            bool objects = person < keys->next && (objecting.data[person / 8] >> person % 8 & 1);
            keep[row] = !objects;
            n += objects && person != last;
            last = person;
        }
    }
    if (n > 0)
        MAILLE_TRY(columns_subset(out, table, keep, error));
    *left_out = n;
out:
    column_scratch_clear(&scratch);
    bytes_clear(&objecting);
    free(keep);
    return code;
}
