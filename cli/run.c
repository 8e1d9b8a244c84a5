/* maille run and maille resume: take part in a query and write what comes out. */
#include "cli/check_size.h"
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/display.h"
#include "base/file.h"
#include "base/json.h"
#include "base/options.h"
#include "agent/evidence.h"
#include "cli/files.h"
#include "cli/run.h"
#include "cli/talk.h"
#include "cli/session.h"
#include "report/report.h"

/* What run and resume have in common. */
struct outputs {
    const char *json, *csv, *html;
    const char *progress; /* "json": events on standard error instead of words */
    bool quiet;           /* no tables on standard output */
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

int cli_run_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40)
        return REPORT_TERMINAL_WIDTH;
    return size.ws_col;
}

static enum maille_code write_outputs(struct agent *agent, const struct outputs *outputs,
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
    MAILLE_TRY(report_json(&text, &report, error));
    MAILLE_TRY(agent_evidence_result(agent, &text, error));
    if (outputs->json != NULL)
        MAILLE_TRY(file_write_atomic(outputs->json, text.data, text.length, 0644, error));
    if (outputs->csv != NULL)
        MAILLE_TRY(report_csv(&report, outputs->csv, &n_files, error));
    if (outputs->html != NULL) {
        text.length = 0;
        MAILLE_TRY(report_html(&text, &report, error));
        MAILLE_TRY(file_write_atomic(outputs->html, text.data, text.length, 0644, error));
    }
    if (!outputs->quiet)
        report_terminal(stdout, &report, cli_run_width());
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
    if (outputs->progress != NULL && strcmp(outputs->progress, "json") != 0)
        return maille_fail(error, MAILLE_INVALID, "expected --progress json, found \"%s\"",
                           outputs->progress);
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

/* Every site would refuse it, without saying what is outside. */
static enum maille_code check_registration(const struct cli_access *access, const struct study *study,
                                           struct arena *arena, struct maille_error *error)
{
    const char *faults[REGISTRATION_FAULTS_MAX];
    const size_t n = registration_faults(faults, arena, access->directory, study,
                                         secret_keys_name(access->keys), clock_utc_ms());
    return n == 0 ? MAILLE_OK : maille_refuse(error, "protocol", "%s", faults[0]);
}

enum { CATALOGUES_WAIT_MS = 5000 };

/* The paths that resume takes from the question. */
enum { REMEMBERED = CLI_SESSION_ACCESS + 3 };
static void list_remembered(struct cli_remembered rows[REMEMBERED], struct cli_access *access,
                            struct outputs *outputs)
{
    const struct cli_remembered files[] = {
        {"json", &outputs->json}, {"csv", &outputs->csv}, {"report", &outputs->html}};
    cli_session_access(rows, access);
    memcpy(rows + CLI_SESSION_ACCESS, files, sizeof files);
}

/* --- the events that only this file knows: asked, ended, error (docs/CLI.md) --- */

static bool as_events(const struct outputs *outputs)
{
    return outputs->progress != NULL;
}

static void event_line(struct bytes *line)
{
    bytes_put_u8(line, '\n');
    if (!line->failed)
        fwrite(line->data, 1, line->length, stderr);
    bytes_clear(line);
}

static void event_asked(const struct agent *agent)
{
    struct bytes line = {0};
    struct json_put event = {.out = &line};
    json_put_object(&event, NULL);
    json_put_text(&event, "event", "asked");
    json_put_text(&event, "query", agent_id(agent));
    json_put_text(&event, "study", agent_study_run(agent)->study->id);
    json_put_end(&event);
    event_line(&line);
}

static void event_ended(const struct agent *agent, int status)
{
    static const char *const names[] = {[ANALYSIS_OPEN] = "open",
                                        [ANALYSIS_OK] = "ok",
                                        [ANALYSIS_REFUSED] = "refused",
                                        [ANALYSIS_FAILED] = "failed",
                                        [ANALYSIS_VETOED] = "vetoed"};
    const struct study_run *run = agent_study_run(agent);
    struct bytes line = {0};
    struct json_put event = {.out = &line};
    json_put_object(&event, NULL);
    json_put_text(&event, "event", "ended");
    json_put_text(&event, "query", agent_id(agent));
    json_put_integer(&event, "exit", status);
    json_put_list(&event, "analyses");
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        json_put_object(&event, NULL);
        json_put_text(&event, "id", run->study->analyses[k].id);
        json_put_text(&event, "status", names[run->states[k].status]);
        json_put_end(&event);
    }
    json_put_end(&event);
    json_put_end(&event);
    event_line(&line);
}

