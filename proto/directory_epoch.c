#include "proto/directory_epoch.h"

#include <inttypes.h>

static const char *const keys[] = {"number", "sites", NULL};

static enum maille_code read_roster(struct directory_epoch *epoch, const struct directory *directory,
                                    struct arena *arena, const struct yaml_node *list,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (list == NULL || list->kind != YAML_KIND_LIST || list->n == 0 || list->n > directory->n_sites)
        return yaml_fail(error, list, "expected the ids of the epoch's sites, as in sites: [1, 2, 3]");
    uint32_t *sites = arena_array(arena, list->n, sizeof *sites);
    for (size_t i = 0; i < list->n; i++) {
        int64_t id;
        MAILLE_TRY(
            yaml_integer(&id, list->values[i], i == 0 ? 1 : (int64_t)sites[i - 1] + 1, UINT32_MAX, error));
        sites[i] = (uint32_t)id;
        if (directory_site(directory, sites[i]) == NULL) {
            code = yaml_fail(error, list->values[i],
                             "expected sites of the directory, found no site %" PRIu32, sites[i]);
            goto out;
        }
    }
    epoch->sites = sites;
    epoch->n_sites = list->n;
out:
    return code;
}

enum maille_code directory_epoch_read(struct directory_epoch *epoch, const struct directory *directory,
                                      struct arena *arena, const struct yaml_node *root,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *map = yaml_get(root, "epoch"), *number;
    struct directory_epoch made = {.n_sites = directory->n_sites};
    int64_t value;
    if (map == NULL) {
        uint32_t *sites = arena_array(arena, directory->n_sites + 1, sizeof *sites);
        for (size_t i = 0; i < directory->n_sites; i++)
            sites[i] = directory->sites[i].id;
        made.sites = sites;
        *epoch = made;
        return MAILLE_OK;
    }
    if (map->kind != YAML_KIND_MAP)
        return yaml_fail(error, map,
                         "expected an epoch as { number: 1, sites: [1, 2, 3] }, found something else");
    MAILLE_TRY(yaml_only_keys(map, keys, error));
    number = yaml_get(map, "number");
    if (number == NULL) {
        code = yaml_fail(error, map, "expected the key \"number\" of the epoch, found none");
        goto out;
    }
    MAILLE_TRY(yaml_integer(&value, number, 1, DIRECTORY_EPOCH_MAX, error));
    made.number = (uint32_t)value;
    if (yaml_get(map, "sites") == NULL)
        code = yaml_fail(error, map, "expected the key \"sites\" of the epoch, found none");
    else
        code = read_roster(&made, directory, arena, yaml_get(map, "sites"), error);
    if (code == MAILLE_OK)
        *epoch = made;
out:
    return code;
}

static bool roster_has(const struct directory_epoch *epoch, uint32_t site)
{
    for (size_t i = 0; i < epoch->n_sites; i++)
        if (epoch->sites[i] == site)
            return true;
    return false;
}

enum maille_code directory_epoch_follows(const struct directory *next, const struct directory *pinned,
                                         const char *name, struct maille_error *error)
{
    const struct directory_epoch *now = &next->epoch, *then = &pinned->epoch;
    size_t left = 0, shielded = 0;
    if (now->number < then->number || now->number > then->number + 1)
        return maille_fail(error, MAILLE_SIGNATURE,
                           "%s: expected epoch %" PRIu32 " or the next one, found epoch %" PRIu32
                           "; ask the network's authority",
                           name, then->number, now->number);
    if (now->number != then->number || now->number == 0)
        return MAILLE_OK;
    if (!directory_cohorts_equal(&next->cohorts, &pinned->cohorts))
        return maille_fail(
            error, MAILLE_SIGNATURE,
            "%s: expected the published cohorts of epoch %" PRIu32
            " as they were at its start, found others; they change with the next epoch: maille "
            "network epoch",
            name, now->number);
    for (size_t i = 0; i < now->n_sites; i++)
        if (!roster_has(then, now->sites[i]))
            return maille_fail(error, MAILLE_SIGNATURE,
                               "%s: expected no new site in the roster of epoch %" PRIu32
                               ", found site %" PRIu32 "; it joins with the next epoch: maille network epoch",
                               name, now->number, now->sites[i]);
    for (size_t i = 0; i < then->n_sites; i++) {
        if (roster_has(now, then->sites[i]))
            continue;
        left++;
        shielded += !directory_site(pinned, then->sites[i])->may_be_inferred;
    }
    if (shielded > 0 && left < DIRECTORY_LEAVE_TOGETHER)
        return maille_fail(
            error, MAILLE_SIGNATURE,
            "%s: expected the sites that leave within epoch %" PRIu32
            " to be %d or more, or may_be_inferred, found %zu; open the next epoch with it: maille "
            "network epoch",
            name, now->number, DIRECTORY_LEAVE_TOGETHER, left);
    return MAILLE_OK;
}
