/* maille audit verify: is a log whole, and as it was signed? */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_health.h"
#include "cli/audit_private.h"

static const char *const unsound[] = {[LANGUAGE_EN] = "NOT SOUND", [LANGUAGE_FR] = "NON INTACT"};
static const char *const colon[] = {[LANGUAGE_EN] = ":", [LANGUAGE_FR] = " :"};

/* The line of a demonstration. */
static void say_brief(const struct audit_health *health)
{
    const struct audit_report *report = &health->report;
    printf("  %-12s sound, %4llu entries, all sealed up to %llu", report->party,
           (unsigned long long)report->head.size, (unsigned long long)(report->head.size - report->open));
    if (report->witnessed > 0)
        printf("; as others saw it %zu time%s", report->witnessed, report->witnessed == 1 ? "" : "s");
    if (health->receipts > 0)
        printf("; receipts for %zu of %zu vectors", health->receipts, health->sent);
    putchar('\n');
}

static void say_line(const char *party, const char *words)
{
    audit_cell(party, 17);
    puts(words);
}

/* One line, and below it what could not be checked. */
static void say(const struct audit_health *health, struct arena *arena, enum language language, bool brief)
{
    const char *doubts[AUDIT_DOUBTS_MAX];
    if (!health->read) {
        static const char *const words[] = {"not read", "non lu"};
        say_line(health->party,
                 arena_printf(arena, "%s%s %s", words[language], colon[language], health->sentence));
    } else if (!health->sound) {
        say_line(health->party,
                 arena_printf(arena, "%s (%s)%s %s", unsound[language],
                              audit_fault_word(health->report.fault, language), colon[language],
                              audit_fault_sentence(arena, health->sentence, language)));
        if (language == LANGUAGE_FR)
            say_line("", audit_fault_advice(health->report.fault, language));
    } else if (brief)
        say_brief(health);
    else {
        if (health->earlier > 0)
            say_line(health->party, audit_health_since(arena, health, language));
        say_line(health->party, audit_health_words(arena, health, language));
        const size_t n = audit_health_doubts(doubts, arena, health, language);
        for (size_t i = 0; i < n; i++)
            say_line("", arena_printf(arena, "%s %s", language == LANGUAGE_FR ? "mais" : "but", doubts[i]));
    }
}

static void put_time(struct json_put *put, const char *name, int64_t utc_ms)
{
    char when[32];
    clock_format(when, utc_ms);
    json_put_text(put, name, utc_ms > 0 ? when : NULL);
}

static void put_json(struct json_put *put, const struct audit_health *health, struct arena *arena,
                     enum language language)
{
    const struct audit_report *report = &health->report;
    const char *doubts[AUDIT_DOUBTS_MAX];
    static const char *const lights[] = {
        [LIGHT_RED] = "red", [LIGHT_AMBER] = "amber", [LIGHT_GREEN] = "green"};
    json_put_object(put, NULL);
    json_put_text(put, "party", health->party);
    json_put_text(put, "folder", health->folder);
    json_put_text(put, "light", lights[audit_health_light(health)]);
    json_put_boolean(put, "sound", health->sound);
    json_put_text(put, "fault", health->sound || !health->read ? NULL : audit_fault_name(report->fault));
    json_put_text(put, "sentence", health->sentence[0] != '\0' ? health->sentence : NULL);
    json_put_integer(put, "entries", (int64_t)report->head.size);
    json_put_integer(put, "seals", (int64_t)report->seals);
    put_time(put, "first", report->first_ms);
    put_time(put, "last", report->last_ms);
    json_put_integer(put, "pruned", (int64_t)report->pruned);
    json_put_integer(put, "gaps", (int64_t)report->gaps);
    json_put_integer(put, "gap_ms", report->gap_ms);
    json_put_integer(put, "not_sealed", (int64_t)report->open);
    json_put_boolean(put, "certified", report->certified);
    json_put_boolean(put, "compared", health->compared);
    json_put_integer(put, "heads_of_others", (int64_t)report->witnessed);
    json_put_integer(put, "vectors", (int64_t)health->sent);
    json_put_integer(put, "receipts", (int64_t)health->receipts);
    if (health->programs) {
        json_put_integer(put, "judgements", (int64_t)health->judged);
        json_put_integer(put, "judgements_by_unlisted_programs", (int64_t)health->unlisted);
    }
    json_put_list(put, "doubts");
    const size_t n = audit_health_doubts(doubts, arena, health, language);
    for (size_t i = 0; i < n; i++)
        json_put_text(put, NULL, doubts[i]);
    json_put_end(put);
    json_put_end(put);
}

