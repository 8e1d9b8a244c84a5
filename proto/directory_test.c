/* The signed directory: what is accepted, and everything else. */
#include "proto/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { AUTHORITIES = 3 };

static struct secret_keys *authorities[AUTHORITIES];
static struct arena *arena;

static const char *const authority_names[AUTHORITIES] = {"board-a", "board-b", "board-c"};

/* A key that is told apart by its first byte. */
static void key_of(uint8_t key[PUBLIC_BYTES], uint8_t which)
{
    memset(key, 0x5a, PUBLIC_BYTES);
    key[0] = which;
}

static struct directory_site site_of(uint32_t id, const char *name)
{
    struct directory_site site = {
        .id = id, .name = name, .legal_entity = "Centre \"Léon\" \\ Süd", .has_dpo = true};
    key_of(site.keys.identity, (uint8_t)(10 * id));
    key_of(site.keys.transport, (uint8_t)(10 * id + 1));
    key_of(site.dpo_identity, (uint8_t)(10 * id + 2));
    key_of(site.dpo_box, (uint8_t)(10 * id + 3));
    return site;
}

struct network {
    struct directory_authority authorities[AUTHORITIES];
    struct directory_site sites[3];
    struct directory_researcher researchers[1];
    const char *purposes[2];
    struct directory directory;
};

static void network_init(struct network *network)
{
    memset(network, 0, sizeof *network);
    for (size_t i = 0; i < AUTHORITIES; i++) {
        network->authorities[i].name = authority_names[i];
        memcpy(network->authorities[i].identity, secret_keys_public(authorities[i])->identity, PUBLIC_BYTES);
    }
    network->sites[0] = site_of(1, "alpha");
    network->sites[1] = site_of(2, "beta");
    network->sites[2] = site_of(7, "gamma");
    network->sites[2].has_dpo = false;
    network->researchers[0].name = "alice";
    key_of(network->researchers[0].keys.identity, 1);
    key_of(network->researchers[0].keys.transport, 2);
    network->purposes[0] = "research-public-interest";
    network->purposes[1] = "quality";
    struct directory *d = &network->directory;
    d->network = "toy";
    d->version = 3;
    d->quorum = 2;
    d->n_authorities = AUTHORITIES;
    d->authorities = network->authorities;
    d->coordinator.name = "coordinator";
    d->coordinator.endpoint = "tcp://127.0.0.1:9700";
    key_of(d->coordinator.keys.identity, 3);
    key_of(d->coordinator.keys.transport, 4);
    d->n_sites = 3;
    d->sites = network->sites;
    d->next_site = 9;
    d->n_researchers = 1;
    d->researchers = network->researchers;
    d->n_purposes = 2;
    d->purposes = network->purposes;
    d->floor = "{ policy: strict, min_cell: 11, methods: [km, \"a b\"] }";
    d->timeouts = (struct directory_timeouts){500, 60000, 120000, 90000, 7 * 86400000, 3600000};
}

/* The text, signed by the first n authorities. */
static struct bytes text_of(const struct directory *directory, size_t n)
{
    struct bytes text = {0};
    directory_write(&text, directory);
    size_t signed_length = text.length;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(directory_sign(&text, signed_length, authorities[i], NULL), MAILLE_OK);
    assert_false(text.failed);
    return text;
}

static enum maille_code parse(const struct directory **directory, const struct bytes *text,
                              struct maille_error *error)
{
    return directory_parse(directory, arena, "network.yaml", (const char *)text->data, text->length, error);
}

