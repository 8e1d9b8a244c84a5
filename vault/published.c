/* Published cohorts in the life of a query: who is in them is kept beside its own groups, so that what is
 * near to one is found as what is near to a group that was shown (disclosure/published.h). */
#include "vault/published.h"

#include <string.h>

#include "base/log.h"

enum maille_code vault_published(struct published *published, struct arena *arena, const struct vault *vault,
                                 const struct dictionary *dictionary, struct maille_error *error)
{
    const struct published_cohort *list;
    if (vault->directory->cohorts.list == NULL) { /* of before there were any */
        *published = (struct published){0};
        return MAILLE_OK;
    }
    const size_t n = directory_cohorts_of(&list, arena, &vault->directory->cohorts, dictionary);
    return published_make(published, arena, dictionary, list, n, error);
}

static bool is_read(const struct published *published, const char *name)
{
    for (size_t i = 0; i < published->n; i++)
        if (strcmp(published->list[i].name, name) == 0)
            return true;
    return false;
}

void vault_published_tell(struct vault *vault, const struct published *published,
                          const struct dictionary *dictionary, struct arena *arena)
{
    const struct published_cohort *list;
    const size_t n = directory_cohorts_of(&list, arena, &vault->directory->cohorts, dictionary);
    for (size_t i = 0; i < n && !vault->cohorts_told; i++)
        if (!is_read(published, list[i].name))
            log_line(
                LOG_LEVEL_WARNING,
                "the published cohort %s cannot be read by the dictionary %s@%lld: nothing is compared with "
                "it; tell the network's authority",
                list[i].name, dictionary->name, (long long)dictionary->version);
    vault->cohorts_told = true;
}

void vault_published_write(struct bytes *out, const struct published *published)
{
    bytes_put_u32(out, (uint32_t)published->n);
    for (size_t i = 1; i < published->n; i++) { /* the first is everybody */
        bytes_put_string(out, published->list[i].name);
        bytes_put_string(out, published->list[i].expression);
    }
}

static bool take_text(const char **text, struct arena *arena, struct reader *reader)
{
    size_t length = 0;
    const uint8_t *bytes = reader_block(reader, COHORT_TEXT_BYTES, &length);
    if (bytes != NULL)
        *text = arena_strndup(arena, (const char *)bytes, length);
    return bytes != NULL;
}

enum maille_code vault_published_read(struct query *query, struct reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct published made = {0};
    const size_t n = reader_left(reader) == 0 ? 0 : reader_u32(reader);
    bool right = n <= PUBLISHED_MAX && (n == 0 || query->dictionary != NULL);
    struct published_cohort *list = arena_array(query->arena, (right ? n : 0) + 1, sizeof *list);
    for (size_t i = 0; right && i + 1 < n; i++)
        right = take_text(&list[i].name, query->arena, reader) &&
                take_text(&list[i].expression, query->arena, reader);
    if (right && n > 0)
        MAILLE_TRY(published_make(&made, query->arena, query->dictionary, list, n - 1, error));
    if (!right || made.n != n)
        code = maille_fail(error, MAILLE_CORRUPT, "expected the published cohorts of a query, found others");
    else
        query->custody.published = made;
out:
    return code;
}
