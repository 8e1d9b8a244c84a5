/* maille audit verify: is a log whole, and as it was signed? */
#include <stdlib.h>
#include <string.h>

#include "audit/verify.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_private.h"
#include "cli/audit_receipt.h"
#include "cli/audit_trust.h"
#include "cli/files.h"

struct verifying {
    struct arena *arena;
    const struct directory *directory; /* NULL: no roster */
    const uint8_t *identity;           /* --identity */
    int64_t taken_ms;
    bool brief;
    struct audit_heads heads; /* what the logs and the witnesses say of each other */
    struct receipts receipts;
    struct audit_witness_head since;           /* of --since; party "": none */
    const char *programs;                      /* text of --programs; NULL: not given */
    uint64_t judged, unlisted, first_unlisted; /* entries that name a program; the entry */
};

static const uint8_t *roster(void *context, const char *party)
{
    const struct verifying *verifying = context;
    enum key_role role;
    return directory_identity(verifying->directory, party, &role);
}

static uint32_t lost(void *context, const char *party)
{
    const struct verifying *verifying = context;
    return directory_lost(verifying->directory, party);
}

/* "maille 0.2.0 HASH": is the hash one of the list's? */
static void take_program(struct verifying *verifying, uint64_t sequence, const char *build)
{
    const char *hash = strrchr(build, ' ');
    const bool listed =
        hash != NULL && strlen(hash + 1) == 2 * HASH_BYTES && strstr(verifying->programs, hash + 1) != NULL;
    verifying->judged++;
    if (!listed && verifying->unlisted++ == 0)
        verifying->first_unlisted = sequence;
}

static void each_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct verifying *verifying = context;
    (void)utc_ms;
    receipts_take(&verifying->receipts, sequence, entry);
    if (verifying->programs != NULL && entry->build != NULL && entry->build[0] != '\0')
        take_program(verifying, sequence, entry->build);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* The line of a demonstration. */
static void say_brief(const struct verifying *verifying, const struct audit_report *report)
{
    printf("  %-12s sound, %4llu entries, all sealed up to %llu", report->party,
           (unsigned long long)report->head.size, (unsigned long long)(report->head.size - report->open));
    if (report->witnessed > 0)
        printf("; as others saw it %zu time%s", report->witnessed, plural(report->witnessed));
    if (receipts_signed(&verifying->receipts) > 0)
        printf("; receipts for %zu of %zu vectors", receipts_signed(&verifying->receipts),
               verifying->receipts.n);
    putchar('\n');
}

/* One line, and below it what could not be checked. */
static void say_sound(const struct verifying *verifying, const struct audit_report *report)
{
    char first[32], last[32];
    if (verifying->brief) {
        say_brief(verifying, report);
        return;
    }
    book_time(first, report->first_ms);
    book_time(last, report->last_ms);
    printf("%-16s sound: %llu entries (%llu seal%s among them), from %s to %s UTC", report->party,
           (unsigned long long)report->head.size, (unsigned long long)report->seals, plural(report->seals),
           first, last);
    if (report->pruned > 0)
        printf("; the first %llu were pruned, as the log says", (unsigned long long)report->pruned);
    if (report->gaps > 0)
        printf("; %llu gap%s, %.1f hours in all", (unsigned long long)report->gaps, plural(report->gaps),
               (double)report->gap_ms / 3600000);
    if (report->open > 0)
        printf("; %llu not sealed yet", (unsigned long long)report->open);
    if (report->witnessed > 0)
        printf("; agrees with %zu head%s kept by others, up to entry %llu of %llu", report->witnessed,
               plural(report->witnessed), (unsigned long long)report->seen.size,
               (unsigned long long)report->head.size);
    if (receipts_signed(&verifying->receipts) > 0)
        printf("; %zu of %zu vectors have their receipt", receipts_signed(&verifying->receipts),
               verifying->receipts.n);
    putchar('\n');
    if (!report->certified)
        printf("%-16s but nobody has signed its first key: whose log it is rests on the folder alone\n", "");
    else if (verifying->directory == NULL && verifying->identity == NULL)
        printf("%-16s but its first key was compared with no roster: --network FILE does that\n", "");
    if (report->before > 0)
        printf("%-16s but %zu head%s that others kept %s of the log before it was lost, which the network's "
               "authorities accepted: ask for that log as well, if there is a copy\n",
               "", report->before, plural(report->before), report->before == 1 ? "is" : "are");
    if (report->after > 0)
        printf("%-16s but %zu head%s that others kept %s of a log that began again after this one: this is "
               "the one of before\n",
               "", report->after, plural(report->after), report->after == 1 ? "is" : "are");
    if (verifying->receipts.former > 0)
        printf(
            "%-16s but %zu receipt%s the coordinator's keys of before they were exchanged: compare with the "
            "network.yaml of then\n",
            "", verifying->receipts.former, verifying->receipts.former == 1 ? " is by" : "s are by");
    if (verifying->programs != NULL && verifying->unlisted == 0)
        printf("%-16s all %llu judgements were made by listed programs\n", "",
               (unsigned long long)verifying->judged);
    if (verifying->unlisted > 0)
        printf("%-16s but %llu of %llu judgements were made by a program that is not listed, the first in "
               "entry %llu\n",
               "", (unsigned long long)verifying->unlisted, (unsigned long long)verifying->judged,
               (unsigned long long)verifying->first_unlisted);
    if (report->witnessed == 0)
        printf("%-16s but nobody else's log speaks of it: an end cut exactly at a seal cannot be seen "
               "(--witness LOG)\n",
               "");
}

