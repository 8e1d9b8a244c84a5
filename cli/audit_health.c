#include "cli/audit_health.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/audit_book.h"
#include "cli/audit_trust.h"
#include "cli/files.h"

/* What is asked while one log is read. */
struct reading {
    const struct audit_against *against;
    struct receipts receipts;
    struct audit_health *health;
};

static const uint8_t *roster(void *context, const char *party)
{
    enum key_role role;
    return directory_identity(((const struct reading *)context)->against->directory, party, &role);
}

static uint32_t lost(void *context, const char *party)
{
    return directory_lost(((const struct reading *)context)->against->directory, party);
}

/* The next line of a list that is neither empty nor a comment, and where its hash begins (NULL: it is not
 * "PROGRAM VERSION HASH"). False: there is none. */
static bool next_program(const char **at, const char **hash, size_t *length, size_t *line)
{
    static const char digits[] = "0123456789abcdef";
    while (**at != '\0') {
        const char *begin = *at, *word = begin;
        const size_t whole = strcspn(begin, "\r\n");
        *at = begin + whole + strspn(begin + whole, "\r");
        *at += **at == '\n';
        ++*line;
        if (whole == 0 || begin[0] == '#')
            continue;
        *length = whole;
        for (int i = 0; i < 2; i++) {
            const size_t name = strcspn(word, " \r\n");
            word += name;
            word += name > 0 && *word == ' ';
        }
        *hash =
            word + 2 * HASH_BYTES == begin + whole && strspn(word, digits) == 2 * HASH_BYTES ? word : NULL;
        return true;
    }
    return false;
}

bool audit_program_listed(const char *list, const char *build)
{
    const char *wanted = strrchr(build, ' '), *hash;
    size_t length, line = 0;
    if (wanted == NULL || strlen(wanted + 1) != 2 * HASH_BYTES)
        return false;
    while (next_program(&list, &hash, &length, &line))
        if (hash != NULL && strncmp(hash, wanted + 1, 2 * HASH_BYTES) == 0)
            return true;
    return false;
}

/* Each line is of the published form. */
static enum maille_code check_programs(const char *path, const char *list, struct maille_error *error)
{
    const char *hash;
    size_t length, line = 0, n = 0;
    while (next_program(&list, &hash, &length, &line)) {
        n++;
        if (hash == NULL)
            return maille_fail(error, MAILLE_INVALID,
                               "%s:%zu: expected a line \"maille-worker VERSION HASH\", as `maille-worker "
                               "--version --hash` writes it, found another",
                               path, line);
    }
    return n > 0 ? MAILLE_OK
                 : maille_fail(error, MAILLE_INVALID, "expected a list of programs in %s, found none", path);
}

static void take_program(struct audit_health *health, const char *list, uint64_t sequence, const char *build)
{
    health->judged++;
    if (!audit_program_listed(list, build) && health->unlisted++ == 0)
        health->first_unlisted = sequence;
}

static void each_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct reading *reading = context;
    (void)utc_ms;
    receipts_take(&reading->receipts, sequence, entry);
    if (reading->against->list != NULL && entry->build != NULL && entry->build[0] != '\0')
        take_program(reading->health, reading->against->list, sequence, entry->build);
}

/* identity: --identity, of the logs that were asked about; a witness is the roster's. */
static enum maille_code verify_one(struct audit_health *health, const struct audit_against *against,
                                   const char *folder, const uint8_t *identity, struct audit_heads *collect,
                                   const struct audit_heads *seen, struct maille_error *error)
{
    *health = (struct audit_health){.folder = folder,
                                    .sentence = "",
                                    .compared = against->directory != NULL || identity != NULL,
                                    .programs = against->list != NULL};
    struct reading reading = {.against = against,
                              .receipts = {.arena = against->arena, .directory = against->directory},
                              .health = health};
    struct audit_check check = {.identity = identity,
                                .seen = seen,
                                .taken_ms = against->taken_ms,
                                .each = each_entry,
                                .context = &reading};
    if (against->directory != NULL && identity == NULL)
        check.roster = roster;
    if (against->directory != NULL)
        check.lost = lost;
    enum maille_code code = audit_verify(&health->report, collect, folder, &check, error);
    if (code == MAILLE_OK && reading.receipts.code != MAILLE_OK) {
        code = MAILLE_CORRUPT;
        health->report.fault = AUDIT_ALTERED;
        if (error != NULL)
            *error = reading.receipts.error;
    }
    health->receipts = receipts_signed(&reading.receipts);
    health->sent = reading.receipts.n;
    health->former = reading.receipts.former;
    return code;
}

static void take_verdict(struct audit_health *health, const struct audit_against *against,
                         enum maille_code code, const struct maille_error *error)
{
    health->party =
        health->report.party[0] != '\0' ? arena_strdup(against->arena, health->report.party) : health->folder;
    health->sound = code == MAILLE_OK;
    health->read = health->sound || health->report.fault != AUDIT_SOUND;
    health->sentence = health->sound ? "" : arena_strdup(against->arena, error->sentence);
}

