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
    "DROP INDEX groups_canon; ALTER TABLE groups DROP COLUMN canon; ALTER TABLE query DROP COLUMN scene; "   \
    "ALTER TABLE query DROP COLUMN epoch; ALTER TABLE query DROP COLUMN revealed; "                          \
    "ALTER TABLE query DROP COLUMN since; ALTER TABLE query DROP COLUMN families; ALTER TABLE query DROP "   \
    "COLUMN study; ALTER TABLE query DROP COLUMN dictionary; "                                               \
    "ALTER TABLE groups RENAME TO parts; CREATE TABLE groups (query INTEGER NOT NULL, analysis INTEGER NOT " \
    "NULL, reading INTEGER NOT NULL, is_model INTEGER NOT NULL, answered INTEGER NOT NULL, by_row INTEGER "  \
    "NOT NULL, by_patient INTEGER NOT NULL, PRIMARY KEY (query, analysis, reading)) WITHOUT ROWID; INSERT "  \
    "INTO groups SELECT query, analysis, reading, is_model, answered, by_row, by_patient FROM parts WHERE "  \
    "part = 0; DROP TABLE parts; CREATE INDEX groups_by_row ON groups (by_row); CREATE INDEX "               \
    "groups_by_patient ON groups (by_patient); PRAGMA user_version = 1;"

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

static void sql(const struct world *world, size_t i, const char *statement)
{
    sqlite3 *database = NULL;
    char *why = NULL;
    const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
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

/* Makes of a site what an older version left: a ledger of version 1, whose rosters say who may be inferred, a
 * log without the note, no pin. */
static void make_old(struct world *world, size_t i)
{
    struct audit_log *log = NULL;
    struct maille_error error = {0};
    const char *name = secret_keys_name(world->sites[i].keys);
    const struct audit_entry entry = {.direction = AUDIT_NOTE, .message = "start", .peer = name};
    const char *of = world->sites[i].folder, *folder = arena_printf(world->arena, "%s/log", of);
    const struct audit_options options = {.folder = folder, .party = name, .keys = world->sites[i].keys};
    site_close(world, i);
    sql(world, i, LEDGER_AS_VERSION_1);
    sql(world, i, "UPDATE query SET roster = CAST(X'01000080' || substr(roster, 5) AS BLOB)");
    assert_int_equal(unlink(arena_printf(world->arena, "%s/state/pin", of)), 0);
    assert_int_equal(rename(folder, arena_printf(world->arena, "%s/log-new", of)), 0);
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
    make_old(world, 0);
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

/* --- a network of before this version --- */

/* From the manifest to the end; the rule that refuses it, or "". */
static const char *ask(struct world *world, const char *analyses)
{
    if (analyses != NULL)
        sites_next(world, analyses);
    sites_to_roster(world);
    for (uint32_t round = 1; study_run_open(&world->run); round++) {
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    const struct analysis_state *state = &world->run.states[0];
    return state->status == ANALYSIS_OK ? "" : state->rule;
}

/* The authorities open an epoch, and every site has their directory at its next start. */
static void open_epoch(struct world *world, unsigned epoch)
{
    struct maille_error error = {0};
    world->epoch = epoch;
    bytes_clear(&world->network);
    sites_directory(&world->network, world, 1 + epoch, "research");
    if (directory_accept(&world->directory, world->arena, "network.yaml", (const char *)world->network.data,
                         world->network.length, NULL, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t i = 0; i < world->n; i++) {
        const char *path = arena_printf(world->arena, "%s/pinned.yaml", world->sites[i].folder);
        site_close(world, i);
        assert_int_equal(file_write_atomic(path, world->network.data, world->network.length, 0600, NULL),
                         MAILLE_OK);
        site_open(world, i);
    }
}

/* Every site is upgraded. What was answered before blocks what it blocked, at once and in the first epoch
 * that is opened, of which the old ledger is the epoch before; from the second on nothing is compared with
 * it.
 */
static void an_old_network_forgets_nothing(void **state)
{
    (void)state;
    static const char everyone[] = "  - { id: x, method: count }\n";
    static const char but_few[] = "  - { id: x, method: count, cohort: \"age < 88\" }\n"; /* three */
    struct sites_options options = {.n = 6, .study = everyone};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = "policy: strict\n";
    struct world *world = sites_up_with(&options);
    assert_string_equal(ask(world, NULL), "");
    for (size_t i = 0; i < world->n; i++) {
        make_old(world, i);
        site_open(world, i);
        assert_true(file_exists(arena_printf(world->arena, "%s/state/pin", world->sites[i].folder)));
    }
    assert_string_equal(ask(world, but_few), "few");
    open_epoch(world, 1);
    assert_string_equal(ask(world, but_few), "few");
    open_epoch(world, 2);
    assert_string_equal(ask(world, but_few), "");
    void *down = world;
    sites_down(&down);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sites_up, sites_down)
    const struct CMUnitTest tests[] = {
        TEST(an_older_directory_is_refused),
        TEST(other_authorities_are_refused),
        TEST(a_pin_that_is_gone_is_refused),
        TEST(an_old_site_starts_once_without_a_pin),
        cmocka_unit_test(an_old_network_forgets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
