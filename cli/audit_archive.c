/* maille audit archive: logs and all that they are verified with, in one file that can be put away for as
 * long as the scientific record is kept; and verify, which needs nothing but that file. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/access.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "cli/audit_private.h"
#include "cli/audit_trust.h"
#include "cli/files.h"
#include "cli/sums.h"

#define FOLDER "maille-archive/"
#define LOGS "logs/"

enum { ARCHIVE_BYTES_MAX = 1024 * 1024 * 1024, LOG_FILES_MAX = 4096, HOUR_BYTES = 16 };

static const char readme[] =
    "Message logs of a network of hospitals, as they were signed.\n"
    "\n"
    "    maille audit archive verify FILE.tar    are they whole? Needs no network, and no other file\n"
    "    sha256sum -c SHA256SUMS                 the same of the files alone, without maille\n"
    "\n"
    "logs/ has a folder for each party, as its program wrote it. network.yaml says whose key signs, and is\n"
    "itself signed by the network's authorities: compare their keys with what you know. taken.txt is when "
    "the\n"
    "copies were made (UTC); programs.txt, where it is there, the hashes of the programs that were "
    "reviewed.\n"
    "The form of the logs is described in docs/AUDIT.md, section 7, of maille's source: SHA-256, Ed25519,\n"
    "Merkle trees as RFC 9162 has them. No patient's value is in here.\n";

struct making {
    struct arena *arena;
    struct archive_file *files;
    size_t n;
};

static void add(struct making *making, const char *name, const void *data, size_t length)
{
    making->files[making->n++] =
        (struct archive_file){arena_printf(making->arena, FOLDER "%s", name), data, length};
}

static enum maille_code add_file(struct making *making, const char *name, const char *path,
                                 struct maille_error *error)
{
    struct bytes content = {0};
    enum maille_code code = file_read_regular(&content, path, ARCHIVE_BYTES_MAX, error);
    if (code == MAILLE_OK) {
        uint8_t *kept = arena_alloc(making->arena, content.length + 1);
        if (content.length > 0)
            memcpy(kept, content.data, content.length);
        add(making, name, kept, content.length);
    }
    bytes_clear(&content);
    return code;
}

/* Of a log's folder that is verified: not the running epoch's key, and nothing that is not the log's. */
static bool is_of_log(const char *name)
{
    return strcmp(name, "base") == 0 || strcmp(name, "messages.log") == 0 ||
           (strncmp(name, "messages-", 9) == 0 && strcmp(name + strlen(name) - 4, ".lz4") == 0);
}

static enum maille_code add_log(struct making *making, const char *folder, const char *party,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    DIR *stream = opendir(folder);
    if (stream == NULL)
        return maille_fail_errno(error, "cannot open %s", folder);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (!is_of_log(entry->d_name))
            continue;
        if (making->n + 8 >= LOG_FILES_MAX) {
            code = maille_fail(error, MAILLE_INVALID, "expected at most %d files of logs, found more",
                               LOG_FILES_MAX - 8);
            goto out;
        }
        MAILLE_TRY(file_path_join(path, sizeof path, folder, entry->d_name, error));
        MAILLE_TRY(
            add_file(making, arena_printf(making->arena, LOGS "%s/%s", party, entry->d_name), path, error));
    }
out:
    closedir(stream);
    return code;
}

/* "alpha"; of a second log of the same party "alpha-2". */
static const char *folder_name(struct arena *arena, const char *const *taken, size_t n, const char *party)
{
    size_t before = 0;
    for (size_t i = 0; i < n; i++)
        before += strcmp(taken[i], party) == 0;
    return before == 0 ? party : arena_printf(arena, "%s-%zu", party, before + 1);
}

struct archive_command {
    struct audit_trust trust;
    const char *out, *programs;
};