/* What a log keeps of others counts as far as it is sound itself. */
static enum maille_code collect_heads(struct audit_heads *heads, struct audit_health *health,
                                      const struct audit_against *against, const char *folder,
                                      const uint8_t *identity, struct maille_error *error)
{
    const size_t before = heads->n;
    enum maille_code code = verify_one(health, against, folder, identity, heads, NULL, error);
    if (code != MAILLE_OK)
        heads->n = before;
    return code;
}

/* Her own earlier copy: what it ended with must be the beginning of the log. */
static enum maille_code check_since(struct audit_health *health, const struct audit_against *against,
                                    const char *folder, struct maille_error *error)
{
    enum maille_code code;
    struct audit_witness_head earlier = against->earlier;
    const struct audit_heads seen = {.list = &earlier, .n = 1, .room = 1};
    if (earlier.party[0] == '\0')
        return MAILLE_OK;
    code = verify_one(health, against, folder, against->key, NULL, &seen, error);
    if (code == MAILLE_CORRUPT && health->report.fault == AUDIT_CUT && error != NULL) {
        const size_t used = strlen(error->sentence);
        snprintf(error->sentence + used, sizeof error->sentence - used,
                 "; or the log and the earlier copy were exchanged");
    }
    if (code == MAILLE_OK && health->report.witnessed == 0) {
        health->report.fault = AUDIT_SPLIT_VIEW;
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected the log of %s, whose earlier copy was given with --since, found "
                           "another, or one whose first %llu entries were pruned",
                           earlier.party, (unsigned long long)earlier.head.size);
    }
    return code;
}

bool audit_health_all(struct audit_health *list, struct audit_health *witness,
                      const struct audit_against *against, const char **logs, size_t n)
{
    bool sound = true;
    struct audit_heads heads = {0};
    struct maille_error error = {0};
    *witness = (struct audit_health){.sentence = "", .sound = true};
    if (against->witness != NULL) {
        enum maille_code code = collect_heads(&heads, witness, against, against->witness, NULL, &error);
        take_verdict(witness, against, code, &error);
        if (code != MAILLE_OK) {
            audit_heads_clear(&heads);
            return false;
        }
    }
    /* Heads first, then the logs they speak of: a log that grows meanwhile is never shorter than what was
     * seen of it. */
    for (size_t i = 0; n > 1 && i < n; i++)
        (void)!collect_heads(&heads, &list[i], against, logs[i], against->key, &error);
    for (size_t i = 0; i < n; i++) {
        error = (struct maille_error){0};
        enum maille_code code = check_since(&list[i], against, logs[i], &error);
        if (code == MAILLE_OK)
            code = verify_one(&list[i], against, logs[i], against->key, NULL, &heads, &error);
        take_verdict(&list[i], against, code, &error);
        list[i].earlier = against->earlier.party[0] != '\0' ? against->earlier.head.size : 0;
        sound = sound && code == MAILLE_OK;
    }
    audit_heads_clear(&heads);
    return sound;
}

/* --- what logs are held against --- */

static enum maille_code read_programs(struct audit_against *against, struct maille_error *error)
{
    enum { LIST_BYTES_MAX = 1 << 20 };
    struct bytes text = {0};
    enum maille_code code = file_read(&text, against->programs, LIST_BYTES_MAX, error);
    if (code == MAILLE_OK) {
        against->list =
            arena_strndup(against->arena, text.length > 0 ? (const char *)text.data : "", text.length);
        code = check_programs(against->programs, against->list, error);
    }
    bytes_clear(&text);
    return code;
}

static enum maille_code read_since(struct audit_against *against, struct maille_error *error)
{
    struct audit_report report;
    const struct audit_check check = {.taken_ms = 1};
    const enum maille_code code = audit_verify(&report, NULL, against->since, &check, error);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "the earlier copy %s is of no use", against->since);
        return code;
    }
    against->earlier = (struct audit_witness_head){.sequence = report.head.size, .head = report.head};
    directory_log_name(against->earlier.party, report.party, report.lost);
    snprintf(against->earlier.witness, sizeof against->earlier.witness, "your earlier copy");
    return MAILLE_OK;
}

enum maille_code audit_against_read(struct audit_against *against, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t *key;
    against->arena = arena;
    if (against->network != NULL)
        MAILLE_TRY(cli_read_network(&against->directory, arena, against->network, error));
    if (against->identity != NULL) {
        key = arena_alloc(arena, PUBLIC_BYTES);
        if (!bytes_from_hex(key, PUBLIC_BYTES, against->identity)) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected --identity with 64 hexadecimal digits, found \"%s\"",
                               against->identity);
            goto out;
        }
        against->key = key;
    }
    if (against->taken != NULL && !audit_taken_parse(&against->taken_ms, against->taken)) {
        code = maille_fail(error, MAILLE_INVALID, "expected --taken as 2026-11-23T15:50 (UTC), found \"%s\"",
                           against->taken);
        goto out;
    }
    if (against->programs != NULL)
        MAILLE_TRY(read_programs(against, error));
    if (against->since != NULL)
        MAILLE_TRY(read_since(against, error));
out:
    return code;
}
