#include "vault/near.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "disclosure/ledger.h"
#include "disclosure/near.h"

void vault_parts(struct parts *parts, const struct analysis *analysis, struct arena *arena)
{
    struct maille_error why;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    if (method_cells(analysis, arena, cells, &why) != MAILLE_OK ||
        parts_read(parts, cells, analysis->study->dictionary, arena, &why) != MAILLE_OK)
        *parts = (struct parts){0};
}

/* One of ledger_named. */
struct earlier {
    const struct ledger_named *named;
    struct near_group group;
    size_t number, same; /* of those with its canon the first */
};

struct near_past {
    struct earlier *list; /* the newest first */
    size_t n;
    bool unread;
};

static int by_canon(const void *a, const void *b)
{
    const struct earlier *x = *(const struct earlier *const *)a, *y = *(const struct earlier *const *)b;
    const int order = memcmp(x->named->canon.data, y->named->canon.data, HASH_BYTES);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static void number_canons(struct near_past *past, struct arena *arena)
{
    struct earlier **sorted = arena_array(arena, past->n + 1, sizeof *sorted);
    for (size_t i = 0; i < past->n; i++)
        sorted[i] = &past->list[i];
    qsort(sorted, past->n, sizeof *sorted, by_canon);
    for (size_t i = 0; i < past->n; i++) {
        const struct earlier *before = i > 0 ? sorted[i - 1] : NULL;
        sorted[i]->same =
            before != NULL && memcmp(before->named->canon.data, sorted[i]->named->canon.data, HASH_BYTES) == 0
                ? before->same
                : sorted[i]->number;
    }
}

enum maille_code near_past_read(struct near_past **past, struct arena *arena, struct vault *vault,
                                const struct query *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger_named *named = NULL;
    size_t n = 0;
    struct near_past *made = arena_alloc(arena, sizeof *made);
    *made = (struct near_past){.n = 0};
    MAILLE_TRY(
        ledger_named(&named, &n, arena, vault->ledger, query->qid, vault->directory->epoch.number, error));
    made->list = arena_array(arena, n + 1, sizeof *made->list);
    for (size_t i = 0; i < n; i++) {
        struct earlier *one = &made->list[made->n];
        if (named[i].words[0] == '\0' || named[i].canon.length != HASH_BYTES ||
            named[i].dictionary.length != HASH_BYTES ||
            memcmp(named[i].dictionary.data, query->manifest.dictionary_hash.b, HASH_BYTES) != 0 ||
            !near_read(&one->group, named[i].conditions, arena)) {
            made->unread = true;
            continue;
        }
        one->named = &named[i];
        one->number = made->n++;
    }
    number_canons(made, arena);
    *past = made;
out:
    return code;
}

bool near_past_unread(const struct near_past *past)
{
    return past->unread;
}

/* --- the lines of an analysis --- */

struct line {
    size_t distance, part;
    const struct earlier *earlier;
};

struct lines {
    struct line list[NEAR_LINES_MAX];
    size_t n, all;
};

/* The nearest, then the newest, then by where it stands in the analysis. */
static bool goes_before(const struct line *a, const struct line *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->earlier->number != b->earlier->number)
        return a->earlier->number < b->earlier->number;
    return a->part < b->part;
}

static void add_line(struct lines *lines, struct line line)
{
    size_t at = lines->n;
    lines->all++;
    while (at > 0 && goes_before(&line, &lines->list[at - 1]))
        at--;
    if (at == NEAR_LINES_MAX)
        return;
    const size_t moved = (lines->n < NEAR_LINES_MAX ? lines->n : NEAR_LINES_MAX - 1) - at;
    memmove(&lines->list[at + 1], &lines->list[at], moved * sizeof lines->list[0]);
    lines->list[at] = line;
    lines->n += lines->n < NEAR_LINES_MAX;
}

static void look(struct lines *lines, struct arena *arena, const struct near_past *past,
                 const struct parts *parts)
{
    size_t *seen =
        arena_array(arena, past->n + 1, sizeof *seen); /* per canon, by which part: its number + 1 */
    for (size_t p = 0; p < parts->n; p++) {
        struct near_group own;
        if (near_group_of(&own, &parts->list[p], arena))
            for (size_t i = 0; i < past->n; i++) {
                const struct earlier *one = &past->list[i];
                if (seen[one->same] == p + 1 ||
                    !part_families_related(&parts->families[parts->list[p].family], one->named->family))
                    continue;
                const size_t distance = near_distance(&own, &one->group);
                if (distance == NEAR_FAR || distance == NEAR_SAME)
                    continue;
                seen[one->same] = p + 1;
                add_line(lines, (struct line){distance, p, one});
            }
    }
}

/* Between quotes, cut where it is long: nobody's earlier study makes this one too long to be read. */
static void put_quoted(struct bytes *out, const char *text, size_t length)
{
    size_t kept = length;
    if (kept > NEAR_WORDS_MAX)
        for (kept = NEAR_WORDS_MAX; kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80;)
            kept--; /* to where a character begins */
    bytes_printf(out, "\"%.*s%s\"", (int)kept, text, kept < length ? " …" : "");
}

void near_put(struct bytes *out, struct arena *arena, const struct near_past *past, const struct query *query,
              size_t analysis)
{
    struct parts parts = {0};
    struct lines lines = {.n = 0};
    vault_parts(&parts, &query->study->analyses[analysis], arena);
    look(&lines, arena, past, &parts);
    if (lines.n == 0) {
        bytes_put_text(out, "    near in words: no group that was answered here before\n");
        return;
    }
    bytes_put_text(out, "    near in words, as this site sees it (the sites' pooled patients decide):\n");
    for (size_t i = 0; i < lines.n; i++) {
        const struct ledger_named *named = lines.list[i].earlier->named;
        struct bytes words = {0};
        char utc[32];
        clock_format(utc, named->made_ms);
        bytes_put_text(out, "        ");
        near_words(&words, &parts.list[lines.list[i].part], query->study->dictionary);
        put_quoted(out, (const char *)words.data, words.length);
        bytes_put_text(out, " is near ");
        put_quoted(out, named->words, strlen(named->words));
        bytes_printf(out, " of study %s (%s, %.10s)\n", named->study, named->researcher, utc);
        out->failed = out->failed || words.failed;
        bytes_clear(&words);
    }
    if (lines.all > lines.n)
        bytes_printf(out, "        and %zu more such groups\n", lines.all - lines.n);
}
