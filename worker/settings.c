#include "worker/settings.h"

#include <limits.h>
#include <stddef.h>

#include "base/file.h"
#include "query/settings.h"

enum { TEXT_BYTES_MAX = 200 };

static const struct settings_row rows[] = {
    {"legal_entity", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, legal_entity),
     "the legal entity that answers for this site; sites of one entity count as one"},
    {"network", SETTINGS_TEXT, "", 1, TEXT_BYTES_MAX, "network.yaml", NULL,
     offsetof(struct worker_settings, network),
     "the signed directory of the network; a newer one that its authorities have signed replaces it"},
    {"threads", SETTINGS_COUNT, "threads", 0, 64, "0", NULL, offsetof(struct worker_settings, threads),
     "threads of a tally; 0 takes as many as there are cores, at most 8"},
    {"column_cache_mb", SETTINGS_COUNT, "MB", 0, 65536, "128", NULL,
     offsetof(struct worker_settings, column_cache_mb),
     "memory for columns that were read lately: one that still fits is not read from its file again; 0 keeps "
     "none"},
    {"source", SETTINGS_CHOICE, "", 0, 1, "snapshot", "snapshot|engine",
     offsetof(struct worker_settings, source),
     "engine: frozen rows stay in the site's database, as import --from-relation writes them; all of source "
     "counts from the next start"},
    {"source_driver", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "postgresql", NULL,
     offsetof(struct worker_settings, source_driver), "likewise: which engine"},
    {"source_connection", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, source_connection),
     "likewise: the connection of who serves, such as service=registry; no password (~/.pgpass has it)"},
    {"source_schema", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "maille", NULL,
     offsetof(struct worker_settings, source_schema), "likewise: the schema of the frozen tables"},
    {"source_role", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, source_role),
     "likewise: the role of who serves, which an import lets read what it froze"},
    {"source_timeout", SETTINGS_COUNT, "seconds", 1, 86400, "600", NULL,
     offsetof(struct worker_settings, source_timeout_s),
     "likewise: longest time of one statement of who serves"},
    {"queries_max", SETTINGS_COUNT, "queries", 1, 100000, "256", NULL,
     offsetof(struct worker_settings, queries_max),
     "open queries at once; more are refused under the rule queries_max"},
    {"log_retention_months", SETTINGS_COUNT, "months", 6, 36, "12", NULL,
     offsetof(struct worker_settings, log_retention_months),
     "entries of the message log are kept for so long; older ones are removed with a signed entry that says "
     "so"},
    {"controller", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, controller),
     "for the register of processing (GDPR art. 30): who answers for the data; the legal entity if absent"},
    {"controller_contact", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, controller_contact), "likewise: the controller's address"},
    {"officer_contact", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, officer_contact),
     "likewise: name and address of the data protection officer"},
    {"joint_controllers", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, joint_controllers),
     "likewise: who decides together with the controller"},
    {"transfers", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL, offsetof(struct worker_settings, transfers),
     "likewise: transfers outside the EU, or that there are none"},
    {"record_retention_years", SETTINGS_COUNT, "years", 1, 30, "15", NULL,
     offsetof(struct worker_settings, record_retention_years),
     "likewise: how long the scientific record is kept (maille audit archive, maille bundle)"},
    {"officer_signatures", SETTINGS_COUNT, "signatures", 1, 2, "1", NULL,
     offsetof(struct worker_settings, officer_signatures),
     "with 2, a study that waits needs the officer and whoever she appointed beside her; one alone can deny "
     "or stop"},
    {"spool_group", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, spool_group),
     "a group of accounts that read in spool/ what waits for a person and bring decisions; counts from the "
     "next start"},
    {"notify_command", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, notify_command),
     "a program that maille-worker notify runs when a study waits: its argument is the study's id, its input "
     "a message"},
    {"notify_mail", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, notify_mail), "likewise: who gets the message by mail"},
    {"notify_sendmail", SETTINGS_TEXT, "", 1, TEXT_BYTES_MAX, "/usr/sbin/sendmail", NULL,
     offsetof(struct worker_settings, notify_sendmail), "likewise: the program that sends mail"},
    {"import_fewer", SETTINGS_COUNT, "percent", 0, 100, "5", NULL,
     offsetof(struct worker_settings, import_fewer),
     "an import with fewer rows or patients than the last, by more than this, asks for --yes"},
    {"import_more", SETTINGS_COUNT, "percent", 0, 1000000, "50", NULL,
     offsetof(struct worker_settings, import_more), "likewise with more of them"},
    {"import_share", SETTINGS_COUNT, "points", 0, 100, "10", NULL,
     offsetof(struct worker_settings, import_share),
     "likewise where the share of rows that lack a variable, or have one of its levels, moves by more "
     "points"},
    {"import_median", SETTINGS_COUNT, "percent", 0, 1000000, "10", NULL,
     offsetof(struct worker_settings, import_median),
     "likewise where a median moves by more than this part of the range that the variable had"},
    {"hello_every", SETTINGS_DURATION, "ms", 100, 60000, "2s", NULL,
     offsetof(struct worker_settings, hello_every_ms),
     "how often the coordinator is told that this site is there"},
    {"restart_after", SETTINGS_DURATION, "ms", 50, 60000, "500ms", NULL,
     offsetof(struct worker_settings, restart_after_ms),
     "wait before a process that died is started again; doubles each time, to at most 30 s"},
    {"proxy", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL, offsetof(struct worker_settings, proxy),
     "the proxy that leads out, such as http://proxy.hospital:3128 or socks5://proxy.hospital:1080; counts "
     "from the "
     "next start"},
    {"proxy_credential", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, proxy_credential),
     "a file of the owner's alone whose first line is USER:PASSWORD for the proxy"},
    {"metrics", SETTINGS_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL, offsetof(struct worker_settings, metrics),
     "where Prometheus reads what this site counts of itself: an address of this machine alone, such as "
     "127.0.0.1:9701; counts from the next start"},
    {"walls", SETTINGS_CHOICE, "", 0, 1, "all", "all|without-landlock",
     offsetof(struct worker_settings, walls),
     "without-landlock lets the site run where the kernel has no Landlock; where it has, it is used"},
    {"log_level", SETTINGS_CHOICE, "", 0, 3, "info", "error|warning|info|debug",
     offsetof(struct worker_settings, log_level), "what is said on standard error"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

enum maille_code worker_settings_read(struct worker_settings *settings, struct arena *arena, const char *dir,
                                      struct maille_error *error)
{
    struct worker_settings made = {0};
    char path[PATH_MAX];
    enum maille_code code = file_path_join(path, sizeof path, dir, "worker.yaml", error);
    if (code == MAILLE_OK)
        code = settings_read(&made, arena, rows, N_ROWS, path, error);
    if (code == MAILLE_OK)
        *settings = made;
    return code;
}

const char *worker_settings_write(struct arena *arena, const char *legal_entity)
{
    return settings_write(arena, rows, N_ROWS,
                          "Settings of this site; maille-worker serve --help lists them.", "legal_entity",
                          legal_entity);
}

const char *worker_settings_duties(struct arena *arena, const struct worker_settings *settings)
{
    const char *controller = settings->controller[0] != '\0' ? settings->controller : settings->legal_entity;
    const struct {
        const char *name, *text;
    } said[] = {{"controller", controller},
                {"controller_contact", settings->controller_contact},
                {"officer_contact", settings->officer_contact},
                {"joint_controllers", settings->joint_controllers},
                {"transfers", settings->transfers}};
    const char *text =
        arena_printf(arena, "log_retention_months: %lld\nrecord_retention_years: %lld\n",
                     (long long)settings->log_retention_months, (long long)settings->record_retention_years);
    if (settings->officer_signatures > 1)
        text = arena_printf(arena, "%sofficer_signatures: %lld\n", text,
                            (long long)settings->officer_signatures);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (said[i].text[0] != '\0')
            text = arena_printf(arena, "%s%s: %s\n", text, said[i].name, said[i].text);
    return text;
}

const char *worker_settings_help(struct arena *arena)
{
    return settings_help(arena, rows, N_ROWS, "worker.yaml");
}

enum maille_code worker_network_path(char *out, size_t size, const char *dir,
                                     const struct worker_settings *settings, struct maille_error *error)
{
    return settings->network[0] == '/' ? file_path_join(out, size, "", settings->network + 1, error)
                                       : file_path_join(out, size, dir, settings->network, error);
}
