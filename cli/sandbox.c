/* maille sandbox: a whole network on this machine, out of one CSV file: the real programs, real keys, CURVE
 * sockets on 127.0.0.1, HDF5 snapshots. Everything lies under one folder D:
 *
 *     D/network.yaml  dictionary.yaml  credential  authority.key  researcher.key
 *     D/coordinator/                    as maille-coordinator init makes it
 *     D/sites/NAME/                     as maille-worker init makes it, with dpo.key and data.csv */
#include "cli/commands.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "cli/files.h"
#include "cli/sandbox_network.h"
#include "cli/sandbox_officer.h"
#include "cli/sandbox_process.h"
#include "cli/sandbox_split.h"
#include "cli/sandbox_synthetic.h"
#include "disclosure/policy_table.h"

enum { START_TIMEOUT_MS = 30000, START_LOOK_MS = 300, STOP_TIMEOUT_MS = 5000 };

static const char default_policy[] =
    "# The sandbox's data are public and never leave this machine: every rule is off.\npolicy: open\n";

/* Names of the sites of a sandbox, sorted as the directory is. */
static enum maille_code list_sites(const char ***names, size_t *n, struct arena *arena, const char *dir,
                                   struct maille_error *error)
{
    struct dirent **entries = NULL;
    const char *path = arena_printf(arena, "%s/sites", dir);
    int found = scandir(path, &entries, NULL, versionsort);
    if (found < 0 || !file_exists(arena_printf(arena, "%s/network.yaml", dir))) {
        for (int i = 0; i < found; i++)
            free(entries[i]);
        free(entries);
        return maille_fail(error, MAILLE_INVALID,
                           "expected a sandbox in %s, found none; make one with: maille sandbox up --dir %s",
                           dir, dir);
    }
    *names = arena_array(arena, (size_t)found + 1, sizeof **names);
    *n = 0;
    for (int i = 0; i < found; i++) {
        if (entries[i]->d_name[0] != '.')
            (*names)[(*n)++] = arena_strdup(arena, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return MAILLE_OK;
}

static enum maille_code start_coordinator(struct arena *arena, const char *dir, struct maille_error *error)
{
    char program[PATH_MAX];
    const char *folder = arena_printf(arena, "%s/coordinator", dir);
    const char *argv[] = {program,
                          "serve",
                          "--dir",
                          folder,
                          "--network",
                          arena_printf(arena, "%s/network.yaml", dir),
                          "--credential",
                          arena_printf(arena, "%s/credential", dir),
                          NULL};
    sandbox_program_path(program, "maille-coordinator");
    return sandbox_daemon_start(folder, argv, error);
}

static enum maille_code start_site(struct arena *arena, const char *dir, const char *name,
                                   struct maille_error *error)
{
    char program[PATH_MAX];
    const char *folder = arena_printf(arena, "%s/sites/%s", dir, name);
    const char *argv[] = {
        program, "serve", "--dir", folder, "--credential", arena_printf(arena, "%s/credential", dir), NULL};
    sandbox_program_path(program, "maille-worker");
    return sandbox_daemon_start(folder, argv, error);
}

/* Keys, configuration, policy and snapshot of one site. */
static enum maille_code make_site(struct arena *arena, const char *dir, const struct sandbox_site *site,
                                  const char *dictionary, const struct bytes *policy,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *dpo = NULL;
    char program[PATH_MAX];
    const char *folder = arena_printf(arena, "%s/sites/%s", dir, site->name);
    const char *credential = arena_printf(arena, "%s/credential", dir);
    const struct key_unlock unlock = {.credential_path = credential};
    const char *init[] = {program,        "init",     "--dir",          folder,     "--name", site->name,
                          "--credential", credential, "--legal-entity", site->name, NULL};
    const char *import[] = {program,  "import",   "--dir",    folder,         "--dictionary", dictionary,
                            "--data", site->file, "--public", "--credential", credential,     NULL};
    sandbox_program_path(program, "maille-worker");
    MAILLE_TRY(sandbox_program_run(init, error));
    MAILLE_TRY(secret_keys_new(&dpo, KEY_DPO, arena_printf(arena, "%.36s-dpo", site->name), error));
    MAILLE_TRY(keyfile_write(arena_printf(arena, "%s/dpo.key", folder), dpo, &unlock, error));
    MAILLE_TRY(file_write_atomic(arena_printf(arena, "%s/policy.yaml", folder), policy->data, policy->length,
                                 0600, error));
    MAILLE_TRY(sandbox_program_run(import, error));
out:
    secret_keys_free(dpo);
    return code;
}

static enum maille_code copy_file(const char *from, const char *to, struct maille_error *error)
{
    struct bytes text = {0};
    enum maille_code code = file_read(&text, from, DIRECTORY_BYTES_MAX, error);
    if (code == MAILLE_OK)
        code = file_write_atomic(to, text.data, text.length, 0600, error);
    bytes_clear(&text);
    return code;
}

/* A word of docs/POLICY.md, unless a file is called so. */
static bool names_preset(const char *policy)
{
    for (size_t i = 0; i < PRESETS; i++)
        if (strcmp(policy, policy_presets[i]) == 0)
            return !file_exists(policy);
    return false;
}

/* The folder must be new or empty: what a sandbox holds is never written over. */
static enum maille_code claim_folder(const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (file_exists(dir)) {
        DIR *folder = opendir(dir);
        size_t entries = 0;
        if (folder == NULL)
            return maille_fail_errno(error, "cannot open the folder %s", dir);
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
            entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
        closedir(folder);
        if (entries > 0) {
            char network[PATH_MAX];
            snprintf(network, sizeof network, "%s/network.yaml", dir);
            return maille_fail(
                error, MAILLE_INVALID,
                file_exists(network)
                    ? "expected a new folder, found a sandbox in %s; use it (maille sandbox run, restart) or "
                      "choose another --dir"
                    : "expected a new or empty folder, found files in %s; choose another --dir",
                dir);
        }
    }
    MAILLE_TRY(file_folder_make(dir, 0700, error));
    char made[PATH_MAX];
    MAILLE_TRY(file_path_join(made, sizeof made, dir, "sites", error));
    if (mkdir(made, 0700) != 0) /* two that start at once: one of them makes it */
        code = errno == EEXIST
                   ? maille_fail(error, MAILLE_INVALID,
                                 "expected a new folder, found another sandbox being made in %s", dir)
                   : maille_fail_errno(error, "cannot make the folder %s", made);
out:
    return code;
}

struct up_options {
    const char *dir, *data, *dictionary, *split_by, *policy;
    uint64_t sites, seed, synthetic;
};

/* The patients' file: the one that was given, or one that is made up in the sandbox's folder. */
static enum maille_code find_patients(const char **data, const struct up_options *options, const char *dir,
                                      const struct dictionary *dictionary, struct arena *arena,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes csv = {0};
    *data = options->data;
    if (options->synthetic == 0)
        goto out;
    *data = arena_printf(arena, "%s/synthetic.csv", dir);
    MAILLE_TRY(sandbox_synthetic(&csv, dictionary, options->synthetic, options->seed, error));
    MAILLE_TRY(file_write_atomic(*data, csv.data, csv.length, 0600, error));
out:
    bytes_clear(&csv);
    return code;
}

/* Made up here, or by a program that left its note beside the file (maille-worker synth): every output says
 * so. */
static bool is_made_up(const struct up_options *options, struct arena *arena)
{
    if (options->synthetic > 0)
        return true;
    const char *slash = strrchr(options->data, '/');
    const int folder = slash == NULL ? 0 : (int)(slash + 1 - options->data);
    return file_exists(arena_printf(arena, "%.*sSYNTHETIC.txt", folder, options->data));
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    return place->level > 0 ? remove(path) : 0;
}

/* What was made in a folder that no sandbox has come of, so that the next attempt finds it empty. */
static void empty_folder(const char *dir)
{
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static enum maille_code sandbox_up(const struct up_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct bytes text = {0}, policy = {0};
    const struct dictionary *dictionary;
    struct sandbox_site *sites;
    size_t n_sites;
    const char *dir = options->dir, *data = NULL;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    char absolute[PATH_MAX];
    bool unfinished = false; /* made, and nothing runs in it yet */
    MAILLE_TRY(file_read(&text, options->dictionary, DIRECTORY_BYTES_MAX * 16, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, options->dictionary, (const char *)text.data, text.length,
                                error));
    if ((options->data == NULL) == (options->synthetic == 0)) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected either --data FILE.csv or --synthetic N, found %s; see maille sandbox up "
                        "--help",
                        options->data == NULL ? "neither" : "both");
        goto out;
    }
    if (options->data != NULL && !file_exists(options->data)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a CSV file at %s, found nothing", options->data);
        goto out;
    }
    if (options->policy != NULL && names_preset(options->policy))
        bytes_printf(&policy, "policy: %s\n", options->policy);
    else if (options->policy != NULL)
        MAILLE_TRY(file_read(&policy, options->policy, DIRECTORY_BYTES_MAX, error));
    else
        bytes_put(&policy, default_policy, sizeof default_policy - 1);
    MAILLE_TRY(claim_folder(dir, error));
    unfinished = true;
    if (realpath(dir, absolute) == NULL) {
        code = maille_fail_errno(error, "cannot find the folder %s", dir);
        goto out;
    }
    dir = absolute;
    const char *own = arena_printf(arena, "%s/dictionary.yaml", dir);
    MAILLE_TRY(file_write_atomic(own, text.data, text.length, 0600, error));
    MAILLE_TRY(keyfile_credential_make(arena_printf(arena, "%s/credential", dir), error));
    MAILLE_TRY(find_patients(&data, options, dir, dictionary, arena, error));
    MAILLE_TRY(sandbox_split(&sites, &n_sites, arena, dir, data, dictionary, options->sites,
                             options->split_by, options->seed, error));
    for (size_t s = 0; s < n_sites; s++)
        MAILLE_TRY(make_site(arena, dir, &sites[s], own, &policy, error));
    const char *network = arena_printf(arena, "%s/network.yaml", dir);
    const bool made_up = is_made_up(options, arena);
    MAILLE_TRY(
        sandbox_network_make(arena, dir, made_up ? DIRECTORY_SYNTHETIC : "sandbox", sites, n_sites, error));
    for (size_t s = 0; s < n_sites; s++)
        MAILLE_TRY(
            copy_file(network, arena_printf(arena, "%s/sites/%s/network.yaml", dir, sites[s].name), error));
    unfinished = false;
    MAILLE_TRY(start_coordinator(arena, dir, error));
    for (size_t s = 0; s < n_sites; s++)
        MAILLE_TRY(start_site(arena, dir, sites[s].name, error));
    MAILLE_TRY(sandbox_network_wait(arena, dir, START_TIMEOUT_MS, error));
    printf("%zu sites and a coordinator are up in %s%s\n", n_sites, options->dir,
           made_up ? ", with patients that are made up" : "");
    for (size_t s = 0; s < n_sites; s++)
        printf("  %-24s %zu rows\n", sites[s].name, sites[s].rows);
    printf("ask with: maille sandbox run --dir %s STUDY.yaml\n", options->dir);
    if (n_sites < CIRCLE_SITES && options->policy != NULL && strcmp(options->policy, "open") != 0)
        printf("with so few sites every study waits for each site's officer: maille-worker approve ID --dir "
               "%s/sites/SITE --key %s/sites/SITE/dpo.key --credential %s/credential\n",
               options->dir, options->dir, options->dir);
out:
    if (unfinished)
        empty_folder(dir);
    bytes_clear(&text);
    bytes_clear(&policy);
    arena_free(arena);
    return code;
}

static int run_up(int argc, char **argv)
{
    struct up_options options = {.sites = 6, .seed = 1};
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &options.dir,
         .argument = "D",
         .sentence = "the sandbox's folder: new, or empty",
         .required = true},
        {.name = "data",
         .kind = OPTION_STRING,
         .target = &options.data,
         .argument = "FILE.csv",
         .sentence = "the patients; a SYNTHETIC.txt beside the file says that they are made up, and every "
                     "output does then"},
        {.name = "synthetic",
         .kind = OPTION_UNSIGNED,
         .target = &options.synthetic,
         .argument = "N",
         .sentence = "or: N patients made up from the dictionary alone; every output says so",
         .min = 30,
         .max = SYNTHETIC_ROWS_MAX},
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &options.dictionary,
         .argument = "DICT.yaml",
         .sentence = "the data dictionary",
         .required = true},
        {.name = "sites",
         .kind = OPTION_UNSIGNED,
         .target = &options.sites,
         .argument = "N",
         .sentence = "deal the patients out at random to N sites",
         .min = 3,
         .max = 1000},
        {.name = "split-by",
         .kind = OPTION_STRING,
         .target = &options.split_by,
         .argument = "COLUMN",
         .sentence = "one site per value of this column instead"},
        {.name = "seed",
         .kind = OPTION_UNSIGNED,
         .target = &options.seed,
         .argument = "S",
         .sentence = "of the random split, and of patients that are made up",
         .min = 0,
         .max = UINT64_MAX},
        {.name = "policy",
         .kind = OPTION_STRING,
         .target = &options.policy,
         .argument = "POLICY",
         .sentence = "every site's policy: a file, or open, standard or strict; open if absent"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille sandbox up", "",
        "Makes and starts a whole network on this machine out of one CSV file, or of patients that are\n"
        "made up.",
        0, 0};
    struct maille_error error = {0};
    bool done;
    size_t n;
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = sandbox_up(&options, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille sandbox up", &error);
}

