/* maille-worker pending, approve, deny: the queue of studies that wait for a person (docs/DISCLOSURE.md §2).
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/language.h"
#include "base/options.h"
#include "report/pending.h"
#include "crypto/passphrase.h"
#include "worker/commands.h"
#include "vault/spool.h"

struct decide_command {
    const char *dir, *key, *credential, *reason;
    enum decision_kind kind;
};

/* The one waiting query whose id begins so. */
static enum maille_code find_waiting(uint8_t qid[QID_BYTES], struct arena *arena, const char *dir,
                                     const char *id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    size_t n = 0, found = 0;
    MAILLE_TRY(spool_list(&qids, &n, arena, dir, error));
    for (size_t i = 0; i < n; i++) {
        char hex[2 * QID_BYTES + 1];
        bytes_to_hex(hex, qids[i], QID_BYTES);
        if (strncmp(hex, id, strlen(id)) == 0) {
            memcpy(qid, qids[i], QID_BYTES);
            found++;
        }
    }
    if (found == 0 || id[0] == '\0')
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a study that waits and whose id begins with %s, found none in %s/spool",
                           id, dir);
    else if (found > 1)
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected one study whose id begins with %s, found %zu; write more of it", id, found);
out:
    return code;
}

/* How something is shown: in a language, or for programs. */
struct showing {
    enum language language;
    bool json;
};

static const char *text_of(struct arena *arena, const struct bytes *pending)
{
    return arena_strndup(arena, pending->length > 0 ? (const char *)pending->data : "", pending->length);
}

static enum maille_code print_json(struct arena *arena, const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    size_t n = 0;
    struct bytes json = {0}, pending = {0};
    struct json_put put = {.out = &json};
    MAILLE_TRY(spool_list(&qids, &n, arena, dir, error));
    json_put_list(&put, NULL);
    for (size_t i = 0; i < n; i++) {
        pending.length = 0;
        MAILLE_TRY(spool_pending(&pending, dir, qids[i], error));
        report_pending_json(&put, text_of(arena, &pending), arena);
    }
    json_put_end(&put);
    MAILLE_TRY(bytes_check(&json, error));
    printf("%.*s\n", (int)json.length, (const char *)json.data);
out:
    bytes_clear(&json);
    bytes_clear(&pending);
    return code;
}

static enum maille_code print_waiting(struct arena *arena, const char *dir, enum language language,
                                      struct maille_error *error)
{
    static const char *const signed_by[] = {"  (signed by %s; a second person is awaited)",
                                            "  (signée par %s ; une seconde personne est attendue)"},
                             *const none[] = {"nothing waits", "rien n'attend"},
                             *const heads[][6] = {
                                 {"ID", "ASKED", "RESEARCHER", "PURPOSE", "STUDY", "ANALYSES"},
                                 {"ID", "DEMANDÉE", "CHERCHEUR", "FINALITÉ", "ÉTUDE", "ANALYSES"}};
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    size_t n = 0;
    MAILLE_TRY(spool_list(&qids, &n, arena, dir, error));
    if (n == 0)
        fprintf(stderr, "%s\n", none[language]);
    else
        printf("%-8s  %-20s  %-16s  %-24s  %-28s  %s\n", heads[language][0], heads[language][1],
               heads[language][2], heads[language][3], heads[language][4], heads[language][5]);
    for (size_t i = 0; i < n; i++) {
        char hex[2 * QID_BYTES + 1];
        struct bytes pending = {0};
        bytes_to_hex(hex, qids[i], QID_BYTES);
        MAILLE_TRY(spool_pending(&pending, dir, qids[i], error));
        const char *first = spool_first_by(arena, dir, qids[i]);
        printf("%.8s  %-20s  %-16s  %-24s  %-28s  %s%s\n", hex,
               decision_pending_line(arena, &pending, "asked"),
               decision_pending_line(arena, &pending, "researcher"),
               decision_pending_line(arena, &pending, "purpose"),
               decision_pending_line(arena, &pending, "study"),
               decision_pending_line(arena, &pending, "analyses"),
               first[0] == '\0' ? "" : arena_printf(arena, signed_by[language], first));
        bytes_clear(&pending);
    }
out:
    return code;
}

