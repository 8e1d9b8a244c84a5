#include "worker/figures.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "worker/snapshots.h"

#define OF(page, type, member) page, offsetof(struct type, member)

const struct figure_row worker_figure_rows[FIGURES_ROWS] = {
    {"started",
     FIGURE_TIME,
     OF(PAGE_SUPERVISOR, supervisor_figures, started_ms),
     {"when the program began", "quand le programme a démarré"}},
    {"beat",
     FIGURE_TIME,
     OF(PAGE_SUPERVISOR, supervisor_figures, beat_ms),
     {"when it last wrote these figures", "quand il a écrit ces mesures pour la dernière fois"}},
    {"pid",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, pid),
     {"of its first process", "numéro de son premier processus"}},
    {"processes",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, processes),
     {"of its four processes, that run", "processus en marche, sur quatre"}},
    {"restarts",
     FIGURE_COUNT,
     OF(PAGE_SUPERVISOR, supervisor_figures, restarts),
     {"starts of the four because one had died", "redémarrages des quatre parce que l’un était mort"}},
    {"heard",
     FIGURE_TIME,
     OF(PAGE_NET, net_figures, heard_ms),
     {"when the coordinator last said something",
      "quand le coordinateur s’est fait entendre pour la dernière fois"}},
    {"connections",
     FIGURE_COUNT,
     OF(PAGE_NET, net_figures, connections),
     {"times that the coordinator was there, at first or after a silence",
      "fois où le coordinateur a été joint, d’abord ou après un silence"}},
    {"key_refused",
     FIGURE_LEVEL,
     OF(PAGE_NET, net_figures, key_refused),
     {"1 where the coordinator does not take this site's key",
      "1 si le coordinateur refuse la clé de ce site"}},
    {"clock_ahead_ms",
     FIGURE_LEVEL,
     OF(PAGE_NET, net_figures, clock_ahead_ms),
     {"by how much this machine's clock is before the coordinator's",
      "avance de l’horloge de cette machine sur celle du coordinateur, en ms"}},
    {"messages_received",
     FIGURE_COUNT,
     OF(PAGE_NET, net_figures, messages_received),
     {"from the coordinator", "messages reçus du coordinateur"}},
    {"messages_sent",
     FIGURE_COUNT,
     OF(PAGE_NET, net_figures, messages_sent),
     {"to the coordinator", "messages envoyés au coordinateur"}},
    {"bytes_received",
     FIGURE_COUNT,
     OF(PAGE_NET, net_figures, bytes_received),
     {"of these messages", "octets des messages reçus"}},
    {"bytes_sent",
     FIGURE_COUNT,
     OF(PAGE_NET, net_figures, bytes_sent),
     {"of these messages", "octets des messages envoyés"}},
    {"queries_open",
     FIGURE_LEVEL,
     OF(PAGE_VAULT, vault_figures, open),
     {"queries that are not over", "requêtes qui ne sont pas terminées"}},
    {"queries_asked",
     FIGURE_COUNT,
     OF(PAGE_VAULT, vault_figures, asked),
     {"questions that were judged", "questions qui ont été jugées"}},
    {"queries_refused",
     FIGURE_COUNT,
     OF(PAGE_VAULT, vault_figures, refused),
     {"of these, refused as a whole", "questions refusées en entier"}},
    {"queries_answered",
     FIGURE_COUNT,
     OF(PAGE_VAULT, vault_figures, answered),
     {"queries that are over and had a round of this site's",
      "requêtes terminées auxquelles ce site a répondu par un tour au moins"}},
    {"queries_ended",
     FIGURE_COUNT,
     OF(PAGE_VAULT, vault_figures, ended),
     {"queries that this site ended under a rule", "requêtes auxquelles ce site a mis fin selon une règle"}},
    {"rounds",
     FIGURE_COUNT,
     OF(PAGE_VAULT, vault_figures, rounds),
     {"masked vectors that left", "vecteurs masqués qui sont partis"}},
    {"analyses_refused",
     FIGURE_COUNT,
     OF(PAGE_VAULT, vault_figures, analyses),
     {"that this site refused, when asked or in a round",
      "analyses que ce site a refusées, à la demande ou dans un tour"}},
    {"directory_version",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, directory_version),
     {"of the network's directory in force", "version en vigueur de l’annuaire du réseau"}},
    {"snapshot",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, snapshot),
     {"number of the newest; 0: none", "numéro du plus récent instantané ; 0 : aucun"}},
    {"snapshot_made",
     FIGURE_TIME,
     OF(PAGE_SUPERVISOR, supervisor_figures, snapshot_ms),
     {"when the newest was made", "quand le plus récent instantané a été fait"}},
    {"log_bytes",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, log_bytes),
     {"on disk, of the message log", "octets sur disque du journal des messages"}},
    {"state_bytes",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, state_bytes),
     {"on disk, of open queries and the ledger",
      "octets sur disque des requêtes en cours et du registre des groupes"}},
    {"disk_free_bytes",
     FIGURE_LEVEL,
     OF(PAGE_SUPERVISOR, supervisor_figures, disk_free_bytes),
     {"left on the disk of the site's folder", "octets libres sur le disque du dossier du site"}},
};