static enum maille_code write_archive(const struct archive_command *command, struct arena *arena,
                                      const char *const *logs, size_t n, enum language language,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes archive = {0}, sums = {0};
    char hour[32];
    struct making making = {.arena = arena, .files = arena_array(arena, LOG_FILES_MAX, sizeof *making.files)};
    const char **parties = arena_array(arena, n + 1, sizeof *parties);
    clock_format(hour, command->trust.taken_ms > 0 ? command->trust.taken_ms : clock_utc_ms());
    hour[HOUR_BYTES] = '\0'; /* "2026-11-23T15:50" */
    add(&making, "README.txt", readme, strlen(readme));
    add(&making, "taken.txt", hour, HOUR_BYTES);
    MAILLE_TRY(add_file(&making, "network.yaml", command->trust.network, error));
    if (command->programs != NULL)
        MAILLE_TRY(add_file(&making, "programs.txt", command->programs, error));
    for (size_t i = 0; i < n; i++) {
        struct audit_worth worth = {.party = ""};
        code = audit_trust_log(&worth, &command->trust, arena, logs[i], error);
        if (worth.party[0] != '\0')
            audit_trust_say(&worth, language);
        MAILLE_TRY(code);
        parties[i] = worth.party;
        MAILLE_TRY(add_log(&making, logs[i], folder_name(arena, parties, i, worth.party), error));
    }
    qsort(making.files, making.n, sizeof *making.files, sums_by_name);
    sums_put(&sums, making.files, making.n, strlen(FOLDER));
    MAILLE_TRY(bytes_check(&sums, error));
    add(&making, SUMS, sums.data, sums.length);
    qsort(making.files, making.n, sizeof *making.files, sums_by_name);
    MAILLE_TRY(archive_write(&archive, making.files, making.n, error));
    MAILLE_TRY(file_write_atomic(command->out, archive.data, archive.length, 0600, error));
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(audit_access_leave_log(logs[i], "archive of the log", error));
    printf("%s: %zu files, %zu bytes; maille audit archive verify %s\n", command->out, making.n,
           archive.length, command->out);
out:
    bytes_clear(&archive);
    bytes_clear(&sums);
    return code;
}

/* --- verifying --- */

