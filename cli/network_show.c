#include "cli/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/safety.h"

static void print_party(const char *role, const char *name, const char *more, enum key_role key_role,
                        const struct public_keys *keys)
{
    char safety[2 * SAFETY_BYTES];
    safety_numbers(safety, key_role, keys);
    printf("  %-11s  %-20s  %s%s%s\n", role, name, safety, more[0] ? "  " : "", more);
}

void network_print(const struct directory *d)
{
    char hash[2 * HASH_BYTES + 1], number[32];
    bytes_to_hex(hash, d->hash.b, HASH_BYTES);
    printf("network  %s, version %" PRIu64 ", hash %.16s\n", d->network, d->version, hash);
    printf("meet at  %s\n", d->coordinator.endpoint);
    printf("purposes ");
    for (size_t i = 0; i < d->n_purposes; i++)
        printf("%s%s", i > 0 ? ", " : "", d->purposes[i]);
    printf("%s\n", d->n_purposes == 0 ? "any" : "");
    if (d->epoch.number > 0) {
        printf("epoch    %" PRIu32 ":", d->epoch.number);
        for (size_t i = 0; i < d->epoch.n_sites; i++)
            printf("%s %s", i > 0 ? "," : "", directory_site(d, d->epoch.sites[i])->name);
        printf("\n");
    }
    printf("floor    %s\n", d->floor == NULL ? "none" : d->floor);
    printf("\n  %-11s  %-20s  safety number (identity, then transport or box)\n", "role", "name");
    print_party("coordinator", d->coordinator.name, "", KEY_COORDINATOR, &d->coordinator.keys);
    for (size_t i = 0; i < d->n_sites; i++) {
        const struct directory_site *site = &d->sites[i];
        snprintf(number, sizeof number, "site %" PRIu32, site->id);
        print_party(number, site->name, site->legal_entity, KEY_SITE, &site->keys);
        if (site->has_dpo) {
            struct public_keys dpo = {0};
            memcpy(dpo.identity, site->dpo_identity, PUBLIC_BYTES);
            memcpy(dpo.box, site->dpo_box, PUBLIC_BYTES);
            print_party("  its dpo", "", "", KEY_DPO, &dpo);
        }
    }
    for (size_t i = 0; i < d->n_researchers; i++)
        print_party("researcher", d->researchers[i].name, "", KEY_RESEARCHER, &d->researchers[i].keys);
    for (size_t i = 0; i < d->n_authorities; i++) {
        struct public_keys keys = {0};
        memcpy(keys.identity, d->authorities[i].identity, PUBLIC_BYTES);
        print_party("authority", d->authorities[i].name,
                    directory_signed_by(d, d->authorities[i].name, d->authorities[i].identity) ? "signed"
                                                                                               : "not signed",
                    KEY_AUTHORITY, &keys);
    }
    printf("\nsignatures: %zu valid, %" PRIu32 " needed: %s\n", d->n_valid, d->quorum,
           d->n_valid >= d->quorum ? "accepted by every party" : "not in force; run: maille network sign");
}
