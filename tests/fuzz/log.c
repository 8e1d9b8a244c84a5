/* audit/: a message log from somebody else's machine. The first byte says what the rest is: 'm' the file
 * messages.log, 'p' that file to be packed first, 'q' a packed file, 'b' the note of a pruned log before a
 * messages.log of nothing, 'f' a folder of files (name, NUL, LE16 length, bytes), 'r' one record, 'v' the
 * sealed numbers of a record, '0' to '3' a note of that kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/entry.h"
#include "audit/log.h"
#include "audit/note.h"
#include "audit/store.h"
#include "audit/vector.h"
#include "audit/verify.h"
#include "tests/fuzz/fuzz.h"

static void count(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    size_t *n = context;
    (void)utc_ms;
    (void)sequence;
    ++*n;
    if (strlen(entry->message) + strlen(entry->peer) + strlen(entry->detail) > 1 << 16)
        fuzz_fail("short entries");
}

static void folder_of(void)
{
    struct maille_error error = {0};
    struct audit_report report = {0};
    struct audit_heads heads = {0};
    const struct audit_check check = {.taken_ms = INT64_C(1800000000000)};
    size_t n = 0;
    if (audit_read(fuzz_folder(), count, &n, &error) != MAILLE_OK && error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    error.sentence[0] = '\0';
    const enum maille_code code = audit_verify(&report, &heads, fuzz_folder(), &check, &error);
    if ((code == MAILLE_OK) != (report.fault == AUDIT_SOUND && error.sentence[0] == '\0'))
        fuzz_fail("a log that is sound, or a sentence");
    audit_heads_clear(&heads);
}

static void record_of(const uint8_t *data, size_t size)
{
    struct record record = {0};
    struct record_header header;
    struct maille_error error = {0};
    struct bytes again = {0};
    size_t length = 0;
    if (record_decode(&record, data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        if (!record_peek(&header, data, size) || header.sequence != record.header.sequence)
            fuzz_fail("the header of a record");
        record_note(data, size, &length);
        record_encode(&again, &record.header, &record.entry, (const char *)record.note.data,
                      record.note.length);
        struct record second = {0};
        if (record_decode(&second, again.data, again.length, &error) != MAILLE_OK)
            fuzz_fail("a record that can be read back");
        record_clear(&second);
        bytes_clear(&again);
    }
    record_clear(&record);
}

/* The note as an epoch's key signs it, and as a party does. */
static void signed_of(const struct note *note)
{
    static struct secret_keys *party;
    static struct epoch_key *epoch;
    struct note own = *note;
    if ((party == NULL && secret_keys_new(&party, KEY_SITE, "a-site", NULL) != MAILLE_OK) ||
        (epoch == NULL && epoch_key_new(&epoch, NULL) != MAILLE_OK))
        fuzz_fail("keys");
    if (note_sign_epoch(&own, epoch) != MAILLE_OK || !note_valid(&own, epoch_key_public(epoch)))
        fuzz_fail("a note that an epoch's key signed");
    if (note_sign_identity(&own, party, NULL) != MAILLE_OK ||
        ((own.kind == NOTE_BEGIN || own.kind == NOTE_BASE) && !note_certified(&own)))
        fuzz_fail("a note that a party signed");
}

static void note_of(enum note_kind kind, const uint8_t *data, size_t size)
{
    static const uint8_t key[PUBLIC_BYTES] = {1};
    struct note note;
    struct bytes again = {0};
    if (!note_parse(&note, kind, NULL, (const char *)data, size))
        return;
    note_valid(&note, key);
    note_certified(&note);
    signed_of(&note);
    note_body(&again, &note);
    if (again.length > size || memcmp(again.data, data, again.length) != 0)
        fuzz_fail("a note as it would be written");
    bytes_clear(&again);
}

