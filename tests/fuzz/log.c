/* audit/: a message log from somebody else's machine. The first byte says what the rest is: 'm' the file
 * messages.log, 'p' that file to be packed first, 'q' a packed file, 'b' the note of a pruned log before a
 * messages.log of nothing, 'r' one record, '0' to '3' a note of that kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lz4frame.h>
#include <unistd.h>

#include "audit/entry.h"
#include "audit/log.h"
#include "audit/note.h"
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

static void note_of(enum note_kind kind, const uint8_t *data, size_t size)
{
    static const uint8_t key[PUBLIC_BYTES] = {1};
    struct note note;
    struct bytes again = {0};
    if (!note_parse(&note, kind, NULL, (const char *)data, size))
        return;
    note_valid(&note, key);
    note_certified(&note);
    note_body(&again, &note);
    if (again.length > size || memcmp(again.data, data, again.length) != 0)
        fuzz_fail("a note as it would be written");
    bytes_clear(&again);
}

static void packed(struct bytes *out, const uint8_t *data, size_t size)
{
    const size_t room = LZ4F_compressFrameBound(size, NULL);
    uint8_t *to = bytes_reserve(out, room);
    if (to == NULL)
        fuzz_fail("memory");
    const size_t used = LZ4F_compressFrame(to, room, data, size, NULL);
    if (LZ4F_isError(used))
        fuzz_fail("a packed file");
    out->length = used;
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
    case 'p':
        packed(&text, data, size);
        break;
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
    folder_of();
    bytes_clear(&text);
    return 0;
}