/* out NULL: on standard output. */
static enum maille_code print_one(struct arena *arena, const char *dir, const char *id, const char *out_path,
                                  const struct showing *showing, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t qid[QID_BYTES];
    struct bytes pending = {0}, shown = {0};
    MAILLE_TRY(find_waiting(qid, arena, dir, id, error));
    MAILLE_TRY(spool_pending(&pending, dir, qid, error));
    if (out_path == NULL) {
        struct json_put put = {.out = &shown};
        if (showing->json)
            report_pending_json(&put, text_of(arena, &pending), arena);
        else
            report_pending_text(&shown, text_of(arena, &pending), showing->language, arena);
        MAILLE_TRY(bytes_check(&shown, error));
        fwrite(shown.data, 1, shown.length, stdout);
        fputs(showing->json ? "\n" : "", stdout);
    } else {
        MAILLE_TRY(file_write_atomic(out_path, pending.data, pending.length, 0600, error));
        printf("%s: for the officer: maille officer review %s\n", out_path, out_path);
    }
out:
    bytes_clear(&pending);
    bytes_clear(&shown);
    return code;
}

/* The one open query whose id begins so: its folder in state/. */
static enum maille_code find_open(uint8_t qid[QID_BYTES], const char *dir, const char *id,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char folder[PATH_MAX];
    size_t found = 0;
    MAILLE_TRY(file_path_join(folder, sizeof folder, dir, "state", error));
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        code = maille_fail_errno(error, "cannot open %s", folder);
        goto out;
    }
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (strlen(entry->d_name) == 2 * QID_BYTES && strncmp(entry->d_name, id, strlen(id)) == 0 &&
            bytes_from_hex(qid, QID_BYTES, entry->d_name))
            found++;
    closedir(stream);
    if (found != 1)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected one open study whose id begins with %s, found %zu in %s", id, found,
                           folder);
out:
    return code;
}

static enum maille_code decide(const struct decide_command *command, const char *id,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *keys = NULL;
    struct key_unlock unlock;
    struct bytes pending = {0};
    struct decision decision = {.kind = command->kind, .reason = command->reason};
    struct arena *arena = arena_new();
    char at[32];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    const char *path = command->key != NULL ? command->key : arena_printf(arena, "%s/dpo.key", command->dir);
    MAILLE_TRY(crypto_start(error));
    if (command->kind == DECISION_STOP)
        MAILLE_TRY(find_open(decision.qid, command->dir, id, error));
    else {
        MAILLE_TRY(find_waiting(decision.qid, arena, command->dir, id, error));
        MAILLE_TRY(spool_pending(&pending, command->dir, decision.qid, error));
        decision_pending_hash(&decision.pending, pending.data, pending.length);
    }
    if (!file_exists(path)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected the data protection officer's key at %s, found nothing; name it with --key", path);
        goto out;
    }
    MAILLE_TRY(passphrase_unlock(&unlock, command->credential, error));
    MAILLE_TRY(keyfile_read(&keys, path, &unlock, error));
    if (secret_keys_role(keys) != KEY_DPO) {
        code = maille_fail(error, MAILLE_INVALID, "expected a key of role dpo in %s, found a %s's", path,
                           key_role_name(secret_keys_role(keys)));
        goto out;
    }
    clock_format(at, clock_utc_ms());
    decision.at = at;
    MAILLE_TRY(spool_decide(command->dir, &decision, keys, error));
    if (command->kind == DECISION_STOP)
        printf("stop: %s, signed by %s; the worker takes it up within seconds, and nothing more leaves\n", id,
               secret_keys_name(keys));
    else
        printf("%s: %s of %s, signed by %s; the worker takes it up within seconds\n",
               command->kind == DECISION_APPROVE ? "approved" : "denied",
               decision_pending_line(arena, &pending, "study"),
               decision_pending_line(arena, &pending, "researcher"), secret_keys_name(keys));
out:
    secret_keys_free(keys);
    bytes_clear(&pending);
    arena_free(arena);
    return code;
}

