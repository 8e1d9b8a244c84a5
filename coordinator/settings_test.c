#include "base/test.h"

#include "base/file.h"
#include "coordinator/settings.h"

static const char *write_text(char path[512], const char *text)
{
    struct maille_error error = {0};
    assert_ok(file_write_atomic(test_path(path, "coordinator.yaml"), text, strlen(text), 0600, &error),
              &error);
    return path;
}

static void what_init_writes_is_the_default(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct coordinator_settings settings;
    write_text(path, coordinator_settings_write(arena, NULL));
    assert_ok(coordinator_settings_read(&settings, arena, path, &error), &error);
    assert_string_equal(settings.endpoint, "tcp://*:9700");
    assert_string_equal(settings.directory, "network.yaml");
    assert_int_equal(settings.round_bytes_max, 1 << 28);
    assert_int_equal(settings.held_bytes_max, 1 << 26);
    assert_int_equal(settings.batch_messages, 256);
    assert_int_equal(settings.log_retention_months, 12);
    write_text(path, coordinator_settings_write(arena, "tcp://127.0.0.1:9701"));
    assert_ok(coordinator_settings_read(&settings, arena, path, &error), &error);
    assert_string_equal(settings.endpoint, "tcp://127.0.0.1:9701");
    assert_non_null(
        strstr(coordinator_settings_help(arena), "65536 to 17179869184 bytes; default 268435456"));
    arena_free(arena);
}

static void what_is_out_of_range_names_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {{"endpoint: \"\"\n", "coordinator.yaml:1:11"},
               {"batch_messages: 1\nround_bytes_max: 4\n", "coordinator.yaml:2:18"},
               {"held_bytes_max: 1.5\n", "0 to 17179869184 bytes"},
               {"held_bytes: 7\n", "held_bytes_max"},
               {"log_retention_months: 37\n", "6 to 36 months"}};
    char path[512];
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct coordinator_settings settings = {.batch_messages = 9};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(path, bad[i].text);
        assert_fails(coordinator_settings_read(&settings, arena, path, &error), MAILLE_INVALID, &error,
                     bad[i].words);
        assert_int_equal(settings.batch_messages, 9);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_init_writes_is_the_default),
        cmocka_unit_test(what_is_out_of_range_names_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
