/* maille-worker status: what a running site counts of itself, and whether it is well. Reads DIR/status alone:
 * no key is opened, and no patient's value is in it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/health.h"
#include "base/options.h"
#include "worker/commands.h"
#include "worker/figures.h"

enum { SILENT_MS = 120 * 1000 };

static int64_t value_of(const int64_t *values, unsigned page, size_t offset)
{
    for (size_t i = 0; i < FIGURES_ROWS; i++)
        if (worker_figure_rows[i].page == page && worker_figure_rows[i].offset == offset)
            return values[i];
    return 0;
}
#define OF_SUPERVISOR(member) value_of(values, PAGE_SUPERVISOR, offsetof(struct supervisor_figures, member))
#define OF_NET(member) value_of(values, PAGE_NET, offsetof(struct net_figures, member))

/* In the order of what is to be mended first. */
static void judge(struct health *health, const int64_t *values, bool there, const char *dir,
                  int64_t silent_ms)
{
    const int64_t now_ms = clock_utc_ms(), beat_ms = OF_SUPERVISOR(beat_ms), heard_ms = OF_NET(heard_ms),
                  free_bytes = OF_SUPERVISOR(disk_free_bytes), processes = OF_SUPERVISOR(processes);
    if (!there || now_ms - beat_ms > FIGURES_DEAD_MS || processes == 0) {
        health_problem(
            health, MAILLE_FAILED,
            "expected a worker that runs over %s, found none; start it: maille-worker serve --dir %s",
            "aucun programme ne tourne sur %s ; démarrez-le : maille-worker serve --dir %s", dir, dir);
        return;
    }
    if (processes < FIGURES_PROCESSES)
        health_problem(
            health, MAILLE_FAILED,
            "expected four processes, found %d; the program's own log says why one died",
            "quatre processus attendus, %d trouvés ; le journal du programme dit pourquoi l’un est mort",
            (int)processes);
    if (OF_NET(key_refused) != 0)
        health_problem(
            health, MAILLE_UNREACHABLE,
            "expected the coordinator to take this site's key, found that it refuses it; is the site in "
            "its directory?",
            "le coordinateur refuse la clé de ce site ; le site est-il dans son annuaire ?");
    else if (heard_ms == 0 && now_ms - OF_SUPERVISOR(started_ms) > silent_ms)
        health_problem(
            health, MAILLE_UNREACHABLE,
            "expected a word of the coordinator's, found none since the start; see docs/FIREWALL.md",
            "le coordinateur ne s’est pas fait entendre depuis le démarrage ; voir docs/FIREWALL.md");
    else if (heard_ms != 0 && now_ms - heard_ms > silent_ms)
        health_problem(health, MAILLE_UNREACHABLE,
                       "expected a word of the coordinator's, found none for %lld s; see docs/FIREWALL.md",
                       "le coordinateur ne s’est pas fait entendre depuis %lld s ; voir docs/FIREWALL.md",
                       (long long)(now_ms - heard_ms) / 1000);
    if (free_bytes >= 0 && free_bytes < HEALTH_FREE_BYTES_LEAST)
        health_problem(health, MAILLE_IO, "expected at least %d MB free for %s, found %lld MB; make room",
                       "au moins %d Mo libres attendus pour %s, %lld Mo trouvés ; faites de la place",
                       HEALTH_FREE_BYTES_LEAST >> 20, dir, (long long)free_bytes >> 20);
    if (OF_SUPERVISOR(snapshot) == 0)
        health_problem(
            health, MAILLE_FAILED,
            "expected a snapshot, found none: no study can be answered; see maille-worker import",
            "aucun instantané : il ne peut être répondu à aucune étude ; voir maille-worker import");
}

int worker_status(int argc, char **argv)
{
    struct maille_error error = {0};
    struct health_asked asked = {.silent_ms = SILENT_MS};
    struct health health = {0};
    int64_t values[FIGURES_ROWS];
    bool done = false, there = false;
    size_t n = 0;
    const struct option_row rows[] = {HEALTH_OPTIONS(&asked, "the site's folder"), {.name = NULL}};
    const struct option_usage usage = {
        .program = "maille-worker status",
        .positional = "",
        .sentence = "What the running worker has counted since it started, and whether it is "
                    "well.\nExit status 0: it is. 1: it does not run, or has no room. 3: the "
                    "coordinator was not heard for --silent."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = health_language(&health, &asked, &error);
    if (code == MAILLE_OK && !done)
        code = figures_file_read(values, &there, worker_figure_rows, FIGURES_ROWS, asked.dir, &error);
    if (code == MAILLE_OK && !done) {
        judge(&health, values, there, asked.dir, asked.silent_ms);
        const struct health_figures shown = {
            .program = "maille_worker", .rows = worker_figure_rows, .n = FIGURES_ROWS, .values = values};
        code = health_show(&health, &asked, &shown, &error);
    }
    if (code != MAILLE_OK)
        return options_program_fail("maille-worker", &error);
    return maille_exit_status(health.code);
}