static int decide_main(int argc, char **argv, enum decision_kind kind)
{
    struct maille_error error = {0};
    struct decide_command command = {.kind = kind, .reason = ""};
    const char *id = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &command.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &command.key,
         .argument = "dpo.key",
         .sentence = "the data protection officer's key (default: DIR/dpo.key)"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &command.credential,
         .argument = "FILE",
         .sentence = "32-byte file that opens the key (default: $MAILLE_PASSPHRASE)"},
        {.name = "reason",
         .kind = OPTION_STRING,
         .target = &command.reason,
         .argument = "TEXT",
         .sentence = "one line for the message log"},
        {.name = NULL},
    };
    static const char *const programs[] = {[DECISION_DENY] = "maille-worker deny",
                                           [DECISION_APPROVE] = "maille-worker approve",
                                           [DECISION_STOP] = "maille-worker stop"};
    static const char *const sentences[] = {
        [DECISION_DENY] =
            "Signs that a study may not run here. The researcher is told the rule `approval` and "
            "nothing else.",
        [DECISION_APPROVE] = "Signs that a study may run, as `maille-worker pending ID` shows it. A new "
                             "snapshot, policy or build asks again.",
        [DECISION_STOP] =
            "Signs that a study ends here now, whether or not it was approved: nothing more of it "
            "leaves, no further\nround and no result. The researcher is told the rule `approval`."};
    const struct option_usage usage = {.program = programs[kind],
                                       .positional = "ID",
                                       .sentence = sentences[kind],
                                       .min_positional = 1,
                                       .max_positional = 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &id, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = decide(&command, id, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}

int worker_approve(int argc, char **argv)
{
    return decide_main(argc, argv, DECISION_APPROVE);
}

int worker_deny(int argc, char **argv)
{
    return decide_main(argc, argv, DECISION_DENY);
}

int worker_stop(int argc, char **argv)
{
    return decide_main(argc, argv, DECISION_STOP);
}

/* A decision that was signed elsewhere, into the spool: whose it is the worker verifies by the directory. */
static enum maille_code bring(const char *dir, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct decision decision;
    struct bytes text = {0};
    struct arena *arena = arena_new();
    char qid[2 * QID_BYTES + 1];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(file_read_regular(&text, path, DECISION_BYTES_MAX, error));
    if (appointment_is(&text)) {
        struct appointment appointment;
        MAILLE_TRY(appointment_read(&appointment, arena, path, &text, NULL, error));
        MAILLE_TRY(spool_appoint(dir, &text, error));
        printf("%s of the officer at %s: %s, signed by %s on %s; the worker takes it up within seconds\n",
               appointment_role_word(appointment.role), appointment.site, appointment.officer, appointment.by,
               appointment.at);
        goto out;
    }
    MAILLE_TRY(decision_read(&decision, arena, path, &text, NULL, error));
    MAILLE_TRY(spool_put(dir, decision.qid, decision.by, &text, error));
    bytes_to_hex(qid, decision.qid, QID_BYTES);
    printf("%s of %.8s, signed by %s on %s; the worker takes it up within seconds\n",
           decision_word(decision.kind), qid, decision.by, decision.at);
out:
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

int worker_decide(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dir = NULL, *path = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker decide",
                                       .positional = "FILE",
                                       .sentence = "Brings a decision that the officer signed on her own "
                                                   "machine (maille officer approve, deny, stop,\nappoint).",
                                       .min_positional = 1,
                                       .max_positional = 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = bring(dir, path, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}

int worker_pending(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dir = NULL, *id = NULL, *out_path = NULL, *lang = NULL;
    struct showing showing = {0};
    bool done = false;
    size_t n = 0;
    struct arena *arena = arena_new();
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &out_path,
         .argument = "FILE",
         .sentence =
             "writes what is asked into a file, to be read and decided on another machine (maille officer)"},
        {.name = "json", .kind = OPTION_FLAG, .target = &showing.json, .sentence = "as JSON"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG); --out is the text that is signed, in English"},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker pending",
                                       .positional = "[ID]",
                                       .sentence = "Lists the studies that wait for a person, or shows one "
                                                   "of them: who asks what, for which purpose, and\n"
                                                   "the tally of every analysis. ID may be how it begins. To "
                                                   "see the numbers: maille-worker preview.",
                                       .max_positional = 1};
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &id, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&showing.language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = n > 0          ? print_one(arena, dir, id, out_path, &showing, &error)
               : showing.json ? print_json(arena, dir, &error)
                              : print_waiting(arena, dir, showing.language, &error);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
