/* maille-coordinator status: what the database says, beside a running coordinator or without one. */
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "coordinator/commands.h"
#include "coordinator/store.h"
#include "proto/message.h"

static enum maille_code print_query(void *context, const struct store_query *query,
                                    struct maille_error *error)
{
    (void)error;
    char qid[2 * QID_BYTES + 1], created[32];
    size_t *open = context;
    if (query->phase >= PHASE_ENDED)
        return MAILLE_OK;
    if ((*open)++ == 0)
        printf("open queries:\n");
    bytes_to_hex(qid, query->qid, QID_BYTES);
    clock_format(created, query->created_ms);
    printf("  %.16s  %-24s %-16s %-9s round %u attempt %u, %llu bytes, since %s\n", qid, query->study,
           query->researcher, query_phase_name(query->phase), query->round, query->attempt,
           (unsigned long long)query->bytes, created);
    return MAILLE_OK;
}

static void print_route(void *context, const char *user, enum key_role role, int64_t seen_ms, uint32_t wire)
{
    char when[32];
    size_t *n = context;
    if ((*n)++ == 0)
        printf("last seen:\n");
    clock_format(when, seen_ms);
    printf("  %-16s %-12s %s\n", user, key_role_name(role), when);
    if (wire != 0 && wire != PROTOCOL_VERSION)
        printf("  %-16s ! speaks version %u of the wire, this program version %d: %s needs %s\n", "", wire,
               PROTOCOL_VERSION, wire < PROTOCOL_VERSION ? user : "the coordinator",
               message_wire_install(wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : wire));
}

static enum maille_code status(const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct store *store = NULL;
    char path[PATH_MAX];
    size_t open = 0, seen = 0;
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "coordinator.db", error));
    if (!file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a coordinator that has run in %s, found no %s",
                           dir, path);
        goto out;
    }
    MAILLE_TRY(store_open(&store, path, true, error));
    MAILLE_TRY(store_read_queries(store, NULL, print_query, &open, error));
    if (open == 0)
        printf("no open query\n");
    MAILLE_TRY(store_read_routes(store, print_route, &seen, error));
    if (seen == 0)
        printf("nobody was seen yet\n");
out:
    store_close(store);
    return code;
}

int coordinator_status(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dir = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "DIR",
         .sentence = "folder of the coordinator",
         .required = true},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-coordinator status",
        .positional = "",
        .sentence = "Prints the open queries, when each party was last seen, and whose program speaks "
                    "another version of the wire."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = status(dir, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-coordinator", &error);
}
