#include "worker/studies.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/language.h"
#include "base/log.h"
#include "base/options.h"
#include "worker/commands.h"

enum { FILE_BYTES_MAX = 1 << 16, STAMP = 20 /* "2026-11-29T16:50:00Z" */ };

/* The vault's words (vault/tell.c) up to what follows them: a name, a rule, a number. */
static const struct {
    const char *en, *fr;
} phrases[] = {
    {"asked, refused under ", "demandée, refusée selon "},
    {"asked, ", "demandée, "},
    {"refused in round ", "refusée au tour "},
    {"ended by this site under ", "arrêtée par ce site selon "},
    {"answered, ", "répondue, "},
    {"over, nothing was answered", "terminée, sans réponse"},
};

/* The last STUDIES_KEPT lines of a text. */
static const char *last_lines(const char *text, size_t length)
{
    size_t lines = 0;
    for (const char *at = text + length; at > text; at--)
        if (at[-1] == '\n' && ++lines > STUDIES_KEPT)
            return at;
    return text;
}

static enum maille_code note(const char *dir, const char *line, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char path[PATH_MAX], stamp[32];
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "state/studies", error));
    if (file_exists(path))
        MAILLE_TRY(file_read(&text, path, FILE_BYTES_MAX, error));
    clock_format(stamp, clock_utc_ms());
    bytes_printf(&text, "%.19sZ %.640s\n", stamp, line);
    MAILLE_TRY(bytes_check(&text, error));
    const char *begin = (const char *)text.data, *from = last_lines(begin, text.length);
    MAILLE_TRY(file_write_atomic(path, from, text.length - (size_t)(from - begin), 0600, error));
out:
    bytes_clear(&text);
    return code;
}

void studies_note(const char *dir, const char *line)
{
    struct maille_error error = {0};
    if (note(dir, line, &error) != MAILLE_OK)
        log_line(LOG_LEVEL_WARNING, "%s", error.sentence);
}

/* --- the command --- */

struct shown {
    const char *dir, *lang;
    bool json;
    enum language language;
    struct json_put put;
};

/* "STUDY of RESEARCHER: words". */
static void show_line(struct shown *shown, const char *line, size_t length, struct arena *arena)
{
    const char *text = arena_strndup(arena, line, length);
    const char *of = length > STAMP ? strstr(text, " of ") : NULL, *colon = of ? strstr(of, ": ") : NULL;
    if (colon == NULL)
        return;
    const char *stamp = arena_strndup(arena, text, STAMP),
               *study = arena_strndup(arena, text + STAMP + 1, (size_t)(of - text) - STAMP - 1),
               *researcher = arena_strndup(arena, of + 4, (size_t)(colon - of) - 4), *words = colon + 2;
    if (shown->json) {
        json_put_object(&shown->put, NULL);
        json_put_text(&shown->put, "at", stamp);
        json_put_text(&shown->put, "study", study);
        json_put_text(&shown->put, "researcher", researcher);
        json_put_text(&shown->put, "what", words);
        json_put_end(&shown->put);
        return;
    }
    for (size_t i = 0; shown->language == LANGUAGE_FR && i < sizeof phrases / sizeof *phrases; i++)
        if (strncmp(words, phrases[i].en, strlen(phrases[i].en)) == 0) {
            words = arena_printf(arena, "%s%s", phrases[i].fr, words + strlen(phrases[i].en));
            break;
        }
    printf("%.10s %.5s  %s, %s: %s\n", stamp, stamp + 11, study, researcher, words);
}

static enum maille_code show(struct shown *shown, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0}, out = {0};
    struct arena *arena = arena_new();
    char path[PATH_MAX];
    shown->put = (struct json_put){.out = &out};
    if (arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    MAILLE_TRY(file_path_join(path, sizeof path, shown->dir, "state/studies", error));
    if (file_exists(path))
        MAILLE_TRY(file_read(&text, path, FILE_BYTES_MAX, error));
    if (shown->json)
        json_put_list(&shown->put, NULL);
    const char *begin = (const char *)text.data;
    for (size_t end = text.length; end > 0;) { /* the newest first */
        size_t from = end - 1;
        while (from > 0 && begin[from - 1] != '\n')
            from--;
        show_line(shown, begin + from, end - 1 - from, arena);
        end = from;
    }
    if (shown->json) {
        json_put_end(&shown->put);
        MAILLE_TRY(bytes_check(&out, error));
        printf("%.*s\n", (int)out.length, (const char *)out.data);
    } else if (text.length == 0) {
        puts(shown->language == LANGUAGE_FR ? "aucune étude" : "no study");
    }
out:
    arena_free(arena);
    bytes_clear(&text);
    bytes_clear(&out);
    return code;
}

int worker_studies(int argc, char **argv)
{
    struct maille_error error = {0};
    struct shown shown = {0};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &shown.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "json", .kind = OPTION_FLAG, .target = &shown.json, .sentence = "as a list in JSON"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &shown.lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-worker studies",
        .positional = "",
        .sentence = "What the worker told of its last studies: asked, refused, answered, over; the newest "
                    "first (UTC).\nThe evidence is the message log: maille audit list."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&shown.language, shown.lang, &error);
    if (code == MAILLE_OK && !done)
        code = show(&shown, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
