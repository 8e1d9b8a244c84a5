#include "registry/objections.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "registry/csv.h"
#include "registry/pseudonym.h"
#include "registry/text.h"

enum { COLUMN_PSEUDONYM, COLUMN_DATE, COLUMN_PURPOSES, COLUMNS };
static const char *const column_names[COLUMNS] = {"pseudonym", "date", "purposes"};

static enum maille_code read_header(size_t field[COLUMNS], const struct csv_record *header, const char *path,
                                    struct maille_error *error)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        field[c] = SIZE_MAX;
        for (size_t f = 0; f < header->n; f++) {
            size_t length = header->fields[f].length;
            const char *text = text_trim(header->fields[f].text, &length);
            if (length == strlen(column_names[c]) && memcmp(text, column_names[c], length) == 0)
                field[c] = f;
        }
        if (field[c] == SIZE_MAX)
            return maille_fail(error, MAILLE_INVALID,
                               "%s: expected the columns pseudonym, date and purposes, found no %s", path,
                               column_names[c]);
    }
    return MAILLE_OK;
}

static enum maille_code read_line(struct objection *out, struct arena *arena, const struct csv_record *record,
                                  const size_t field[COLUMNS], const char *path, struct maille_error *error)
{
    const char *text[COLUMNS];
    size_t length[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        if (field[c] >= record->n)
            return maille_fail(error, MAILLE_INVALID,
                               "%s:%zu: expected a pseudonym, a date and purposes, found %zu fields", path,
                               record->line, record->n);
        length[c] = record->fields[field[c]].length;
        text[c] = text_trim(record->fields[field[c]].text, &length[c]);
    }
    if (length[COLUMN_PSEUDONYM] == 0 || length[COLUMN_PURPOSES] == 0 ||
        !text_date(&out->date, text[COLUMN_DATE], length[COLUMN_DATE]))
        return maille_fail(
            error, MAILLE_INVALID,
            "%s:%zu: expected a pseudonym, a date as 2026-01-31 or 31/01/2026 and the purposes "
            "that are objected to (all, or names), found something else",
            path, record->line);
    char sentence[PSEUDONYM_SENTENCE_MAX];
    if (pseudonym_refused(sentence, text[COLUMN_PSEUDONYM], length[COLUMN_PSEUDONYM]))
        return maille_fail(error, MAILLE_INVALID, "%s:%zu: %s", path, record->line, sentence);
    out->pseudonym = arena_strndup(arena, text[COLUMN_PSEUDONYM], length[COLUMN_PSEUDONYM]);
    out->all = length[COLUMN_PURPOSES] == 3 && memcmp(text[COLUMN_PURPOSES], "all", 3) == 0;
    out->line = record->line;
    return MAILLE_OK;
}

static int by_name_and_date(const void *a, const void *b)
{
    const struct objection *x = a, *y = b;
    int names = strcmp(x->pseudonym, y->pseudonym);
    return names != 0 ? names : (x->date > y->date) - (x->date < y->date);
}

static int by_line(const void *a, const void *b)
{
    const struct objection *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

enum maille_code objections_read(const struct objection **list, size_t *n, struct arena *arena,
                                 const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct csv *csv = NULL;
    struct csv_record record;
    struct objection *made = NULL;
    size_t field[COLUMNS], read = 0, room = 0, kept = 0;
    MAILLE_TRY(csv_open(&csv, path, NULL, error));
    MAILLE_TRY(csv_next(csv, &record, error));
    MAILLE_TRY(read_header(field, &record, path, error));
    for (;;) {
        MAILLE_TRY(csv_next(csv, &record, error));
        if (record.n == 0)
            break;
        if (read == room) {
            struct objection *grown = arena_array(arena, 2 * room + 64, sizeof *grown);
            if (read > 0)
                memcpy(grown, made, read * sizeof *grown);
            made = grown;
            room = 2 * room + 64;
        }
        MAILLE_TRY(read_line(&made[read], arena, &record, field, path, error));
        read++;
    }
    if (read > 0)
        qsort(made, read, sizeof *made, by_name_and_date);
    for (size_t i = 0; i < read; i++)
        if (kept == 0 || strcmp(made[kept - 1].pseudonym, made[i].pseudonym) != 0)
            made[kept++] = made[i];
    if (kept > 0)
        qsort(made, kept, sizeof *made, by_line);
    *list = made;
    *n = kept;
out:
    csv_free(csv);
    return code;
}

/* --- as somebody else may have written it --- */

struct trying {
    const struct row_keys *keys;
    const char *written;
    bool objecting;
};

static bool known(const struct trying *trying, const char *pseudonym)
{
    return strcmp(pseudonym, trying->written) != 0 &&
           (trying->objecting ? row_keys_objects(trying->keys, pseudonym)
                              : row_keys_patient(trying->keys, pseudonym) != 0);
}

/* The last number in it with other zeros before it: p7 as p0007. */
static const char *with_zeros(struct arena *arena, const struct trying *trying, const char *text)
{
    enum { DIGITS_MAX = 12 };
    size_t end = strlen(text);
    while (end > 0 && !isdigit((unsigned char)text[end - 1]))
        end--;
    size_t begin = end;
    while (begin > 0 && isdigit((unsigned char)text[begin - 1]))
        begin--;
    const size_t head = begin;
    while (begin + 1 < end && text[begin] == '0')
        begin++;
    if (begin == end)
        return NULL;
    for (size_t digits = end - begin; digits <= DIGITS_MAX; digits++) {
        const char *tried =
            arena_printf(arena, "%.*s%0*d%.*s%s", (int)head, text, (int)(digits - (end - begin)), 0,
                         (int)(end - begin), text + begin, text + end);
        if (digits == end - begin) /* %0*d writes one 0 where none is wanted */
            tried = arena_printf(arena, "%.*s%.*s%s", (int)head, text, (int)(end - begin), text + begin,
                                 text + end);
        if (known(trying, tried))
            return tried;
    }
    return NULL;
}

const char *objections_near(struct arena *arena, const struct row_keys *keys, const char *pseudonym,
                            bool objecting)
{
    const struct trying trying = {keys, pseudonym, objecting};
    const size_t length = strlen(pseudonym);
    char *packed = arena_alloc(arena, length + 1), *lower, *upper;
    size_t n = 0;
    if (length > PSEUDONYM_NEAR_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++) /* without blanks, also without U+00A0 */
        if (pseudonym[i] == '\xC2' && pseudonym[i + 1] == '\xA0')
            i++;
        else if (pseudonym[i] != ' ' && pseudonym[i] != '\t')
            packed[n++] = pseudonym[i];
    lower = arena_strdup(arena, packed);
    upper = arena_strdup(arena, packed);
    for (size_t i = 0; i < n; i++) {
        lower[i] = (char)tolower((unsigned char)lower[i]);
        upper[i] = (char)toupper((unsigned char)upper[i]);
    }
    const char *const tries[] = {packed, lower, upper};
    for (size_t t = 0; t < sizeof tries / sizeof *tries; t++) {
        const char *found = known(&trying, tries[t]) ? tries[t] : with_zeros(arena, &trying, tries[t]);
        if (found != NULL)
            return found;
    }
    return NULL;
}
