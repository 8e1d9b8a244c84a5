/* How long a log takes to write and to verify.
 *
 *     build/dev/bin/audit_bench FOLDER ENTRIES BATCH      one signature and fdatasync for BATCH entries, a
 * seal every 100 entries
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/verify.h"
#include "base/clock.h"

static int64_t turn(void *clock)
{
    return *(int64_t *)clock;
}

static int fail(const struct maille_error *error)
{
    fprintf(stderr, "audit_bench: %s\n", error->sentence);
    return 1;
}

int main(int argc, char **argv)
{
    struct maille_error error = {0};
    struct audit_log *log = NULL;
    int64_t now = INT64_C(1795000000000);
    if (argc != 4 || crypto_start(&error) != MAILLE_OK) {
        fprintf(stderr, "audit_bench FOLDER ENTRIES BATCH\n");
        return 2;
    }
    size_t n = strtoul(argv[2], NULL, 10), batch = strtoul(argv[3], NULL, 10);
    const struct audit_options options = {.folder = argv[1], .party = "alpha", .now_ms = turn, .clock = &now};
    if (audit_open_with(&log, &options, NULL, &error) != MAILLE_OK)
        return fail(&error);
    uint8_t qid[32] = {1};
    int64_t start = clock_monotonic_ms();
    for (size_t i = 0; i < n; i++) {
        char detail[96];
        struct audit_seen seen = {"coordinator", {i, {{3}}}};
        struct audit_entry entry = {.direction = (enum audit_direction)(i % 2),
                                    .message = "masked",
                                    .peer = "coordinator",
                                    .qid = qid,
                                    .bytes = 65536,
                                    .detail = detail,
                                    .psi = qid,
                                    .round = 3,
                                    .attempt = 1,
                                    .vector = qid,
                                    .n_seen = i % 4 == 0,
                                    .seen = &seen};
        snprintf(detail, sizeof detail,
                 "round 3 attempt 1, masked among 6 sites: os (km) 1,234 numbers, entry %zu", i);
        hash_bytes(&entry.hash, detail, sizeof detail);
        now += 9000;
        if (audit_append(log, &entry, &error) != MAILLE_OK ||
            ((i + 1) % batch == 0 && audit_sync(log, &error) != MAILLE_OK))
            return fail(&error);
    }
    audit_close(log);
    int64_t written = clock_monotonic_ms();
    struct audit_report report;
    const struct audit_check check = {.taken_ms = now};
    if (audit_verify(&report, NULL, argv[1], &check, &error) != MAILLE_OK)
        return fail(&error);
    int64_t verified = clock_monotonic_ms();
    printf("%zu entries, %llu seals: written in %.2f s, verified in %.2f s\n", n,
           (unsigned long long)report.seals, (double)(written - start) / 1000,
           (double)(verified - written) / 1000);
    return 0;
}
