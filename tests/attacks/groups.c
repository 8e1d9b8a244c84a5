#include "tests/attacks/groups.h"

const struct attribute attributes[ATTRIBUTES] = {{"a", 3}, {"b", 3}, {"c", 4}, {"f", 2}};

size_t kind_level(size_t kind, size_t attribute)
{
    for (size_t i = 0; i < attribute; i++)
        kind /= attributes[i].n_levels;
    return kind % attributes[attribute].n_levels;
}

size_t chance_below(struct chance *chance, size_t n)
{
    uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ z >> 31) >> 11) % n;
}

/* attribute == level, or not. */
static struct condition literal(struct chance *chance, struct arena *arena)
{
    struct condition out;
    size_t attribute = chance_below(chance, ATTRIBUTES),
           level = chance_below(chance, attributes[attribute].n_levels);
    bool is = chance_below(chance, 3) != 0;
    const char *name = attributes[attribute].name;
    out.text = arena_printf(arena, "%s %s \"%s%zu\"", name, is ? "==" : "!=", name, level + 1);
    for (size_t kind = 0; kind < KINDS; kind++)
        out.group.has[kind] = (kind_level(kind, attribute) == level) == is;
    return out;
}

static struct condition joined(struct arena *arena, const struct condition *a, const struct condition *b,
                               bool both)
{
    struct condition out = {.text =
                                arena_printf(arena, "(%s) %s (%s)", a->text, both ? "&&" : "||", b->text)};
    for (size_t kind = 0; kind < KINDS; kind++)
        out.group.has[kind] =
            both ? a->group.has[kind] && b->group.has[kind] : a->group.has[kind] || b->group.has[kind];
    return out;
}

static struct condition negated(struct arena *arena, const struct condition *a)
{
    struct condition out = {.text = arena_printf(arena, "!(%s)", a->text)};
    for (size_t kind = 0; kind < KINDS; kind++)
        out.group.has[kind] = !a->group.has[kind];
    return out;
}

struct condition condition_any(struct chance *chance, struct arena *arena)
{
    struct condition out = literal(chance, arena);
    for (size_t more = chance_below(chance, 3); more > 0; more--) {
        struct condition other = literal(chance, arena);
        out = joined(arena, &out, &other, chance_below(chance, 2) == 0);
    }
    return out;
}

struct condition condition_near(struct chance *chance, struct arena *arena, const struct condition *condition)
{
    struct condition first = literal(chance, arena), second = literal(chance, arena),
                     third = literal(chance, arena);
    struct condition few = joined(arena, &first, &second, true);
    if (chance_below(chance, 2) == 0)
        few = joined(arena, &few, &third, true);
    if (chance_below(chance, 2) == 0)
        return joined(arena, condition, &few, false);
    few = negated(arena, &few);
    return joined(arena, condition, &few, true);
}

struct group group_of_level(const struct group *group, size_t attribute, size_t level)
{
    struct group out;
    for (size_t kind = 0; kind < KINDS; kind++)
        out.has[kind] = group->has[kind] && kind_level(kind, attribute) == level;
    return out;
}

struct group group_of_condition(const struct group *group, const struct condition *condition, bool passes)
{
    struct group out;
    for (size_t kind = 0; kind < KINDS; kind++)
        out.has[kind] = group->has[kind] && condition->group.has[kind] == passes;
    return out;
}
