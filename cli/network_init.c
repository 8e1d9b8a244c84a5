/* maille network init: a network's first directory, out of the cards of its authorities and its coordinator.
 */
#include <string.h>

#include "base/file.h"
#include "cli/network.h"
#include "disclosure/policy.h"

enum { AUTHORITY_CARDS_MAX = 64 };

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
    static const struct directory_cohort nobody_but_everybody[1];
    struct directory d = {.cohorts = {0, nobody_but_everybody},
                          .network = wanted->name,
                          .version = 1,
                          .next_site = 1,
                          .timeouts = wanted->timeouts};
    struct directory_authority *authorities = arena_array(arena, wanted->n_cards, sizeof *authorities);
    if (file_exists(wanted->path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected no network at %s, found one; name another with --network", wanted->path);
        goto out;
    }
    MAILLE_TRY(network_card_of(&card, arena, wanted->coordinator, KEY_COORDINATOR, error));
    d.coordinator =
        (struct directory_coordinator){.name = card.name, .endpoint = wanted->endpoint, .keys = card.keys};
    for (size_t i = 0; i < wanted->n_cards; i++) {
        MAILLE_TRY(network_card_of(&card, arena, wanted->cards[i], KEY_AUTHORITY, error));
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

enum maille_code network_run_init(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    struct network_init wanted = {.path = network_default_path,
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
        network_path_row(&wanted.path, "the directory to make"),
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
