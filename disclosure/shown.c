/* As bytes: "maille shown 1", u64 entries; each u8 kind, u64 patients, u64 amount, group and item (u64
 * length, bytes). */
#include "disclosure/shown.h"

#include <stdlib.h>
#include <string.h>

static const char tag[] = "maille shown 1";
enum { ENTRY_BYTES_MIN = 33, GROUP_MAX = 1 << 20 };

static bool same(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    return n == m && (n == 0 || memcmp(a, b, n) == 0);
}

static bool same_group(const struct shown_entry *a, const struct shown_entry *b)
{
    return same(a->group, a->group_length, b->group, b->group_length);
}

static bool same_item(const struct shown_entry *a, const struct shown_entry *b)
{
    return same(a->item, a->item_length, b->item, b->item_length);
}

static bool has_entry(const struct shown *shown, const struct shown_entry *entry)
{
    for (size_t i = 0; i < shown->n; i++) {
        const struct shown_entry *e = &shown->entries[i];
        if (e->kind == entry->kind && e->patients == entry->patients && same_group(e, entry) &&
            same_item(e, entry))
            return true;
    }
    return false;
}

static const uint8_t *copied(struct arena *arena, const uint8_t *data, size_t length)
{
    uint8_t *copy = arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, data, length);
    return copy;
}

static void append(struct shown *shown, struct arena *arena, const struct shown_entry *entry)
{
    if (shown->n == shown->room) {
        size_t room = 2 * shown->room + 16;
        struct shown_entry *grown = arena_array(arena, room, sizeof *grown);
        if (shown->n > 0)
            memcpy(grown, shown->entries, shown->n * sizeof *grown);
        shown->entries = grown;
        shown->room = room;
    }
    struct shown_entry *made = &shown->entries[shown->n++];
    *made = *entry;
    made->group = copied(arena, entry->group, entry->group_length);
    made->item = copied(arena, entry->item, entry->item_length);
}

void shown_add(struct shown *shown, struct arena *arena, const struct shown_entry *entry)
{
    if (!has_entry(shown, entry))
        append(shown, arena, entry);
}

static bool of_one_group(const struct shown_entry *e, const struct shown_entry *entry)
{
    if (e->kind != entry->kind)
        return false;
    bool of_size = e->patients == entry->patients;
    return entry->kind == SHOWN_SCALARS ? of_size || same_group(e, entry) : of_size && same_group(e, entry);
}

static int by_item(const void *a, const void *b)
{
    const struct shown_entry *x = *(const struct shown_entry *const *)a,
                             *y = *(const struct shown_entry *const *)b;
    const size_t least = x->item_length < y->item_length ? x->item_length : y->item_length;
    const int order = least > 0 ? memcmp(x->item, y->item, least) : 0;
    return order != 0 ? order : (x->item_length > y->item_length) - (x->item_length < y->item_length);
}

uint64_t shown_of_group(const struct shown *const *lists, size_t n, const struct shown_entry *entry,
                        struct arena *arena)
{
    uint64_t total = 0;
    size_t found = 0, most = 0;
    for (size_t l = 0; l < n; l++)
        for (size_t i = 0; lists[l] != NULL && i < lists[l]->n; i++)
            most += of_one_group(&lists[l]->entries[i], entry);
    const struct shown_entry **of = arena_array(arena, most + 1, sizeof(const struct shown_entry *));
    for (size_t l = 0; l < n; l++)
        for (size_t i = 0; lists[l] != NULL && i < lists[l]->n; i++)
            if (of_one_group(&lists[l]->entries[i], entry))
                of[found++] = &lists[l]->entries[i];
    qsort(of, found, sizeof *of, by_item);
    for (size_t i = 0; i < found; i++)
        if (i == 0 || by_item(&of[i - 1], &of[i]) != 0)
            total += of[i]->amount;
    return total;
}

void shown_write(struct bytes *out, const struct shown *shown)
{
    bytes_put_string(out, tag);
    bytes_put_u64(out, shown->n);
    for (size_t i = 0; i < shown->n; i++) {
        const struct shown_entry *e = &shown->entries[i];
        bytes_put_u8(out, (uint8_t)e->kind);
        bytes_put_u64(out, (uint64_t)e->patients);
        bytes_put_u64(out, e->amount);
        bytes_put_block(out, e->group, e->group_length);
        bytes_put_block(out, e->item, e->item_length);
    }
}

enum maille_code shown_read(struct shown *shown, struct arena *arena, const uint8_t *bytes, size_t length,
                            struct maille_error *error)
{
    struct reader reader = reader_of(bytes, length);
    struct shown made = *shown;
    size_t tag_length;
    const uint8_t *found = reader_block(&reader, sizeof tag - 1, &tag_length);
    bool good = found != NULL && same(found, tag_length, (const uint8_t *)tag, sizeof tag - 1);
    uint64_t n = reader_u64(&reader);
    good = good && !reader.bad && n <= reader_left(&reader) / ENTRY_BYTES_MIN;
    for (uint64_t i = 0; good && i < n; i++) {
        struct shown_entry e = {0};
        uint8_t kind = reader_u8(&reader);
        e.kind = kind == SHOWN_SCALARS ? SHOWN_SCALARS : SHOWN_MOMENT;
        e.patients = (int64_t)reader_u64(&reader);
        e.amount = reader_u64(&reader);
        e.group = reader_block(&reader, GROUP_MAX, &e.group_length);
        e.item = reader_block(&reader, GROUP_MAX, &e.item_length);
        good = !reader.bad && (kind == SHOWN_SCALARS || kind == SHOWN_MOMENT) && e.patients >= 0;
        if (good)
            append(&made, arena, &e);
    }
    if (!good || !reader_done(&reader))
        return maille_fail(error, MAILLE_INVALID, "expected a list of what was shown, found something else");
    *shown = made;
    return MAILLE_OK;
}
