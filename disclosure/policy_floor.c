#include <string.h>

#include "disclosure/policy_table.h"

/* A site may tighten the network's floor, never loosen it: of each key the tighter of the two. */

static bool has(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->names[i], name) == 0)
            return true;
    return false;
}

static struct name_list in_both(struct arena *arena, const struct name_list *a, const struct name_list *b)
{
    if (a->all)
        return *b;
    if (b->all)
        return *a;
    struct name_list both = {.names = arena_array(arena, a->n + 1, sizeof *both.names)};
    for (size_t i = 0; i < a->n; i++)
        if (has(b, a->names[i]))
            both.names[both.n++] = a->names[i];
    return both;
}

static struct name_list in_either(struct arena *arena, const struct name_list *a, const struct name_list *b)
{
    struct name_list either = {.names = arena_array(arena, a->n + b->n + 1, sizeof *either.names)};
    for (size_t i = 0; i < a->n; i++)
        either.names[either.n++] = a->names[i];
    for (size_t i = 0; i < b->n; i++)
        if (!has(a, b->names[i]))
            either.names[either.n++] = b->names[i];
    return either;
}

/* An exception to `auto` stands where each policy answers at once, by its exception or by its default. */
static struct name_list autos_of_both(struct arena *arena, const struct policy *own,
                                      const struct policy *floor, const struct name_list *own_auto,
                                      const struct name_list *floor_auto)
{
    struct name_list either = in_either(arena, own_auto, floor_auto);
    struct name_list kept = {.names = arena_array(arena, either.n + 1, sizeof *kept.names)};
    for (size_t i = 0; i < either.n; i++)
        if ((own->approval_default == APPROVAL_AUTO || has(own_auto, either.names[i])) &&
            (floor->approval_default == APPROVAL_AUTO || has(floor_auto, either.names[i])))
            kept.names[kept.n++] = either.names[i];
    return kept;
}

/* list is the caller's own. */
static void keep_allowed(struct name_list *list, const struct name_list *allowed)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (allowed->all || has(allowed, list->names[i]))
            list->names[kept++] = list->names[i];
    list->n = kept;
}

enum maille_code policy_with_floor(const struct policy **effective, struct arena *arena,
                                   const struct policy *own, const struct policy *floor)
{
    struct policy *made;
    struct bytes text = {0};
    if (floor == NULL) {
        *effective = own;
        return MAILLE_OK;
    }
    made = arena_alloc(arena, sizeof *made);
    *made = *own;
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        struct name_list *list = policy_names(made, row->offset);
        const struct name_list *ours = policy_names((struct policy *)own, row->offset);
        const struct name_list *theirs = policy_names((struct policy *)floor, row->offset);
        switch (row->kind) {
        case POLICY_NUMBER:
        case POLICY_CHOICE:
            policy_set_number(made, row,
                              policy_tighter(row, policy_number(own, row), policy_number(floor, row)));
            break;
        case POLICY_NAMES:
            *list = in_both(arena, ours, theirs);
            break;
        case POLICY_DENIED:
            *list = in_either(arena, ours, theirs);
            break;
        case POLICY_EXCEPTIONS:
            *list = in_either(arena, ours, theirs);
            *policy_names(made, row->offset2) =
                autos_of_both(arena, own, floor, policy_names((struct policy *)own, row->offset2),
                              policy_names((struct policy *)floor, row->offset2));
            break;
        }
    }
    /* An exception for what neither allows says nothing, and would read as a contradiction. */
    keep_allowed(&made->hold_methods, &made->methods);
    keep_allowed(&made->auto_methods, &made->methods);
    keep_allowed(&made->hold_purposes, &made->purposes);
    keep_allowed(&made->auto_purposes, &made->purposes);
    /* Its own text: what stands in the file is not what holds. */
    policy_write(&text, made);
    if (text.failed) {
        bytes_clear(&text);
        return MAILLE_MEMORY;
    }
    made->text = arena_strndup(arena, (const char *)text.data, text.length);
    made->text_length = text.length;
    bytes_clear(&text);
    *effective = made;
    return MAILLE_OK;
}
