#include "registry/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/keymap.h"

enum { LEVELS = PROBLEM_NOTE + 1, KEY_MAX = 512 };

struct group {
    struct import_problem problem;
    size_t number; /* in which order it came */
};

struct problems {
    struct arena *arena;
    struct keymap *groups_by_text;
    struct group *groups;
    size_t n, room, most;
    size_t counts[LEVELS], unlisted;
};

struct problems *problems_new(struct arena *arena, size_t groups_max)
{
    struct problems *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->arena = arena;
    made->most = groups_max;
    made->groups_by_text = keymap_new();
    if (made->groups_by_text == NULL) {
        free(made);
        return NULL;
    }
    return made;
}

void problems_free(struct problems *problems)
{
    if (problems == NULL)
        return;
    keymap_free(problems->groups_by_text);
    free(problems);
}

/* Room for one more; the list doubles within the arena. */
static void make_room(struct problems *problems)
{
    if (problems->n < problems->room)
        return;
    problems->room = problems->room == 0 ? 16 : 2 * problems->room;
    struct group *grown = arena_array(problems->arena, problems->room, sizeof *grown);
    if (problems->n > 0)
        memcpy(grown, problems->groups, problems->n * sizeof *grown);
    problems->groups = grown;
}

void problems_add(struct problems *problems, enum problem_level level, size_t line, size_t count,
                  const char *column, size_t field, const char *format, ...)
{
    char key[KEY_MAX], sentence[sizeof((struct import_problem *)0)->sentence];
    int32_t number;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    problems->counts[level] += count;
    int length = snprintf(key, sizeof key, "%d|%zu|%.128s|%s", (int)level, field, column, sentence);
    size_t used = (size_t)length < sizeof key ? (size_t)length : sizeof key - 1;
    number = keymap_find(problems->groups_by_text, key, used);
    if (number < 0 && (problems->n == problems->most ||
                       keymap_number(problems->groups_by_text, &number, key, used, NULL) != MAILLE_OK)) {
        problems->unlisted += count;
        return;
    }
    if ((size_t)number == problems->n) {
        make_room(problems);
        struct group *group = &problems->groups[problems->n];
        *group = (struct group){.problem = {.level = level, .line = line, .column = column, .field = field},
                                .number = problems->n};
        memcpy(group->problem.sentence, sentence, sizeof sentence);
        problems->n++;
    }
    problems->groups[number].problem.count += count;
}

size_t problems_count(const struct problems *problems, enum problem_level level)
{
    return problems->counts[level];
}

size_t problems_unlisted(const struct problems *problems)
{
    return problems->unlisted;
}

static int by_level_and_field(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->problem.level != y->problem.level)
        return (x->problem.level > y->problem.level) - (x->problem.level < y->problem.level);
    if (x->problem.field != y->problem.field)
        return (x->problem.field > y->problem.field) - (x->problem.field < y->problem.field);
    return (x->number > y->number) - (x->number < y->number);
}

const struct import_problem *problems_list(size_t *n, struct problems *problems)
{
    struct group *sorted = arena_array(problems->arena, problems->n + 1, sizeof *sorted);
    struct import_problem *list = arena_array(problems->arena, problems->n + 1, sizeof *list);
    if (problems->n > 0) {
        memcpy(sorted, problems->groups, problems->n * sizeof *sorted);
        qsort(sorted, problems->n, sizeof *sorted, by_level_and_field);
    }
    for (size_t i = 0; i < problems->n; i++)
        list[i] = sorted[i].problem;
    *n = problems->n;
    return list;
}