static void test_write_and_parse(void **state)
{
    (void)state;
    struct network network;
    const struct directory *read = NULL, *d = &network.directory;
    struct maille_error error = {0};
    network_init(&network);
    struct bytes text = text_of(d, 2);
    if (parse(&read, &text, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_string_equal(read->network, "toy");
    assert_int_equal(read->version, 3);
    assert_int_equal(read->quorum, 2);
    assert_int_equal(read->n_valid, 2);
    assert_int_equal(read->n_authorities, AUTHORITIES);
    assert_string_equal(read->authorities[2].name, "board-c");
    assert_memory_equal(read->authorities[2].identity, network.authorities[2].identity, PUBLIC_BYTES);
    assert_string_equal(read->coordinator.endpoint, "tcp://127.0.0.1:9700");
    assert_memory_equal(&read->coordinator.keys, &d->coordinator.keys, sizeof d->coordinator.keys);
    assert_int_equal(read->n_sites, 3);
    assert_int_equal(read->next_site, 9);
    assert_int_equal(read->epoch.number, 0); /* none is named: every site */
    assert_int_equal(read->epoch.n_sites, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read->sites[i].id, d->sites[i].id);
        assert_string_equal(read->sites[i].name, d->sites[i].name);
        assert_string_equal(read->sites[i].legal_entity, "Centre \"Léon\" \\ Süd");
        assert_memory_equal(&read->sites[i].keys, &d->sites[i].keys, sizeof d->sites[i].keys);
        assert_int_equal(read->sites[i].has_dpo, d->sites[i].has_dpo);
    }
    assert_memory_equal(read->sites[1].dpo_box, d->sites[1].dpo_box, PUBLIC_BYTES);
    assert_memory_equal(read->sites[1].dpo_identity, d->sites[1].dpo_identity, PUBLIC_BYTES);
    assert_int_equal(read->n_researchers, 1);
    assert_memory_equal(&read->researchers[0].keys, &d->researchers[0].keys, sizeof d->researchers[0].keys);
    assert_int_equal(read->n_purposes, 2);
    assert_string_equal(read->purposes[1], "quality");
    assert_string_equal(read->floor, d->floor);
    assert_memory_equal(&read->timeouts, &d->timeouts, sizeof d->timeouts);
    assert_int_equal(read->text_length, text.length);
    assert_memory_equal(read->text, text.data, text.length);
    struct digest hash;
    hash_bytes(&hash, text.data, read->signed_length);
    assert_true(digest_equal(&hash, &read->hash));
    /* written again it is the same text */
    struct bytes again = text_of(read, 2);
    assert_int_equal(again.length, text.length);
    assert_memory_equal(again.data, text.data, text.length);

    enum key_role role;
    assert_ptr_equal(directory_site(read, 7), &read->sites[2]);
    assert_null(directory_site(read, 3));
    assert_ptr_equal(directory_site_named(read, "beta"), &read->sites[1]);
    assert_null(directory_site_named(read, "alice"));
    assert_ptr_equal(directory_researcher(read, "alice"), &read->researchers[0]);
    assert_string_equal(directory_by_transport(read, network.sites[1].keys.transport, &role), "beta");
    assert_int_equal(role, KEY_SITE);
    assert_string_equal(directory_by_transport(read, d->coordinator.keys.transport, &role), "coordinator");
    assert_int_equal(role, KEY_COORDINATOR);
    assert_string_equal(directory_by_transport(read, network.researchers[0].keys.transport, &role), "alice");
    assert_int_equal(role, KEY_RESEARCHER);
    assert_null(directory_by_transport(read, network.sites[1].keys.identity, &role));
    assert_memory_equal(directory_identity(read, "gamma", &role), network.sites[2].keys.identity,
                        PUBLIC_BYTES);
    assert_memory_equal(directory_identity(read, "alice", &role), network.researchers[0].keys.identity,
                        PUBLIC_BYTES);
    assert_memory_equal(directory_identity(read, "coordinator", &role), d->coordinator.keys.identity,
                        PUBLIC_BYTES);
    assert_null(directory_identity(read, "board-a", &role));
    bytes_clear(&text);
    bytes_clear(&again);
}

static void test_defaults(void **state)
{
    (void)state;
    const struct directory *d = NULL;
    struct maille_error error = {0};
    struct bytes text = {0};
    char key[3][2 * PUBLIC_BYTES + 1], minimal[1024];
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t bytes[PUBLIC_BYTES];
        key_of(bytes, i);
        bytes_to_hex(key[i], bytes, PUBLIC_BYTES);
    }
    snprintf(
        minimal, sizeof minimal,
        "network: toy\nversion: 1\nquorum: 1\nauthorities: [{ name: board, identity: %s }]\n"
        "coordinator:\n  name: c\n  endpoint: tcp://host.example:9700\n  identity: %s\n  transport: %s\n",
        key[0], key[1], key[2]);
    bytes_put(&text, minimal, strlen(minimal));
    if (parse(&d, &text, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(d->n_sites + d->n_researchers + d->n_purposes + d->n_valid, 0);
    assert_null(d->floor);
    assert_int_equal(d->next_site, 1);
    assert_int_equal(d->timeouts.ready_ms, 60000);
    assert_int_equal(d->timeouts.masked_ms, 120000);
    assert_int_equal(d->timeouts.lifetime_ms, INT64_C(604800000));
    assert_int_equal(d->timeouts.round_idle_ms, 3600000);
    assert_int_equal(directory_accept(&d, arena, "network.yaml", minimal, strlen(minimal), NULL, &error),
                     MAILLE_SIGNATURE);
    bytes_clear(&text);
}

/* Every byte of the signed text counts; so does every digit of a signature. */
static void test_altered(void **state)
{
    (void)state;
    struct network network;
    const struct directory *read = NULL;
    struct maille_error error;
    network_init(&network);
    struct bytes text = text_of(&network.directory, 2);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)text.data, text.length, NULL, &error),
                     MAILLE_OK);
    size_t signed_length = read->signed_length, refused = 0;
    for (size_t i = 0; i < text.length; i++) {
        struct arena *own = arena_new();
        const struct directory *d = NULL;
        text.data[i] ^= 1;
        enum maille_code code =
            directory_accept(&d, own, "n", (const char *)text.data, text.length, NULL, &error);
        text.data[i] ^= 1;
        if (i < signed_length || text.data[i] != '\n') {
            assert_true(code == MAILLE_SIGNATURE || code == MAILLE_INVALID);
            assert_null(d);
            refused++;
        }
        arena_free(own);
    }
    assert_true(refused > signed_length);
    for (size_t length = 0; length < text.length; length++) /* cut anywhere (but for the last end of line) */
        if (length != text.length - 1) {
            struct arena *own = arena_new();
            const struct directory *d = NULL;
            assert_int_not_equal(
                directory_accept(&d, own, "n", (const char *)text.data, length, NULL, &error), MAILLE_OK);
            arena_free(own);
        }
    bytes_clear(&text);
}

