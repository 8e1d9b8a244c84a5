/* A study is asked: `maille run` in a process of its own, whose events are a file that the page follows; it
 * goes on when the browser is closed, and ends with `maille web`. */
#include "cli/web/pages.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/web/home.h"

static void figures(struct arena *arena, const struct home *home, const char *number, const char *result)
{
    static const char *const formats[] = {"svg", "pdf", "png"};
    const char *folder = home_path(arena, home, number, "figures");
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        const char *words[] = {"report", "--figures", folder, "--format", formats[f], result, NULL};
        web_command(cli_report, words, NULL, NULL);
    }
}

/* In the process that takes part. id: of the query that goes on; NULL: a new one. */
static void take_part(struct arena *arena, const struct home *home, const char *number, const char *id)
{
    const char *result = home_path(arena, home, number, "result.json");
    const char *words[24] = {id == NULL ? "run" : "resume",
                             "--progress",
                             "json",
                             "--quiet",
                             "--wait",
                             "--network",
                             home->access.network,
                             "--key",
                             home->access.key,
                             "--json",
                             result,
                             "--csv",
                             home_path(arena, home, number, "tables"),
                             "--report",
                             home_path(arena, home, number, "report.html")};
    size_t n = 15;
    if (home->access.credential != NULL) {
        words[n++] = "--credential";
        words[n++] = home->access.credential;
    }
    words[n++] = "--timeout";
    words[n++] = "24h";
    words[n] = id != NULL ? id : home_path(arena, home, number, "study.yaml");
    const int events =
        open(home_path(arena, home, number, "events"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (events < 0 || null < 0)
        return;
    fflush(NULL);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(events, STDERR_FILENO);
    int count = 0;
    while (words[count] != NULL)
        count++;
    char **argv = (char **)(uintptr_t)words;
    (void)(id == NULL ? cli_run(count, argv) : cli_resume(count, argv));
    fflush(NULL);
    if (file_exists(result))
        figures(arena, home, number, result);
}

/* Binds this process's life to the keeper's, which is its parent as soon as the one that answers has ended:
 * a key goes on nowhere by itself. */
static void live_with(pid_t keeper)
{
    enum { TRIES = 1000, TRY_US = 10000 };
    for (int i = 0; getppid() != keeper && i < TRIES; i++)
        usleep(TRY_US);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != keeper)
        _exit(1);
}

/* Starts it, once: the lock says who works at a study. */
static enum maille_code start(const struct web_request *request, const char *number, const char *id,
                              struct maille_error *error)
{
    const struct home *home = home_of(request);
    const pid_t keeper = getppid();
    int ends[2];
    char began = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return maille_fail_errno(error, "cannot make a pipe");
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        if ((ends[1] > 3 && close_range(3, (unsigned)ends[1] - 1, 0) != 0) ||
            close_range((unsigned)ends[1] + 1, ~0U, 0) !=
                0) /* the browser's answer ends without this process */
            _exit(1);
        if (home_lock(request->arena, home, number) < 0)
            _exit(1);
        setpgid(0, 0); /* Ctrl-C in the terminal is for the page; it stops this one itself */
        if (write(ends[1], "b", 1) != 1)
            _exit(1);
        close(ends[1]);
        live_with(keeper);
        take_part(request->arena, home, number, id);
        _exit(0);
    }
    close(ends[1]);
    const bool runs = pid > 0 && read(ends[0], &began, 1) == 1;
    close(ends[0]);
    return runs ? MAILLE_OK
                : maille_fail(error, MAILLE_FAILED,
                              "expected nobody at work at study %s, found that it runs already", number);
}

static void reply_number(struct web_reply *reply, const char *number)
{
    struct bytes out = {0};
    struct json_put to = {.out = &out};
    json_put_object(&to, NULL);
    json_put_text(&to, "number", number);
    json_put_end(&to);
    web_reply_all(reply, 200, DOOR_JSON, NULL, &out);
    bytes_clear(&out);
}

void cli_web_ask(const struct web_request *request, struct web_reply *reply)
{
    enum maille_code code = MAILLE_OK;
    const struct home *home = home_of(request);
    struct arena *arena = request->arena;
    struct maille_error error = {0};
    struct bytes dictionary = {0};
    const char *number = NULL;
    const char *known = arena_printf(arena, "%s/dictionary.yaml", home->folder);
    MAILLE_TRY(home_add(&number, arena, home, request->body, request->length, &error));
    if (file_exists(known)) { /* what it was asked with stays with it */
        MAILLE_TRY(file_read(&dictionary, known, HOME_TEXT_MAX, &error));
        MAILLE_TRY(file_write_atomic(home_path(arena, home, number, "dictionary.yaml"), dictionary.data,
                                     dictionary.length, 0600, &error));
    }
    MAILLE_TRY(start(request, number, NULL, &error));
    reply_number(reply, number);
out:
    bytes_clear(&dictionary);
    if (code != MAILLE_OK)
        web_reply_error(reply, &error);
}