static void say_json(const struct audit_health *list, size_t n, const struct audit_health *witness,
                     struct arena *arena, enum language language)
{
    struct bytes json = {0};
    struct json_put put = {.out = &json};
    json_put_list(&put, NULL);
    if (!witness->sound) /* nothing else was looked at */
        put_json(&put, witness, arena, language);
    for (size_t i = 0; i < n && witness->sound; i++)
        put_json(&put, &list[i], arena, language);
    json_put_end(&put);
    fwrite(json.data, 1, json.length, stdout);
    putchar('\n');
    bytes_clear(&json);
}

static bool verify(const struct audit_against *against, const char **logs, size_t n, struct arena *arena,
                   enum language language, bool brief, bool json)
{
    static const char *const useless[] = {"the witness is of no use:", "le témoin ne sert à rien :"};
    struct audit_health *list = arena_array(arena, n, sizeof *list), witness;
    const bool sound = audit_health_all(list, &witness, against, logs, n);
    if (json)
        say_json(list, n, &witness, arena, language);
    else if (!witness.sound) {
        puts(useless[language]);
        say(&witness, arena, language, brief);
    } else
        for (size_t i = 0; i < n; i++)
            say(&list[i], arena, language, brief);
    return sound;
}

int audit_verify_logs(int argc, char **argv)
{
    const char *lang = NULL, **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct audit_against against = {0};
    struct arena *arena = arena_new();
    enum language language = LANGUAGE_EN;
    bool done = false, sound = true, brief = false, json = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "witness",
         .kind = OPTION_STRING,
         .target = &against.witness,
         .argument = "LOG",
         .sentence = "the log of somebody who has kept heads of this one"},
        {.name = "programs",
         .kind = OPTION_STRING,
         .target = &against.programs,
         .argument = "LIST",
         .sentence =
             "the published list of programs (lines of maille-worker --version --hash): was every judgement "
             "made by one of them?"},
        {.name = "since",
         .kind = OPTION_STRING,
         .target = &against.since,
         .argument = "OLD",
         .sentence = "an earlier copy of the log, kept by whoever verifies: the log must go on from it"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &against.network,
         .argument = "FILE",
         .sentence = "network.yaml: the parties' keys to compare with"},
        {.name = "identity",
         .kind = OPTION_STRING,
         .target = &against.identity,
         .argument = "HEX",
         .sentence =
             "the party's public identity key itself, as of a log from before its keys were exchanged"},
        {.name = "taken",
         .kind = OPTION_STRING,
         .target = &against.taken,
         .argument = "TIME",
         .sentence = "when the folder was copied, UTC, as 2026-11-23T15:50 (default: now)"},
        {.name = "brief", .kind = OPTION_FLAG, .target = &brief, .sentence = "one short line a log"},
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .sentence = "as JSON"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille audit verify", "LOG…",
        "Checks every entry, seal and signature, and logs against each other; exit status 1 and the first\n"
        "thing that is wrong, where something is.",
        1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = audit_against_read(&against, arena, &error);
    if (code == MAILLE_OK && !done)
        sound = verify(&against, logs, n, arena, language, brief, json);
    arena_free(arena);
    free(logs);
    return code != MAILLE_OK ? options_program_fail("maille audit verify", &error) : sound ? 0 : 1;
}