/* A folder of this process's own, for the time of one verification. */
static enum maille_code scratch_make(char out[PATH_MAX], struct maille_error *error)
{
    const char *base = getenv("TMPDIR");
    snprintf(out, PATH_MAX, "%s/maille-archive-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    return mkdtemp(out) != NULL ? MAILLE_OK : maille_fail_errno(error, "cannot make a folder like %s", out);
}

/* Files, then their folders, deepest first: what unpack has made. */
static void scratch_remove(const char *scratch, const struct archive_file *files, size_t n)
{
    char path[PATH_MAX];
    for (size_t f = 0; f < n; f++) {
        snprintf(path, sizeof path, "%s/%s", scratch, files[f].name);
        unlink(path);
        for (char *slash; (slash = strrchr(path, '/')) != NULL && (size_t)(slash - path) > strlen(scratch);) {
            *slash = '\0';
            if (rmdir(path) != 0)
                break; /* not empty yet */
        }
    }
    rmdir(scratch);
}

static enum maille_code unpack(const char *scratch, const struct archive_file *files, size_t n,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    for (size_t f = 0; f < n; f++) { /* names of an archive stay below its folder (base/archive.h) */
        MAILLE_TRY(file_path_join(path, sizeof path, scratch, files[f].name, error));
        for (char *slash = path + strlen(scratch) + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
            *slash = '\0';
            MAILLE_TRY(file_folder_make(path, 0700, error));
        }
        MAILLE_TRY(file_write_atomic(path, files[f].data, files[f].length, 0600, error));
    }
out:
    return code;
}

/* As `maille audit verify` does it, each log a witness of the others. *status: its exit status. */
static void verify_logs(int *status, struct arena *arena, const char *scratch,
                        const struct archive_file *files, size_t n, const char *hour, bool programs)
{
    char **arguments = arena_array(arena, n + 8, sizeof *arguments);
    int count = 0;
    const char *last = "";
    const char *const fixed[] = {"maille audit verify", "--network", "network.yaml", "--taken"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        arguments[count++] = i == 2 ? arena_printf(arena, "%s/" FOLDER "%s", scratch, fixed[i])
                                    : arena_strdup(arena, fixed[i]);
    arguments[count++] = arena_strdup(arena, hour);
    if (programs) {
        arguments[count++] = arena_strdup(arena, "--programs");
        arguments[count++] = arena_printf(arena, "%s/" FOLDER "programs.txt", scratch);
    }
    for (size_t f = 0; f < n; f++) { /* files of one folder stand together */
        const char *name = files[f].name + strlen(FOLDER);
        const size_t length = (size_t)(strrchr(files[f].name, '/') - name);
        if (strncmp(name, LOGS, strlen(LOGS)) != 0 ||
            (strlen(last) == length && strncmp(last, name, length) == 0))
            continue;
        last = arena_strndup(arena, name, length);
        arguments[count++] = arena_printf(arena, "%s/" FOLDER "%s", scratch, last);
    }
    *status = audit_verify_logs(count, arguments);
}

static enum maille_code verify_archive(int *status, struct arena *arena, const char *path,
                                       const char *network, struct maille_error *error)
{
    enum maille_code code;
    struct bytes archive = {0};
    const struct archive_file *files = NULL;
    const struct directory *directory, *known = NULL;
    char scratch[PATH_MAX] = "", hour[HOUR_BYTES + 1] = "";
    int64_t taken_ms;
    size_t n = 0;
    MAILLE_TRY(file_read(&archive, path, ARCHIVE_BYTES_MAX, error));
    MAILLE_TRY(archive_read(&files, &n, arena, path, archive.data, archive.length, error));
    const size_t skip = sums_folder(files, n);
    const struct archive_file *taken = sums_file(files, n, skip, "taken.txt"),
                              *signers = sums_file(files, n, skip, "network.yaml");
    if (skip != strlen(FOLDER) || strncmp(files[0].name, FOLDER, skip) != 0 || taken == NULL ||
        signers == NULL || sums_file(files, n, skip, SUMS) == NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected an archive that maille audit archive wrote, found something else in %s",
                           path);
        goto out;
    }
    MAILLE_TRY(sums_check(files, n, skip, error));
    memcpy(hour, taken->data, taken->length < HOUR_BYTES ? taken->length : HOUR_BYTES);
    if (taken->length != HOUR_BYTES || !audit_taken_parse(&taken_ms, hour)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a time such as 2026-11-23T15:50 in taken.txt");
        goto out;
    }
    MAILLE_TRY(directory_accept(&directory, arena, "network.yaml of the archive",
                                arena_strndup(arena, (const char *)signers->data, signers->length),
                                signers->length, NULL, error));
    if (network != NULL) {
        MAILLE_TRY(cli_read_network(&known, arena, network, error));
        MAILLE_TRY(cli_check_known(directory, known, error));
    }
    printf("%zu files, every byte as SHA256SUMS has it; network %s, version %llu, %s; copied at %s UTC\n", n,
           directory->network, (unsigned long long)directory->version,
           known != NULL ? "as the directory that you named trusts it"
                         : "whose authorities you compare with what you know, or name --network",
           hour);
    MAILLE_TRY(scratch_make(scratch, error));
    MAILLE_TRY(unpack(scratch, files, n, error));
    verify_logs(status, arena, scratch, files, n, hour, sums_file(files, n, skip, "programs.txt") != NULL);
out:
    if (scratch[0] != '\0')
        scratch_remove(scratch, files, n);
    bytes_clear(&archive);
    return code;
}

/* --- the command --- */

int audit_archive(int argc, char **argv)
{
    struct archive_command command = {0};
    const char *lang = NULL, **words = calloc(AUDIT_LOGS_MAX + 1, sizeof *words);
    struct arena *arena = arena_new();
    enum language language = LANGUAGE_EN;
    bool done = false;
    size_t n = 0;
    int status = 0;
    struct option_row rows[AUDIT_TRUST_ROWS + 4] = {
        [AUDIT_TRUST_ROWS] = {.name = "out",
                              .kind = OPTION_STRING,
                              .target = &command.out,
                              .argument = "FILE.tar",
                              .sentence = "the archive to write"},
        {.name = "programs",
         .kind = OPTION_STRING,
         .target = &command.programs,
         .argument = "LIST",
         .sentence = "hashes of the reviewed programs, to be kept with it"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    audit_trust_rows(rows, &command.trust);
    const struct option_usage usage = {"maille audit archive", "LOG… | verify FILE.tar",
                                       "Writes logs, the network's directory and the list of programs into "
                                       "one file that verifies alone; or\n"
                                       "verifies such a file: every byte, then each log as maille audit "
                                       "verify does. Nothing is written of a\n"
                                       "log that is not sound.",
                                       1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = words == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, words, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    code = language_choose(&language, lang, &error);
    if (code != MAILLE_OK)
        goto out;
    if (strcmp(words[0], "verify") == 0 && n == 2) {
        code = verify_archive(&status, arena, words[1], command.trust.network, &error);
    } else if (command.out == NULL || command.trust.network == NULL || command.trust.anyway) {
        code = maille_fail(&error, MAILLE_INVALID,
                           "expected --network FILE and --out FILE.tar for an archive, and no --anyway; see "
                           "maille audit archive --help");
    } else {
        code = audit_trust_read(&command.trust, arena, &error);
        if (code == MAILLE_OK)
            code = write_archive(&command, arena, words, n, language, &error);
    }
out:
    arena_free(arena);
    free(words);
    return code == MAILLE_OK ? status : options_program_fail("maille audit archive", &error);
}
