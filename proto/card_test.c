/* Cards. */
#include "proto/card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

static struct arena *arena;

static void test_every_role(void **state)
{
    (void)state;
    for (enum key_role role = KEY_RESEARCHER; role <= KEY_AUTHORITY; role++) {
        char keyfile[512], path[512];
        struct secret_keys *keys = NULL;
        struct card card;
        struct maille_error error = {0};
        snprintf(keyfile, sizeof keyfile, "%s/%s.key", getenv("MAILLE_TEST_TMP"), key_role_name(role));
        snprintf(path, sizeof path, "%s/%s.pub", getenv("MAILLE_TEST_TMP"), key_role_name(role));
        assert_int_equal(secret_keys_new(&keys, role, "alpha", NULL), MAILLE_OK);
        assert_int_equal(card_write_beside(NULL, keyfile, keys, NULL, NULL), MAILLE_OK);
        if (card_read(&card, arena, path, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        assert_int_equal(card.role, role);
        assert_string_equal(card.name, "alpha");
        assert_memory_equal(&card.keys, secret_keys_public(keys), sizeof card.keys);
        secret_keys_free(keys);
    }
    struct secret_keys *keys = NULL;
    assert_int_equal(secret_keys_new(&keys, KEY_SITE, "alpha", NULL), MAILLE_OK);
    assert_int_equal(card_write_beside(NULL, "alpha.txt", keys, NULL, NULL), MAILLE_INVALID);
    secret_keys_free(keys);
}

#define KEY "1111111111111111111111111111111111111111111111111111111111111111"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static void test_bad_cards(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "empty file"},
        {"hello\n", "expected a card"},
        {"[1]\n", "expected a card"},
        {"maille-key 1\nrole: site\n", "c.pub"}, /* the secret half by mistake */
        {"maille-card: 2\nrole: site\nname: a\n", "c.pub:1:14: expected a card of version 1"},
        {"maille-card: 1\nrole: sight\nname: a\n", "c.pub:2:7"},
        {"maille-card: 1\nrole: site\nname: A\n", "c.pub:3:7"},
        {"maille-card: 1\nrole: site\nname: a\n", "\"identity\""},
        {"maille-card: 1\nrole: site\nname: a\nidentity: " KEY "\n", "\"transport\""},
        {"maille-card: 1\nrole: site\nname: a\nidentity: " KEY "\ntransport: 12\n", "c.pub:5:12"},
        {"maille-card: 1\nrole: site\nname: a\nidentity: " ZERO "\ntransport: " KEY "\n", "c.pub:4:11"},
        {"maille-card: 1\nrole: site\nname: a\nidentity: " KEY "\ntransport: " KEY "\nbox: " KEY "\n",
         "no \"box\""},
        {"maille-card: 1\nrole: dpo\nname: a\nidentity: " KEY "\ntransport: " KEY "\n", "no \"transport\""},
        {"maille-card: 1\nrole: site\nname: a\nsecret: 1\n", "secret"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct card card = {.name = "untouched"};
        struct maille_error error = {0};
        assert_int_equal(card_parse(&card, arena, "c.pub", cases[i].text, strlen(cases[i].text), &error),
                         MAILLE_INVALID);
        if (strstr(error.sentence, cases[i].says) == NULL)
            fail_msg("case %zu: expected \"%s\" in: %s", i, cases[i].says, error.sentence);
        assert_string_equal(card.name, "untouched");
    }
    struct card card;
    assert_int_equal(card_read(&card, arena, "/nowhere/c.pub", NULL), MAILLE_INVALID);
}

static int start(void **state)
{
    (void)state;
    arena = arena_new();
    return arena != NULL && crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

static int stop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_role),
        cmocka_unit_test(test_bad_cards),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
