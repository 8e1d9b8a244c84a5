#include "disclosure/published.h"

#include <string.h>

#include "stats/methods.h"

/* In single quotes, as YAML has them. */
static void put_quoted(struct bytes *out, const char *text)
{
    bytes_put_u8(out, '\'');
    for (; *text != '\0'; text++) {
        bytes_put_u8(out, (uint8_t)*text);
        if (*text == '\'')
            bytes_put_u8(out, '\'');
    }
    bytes_put_u8(out, '\'');
}

/* A study that counts a cohort and nothing else. `data` reads it as it reads a researcher's. */
static enum maille_code study_of(const struct study **study, struct arena *arena,
                                 const struct dictionary *dictionary, const char *expression,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    bytes_printf(&text,
                 "study: published\ndictionary: %s@%lld\ntitle: a published cohort\npurpose: published\n"
                 "legal_basis: published\nprotocol: published\nexpires: 9999-12-31\n",
                 dictionary->name, (long long)dictionary->version);
    if (expression[0] != '\0') {
        bytes_put_text(&text, "cohort: ");
        put_quoted(&text, expression);
        bytes_put_text(&text, "\n");
    }
    bytes_put_text(&text, "analyses:\n  - { id: cohort, method: count }\n");
    MAILLE_TRY(bytes_check(&text, error));
    const char *kept = arena_strndup(arena, (const char *)text.data, text.length);
    code = study_parse(study, arena, dictionary, methods, n_methods, "cohorts", kept, text.length, error);
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code read_one(struct published_one *one, struct part_family **family, struct arena *arena,
                                 const struct dictionary *dictionary, const struct published_cohort *cohort,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct parts parts;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct published_one made = {.name = cohort->name, .expression = cohort->expression};
    MAILLE_TRY(study_of(&made.study, arena, dictionary, cohort->expression, error));
    MAILLE_TRY(method_cells(&made.study->analyses[0], arena, cells, error));
    MAILLE_TRY(parts_read(&parts, cells, dictionary, arena, error));
    made.canon = parts.list[0].canon;
    *family = parts.families + parts.list[0].family;
    *one = made;
out:
    return code;
}

enum maille_code published_make(struct published *published, struct arena *arena,
                                const struct dictionary *dictionary, const struct published_cohort *list,
                                size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const struct published_cohort everybody = {PUBLISHED_EVERYBODY, ""};
    struct published made = {.list = arena_array(arena, n + 1, sizeof *made.list),
                             .groups = arena_array(arena, n + 1, sizeof *made.groups),
                             .canons = arena_array(arena, n + 1, sizeof *made.canons)};
    for (size_t i = 0; i <= n && i < PUBLISHED_MAX; i++) {
        struct maille_error why;
        struct part_family *family;
        code = read_one(&made.list[made.n], &family, arena, dictionary, i == 0 ? &everybody : &list[i - 1],
                        &why);
        if (code == MAILLE_INVALID && i > 0) {
            code = MAILLE_OK;
            continue;
        }
        if (code != MAILLE_OK) {
            code = maille_fail(error, code == MAILLE_MEMORY ? code : MAILLE_INTERNAL, "%s", why.sentence);
            goto out;
        }
        made.groups[made.n] = (struct part_group){PUBLISHED_ANALYSIS + (uint32_t)made.n, 0, family};
        made.canons[made.n] = made.list[made.n].canon;
        made.n++;
    }
    *published = made;
out:
    return code;
}

enum maille_code published_check(const struct dictionary *dictionary, const struct published_cohort *cohort,
                                 struct maille_error *error)
{
    struct published_one one;
    struct part_family *family;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a cohort, found none");
    enum maille_code code = read_one(&one, &family, arena, dictionary, cohort, error);
    arena_free(arena);
    return code;
}

struct threshold_past published_past(const struct published *published)
{
    return (struct threshold_past){
        .n_groups = published->n, .groups = published->groups, .canons = published->canons};
}

const char *published_words(const struct published_one *one)
{
    return one->expression[0] != '\0' ? one->expression : PUBLISHED_EVERYBODY;
}

bool published_has(const struct published *published, const char *words)
{
    for (size_t i = 0; i < published->n; i++)
        if (strcmp(published_words(&published->list[i]), words) == 0)
            return true;
    return false;
}