/* maille run, while every site's officer approves what waits for her. */
static int run_approved(const char *dir, int count, char **words)
{
    struct maille_error error = {0};
    enum maille_code code = MAILLE_OK;
    const char **sites;
    size_t n;
    pid_t officer;
    char absolute[PATH_MAX];
    int status = 0;
    struct arena *arena = arena_new();
    if (arena == NULL)
        code = maille_fail(&error, MAILLE_MEMORY, "expected memory, found none");
    else if (realpath(dir, absolute) == NULL)
        code = maille_fail_errno(&error, "cannot find the folder %s", dir);
    if (code == MAILLE_OK)
        code = list_sites(&sites, &n, arena, dir, &error);
    if (code == MAILLE_OK)
        code = sandbox_officer_start(&officer, absolute, sites, n, &error);
    if (code == MAILLE_OK) {
        status = cli_run(count, words);
        sandbox_officer_stop(officer);
    }
    arena_free(arena);
    return code == MAILLE_OK ? status : options_program_fail("maille sandbox run", &error);
}

/* Options of run, kill, restart and down: --dir, and what each adds. */
static int run_run(int argc, char **argv)
{
    const char *dir = NULL, *json = NULL, *csv = NULL, *report = NULL, *timeout = NULL, *progress = NULL,
               *without = NULL, *study = NULL;
    bool detach = false, quiet = false, approve = false, done;
    size_t n;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "D",
         .sentence = "the sandbox's folder",
         .required = true},
        {.name = "json",
         .kind = OPTION_STRING,
         .target = &json,
         .argument = "F",
         .sentence = "write the result file"},
        {.name = "csv",
         .kind = OPTION_STRING,
         .target = &csv,
         .argument = "DIR",
         .sentence = "write tables as CSV"},
        {.name = "report",
         .kind = OPTION_STRING,
         .target = &report,
         .argument = "F.html",
         .sentence = "write a report"},
        {.name = "progress",
         .kind = OPTION_STRING,
         .target = &progress,
         .argument = "json",
         .sentence = "one JSON line an event on standard error, for programs"},
        {.name = "timeout",
         .kind = OPTION_STRING,
         .target = &timeout,
         .argument = "TIME",
         .sentence = "give up waiting after this time (10m)"},
        {.name = "without",
         .kind = OPTION_STRING,
         .target = &without,
         .argument = "SITE",
         .sentence = "do not ask this site (or several: a,b)"},
        {.name = "quiet", .kind = OPTION_FLAG, .target = &quiet, .sentence = "do not print the main tables"},
        {.name = "detach",
         .kind = OPTION_FLAG,
         .target = &detach,
         .sentence = "submit and leave; maille resume goes on"},
        {.name = "approve",
         .kind = OPTION_FLAG,
         .target = &approve,
         .sentence = "where a site holds the study, its officer approves it: nobody reads it here"},
        {.name = NULL},
    };
    const struct option_usage usage = {"maille sandbox run", "STUDY.yaml",
                                       "Asks the sandbox's network, as maille run does.", 1, 1};
    struct maille_error error = {0};
    if (options_parse(&usage, rows, argc, argv, &study, &n, &done, &error) != MAILLE_OK)
        return options_program_fail("maille sandbox run", &error);
    if (done)
        return 0;
    char network[PATH_MAX], key[PATH_MAX], credential[PATH_MAX];
    snprintf(network, sizeof network, "%s/network.yaml", dir);
    snprintf(key, sizeof key, "%s/researcher.key", dir);
    snprintf(credential, sizeof credential, "%s/credential", dir);
    if (!file_exists(network)) {
        maille_fail(&error, MAILLE_INVALID,
                    "expected a sandbox in %s, found none; make one with: maille sandbox up --dir %s", dir,
                    dir);
        return options_program_fail("maille sandbox run", &error);
    }
    const struct {
        const char *name, *value;
    } pass[] = {{"--network", network}, {"--key", key},           {"--credential", credential},
                {"--json", json},       {"--csv", csv},           {"--report", report},
                {"--timeout", timeout}, {"--progress", progress}, {"--without", without}};
    char *words[26];
    int count = 0;
    words[count++] = (char *)(uintptr_t) "run";
    for (size_t i = 0; i < sizeof pass / sizeof *pass; i++)
        if (pass[i].value != NULL) {
            words[count++] = (char *)(uintptr_t)pass[i].name;
            words[count++] = (char *)(uintptr_t)pass[i].value;
        }
    if (quiet)
        words[count++] = (char *)(uintptr_t) "--quiet";
    if (detach)
        words[count++] = (char *)(uintptr_t) "--detach";
    words[count++] = (char *)(uintptr_t)study;
    words[count] = NULL;
    return approve ? run_approved(dir, count, words) : cli_run(count, words);
}

