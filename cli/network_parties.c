/* maille network add, revoke, epoch: who is in the network, and which sites answer together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/network.h"

/* --- add --- */

struct network_add {
    const char *card, *dpo, *legal_entity, *path;
};

static enum maille_code add_site(struct directory *d, struct arena *arena, const struct card *card,
                                 const struct network_add *wanted, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct card dpo;
    struct directory_site *sites = network_list_copy(arena, d->sites, d->n_sites, sizeof *sites);
    struct directory_site *site = &sites[d->n_sites];
    if (wanted->legal_entity == NULL) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected --legal-entity \"NAME\" for the site %s, found nothing: sites of one legal "
                        "entity do not count as several",
                        card->name);
        goto out;
    }
    *site = (struct directory_site){
        .id = d->next_site, .name = card->name, .legal_entity = wanted->legal_entity, .keys = card->keys};
    if (wanted->dpo != NULL) {
        MAILLE_TRY(network_card_of(&dpo, arena, wanted->dpo, KEY_DPO, error));
        site->has_dpo = true;
        memcpy(site->dpo_identity, dpo.keys.identity, PUBLIC_BYTES);
        memcpy(site->dpo_box, dpo.keys.box, PUBLIC_BYTES);
    }
    d->sites = sites;
    d->n_sites++;
    d->next_site++;
out:
    return code;
}

static enum maille_code network_add(const struct network_add *wanted, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code;
    const struct directory *before;
    struct card card;
    bool invited;
    MAILLE_TRY(network_read(&before, arena, wanted->path, error));
    MAILLE_TRY(card_read(&card, arena, wanted->card, error));
    struct directory d = *before;
    if (card.role != KEY_SITE && (wanted->dpo != NULL || wanted->legal_entity != NULL)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected --dpo and --legal-entity with a site's card alone, found them with the %s %s",
            key_role_name(card.role), card.name);
        goto out;
    }
    MAILLE_TRY(network_admit_card(&invited, wanted->path, &card, clock_utc_ms(), error));
    network_print_safety(&card);
    if (card.role == KEY_SITE)
        MAILLE_TRY(add_site(&d, arena, &card, wanted, error));
    else if (card.role == KEY_RESEARCHER) {
        struct directory_researcher *list =
            network_list_copy(arena, d.researchers, d.n_researchers, sizeof *list);
        list[d.n_researchers++] = (struct directory_researcher){card.name, card.keys};
        d.researchers = list;
    } else if (card.role == KEY_AUTHORITY) {
        struct directory_authority *list =
            network_list_copy(arena, d.authorities, d.n_authorities, sizeof *list);
        list[d.n_authorities].name = card.name;
        memcpy(list[d.n_authorities++].identity, card.keys.identity, PUBLIC_BYTES);
        d.authorities = list;
    } else {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected the card of a site, a researcher or an authority, found that of the %s %s%s",
            key_role_name(card.role), card.name,
            card.role == KEY_DPO ? "; name it with --dpo beside its site" : "");
        goto out;
    }
    d.version++;
    code = network_write(arena, wanted->path, &d,
                         arena_printf(arena, "%s %s is added%s", key_role_name(card.role), card.name,
                                      invited ? ", by its invitation" : ""),
                         error);
out:
    return code;
}

enum maille_code network_run_add(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    struct network_add wanted = {.path = network_default_path};
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "legal-entity",
         .kind = OPTION_STRING,
         .target = &wanted.legal_entity,
         .argument = "NAME",
         .sentence = "who answers for the site (required for a site)"},
        {.name = "dpo",
         .kind = OPTION_STRING,
         .target = &wanted.dpo,
         .argument = "DPO.pub",
         .sentence = "card of the site's data protection officer"},
        network_path_row(&wanted.path, "the directory to change"),
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network add", "CARD.pub",
        "Adds a site, a researcher or an authority. The version goes up and the signatures are dropped.", 1,
        1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &wanted.card, &n, &done, error);
    return code == MAILLE_OK && !done ? network_add(&wanted, arena, error) : code;
}

/* --- revoke --- */

/* Takes element `at` out of a copy of a list. */
static void *shorter(struct arena *arena, const void *list, size_t n, size_t size, size_t at)
{
    char *copy = network_list_copy(arena, list, n, size);
    memmove(copy + at * size, copy + (at + 1) * size, (n - at - 1) * size);
    return copy;
}

/* A site that is gone is in no roster. Whether it may leave within the epoch, those who hold an earlier
 * version judge (struct directory_epoch). */
