/* What a site has seen of its network stays known to it: an older directory, one that the authorities of
 * before did not sign, and a state without its pin are refused; a site of before this version starts, once,
 * without one. */
#include <sqlite3.h>
#include <unistd.h>

#include "audit/log.h"
#include "base/file.h"
#include "tests/protocol/sites.h"
#include "worker/data.h"

#define LEDGER_AS_VERSION_1                                                                                  \
    "ALTER TABLE query DROP COLUMN epoch; ALTER TABLE query DROP COLUMN "                                    \
    "revealed; ALTER TABLE query DROP COLUMN since; PRAGMA user_version = 1;"

static const char *path_of(const struct world *world, const char *name)
{
    return arena_printf(world->arena, "%s/%s", world->sites[0].folder, name);
}

/* As site_open, with this directory beside it. */
static enum maille_code start(struct world *world, const struct bytes *network, struct maille_error *error)
{
    struct bytes kept = {0};
    const char *path = path_of(world, "pinned.yaml");
    site_close(world, 0);
    assert_int_equal(file_read(&kept, path, DIRECTORY_BYTES_MAX, NULL), MAILLE_OK);
    if (network != NULL)
        assert_int_equal(file_write_atomic(path, network->data, network->length, 0600, NULL), MAILLE_OK);
    enum maille_code code = site_try_open(world, 0, error);
    if (code != MAILLE_OK) { /* for whatever comes next */
        assert_int_equal(file_write_atomic(path, kept.data, kept.length, 0600, NULL), MAILLE_OK);
    }
    bytes_clear(&kept);
    return code;
}

static void refused(struct world *world, const struct bytes *network, enum maille_code code,
                    const char *words)
{
    struct maille_error error = {0};
    assert_int_equal(start(world, network, &error), code);
    if (strstr(error.sentence, words) == NULL)
        fail_msg("expected \"%s\", found: %s", words, error.sentence);
}

static void taken(struct world *world, const struct bytes *network)
{
    struct maille_error error = {0};
    if (start(world, network, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
}

static void an_older_directory_is_refused(void **state)
{
    struct world *world = *state;
    struct bytes newer = {0}, other = {0};
    sites_directory(&newer, world, 2, "research");
    sites_directory(&other, world, 2, "research, quality");
    taken(world, &newer);
    refused(world, &world->network, MAILLE_SIGNATURE, "version 2 or later, found 1");
    refused(world, &other, MAILLE_SIGNATURE, "another under the same version");
    taken(world, NULL);
    bytes_clear(&newer);
    bytes_clear(&other);
}

/* Others who call themselves the board, and have signed with their own key. */
static void other_authorities_are_refused(void **state)
{
    struct world *world = *state;
    struct bytes theirs = {0};
    struct secret_keys *board = world->board;
    assert_int_equal(secret_keys_new(&world->board, KEY_AUTHORITY, "board", NULL), MAILLE_OK);
    sites_directory(&theirs, world, 2, "research");
    secret_keys_free(world->board);
    world->board = board;
    refused(world, &theirs, MAILLE_SIGNATURE, "of the directory before it, found 0");
    taken(world, NULL);
    bytes_clear(&theirs);
}

static void a_pin_that_is_gone_is_refused(void **state)
{
    struct world *world = *state;
    struct bytes pin = {0};
    const char *path = path_of(world, "state/pin"), *ledger = path_of(world, "state/ledger");
    assert_int_equal(file_read(&pin, path, 1 << 20, NULL), MAILLE_OK);
    assert_int_equal(unlink(path), 0);
    refused(world, NULL, MAILLE_CORRUPT, "restore the whole folder of the site");
    /* Nor is it forgotten with the ledger: the log has the note. */
    assert_int_equal(rename(ledger, path_of(world, "ledger-away")), 0);
    refused(world, NULL, MAILLE_CORRUPT, "restore the whole folder of the site");
    assert_int_equal(rename(path_of(world, "ledger-away"), ledger), 0);
    pin.data[40] ^= 1;
    assert_int_equal(file_write_atomic(path, pin.data, pin.length, 0600, NULL), MAILLE_OK);
    refused(world, NULL, MAILLE_CORRUPT, "found other bytes or another key's");
    pin.data[40] ^= 1;
    assert_int_equal(file_write_atomic(path, pin.data, pin.length, 0600, NULL), MAILLE_OK);
    taken(world, NULL);
    bytes_clear(&pin);
}

/* --- a site of before this version --- */

static void sql(const struct world *world, const char *statement)
{
    sqlite3 *database = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path_of(world, "state/ledger"), &database), SQLITE_OK);
    if (sqlite3_exec(database, statement, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", statement, why);
    sqlite3_close(database);
}

static void find_pin(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)sequence;
    (void)utc_ms;
    *(int *)context += strcmp(entry->message, "pin") == 0;
}

/* Makes of site 1 what an older version left: a ledger of version 1, a log without the note, no pin. */
static void make_old(struct world *world)
{
    struct audit_log *log = NULL;
    struct maille_error error = {0};
    const struct audit_entry entry = {.direction = AUDIT_NOTE, .message = "start", .peer = "alpha"};
    const char *folder = path_of(world, "log");
    const struct audit_options options = {.folder = folder, .party = "alpha", .keys = world->sites[0].keys};
    site_close(world, 0);
    sql(world, LEDGER_AS_VERSION_1);
    assert_int_equal(unlink(path_of(world, "state/pin")), 0);
    assert_int_equal(rename(folder, path_of(world, "log-new")), 0);
    if (audit_open_signed(&log, &options, NULL, &error) != MAILLE_OK ||
        audit_append(log, &entry, &error) != MAILLE_OK || audit_sync(log, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    audit_close(log);
}

static void an_old_site_starts_once_without_a_pin(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    struct bytes newer = {0};
    int pins = 0;
    make_old(world);
    if (site_try_open(world, 0, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_true(file_exists(path_of(world, "state/pin")));
    assert_int_equal(audit_read(path_of(world, "log"), find_pin, &pins, &error), MAILLE_OK);
    assert_int_equal(pins, 1);
    taken(world, NULL);
    pins = 0;
    assert_int_equal(audit_read(path_of(world, "log"), find_pin, &pins, &error), MAILLE_OK);
    assert_int_equal(pins, 1); /* once for each directory */
    sites_directory(&newer, world, 2, "research");
    taken(world, &newer);
    refused(world, &world->network, MAILLE_SIGNATURE, "version 2 or later");
    taken(world, NULL);
    bytes_clear(&newer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sites_up, sites_down)
    const struct CMUnitTest tests[] = {
        TEST(an_older_directory_is_refused),
        TEST(other_authorities_are_refused),
        TEST(a_pin_that_is_gone_is_refused),
        TEST(an_old_site_starts_once_without_a_pin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
