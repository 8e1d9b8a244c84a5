#include "coordinator/settings.h"

#include <stddef.h>

#include "query/settings.h"

enum { TEXT_BYTES_MAX = 4096 };

static const struct settings_row rows[] = {
    {"endpoint", SETTINGS_TEXT, "", 1, TEXT_BYTES_MAX, "tcp://*:9700", NULL,
     offsetof(struct coordinator_settings, endpoint), "address and port that sites and researchers dial"},
    {"directory", SETTINGS_TEXT, "", 1, TEXT_BYTES_MAX, "network.yaml", NULL,
     offsetof(struct coordinator_settings, directory),
     "the signed directory of the network; read again when it changes"},
    {"round_bytes_max", SETTINGS_COUNT, "bytes", 65536, (int64_t)1 << 34, "268435456", NULL,
     offsetof(struct coordinator_settings, round_bytes_max), "largest vector that one round may sum"},
    {"held_bytes_max", SETTINGS_COUNT, "bytes", 0, (int64_t)1 << 34, "67108864", NULL,
     offsetof(struct coordinator_settings, held_bytes_max),
     "vectors of one round are held for the researcher's own addition when all of them fit in this"},
    {"batch_messages", SETTINGS_COUNT, "messages", 1, 65536, "256", NULL,
     offsetof(struct coordinator_settings, batch_messages),
     "messages that are made durable together, before any answer to them is sent"},
    {"log_retention_months", SETTINGS_COUNT, "months", 6, 36, "12", NULL,
     offsetof(struct coordinator_settings, log_retention_months),
     "entries of the message log are kept for so long; older ones are removed with a signed entry that says "
     "so"},
    {"query_retention_days", SETTINGS_COUNT, "days", 1, 3660, "90", NULL,
     offsetof(struct coordinator_settings, query_retention_days),
     "queries that are over are kept for so long, for who asked them; the message log has a time of its own"},
    {"queries_max", SETTINGS_COUNT, "queries", 1, 100000, "256", NULL,
     offsetof(struct coordinator_settings, quotas.queries),
     "open queries of everybody; more are refused under `queries`"},
    {"researcher_queries_max", SETTINGS_COUNT, "queries", 1, 100000, "32", NULL,
     offsetof(struct coordinator_settings, quotas.researcher_queries), "open queries of one researcher"},
    {"researcher_bytes_max", SETTINGS_COUNT, "bytes", 65536, (int64_t)1 << 40, "1073741824", NULL,
     offsetof(struct coordinator_settings, quotas.researcher_bytes),
     "messages, sums and vectors held in memory for one researcher's queries"},
    {"connections_max", SETTINGS_COUNT, "connections", 2, 4096, "64", NULL,
     offsetof(struct coordinator_settings, connections_max),
     "of one party at once, and 16 times as many new ones in a minute; it is hung up on where it has more"},
    {"messages_per_minute", SETTINGS_COUNT, "messages", 60, 100000000, "12000", NULL,
     offsetof(struct coordinator_settings, quotas.messages_per_minute),
     "messages of one party over all of its connections; more are let go unread"},
    {"log_entries_per_day", SETTINGS_COUNT, "entries", 100, 1000000000, "1000000", NULL,
     offsetof(struct coordinator_settings, quotas.log_entries_per_day),
     "entries of the message log that one party, or one researcher's queries, may cause in a day (about 300 "
     "bytes each)"},
    {"metrics", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct coordinator_settings, metrics),
     "where Prometheus reads what this program counts of itself: an address of this machine alone, such as "
     "127.0.0.1:9702; counts from the next start"},
    {"walls", SETTINGS_CHOICE, "", 0, 1, "all", "all|without-landlock",
     offsetof(struct coordinator_settings, walls),
     "without-landlock lets the coordinator run where the kernel has no Landlock; where it has, it is used"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

enum maille_code coordinator_settings_read(struct coordinator_settings *settings, struct arena *arena,
                                           const char *path, struct maille_error *error)
{
    struct coordinator_settings made = {0};
    enum maille_code code = settings_read(&made, arena, rows, N_ROWS, path, error);
    if (code == MAILLE_OK)
        *settings = made;
    return code;
}

const char *coordinator_settings_write(struct arena *arena, const char *endpoint)
{
    return settings_write(arena, rows, N_ROWS,
                          "Settings of this coordinator; maille-coordinator serve --help lists them.",
                          "endpoint", endpoint != NULL ? endpoint : rows[0].fallback);
}

const char *coordinator_settings_help(struct arena *arena)
{
    return settings_help(arena, rows, N_ROWS, "coordinator.yaml");
}
