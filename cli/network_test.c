/* maille keygen and maille network, from the first key to a directory in force, and what people get wrong on
 * the way. */
#include "cli/network.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/commands.h"
#include "proto/card.h"

static char dir[256];
static struct bytes said; /* standard output and error of the last command, NUL-terminated */

/* Runs a command line, its output into `said`; "@/" in an argument becomes the test's folder. Returns the
 * exit status. */
static int run(const char *line)
{
    char words[64][512], *argv[64], path[512];
    int argc = 0, (*command)(int, char **) = strncmp(line, "keygen", 6) == 0 ? cli_keygen : cli_network;
    for (const char *from = line; *from != '\0';) {
        bool quoted = *from == '\'';
        from += quoted;
        size_t length = strcspn(from, quoted ? "'" : " ");
        if (strncmp(from, "@/", 2) == 0)
            snprintf(words[argc], sizeof words[argc], "%s/%.*s", dir, (int)length - 2, from + 2);
        else
            snprintf(words[argc], sizeof words[argc], "%.*s", (int)length, from);
        argv[argc] = words[argc];
        argc++;
        from += length + quoted;
        from += strspn(from, " ");
    }
    argv[argc] = NULL;
    snprintf(path, sizeof path, "%s/said", dir);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(out >= 0 && err >= 0 && file >= 0);
    fflush(stdout);
    fflush(stderr);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    int status = command(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    close(file);
    assert_int_equal(file_read(&said, path, 65536, NULL), MAILLE_OK);
    bytes_put_u8(&said, 0);
    return status;
}

static void good(const char *line)
{
    if (run(line) != 0)
        fail_msg("%s\n%s", line, (char *)said.data);
}

static void bad(const char *line, const char *says)
{
    int status = run(line);
    if (status != 2 || strstr((char *)said.data, says) == NULL)
        fail_msg("%s\nexpected status 2 and \"%s\", found %d and: %s", line, says, status, (char *)said.data);
}

static void says(const char *text)
{
    if (strstr((char *)said.data, text) == NULL)
        fail_msg("expected \"%s\" in: %s", text, (char *)said.data);
}

/* Whether every party would accept the directory now. */
static bool accepted(void)
{
    char path[512];
    struct bytes text = {0};
    struct arena *arena = arena_new();
    const struct directory *directory;
    snprintf(path, sizeof path, "%s/network.yaml", dir);
    assert_int_equal(file_read(&text, path, DIRECTORY_BYTES_MAX, NULL), MAILLE_OK);
    bool is = directory_accept(&directory, arena, path, (const char *)text.data, text.length, NULL, NULL) ==
              MAILLE_OK;
    bytes_clear(&text);
    arena_free(arena);
    return is;
}

static struct arena *token_arena;

static int start(void **state)
{
    (void)state;
    token_arena = arena_new();
    snprintf(dir, sizeof dir, "%s/XXXXXX", getenv("MAILLE_TEST_TMP"));
    unsetenv("MAILLE_PASSPHRASE");
    return mkdtemp(dir) == NULL || crypto_start(NULL) != MAILLE_OK;
}

static int stop(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    bytes_clear(&said);
    arena_free(token_arena);
    return system(command) != 0;
}

static void test_keygen(void **state)
{
    (void)state;
    char path[512];
    struct stat status;
    struct arena *arena = arena_new();
    struct card card;
    good("keygen --role site --name alpha --out @/keys --credential @/c");
    says("safety number");
    snprintf(path, sizeof path, "%s/keys/alpha.key", dir);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/c", dir);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 32);
    snprintf(path, sizeof path, "%s/keys/alpha.pub", dir);
    assert_int_equal(card_read(&card, arena, path, NULL), MAILLE_OK);
    assert_int_equal(card.role, KEY_SITE);
    assert_string_equal(card.name, "alpha");
    bad("keygen --role site --name alpha --out @/keys --credential @/c", "choose another name");
    bad("keygen --role surgeon --name b --out @/keys --credential @/c", "expected --role researcher");
    bad("keygen --role site --name Beta --out @/keys --credential @/c", "expected a name");
    bad("keygen --role site --name beta --credential @/c", "expected --out");
    setenv("MAILLE_PASSPHRASE", "short", 1);
    bad("keygen --role site --name beta --out @/keys", "at least 8 characters");
    setenv("MAILLE_PASSPHRASE", "correct horse battery", 1);
    good("keygen --role researcher --name alice --out @/keys");
    unsetenv("MAILLE_PASSPHRASE");
    good("keygen --help");
    says("--role ROLE");
    arena_free(arena);
}

static void test_road(void **state)
{
    (void)state;
    good("keygen --role authority --name board-a --out @/keys --credential @/c");
    good("keygen --role authority --name board-b --out @/keys --credential @/c");
    good("keygen --role coordinator --name hub --out @/keys --credential @/c");
    good("keygen --role dpo --name dpo-alpha --out @/keys --credential @/c");
    good("keygen --role site --name beta --out @/keys --credential @/c");
    good("keygen --role site --name gamma --out @/keys --credential @/c");

    good("network init --network @/network.yaml --name toy --endpoint tcp://127.0.0.1:9700 --coordinator "
         "@/keys/hub.pub "
         "--quorum 2 --purposes research-public-interest,quality --masked-timeout 90s @/keys/board-a.pub "
         "@/keys/board-b.pub");
    says("version 1 has no signature");
    bad("network init --network @/network.yaml --name toy --endpoint tcp://127.0.0.1:9700 --coordinator "
        "@/keys/hub.pub "
        "@/keys/board-a.pub",
        "expected no network at");
    good("network add --network @/network.yaml --legal-entity 'Centre Alpha' --dpo @/keys/dpo-alpha.pub "
         "@/keys/alpha.pub");
    good("network add --network @/network.yaml --legal-entity Beta @/keys/beta.pub");
    good("network add --network @/network.yaml @/keys/alice.pub");
    says("version 4");
    assert_false(accepted());
    good("network sign --network @/network.yaml --key @/keys/board-a.key --credential @/c");
    says("1 of 2 signatures");
    assert_false(accepted());
    good("network show --network @/network.yaml");
    says("not in force");
    good("network sign --network @/network.yaml --key @/keys/board-a.key --credential @/c");
    says("already");
    good("network sign --network @/network.yaml --key @/keys/board-b.key --credential @/c");
    says("2 of 2 signatures");
    assert_true(accepted());
    good("network show --network @/network.yaml");
    says("toy, version 4");
    says("tcp://127.0.0.1:9700");
    says("Centre Alpha");
    says("site 2");
    says("alice");
    says("accepted by every party");

    good("network revoke --network @/network.yaml beta"); /* a change needs the signatures again, and the id
                                                             is gone */
    assert_false(accepted());
    good("network add --network @/network.yaml --legal-entity Gamma @/keys/gamma.pub");
    good("network sign --network @/network.yaml --key @/keys/board-a.key --credential @/c");
    good("network sign --network @/network.yaml --key @/keys/board-b.key --credential @/c");
    assert_true(accepted());
    good("network show --network @/network.yaml");
    says("site 3");
    assert_null(strstr((char *)said.data, "beta"));

    bad("network epoch --network @/network.yaml delta", "expected sites of");
    good("network epoch --network @/network.yaml alpha");
    says("epoch 1 with 1 sites");
    good("network show --network @/network.yaml");
    says("epoch    1: alpha");
    good("network epoch --network @/network.yaml");
    says("epoch 2 with 2 sites");
    good("network revoke --network @/network.yaml gamma");
    good("network show --network @/network.yaml");
    says("epoch    2: alpha\n");
}

static void test_wrong_steps(void **state)
{
    (void)state;
    good("network revoke --network @/network.yaml alice");
    bad("network add --network @/network.yaml @/keys/beta.pub", "--legal-entity");
    bad("network add --network @/network.yaml --legal-entity X @/keys/alpha.pub", "\"alpha\" twice");
    bad("network add --network @/network.yaml @/keys/dpo-alpha.pub", "--dpo");
    bad("network add --network @/network.yaml @/keys/hub.pub",
        "expected the card of a site, a researcher or an authority");
    bad("network add --network @/network.yaml --legal-entity X @/keys/alice.pub", "with a site's card alone");
    bad("network add --network @/network.yaml --legal-entity X --dpo @/keys/hub.pub @/keys/beta.pub",
        "expected a card with role: dpo");
    bad("network add --network @/network.yaml @/keys/alice.key", "expected");
    bad("network add --network @/network.yaml", "expected CARD.pub");
    bad("network revoke --network @/network.yaml nobody", "expected a site, a researcher or an authority");
    bad("network revoke --network @/network.yaml board-a", "at least 2 authorities");
    bad("network sign --network @/network.yaml --key @/keys/alpha.key --credential @/c", "authority key in");
    bad("network init --network @/n2.yaml --name toy --endpoint 127.0.0.1:9700 --coordinator @/keys/hub.pub "
        "@/keys/board-a.pub",
        "expected an endpoint");
    bad("network init --network @/n2.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/hub.pub "
        "--quorum 2 @/keys/board-a.pub",
        "n2.yaml");
    bad("network init --network @/n2.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/beta.pub "
        "@/keys/board-a.pub",
        "expected a card with role: coordinator, found role: site (beta)");
    bad("network init --network @/n2.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/hub.pub",
        "AUTHORITY.pub");
    bad("network unknown", "expected a command");
    assert_int_equal(run("network show --network @/none.yaml"), 2);
    says("none.yaml");
    /* none of these changed the directory: only the researcher is gone */
    good("network show --network @/network.yaml");
    says("toy, version 10");
    says("authority");
}

/* The token that `network invite` has just printed. */
static const char *invited(void)
{
    static char token[CARD_TOKEN_BYTES];
    const char *at = strstr((const char *)said.data, "--token ");
    assert_non_null(at);
    snprintf(token, sizeof token, "%s", at + strlen("--token "));
    assert_int_equal(strlen(token), CARD_TOKEN_BYTES - 1);
    return token;
}

static void run_with(const char *format, const char *token, int status)
{
    char line[512];
    snprintf(line, sizeof line, format, token);
    if (run(line) != status)
        fail_msg("%s: %s", line, (char *)said.data);
}

/* A token lets one card of its name in, once, and for 72 hours. */
static void test_invitations(void **state)
{
    (void)state;
    char path[512];
    struct stat status;
    struct bytes open = {0};
    good("network invite --network @/network.yaml delta");
    const char *token = arena_strdup(token_arena, invited());
    snprintf(path, sizeof path, "%s/network.yaml.invitations", dir);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    good("keygen --role site --name delta --out @/uninvited --credential @/c");
    run_with("keygen --role site --name delta --out @/keys --credential @/c --token %s", token, 0);
    run_with("keygen --role site --name epsilon --out @/keys --credential @/c --token %s", token, 0);
    bad("keygen --role site --name zeta --out @/keys --credential @/c --token short",
        "expected a token of 26");
    bad("network add --network @/network.yaml --legal-entity Delta @/uninvited/delta.pub", "another");
    bad("network add --network @/network.yaml --legal-entity E @/keys/epsilon.pub",
        "expected an open invitation");
    good("network add --network @/network.yaml --legal-entity Delta @/keys/delta.pub");
    says("by its invitation");
    says("safety number of the site delta");
    good("network revoke --network @/network.yaml delta");
    bad("network add --network @/network.yaml --legal-entity Delta @/keys/delta.pub", "used already");
    /* Too old. */
    good("network invite --network @/network.yaml eta");
    token = arena_strdup(token_arena, invited());
    run_with("keygen --role site --name eta --out @/keys --credential @/c --token %s", token, 0);
    bytes_printf(&open, "site eta 1 %s\n", token);
    assert_int_equal(file_write_atomic(path, open.data, open.length, 0600, NULL), MAILLE_OK);
    bad("network add --network @/network.yaml --legal-entity Eta @/keys/eta.pub", "last 72 hours");
    bytes_clear(&open);
    bad("network invite --network @/network.yaml --role dpo x",
        "expected --role site, researcher or authority");
    bad("network invite --network @/network.yaml 'No'", "expected a name");
}

/* Other keys under a name: the same number, a log that begins again. */
static void test_other_keys(void **state)
{
    (void)state;
    good("keygen --role site --name alpha --out @/rotated --credential @/c");
    good("network rekey --network @/network.yaml @/rotated/alpha.pub");
    says("site alpha has other keys");
    says("safety number of the site alpha");
    good("network lost --network @/network.yaml alpha");
    says("may begin a log and a ledger again");
    bad("network lost --network @/network.yaml nobody", "expected a site of");
    good("network lost --network @/network.yaml hub");
    says("hub may begin a log again");
    bad("network rekey --network @/network.yaml @/keys/eta.pub", "");
    char path[512];
    struct bytes text = {0};
    snprintf(path, sizeof path, "%s/network.yaml", dir);
    assert_int_equal(file_read(&text, path, DIRECTORY_BYTES_MAX, NULL), MAILLE_OK);
    bytes_put_u8(&text, 0);
    assert_non_null(strstr((const char *)text.data, "id: 1, name: alpha"));
    assert_non_null(strstr((const char *)text.data, "lost: 2"));
    const char *hub = strstr((const char *)text.data, "coordinator: { name: hub");
    assert_non_null(hub);
    assert_true(strstr(hub, ", lost: 1 }") != NULL && strstr(hub, ", lost: 1 }") < strchr(hub, '\n'));
    bytes_clear(&text);
}

static void test_authorities_change(void **state)
{
    (void)state;
    good("keygen --role authority --name board-c --out @/keys --credential @/c");
    good("network add --network @/network.yaml @/keys/board-c.pub");
    good("network revoke --network @/network.yaml board-b");
    good("network sign --network @/network.yaml --key @/keys/board-a.key --credential @/c");
    good("network sign --network @/network.yaml --key @/keys/board-b.key --credential @/c"); /* consent of the
                                                                                                one that
                                                                                                leaves */
    says("no authority of this version");
    says("1 of 2 signatures");
    assert_false(accepted());
    good("network sign --network @/network.yaml --key @/keys/board-c.key --credential @/c");
    says("2 of 2 signatures");
    assert_true(accepted());
}

static void test_floor(void **state)
{
    (void)state;
    char path[512];
    static const char policy[] = "# for every site\npolicy: strict\nmin_cell: 12\n",
                      wrong[] = "policy: strict\nmin_sell: 12\n";
    snprintf(path, sizeof path, "%s/policy.yaml", dir);
    assert_int_equal(file_write_atomic(path, policy, sizeof policy - 1, 0600, NULL), MAILLE_OK);
    good("network init --network @/floor.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/hub.pub "
         "--floor @/policy.yaml "
         "@/keys/board-a.pub");
    good("network show --network @/floor.yaml");
    says("{ policy: strict, min_cell: 12 }");
    assert_int_equal(file_write_atomic(path, wrong, sizeof wrong - 1, 0600, NULL), MAILLE_OK);
    bad("network init --network @/floor2.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/hub.pub "
        "--floor @/policy.yaml "
        "@/keys/board-a.pub",
        "policy.yaml:2:1");
}

static void write_text(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), MAILLE_OK);
}