static void test_quorum(void **state)
{
    (void)state;
    struct network network;
    const struct directory *read = NULL;
    struct maille_error error;
    network_init(&network);
    struct bytes text = text_of(&network.directory, 1);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)text.data, text.length, NULL, &error),
                     MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "of 2 of its 3 authorities, found 1"));
    assert_null(read);
    assert_int_equal(parse(&read, &text, NULL), MAILLE_OK);
    size_t signed_length = read->signed_length;
    assert_true(directory_signed_by(read, "board-a", network.authorities[0].identity));
    assert_false(directory_signed_by(read, "board-b", network.authorities[1].identity));
    assert_false(
        directory_signed_by(read, "board-b", network.authorities[0].identity)); /* somebody else's name */
    /* the same authority twice is one authority */
    assert_int_equal(directory_sign(&text, signed_length, authorities[0], NULL), MAILLE_OK);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)text.data, text.length, NULL, NULL),
                     MAILLE_SIGNATURE);
    /* a stranger's signature counts for nothing, also under the name of an authority */
    struct secret_keys *stranger = NULL, *impostor = NULL;
    assert_int_equal(secret_keys_new(&stranger, KEY_AUTHORITY, "stranger", NULL), MAILLE_OK);
    assert_int_equal(secret_keys_new(&impostor, KEY_AUTHORITY, "board-b", NULL), MAILLE_OK);
    assert_int_equal(directory_sign(&text, signed_length, stranger, NULL), MAILLE_OK);
    assert_int_equal(directory_sign(&text, signed_length, impostor, NULL), MAILLE_OK);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)text.data, text.length, NULL, NULL),
                     MAILLE_SIGNATURE);
    assert_int_equal(directory_sign(&text, signed_length, authorities[1], NULL), MAILLE_OK);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)text.data, text.length, NULL, NULL),
                     MAILLE_OK);
    assert_int_equal(read->n_valid, 2);
    /* after the signatures stand signatures alone */
    bytes_put(&text, "sites: []\n", 10);
    assert_int_equal(parse(&read, &text, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "network.yaml:"));
    secret_keys_free(stranger);
    secret_keys_free(impostor);
    bytes_clear(&text);
}

