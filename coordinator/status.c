/* maille-coordinator status: what the database and DIR/status say, beside a running coordinator or without
 * one. */
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/health.h"
#include "coordinator/commands.h"
#include "coordinator/figures.h"
#include "coordinator/store.h"
#include "proto/message.h"

struct shown {
    struct store *store;
    struct json_put *put; /* NULL: for people */
    size_t n;             /* rows so far */
};

static enum maille_code show_query(void *context, const struct store_query *query, struct maille_error *error)
{
    (void)error;
    char qid[2 * QID_BYTES + 1], created[32];
    struct shown *shown = context;
    if (query->phase >= PHASE_ENDED)
        return MAILLE_OK;
    bytes_to_hex(qid, query->qid, QID_BYTES);
    clock_format(created, query->created_ms);
    if (shown->put != NULL) {
        json_put_object(shown->put, NULL);
        json_put_text(shown->put, "query", qid);
        json_put_text(shown->put, "study", query->study);
        json_put_text(shown->put, "researcher", query->researcher);
        json_put_text(shown->put, "phase", query_phase_name(query->phase));
        json_put_integer(shown->put, "round", query->round);
        json_put_integer(shown->put, "attempt", query->attempt);
        json_put_integer(shown->put, "bytes", (int64_t)query->bytes);
        json_put_text(shown->put, "since", created);
        json_put_end(shown->put);
        return MAILLE_OK;
    }
    if (shown->n++ == 0)
        printf("open queries:\n");
    printf("  %.16s  %-24s %-16s %-9s round %u attempt %u, %llu bytes, since %s\n", qid, query->study,
           query->researcher, query_phase_name(query->phase), query->round, query->attempt,
           (unsigned long long)query->bytes, created);
    return MAILLE_OK;
}

static void show_route(void *context, const char *user, enum key_role role, int64_t seen_ms, uint32_t wire)
{
    char when[32];
    struct shown *shown = context;
    clock_format(when, seen_ms);
    if (shown->put != NULL) {
        json_put_object(shown->put, NULL);
        json_put_text(shown->put, "name", user);
        json_put_text(shown->put, "role", key_role_name(role));
        json_put_text(shown->put, "seen", when);
        json_put_integer(shown->put, "wire", wire);
        json_put_end(shown->put);
        return;
    }
    if (shown->n++ == 0)
        printf("last seen:\n");
    printf("  %-16s %-12s %s\n", user, key_role_name(role), when);
    if (wire != 0 && wire != PROTOCOL_VERSION)
        printf("  %-16s ! speaks version %u of the wire, this program version %d: %s needs %s\n", "", wire,
               PROTOCOL_VERSION, wire < PROTOCOL_VERSION ? user : "the coordinator",
               message_wire_install(wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : wire));
}

/* Open queries, and when each party was last seen. */
static enum maille_code show_store(void *context, struct json_put *put, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct shown shown = {.store = context, .put = put};
    if (put != NULL)
        json_put_list(put, "queries");
    MAILLE_TRY(store_read_queries(shown.store, NULL, show_query, &shown, error));
    if (put != NULL)
        json_put_end(put);
    else if (shown.n == 0)
        printf("no open query\n");
    shown.n = 0;
    if (put != NULL)
        json_put_list(put, "parties");
    MAILLE_TRY(store_read_routes(shown.store, show_route, &shown, error));
    if (put != NULL)
        json_put_end(put);
    else if (shown.n == 0)
        printf("nobody was seen yet\n");
out:
    return code;
}

static int64_t value_of(const int64_t *values, size_t offset)
{
    for (size_t i = 0; i < FIGURES_ROWS; i++)
        if (coordinator_figure_rows[i].offset == offset)
            return values[i];
    return 0;
}
#define VALUE(member) value_of(values, offsetof(struct coordinator_page, member))

static void judge(struct health *health, const int64_t *values, bool there, const struct health_asked *asked)
{
    const int64_t now_ms = clock_utc_ms(), free_bytes = VALUE(disk_free_bytes);
    if (!there || now_ms - VALUE(beat_ms) > FIGURES_DEAD_MS) {
        health_problem(
            health, MAILLE_FAILED,
            "expected a coordinator that runs over %s, found none; start it: maille-coordinator serve "
            "--dir %s",
            "aucun coordinateur ne tourne sur %s ; démarrez-le : maille-coordinator serve --dir %s",
            asked->dir, asked->dir);
        return;
    }
    if (asked->silent_ms > 0 && now_ms - VALUE(heard_ms) > asked->silent_ms)
        health_problem(health, MAILLE_UNREACHABLE, "expected a word of anybody's within %lld s, found none",
                       "personne ne s’est fait entendre depuis %lld s", (long long)asked->silent_ms / 1000);
    if (free_bytes >= 0 && free_bytes < HEALTH_FREE_BYTES_LEAST)
        health_problem(health, MAILLE_IO, "expected at least %d MB free for %s, found %lld MB; make room",
                       "au moins %d Mo libres attendus pour %s, %lld Mo trouvés ; faites de la place",
                       HEALTH_FREE_BYTES_LEAST >> 20, asked->dir, (long long)free_bytes >> 20);
}

static enum maille_code status(struct health *health, const struct health_asked *asked,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct store *store = NULL;
    int64_t values[FIGURES_ROWS];
    char path[PATH_MAX];
    bool there;
    MAILLE_TRY(file_path_join(path, sizeof path, asked->dir, "coordinator.db", error));
    if (!file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a coordinator that has run in %s, found no %s",
                           asked->dir, path);
        goto out;
    }
    MAILLE_TRY(figures_file_read(values, &there, coordinator_figure_rows, FIGURES_ROWS, asked->dir, error));
    MAILLE_TRY(store_open(&store, path, true, error));
    judge(health, values, there, asked);
    const struct health_figures shown = {.program = "maille_coordinator",
                                         .rows = coordinator_figure_rows,
                                         .n = FIGURES_ROWS,
                                         .values = values,
                                         .more = show_store,
                                         .context = store};
    MAILLE_TRY(health_show(health, asked, &shown, error));
out:
    store_close(store);
    return code;
}

int coordinator_status(int argc, char **argv)
{
    struct maille_error error = {0};
    struct health_asked asked = {0};
    struct health health = {0};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {HEALTH_OPTIONS(&asked, "folder of the coordinator"), {.name = NULL}};
    const struct option_usage usage = {
        .program = "maille-coordinator status",
        .positional = "",
        .sentence =
            "The open queries, when each party was last seen, whose program speaks another version of the "
            "wire, what the running program has counted since it started, and whether it is well.\n"
            "Exit status 0: it is. 1: it does not run, or has no room. 3: nobody was heard for --silent, "
            "where that is given."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = health_language(&health, &asked, &error);
    if (code == MAILLE_OK && !done)
        code = status(&health, &asked, &error);
    if (code != MAILLE_OK)
        return options_program_fail("maille-coordinator", &error);
    return maille_exit_status(health.code);
}