static void leave_epoch(struct directory *d, struct arena *arena, uint32_t site)
{
    for (size_t i = 0; i < d->epoch.n_sites; i++)
        if (d->epoch.sites[i] == site) {
            d->epoch.sites = shorter(arena, d->epoch.sites, d->epoch.n_sites--, sizeof *d->epoch.sites, i);
            return;
        }
}

static enum maille_code network_revoke(const char *path, const char *name, struct arena *arena,
                                       struct maille_error *error)
{
    enum maille_code code;
    const struct directory *before;
    MAILLE_TRY(network_read(&before, arena, path, error));
    struct directory d = *before;
    const struct directory_site *site = directory_site_named(&d, name);
    const struct directory_researcher *researcher = directory_researcher(&d, name);
    size_t authority = 0, registrations = 0;
    while (authority < d.n_authorities && strcmp(d.authorities[authority].name, name) != 0)
        authority++;
    if (site != NULL)
        leave_epoch(&d, arena, site->id);
    if (site != NULL)
        d.sites = shorter(arena, d.sites, d.n_sites--, sizeof *d.sites, (size_t)(site - d.sites));
    else if (researcher != NULL) {
        d.researchers = shorter(arena, d.researchers, d.n_researchers--, sizeof *d.researchers,
                                (size_t)(researcher - d.researchers));
        registrations = network_registrations_leave(&d, arena, name);
    } else if (authority < d.n_authorities) {
        if (d.n_authorities == d.quorum) {
            code =
                maille_fail(error, MAILLE_INVALID,
                            "expected at least %" PRIu32 " authorities to remain, found %zu; add one first",
                            d.quorum, d.n_authorities - 1);
            goto out;
        }
        d.authorities = shorter(arena, d.authorities, d.n_authorities--, sizeof *d.authorities, authority);
    } else {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected a site, a researcher or an authority of %s, found \"%s\"; see: maille network show",
            path, name);
        goto out;
    }
    d.version++;
    code = network_write(arena, path, &d,
                         arena_printf(arena, "%s is revoked%s", name,
                                      registrations > 0 ? ", and named by no registration" : ""),
                         error);
out:
    return code;
}

enum maille_code network_run_revoke(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    const char *path = network_default_path, *name = NULL;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        network_path_row(&path, "the directory to change"),
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network revoke", "NAME",
        "Removes a site, a researcher or an authority. What is open and has a part "
        "of it ends before the next reveal. No registration names it any more. Its name may come back with "
        "other keys, as another party: "
        "its id does not, and what others keep of its log still names it. Other keys for "
        "the same party: maille network rekey.",
        1, 1};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &name, &n, &done, error);
    return code == MAILLE_OK && !done ? network_revoke(path, name, arena, error) : code;
}

/* --- epoch --- */

static enum maille_code network_epoch(const char *path, const char *const *names, size_t n,
                                      struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *before;
    MAILLE_TRY(network_read(&before, arena, path, error));
    struct directory d = *before;
    uint32_t *sites = arena_array(arena, d.n_sites + 1, sizeof *sites);
    size_t n_sites = 0;
    for (size_t k = 0; k < n; k++)
        if (directory_site_named(&d, names[k]) == NULL) {
            code =
                maille_fail(error, MAILLE_INVALID,
                            "expected sites of %s, found \"%s\"; see: maille network show", path, names[k]);
            goto out;
        }
    for (size_t i = 0; i < d.n_sites; i++) {
        bool wanted = n == 0;
        for (size_t k = 0; k < n; k++)
            wanted = wanted || strcmp(names[k], d.sites[i].name) == 0;
        if (wanted)
            sites[n_sites++] = d.sites[i].id;
    }
    d.epoch = (struct directory_epoch){.number = d.epoch.number + 1, .n_sites = n_sites, .sites = sites};
    d.version++;
    code = network_write(arena, path, &d,
                         arena_printf(arena, "epoch %" PRIu32 " with %zu sites", d.epoch.number, n_sites),
                         error);
out:
    return code;
}

enum maille_code network_run_epoch(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    const char *path = network_default_path, *names[MESSAGE_SITES_MAX] = {NULL};
    size_t n;
    bool done;
    const struct option_row rows[] = {
        network_path_row(&path, "the directory to change"),
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network epoch", "[SITE]...",
        "Opens the next epoch, with the sites that are named, or all. What was asked in the epoch before is "
        "still compared with; what was asked before that is not.",
        0, MESSAGE_SITES_MAX};
    enum maille_code code = options_parse(&usage, rows, argc, argv, names, &n, &done, error);
    return code == MAILLE_OK && !done ? network_epoch(path, names, n, arena, error) : code;
}