static void test_pinned(void **state)
{
    (void)state;
    struct network network;
    const struct directory *pinned = NULL, *read = NULL;
    struct maille_error error;
    network_init(&network);
    struct bytes text = text_of(&network.directory, 2), next = {0};
    assert_int_equal(directory_accept(&pinned, arena, "n", (const char *)text.data, text.length, NULL, NULL),
                     MAILLE_OK);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)text.data, text.length, pinned, NULL),
                     MAILLE_OK); /* itself */
    network.directory.version = 2;
    next = text_of(&network.directory, 3);
    assert_int_equal(
        directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, &error),
        MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "version 3 or later, found 2"));
    bytes_clear(&next);
    /* what nobody signed is not parsed: its mistakes are not told */
    assert_int_equal(directory_accept(&read, arena, "n", "network: [", 10, NULL, NULL), MAILLE_INVALID);
    assert_int_equal(directory_accept(&read, arena, "n", "network: [", 10, pinned, NULL), MAILLE_SIGNATURE);
    network.directory.version = 3; /* another text under the same number */
    network.directory.n_purposes = 1;
    next = text_of(&network.directory, 3);
    assert_int_equal(
        directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, &error),
        MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "same version"));
    bytes_clear(&next);
    network.directory.version = 4;
    next = text_of(&network.directory, 2);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, NULL),
                     MAILLE_OK);
    bytes_clear(&next);
    network.sites[1] = site_of(8, "delta"); /* 8 was somebody's, who left before version 3 */
    next = text_of(&network.directory, 3);
    assert_int_equal(
        directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, &error),
        MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "delta"));
    bytes_clear(&next);
    network.sites[1] = site_of(2, "delta"); /* beta's */
    next = text_of(&network.directory, 3);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, NULL),
                     MAILLE_SIGNATURE);
    bytes_clear(&next);
    network.sites[1] = site_of(9, "delta");
    network.directory.next_site = 10;
    next = text_of(&network.directory, 3);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, NULL),
                     MAILLE_OK);
    bytes_clear(&next);
    /* a loss that was accepted is never taken back */
    network.sites[0].lost = 2;
    struct bytes with_loss = text_of(&network.directory, 3);
    const struct directory *twice = NULL;
    assert_int_equal(
        directory_accept(&twice, arena, "n", (const char *)with_loss.data, with_loss.length, pinned, NULL),
        MAILLE_OK);
    network.directory.version++;
    for (uint32_t lost = 1; lost <= 3; lost++) {
        network.sites[0].lost = lost;
        next = text_of(&network.directory, 3);
        assert_int_equal(
            directory_accept(&read, arena, "n", (const char *)next.data, next.length, twice, &error),
            lost < 2 ? MAILLE_SIGNATURE : MAILLE_OK);
        if (lost < 2)
            assert_non_null(strstr(error.sentence, "to have lost its log 2 times at least"));
        bytes_clear(&next);
    }
    network.sites[0].lost = 0;
    bytes_clear(&with_loss);
    network.directory.network = "other";
    next = text_of(&network.directory, 3);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, NULL),
                     MAILLE_SIGNATURE);
    bytes_clear(&next);
    /* authorities that nobody named before cannot take a network over, though their own quorum is met */
    network.directory.network = "toy";
    struct secret_keys *usurper = NULL;
    assert_int_equal(secret_keys_new(&usurper, KEY_AUTHORITY, "board-a", NULL), MAILLE_OK);
    memcpy(network.authorities[0].identity, secret_keys_public(usurper)->identity, PUBLIC_BYTES);
    network.directory.n_authorities = network.directory.quorum = 1;
    next = text_of(&network.directory, 0);
    size_t signed_length = next.length;
    assert_int_equal(directory_sign(&next, signed_length, usurper, NULL), MAILLE_OK);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)next.data, next.length, NULL, NULL),
                     MAILLE_OK);
    assert_int_equal(
        directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, &error),
        MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "of the directory before it, found 0"));
    /* with the old ones' consent they can: an authority may change its key under its name */
    assert_int_equal(directory_sign(&next, signed_length, authorities[0], NULL), MAILLE_OK);
    assert_int_equal(directory_sign(&next, signed_length, authorities[2], NULL), MAILLE_OK);
    assert_int_equal(directory_accept(&read, arena, "n", (const char *)next.data, next.length, pinned, NULL),
                     MAILLE_OK);
    secret_keys_free(usurper);
    bytes_clear(&next);
    bytes_clear(&text);
}

