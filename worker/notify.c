/* maille-worker notify: tells somebody that a study waits, by a program of hers or by mail. It is a process
 * of its own, with no key and behind no wall, since behind those of `serve` nothing can start a program
 * (docs/ARCHITECTURE.md, Walls). It reads spool/ alone, and says of a study its id and title. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/display.h"
#include "base/file.h"
#include "base/language.h"
#include "base/log.h"
#include "base/options.h"
#include "vault/spool.h"
#include "worker/commands.h"
#include "worker/settings.h"

enum {
    LOOK_EVERY_MS = 10 * 1000,
    AGAIN_AFTER_MS = 5 * 60 * 1000, /* what failed is tried again */
    RUN_MS = 30 * 1000,             /* a program that takes longer is ended */
    WAIT_MS = 20,
    TOLD_MAX = 100000
};

struct notify {
    const char *dir, *command, *mail, *sendmail;
    enum language language;
    bool once, failed;
    struct bytes told; /* hashes of what was told, one after the other */
    int64_t again_ms;
    struct arena *arena;
};

static void pause_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* --- what was told already --- */

static enum maille_code told_path(char path[PATH_MAX], const struct notify *notify,
                                  struct maille_error *error)
{
    return file_path_join(path, PATH_MAX, notify->dir, "spool/notified", error);
}

static enum maille_code read_told(struct notify *notify, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(told_path(path, notify, error));
    if (file_exists(path))
        MAILLE_TRY(file_read_regular(&notify->told, path, TOLD_MAX * HASH_BYTES, error));
    notify->told.length -= notify->told.length % HASH_BYTES;
out:
    return code;
}

static bool was_told(const struct notify *notify, const struct digest *hash)
{
    for (size_t at = 0; at < notify->told.length; at += HASH_BYTES)
        if (memcmp(notify->told.data + at, hash->b, HASH_BYTES) == 0)
            return true;
    return false;
}

/* --- running a program --- */

/* In the child: the message as its input, nothing of this process beside it. */
static void become(char *const *arguments, int input)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = {path, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(input, STDIN_FILENO) < 0)
        _exit(127);
    const int nothing = open("/dev/null", O_WRONLY);
    if (nothing >= 0)
        dup2(nothing, STDOUT_FILENO);
    closefrom(STDERR_FILENO + 1);
    execve(arguments[0], arguments, environment);
    _exit(127);
}

/* The status of a child that ends in time; −1: it did not, and was ended. */
static int status_of(pid_t pid)
{
    const int64_t until_ms = clock_monotonic_ms() + RUN_MS;
    int status = 0;
    for (;;) {
        const pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR))
            return status;
        if (clock_monotonic_ms() >= until_ms)
            break;
        pause_ms(WAIT_MS);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* False, and said why, where the program did not end well. */