enum maille_code worker_pages_open(struct worker_pages *figures, const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    figures->file = -1;
    for (size_t i = 0; i < FIGURES_PAGES; i++)
        MAILLE_TRY(figures_page(&figures->pages[i], error));
    struct supervisor_figures *own = figures->pages[PAGE_SUPERVISOR];
    figure_set(&own->started_ms, clock_utc_ms());
    figure_set(&own->pid, getpid());
    figure_set(&own->disk_free_bytes, figures_free_bytes(dir));
    MAILLE_TRY(figures_file_open(&figures->file, dir, error));
out:
    return code;
}

void worker_pages_keep(struct worker_pages *pages, enum figures_page_of page)
{
    for (size_t i = 0; i < FIGURES_PAGES; i++)
        if (i != page && pages->pages[i] != NULL) {
            munmap(pages->pages[i], FIGURES_PAGE_BYTES);
            pages->pages[i] = NULL;
        }
    if (pages->file >= 0)
        close(pages->file);
    pages->file = -1;
}

/* The newest snapshot and when it was made, as the index says. */
static void look_at_snapshots(struct supervisor_figures *own, const char *dir)
{
    char path[PATH_MAX];
    struct maille_error ignored;
    const struct snapshot_entry *entries = NULL;
    struct tm made = {0};
    size_t n = 0;
    struct arena *arena = arena_new();
    if (arena != NULL && file_path_join(path, sizeof path, dir, "snapshots", &ignored) == MAILLE_OK &&
        snapshots_read(&entries, &n, arena, path, &ignored) == MAILLE_OK && n > 0 &&
        strptime(entries[n - 1].created, "%Y-%m-%dT%H:%M:%S", &made) != NULL) {
        figure_set(&own->snapshot, entries[n - 1].number);
        figure_set(&own->snapshot_ms, (int64_t)timegm(&made) * 1000);
    }
    arena_free(arena);
}

static int64_t folder_bytes(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct maille_error ignored;
    return file_path_join(path, sizeof path, dir, name, &ignored) == MAILLE_OK ? figures_folder_bytes(path)
                                                                               : 0;
}

void worker_pages_beat(struct worker_pages *figures, const char *dir, bool sizes)
{
    struct supervisor_figures *own = figures->pages[PAGE_SUPERVISOR];
    struct maille_error error = {0};
    int64_t values[FIGURES_ROWS];
    if (sizes) {
        look_at_snapshots(own, dir);
        figure_set(&own->log_bytes, folder_bytes(dir, "log"));
        figure_set(&own->state_bytes, folder_bytes(dir, "state"));
        figure_set(&own->disk_free_bytes, figures_free_bytes(dir));
    }
    figure_set(&own->beat_ms, clock_utc_ms());
    figures_take(values, worker_figure_rows, FIGURES_ROWS, figures->pages);
    if (figures->file >= 0 &&
        figures_file_write(figures->file, worker_figure_rows, FIGURES_ROWS, values, &error) != MAILLE_OK)
        log_line(LOG_LEVEL_DEBUG, "%s", error.sentence);
}
