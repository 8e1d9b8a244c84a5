/* What a coordinator counts: DIR/status has it while it runs, and a loopback port where coordinator.yaml says
 * so. */
#ifndef COORDINATOR_FIGURES_H
#define COORDINATOR_FIGURES_H

#include "base/figures.h"
#include "coordinator/coordinator.h"

struct coordinator_page {
    figure pid, started_ms, beat_ms, heard_ms;
    figure messages_received, messages_sent, bytes_received, bytes_sent, messages_dropped, hangups;
    figure queries_open, queries_asked, queries_refused, queries_given_up, rounds;
    figure sites, sites_here; /* of the directory; of these, heard within SITE_HERE_MS */
    figure directory_version, log_bytes, database_bytes, disk_free_bytes;
};

enum { FIGURES_BEAT_MS = 5000, FIGURES_DEAD_MS = 30000, SITE_HERE_MS = 120 * 1000, FIGURES_ROWS = 21 };
extern const struct figure_row coordinator_figure_rows[FIGURES_ROWS];

/* What stands in the coordinator and its folder, then the file (-1: none). sizes: look at folders too. */
void coordinator_page_beat(struct coordinator_page *page, const struct coordinator *coordinator,
                           const char *dir, int file, bool sizes);

#endif
