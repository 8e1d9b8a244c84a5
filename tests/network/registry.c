/* What a site of a play knows of its patients: snapshots beside its disk, and the engine that reads them. */
#include "base/file.h"
#include "registry/columns.h"
#include "tests/network/durable.h"
#include "tests/network/private.h"
#include "worker/snapshots.h"

#define MUST(call, error)                                                                                    \
    do {                                                                                                     \
        if ((call) != MAILLE_OK)                                                                             \
            fail_msg("%s: %s", #call, (error)->sentence);                                                    \
    } while (0)

void registry_import(struct registry *registry, struct columns *table, bool is_public)
{
    struct maille_error error = {0};
    struct snapshot_facts facts = {.created = "2026-01-01T00:00:00Z", .is_public = is_public};
    struct snapshot_entry entry = {.rows = columns_rows(table), .created = facts.created};
    char name[SNAPSHOT_NAME_BYTES], path[sizeof registry->folder + sizeof name + 1];
    assert_true(registry->snapshots < PLAY_SNAPSHOTS_MAX);
    registry->tables[registry->snapshots] = table; /* the first one's dictionary may be the study's */
    entry.number = facts.number = ++registry->snapshots;
    snapshots_name(name, entry.number);
    snprintf(path, sizeof path, "%s/%s", registry->folder, name);
    MUST(file_folder_make(registry->folder, 0700, &error), &error);
    snapshots_salt(facts.salt);
    MUST(snapshot_write(table, path, &facts, &error), &error);
    MUST(hash_file(&entry.hash, path, &error), &error);
    MUST(snapshots_add(registry->folder, &entry, &error), &error);
    if (registry->data == NULL)
        MUST(data_open(&registry->data, registry->folder, 1, &error), &error);
}

struct columns *registry_table(const struct registry *registry)
{
    return registry->tables[registry->snapshots - 1];
}

void registry_clear(struct registry *registry)
{
    data_free(registry->data);
    for (size_t i = 0; i < registry->snapshots; i++)
        columns_free(registry->tables[i]);
    *registry = (struct registry){.snapshots = 0};
}

struct play_registries *play_registries_new(struct columns *const *tables, size_t n, bool is_public)
{
    struct play_registries *registries = calloc(1, sizeof *registries);
    struct seeded dice;
    char folder[sizeof registries->folder];
    assert_non_null(registries);
    assert_true(n <= PLAY_SITES_MAX);
    play_start();
    play_folder_new(registries->folder, sizeof registries->folder);
    memcpy(folder, registries->folder, sizeof folder);
    seeded_init(&dice, 0, "registries");
    seeded_use(&dice);
    for (registries->n = 0; registries->n < n; registries->n++) {
        struct registry *registry = &registries->registry[registries->n];
        snprintf(registry->folder, sizeof registry->folder, "%s/%zu.snapshots", folder, registries->n);
        registry_import(registry, tables[registries->n], is_public);
    }
    return registries;
}

void play_registries_free(struct play_registries *registries)
{
    if (registries == NULL)
        return;
    for (size_t i = 0; i < registries->n; i++)
        registry_clear(&registries->registry[i]);
    durable_remove(registries->folder);
    free(registries);
}
