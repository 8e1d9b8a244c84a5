/* Look-ups in a directory. */
#include "proto/directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/mask.h"

const struct directory_site *directory_site(const struct directory *directory, uint32_t id)
{
    for (size_t i = 0; i < directory->n_sites; i++)
        if (directory->sites[i].id == id)
            return &directory->sites[i];
    return NULL;
}

const struct directory_site *directory_site_named(const struct directory *directory, const char *name)
{
    for (size_t i = 0; i < directory->n_sites; i++)
        if (strcmp(directory->sites[i].name, name) == 0)
            return &directory->sites[i];
    return NULL;
}

const struct directory_researcher *directory_researcher(const struct directory *directory, const char *name)
{
    for (size_t i = 0; i < directory->n_researchers; i++)
        if (strcmp(directory->researchers[i].name, name) == 0)
            return &directory->researchers[i];
    return NULL;
}

const char *directory_by_transport(const struct directory *directory, const uint8_t transport[PUBLIC_BYTES],
                                   enum key_role *role)
{
    if (memcmp(directory->coordinator.keys.transport, transport, PUBLIC_BYTES) == 0) {
        *role = KEY_COORDINATOR;
        return directory->coordinator.name;
    }
    for (size_t i = 0; i < directory->n_sites; i++)
        if (memcmp(directory->sites[i].keys.transport, transport, PUBLIC_BYTES) == 0) {
            *role = KEY_SITE;
            return directory->sites[i].name;
        }
    for (size_t i = 0; i < directory->n_researchers; i++)
        if (memcmp(directory->researchers[i].keys.transport, transport, PUBLIC_BYTES) == 0) {
            *role = KEY_RESEARCHER;
            return directory->researchers[i].name;
        }
    return NULL;
}

const uint8_t *directory_identity(const struct directory *directory, const char *name, enum key_role *role)
{
    const struct directory_site *site = directory_site_named(directory, name);
    const struct directory_researcher *researcher = directory_researcher(directory, name);
    if (site != NULL) {
        *role = KEY_SITE;
        return site->keys.identity;
    }
    if (researcher != NULL) {
        *role = KEY_RESEARCHER;
        return researcher->keys.identity;
    }
    if (strcmp(directory->coordinator.name, name) == 0) {
        *role = KEY_COORDINATOR;
        return directory->coordinator.keys.identity;
    }
    return NULL;
}

uint32_t directory_lost(const struct directory *directory, const char *party)
{
    const struct directory_site *site = directory_site_named(directory, party);
    if (site != NULL)
        return site->lost;
    return strcmp(directory->coordinator.name, party) == 0 ? directory->coordinator.lost : 0;
}

void directory_log_name(char *out, const char *party, uint32_t lost)
{
    if (lost == 0)
        snprintf(out, DIRECTORY_LOG_NAME_BYTES, "%s", party);
    else
        snprintf(out, DIRECTORY_LOG_NAME_BYTES, "%s~%" PRIu32, party, lost);
}

size_t directory_network(const struct directory *directory)
{
    return directory->epoch.number != 0 ? directory->epoch.n_sites : directory->n_sites;
}

uint32_t directory_sites_needed(const struct directory *directory, bool circle, size_t n)
{
    const uint32_t needed = mask_sites_needed((uint32_t)n);
    const size_t network = directory_network(directory);
    if (!circle || needed == 0)
        return needed;
    if (network < CIRCLE_SITES)
        return n == network ? (uint32_t)n : 0;
    return n < CIRCLE_SITES ? 0 : needed < CIRCLE_SITES ? CIRCLE_SITES : needed;
}