/* identity: --identity, of the logs that were asked about; a witness is the roster's. */
static enum maille_code verify_one(struct verifying *verifying, const char *folder, const uint8_t *identity,
                                   struct audit_report *report, struct audit_heads *collect,
                                   const struct audit_heads *seen, struct maille_error *error)
{
    struct audit_check check = {.identity = identity,
                                .seen = seen,
                                .taken_ms = verifying->taken_ms,
                                .each = each_entry,
                                .context = verifying};
    if (verifying->directory != NULL && identity == NULL)
        check.roster = roster;
    if (verifying->directory != NULL)
        check.lost = lost;
    verifying->judged = verifying->unlisted = 0;
    verifying->receipts = (struct receipts){.arena = verifying->arena, .directory = verifying->directory};
    enum maille_code code = audit_verify(report, collect, folder, &check, error);
    if (code == MAILLE_OK && verifying->receipts.code != MAILLE_OK) {
        code = MAILLE_CORRUPT;
        report->fault = AUDIT_ALTERED;
        if (error != NULL)
            *error = verifying->receipts.error;
    }
    return code;
}

/* What a log keeps of others counts as far as it is sound itself. */
static enum maille_code collect_heads(struct verifying *verifying, const char *folder,
                                      const uint8_t *identity, struct audit_report *report,
                                      struct maille_error *error)
{
    size_t before = verifying->heads.n;
    enum maille_code code = verify_one(verifying, folder, identity, report, &verifying->heads, NULL, error);
    if (code != MAILLE_OK)
        verifying->heads.n = before;
    return code;
}

static void say_wrong(const char *folder, const struct audit_report *report, const struct maille_error *error)
{
    const char *party = report->party[0] != '\0' ? report->party : folder;
    if (report->fault == AUDIT_SOUND)
        printf("%-16s not read: %s\n", party, error->sentence);
    else
        printf("%-16s NOT SOUND (%s): %s\n", party, audit_fault_name(report->fault), error->sentence);
}

static enum maille_code read_programs(struct verifying *verifying, const char *path,
                                      struct maille_error *error)
{
    enum { LIST_BYTES_MAX = 1 << 20 };
    struct bytes text = {0};
    const enum maille_code code = file_read(&text, path, LIST_BYTES_MAX, error);
    if (code == MAILLE_OK)
        verifying->programs =
            arena_strndup(verifying->arena, text.length > 0 ? (const char *)text.data : "", text.length);
    bytes_clear(&text);
    return code;
}

/* Her own earlier copy: what it ended with must be the beginning of every log of its party. */
static enum maille_code read_since(struct verifying *verifying, const char *folder,
                                   struct maille_error *error)
{
    struct audit_report report;
    const struct audit_check check = {.taken_ms = 1};
    const enum maille_code code = audit_verify(&report, NULL, folder, &check, error);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "the earlier copy %s is of no use", folder);
        return code;
    }
    verifying->since = (struct audit_witness_head){.sequence = report.head.size, .head = report.head};
    directory_log_name(verifying->since.party, report.party, report.lost);
    snprintf(verifying->since.witness, sizeof verifying->since.witness, "your earlier copy");
    return MAILLE_OK;
}

static enum maille_code prepare(struct verifying *verifying, const char *network, const char *identity,
                                const char *taken, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t *key;
    if (network != NULL)
        MAILLE_TRY(cli_read_network(&verifying->directory, verifying->arena, network, error));
    if (identity != NULL) {
        key = arena_alloc(verifying->arena, PUBLIC_BYTES);
        if (!bytes_from_hex(key, PUBLIC_BYTES, identity)) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected --identity with 64 hexadecimal digits, found \"%s\"", identity);
            goto out;
        }
        verifying->identity = key;
    }
    if (taken != NULL && !audit_taken_parse(&verifying->taken_ms, taken))
        code = maille_fail(error, MAILLE_INVALID, "expected --taken as 2026-11-23T15:50 (UTC), found \"%s\"",
                           taken);
