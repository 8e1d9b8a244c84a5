#include "coordinator/figures.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define OF(member) 0, offsetof(struct coordinator_page, member)

const struct figure_row coordinator_figure_rows[FIGURES_ROWS] = {
    {"started", FIGURE_TIME, OF(started_ms), {"when the program began", "quand le programme a démarré"}},
    {"beat",
     FIGURE_TIME,
     OF(beat_ms),
     {"when it last wrote these figures", "quand il a écrit ces mesures pour la dernière fois"}},
    {"pid", FIGURE_LEVEL, OF(pid), {"of its process", "numéro de son processus"}},
    {"heard",
     FIGURE_TIME,
     OF(heard_ms),
     {"when anybody last said something", "quand quelqu’un s’est fait entendre pour la dernière fois"}},
    {"sites", FIGURE_LEVEL, OF(sites), {"in the directory", "sites de l’annuaire"}},
    {"sites_here",
     FIGURE_LEVEL,
     OF(sites_here),
     {"of these, heard within two minutes", "sites entendus depuis moins de deux minutes"}},
    {"messages_received", FIGURE_COUNT, OF(messages_received), {"from everybody", "messages reçus de tous"}},
    {"messages_sent", FIGURE_COUNT, OF(messages_sent), {"to everybody", "messages envoyés à tous"}},
    {"messages_dropped",
     FIGURE_COUNT,
     OF(messages_dropped),
     {"that were no message, or nobody's", "messages écartés : pas un message, ou de personne"}},
    {"bytes_received", FIGURE_COUNT, OF(bytes_received), {"of these messages", "octets des messages reçus"}},
    {"bytes_sent", FIGURE_COUNT, OF(bytes_sent), {"of these messages", "octets des messages envoyés"}},
    {"hangups",
     FIGURE_COUNT,
     OF(hangups),
     {"connections that passed a limit", "connexions qui ont passé une limite"}},
    {"queries_open",
     FIGURE_LEVEL,
     OF(queries_open),
     {"queries that are not over", "requêtes qui ne sont pas terminées"}},
    {"queries_asked",
     FIGURE_COUNT,
     OF(queries_asked),
     {"queries that were taken on", "requêtes qui ont été prises en charge"}},
    {"queries_refused",
     FIGURE_COUNT,
     OF(queries_refused),
     {"messages that were refused under a quota", "messages refusés selon un quota"}},
    {"queries_given_up",
     FIGURE_COUNT,
     OF(queries_given_up),
     {"queries that ended by a clock or a quota", "requêtes terminées par un délai ou un quota"}},
    {"rounds", FIGURE_COUNT, OF(rounds), {"rounds that were closed", "tours clos"}},
    {"directory_version",
     FIGURE_LEVEL,
     OF(directory_version),
     {"of the directory in force", "version en vigueur de l’annuaire"}},
    {"log_bytes",
     FIGURE_LEVEL,
     OF(log_bytes),
     {"on disk, of the message log", "octets sur disque du journal des messages"}},
    {"database_bytes",
     FIGURE_LEVEL,
     OF(database_bytes),
     {"on disk, of coordinator.db with its journal",
      "octets sur disque de coordinator.db et de son journal"}},
    {"disk_free_bytes",
     FIGURE_LEVEL,
     OF(disk_free_bytes),
     {"left on the disk of the folder", "octets libres sur le disque du dossier"}},
};

static int64_t size_of(const char *dir, const char *name, bool folder)
{
    char path[PATH_MAX];
    struct maille_error ignored;
    struct stat found;
    if (file_path_join(path, sizeof path, dir, name, &ignored) != MAILLE_OK)
        return 0;
    if (folder)
        return figures_folder_bytes(path);
    return stat(path, &found) == 0 ? (int64_t)found.st_size : 0;
}

static void look_at_sites(struct coordinator_page *page, const struct coordinator *coordinator)
{
    const int64_t now_ms = coordinator_now_ms(coordinator);
    int64_t here = 0;
    for (size_t i = 0; i < coordinator->n_seen; i++)
        here += coordinator->seen[i].role == KEY_SITE && coordinator->seen[i].heard_ms != 0 &&
                now_ms - coordinator->seen[i].heard_ms < SITE_HERE_MS;
    figure_set(&page->sites_here, here);
    figure_set(&page->sites, (int64_t)network_directory(coordinator->network)->n_sites);
    figure_set(&page->directory_version, (int64_t)network_directory(coordinator->network)->version);
}

void coordinator_page_beat(struct coordinator_page *page, const struct coordinator *coordinator,
                           const char *dir, int file, bool sizes)
{
    struct maille_error error = {0};
    int64_t values[FIGURES_ROWS], open = 0;
    void *const pages[] = {page};
    for (size_t i = 0; i < coordinator->n_queries; i++)
        open += !query_over(coordinator->queries[i]);
    figure_set(&page->queries_open, open);
    figure_set(&page->queries_asked, (int64_t)coordinator->counts.asked);
    figure_set(&page->queries_refused, (int64_t)coordinator->counts.refused);
    figure_set(&page->queries_given_up, (int64_t)coordinator->counts.given_up);
    figure_set(&page->rounds, (int64_t)coordinator->counts.rounds);
    look_at_sites(page, coordinator);
    if (sizes) {
        figure_set(&page->log_bytes, size_of(dir, "log", true));
        figure_set(&page->database_bytes,
                   size_of(dir, "coordinator.db", false) + size_of(dir, "coordinator.db-wal", false));
        figure_set(&page->disk_free_bytes, figures_free_bytes(dir));
    }
    figure_set(&page->beat_ms, clock_utc_ms());
    figures_take(values, coordinator_figure_rows, FIGURES_ROWS, pages);
    if (file >= 0 &&
        figures_file_write(file, coordinator_figure_rows, FIGURES_ROWS, values, &error) != MAILLE_OK)
        log_line(LOG_LEVEL_DEBUG, "%s", error.sentence);
}
