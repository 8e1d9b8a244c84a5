/* maille-worker pending, approve, deny: the queue of studies that wait for a person (docs/DISCLOSURE.md §2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "worker/commands.h"
#include "vault/spool.h"

struct decide_command {
    const char *dir, *key, *credential, *reason;
    bool approve;
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

static enum maille_code print_waiting(struct arena *arena, const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    size_t n = 0;
    MAILLE_TRY(spool_list(&qids, &n, arena, dir, error));
    if (n == 0)
        fprintf(stderr, "nothing waits\n");
    else
        printf("%-8s  %-20s  %-16s  %-24s  %-28s  %s\n", "ID", "ASKED", "RESEARCHER", "PURPOSE", "STUDY",
               "ANALYSES");
    for (size_t i = 0; i < n; i++) {
        char hex[2 * QID_BYTES + 1];
        struct bytes pending = {0};
        bytes_to_hex(hex, qids[i], QID_BYTES);
        MAILLE_TRY(spool_pending(&pending, dir, qids[i], error));
        printf("%.8s  %-20s  %-16s  %-24s  %-28s  %s\n", hex, spool_line(arena, &pending, "asked"),
               spool_line(arena, &pending, "researcher"), spool_line(arena, &pending, "purpose"),
               spool_line(arena, &pending, "study"), spool_line(arena, &pending, "analyses"));
        bytes_clear(&pending);
    }
out:
    return code;
}

static enum maille_code print_one(struct arena *arena, const char *dir, const char *id,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t qid[QID_BYTES];
    struct bytes pending = {0};
    MAILLE_TRY(find_waiting(qid, arena, dir, id, error));
    MAILLE_TRY(spool_pending(&pending, dir, qid, error));
    fwrite(pending.data, 1, pending.length, stdout);
out:
    bytes_clear(&pending);
    return code;
}

static enum maille_code decide(const struct decide_command *command, const char *id,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *keys = NULL;
    struct key_unlock unlock;
    struct bytes pending = {0};
    struct decision decision = {.approve = command->approve, .reason = command->reason};
    struct arena *arena = arena_new();
    char at[32];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    const char *path = command->key != NULL ? command->key : arena_printf(arena, "%s/dpo.key", command->dir);
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(find_waiting(decision.qid, arena, command->dir, id, error));
    MAILLE_TRY(spool_pending(&pending, command->dir, decision.qid, error));
    if (!file_exists(path)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected the data protection officer's key at %s, found nothing; name it with --key", path);
        goto out;
    }
    MAILLE_TRY(worker_unlock(&unlock, command->credential, error));
    MAILLE_TRY(keyfile_read(&keys, path, &unlock, error));
    if (secret_keys_role(keys) != KEY_DPO) {
        code = maille_fail(error, MAILLE_INVALID, "expected a key of role dpo in %s, found a %s's", path,
                           key_role_name(secret_keys_role(keys)));
        goto out;
    }
    spool_pending_hash(&decision.pending, pending.data, pending.length);
    clock_format(at, clock_utc_ms());
    decision.at = at;
    MAILLE_TRY(spool_decide(command->dir, &decision, keys, error));
    printf("%s: %s of %s, signed by %s; the worker takes it up within seconds\n",
           command->approve ? "approved" : "denied", spool_line(arena, &pending, "study"),
           spool_line(arena, &pending, "researcher"), secret_keys_name(keys));
out:
    secret_keys_free(keys);
    bytes_clear(&pending);
    arena_free(arena);
    return code;
}

static int decide_main(int argc, char **argv, bool approve)
{
    struct maille_error error = {0};
    struct decide_command command = {.approve = approve, .reason = ""};
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
    const struct option_usage usage = {
        .program = approve ? "maille-worker approve" : "maille-worker deny",
        .positional = "ID",
        .sentence = approve ? "Signs that a study may run, as `maille-worker pending ID` shows it. A new "
                              "snapshot, policy or build asks again."
                            : "Signs that a study may not run here. The researcher is told the rule "
                              "`approval` and nothing else.",
        .min_positional = 1,
        .max_positional = 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &id, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = decide(&command, id, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}

int worker_approve(int argc, char **argv)
{
    return decide_main(argc, argv, true);
}

int worker_deny(int argc, char **argv)
{
    return decide_main(argc, argv, false);
}

int worker_pending(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dir = NULL, *id = NULL;
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
        code = n == 0 ? print_waiting(arena, dir, &error) : print_one(arena, dir, id, &error);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
