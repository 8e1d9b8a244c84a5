/* Subcommands of maille-worker; main.c is the table. argv[0] is the subcommand's name; each returns the exit
 * status of docs/CLI.md. */
#ifndef WORKER_COMMANDS_H
#define WORKER_COMMANDS_H

#include "crypto/identity.h"

int worker_init(int argc, char **argv);
int worker_import(int argc, char **argv);
int worker_map(int argc, char **argv);
int worker_synth(int argc, char **argv);
int worker_check(int argc, char **argv);
int worker_snapshots(int argc, char **argv);
int worker_objections(int argc, char **argv);
int worker_policy(int argc, char **argv);
int worker_preview(int argc, char **argv);
int worker_pending(int argc, char **argv);
int worker_approve(int argc, char **argv);
int worker_deny(int argc, char **argv);
int worker_stop(int argc, char **argv);
int worker_decide(int argc, char **argv);
int worker_notify(int argc, char **argv);
int worker_rekey(int argc, char **argv);
int worker_serve(int argc, char **argv);
int worker_studies(int argc, char **argv);
int worker_status(int argc, char **argv);
int worker_web(int argc, char **argv);

/* What `import --monthly` does: a snapshot of this month, where there is a snapshot but none of this month.
 */
enum maille_code import_monthly(const char *dir, const char *credential,
                                struct maille_error *error) MAILLE_CHECKED;

/* Opens DIR/site.key with the credential file, or (NULL) with $MAILLE_PASSPHRASE. MAILLE_INVALID: neither is
 * there, or the file holds the key of another role. */
enum maille_code worker_keys(struct secret_keys **keys, const char *dir, const char *credential,
                             struct maille_error *error) MAILLE_CHECKED;

#endif
