/* What the processes of a worker count: pages, rows, and what of them is no health. DIR/status has them while
 * the worker runs, and a loopback port where worker.yaml says so (metrics). */
#ifndef WORKER_FIGURES_H
#define WORKER_FIGURES_H

#include "base/figures.h"
#include "vault/vault.h"

struct supervisor_figures {
    figure pid;                 /* of the supervisor, as its own machine or container numbers it */
    figure started_ms, beat_ms; /* when the program began; when it last said that it is there */
    figure processes;           /* of four, that run */
    figure restarts;            /* of all four, because one died */
    figure log_bytes, state_bytes, disk_free_bytes;
    figure directory_version, snapshot, snapshot_ms;
};

struct net_figures {
    figure heard_ms;    /* when the coordinator last said something */
    figure connections; /* how often it was there again after a silence */
    figure key_refused; /* 1: it does not know this site's key */
    figure clock_ahead_ms;
    figure messages_received, messages_sent, bytes_received, bytes_sent;
};

/* BEAT_MS: how often DIR/status is written; DEAD_MS: without a beat for so long, the program is not running.
 */
enum { FIGURES_BEAT_MS = 5000, FIGURES_DEAD_MS = 30000, FIGURES_PROCESSES = 4 };

enum figures_page_of { PAGE_SUPERVISOR, PAGE_VAULT, PAGE_NET, FIGURES_PAGES };
enum { FIGURES_ROWS = 26 };
extern const struct figure_row worker_figure_rows[FIGURES_ROWS];

struct worker_pages {
    void *pages[FIGURES_PAGES];
    int file; /* DIR/status; −1: none */
};

/* Pages and file of a worker that starts. What fails is told by the caller and stops nothing: without a file,
 * status says that nothing runs. */
enum maille_code worker_pages_open(struct worker_pages *figures, const char *dir,
                                   struct maille_error *error) MAILLE_CHECKED;
/* In a child: no page but the one that it writes (FIGURES_PAGES: none). */
void worker_pages_keep(struct worker_pages *pages, enum figures_page_of page);
/* Sizes, the newest snapshot and the beat, then the file. sizes: look at folders too (once a minute is
 * enough). */
void worker_pages_beat(struct worker_pages *figures, const char *dir, bool sizes);

#endif
