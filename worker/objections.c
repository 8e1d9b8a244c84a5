#include "worker/objections.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"

enum { LIST_BYTES_MAX = 256 * 1024 * 1024, NAMED_MAX = 20 };
static const char file_head[] = "maille objections 1";

/* --- the file: lines in a box --- */

static enum maille_code list_path(char path[PATH_MAX], const char *folder, struct maille_error *error)
{
    return file_path_join(path, PATH_MAX, folder, "objections", error);
}

/* The next field of a line, up to `end`; NULL: there is none. */
static const char *field(char **at, char end)
{
    char *begin = *at, *stop = strchr(begin, end);
    if (stop == NULL)
        return NULL;
    *stop = '\0';
    *at = stop + 1;
    return begin;
}

static bool read_line(struct objector *out, char **at)
{
    int64_t date;
    const char *pseudonym = field(at, '\t'), *day = pseudonym != NULL ? field(at, '\t') : NULL,
               *all = day != NULL ? field(at, '\t') : NULL, *recorded = all != NULL ? field(at, '\n') : NULL;
    if (recorded == NULL || !number_parse_i64(day, strlen(day), &date) || date < INT32_MIN ||
        date > INT32_MAX || !number_parse_i64(recorded, strlen(recorded), &out->recorded_ms))
        return false;
    out->objection =
        (struct objection){.pseudonym = pseudonym, .date = (int32_t)date, .all = strcmp(all, "all") == 0};
    return true;
}

enum maille_code objectors_read(struct objectors *objectors, struct arena *arena, const char *folder,
                                const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0}, clear = {0};
    struct digest key;
    char path[PATH_MAX];
    uint64_t n, named;
    *objectors = (struct objectors){0};
    secret_keys_derive(&key, keys, "objections");
    MAILLE_TRY(list_path(path, folder, error));
    if (!file_exists(path))
        goto out;
    MAILLE_TRY(file_read(&sealed, path, LIST_BYTES_MAX, error));
    if (seal_secretbox_open(&clear, key.b, sealed.data, sealed.length, NULL) != MAILLE_OK)
        goto corrupt;
    char *at = arena_strndup(arena, (const char *)clear.data, clear.length);
    const char *head = field(&at, '\n'), *first = head != NULL ? field(&at, '\t') : NULL,
               *second = first != NULL ? field(&at, '\n') : NULL;
    if (second == NULL || strcmp(head, file_head) != 0 || !number_parse_u64(first, strlen(first), &n) ||
        n > clear.length || !number_parse_u64(second, strlen(second), &named))
        goto corrupt;
    struct objector *list = arena_array(arena, n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++)
        if (!read_line(&list[i], &at))
            goto corrupt;
    *objectors = (struct objectors){.list = list, .n = n, .last_named = named};
    goto out;
corrupt:
    code = maille_fail(
        error, MAILLE_CORRUPT,
        "%s: expected the objections as this site wrote them, found other bytes or another key's; "
        "restore it",
        path);
out:
    crypto_wipe(&key, sizeof key);
    bytes_clear(&sealed);
    bytes_wipe(&clear);
    return code;
}

enum maille_code objectors_write(const struct objectors *objectors, const char *folder,
                                 const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes clear = {0}, sealed = {0};
    struct digest key;
    char path[PATH_MAX], numbers[128];
    secret_keys_derive(&key, keys, "objections");
    MAILLE_TRY(list_path(path, folder, error));
    bytes_put(&clear, file_head, sizeof file_head - 1);
    snprintf(numbers, sizeof numbers, "\n%zu\t%zu\n", objectors->n, objectors->last_named);
    bytes_put(&clear, numbers, strlen(numbers));
    for (size_t i = 0; i < objectors->n; i++) {
        const struct objector *objector = &objectors->list[i];
        bytes_put(&clear, objector->objection.pseudonym, strlen(objector->objection.pseudonym));
        snprintf(numbers, sizeof numbers, "\t%" PRId32 "\t%s\t%" PRId64 "\n", objector->objection.date,
                 objector->objection.all ? "all" : "some", objector->recorded_ms);
        bytes_put(&clear, numbers, strlen(numbers));
    }
    MAILLE_TRY(bytes_check(&clear, error));
    code = seal_secretbox(&sealed, key.b, clear.data, clear.length);
    if (code != MAILLE_OK)
        code = maille_fail(error, code, "expected memory for the objections, found none");
    else
        code = file_write_atomic(path, sealed.data, sealed.length, 0600, error);
out:
    crypto_wipe(&key, sizeof key);
    bytes_wipe(&clear);
    bytes_clear(&sealed);
    return code;
}