/* Read as they are written, of the dictionary that is asked for; the same within an epoch. */
static void test_cohorts(void **state)
{
    (void)state;
    static const struct directory_cohort list[] = {
        {"toy@1", {"old", "age >= 65"}}, {"toy@2", {"older", "age >= 70"}}, {"toy", {"group", "g == \"a\""}}};
    static const uint32_t all[] = {1, 2, 7};
    const struct dictionary dictionary = {.name = "toy", .version = 1};
    const struct published_cohort *found;
    const struct directory *pinned = NULL, *read = NULL;
    struct network network;
    struct maille_error error = {0};
    network_init(&network);
    network.directory.epoch = (struct directory_epoch){2, 3, all};
    network.directory.cohorts = (struct directory_cohorts){3, list};
    struct bytes text = text_of(&network.directory, 3);
    if (directory_accept(&pinned, arena, "n", (const char *)text.data, text.length, NULL, &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_true(directory_cohorts_equal(&pinned->cohorts, &network.directory.cohorts));
    assert_int_equal(directory_cohorts_of(&found, arena, &pinned->cohorts, &dictionary), 2);
    assert_string_equal(found[1].expression, "g == \"a\"");
    bytes_clear(&text);
    for (uint32_t number = 2; number <= 3; number++) {
        network.directory.version++;
        network.directory.epoch = (struct directory_epoch){number, 3, all};
        network.directory.cohorts.n = 2;
        text = text_of(&network.directory, 3);
        assert_int_equal(
            directory_accept(&read, arena, "n", (const char *)text.data, text.length, pinned, &error),
            number == 2 ? MAILLE_SIGNATURE : MAILLE_OK);
        if (number == 2)
            assert_non_null(strstr(error.sentence, "expected the published cohorts of epoch 2"));
        bytes_clear(&text);
    }
}

/* Those of all versions of a dictionary and those of one are compared together. */
static void test_too_many_cohorts(void **state)
{
    (void)state;
    struct network network;
    struct maille_error error = {0};
    const struct directory *read = NULL;
    struct directory_cohort list[COHORTS_OF_MAX + 2];
    network_init(&network);
    for (size_t i = 0; i < COHORTS_OF_MAX + 2; i++)
        list[i] = (struct directory_cohort){i % 2 == 0 ? "toy" : "toy@1",
                                            {arena_printf(arena, "c-%zu", i), "age >= 65"}};
    list[COHORTS_OF_MAX + 1].dictionary = "toyota@1";
    for (size_t n = COHORTS_OF_MAX; n <= COHORTS_OF_MAX + 2; n++) {
        network.directory.cohorts = (struct directory_cohorts){n, list};
        list[COHORTS_OF_MAX].dictionary = n == COHORTS_OF_MAX + 2 ? "toy@2" : "toy";
        struct bytes text = text_of(&network.directory, 3);
        assert_int_equal(directory_parse(&read, arena, "n", (const char *)text.data, text.length, &error),
                         n == COHORTS_OF_MAX + 1 ? MAILLE_INVALID : MAILLE_OK);
        if (n == COHORTS_OF_MAX + 1)
            assert_non_null(strstr(error.sentence, "expected at most 64 cohorts of toy"));
        bytes_clear(&text);
    }
}

/* What may come after a directory of epoch 2 with the sites 1, 2 and 7. */
static void test_epochs(void **state)
{
    (void)state;
    static const uint32_t all[] = {1, 2, 7};
    static const struct {
        uint32_t number;
        size_t n, left_inferred; /* of the roster; sites from the end that said may_be_inferred */
        const char *says;        /* NULL: it is taken */
    } cases[] = {
        {2, 3, 0, NULL},
        {2, 2, 0, "expected the sites that leave within epoch 2 to be 3 or more"},
        {2, 2, 1, NULL},
        {2, 1, 1, "found 2"}, /* one of them did not say so */
        {2, 1, 2, NULL},
        {3, 2, 0, NULL},
        {4, 3, 0, "expected epoch 2 or the next one, found epoch 4"},
        {1, 3, 0, "expected epoch 2 or the next one, found epoch 1"},
        {0, 3, 0, "found epoch 0"},
    };
    struct network network;
    const struct directory *pinned = NULL, *read = NULL;
    struct maille_error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        network_init(&network);
        for (size_t k = 0; k < cases[i].left_inferred; k++)
            network.sites[k == 0 ? 2 : 1].may_be_inferred = true;
        network.directory.epoch = (struct directory_epoch){2, 3, all};
        struct bytes text = text_of(&network.directory, 3);
        if (directory_accept(&pinned, arena, "n", (const char *)text.data, text.length, NULL, &error) !=
            MAILLE_OK)
            fail_msg("%s", error.sentence);
        assert_int_equal(pinned->epoch.number, 2);
        assert_int_equal(pinned->epoch.n_sites, 3);
        bytes_clear(&text);
        network.directory.version++;
        network.directory.epoch = (struct directory_epoch){cases[i].number, cases[i].n, all};
        text = text_of(&network.directory, 3);
        enum maille_code code =
            directory_accept(&read, arena, "n", (const char *)text.data, text.length, pinned, &error);
        assert_int_equal(code, cases[i].says == NULL ? MAILLE_OK : MAILLE_SIGNATURE);
        if (cases[i].says != NULL && strstr(error.sentence, cases[i].says) == NULL)
            fail_msg("expected \"%s\", found: %s", cases[i].says, error.sentence);
        bytes_clear(&text);
    }
    /* Nobody comes within an epoch; with the next one they do. */
    for (uint32_t number = 2; number <= 3; number++) {
        network_init(&network);
        network.directory.epoch = (struct directory_epoch){2, 2, all};
        struct bytes text = text_of(&network.directory, 3);
        assert_int_equal(
            directory_accept(&pinned, arena, "n", (const char *)text.data, text.length, NULL, NULL),
            MAILLE_OK);
        bytes_clear(&text);
        network.directory.version++;
        network.directory.epoch = (struct directory_epoch){number, 3, all};
        text = text_of(&network.directory, 3);
        assert_int_equal(
            directory_accept(&read, arena, "n", (const char *)text.data, text.length, pinned, &error),
            number == 3 ? MAILLE_OK : MAILLE_SIGNATURE);
        if (number == 2)
            assert_non_null(strstr(error.sentence, "expected no new site in the roster of epoch 2"));
        bytes_clear(&text);
    }
}

/* One thing wrong at a time: what is replaced in a good text, and what the sentence must say. */
static void test_bad_texts(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"network: toy", "network: Toy!", "network.yaml:2:10: expected a name"},
        {"network: toy\n", "", "expected the key \"network\""},
        {"version: 3", "version: 0", "network.yaml:3:10"},
        {"version: 3", "version: three", "network.yaml:3:10"},
        {"quorum: 2", "quorum: 4", "network.yaml:4:9"},
        {"quorum: 2", "quorum: 0", "network.yaml:4:9"},
        {"quorum: 2", "quorom: 2", "quorum"},
        {"name: board-b", "name: board-a", "\"board-a\" twice"},
        {"name: beta", "name: alpha", "\"alpha\" twice"},
        {"name: beta", "name: alice", "\"alice\" twice"},
        {"name: beta", "name: coordinator", "\"coordinator\" twice"},
        {"name: beta", "name: \"be ta\"", "expected a name"},
        {"id: 2", "id: 1", "found 1 again"},
        {"id: 2", "id: 0", "network.yaml:"},
        {"id: 2", "id: 4294967296", "network.yaml:"},
        {"transport: 15", "transport: 14", "one of beta"}, /* one's identity is another's transport key */
        {"identity: 145a5a5a", "identity: 0b5a5a5a", "expected every key once"}, /* alpha's transport key */
        {"identity: 145a5a5a", "identity: 1g5a5a5a", "expected a public key of 64"},
        {"identity: 145a5a5a", "identity: 145a5a5a5", "expected a public key of 64"},
        {"dpo_box: 0d", "dpo_bux: 0d", "dpo_box"},
        {", dpo_box: 0d", ", dpo_box: 0c", "one of alpha"},
        {"next_site: 9", "next_site: 7", "network.yaml:"}, /* gamma has it */
        {"next_site: 9", "next_site: 9\ncohorts: 4", "expected a list"},
        {"next_site: 9", "next_site: 9\ncohorts: [{ name: a, dictionary: t }]",
         "expected the key \"expression\""},
        {"next_site: 9", "next_site: 9\ncohorts: [{ name: everybody, dictionary: t, expression: e }]",
         "always published"},
        {"next_site: 9", "next_site: 9\nepoch: 4", "expected an epoch as"},
        {"next_site: 9", "next_site: 9\nepoch: { sites: [1] }", "expected the key \"number\""},
        {"next_site: 9", "next_site: 9\nepoch: { number: 0, sites: [1] }", "network.yaml:"},
        {"next_site: 9", "next_site: 9\nepoch: { number: 1 }", "expected the key \"sites\""},
        {"next_site: 9", "next_site: 9\nepoch: { number: 1, sites: [2, 1] }", "network.yaml:"},
        {"next_site: 9", "next_site: 9\nepoch: { number: 1, sites: [1, 3] }", "found no site 3"},
        {"next_site: 9", "next_site: 9\nepoch: { number: 1, sites: [1], since: 2 }", "since"},
        {"transport: 15", "may_be_inferred: perhaps, transport: 15", "network.yaml:"},
        {"tcp://127.0.0.1:9700", "tcp://127.0.0.1", "expected an endpoint"},
        {"tcp://127.0.0.1:9700", "ipc://x:9700", "expected an endpoint"},
        {"tcp://127.0.0.1:9700", "tcp://127.0.0.1:0", "expected an endpoint"},
        {"tcp://127.0.0.1:9700", "tcp://*:9700", "expected an endpoint"},
        {"tcp://127.0.0.1:9700", "tcp://:9700", "expected an endpoint"},
        {"legal_entity: \"", "legal_entity: \"\\n", "control characters"},
        {"ready: 500ms", "ready: soon", "expected a time"},
        {"ready: 500ms", "ready: 0", "expected a time"},
        {"ready: 500ms", "ready: 400d", "expected a time"},
        {"ready: 500ms", "redy: 500ms", "ready"},
        {"purposes: [research", "purposes: [Research", "expected a purpose"},
        {"floor: {", "floor: \"{", "network.yaml:"},
        {"floor: { policy: strict, min_cell: 11, methods: [km, \"a b\"] }", "floor: strict",
         "expected a policy"},
        {"sites:", "sites: 5\nresearchers: []\npurposes2:", "network.yaml:"},
        {"coordinator: {", "coordinator: [{", "network.yaml:"},
        {"network: toy", "network: &a toy", "network.yaml:2"},
        {"network: toy", "network: toy\nnetwork: toy", "network.yaml:3"},
    };
    struct network network;
    network_init(&network);
    struct bytes good = text_of(&network.directory, 0);
    bytes_put_u8(&good, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct directory *read = NULL;
        struct maille_error error = {0};
        struct bytes text = {0};
        const char *at = strstr((const char *)good.data, cases[i].from);
        if (at == NULL)
            fail_msg("case %zu: no \"%s\"", i, cases[i].from);
        bytes_put(&text, good.data, (size_t)(at - (const char *)good.data));
        bytes_put(&text, cases[i].to, strlen(cases[i].to));
        bytes_put(&text, at + strlen(cases[i].from), strlen(at + strlen(cases[i].from)));
        if (parse(&read, &text, &error) != MAILLE_INVALID || strstr(error.sentence, cases[i].says) == NULL)
            fail_msg("case %zu (\"%s\"): expected \"%s\" in: %s", i, cases[i].to, cases[i].says,
                     error.sentence);
        assert_null(read);
        bytes_clear(&text);
    }
    bytes_clear(&good);
}

