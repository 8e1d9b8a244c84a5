/* maille run and maille resume: take part in a query and write what comes out. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/options.h"
#include "agent/agent.h"
#include "cli/files.h"
#include "cli/run.h"
#include "report/report.h"

/* What run and resume have in common. */
struct outputs {
    const char *json, *csv, *html;
};

const char *cli_network_default(void)
{
    const char *path = getenv("MAILLE_NETWORK");
    return path != NULL ? path : "network.yaml";
}

enum maille_code cli_access(struct cli_access *access, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(cli_read_network(&access->directory, arena, access->network, error));
    MAILLE_TRY(cli_read_keys(&access->keys, KEY_RESEARCHER, access->key, access->credential, error));
out:
    return code;
}

static enum maille_code write_outputs(const struct agent *agent, const struct outputs *outputs,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct report_facts facts;
    struct report report;
    struct bytes text = {0};
    size_t n_files = 0;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the results, found none");
    agent_facts(&facts, arena, agent);
    report_of_run(&report, arena, agent_study_run(agent), &facts);
    if (outputs->json != NULL) {
        MAILLE_TRY(report_json(&text, &report, error));
        MAILLE_TRY(file_write_atomic(outputs->json, text.data, text.length, 0644, error));
    }
    if (outputs->csv != NULL)
        MAILLE_TRY(report_csv(&report, outputs->csv, &n_files, error));
    if (outputs->html != NULL) {
        text.length = 0;
        MAILLE_TRY(report_html(&text, &report, error));
        MAILLE_TRY(file_write_atomic(outputs->html, text.data, text.length, 0644, error));
    }
    if (outputs->json == NULL && outputs->csv == NULL && outputs->html == NULL)
        report_terminal(stdout, &report);
out:
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

/* A folder that is not there is found before the question is asked, not after an hour of rounds. */
static enum maille_code check_outputs(const struct outputs *outputs, struct maille_error *error)
{
    const char *const files[] = {outputs->json, outputs->html};
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    for (size_t f = 0; f < sizeof files / sizeof *files && code == MAILLE_OK; f++)
        if (files[f] != NULL && access(cli_folder_of(arena, files[f]), W_OK) != 0)
            code = maille_fail(error, MAILLE_INVALID,
                               "expected a folder to write %s into, found none that can be written: %s",
                               files[f], strerror(errno));
    arena_free(arena);
    return code;
}

static bool all_ok(const struct agent *agent)
{
    const struct study_run *run = agent_study_run(agent);
    for (size_t k = 0; k < run->study->n_analyses; k++)
        if (run->states[k].status != ANALYSIS_OK)
            return false;
    return true;
}

/* Takes part to the end; an analysis that was refused or failed gives exit status 1 after the results are
 * written. */
static int take_part(struct agent *agent, const char *program, const struct outputs *outputs, bool detach)
{
    struct maille_error error = {0};
    enum maille_code code = agent_run(agent, &error);
    if (code == MAILLE_OK && !agent_ended(agent) && detach) {
        printf("%s\n", agent_id(agent));
        fprintf(stderr, "asked; go on with: maille resume %.8s\n", agent_id(agent));
        return 0;
    }
    if (code == MAILLE_OK)
        code = write_outputs(agent, outputs, &error);
    if (code != MAILLE_OK)
        return options_program_fail(program, &error);
    return all_ok(agent) ? 0 : 1;
}

#define ACCESS_ROWS(access)                                                                                  \
    {"network",                                                                                              \
     OPTION_STRING,                                                                                          \
     &(access).network,                                                                                      \
     "network.yaml",                                                                                         \
     "the signed directory of the network",                                                                  \
     false,                                                                                                  \
     0,                                                                                                      \
     0},                                                                                                     \
        {"key", OPTION_STRING, &(access).key, "researcher.key", "your key file", true, 0, 0},                \
    {                                                                                                        \
        "credential", OPTION_STRING, &(access).credential, "FILE", "opens the key without a passphrase",     \
            false, 0, 0                                                                                      \
    }
#define OUTPUT_ROWS(outputs)                                                                                 \
    {"json", OPTION_STRING, &(outputs).json, "F", "write the result file", false, 0, 0},                     \
        {"csv", OPTION_STRING, &(outputs).csv, "DIR", "write one tidy table a file", false, 0, 0},           \
    {                                                                                                        \
        "report", OPTION_STRING, &(outputs).html, "F.html", "write a report", false, 0, 0                    \
    }
#define LAST_ROW                                                                                             \
    {                                                                                                        \
        NULL, OPTION_FLAG, NULL, NULL, NULL, false, 0, 0                                                     \
    }

static struct agent_options agent_options(const struct cli_access *access, int64_t timeout_ms)
{
    return (struct agent_options){
        .directory = access->directory,
        .keys = access->keys,
        .timeout_ms = timeout_ms,
        .progress = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL ? stderr : NULL,
        .words = stderr,
    };
}

int cli_run(int argc, char **argv)
{
    struct cli_access access = {.network = cli_network_default()};
    struct outputs outputs = {0};
    const char *dictionary_path = NULL, *path = NULL;
    int64_t timeout = 600000;
    bool detach = false, done = false;
    size_t n;
    const struct option_row rows[] = {
        ACCESS_ROWS(access),
        {"dictionary", OPTION_STRING, &dictionary_path, "FILE",
         "the data dictionary; looked for beside the study and the network if absent", false, 0, 0},
        OUTPUT_ROWS(outputs),
        {"timeout", OPTION_DURATION, &timeout, "TIME", "give up when nothing moves for this long", false, 0,
         0},
        {"detach", OPTION_FLAG, &detach, NULL,
         "leave once the coordinator has the question; maille resume goes on", false, 0, 0},
        LAST_ROW};
    const struct option_usage usage = {
        "maille run", "STUDY.yaml",
        "Asks a study, takes part in its rounds and writes the results. Without --json, --csv or --report "
        "the\n"
        "main tables are printed. Ctrl-C leaves the query as it is: maille resume goes on.",
        1, 1};
    struct maille_error error = {0};
    const struct study *study;
    const struct dictionary *dictionary;
    struct agent *agent = NULL;
    int status;
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(check_outputs(&outputs, &error));
    MAILLE_TRY(cli_access(&access, arena, &error));
    MAILLE_TRY(cli_read_study(&study, &dictionary, arena, path, dictionary_path,
                              cli_folder_of(arena, access.network), NULL, &error));
    struct agent_options options = agent_options(&access, timeout);
    options.detach = detach;
    MAILLE_TRY(agent_ask(&agent, &options, study, &error));
    status = take_part(agent, "maille run", &outputs, detach);
    agent_free(agent);
    secret_keys_free(access.keys);
    arena_free(arena);
    return status;
out:
    secret_keys_free(access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille run", &error);
}

int cli_resume(int argc, char **argv)
{
    struct cli_access access = {.network = cli_network_default()};
    struct outputs outputs = {0};
    const char *id = NULL;
    int64_t timeout = 600000;
    bool without_held = false, done = false;
    size_t n;
    const struct option_row rows[] = {ACCESS_ROWS(access),
                                      OUTPUT_ROWS(outputs),
                                      {"timeout", OPTION_DURATION, &timeout, "TIME",
                                       "give up when nothing moves for this long", false, 0, 0},
                                      {"without-held", OPTION_FLAG, &without_held, NULL,
                                       "call without the sites whose officers have not decided", false, 0, 0},
                                      LAST_ROW};
    const struct option_usage usage = {
        "maille resume", "ID",
        "Goes on with a query that was asked on this machine; ID may be how it begins.", 1, 1};
    struct maille_error error = {0};
    struct agent *agent = NULL;
    int status;
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &id, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(check_outputs(&outputs, &error));
    MAILLE_TRY(cli_access(&access, arena, &error));
    struct agent_options options = agent_options(&access, timeout);
    options.without_held = without_held;
    MAILLE_TRY(agent_resume(&agent, &options, id, &error));
    status = take_part(agent, "maille resume", &outputs, false);
    agent_free(agent);
    secret_keys_free(access.keys);
    arena_free(arena);
    return status;
out:
    secret_keys_free(access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille resume", &error);
}
