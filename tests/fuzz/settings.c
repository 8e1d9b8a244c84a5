/* worker.yaml and coordinator.yaml, as a hand writes them (query/settings.h). The same text is read as both.
 */
#include "coordinator/settings.h"
#include "tests/fuzz/fuzz.h"
#include "worker/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct worker_settings worker = {0};
    struct coordinator_settings coordinator = {0};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    const char *path = fuzz_put("worker.yaml", data, size);
    if (worker_settings_read(&worker, arena, fuzz_folder(), &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        char network[PATH_MAX];
        if (worker.threads < 0 || worker.hello_every_ms <= 0 || worker.network == NULL ||
            worker_settings_duties(arena, &worker) == NULL)
            fuzz_fail("settings within their limits");
        if (worker_network_path(network, sizeof network, fuzz_folder(), &worker, &error) == MAILLE_OK &&
            network[0] == '\0')
            fuzz_fail("a path");
    }
    if (coordinator_settings_read(&coordinator, arena, path, &error) == MAILLE_OK &&
        (coordinator.connections_max <= 0 || coordinator.quotas.messages_per_minute <= 0))
        fuzz_fail("settings within their limits");
    arena_free(arena);
    return 0;
}