/* --- what a person must look at --- */

/* What was found in a file, told at the end: all of it at once. */
struct doubts {
    struct arena *arena;
    const char *text; /* lines */
    size_t n;         /* that ask for --yes */
};

static void doubt(struct doubts *doubts, const char *line)
{
    doubts->text = arena_printf(doubts->arena, "%s  %s\n", doubts->text, line);
    doubts->n++;
}

static void check_length(struct doubts *doubts, const char *path, size_t n, const struct objectors *objectors)
{
    if (n == 0)
        doubt(doubts,
              arena_printf(doubts->arena,
                           "%s names nobody: the %zu objections before it stay (--withdraw FILE takes some "
                           "back)",
                           path, objectors->n));
    else if (n < objectors->last_named)
        doubt(
            doubts,
            arena_printf(doubts->arena,
                         "%s names %zu patients, the file before it named %zu: those who are not in it still "
                         "object (--withdraw FILE takes some back)",
                         path, n, objectors->last_named));
}

/* Its place in the list; SIZE_MAX: it has none. */
static size_t place_of(const struct objectors *objectors, const char *pseudonym)
{
    for (size_t low = 0, high = objectors->n; low < high;) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(objectors->list[middle].objection.pseudonym, pseudonym);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

static bool listed(const struct objectors *objectors, const char *pseudonym)
{
    return place_of(objectors, pseudonym) != SIZE_MAX;
}

/* Pseudonyms that no snapshot has, and those that look like one that a snapshot has. */
static enum maille_code check_known(size_t *n_unknown, struct doubts *doubts, const char *path,
                                    const struct objection *list, size_t n, const struct row_keys *map,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t unknown = 0;
    for (size_t i = 0; i < n; i++) {
        if (row_keys_patient(map, list[i].pseudonym) != 0)
            continue;
        const char *near = objections_near(doubts->arena, map, list[i].pseudonym, false);
        bool alike = false;
        MAILLE_TRY(row_keys_alike(&alike, map, list[i].pseudonym, error));
        unknown++;
        if (near != NULL)
            doubt(doubts, arena_printf(doubts->arena, "%s:%zu: no patient is called %s; did you mean %s?",
                                       path, list[i].line, list[i].pseudonym, near));
        else if (alike)
            doubt(doubts,
                  arena_printf(doubts->arena,
                               "%s:%zu: no patient is called %s, but one is but for case, blanks or leading "
                               "zeros; write it as the data have it",
                               path, list[i].line, list[i].pseudonym));
        else if (unknown <= NAMED_MAX)
            printf("%s:%zu: no patient here is called %s; the objection holds if one comes\n", path,
                   list[i].line, list[i].pseudonym);
    }
    if (unknown > NAMED_MAX)
        printf("%s: %zu pseudonyms in all that no patient here has\n", path, unknown);
    *n_unknown = unknown;
out:
    return code;
}

static void check_withdrawn(struct doubts *doubts, const char *path, const struct objection *list, size_t n,
                            const struct objectors *objectors, const struct row_keys *map)
{
    for (size_t i = 0; i < n; i++) {
        if (listed(objectors, list[i].pseudonym) || row_keys_objects(map, list[i].pseudonym))
            continue;
        const char *near = objections_near(doubts->arena, map, list[i].pseudonym, true);
        doubt(doubts, arena_printf(doubts->arena, "%s:%zu: nobody objects as %s%s%s%s", path, list[i].line,
                                   list[i].pseudonym, near != NULL ? "; did you mean " : "",
                                   near != NULL ? near : "", near != NULL ? "?" : ""));
    }
}

/* --- applying --- */

static int by_pseudonym(const void *a, const void *b)
{
    const struct objector *x = a, *y = b;
    return strcmp(x->objection.pseudonym, y->objection.pseudonym);
}

static void add(struct objectors *objectors, struct objections_told *told, struct arena *arena,
                const struct objection *list, size_t n, int64_t now_ms)
{
    struct objector *made = arena_array(arena, objectors->n + n + 1, sizeof *made);
    size_t total = objectors->n, partly = 0;
    if (total > 0)
        memcpy(made, objectors->list, total * sizeof *made);
    for (size_t i = 0; i < n; i++) {
        partly += !list[i].all;
        const size_t place = place_of(objectors, list[i].pseudonym);
        if (place == SIZE_MAX)
            made[total++] = (struct objector){list[i], now_ms};
        else if (list[i].date < made[place].objection.date)
            made[place].objection.date = list[i].date;
    }
    told->added = total - objectors->n;
    objectors->list = made;
    objectors->n = total;
    objectors->last_named = n;
    qsort(made, total, sizeof *made, by_pseudonym);
    if (partly > 0)
        printf("%zu of them object%s to some purposes: an objection holds for every purpose\n", partly,
               partly == 1 ? "s" : "");
}

static void take_out(struct objectors *objectors, struct objections_told *told, struct row_keys *map,
                     struct arena *arena, const struct objection *list, size_t n)
{
    struct objector *left = arena_array(arena, objectors->n + 1, sizeof *left);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        told->withdrawn += listed(objectors, list[i].pseudonym) || row_keys_objects(map, list[i].pseudonym);
        row_keys_withdraw(map, list[i].pseudonym);
    }
    for (size_t o = 0; o < objectors->n; o++) {
        bool gone = false;
        for (size_t i = 0; i < n && !gone; i++)
            gone = strcmp(objectors->list[o].objection.pseudonym, list[i].pseudonym) == 0;
        if (!gone)
            left[kept++] = objectors->list[o];
    }
    objectors->list = left;
    objectors->n = kept;
}

