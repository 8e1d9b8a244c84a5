/* maille network: the directory that everybody trusts, changed one step at a time and signed by its
 * authorities. */
#include "cli/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "crypto/harden.h"
#include "disclosure/policy.h"
#include "proto/card.h"

enum { AUTHORITY_CARDS_MAX = 64, PURPOSES_BYTES_MAX = 16384 };

static const char default_path[] = "network.yaml";

enum maille_code network_read(const struct directory **directory, struct arena *arena, const char *path,
                              struct maille_error *error)
{
    struct bytes text = {0};
    enum maille_code code = file_read(&text, path, DIRECTORY_BYTES_MAX, error);
    if (code == MAILLE_OK)
        code = directory_parse(directory, arena, path, text.length == 0 ? "" : (const char *)text.data,
                               text.length, error);
    bytes_clear(&text);
    return code;
}

enum maille_code network_write(struct arena *arena, const char *path, const struct directory *d,
                               const char *what, struct maille_error *error)
{
    enum maille_code code;
    struct bytes text = {0};
    const struct directory *read;
    directory_write(&text, d);
    MAILLE_TRY(bytes_check(&text, error));
    code = directory_parse(&read, arena, path, (const char *)text.data, text.length, error);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "the change would not be a directory");
        goto out;
    }
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0644, error));
    fprintf(stderr, "%s: %s; version %" PRIu64 " has no signature yet: maille network sign\n", path, what,
            d->version);
out:
    bytes_clear(&text);
    return code;
}

/* A card that must have a role. */
static enum maille_code card_of(struct card *card, struct arena *arena, const char *path, enum key_role role,
                                struct maille_error *error)
{
    enum maille_code code = card_read(card, arena, path, error);
    if (code == MAILLE_OK && card->role != role)
        code = maille_fail(error, MAILLE_INVALID, "expected a card with role: %s, found role: %s (%s) in %s",
                           key_role_name(role), key_role_name(card->role), card->name, path);
    return code;
}

/* --- init --- */

struct network_init {
    const char *name, *endpoint, *coordinator, *purposes, *floor, *path;
    uint64_t quorum;
    struct directory_timeouts timeouts;
    const char *cards[AUTHORITY_CARDS_MAX];
    size_t n_cards;
};

/* "a,b,c" */
static void split_purposes(struct directory *d, struct arena *arena, const char *list)
{
    size_t room = 1;
    for (const char *c = list; *c != '\0'; c++)
        room += *c == ',';
    d->purposes = arena_array(arena, room, sizeof *d->purposes);
    for (const char *from = list; *from != '\0';) {
        size_t length = strcspn(from, ",");
        if (length > 0)
            d->purposes[d->n_purposes++] = arena_strndup(arena, from, length);
        from += length + (from[length] == ',');
    }
}

