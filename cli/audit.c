/* maille audit: what a party's message log says, read offline. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/log.h"
#include "base/clock.h"
#include "base/options.h"
#include "proto/message.h"

enum { LOGS_MAX = 1024 };

struct audit_view {
    const char *query;   /* hex prefix of the query to show; NULL: all */
    bool summary;
    uint64_t shown, in, out, masked, masked_bytes;
};

static void print_entry(uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry, const char *qid)
{
    static const char *const ways[] = {[AUDIT_IN] = "in", [AUDIT_OUT] = "out", [AUDIT_NOTE] = "note"};
    char when[32], hash[2 * HASH_BYTES + 1];
    clock_format(when, utc_ms);
    hex_encode(hash, entry->hash.b, HASH_BYTES);
    printf("%6llu  %s  %-4s  %-10s %-16s %10llu  %.8s  %.16s  %s\n", (unsigned long long)sequence, when,
           ways[entry->direction], entry->message, entry->peer, (unsigned long long)entry->bytes, qid, hash, entry->detail);
}

static void see_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct audit_view *view = context;
    char qid[2 * QID_BYTES + 1] = "-";
    if (entry->qid != NULL)
        hex_encode(qid, entry->qid, QID_BYTES);
    if (view->query != NULL && strncmp(qid, view->query, strlen(view->query)) != 0)
        return;
    view->shown++;
    view->in += entry->direction == AUDIT_IN;
    if (entry->direction == AUDIT_OUT) {
        view->out++;
        if (strcmp(entry->message, message_rule(MESSAGE_MASKED)->name) == 0) {
            view->masked++;
            view->masked_bytes += entry->bytes;
        }
    }
    if (!view->summary)
        print_entry(sequence, utc_ms, entry, qid);
}

/* "D/sites/alpha/log" → "alpha": the folder that holds the log. */
static void party_of(char out[64], const char *log)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", log);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    slash = strrchr(path, '/');
    snprintf(out, 64, "%s", slash != NULL ? slash + 1 : path);
}

static enum maille_code show_log(const char *log, const char *query, bool summary, struct maille_error *error)
{
    struct audit_view view = {.query = query, .summary = summary};
    char party[64];
    party_of(party, log);
    if (!summary)
        printf("%s: %s\n%6s  %-24s  %-4s  %-10s %-16s %10s  %-8s  %-16s  %s\n", party, log, "entry", "when (UTC)", "way",
               "message", "peer", "bytes", "query", "hash", "what");
    enum maille_code code = audit_read(log, see_entry, &view, error);
    if (code != MAILLE_OK)
        return code;
    if (summary)
        printf("%-24s %4llu messages in, %4llu out; masked vectors that left: %3llu, %llu bytes in all\n", party,
               (unsigned long long)view.in, (unsigned long long)view.out, (unsigned long long)view.masked,
               (unsigned long long)view.masked_bytes);
    else
        printf("%s: %llu entries; each follows from the one before\n\n", party, (unsigned long long)view.shown);
    return MAILLE_OK;
}

static int run_show(int argc, char **argv)
{
    const char *query = NULL, **logs = calloc(LOGS_MAX, sizeof *logs);
    bool summary = false, done;
    size_t n = 0;
    const struct option_row rows[] = {
        {"query", OPTION_STRING, &query, "ID", "only this query (its id, or how it begins)", false, 0, 0},
        {"summary", OPTION_FLAG, &summary, NULL, "one line per log", false, 0, 0},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, false, 0, 0}};
    const struct option_usage usage = {"maille audit show", "LOG…",
                                       "Shows every message that came in or left, from log folders such as sites/NAME/log.", 1, LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                         : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    for (size_t i = 0; code == MAILLE_OK && !done && i < n; i++)
        code = show_log(logs[i], query, summary, &error);
    free(logs);
    return code == MAILLE_OK ? 0 : program_fail("maille audit show", &error);
}

int cli_audit(int argc, char **argv)
{
    static const struct subcommand table[] = {{"show", run_show, "what came in and what left, message by message"},
                                              {NULL, NULL, NULL}};
    return subcommands_run("maille audit", "Reads message logs, offline.", table, argc, argv);
}
