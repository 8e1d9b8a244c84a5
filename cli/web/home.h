/* What the researcher's page keeps on this machine: a folder of numbered studies, each with what was asked,
 * what happened and what came out; and what is known of the network. */
#ifndef CLI_WEB_HOME_H
#define CLI_WEB_HOME_H

#include "cli/run.h"
#include "web/command.h"
#include "web/keeper.h"

/* FOLDER/dictionary.yaml      as a site of the network publishes it
 * FOLDER/policy.yaml          the strictest preset that a site publishes
 * FOLDER/studies/0001/        study.yaml dictionary.yaml events lock result.json report.html tables/ figures/
 */
struct home {
    struct cli_access access;
    const char *folder;
    /* Of an officer: the site's own folder, or (site NULL) a folder into which IT writes what is asked; the
     * logs that she reads, and what they are held against. */
    const char *site, *inbox, *witness, *programs, **logs;
    size_t n_logs;
};

enum { HOME_STUDIES_MAX = 9999, HOME_TEXT_MAX = 64 * 1024 * 1024 };
enum home_state { HOME_RUNNING, HOME_DONE, HOME_STOPPED };

/* The home of the page that answers. */
const struct home *home_of(const struct web_request *request);

/* A new study's folder with its text in it. *number: "0001", in the arena. */
enum maille_code home_add(const char **number, struct arena *arena, const struct home *home, const void *text,
                          size_t length, struct maille_error *error) MAILLE_CHECKED;
/* The number that a request names ("n"), of a study that is there; MAILLE_INVALID. */
enum maille_code home_asked(const char **number, const struct web_request *request,
                            struct maille_error *error) MAILLE_CHECKED;
/* FOLDER/studies/NUMBER/name, in the arena. */
const char *home_path(struct arena *arena, const struct home *home, const char *number, const char *name);
/* Numbers of all studies, the newest first. */
size_t home_list(const char ***numbers, struct arena *arena, const struct home *home);
enum home_state home_state(struct arena *arena, const struct home *home, const char *number);
/* A whole file of a study as text in the arena; "" where there is none. */
const char *home_text(struct arena *arena, const struct home *home, const char *number, const char *name);

/* The id of the query that a study is, from its events: the last that was asked. "" where none was. */
const char *home_query(struct arena *arena, const struct home *home, const char *number);

/* Takes the lock of a study for this process, which begins to work at it: its descriptor, or −1. */
int home_lock(struct arena *arena, const struct home *home, const char *number);
/* Asks the process that works at a study to end (SIGTERM), and waits until it has; all of them. */
void home_stop(struct arena *arena, const struct home *home, const char *number);
void home_stop_all(struct arena *arena, const struct home *home);

#endif