/* The network's floor from a policy file that policy_parse accepts. */
static enum maille_code read_floor(const char **floor, struct arena *arena, const char *path,
                                   struct maille_error *error)
{
    enum maille_code code;
    struct bytes text = {0};
    const struct policy *policy;
    const struct yaml_node *root;
    MAILLE_TRY(file_read(&text, path, YAML_BYTES_MAX, error));
    bytes_put_u8(&text, 0);
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(policy_parse(&policy, arena, path, (const char *)text.data, text.length - 1, error));
    MAILLE_TRY(yaml_parse(&root, arena, path, (const char *)text.data, text.length - 1, error));
    *floor = directory_floor_text(arena, root);
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code network_init(const struct network_init *wanted, struct arena *arena,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct card card;
    struct directory d = {
        .network = wanted->name, .version = 1, .next_site = 1, .timeouts = wanted->timeouts};
    struct directory_authority *authorities = arena_array(arena, wanted->n_cards, sizeof *authorities);
    if (file_exists(wanted->path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected no network at %s, found one; name another with --network", wanted->path);
        goto out;
    }
    MAILLE_TRY(card_of(&card, arena, wanted->coordinator, KEY_COORDINATOR, error));
    d.coordinator = (struct directory_coordinator){card.name, wanted->endpoint, card.keys};
    for (size_t i = 0; i < wanted->n_cards; i++) {
        MAILLE_TRY(card_of(&card, arena, wanted->cards[i], KEY_AUTHORITY, error));
        authorities[i].name = card.name;
        memcpy(authorities[i].identity, card.keys.identity, PUBLIC_BYTES);
    }
    d.authorities = authorities;
    d.n_authorities = wanted->n_cards;
    d.quorum = (uint32_t)wanted->quorum;
    if (wanted->purposes != NULL)
        split_purposes(&d, arena, wanted->purposes);
    if (wanted->floor != NULL)
        MAILLE_TRY(read_floor(&d.floor, arena, wanted->floor, error));
    code = network_write(arena, wanted->path, &d, "the network is made", error);
out:
    return code;
}

static enum maille_code run_init(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    struct network_init wanted = {.path = default_path,
                                  .quorum = 1,
                                  .timeouts = {60000, 60000, 120000, 120000, INT64_C(604800000), 3600000}};
    const struct option_row rows[] = {
        {.name = "name",
         .kind = OPTION_STRING,
         .target = &wanted.name,
         .argument = "NAME",
         .sentence = "name of the network: a-z, 0-9 and -",
         .required = true},
        {.name = "endpoint",
         .kind = OPTION_STRING,
         .target = &wanted.endpoint,
         .argument = "tcp://HOST:PORT",
         .sentence = "where everybody reaches the coordinator",
         .required = true},
        {.name = "coordinator",
         .kind = OPTION_STRING,
         .target = &wanted.coordinator,
         .argument = "CARD.pub",
         .sentence = "card of the coordinator",
         .required = true},
        {.name = "quorum",
         .kind = OPTION_UNSIGNED,
         .target = &wanted.quorum,
         .argument = "K",
         .sentence = "signatures that a directory needs",
         .min = 1,
         .max = AUTHORITY_CARDS_MAX},
        {.name = "purposes",
         .kind = OPTION_STRING,
         .target = &wanted.purposes,
         .argument = "A,B",
         .sentence = "purposes that a study may have"},
        {.name = "floor",
         .kind = OPTION_STRING,
         .target = &wanted.floor,
         .argument = "POLICY.yaml",
         .sentence = "policy that no site may loosen"},
        {.name = "ready-timeout",
         .kind = OPTION_DURATION,
         .target = &wanted.timeouts.ready_ms,
         .argument = "TIME",
         .sentence = "wait for sites to be ready"},
        {.name = "accept-timeout",
         .kind = OPTION_DURATION,
         .target = &wanted.timeouts.accept_ms,
         .argument = "TIME",
         .sentence = "wait for sites to accept"},
        {.name = "masked-timeout",
         .kind = OPTION_DURATION,
         .target = &wanted.timeouts.masked_ms,
         .argument = "TIME",
         .sentence = "wait for masked sums"},
        {.name = "reveal-timeout",
         .kind = OPTION_DURATION,
         .target = &wanted.timeouts.reveal_ms,
         .argument = "TIME",
         .sentence = "wait for the masks of a sum"},
        {.name = "lifetime",
         .kind = OPTION_DURATION,
         .target = &wanted.timeouts.lifetime_ms,
         .argument = "TIME",
         .sentence = "longest life of a query"},
        {.name = "round-idle",
         .kind = OPTION_DURATION,
         .target = &wanted.timeouts.round_idle_ms,
         .argument = "TIME",
         .sentence = "sites erase an open query after this"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &wanted.path,
         .argument = "FILE",
         .sentence = "the directory to make"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network init", "AUTHORITY.pub…",
        "Makes a network's directory out of the cards of its authorities and its coordinator.", 1,
        AUTHORITY_CARDS_MAX};
    bool done;
    enum maille_code code =
        options_parse(&usage, rows, argc, argv, wanted.cards, &wanted.n_cards, &done, error);
    return code == MAILLE_OK && !done ? network_init(&wanted, arena, error) : code;
}

/* --- add --- */

struct network_add {
    const char *card, *dpo, *legal_entity, *path;
};

/* A copy of a list with room for one more at its end. */
static void *longer(struct arena *arena, const void *list, size_t n, size_t size)
{
    char *copy = arena_array(arena, n + 1, size);
    if (n > 0)
        memcpy(copy, list, n * size);
    return copy;
}

static enum maille_code add_site(struct directory *d, struct arena *arena, const struct card *card,
                                 const struct network_add *wanted, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct card dpo;
    struct directory_site *sites = longer(arena, d->sites, d->n_sites, sizeof *sites);
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
        MAILLE_TRY(card_of(&dpo, arena, wanted->dpo, KEY_DPO, error));
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
        struct directory_researcher *list = longer(arena, d.researchers, d.n_researchers, sizeof *list);
        list[d.n_researchers++] = (struct directory_researcher){card.name, card.keys};
        d.researchers = list;
    } else if (card.role == KEY_AUTHORITY) {
        struct directory_authority *list = longer(arena, d.authorities, d.n_authorities, sizeof *list);
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

static enum maille_code run_add(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    struct network_add wanted = {.path = default_path};
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
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &wanted.path,
         .argument = "FILE",
         .sentence = "the directory to change"},
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
    char *copy = longer(arena, list, n, size);
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
    size_t authority = 0;
    while (authority < d.n_authorities && strcmp(d.authorities[authority].name, name) != 0)
        authority++;
    if (site != NULL)
        leave_epoch(&d, arena, site->id);
    if (site != NULL)
        d.sites = shorter(arena, d.sites, d.n_sites--, sizeof *d.sites, (size_t)(site - d.sites));
    else if (researcher != NULL)
        d.researchers = shorter(arena, d.researchers, d.n_researchers--, sizeof *d.researchers,
                                (size_t)(researcher - d.researchers));
    else if (authority < d.n_authorities) {
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
    code = network_write(arena, path, &d, arena_printf(arena, "%s is revoked", name), error);
out:
    return code;
}

static enum maille_code run_revoke(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    const char *path = default_path, *name = NULL;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &path,
         .argument = "FILE",
         .sentence = "the directory to change"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network revoke", "NAME",
        "Removes a site, a researcher or an authority. What is open and has a part "
        "of it ends before the next reveal. Its name may come back with other keys, as another party: "
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

static enum maille_code run_epoch(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    const char *path = default_path, *names[MESSAGE_SITES_MAX] = {NULL};
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &path,
         .argument = "FILE",
         .sentence = "the directory to change"},
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

/* --- sign --- */

static enum maille_code network_sign(const char *path, const char *key, const char *credential,
                                     struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    const struct directory *d;
    struct secret_keys *keys = NULL;
    struct bytes text = {0};
    MAILLE_TRY(network_read(&d, arena, path, error));
    MAILLE_TRY(crypto_harden(error));
    MAILLE_TRY(cli_read_keys(&keys, KEY_AUTHORITY, key, credential, error));
    const char *name = secret_keys_name(keys);
    const uint8_t *identity = secret_keys_public(keys)->identity;
    bool ours = false;
    for (size_t i = 0; i < d->n_authorities; i++)
        ours = ours || (strcmp(d->authorities[i].name, name) == 0 &&
                        memcmp(d->authorities[i].identity, identity, PUBLIC_BYTES) == 0);
    if (!ours)
        fprintf(stderr,
                "%s: %s is no authority of this version; its signature counts for those who hold an earlier "
                "one that names it\n",
                path, name);
    if (directory_signed_by(d, name, identity)) {
        fprintf(stderr, "%s: %s has signed version %" PRIu64 " already\n", path, name, d->version);
        goto out;
    }
    bytes_put(&text, d->text, d->text_length);
    if (text.length > 0 && text.data[text.length - 1] != '\n') {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "%s: expected an end of line at the end, found none; add one and sign again", path);
        goto out;
    }
    MAILLE_TRY(directory_sign(&text, d->signed_length, keys, error));
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0644, error));
    size_t valid = d->n_valid + (ours ? 1 : 0);
    fprintf(stderr, "%s: %s has signed version %" PRIu64 "; %zu of %" PRIu32 " signatures are there\n", path,
            name, d->version, valid, d->quorum);
out:
    bytes_clear(&text);
    secret_keys_free(keys);
    return code;
}

static enum maille_code run_sign(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    const char *path = default_path, *key = NULL, *credential = NULL;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &key,
         .argument = "FILE.key",
         .sentence = "key of an authority",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence = "credential file that opens the key"},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &path,
         .argument = "FILE",
         .sentence = "the directory to sign"},
        {.name = NULL},
    };
    const struct option_usage usage = {"maille network sign", "",
                                       "Signs the directory as it stands. Look at it first, and compare new "
                                       "safety numbers by voice: maille network show.",
                                       0, 0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, error);
    return code == MAILLE_OK && !done ? network_sign(path, key, credential, arena, error) : code;
}