void cli_web_resume(const struct web_request *request, struct web_reply *reply)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error error = {0};
    const char *number = NULL;
    MAILLE_TRY(home_asked(&number, request, &error));
    const char *id = home_query(request->arena, home_of(request), number);
    MAILLE_TRY(start(request, number, id[0] != '\0' ? id : NULL, &error));
    reply_number(reply, number);
out:
    if (code != MAILLE_OK)
        web_reply_error(reply, &error);
}

void cli_web_cancel(const struct web_request *request, struct web_reply *reply)
{
    enum maille_code code = MAILLE_OK;
    const struct home *home = home_of(request);
    struct maille_error error = {0};
    struct bytes said = {0};
    const char *number = NULL;
    MAILLE_TRY(home_asked(&number, request, &error));
    home_stop(request->arena, home, number);
    const char *id = home_query(request->arena, home, number);
    const char *words[] = {"cancel", "--network",    home->access.network,    "--key", home->access.key,
                           id,       "--credential", home->access.credential, NULL};
    if (home->access.credential == NULL)
        words[6] = NULL;
    if (id[0] != '\0' && web_command(cli_cancel, words, NULL, &said) != 0) {
        code = maille_fail(&error, MAILLE_FAILED, "%.*s", (int)said.length, (const char *)said.data);
        goto out;
    }
    reply_number(reply, number);
out:
    bytes_clear(&said);
    if (code != MAILLE_OK)
        web_reply_error(reply, &error);
}

/* --- what happens, line by line, until it has ended --- */

static void put_line(struct web_reply *reply, const char *line, size_t length)
{
    static const char word[] = "{\"event\":\"word\",\"text\":";
    struct bytes out = {0};
    bytes_put_text(&out, "data: ");
    if (length > 0 && line[0] == '{') {
        bytes_put(&out, line, length);
    } else { /* a sentence for people: what maille run says beside its events */
        struct json_put to = {.out = &out};
        char text[MAILLE_SENTENCE_MAX];
        snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), line);
        bytes_put(&out, word, sizeof word - 1);
        json_put_text(&to, NULL, text);
        bytes_put_u8(&out, '}');
    }
    bytes_put_text(&out, "\n\n");
    web_reply_put(reply, out.data, out.length);
    bytes_clear(&out);
}

/* Sends whole lines behind `from`; returns where the next begins. */
static size_t put_lines(struct web_reply *reply, const struct bytes *events, size_t from)
{
    const char *text = (const char *)events->data, *end;
    while (from < events->length && (end = memchr(text + from, '\n', events->length - from)) != NULL) {
        put_line(reply, text + from, (size_t)(end - text) - from);
        from = (size_t)(end - text) + 1;
    }
    return from;
}

void cli_web_events(const struct web_request *request, struct web_reply *reply)
{
    enum { LOOK_US = 150000, QUIET_LOOKS = 30 };
    static const char beat[] = ": still here\n\n", ended[] = "event: over\ndata: {}\n\n";
    const struct home *home = home_of(request);
    const char *number = NULL;
    struct maille_error error = {0};
    size_t at = 0;
    if (home_asked(&number, request, &error) != MAILLE_OK) {
        web_reply_error(reply, &error);
        return;
    }
    const char *path = home_path(request->arena, home, number, "events");
    web_reply_begin(reply, 200, DOOR_EVENTS, NULL);
    for (unsigned looks = 0;; looks++) {
        struct bytes events = {0};
        struct arena *arena = arena_new();
        const bool runs = arena != NULL && home_state(arena, home, number) == HOME_RUNNING;
        const size_t before = at;
        arena_free(arena);
        if (file_read(&events, path, HOME_TEXT_MAX, NULL) == MAILLE_OK)
            at = put_lines(reply, &events, at);
        bytes_clear(&events);
        if (!runs) {
            web_reply_put(reply, ended, sizeof ended - 1);
            return;
        }
        if (at == before && looks % QUIET_LOOKS == 0 && !web_reply_put(reply, beat, sizeof beat - 1))
            return;
        if (web_reply_gone(reply))
            return;
        usleep(LOOK_US);
    }
}