static void replace_text(const char *name, const char *from, const char *to)
{
    char path[512];
    struct bytes text = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_read(&text, path, 1 << 20, NULL), MAILLE_OK);
    bytes_put_u8(&text, 0);
    char *at = strstr((char *)text.data, from);
    assert_non_null(at);
    *at = '\0';
    struct bytes made = {0};
    bytes_put_text(&made, (const char *)text.data);
    bytes_put_text(&made, to);
    bytes_put_text(&made, at + strlen(from));
    bytes_put_u8(&made, 0);
    write_text(name, (const char *)made.data);
    bytes_clear(&made);
    bytes_clear(&text);
}

/* Cohorts are read by their dictionary, shown, replaced and withdrawn. */
static void test_cohorts(void **state)
{
    (void)state;
    write_text("toy.yaml", "dictionary: toy\nversion: 1\nkey: id\nvariables:\n"
                           "  - { name: age, type: integer, min: 0, max: 99 }\n");
    good("network init --network @/c-net.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/hub.pub "
         "--purposes care @/keys/board-a.pub");
    bad("network cohort --network @/c-net.yaml old age>=65", "expected NAME EXPRESSION --dictionary FILE");
    bad("network cohort --network @/c-net.yaml --dictionary @/toy.yaml old aeg>=65", "age");
    bad("network cohort --network @/c-net.yaml --dictionary @/toy.yaml everybody age>=65",
        "always published");
    good("network cohort --network @/c-net.yaml --dictionary @/toy.yaml old age>=65");
    says("old is published");
    good("network cohort --network @/c-net.yaml --dictionary @/toy.yaml young age<40");
    good("network cohort --network @/c-net.yaml --dictionary @/toy.yaml old age>=70");
    says("old is replaced");
    good("network show --network @/c-net.yaml");
    says("cohorts  everybody, always\n         old of toy@1: age>=70\n         young of toy@1: age<40\n");
    bad("network cohort --network @/c-net.yaml --withdraw odl", "expected a published cohort");
    good("network cohort --network @/c-net.yaml --withdraw old");
    says("old is published no more");
}

