/* The first lines of a study, read without the dictionary that the rest of it needs. */
#include <string.h>

#include "query/study.h"
#include "query/yaml.h"

static const char *line_of(const struct yaml_node *root, const char *key)
{
    const char *text;
    const struct yaml_node *node = yaml_get(root, key);
    return node != NULL && yaml_string(&text, node, NULL) == MAILLE_OK && strlen(text) <= STUDY_HEADING_MAX
               ? text
               : "";
}

void study_heading(struct study_heading *heading, struct arena *arena, const char *text, size_t length)
{
    const struct yaml_node *root;
    *heading = (struct study_heading){"", "", "", "", ""};
    if (yaml_parse(&root, arena, "study", text, length, NULL) != MAILLE_OK || root->kind != YAML_KIND_MAP)
        return;
    *heading = (struct study_heading){.id = line_of(root, "study"),
                                      .title = line_of(root, "title"),
                                      .purpose = line_of(root, "purpose"),
                                      .legal_basis = line_of(root, "legal_basis"),
                                      .protocol = line_of(root, "protocol")};
}
