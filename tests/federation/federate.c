/* federate DATA STUDY.yaml SITES SEED OUT.json [THREADS] [POLICY] [steps=FILE]: a study over a data set of
 * the repository (DATA=FILE.csv: its patients from another file), split over SITES sites at random, or over
 * 32 by the values of the variable SITES, computed without a network; writes the result file. What scripts
 * and CTest compare with R. POLICY: a policy file or the name of a preset; the threshold rounds that it asks
 * for come first. steps: writes what each step came to, to the bit (tests/numbers/same_bytes.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/report.h"
#include "tests/federation/federation.h"

enum { SITES_MAX = 64, SITES_BY_VALUE = 32, THREADS_MAX = 8 };

static enum maille_code federate(const char *data, const char *path, size_t n, const char *by, uint64_t seed,
                                 const char *out, unsigned threads, const char *policy_name,
                                 const char *steps_path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary = NULL;
    const struct study *study = NULL;
    const struct policy *policy = NULL;
    struct plan plan = {0};
    struct columns *table = NULL, *sites[SITES_MAX] = {NULL};
    struct study_run run = {0};
    struct report report;
    struct bytes json = {0}, steps = {0};
    unsigned rounds = 0;
    struct tally_options options = {.threads = threads};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(federation_data(&dictionary, &table, arena, data, error));
    MAILLE_TRY(federation_study(&study, arena, dictionary, path, error));
    if (policy_name != NULL) {
        MAILLE_TRY(federation_policy(&policy, arena, policy_name, error));
    }
    if (by != NULL)
        MAILLE_TRY(federation_split_by(sites, n, table, dictionary, by, error));
    else
        MAILLE_TRY(federation_split(sites, n, table, seed, error));
    MAILLE_TRY(federation_run_under(&run, &plan, &rounds, study, sites, n, policy, &options,
                                    steps_path != NULL ? &steps : NULL, error));
    report_of_run(&report, arena, &run, &(struct report_facts){.query = "", .n_sites = (int64_t)n});
    MAILLE_TRY(report_json(&json, &report, error));
    MAILLE_TRY(file_write_atomic(out, json.data, json.length, 0644, error));
    if (steps_path != NULL)
        MAILLE_TRY(file_write_atomic(steps_path, steps.data, steps.length, 0644, error));
    fprintf(stderr, "%zu sites, %u rounds\n", n, rounds);
out:
    study_run_clear(&run);
    plan_clear(&plan);
    bytes_clear(&json);
    bytes_clear(&steps);
    for (size_t i = 0; i < n; i++)
        columns_free(sites[i]);
    columns_free(table);
    arena_free(arena);
    return code;
}

int main(int argc, char **argv)
{
    struct maille_error error = {0};
    uint64_t n = 0, seed = 0, threads = 0;
    const char *policy = NULL, *steps = NULL;
    bool usable = argc >= 6 && argc <= 9, by = usable && !number_parse_u64(argv[3], strlen(argv[3]), &n);
    if (by)
        n = SITES_BY_VALUE;
    for (int i = 6; usable && i < argc; i++)
        if (strncmp(argv[i], "steps=", 6) == 0)
            steps = argv[i] + 6;
        else if (!number_parse_u64(argv[i], strlen(argv[i]), &threads))
            policy = argv[i];
    if (!usable || n < 1 || n > SITES_MAX || threads > THREADS_MAX ||
        !number_parse_u64(argv[4], strlen(argv[4]), &seed)) {
        fprintf(stderr,
                "usage: federate DATA STUDY.yaml SITES SEED OUT.json [THREADS] [POLICY] [steps=FILE]\n");
        return 2;
    }
    enum maille_code code = federate(argv[1], argv[2], (size_t)n, by ? argv[3] : NULL, seed, argv[5],
                                     (unsigned)threads, policy, steps, &error);
    if (code != MAILLE_OK)
        fprintf(stderr, "federate: %s\n", error.sentence);
    return maille_exit_status(code);
}
