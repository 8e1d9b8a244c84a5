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
    {"started", FIGURE_TIME, OF(PAGE_SUPERVISOR, supervisor_figures, started_ms), "when the program began"},
    {"beat", FIGURE_TIME, OF(PAGE_SUPERVISOR, supervisor_figures, beat_ms),
     "when it last wrote these figures"},
    {"pid", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, pid), "of its first process"},
    {"processes", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, processes),
     "of its four processes, that run"},
    {"restarts", FIGURE_COUNT, OF(PAGE_SUPERVISOR, supervisor_figures, restarts),
     "starts of the four because one had died"},
    {"heard", FIGURE_TIME, OF(PAGE_NET, net_figures, heard_ms), "when the coordinator last said something"},
    {"connections", FIGURE_COUNT, OF(PAGE_NET, net_figures, connections),
     "times that the coordinator was there, at first or after a silence"},
    {"key_refused", FIGURE_LEVEL, OF(PAGE_NET, net_figures, key_refused),
     "1 where the coordinator does not take this site's key"},
    {"clock_ahead_ms", FIGURE_LEVEL, OF(PAGE_NET, net_figures, clock_ahead_ms),
     "by how much this machine's clock is before the coordinator's"},
    {"messages_received", FIGURE_COUNT, OF(PAGE_NET, net_figures, messages_received), "from the coordinator"},
    {"messages_sent", FIGURE_COUNT, OF(PAGE_NET, net_figures, messages_sent), "to the coordinator"},
    {"bytes_received", FIGURE_COUNT, OF(PAGE_NET, net_figures, bytes_received), "of these messages"},
    {"bytes_sent", FIGURE_COUNT, OF(PAGE_NET, net_figures, bytes_sent), "of these messages"},
    {"queries_open", FIGURE_LEVEL, OF(PAGE_VAULT, vault_figures, open), "queries that are not over"},
    {"queries_asked", FIGURE_COUNT, OF(PAGE_VAULT, vault_figures, asked), "questions that were judged"},
    {"queries_refused", FIGURE_COUNT, OF(PAGE_VAULT, vault_figures, refused), "of these, refused as a whole"},
    {"queries_answered", FIGURE_COUNT, OF(PAGE_VAULT, vault_figures, answered),
     "queries that are over and had a round of this site's"},
    {"queries_ended", FIGURE_COUNT, OF(PAGE_VAULT, vault_figures, ended),
     "queries that this site ended under a rule"},
    {"rounds", FIGURE_COUNT, OF(PAGE_VAULT, vault_figures, rounds), "masked vectors that left"},
    {"analyses_refused", FIGURE_COUNT, OF(PAGE_VAULT, vault_figures, analyses),
     "that this site refused, when asked or in a round"},
    {"directory_version", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, directory_version),
     "of the network's directory in force"},
    {"snapshot", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, snapshot),
     "number of the newest; 0: none"},
    {"snapshot_made", FIGURE_TIME, OF(PAGE_SUPERVISOR, supervisor_figures, snapshot_ms),
     "when the newest was made"},
    {"log_bytes", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, log_bytes),
     "on disk, of the message log"},
    {"state_bytes", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, state_bytes),
     "on disk, of open queries and the ledger"},
    {"disk_free_bytes", FIGURE_LEVEL, OF(PAGE_SUPERVISOR, supervisor_figures, disk_free_bytes),
     "left on the disk of the site's folder"},
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
