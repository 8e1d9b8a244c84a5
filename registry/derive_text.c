/* The rules as one text, whose hash says that two sites have the same. */
#include <string.h>

#include "registry/derive_private.h"

/* A node and all below it: a scalar as its length and text, a list or map as its count and what is in it, in
 * the order of the file. */
static void put_node(struct bytes *to, const struct yaml_node *node)
{
    if (node->kind == YAML_KIND_SCALAR) {
        bytes_printf(to, "%zu:%s ", strlen(node->scalar), node->scalar);
        return;
    }
    bytes_printf(to, "%c%zu ", node->kind == YAML_KIND_MAP ? 'm' : 'l', node->n);
    for (size_t i = 0; i < node->n; i++) {
        if (node->kind == YAML_KIND_MAP)
            put_node(to, node->keys[i]);
        put_node(to, node->values[i]);
    }
}

/* A table: its dictionary by what it says; its file may have any name. */
static enum maille_code put_table(struct bytes *to, struct arena *arena, const struct yaml_node *map,
                                  const struct source *source, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->scalar;
        const bool is_dictionary = source->lines == NULL && strcmp(key, "dictionary") == 0;
        if (source->lines == NULL && strcmp(key, "file") == 0)
            continue;
        put_node(to, map->keys[i]);
        const struct yaml_node *value = map->values[i];
        if (is_dictionary)
            MAILLE_TRY(yaml_parse(&value, arena, source->name, source->dictionary->text,
                                  source->dictionary->text_length, error));
        put_node(to, value);
    }
out:
    return code;
}

enum maille_code derive_canonical(const char **text, struct arena *arena, const struct yaml_node *root,
                                  const struct derive *derive, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes made = {0};
    bytes_printf(&made, "maille-tables/1 ");
    for (size_t i = 0; i < root->n; i++) {
        put_node(&made, root->keys[i]);
        if (strcmp(root->keys[i]->scalar, "tables") != 0) {
            put_node(&made, root->values[i]);
            continue;
        }
        bytes_printf(&made, "l%zu ", root->values[i]->n);
        for (size_t s = 0; s < derive->n_sources; s++)
            MAILLE_TRY(put_table(&made, arena, root->values[i]->values[s], &derive->sources[s], error));
    }
    MAILLE_TRY(bytes_check(&made, error));
    *text = arena_strndup(arena, (const char *)made.data, made.length);
out:
    bytes_clear(&made);
    return code;
}