/* --- show --- */

static enum maille_code run_show(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    const char *path = default_path;
    const struct directory *directory;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &path,
         .argument = "FILE",
         .sentence = "the directory to show"},
        {.name = NULL},
    };
    const struct option_usage usage = {"maille network show", "",
                                       "Shows who is in the network, and whose signatures are there.", 0, 0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, error);
    if (code != MAILLE_OK || done)
        return code;
    code = network_read(&directory, arena, path, error);
    if (code == MAILLE_OK)
        network_print(directory);
    return code;
}

/* --- the table --- */

typedef enum maille_code network_run(int argc, char **argv, struct arena *arena, struct maille_error *error);

static int network_status(network_run *run, int argc, char **argv)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : crypto_start(&error);
    if (code == MAILLE_OK)
        code = run(argc, argv, arena, &error);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille", &error);
}

#define NETWORK_COMMAND(NAME)                                                                                \
    static int main_##NAME(int argc, char **argv)                                                            \
    {                                                                                                        \
        return network_status(run_##NAME, argc, argv);                                                       \
    }
NETWORK_COMMAND(init)
NETWORK_COMMAND(add)
NETWORK_COMMAND(revoke)
NETWORK_COMMAND(epoch)
NETWORK_COMMAND(sign)
NETWORK_COMMAND(show)
#define run_invite network_run_invite
NETWORK_COMMAND(invite)
#define run_rekey network_run_rekey
NETWORK_COMMAND(rekey)
#define run_lost network_run_lost
NETWORK_COMMAND(lost)

int cli_network(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"init", main_init, "make a network's directory"},
        {"invite", main_invite, "a token for somebody who is to join"},
        {"add", main_add, "add a site, a researcher or an authority"},
        {"rekey", main_rekey, "other keys under the same name"},
        {"lost", main_lost, "accept that a site lost its log or ledger"},
        {"revoke", main_revoke, "remove one"},
        {"epoch", main_epoch, "open the next epoch"},
        {"sign", main_sign, "sign the directory as an authority"},
        {"show", main_show, "who is in the network, and who signed"},
        {NULL, NULL, NULL},
    };
    return options_subcommands_run(
        "maille network", "The signed directory of a network: its sites, researchers and coordinator.", table,
        argc, argv);
}
