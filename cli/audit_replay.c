/* maille audit replay: the sealed numbers and the sealed masks give the bytes whose hash was signed for, or
 * it says where not. */
#include <stdlib.h>
#include <string.h>

#include "audit/access.h"
#include "audit/vector.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_private.h"
#include "cli/audit_receipt.h"
#include "cli/files.h"

struct replay {
    const struct secret_keys *dpo;
    const char *query;
    size_t sent, same, different, without, foreign;
    struct receipts receipts;
};

static void replay_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct replay *replay = context;
    struct maille_error error = {0};
    char qid[65] = "", when[32], hash[2 * HASH_BYTES + 1] = "";
    struct digest vector;
    receipts_take(&replay->receipts, sequence, entry);
    if (entry->qid != NULL)
        bytes_to_hex(qid, entry->qid, 32);
    if (entry->direction != AUDIT_OUT || strcmp(entry->message, message_rule(MESSAGE_MASKED)->name) != 0 ||
        (replay->query != NULL && strncmp(qid, replay->query, strlen(replay->query)) != 0))
        return;
    replay->sent++;
    book_time(when, utc_ms);
    printf("entry %llu  %s  query %.8s  round %u attempt %u: ", (unsigned long long)sequence, when, qid,
           entry->round, entry->attempt);
    if (entry->clear.length == 0) {
        replay->without++;
        puts("no sealed numbers in the entry");
        return;
    }
    if (audit_replay(&vector, entry, replay->dpo, &error) == MAILLE_OK) {
        replay->same++;
        bytes_to_hex(hash, vector.b, HASH_BYTES);
        printf("the same %llu bytes, hash %s\n", (unsigned long long)entry->vector_bytes, hash);
    } else if (error.code == MAILLE_SIGNATURE) {
        replay->foreign++;
        puts(audit_not_your_key);
    } else {
        replay->different++;
        printf("DIFFERENT: %s\n", error.sentence);
    }
}

static enum maille_code replay_all(struct replay *replay, const char **logs, size_t n,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < n; i++) {
        MAILLE_TRY(audit_access_leave_log(logs[i], "replay of what left", error));
        MAILLE_TRY(audit_read(logs[i], replay_entry, replay, error));
        MAILLE_TRY(replay->receipts.code);
    }
    if (replay->receipts.directory != NULL)
        printf("%zu of %zu vectors have a receipt signed by the coordinator for the same hash\n",
               receipts_signed(&replay->receipts), replay->receipts.n);
    if (replay->foreign > 0 && replay->different == 0)
        code = maille_fail(
            error, MAILLE_FAILED,
            "expected the key that the numbers were sealed to, found another: it is not your key for %zu of "
            "%zu messages",
            replay->foreign, replay->sent);
    else if (replay->different > 0 || replay->without > 0 || replay->sent == 0)
        code = maille_fail(error, MAILLE_FAILED,
                           "expected every masked message to be replayed, found %zu of %zu: %zu differ, %zu "
                           "hold no sealed numbers",
                           replay->same, replay->sent, replay->different, replay->without);
out:
    if (code == MAILLE_CORRUPT && replay->receipts.code != MAILLE_OK && error != NULL)
        *error = replay->receipts.error;
    return code;
}

int audit_replay_logs(int argc, char **argv)
{
    const char *key = NULL, *credential = NULL, *network = NULL,
               **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct arena *arena = arena_new();
    struct secret_keys *dpo = NULL;
    struct replay replay = {0};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &key,
         .argument = "FILE",
         .sentence = "the data protection officer's key",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence = "opens the key without a passphrase"},
        {.name = "query",
         .kind = OPTION_STRING,
         .target = &replay.query,
         .argument = "ID",
         .sentence = "only this query (its id, or how it begins)"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &network,
         .argument = "FILE",
         .sentence = "network.yaml: compares with the coordinator's receipts too"},
        {.name = NULL},
    };
    const struct option_usage usage = {"maille audit replay", "LOG…",
                                       "Opens the numbers that a site sealed for its data protection "
                                       "officer, masks them again, and compares\n"
                                       "the result with what the log says was sent.",
                                       1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done && network != NULL)
        code = cli_read_network(&replay.receipts.directory, arena, network, &error);
    if (code == MAILLE_OK && !done)
        code = cli_read_keys(&dpo, KEY_DPO, key, credential, &error);
    replay.dpo = dpo;
    replay.receipts.arena = arena;
    if (code == MAILLE_OK && !done)
        code = replay_all(&replay, logs, n, &error);
    secret_keys_free(dpo);
    arena_free(arena);
    free(logs);
    return code == MAILLE_OK ? 0 : options_program_fail("maille audit replay", &error);
}
