/* What `status` of each program has in common: its options, what is not well, and three ways to show both. */
#ifndef BASE_HEALTH_H
#define BASE_HEALTH_H

#include "base/figures.h"
#include "base/options.h"

enum { HEALTH_PROBLEMS_MAX = 8, HEALTH_FREE_BYTES_LEAST = 256 << 20 };

struct health {
    enum maille_code code; /* of the first problem; MAILLE_OK: it is well. Decides the exit status */
    char problems[HEALTH_PROBLEMS_MAX][256];
    size_t n;
    enum language language;
};

/* One sentence in each language, of the same arguments in the same order. */
void health_problem(struct health *health, enum maille_code code, const char *english, const char *french,
                    ...) MAILLE_PRINTF(3, 5) MAILLE_PRINTF(4, 5);

struct health_asked {
    const char *dir, *prometheus; /* a file, or "-" for standard output */
    const char *lang;             /* of what people read */
    bool json;
    int64_t silent_ms;
};
#define HEALTH_OPTIONS(asked, folder)                                                                        \
    {.name = "dir",                                                                                          \
     .kind = OPTION_STRING,                                                                                  \
     .target = &(asked)->dir,                                                                                \
     .argument = "DIR",                                                                                      \
     .sentence = folder,                                                                                     \
     .required = true},                                                                                      \
        {.name = "json",                                                                                     \
         .kind = OPTION_FLAG,                                                                                \
         .target = &(asked)->json,                                                                           \
         .sentence = "one JSON object on standard output"},                                                  \
        {.name = "prometheus",                                                                               \
         .kind = OPTION_STRING,                                                                              \
         .target = &(asked)->prometheus,                                                                     \
         .argument = "FILE",                                                                                 \
         .sentence = "the text that Prometheus reads into a file (- for standard output), such as one of "   \
                     "node_exporter's textfile collector"},                                                  \
        {.name = "lang",                                                                                     \
         .kind = OPTION_STRING,                                                                              \
         .target = &(asked)->lang,                                                                           \
         .argument = "fr|en",                                                                                \
         .sentence = "the language (default: that of LANG); JSON is in English"},                            \
    {                                                                                                        \
        .name = "silent", .kind = OPTION_DURATION, .target = &(asked)->silent_ms, .argument = "TIME",        \
        .sentence = "how long nothing need be heard of the other side"                                       \
    }

struct health_figures {
    const char *program; /* prefix of the names that Prometheus reads */
    const struct figure_row *rows;
    size_t n;
    const int64_t *values;
    /* What else the program has to say: in the JSON object, or (put NULL) for people. NULL: nothing. */
    enum maille_code (*more)(void *context, struct json_put *put, struct maille_error *error);
    void *context;
};

/* The language of what will be shown: programs read English. MAILLE_INVALID. */
enum maille_code health_language(struct health *health, const struct health_asked *asked,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Shows it as asked. MAILLE_IO: the file cannot be written. */
enum maille_code health_show(const struct health *health, const struct health_asked *asked,
                             const struct health_figures *figures, struct maille_error *error) MAILLE_CHECKED;

#endif