static bool run(char *const *arguments, const char *input)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        log_line(LOG_LEVEL_ERROR, "nobody was told: no pipe can be made");
        return false;
    }
    /* A message is shorter than what a pipe holds: nobody waits for a program that does not read. */
    const size_t length = strlen(input);
    const bool written = write(ends[1], input, length) == (ssize_t)length;
    close(ends[1]);
    const pid_t pid = written ? fork() : -1;
    if (pid == 0)
        become(arguments, ends[0]);
    close(ends[0]);
    const int status = pid > 0 ? status_of(pid) : -1;
    if (pid > 0 && status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (pid > 0 && status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        log_line(LOG_LEVEL_ERROR, "nobody was told: %s cannot be run", arguments[0]);
    else if (pid > 0 && status != -1 && WIFEXITED(status))
        log_line(LOG_LEVEL_ERROR, "nobody was told: %s ended with status %d", arguments[0],
                 WEXITSTATUS(status));
    else
        log_line(LOG_LEVEL_ERROR, "nobody was told: %s did not end well within %d s", arguments[0],
                 RUN_MS / 1000);
    return false;
}

/* --- telling --- */

static const char *message_of(const struct notify *notify, const char *qid, const char *site,
                              const char *study, const char *title)
{
    static const char *const words[LANGUAGES] = {"The study %s (%s) waits for a decision at %s.\n\nid: "
                                                 "%s\nTo read what it asks: maille-worker pending "
                                                 "%.8s\n",
                                                 "L'étude %s (%s) attend une décision sur le site "
                                                 "%s.\n\nidentifiant : %s\nPour lire ce qu'elle demande : "
                                                 "maille-worker pending %.8s\n"};
    return arena_printf(notify->arena, words[notify->language], study, title, site, qid, qid);
}

static bool tell(const struct notify *notify, const char *qid, const char *site, const char *message)
{
    static const char *const subjects[LANGUAGES] = {"maille: a study waits at %s (%.8s)",
                                                    "maille : une étude attend sur %s (%.8s)"};
    bool done = true;
    if (notify->command[0] != '\0') {
        char *const arguments[] = {arena_strdup(notify->arena, notify->command),
                                   arena_strdup(notify->arena, qid), NULL};
        done = run(arguments, message) && done;
    }
    if (notify->mail[0] != '\0') {
        char *const arguments[] = {arena_strdup(notify->arena, notify->sendmail),
                                   arena_strdup(notify->arena, "-i"), arena_strdup(notify->arena, "--"),
                                   arena_strdup(notify->arena, notify->mail), NULL};
        const char *text = arena_printf(
            notify->arena,
            "To: %s\nSubject: %s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
            "Content-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\n%s",
            notify->mail, arena_printf(notify->arena, subjects[notify->language], site, qid), message);
        done = run(arguments, text) && done;
    }
    return done;
}

/* One line of at most 200 bytes, without what a terminal or a mail would obey. */
static const char *harmless(struct arena *arena, const char *text)
{
    struct bytes shown = {0};
    size_t length = strlen(text);
    while (length > 200 ||
           (length > 0 && length < strlen(text) && ((unsigned char)text[length] & 0xc0) == 0x80))
        length--;
    display_put(&shown, text, length);
    const char *made =
        shown.failed || shown.length == 0 ? "" : arena_strndup(arena, (const char *)shown.data, shown.length);
    bytes_clear(&shown);
    return made;
}

/* Everything that waits and was not told. What fails is said, and tried again later. */
static enum maille_code look(struct notify *notify, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    char path[PATH_MAX], hex[2 * QID_BYTES + 1];
    size_t n = 0;
    struct bytes pending = {0}, keep = {0};
    MAILLE_TRY(told_path(path, notify, error));
    MAILLE_TRY(spool_list(&qids, &n, notify->arena, notify->dir, error));
    bool changed = false;
    for (size_t i = 0; i < n; i++) {
        struct digest hash;
        struct maille_error ignored;
        pending.length = 0;
        if (spool_pending(&pending, notify->dir, qids[i], &ignored) != MAILLE_OK)
            continue; /* decided in between */
        decision_pending_hash(&hash, pending.data, pending.length);
        bool told = was_told(notify, &hash);
        if (!told && clock_monotonic_ms() >= notify->again_ms) {
            bytes_to_hex(hex, qids[i], QID_BYTES);
            const char *site =
                           harmless(notify->arena, decision_pending_line(notify->arena, &pending, "site")),
                       *study =
                           harmless(notify->arena, decision_pending_line(notify->arena, &pending, "study")),
                       *title =
                           harmless(notify->arena, decision_pending_line(notify->arena, &pending, "title"));
            told = tell(notify, hex, site, message_of(notify, hex, site, study, title));
            if (told)
                log_line(LOG_LEVEL_INFO, "told that %.8s waits", hex);
            else
                notify->failed = true;
            changed = changed || told;
        }
        if (told)
            bytes_put(&keep, hash.b, HASH_BYTES);
    }
    MAILLE_TRY(bytes_check(&keep, error));
    if (notify->failed && clock_monotonic_ms() >= notify->again_ms)
        notify->again_ms = clock_monotonic_ms() + AGAIN_AFTER_MS;
    if (!notify->once)
        notify->failed = false;
    if (changed || keep.length != notify->told.length) /* what waits no more is forgotten */
        MAILLE_TRY(file_write_atomic(path, keep.data, keep.length, 0600, error));
    MAILLE_TRY(bytes_copy(&notify->told, keep.data, keep.length));
out:
    bytes_clear(&pending);
    bytes_clear(&keep);
    return code;
}

/* Options first, then worker.yaml where this account may read it. */
static enum maille_code settle(struct notify *notify, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct worker_settings settings = {
        .notify_command = "", .notify_mail = "", .notify_sendmail = "/usr/sbin/sendmail"};
    char path[PATH_MAX];
    MAILLE_TRY(file_path_join(path, sizeof path, notify->dir, "worker.yaml", error));
    if (access(path, R_OK) == 0)
        MAILLE_TRY(worker_settings_read(&settings, notify->arena, notify->dir, error));
    notify->command = notify->command != NULL ? notify->command : settings.notify_command;
    notify->mail = notify->mail != NULL ? notify->mail : settings.notify_mail;
    notify->sendmail = notify->sendmail != NULL ? notify->sendmail : settings.notify_sendmail;
    if (notify->command[0] == '\0' && notify->mail[0] == '\0')
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected notify_command or notify_mail in %s, or --command or --mail, found neither", path);
    else if (notify->command[0] != '\0' && notify->command[0] != '/')
        code = maille_fail(error, MAILLE_INVALID, "expected the whole path of a program, found %s",
                           notify->command);
    else if (notify->sendmail[0] != '/')
        code = maille_fail(error, MAILLE_INVALID, "expected the whole path of a program, found %s",
                           notify->sendmail);
    else if (notify->mail[0] != '\0' &&
             (strchr(notify->mail, '@') == NULL || strpbrk(notify->mail, " \t\r\n,;<>\"") != NULL))
        code = maille_fail(error, MAILLE_INVALID,
                           "expected one address such as officer@hospital.example, found %s", notify->mail);
out:
    return code;
}

static enum maille_code serve(struct notify *notify, const char *lang, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    log_open("maille-worker", "notify", LOG_LEVEL_INFO);
    MAILLE_TRY(language_choose(&notify->language, lang, error));
    MAILLE_TRY(settle(notify, error));
    MAILLE_TRY(read_told(notify, error));
    unsetenv("MAILLE_PASSPHRASE"); /* it opens nothing here */
    for (;;) {
        struct maille_error why = {0};
        struct notify now = *notify;
        now.arena = arena_new();
        if (now.arena == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
            goto out;
        }
        code = look(&now, notify->once ? error : &why);
        arena_free(now.arena);
        now.arena = notify->arena;
        *notify = now;
        if (notify->once)
            goto out;
        if (code != MAILLE_OK)
            log_line(LOG_LEVEL_ERROR, "%s", why.sentence);
        pause_ms(LOOK_EVERY_MS);
    }
out:
    return code;
}

int worker_notify(int argc, char **argv)
{
    struct maille_error error = {0};
    struct notify notify = {.arena = arena_new()};
    const char *lang = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &notify.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "command",
         .kind = OPTION_STRING,
         .target = &notify.command,
         .argument = "PROGRAM",
         .sentence = "run with the study's id as its argument and the message as its input (default: "
                     "notify_command of worker.yaml)"},
        {.name = "mail",
         .kind = OPTION_STRING,
         .target = &notify.mail,
         .argument = "ADDRESS",
         .sentence = "sends the message there (default: notify_mail of worker.yaml)"},
        {.name = "sendmail",
         .kind = OPTION_STRING,
         .target = &notify.sendmail,
         .argument = "PROGRAM",
         .sentence = "the program that sends mail (default: notify_sendmail of worker.yaml, or "
                     "/usr/sbin/sendmail)"},
        {.name = "once",
         .kind = OPTION_FLAG,
         .target = &notify.once,
         .sentence = "look once and end, as for a timer; exit status 1 where somebody could not be told"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-worker notify",
        .positional = "",
        .sentence =
            "Tells somebody that a study waits for a person: its id and title, nothing of a patient. "
            "Each is told once;\na study that is asked again is told again. Runs beside `serve`, which "
            "cannot start programs, until it is\nstopped; it needs no key, and may be another account of "
            "the group spool_group."};
    enum maille_code code = notify.arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = serve(&notify, lang, &error);
    bytes_clear(&notify.told);
    arena_free(notify.arena);
    return code != MAILLE_OK ? options_program_fail("maille-worker", &error) : notify.failed ? 1 : 0;
}
