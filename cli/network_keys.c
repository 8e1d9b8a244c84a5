/* maille network invite, rekey, lost: who joins, and what becomes of a party whose keys, log or ledger are
 * gone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/network.h"
#include "crypto/safety.h"

void network_print_safety(const struct card *card)
{
    char safety[2 * SAFETY_BYTES];
    safety_numbers(safety, card->role, &card->keys);
    fprintf(stderr, "safety number of the %s %s, which it reads to you by voice before you sign:\n  %s\n",
            key_role_name(card->role), card->name, safety);
}

/* --- invite --- */

enum maille_code network_run_invite(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *path = network_default_path, *name = NULL, *role = "site";
    const struct directory *directory;
    enum key_role parsed;
    char token[CARD_TOKEN_BYTES];
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "role",
         .kind = OPTION_STRING,
         .target = &role,
         .argument = "site|researcher|authority",
         .sentence = "as what (default: site)"},
        network_path_row(&path, "the directory to change"),
        {.name = NULL},
    };
    const struct option_usage usage = {"maille network invite", "NAME",
                                       "Makes a token for somebody who is to join. Give it by another way "
                                       "than the one by which the card will come back:\n"
                                       "whoever has it, and nobody else, can make a card of this name that "
                                       "`maille network add` takes, once, within 72 hours.",
                                       1, 1};
    MAILLE_TRY(options_parse(&usage, rows, argc, argv, &name, &n, &done, error));
    if (done)
        goto out;
    MAILLE_TRY(network_read(&directory, arena, path, error));
    if (!key_role_parse(&parsed, role) ||
        (parsed != KEY_SITE && parsed != KEY_RESEARCHER && parsed != KEY_AUTHORITY)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected --role site, researcher or authority, found \"%s\"", role);
        goto out;
    }
    if (!identity_name_valid(name)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a name of 1 to 40 of a-z, 0-9 and -, found \"%s\"", name);
        goto out;
    }
    MAILLE_TRY(network_invite(token, path, parsed, name, clock_utc_ms(), error));
    printf("%s\n", token);
    fprintf(stderr, "for the %s %s of %s, once, within 72 hours: %s --token %s\n", role, name,
            directory->network, parsed == KEY_SITE ? "maille-worker init" : "maille keygen", token);
out:
    return code;
}

/* --- rekey --- */

static enum maille_code rekey(struct directory *d, struct arena *arena, const struct card *card,
                              struct maille_error *error)
{
    if (card->role == KEY_SITE && directory_site_named(d, card->name) != NULL) {
        struct directory_site *sites = network_list_copy(arena, d->sites, d->n_sites, sizeof *sites);
        struct directory_site *site = &sites[directory_site_named(d, card->name) - d->sites];
        site->keys = card->keys;
        site->lost++; /* its log begins again */
        d->sites = sites;
        return MAILLE_OK;
    }
    if (card->role == KEY_RESEARCHER && directory_researcher(d, card->name) != NULL) {
        struct directory_researcher *list =
            network_list_copy(arena, d->researchers, d->n_researchers, sizeof *list);
        list[directory_researcher(d, card->name) - d->researchers].keys = card->keys;
        d->researchers = list;
        return MAILLE_OK;
    }
    if (card->role == KEY_COORDINATOR && strcmp(d->coordinator.name, card->name) == 0) {
        d->coordinator.keys = card->keys;
        d->coordinator.lost++;
        return MAILLE_OK;
    }
    for (size_t i = 0; card->role == KEY_AUTHORITY && i < d->n_authorities; i++)
        if (strcmp(d->authorities[i].name, card->name) == 0) {
            struct directory_authority *list =
                network_list_copy(arena, d->authorities, d->n_authorities, sizeof *list);
            memcpy(list[i].identity, card->keys.identity, PUBLIC_BYTES);
            d->authorities = list;
            return MAILLE_OK;
        }
    return maille_fail(
        error, MAILLE_INVALID,
        "expected the card of somebody who is in the directory, found the %s %s, who is not; see: maille "
        "network show",
        key_role_name(card->role), card->name);
}

enum maille_code network_run_rekey(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *path = network_default_path, *file = NULL;
    const struct directory *before;
    struct card card;
    size_t n;
    bool done, invited;
    const struct option_row rows[] = {network_path_row(&path, "the directory to change"), {.name = NULL}};
    const struct option_usage usage = {
        "maille network rekey", "CARD.pub",
        "Puts other keys under the name of a party that stays who it is: "
        "after a rotation, or when keys were lost. What was\n"
        "asked or accepted with the keys before ends. A site keeps its "
        "number; its log begins again, and so does that of a coordinator. What else a site "
        "has moves along with: maille-worker rekey.",
        1, 1};
    MAILLE_TRY(options_parse(&usage, rows, argc, argv, &file, &n, &done, error));
    if (done)
        goto out;
    MAILLE_TRY(network_read(&before, arena, path, error));
    MAILLE_TRY(card_read(&card, arena, file, error));
    struct directory d = *before;
    MAILLE_TRY(network_admit_card(&invited, path, &card, clock_utc_ms(), error));
    MAILLE_TRY(rekey(&d, arena, &card, error));
    network_print_safety(&card);
    d.version++;
    code = network_write(arena, path, &d,
                         arena_printf(arena, "%s %s has other keys", key_role_name(card.role), card.name),
                         error);
out:
    return code;
}

/* --- lost --- */

enum maille_code network_run_lost(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *path = network_default_path, *name = NULL;
    const struct directory *before;
    size_t n;
    bool done;
    const struct option_row rows[] = {network_path_row(&path, "the directory to change"), {.name = NULL}};
    const struct option_usage usage = {
        "maille network lost", "NAME",
        "Accepts that a site or the coordinator lost its message log, or a site its "
        "ledger, or was set back by a backup, and begins again:\n"
        "the others stop expecting the log that they have seen. What a site answered "
        "before can no longer be compared with; speak with its officer.",
        1, 1};
    MAILLE_TRY(options_parse(&usage, rows, argc, argv, &name, &n, &done, error));
    if (done)
        goto out;
    MAILLE_TRY(network_read(&before, arena, path, error));
    struct directory d = *before;
    const bool coordinator = strcmp(name, d.coordinator.name) == 0;
    if (!coordinator && directory_site_named(&d, name) == NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a site of %s or its coordinator, found \"%s\"; see: maille network show",
                           path, name);
        goto out;
    }
    if (coordinator) {
        d.coordinator.lost++;
    } else {
        struct directory_site *sites = network_list_copy(arena, d.sites, d.n_sites, sizeof *sites);
        sites[directory_site_named(&d, name) - d.sites].lost++;
        d.sites = sites;
    }
    d.version++;
    code = network_write(
        arena, path, &d,
        arena_printf(arena, "%s may begin a log%s again", name, coordinator ? "" : " and a ledger"), error);
out:
    return code;
}
