/* Most tables ask of a variable only whether it is there, or one comparison; few ask for its bins. Who asks
 * for no more reads an attribute of its own, whose classes join those of the variable, so that the cliques of
 * all others do not have its bins. Nothing is lost by it: where both are read they are in one clique, and
 * there the bin says what the joined class is. */
#include "disclosure/suppress.h"

#include <string.h>

/* COARSE_CODES: of a feature that asks for little. COARSE_MAX: classes of what is joined. */
enum { COARSE_CODES = 3, COARSE_MAX = 6 };

static int32_t code_at(const struct system *system, size_t feature, size_t class)
{
    return system->features[feature].of_class[class];
}

/* How many codes a feature has, to COARSE_CODES + 1. */
static size_t codes_of(const struct system *system, size_t feature, size_t n_classes)
{
    int32_t codes[COARSE_CODES + 1];
    size_t n = 0;
    for (size_t class = 0; class < n_classes && n <= COARSE_CODES; class ++) {
        const int32_t code = code_at(system, feature, class);
        size_t i = 0;
        while (i < n && codes[i] != code)
            i++;
        if (i == n)
            codes[n++] = code;
    }
    return n;
}

/* Joined classes that the feature tells apart are apart from here on, where there are not too many. */
static size_t refine(const struct system *system, size_t feature, uint32_t *joined, size_t n_joined,
                     size_t n_classes, uint32_t *made)
{
    struct {
        uint32_t joined;
        int32_t code;
    } found[COARSE_MAX];
    size_t n = 0;
    for (size_t class = 0; class < n_classes; class ++) {
        const int32_t code = code_at(system, feature, class);
        size_t i = 0;
        while (i < n && (found[i].joined != joined[class] || found[i].code != code))
            i++;
        if (i == COARSE_MAX)
            return n_joined;
        found[i].joined = joined[class];
        found[i].code = code;
        n = i == n ? n + 1 : n;
        made[class] = (uint32_t)i;
    }
    memcpy(joined, made, n_classes * sizeof *joined);
    return n;
}

/* Is a feature the same at all classes that are joined? */
static bool asks_little(const struct system *system, size_t feature, const uint32_t *joined, size_t n_classes)
{
    bool known[COARSE_MAX] = {false};
    int32_t codes[COARSE_MAX] = {0};
    for (size_t class = 0; class < n_classes; class ++) {
        const int32_t code = code_at(system, feature, class);
        if (known[joined[class]] && codes[joined[class]] != code)
            return false;
        known[joined[class]] = true;
        codes[joined[class]] = code;
    }
    return true;
}

static bool in_impossible(const struct system *system, uint32_t variable)
{
    const struct dictionary *dictionary = system->judge->threshold->study->dictionary;
    for (size_t k = 0; k < dictionary->n_impossible; k++)
        for (size_t i = 0; i < dictionary->impossible[k].n; i++)
            if (dictionary->impossible[k].parts[i].variable == variable)
                return true;
    return false;
}

/* The features of attribute a that ask for little read the joined classes. */
static void split(struct system *system, size_t a, const uint32_t *joined, size_t n_joined)
{
    struct arena *arena = system->arena;
    const size_t n_classes = system->attributes[a].n_classes, n_values = system->attributes[a].lattice.n;
    struct attribute coarse = system->attributes[a];
    coarse.n_classes = n_joined;
    coarse.joins = joined;
    coarse.fine = a;
    coarse.class_of = arena_array(arena, n_values, sizeof *coarse.class_of);
    coarse.value_of = arena_array(arena, n_joined, sizeof *coarse.value_of);
    for (size_t v = n_values; v-- > 0;) {
        const uint32_t class = system->attributes[a].class_of[v];
        coarse.class_of[v] = class == SUPPRESS_NO_CLASS ? SUPPRESS_NO_CLASS : joined[class];
        if (class != SUPPRESS_NO_CLASS)
            coarse.value_of[joined[class]] = v;
    }
    const size_t made = system_attribute_add(system, &coarse);
    for (size_t i = 0; i < system->n_features; i++) {
        struct feature *feature = &system->features[i];
        if (feature->attribute != a || !asks_little(system, i, joined, n_classes))
            continue;
        int32_t *of_class = arena_array(arena, n_joined, sizeof *of_class);
        for (size_t class = 0; class < n_classes; class ++)
            of_class[joined[class]] = feature->of_class[class];
        feature->attribute = made;
        feature->of_class = of_class;
    }
}

void system_coarsen(struct system *system)
{
    const size_t n_attributes = system->n_attributes;
    for (size_t a = 0; a < n_attributes; a++) {
        const struct attribute *attribute = &system->attributes[a];
        if (!attribute->single || in_impossible(system, attribute->variable))
            continue;
        uint32_t *joined = arena_array(system->arena, attribute->n_classes, sizeof *joined),
                 *made = arena_array(system->arena, attribute->n_classes, sizeof *made);
        size_t n_joined = 1;
        for (size_t n_codes = 2; n_codes <= COARSE_CODES; n_codes++)
            for (size_t i = 0; i < system->n_features; i++)
                if (system->features[i].attribute == a &&
                    codes_of(system, i, attribute->n_classes) == n_codes)
                    n_joined = refine(system, i, joined, n_joined, attribute->n_classes, made);
        if (n_joined > 1 && 2 * n_joined <= attribute->n_classes)
            split(system, a, joined, n_joined);
    }
}
