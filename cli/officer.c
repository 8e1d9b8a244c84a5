/* maille officer: what a site asks its data protection officer, read and decided on her own machine. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/language.h"
#include "base/number.h"
#include "base/options.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "proto/card.h"
#include "proto/decision.h"
#include "report/pending.h"

static enum maille_code show(struct bytes *out, const char *text, enum language language, bool json,
                             struct arena *arena, struct maille_error *error)
{
    if (json)
        report_pending_json(&(struct json_put){.out = out}, text, arena);
    else
        report_pending_text(out, text, language, arena);
    const enum maille_code code = bytes_check(out, error);
    if (code == MAILLE_OK)
        printf("%.*s%s", (int)out->length, (const char *)out->data, json ? "\n" : "");
    return code;
}

static int review(int argc, char **argv)
{
    struct maille_error error = {0};
    struct bytes text = {0};
    const char *path = NULL;
    bool done = false;
    size_t n = 0;
    const char *lang = NULL;
    bool json = false;
    enum language language = LANGUAGE_EN;
    struct bytes shown = {0};
    struct arena *arena = arena_new();
    const struct option_row rows[] = {
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .sentence = "as JSON"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG); what is signed is the file"},
        {.name = NULL}};
    const struct option_usage usage = {
        "maille officer review", "FILE",
        "Shows what a site asks: who, for which purpose, what is tallied of whom, and the study as it was "
        "signed.\n"
        "FILE is what `maille-worker pending ID --out FILE` wrote there. It has no number that was counted.",
        1, 1};
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = file_read_regular(&text, path, PENDING_BYTES_MAX, &error);
    if (code == MAILLE_OK && !done)
        code = show(&shown, arena_strndup(arena, text.length > 0 ? (const char *)text.data : "", text.length),
                    language, json, arena, &error);
    bytes_clear(&text);
    bytes_clear(&shown);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille officer", &error);
}

struct sign_command {
    const char *key, *credential, *reason, *out;
    enum decision_kind kind;
};

/* The question in a file, or, of a stop, the id itself. */
static enum maille_code about(struct decision *decision, const char *asked, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct arena *arena = arena_new();
    const char *qid = asked;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    const bool is_id = strlen(asked) == 2 * QID_BYTES && strspn(asked, "0123456789abcdef") == 2 * QID_BYTES;
    if (decision->kind != DECISION_STOP || (!is_id && file_exists(asked))) { /* an id is no file's name */
        MAILLE_TRY(file_read_regular(&text, asked, PENDING_BYTES_MAX, error));
        qid = decision_pending_line(arena, &text, "query");
        if (decision->kind != DECISION_STOP)
            decision_pending_hash(&decision->pending, text.data, text.length);
    }
    if (strlen(qid) != 2 * QID_BYTES || !bytes_from_hex(decision->qid, QID_BYTES, qid))
        code =
            decision->kind == DECISION_STOP
                ? maille_fail(error, MAILLE_INVALID,
                              "expected the whole id of a study (64 hexadecimal digits), found \"%s\"", asked)
                : maille_fail(
                      error, MAILLE_INVALID,
                      "expected what `maille-worker pending ID --out FILE` wrote in %s, found no query",
                      asked);
out:
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

static enum maille_code sign(const struct sign_command *command, const char *asked,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct decision decision = {.kind = command->kind, .reason = command->reason};
    struct secret_keys *keys = NULL;
    struct bytes text = {0};
    char at[32];
    MAILLE_TRY(about(&decision, asked, error));
    MAILLE_TRY(cli_read_keys(&keys, KEY_DPO, command->key, command->credential, error));
    clock_format(at, clock_utc_ms());
    decision.at = at;
    MAILLE_TRY(decision_write(&text, &decision, keys, error));
    MAILLE_TRY(file_write_atomic(command->out, text.data, text.length, 0600, error));
    printf("%s: %s, signed by %s; bring it to the site: maille-worker decide %s --dir DIR\n", command->out,
           decision_word(command->kind), secret_keys_name(keys), command->out);
out:
    secret_keys_free(keys);
    bytes_clear(&text);
    return code;
}

static int sign_main(int argc, char **argv, enum decision_kind kind)
{
    struct maille_error error = {0};
    struct sign_command command = {.kind = kind, .reason = ""};
    const char *asked = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &command.key,
         .argument = "dpo.key",
         .sentence = "your key",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &command.credential,
         .argument = "FILE",
         .sentence = "opens the key without a passphrase"},
        {.name = "reason",
         .kind = OPTION_STRING,
         .target = &command.reason,
         .argument = "TEXT",
         .sentence = "one line, for the site's message log and the register"},
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &command.out,
         .argument = "FILE",
         .sentence = "the signed decision",
         .required = true},
        {.name = NULL},
    };
    static const char *const programs[] = {[DECISION_DENY] = "maille officer deny",
                                           [DECISION_APPROVE] = "maille officer approve",
                                           [DECISION_STOP] = "maille officer stop"};
    static const char *const sentences[] = {
        [DECISION_DENY] = "Signs that the study in FILE may not run at the site that asked.",
        [DECISION_APPROVE] = "Signs that the study in FILE may run at the site that asked, as FILE says it.",
        [DECISION_STOP] =
            "Signs that a study ends at the site, whether or not it was approved; nothing more leaves."};
    const struct option_usage usage = {programs[kind], kind == DECISION_STOP ? "ID|FILE" : "FILE",
                                       sentences[kind], 1, 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &asked, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = sign(&command, asked, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille officer", &error);
}

static int approve(int argc, char **argv)
{
    return sign_main(argc, argv, DECISION_APPROVE);
}

static int deny(int argc, char **argv)
{
    return sign_main(argc, argv, DECISION_DENY);
}

static int stop(int argc, char **argv)
{
    return sign_main(argc, argv, DECISION_STOP);
}

/* --- who else decides --- */

struct appoint_command {
    const char *key, *credential, *site, *role, *from, *out;
};

static enum maille_code appoint_write(const struct appoint_command *command, const char *path,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct card card;
    struct secret_keys *keys = NULL;
    struct bytes text = {0};
    char at[32], from[16];
    struct appointment appointment = {.site = command->site, .at = at};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    clock_format(at, clock_utc_ms());
    const char *day = command->from != NULL ? command->from : arena_strndup(arena, at, 10);
    if (!appointment_role_parse(&appointment.role, command->role))
        code = maille_fail(error, MAILLE_INVALID, "expected --role successor or second, found %s",
                           command->role);
    else if (!identity_name_valid(command->site))
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected --site NAME, as the network's directory has it, found %s", command->site);
    else if (!number_parse_date(day, strlen(day), &appointment.from))
        code = maille_fail(error, MAILLE_INVALID, "expected --from as 2026-12-31, found %s", day);
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(card_read(&card, arena, path, error));
    if (card.role != KEY_DPO) {
        code = maille_fail(error, MAILLE_INVALID, "expected the card of a dpo in %s, found a %s's", path,
                           key_role_name(card.role));
        goto out;
    }
    appointment.officer = card.name;
    memcpy(appointment.identity, card.keys.identity, PUBLIC_BYTES);
    memcpy(appointment.box, card.keys.box, PUBLIC_BYTES);
    MAILLE_TRY(cli_read_keys(&keys, KEY_DPO, command->key, command->credential, error));
    MAILLE_TRY(appointment_write(&text, &appointment, keys, error));
    MAILLE_TRY(file_write_atomic(command->out, text.data, text.length, 0600, error));
    number_format_date(from, appointment.from);
    printf("%s: %s is the %s of %s at %s from %s; bring it to the site: maille-worker decide %s --dir DIR\n",
           command->out, card.name, appointment_role_word(appointment.role), secret_keys_name(keys),
           command->site, from, command->out);
out:
    secret_keys_free(keys);
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

static int appoint(int argc, char **argv)
{
    struct maille_error error = {0};
    struct appoint_command command = {0};
    const char *card = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &command.key,
         .argument = "dpo.key",
         .sentence = "your key",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &command.credential,
         .argument = "FILE",
         .sentence = "opens the key without a passphrase"},
        {.name = "site",
         .kind = OPTION_STRING,
         .target = &command.site,
         .argument = "NAME",
         .sentence = "where she decides",
         .required = true},
        {.name = "role",
         .kind = OPTION_STRING,
         .target = &command.role,
         .argument = "successor|second",
         .sentence = "instead of you from that day on, or beside you",
         .required = true},
        {.name = "from",
         .kind = OPTION_STRING,
         .target = &command.from,
         .argument = "DATE",
         .sentence = "the first day, UTC (default: today)"},
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &command.out,
         .argument = "FILE",
         .sentence = "the signed appointment",
         .required = true},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille officer appoint", "CARD.pub",
        "Signs who else decides at a site: your successor from a day on, to whom numbers are sealed then, or "
        "a\n"
        "second person, whose signature an approval needs beside yours where worker.yaml says "
        "officer_signatures:\n"
        "2. CARD.pub is what `maille keygen --role dpo` wrote beside her key. What you decided before stays.",
        1, 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &card, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = appoint_write(&command, card, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille officer", &error);
}

int cli_officer(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"review", review, "what a site asks, out of the file that it wrote"},
        {"approve", approve, "sign that the study may run"},
        {"deny", deny, "sign that it may not"},
        {"stop", stop, "sign that a study ends now, whatever was decided before"},
        {"appoint", appoint, "sign who decides after you, or beside you"},
        {NULL, NULL, NULL}};
    return options_subcommands_run(
        "maille officer",
        "Decides on a site's studies away from it; the decision is a signed file that is "
        "brought back.",
        table, argc, argv);
}
