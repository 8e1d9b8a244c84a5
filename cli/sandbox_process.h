/* The processes of a sandbox: started apart from the terminal, found again by their pid files. */
#ifndef CLI_SANDBOX_PROCESS_H
#define CLI_SANDBOX_PROCESS_H

#include <stdbool.h>

#include "base/error.h"

/* Path of a program of ours: beside this one, else as found by PATH. out has PATH_MAX bytes. */
void sandbox_program_path(char *out, const char *name);

/* Runs a program to its end; its standard output is dropped, its standard error kept. MAILLE_FAILED with the
 * last line that it said. */
enum maille_code sandbox_program_run(const char *const *argv, struct maille_error *error) MAILLE_CHECKED;

/* Starts a daemon in a session of its own: standard error appended to FOLDER/program.log, pid in FOLDER/pid.
 */
enum maille_code sandbox_daemon_start(const char *folder, const char *const *argv,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Looks for wait_ms whether the daemon stays: MAILLE_FAILED with the last line of its log when it stopped.
 * name: for the sentence. */
enum maille_code sandbox_daemon_check(const char *folder, const char *name, int wait_ms,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Is the daemon of this folder running? (pid file, and the process is one of ours) */
bool sandbox_daemon_running(const char *folder);

/* Sends a signal to the daemon and all it started; waits until they are gone, at most timeout_ms, then kills.
 * false: none was running. */
bool sandbox_daemon_stop(const char *folder, int signal, int timeout_ms);

#endif