/* One site, the coordinator, or (name NULL) all of them. */
typedef enum maille_code each_party(struct arena *arena, const char *dir, const char *folder,
                                    const char *name, struct maille_error *error);

static enum maille_code for_parties(each_party *each, const char *dir, const char *name,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    const char **names = NULL;
    size_t n = 0;
    bool found = name == NULL;
    char absolute[PATH_MAX];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(list_sites(&names, &n, arena, dir, error));
    if (realpath(dir, absolute) == NULL) {
        code = maille_fail_errno(error, "cannot find the folder %s", dir);
        goto out;
    }
    if (name == NULL || strcmp(name, "coordinator") == 0) {
        found = true;
        MAILLE_TRY(
            each(arena, absolute, arena_printf(arena, "%s/coordinator", absolute), "coordinator", error));
    }
    for (size_t s = 0; s < n; s++)
        if (name == NULL || strcmp(name, names[s]) == 0) {
            found = true;
            MAILLE_TRY(each(arena, absolute, arena_printf(arena, "%s/sites/%s", absolute, names[s]), names[s],
                            error));
        }
    if (!found)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a site of the sandbox, found \"%s\"; see the folders in %s/sites", name,
                           dir);
out:
    arena_free(arena);
    return code;
}

static enum maille_code party_kill(struct arena *arena, const char *dir, const char *folder, const char *name,
                                   struct maille_error *error)
{
    (void)arena;
    (void)dir;
    if (!sandbox_daemon_stop(folder, SIGKILL, STOP_TIMEOUT_MS))
        return maille_fail(error, MAILLE_INVALID, "expected %s to be running, found it stopped", name);
    printf("killed %s\n", name);
    return MAILLE_OK;
}

