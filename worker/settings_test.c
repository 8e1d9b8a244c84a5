#include "base/test.h"

#include <sys/stat.h>

#include "base/file.h"
#include "worker/settings.h"
#include "worker/snapshots.h"

static void write_text(const char *folder, const char *name, const char *text)
{
    struct maille_error error = {0};
    char path[600];
    assert_ok(file_folder_make(folder, 0700, &error), &error);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_atomic(path, text, strlen(text), 0600, &error), &error);
}

static void what_init_writes_is_the_default(void **state)
{
    (void)state;
    char folder[512];
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct worker_settings settings;
    write_text(test_path(folder, "settings"), "worker.yaml",
               worker_settings_write(arena, "Centre \"A\" \\ B"));
    assert_ok(worker_settings_read(&settings, arena, folder, &error), &error);
    assert_string_equal(settings.legal_entity, "Centre \"A\" \\ B");
    assert_string_equal(settings.network, "network.yaml");
    assert_int_equal(settings.threads, 0);
    assert_int_equal(settings.queries_max, 256);
    assert_int_equal(settings.column_cache_mb, 128);
    assert_int_equal(settings.hello_every_ms, 2000);
    assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
    assert_non_null(strstr(worker_settings_help(arena), "queries_max"));
    arena_free(arena);
}

static void settings_override_and_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {{"thread: 3\n", "threads"},        {"threads: 65\n", "worker.yaml:1:10"},
               {"threads: many\n", "0 to 64"},    {"column_cache_mb: -1\n", "0 to 65536"},
               {"hello_every: 10ms\n", "100 to"}, {"log_level: loud\n", "error|warning"},
               {"network: \"\"\n", "network"},    {"- threads\n", "name: value"}};
    char folder[512];
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct worker_settings settings;
    write_text(test_path(folder, "settings"), "worker.yaml",
               "threads: 2\nhello_every: 500ms\nlog_level: debug\nlegal_entity: X\nrestart_after: "
               "1s\nqueries_max: 7\ncolumn_cache_mb: 0\n");
    assert_ok(worker_settings_read(&settings, arena, folder, &error), &error);
    assert_int_equal(settings.threads, 2);
    assert_int_equal(settings.hello_every_ms, 500);
    assert_int_equal(settings.restart_after_ms, 1000);
    assert_int_equal(settings.queries_max, 7);
    assert_int_equal(settings.column_cache_mb, 0);
    assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(folder, "worker.yaml", bad[i].text);
        assert_fails(worker_settings_read(&settings, arena, folder, &error), MAILLE_INVALID, &error,
                     bad[i].words);
    }
    arena_free(arena);
}

static void the_index_of_snapshots(void **state)
{
    (void)state;
    char folder[512], path[600], name[SNAPSHOT_NAME_BYTES];
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    const struct snapshot_entry *entries;
    struct snapshot_entry entry = {.number = 1, .rows = 2982, .created = "2026-11-23T15:50:00.123Z"};
    size_t n = 9;
    test_path(folder, "snapshots");
    snprintf(path, sizeof path, "%s/index", folder);
    assert_ok(file_folder_make(folder, 0700, &error), &error);
    remove(path);
    assert_ok(snapshots_read(&entries, &n, arena, folder, &error), &error);
    assert_int_equal(n, 0);
    for (uint32_t i = 1; i <= 3; i++) {
        entry.number = i;
        entry.hash.b[0] = (uint8_t)i;
        assert_ok(snapshots_add(folder, &entry, &error), &error);
    }
    assert_ok(snapshots_read(&entries, &n, arena, folder, &error), &error);
    assert_int_equal(n, 3);
    assert_int_equal(entries[2].number, 3);
    assert_int_equal(entries[2].hash.b[0], 3);
    assert_int_equal(entries[2].rows, 2982);
    assert_string_equal(entries[2].created, "2026-11-23T15:50:00.123Z");
    snapshots_name(name, 7);
    assert_string_equal(name, "snapshot-0007.h5");
    static const char *const bad[] = {
        "1 abcd 3 now\n", "2 0000000000000000000000000000000000000000000000000000000000000000 3 now\n",
        "1 0000000000000000000000000000000000000000000000000000000000000000 x now\n",
        "1 0000000000000000000000000000000000000000000000000000000000000000 3\n", "hello\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(folder, "index", bad[i]);
        assert_fails(snapshots_read(&entries, &n, arena, folder, &error), MAILLE_CORRUPT, &error, "index:1");
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_init_writes_is_the_default),
        cmocka_unit_test(settings_override_and_are_checked),
        cmocka_unit_test(the_index_of_snapshots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