/* Numbers that somebody sealed to a data protection officer, with the hash that they have. */
static void vector_of(const uint8_t *data, size_t size)
{
    static struct secret_keys *dpo;
    struct maille_error error = {0};
    struct audit_clear clear = {0};
    struct digest hash;
    struct bytes sealed = {0};
    char text[64];
    if (dpo == NULL && secret_keys_new(&dpo, KEY_DPO, "officer", NULL) != MAILLE_OK)
        fuzz_fail("keys");
    if (size < KEY_BYTES || seal_to(&sealed, secret_keys_public(dpo)->box, data, size) != MAILLE_OK)
        goto out;
    hash_kdf(&hash, data, "clear", data + KEY_BYTES, size - KEY_BYTES);
    const struct audit_entry entry = {.clear = {sealed.data, sealed.length},
                                      .clear_hash = hash.b,
                                      .seeds = {sealed.data, sealed.length},
                                      .vector = hash.b};
    if (audit_open_clear(&clear, &entry, dpo, &error) == MAILLE_OK) {
        const uint64_t n = audit_clear_count(&clear);
        if (!audit_clear_number(text, &clear, 0) != (n == 0) || audit_clear_number(text, &clear, n))
            fuzz_fail("as many numbers as there are");
        audit_clear_at(text, &clear, size % 64, size % 3 == 0 ? 16 : 8, (uint32_t)(size % 128));
    } else if (error.sentence[0] == '\0') {
        fuzz_fail("a sentence with an error");
    }
    if (audit_replay(NULL, &entry, dpo, &error) == MAILLE_OK)
        fuzz_fail("numbers that were never sent to be others");
out:
    audit_clear_wipe(&clear);
    bytes_clear(&sealed);
}

/* Any files of a log's folder, and what it says of itself. */
static void files_of(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"messages.log", "messages-000000000000.log.lz4", "base",
                                        "messages-000000000001.log.lz4", "messages-000000000001.log"};
    enum { NAMES = sizeof names / sizeof *names };
    bool there[NAMES] = {false};
    while (size > 0) {
        const uint8_t *end = memchr(data, '\0', size);
        if (end == NULL || size - (size_t)(end - data) < 3)
            break;
        const char *name = (const char *)data;
        const size_t wanted = (size_t)(end[1] | end[2] << 8);
        size -= (size_t)(end - data) + 3, data = end + 3;
        const size_t length = wanted < size ? wanted : size;
        for (size_t i = 0; i < NAMES; i++)
            if (strcmp(names[i], name) == 0) {
                fuzz_put(name, data, length);
                there[i] = true;
            }
        data += length, size -= length;
    }
    for (size_t i = 0; i < NAMES; i++)
        if (!there[i])
            unlink(fuzz_put(names[i], NULL, 0));
    folder_of();
    for (size_t i = 0; i < NAMES; i++)
        unlink(fuzz_put(names[i], NULL, 0));
}

/* Beside the folder's other files, as a log packs a file that is full. */
static void packed(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    int fd;
    fuzz_put("messages-000000000000.log.lz4", NULL, 0);
    fuzz_file(path, &fd, data, size);
    if (store_pack(fuzz_folder(), "messages-000000000000.log.lz4", fd, size, NULL) != MAILLE_OK)
        fuzz_fail("a packed file");
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {0};
    if (crypto_start(NULL) != MAILLE_OK)
        fuzz_fail("libsodium");
    if (size == 0)
        return 0;
    const uint8_t kind = data[0];
    data++, size--;
    switch (kind) {
    case 'r':
        record_of(data, size);
        return 0;
    case '0':
    case '1':
    case '2':
    case '3':
        note_of((enum note_kind)(kind - '0'), data, size);
        return 0;
    case 'v':
        vector_of(data, size);
        return 0;
    case 'f':
        files_of(data, size);
        return 0;
    default:
        bytes_put(&text, data, size);
        break;
    }
    const char *all[] = {"messages.log", "messages-000000000000.log.lz4", "base"};
    const size_t which = kind == 'p' || kind == 'q' ? 1 : kind == 'b' ? 2 : 0;
    for (size_t i = 0; i < 3; i++) {
        const char *path = fuzz_put(all[i], text.data, i == which ? text.length : 0);
        if (i != which)
            unlink(path);
    }
    if (kind == 'p')
        packed(data, size);
    folder_of();
    bytes_clear(&text);
    return 0;
}