static enum maille_code party_restart(struct arena *arena, const char *dir, const char *folder,
                                      const char *name, struct maille_error *error)
{
    sandbox_daemon_stop(folder, SIGTERM, STOP_TIMEOUT_MS);
    enum maille_code code = strcmp(name, "coordinator") == 0 ? start_coordinator(arena, dir, error)
                                                             : start_site(arena, dir, name, error);
    if (code == MAILLE_OK)
        code = sandbox_daemon_check(folder, name, START_LOOK_MS, error);
    if (code == MAILLE_OK)
        printf("started %s\n", name);
    return code;
}

static enum maille_code party_down(struct arena *arena, const char *dir, const char *folder, const char *name,
                                   struct maille_error *error)
{
    (void)arena;
    (void)dir;
    (void)error;
    if (sandbox_daemon_stop(folder, SIGTERM, STOP_TIMEOUT_MS))
        printf("stopped %s\n", name);
    return MAILLE_OK;
}

static int run_party(int argc, char **argv, const char *program, const char *positional, const char *sentence,
                     size_t min_names, size_t max_names, each_party *each)
{
    const char *dir = NULL, *name = NULL;
    bool done;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "D",
         .sentence = "the sandbox's folder",
         .required = true},
        {.name = NULL},
    };
    const struct option_usage usage = {program, positional, sentence, min_names, max_names};
    struct maille_error error = {0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &name, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = for_parties(each, dir, n == 0 ? NULL : name, &error);
    return code == MAILLE_OK ? 0 : options_program_fail(program, &error);
}