out:
    return code;
}

static enum maille_code check_since(struct verifying *verifying, const char *folder,
                                    struct audit_report *report, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct audit_heads seen = {.list = &verifying->since, .n = 1, .room = 1};
    if (verifying->since.party[0] == '\0')
        return MAILLE_OK;
    MAILLE_TRY(verify_one(verifying, folder, verifying->identity, report, NULL, &seen, error));
    if (report->witnessed == 0) {
        report->fault = AUDIT_SPLIT_VIEW;
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected the log of %s, whose earlier copy was given with --since, found another, or one whose "
            "first %llu entries were pruned",
            verifying->since.party, (unsigned long long)verifying->since.head.size);
    } else if (!verifying->brief)
        printf("%-16s goes on from your earlier copy, which ended at entry %llu; %llu entries since\n",
               report->party, (unsigned long long)verifying->since.head.size,
               (unsigned long long)(report->head.size - verifying->since.head.size));
out:
    return code;
}

/* All logs; false: one is wrong. */
static bool verify_all(struct verifying *verifying, const char **logs, size_t n, const char *witness)
{
    bool sound = true;
    struct audit_report report;
    struct maille_error error = {0};
    if (witness != NULL) {
        enum maille_code code = collect_heads(verifying, witness, NULL, &report, &error);
        if (code != MAILLE_OK) {
            printf("the witness is of no use:\n");
            say_wrong(witness, &report, &error);
            return false;
        }
    }
    /* Heads first, then the logs they speak of: a log that grows meanwhile is never shorter than what was
     * seen of it. */
    for (size_t i = 0; n > 1 && i < n; i++)
        (void)!collect_heads(verifying, logs[i], verifying->identity, &report, &error);
    for (size_t i = 0; i < n; i++) {
        error = (struct maille_error){0};
        enum maille_code code = check_since(verifying, logs[i], &report, &error);
        if (code == MAILLE_OK)
            code =
                verify_one(verifying, logs[i], verifying->identity, &report, NULL, &verifying->heads, &error);
        if (code == MAILLE_OK)
            say_sound(verifying, &report);
        else {
            say_wrong(logs[i], &report, &error);
            sound = false;
        }
    }
    return sound;
}

int audit_verify_logs(int argc, char **argv)
{
    const char *network = NULL, *identity = NULL, *witness = NULL, *taken = NULL, *since = NULL,
               *programs = NULL, **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct verifying verifying = {.arena = arena_new()};
    bool done = false, sound = true;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "witness",
         .kind = OPTION_STRING,
         .target = &witness,
         .argument = "LOG",
         .sentence = "the log of somebody who has kept heads of this one"},
        {.name = "programs",
         .kind = OPTION_STRING,
         .target = &programs,
         .argument = "LIST",
         .sentence =
             "the published list of programs (lines of maille-worker --version --hash): was every judgement "
             "made by one of them?"},
        {.name = "since",
         .kind = OPTION_STRING,
         .target = &since,
         .argument = "OLD",
         .sentence = "an earlier copy of the log, kept by whoever verifies: the log must go on from it"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &network,
         .argument = "FILE",
         .sentence = "network.yaml: the parties' keys to compare with"},
        {.name = "identity",
         .kind = OPTION_STRING,
         .target = &identity,
         .argument = "HEX",
         .sentence =
             "the party's public identity key itself, as of a log from before its keys were exchanged"},
        {.name = "taken",
         .kind = OPTION_STRING,
         .target = &taken,
         .argument = "TIME",
         .sentence = "when the folder was copied, UTC, as 2026-11-23T15:50 (default: now)"},
        {.name = "brief",
         .kind = OPTION_FLAG,
         .target = &verifying.brief,
         .sentence = "one short line a log"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille audit verify", "LOG…",
        "Checks every entry, seal and signature, and logs against each other; exit status 1 and the first\n"
        "thing that is wrong, where something is.",
        1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || verifying.arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = prepare(&verifying, network, identity, taken, &error);
    if (code == MAILLE_OK && !done && programs != NULL)
        code = read_programs(&verifying, programs, &error);
    if (code == MAILLE_OK && !done && since != NULL)
        code = read_since(&verifying, since, &error);
    if (code == MAILLE_OK && !done)
        sound = verify_all(&verifying, logs, n, witness);
    audit_heads_clear(&verifying.heads);
    arena_free(verifying.arena);
    free(logs);
    return code != MAILLE_OK ? options_program_fail("maille audit verify", &error) : sound ? 0 : 1;
}