/* Two hospitals may share one officer; nobody else may have an officer's key. */
static void test_shared_officer(void **state)
{
    (void)state;
    struct network network;
    const struct directory *read = NULL;
    network_init(&network);
    memcpy(network.sites[1].dpo_identity, network.sites[0].dpo_identity, PUBLIC_BYTES);
    memcpy(network.sites[1].dpo_box, network.sites[0].dpo_box, PUBLIC_BYTES);
    struct bytes text = text_of(&network.directory, 0);
    assert_int_equal(parse(&read, &text, NULL), MAILLE_OK);
    bytes_clear(&text);
    memcpy(network.researchers[0].keys.identity, network.sites[0].dpo_identity, PUBLIC_BYTES);
    text = text_of(&network.directory, 0);
    assert_int_equal(parse(&read, &text, NULL), MAILLE_INVALID);
    bytes_clear(&text);
}

static void test_bad_signature_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "# maille-signature: board-a\n",
        "# maille-signature: board-a 00ff\n",
        "# maille-signature:  00\n",
        "# maille-signature: board-a zz\n",
        "# maille-signature: x\n# a comment\n",
    };
    struct network network;
    network_init(&network);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct directory *read = NULL;
        struct maille_error error = {0};
        struct bytes text = text_of(&network.directory, 1);
        bytes_put(&text, lines[i], strlen(lines[i]));
        assert_int_equal(parse(&read, &text, &error), MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "maille-signature"));
        bytes_clear(&text);
    }
    struct maille_error error = {0};
    const struct directory *read = NULL;
    /* More lines than there can be authorities: each would be verified over the whole text. */
    struct bytes many = text_of(&network.directory, 1);
    static const char zeros[2 * SIGNATURE_BYTES + 1] =
        "00000000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000000000000000";
    for (size_t i = 0; i < 128; i++) {
        bytes_put(&many, "# maille-signature: board-a ", 28);
        bytes_put(&many, zeros, 2 * SIGNATURE_BYTES);
        bytes_put_u8(&many, '\n');
    }
    assert_int_equal(parse(&read, &many, &error), MAILLE_INVALID);
    bytes_clear(&many);
    char *large = calloc(1, DIRECTORY_BYTES_MAX + 1);
    assert_non_null(large);
    memset(large, '#', DIRECTORY_BYTES_MAX + 1);
    assert_int_equal(directory_parse(&read, arena, "n", large, DIRECTORY_BYTES_MAX + 1, &error),
                     MAILLE_INVALID);
    assert_int_equal(directory_parse(&read, arena, "n", "", 0, &error), MAILLE_INVALID);
    free(large);
}

static int start(void **state)
{
    (void)state;
    if (crypto_start(NULL) != MAILLE_OK)
        return 1;
    for (size_t i = 0; i < AUTHORITIES; i++)
        if (secret_keys_new(&authorities[i], KEY_AUTHORITY, authority_names[i], NULL) != MAILLE_OK)
            return 1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < AUTHORITIES; i++)
        secret_keys_free(authorities[i]);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_and_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_altered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quorum, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pinned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_epochs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cohorts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_cohorts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared_officer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_signature_lines, setup, teardown),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