/* What may be asked: read from a file, shown, closed and open again; a researcher who leaves is in none. */
static void test_registrations(void **state)
{
    (void)state;
    static const char text[] =
        "id: HDH-0000\ntitle: Chemotherapy\nsummary_for_patients: |\n  Who lives longer?\n  Nobody reads "
        "you.\n"
        "legal_basis: MR-004\npurposes: [care]\nresearchers: [alice]\ndictionary: toy@1\n"
        "budget: { models: 5 }\nnotice: A letter\nbegin: 2026-01-01\nend: 2026-12-31\n",
                      longer[] =
                          "id: HDH-0000\ntitle: Other\nsummary_for_patients: S\nlegal_basis: MR-004\n"
                          "purposes: [care]\nresearchers: [alice]\ndictionary: toy@1\nnotice: A letter\n"
                          "begin: 2026-01-01\nend: 2027-12-31\n",
                      nobody[] =
                          "id: T\ntitle: T\nsummary_for_patients: S\nlegal_basis: b\npurposes: [care]\n"
                          "researchers: [alise]\ndictionary: toy\nnotice: N\nbegin: 2026-01-01\n"
                          "end: 2026-12-31\n";
    write_text("r.yaml", text);
    write_text("longer.yaml", longer);
    write_text("nobody.yaml", nobody);
    good("network init --network @/r-net.yaml --name toy --endpoint tcp://h:1 --coordinator @/keys/hub.pub "
         "--purposes care @/keys/board-a.pub");
    good("network show --network @/r-net.yaml");
    says("registered not begun: sites ask for none");
    bad("network register --network @/r-net.yaml @/r.yaml",
        "r.yaml:8:15: expected a researcher of the network's directory, found \"alice\"");
    good("network add --network @/r-net.yaml @/keys/alice.pub");
    bad("network register --network @/r-net.yaml", "expected one of FILE.yaml, --close ID and --reopen ID");
    bad("network register --network @/r-net.yaml --close T @/r.yaml", "expected one of");
    bad("network register --network @/r-net.yaml @/nobody.yaml", "did you mean \"alice\"?");
    bad("network register --network @/r-net.yaml --close HDH-0000", "expected a registration of the network");
    good("network register --network @/r-net.yaml @/r.yaml");
    says("HDH-0000 is registered; from now on sites refuse whatever is not registered");
    says("version 3 has no signature");
    good("network show --network @/r-net.yaml");
    says("registered 1\n  HDH-0000  Chemotherapy\n    open, 2026-01-01 to 2026-12-31; alice; care; MR-004\n"
         "    toy@1: all variables; at most 5 models\n    ethics: none named; patients are told: A letter\n"
         "    \"Who lives longer?\n     Nobody reads you.\"\n");
    bad("network register --network @/r-net.yaml --close HDH-0001", "did you mean \"HDH-0000\"?");
    good("network register --network @/r-net.yaml --close HDH-0000");
    says("HDH-0000 is closed: what is open on it ends");
    good("network register --network @/r-net.yaml @/longer.yaml");
    says("HDH-0000 is replaced and closed");
    good("network show --network @/r-net.yaml");
    says("closed, 2026-01-01 to 2027-12-31");
    good("network register --network @/r-net.yaml --reopen HDH-0000");
    says("HDH-0000 is open again");
    good("network show --network @/r-net.yaml");
    says("toy@1: all variables; opened again 1x");
    good("network register --network @/r-net.yaml @/longer.yaml"); /* what counted does not come back with it
                                                                    */
    good("network show --network @/r-net.yaml");
    says("opened again 1x");
    replace_text("r-net.yaml", "openings: 1\n", "openings: 1000000\n");
    bad("network register --network @/r-net.yaml --reopen HDH-0000",
        "expected a registration that was opened again less than 1000000 times, found HDH-0000");
    good("network revoke --network @/r-net.yaml alice");
    says("alice is revoked, and named by no registration");
    good("network show --network @/r-net.yaml");
    says("open, 2026-01-01 to 2027-12-31; nobody; care");
    good("network sign --network @/r-net.yaml --key @/keys/board-a.key --credential @/c");
    good("network show --network @/r-net.yaml");
    says("accepted by every party");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keygen),      cmocka_unit_test(test_road),
        cmocka_unit_test(test_wrong_steps), cmocka_unit_test(test_invitations),
        cmocka_unit_test(test_other_keys),  cmocka_unit_test(test_authorities_change),
        cmocka_unit_test(test_floor),       cmocka_unit_test(test_registrations),
        cmocka_unit_test(test_cohorts),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
