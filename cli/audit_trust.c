#include "cli/audit_trust.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "cli/audit_book.h"
#include "cli/audit_health.h"
#include "cli/audit_receipt.h"
#include "cli/files.h"

/* What is asked while a log is read. */
struct reading {
    const struct directory *directory;
    struct receipts receipts;
};

static const uint8_t *identity(void *context, const char *party)
{
    enum key_role role;
    return directory_identity(((const struct reading *)context)->directory, party, &role);
}

static uint32_t lost(void *context, const char *party)
{
    return directory_lost(((const struct reading *)context)->directory, party);
}

static void each_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)utc_ms;
    receipts_take(&((struct reading *)context)->receipts, sequence, entry);
}

bool audit_taken_parse(int64_t *taken_ms, const char *text)
{
    int32_t days;
    int64_t hour = 0, minute = 0;
    size_t length = strlen(text);
    if (length < 10 || !number_parse_date(text, 10, &days) ||
        (length > 10 && (length != 16 || !number_parse_i64(text + 11, 2, &hour) || text[13] != ':' ||
                         !number_parse_i64(text + 14, 2, &minute))))
        return false;
    *taken_ms = ((days * INT64_C(24) + hour) * 60 + minute) * 60000;
    return *taken_ms > 0;
}

void audit_trust_rows(struct option_row *rows, struct audit_trust *trust)
{
    const struct option_row made[AUDIT_TRUST_ROWS] = {
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &trust->network,
         .argument = "FILE",
         .sentence = "network.yaml: whose key signs a log; needed to say what it is worth"},
        {.name = "taken",
         .kind = OPTION_STRING,
         .target = &trust->taken,
         .argument = "TIME",
         .sentence = "when the folder was copied, UTC, as 2026-11-23T15:50 (default: now)"},
        {.name = "anyway",
         .kind = OPTION_FLAG,
         .target = &trust->anyway,
         .sentence = "also of a log that is not sound, or that was compared with no network"},
    };
    memcpy(rows, made, sizeof made);
}

enum maille_code audit_trust_read(struct audit_trust *trust, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (trust->network == NULL && !trust->anyway) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected --network FILE, which says whose key signs a log, found none; without it nobody "
            "can say what a log is worth (--anyway shows it all the same)");
        goto out;
    }
    if (trust->taken != NULL && !audit_taken_parse(&trust->taken_ms, trust->taken)) {
        code = maille_fail(error, MAILLE_INVALID, "expected --taken as 2026-11-23T15:50 (UTC), found \"%s\"",
                           trust->taken);
        goto out;
    }
    if (trust->network != NULL)
        MAILLE_TRY(cli_read_network(&trust->directory, arena, trust->network, error));
out:
    return code;
}

enum maille_code audit_trust_log(struct audit_worth *worth, const struct audit_trust *trust,
                                 struct arena *arena, const char *folder, struct maille_error *error)
{
    struct audit_report report;
    struct maille_error found = {0};
    struct reading reading = {.directory = trust->directory,
                              .receipts = {.arena = arena, .directory = trust->directory}};
    struct audit_check check = {.taken_ms = trust->taken_ms, .each = each_entry, .context = &reading};
    char last[32];
    if (trust->directory != NULL) {
        check.roster = identity;
        check.lost = lost;
    }
    enum maille_code code = audit_verify(&report, NULL, folder, &check, &found);
    if (code == MAILLE_OK && reading.receipts.code != MAILLE_OK) {
        code = MAILLE_CORRUPT;
        report.fault = AUDIT_ALTERED;
        found = reading.receipts.error;
    }
    const bool unsound = report.fault != AUDIT_SOUND && (code == MAILLE_CORRUPT || code == MAILLE_SIGNATURE);
    if (code != MAILLE_OK && !unsound) { /* it could not be read */
        if (error != NULL)
            *error = found;
        return code;
    }
    book_time(last, report.last_ms);
    *worth =
        (struct audit_worth){.verified = trust->directory != NULL,
                             .sound = code == MAILLE_OK,
                             .party = arena_strdup(arena, report.party[0] != '\0' ? report.party : folder),
                             .kind = report.fault,
                             .fault = unsound ? audit_fault_name(report.fault) : "",
                             .sentence = unsound ? arena_strdup(arena, found.sentence) : ""};
    if (!unsound && trust->directory != NULL)
        worth->sentence = arena_printf(arena, "%llu entries up to %s UTC, signed as the network %s says",
                                       (unsigned long long)report.head.size, last, trust->directory->network);
    else if (!unsound)
        worth->sentence =
            arena_printf(arena, "%llu entries up to %s UTC; whose they are was compared with no network%s",
                         (unsigned long long)report.head.size, last,
                         report.certified ? "" : ", and nobody has signed them");
    if (!unsound || trust->anyway)
        return MAILLE_OK;
    return maille_fail(error, MAILLE_FAILED,
                       "nothing is told of a log that is not sound (%s): %s; --anyway does", worth->fault,
                       found.sentence);
}

void audit_trust_say(const struct audit_worth *worth, enum language language)
{
    static const char *const
        verdicts[][2] = {[LANGUAGE_EN] = {"NOT SOUND", "SOUND"}, [LANGUAGE_FR] = {"NON INTACT", "INTACT"}},
        *const unknown[] = {[LANGUAGE_EN] = "NOT VERIFIED", [LANGUAGE_FR] = "NON VÉRIFIÉ"};
    const char *verdict =
        worth->sound && !worth->verified ? unknown[language] : verdicts[language][worth->sound];
    static const char *const colon[] = {[LANGUAGE_EN] = ":", [LANGUAGE_FR] = " :"};
    struct arena *arena = arena_new();
    const bool fault = worth->fault[0] != '\0';
    printf("%s%s%s%s  %s%s %s\n", verdict, fault ? " (" : "",
           fault ? audit_fault_word(worth->kind, language) : "", fault ? ")" : "", worth->party,
           colon[language],
           arena != NULL ? audit_fault_sentence(arena, worth->sentence, language) : worth->sentence);
    arena_free(arena);
}