enum maille_code objections_apply(struct objectors *objectors, struct objections_told *told,
                                  struct row_keys *map, struct arena *arena,
                                  const struct objections_change *change, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct objection *list = NULL, *back = NULL;
    struct doubts doubts = {.arena = arena, .text = ""};
    size_t n = 0, n_back = 0;
    *told = (struct objections_told){0};
    if (change->objections != NULL) {
        MAILLE_TRY(objections_read(&list, &n, arena, change->objections, error));
        check_length(&doubts, change->objections, n, objectors);
        MAILLE_TRY(check_known(&told->unknown, &doubts, change->objections, list, n, map, error));
    }
    if (change->withdraw != NULL) {
        MAILLE_TRY(objections_read(&back, &n_back, arena, change->withdraw, error));
        check_withdrawn(&doubts, change->withdraw, back, n_back, objectors, map);
    }
    if (doubts.n > 0)
        printf("%s", doubts.text);
    if (doubts.n > 0 && !change->yes) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected nothing to ask about, found the above; nothing was changed: correct the file, or "
            "go on with --yes");
        goto out;
    }
    if (change->withdraw != NULL)
        take_out(objectors, told, map, arena, back, n_back);
    if (change->objections != NULL)
        add(objectors, told, arena, list, n, change->now_ms);
    for (size_t i = 0; i < objectors->n; i++) {
        if (objectors->list[i].objection.date <= change->today)
            MAILLE_TRY(row_keys_object(map, objectors->list[i].objection.pseudonym, error));
        else
            told->waiting++;
    }
    told->in_force = row_keys_objections(map);
    told->patients = row_keys_objecting_patients(map);
out:
    return code;
}