/* The failure in the form that was asked for; its exit status. */
static int run_fail(const char *program, const struct outputs *outputs, const struct agent *agent,
                    const struct maille_error *error)
{
    struct bytes line = {0};
    struct json_put event = {.out = &line};
    if (!as_events(outputs))
        return options_program_fail(program, error);
    json_put_object(&event, NULL);
    json_put_text(&event, "event", "error");
    json_put_text(&event, "query", agent == NULL ? NULL : agent_id(agent));
    json_put_integer(&event, "exit", maille_exit_status(error->code));
    json_put_text(&event, "code", maille_code_name(error->code));
    json_put_text(&event, "sentence", error->sentence);
    json_put_end(&event);
    event_line(&line);
    return maille_exit_status(error->code);
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
 * written. *again: may it be asked anew, where another question was counted at the same time; whether it is
 * to be: then nothing is written. */
static int take_part(struct agent *agent, const char *program, const struct outputs *outputs, bool detach,
                     bool *again)
{
    const bool may = *again;
    struct maille_error error = {0};
    if (as_events(outputs))
        event_asked(agent);
    enum maille_code code = agent_run(agent, &error);
    *again = false;
    if (code == MAILLE_OK && !agent_ended(agent) && detach) {
        printf("%s\n", agent_id(agent));
        if (!as_events(outputs))
            fprintf(stderr, "asked; go on with: maille resume %.8s\n", agent_id(agent));
        return 0;
    }
    *again = may && code == MAILLE_OK && agent_again(agent);
    if (*again) {
        if (!as_events(outputs))
            fprintf(stderr, "another question was counted at the same time: asking again\n");
        return 0;
    }
    if (code == MAILLE_OK)
        code = write_outputs(agent, outputs, &error);
    if (code != MAILLE_OK)
        return run_fail(program, outputs, agent, &error);
    const int status = all_ok(agent) ? 0 : 1;
    if (as_events(outputs))
        event_ended(agent, status);
    return status;
}

void cli_access_rows(struct option_row rows[CLI_ACCESS_ROWS], struct cli_access *access, bool key_required)
{
    rows[0] = (struct option_row){.name = "network",
                                  .kind = OPTION_STRING,
                                  .target = &access->network,
                                  .argument = "network.yaml",
                                  .sentence = "the signed directory of the network"};
    rows[1] = (struct option_row){.name = "key",
                                  .kind = OPTION_STRING,
                                  .target = &access->key,
                                  .argument = "researcher.key",
                                  .sentence = "your key file",
                                  .required = key_required};
    rows[2] = (struct option_row){.name = "credential",
                                  .kind = OPTION_STRING,
                                  .target = &access->credential,
                                  .argument = "FILE",
                                  .sentence = "opens the key without a passphrase"};
}

/* What run and resume both take: the rows before those of their own. */
enum { OUTPUT_ROWS = 5, SHARED_ROWS = CLI_ACCESS_ROWS + OUTPUT_ROWS };

static void shared_rows(struct option_row rows[SHARED_ROWS], struct cli_access *access,
                        struct outputs *outputs, bool key_required)
{
    const struct option_row output_rows[OUTPUT_ROWS] = {
        {.name = "progress",
         .kind = OPTION_STRING,
         .target = &outputs->progress,
         .argument = "json",
         .sentence = "one JSON line an event on standard error, for programs"},
        {.name = "json",
         .kind = OPTION_STRING,
         .target = &outputs->json,
         .argument = "F",
         .sentence = "write the result file"},
        {.name = "csv",
         .kind = OPTION_STRING,
         .target = &outputs->csv,
         .argument = "DIR",
         .sentence = "write one tidy table a file"},
        {.name = "report",
         .kind = OPTION_STRING,
         .target = &outputs->html,
         .argument = "F.html",
         .sentence = "write a report"},
        {.name = "quiet",
         .kind = OPTION_FLAG,
         .target = &outputs->quiet,
         .sentence = "do not print the main tables"},
    };
    cli_access_rows(rows, access, key_required);
    memcpy(rows + CLI_ACCESS_ROWS, output_rows, sizeof output_rows);
}

static struct agent_options agent_options(const struct cli_access *access, const struct outputs *outputs,
                                          int64_t timeout_ms)
{
    const bool terminal = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
    return (struct agent_options){
        .directory = access->directory,
        .keys = access->keys,
        .timeout_ms = timeout_ms,
        .progress = terminal && !as_events(outputs) ? display_raw() : NULL,
        .words = as_events(outputs) ? NULL : stderr,
        .events = as_events(outputs) ? stderr : NULL,
    };
}

/* "site-3,site-4" as a list of names in the arena. */
static void split_names(struct agent_options *options, struct arena *arena, const char *text)
{
    size_t n = 1, room = 1;
    for (const char *c = text; text != NULL && *c != '\0'; c++)
        room += *c == ',';
    const char **names = arena_array(arena, room, sizeof *names);
    for (n = 0; text != NULL && *text != '\0'; text += *text == ',') {
        size_t length = strcspn(text, ",");
        if (length > 0)
            names[n++] = arena_strndup(arena, text, length);
        text += length;
    }
    options->without = names;
    options->n_without = n;
}

/* Before anything is sent: what so many sites cannot exchange. They refuse it by itself; the others go on. */
static enum maille_code say_size(const struct study *study, const struct agent_options *options,
                                 const char *path, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct check_size size = {0};
    const struct directory *directory = options->directory;
    const struct policy *floor = NULL;
    const size_t named = study->all_sites ? directory->n_sites : study->n_sites;
    if (directory->floor != NULL)
        MAILLE_TRY(policy_parse(&floor, arena, "the network's floor", directory->floor,
                                strlen(directory->floor), error));
    MAILLE_TRY(cli_check_size(&size, study, floor,
                              named > options->n_without ? named - options->n_without : 0, path, arena,
                              error));
    for (size_t i = 0; i < size.n; i++)
        fprintf(stderr, "maille run: %s%s\n",
                size.findings[i].sure ? "" : "unless the head counts join steps of it: ",
                size.findings[i].sentence);
out:
    return code;
}

int cli_run(int argc, char **argv)
{
    struct cli_access access = {.network = cli_network_default()};
    struct outputs outputs = {0};
    const char *dictionary_path = NULL, *path = NULL;
    int64_t timeout = 600000;
    const char *without = NULL;
    bool detach = false, wait = false, done = false;
    size_t n;
    struct option_row rows[SHARED_ROWS + 6] = {
        [SHARED_ROWS] = {.name = "dictionary",
                         .kind = OPTION_STRING,
                         .target = &dictionary_path,
                         .argument = "FILE",
                         .sentence =
                             "the data dictionary; looked for beside the study and the network if absent"},
        {.name = "timeout",
         .kind = OPTION_DURATION,
         .target = &timeout,
         .argument = "TIME",
         .sentence = "give up when nothing moves for this long"},
        {.name = "without",
         .kind = OPTION_STRING,
         .target = &without,
         .argument = "SITE",
         .sentence = "do not ask this site (or several: a,b), although the study names it"},
        {.name = "wait",
         .kind = OPTION_FLAG,
         .target = &wait,
         .sentence = "wait for sites that are away, up to --timeout, instead of ending"},
        {.name = "detach",
         .kind = OPTION_FLAG,
         .target = &detach,
         .sentence = "leave once the coordinator has the question; maille resume goes on"},
        {.name = NULL},
    };
    shared_rows(rows, &access, &outputs, true);
    const struct option_usage usage = {
        "maille run", "STUDY.yaml",
        "Asks a study, takes part in its rounds, prints the main tables and writes the results.\n"
        "Ctrl-C leaves the query as it is: maille resume goes on.",
        1, 1};
    struct maille_error error = {0};
    const struct study *study;
    const struct dictionary *dictionary;
    struct agent *agent = NULL;
    struct cli_remembered remembered[REMEMBERED];
    int status;
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(check_outputs(&outputs, &error));
    MAILLE_TRY(cli_access(&access, arena, &error));
    MAILLE_TRY(cli_read_study(&study, &dictionary, NULL, arena, path, dictionary_path,
                              cli_folder_of(arena, access.network), NULL, &error));
    MAILLE_TRY(check_registration(&access, study, arena, &error));
    struct agent_options options = agent_options(&access, &outputs, timeout);
    options.detach = detach;
    options.wait = wait;
    options.mode = cli_mode(&access, study, timeout < CATALOGUES_WAIT_MS ? timeout : CATALOGUES_WAIT_MS);
    split_names(&options, arena, without);
    if (options.mode == MODE_CIRCLE)
        MAILLE_TRY(say_size(study, &options, path, arena, &error));
    list_remembered(remembered, &access, &outputs);
    for (unsigned asked = 0;; asked++) {
        MAILLE_TRY(agent_ask(&agent, &options, study, &error));
        MAILLE_TRY(cli_session_write(agent, remembered, REMEMBERED, &error));
        bool again = asked < AGENT_AGAIN_MAX;
        status = take_part(agent, "maille run", &outputs, detach, &again);
        agent_free(agent);
        agent = NULL;
        if (!again)
            break;
    }
    secret_keys_free(access.keys);
    arena_free(arena);
    return status;
out:
    agent_free(agent);
    secret_keys_free(access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : run_fail("maille run", &outputs, NULL, &error);
}

int cli_resume(int argc, char **argv)
{
    struct cli_access access = {0};
    struct outputs outputs = {0};
    const char *id = NULL;
    const char *without = NULL;
    int64_t timeout = 600000;
    bool without_held = false, wait = false, done = false;
    size_t n;
    struct option_row rows[SHARED_ROWS + 5] = {
        [SHARED_ROWS] = {.name = "timeout",
                         .kind = OPTION_DURATION,
                         .target = &timeout,
                         .argument = "TIME",
                         .sentence = "give up when nothing moves for this long"},
        {.name = "without",
         .kind = OPTION_STRING,
         .target = &without,
         .argument = "SITE",
         .sentence = "go on without this site (or several: a,b) where it is silent"},
        {.name = "wait",
         .kind = OPTION_FLAG,
         .target = &wait,
         .sentence = "wait for sites that are away, up to --timeout, instead of ending"},
        {.name = "without-held",
         .kind = OPTION_FLAG,
         .target = &without_held,
         .sentence = "call without the sites whose officers have not decided"},
        {.name = NULL},
    };
    shared_rows(rows, &access, &outputs, false);
    const struct option_usage usage = {
        "maille resume", "ID",
        "Goes on with a query that was asked on this machine; ID may be how it begins. The network, the\n"
        "key and the outputs are those that it was asked with, where no option names others.",
        1, 1};
    struct maille_error error = {0};
    struct agent *agent = NULL;
    struct cli_remembered remembered[REMEMBERED];
    int status;
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, &id, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    list_remembered(remembered, &access, &outputs);
    MAILLE_TRY(cli_session_read(&access, remembered, REMEMBERED, id, usage.program, arena, &error));
    MAILLE_TRY(check_outputs(&outputs, &error));
    MAILLE_TRY(cli_access(&access, arena, &error));
    struct agent_options options = agent_options(&access, &outputs, timeout);
    options.without_held = without_held;
    options.wait = wait;
    split_names(&options, arena, without);
    MAILLE_TRY(agent_resume(&agent, &options, id, &error));
    bool again = false;
    status = take_part(agent, "maille resume", &outputs, false, &again);
    agent_free(agent);
    secret_keys_free(access.keys);
    arena_free(arena);
    return status;
out:
    secret_keys_free(access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : run_fail("maille resume", &outputs, NULL, &error);
}
