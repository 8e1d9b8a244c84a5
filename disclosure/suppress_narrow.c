/* What all members of a system ask for alike, as the cohort of a study. An atom that no member counts is in
 * no number, so that nothing of it is bounded and it bounds nothing: it is left out, and exactly so. What all
 * that is left meets need not be asked for any more: then a member no longer reads the variable of the
 * cohort's condition, and its clique is smaller by it. */
#include "disclosure/suppress.h"

#include <string.h>

static bool counts_value(const struct system *system, const struct member *member, size_t a, size_t value)
{
    bool counts = !member->empty;
    for (size_t i = 0; i < member->n_conditions && counts; i++) {
        const struct feature *feature = &system->features[member->conditions[i].feature];
        counts = feature->attribute != a || feature->of_value[value] == member->conditions[i].wanted;
    }
    for (size_t i = 0; i < member->n_parts && counts; i++) {
        const struct feature *feature = &system->features[member->parts[i]];
        counts = feature->attribute != a || feature->of_value[value] >= 0;
    }
    return counts;
}

/* Values that no member counts have no class. Where that is all of them, nothing is changed. */
static void leave_out(struct system *system, size_t a)
{
    struct attribute *attribute = &system->attributes[a];
    bool *counted = arena_array(system->arena, attribute->n_classes, sizeof *counted);
    uint32_t *now = arena_array(system->arena, attribute->n_classes, sizeof *now), n = 0;
    for (size_t v = 0; v < attribute->lattice.n; v++)
        for (size_t m = 0; m < system->n_members && !counted[attribute->class_of[v]]; m++)
            counted[attribute->class_of[v]] = counts_value(system, &system->members[m], a, v);
    for (size_t class = 0; class < attribute->n_classes; class ++)
        now[class] = counted[class] ? n++ : SUPPRESS_NO_CLASS;
    if (n == 0)
        return;
    for (size_t v = 0; v < attribute->lattice.n; v++)
        attribute->class_of[v] = now[attribute->class_of[v]];
    attribute->n_classes = n;
}

/* Has a feature the same code at all values that are left? */
static bool is_settled(const struct system *system, const struct feature *feature)
{
    const struct attribute *attribute = &system->attributes[feature->attribute];
    size_t first = SUPPRESS_NONE;
    for (size_t v = 0; v < attribute->lattice.n; v++) {
        if (attribute->class_of[v] == SUPPRESS_NO_CLASS)
            continue;
        if (first != SUPPRESS_NONE && feature->of_value[v] != feature->of_value[first])
            return false;
        first = v;
    }
    return true;
}

/* Does what the member reads besides depend on attribute a, beyond what is settled? Then the two stay in one
 * clique. */
static bool is_needed(const struct system *system, const bool *reads, size_t a)
{
    const struct dictionary *dictionary = system->judge->threshold->study->dictionary;
    for (size_t k = 0; system->attributes[a].single && k < dictionary->n_impossible; k++)
        for (size_t i = 0; i < dictionary->impossible[k].n; i++)
            if (dictionary->impossible[k].parts[i].variable == system->attributes[a].variable)
                return true;
    for (size_t b = 0; b < system->n_attributes; b++) {
        const struct attribute *other = &system->attributes[b];
        if (b == a || !reads[b])
            continue;
        for (size_t i = 0; i < other->n_parts; i++) {
            const struct feature *part = &system->features[other->parts[i]];
            if (part->attribute == a && !is_settled(system, part))
                return true;
        }
        for (size_t i = 0; i < system->attributes[a].n_parts; i++)
            if (system->features[system->attributes[a].parts[i]].attribute == b)
                return true;
    }
    return false;
}

static bool meets_all(const struct system *system, const struct condition *condition)
{
    const struct feature *feature = &system->features[condition->feature];
    const struct attribute *attribute = &system->attributes[feature->attribute];
    for (size_t v = 0; v < attribute->lattice.n; v++)
        if (attribute->class_of[v] != SUPPRESS_NO_CLASS && feature->of_value[v] != condition->wanted)
            return false;
    return true;
}

static void ask_less(struct system *system, struct member *member, bool *reads)
{
    size_t kept = 0;
    memset(reads, 0, system->n_attributes);
    system_reads(system, member, reads);
    for (size_t i = 0; i < member->n_conditions; i++) {
        const struct condition *condition = &member->conditions[i];
        if (!meets_all(system, condition) ||
            is_needed(system, reads, system->features[condition->feature].attribute))
            member->conditions[kept++] = *condition;
    }
    member->n_conditions = kept;
}

void system_narrow(struct system *system)
{
    bool *reads = arena_array(system->arena, system->n_attributes + 1, sizeof *reads);
    for (size_t a = 0; a < system->n_attributes; a++)
        leave_out(system, a);
    for (size_t m = 0; m < system->n_members; m++)
        ask_less(system, &system->members[m], reads);
}