static int run_kill(int argc, char **argv)
{
    return run_party(argc, argv, "maille sandbox kill", "SITE",
                     "Ends a site's processes at once (SIGKILL), as a power cut would.", 1, 1, party_kill);
}

static int run_restart(int argc, char **argv)
{
    return run_party(argc, argv, "maille sandbox restart", "[SITE]",
                     "Starts a site again (or \"coordinator\"; without a name: everything).", 0, 1,
                     party_restart);
}

static int run_down(int argc, char **argv)
{
    return run_party(argc, argv, "maille sandbox down", "", "Stops everything; the folder and its logs stay.",
                     0, 0, party_down);
}

int cli_sandbox(int argc, char **argv)
{
    static const struct subcommand table[] = {{"up", run_up, "make and start a network from one CSV file"},
                                              {"run", run_run, "ask it a study"},
                                              {"web", cli_sandbox_web, "a page for your browser on it"},
                                              {"kill", run_kill, "end a site as a power cut would"},
                                              {"restart", run_restart, "start a site, or everything, again"},
                                              {"down", run_down, "stop everything"},
                                              {NULL, NULL, NULL}};
    return options_subcommands_run("maille sandbox",
                                   "A whole network on this machine: for a first look, demos and tests.",
                                   table, argc, argv);
}
