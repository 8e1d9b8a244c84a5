/* test_federated STUDY.yaml SITES SEED OUT.json: runs a study over its data split into SITES sites, in one process, and writes the
 * result file. The data set is the one that the study's dictionary names (tests/federation/federation.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "report/report.h"
#include "tests/federation/federation.h"

enum { SITES_MAX = 64, STUDY_BYTES_MAX = 1 << 20 };

static enum maille_code run(const char *path, size_t n_sites, uint64_t seed, const char *out_path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct columns *table = NULL, *sites[SITES_MAX] = {NULL};
    struct study_run run = {0};
    struct bytes text = {0}, json = {0};
    const struct dictionary *dictionary;
    const struct study *study;
    const char *name;
    int64_t version;
    unsigned rounds = 0;
    struct tally_options options = {.threads = 2};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(file_read(&text, path, STUDY_BYTES_MAX, error));
    MAILLE_TRY(study_dictionary(&name, &version, arena, path, (const char *)text.data, text.length, error));
    MAILLE_TRY(federation_data(&dictionary, &table, arena, name, error));
    MAILLE_TRY(federation_study(&study, arena, dictionary, path, error));
    MAILLE_TRY(federation_split(sites, n_sites, table, seed, error));
    MAILLE_TRY(federation_run(&run, &rounds, study, sites, n_sites, &options, error));
    const struct report_facts facts = {.query = "", .n_sites = (int64_t)n_sites};
    struct report report;
    report_of_run(&report, arena, &run, &facts);
    MAILLE_TRY(report_json(&json, &report, error));
    MAILLE_TRY(file_write_atomic(out_path, json.data, json.length, 0644, error));
    printf("%zu sites, %u rounds\n", n_sites, rounds);
out:
    study_run_clear(&run);
    for (size_t s = 0; s < SITES_MAX; s++)
        columns_free(sites[s]);
    columns_free(table);
    bytes_clear(&text);
    bytes_clear(&json);
    arena_free(arena);
    return code;
}

int main(int argc, char **argv)
{
    struct maille_error error = {0};
    uint64_t sites = 0, seed = 0;
    if (argc != 5 || !parse_u64(argv[2], strlen(argv[2]), &sites) || sites < 1 || sites > SITES_MAX ||
        !parse_u64(argv[3], strlen(argv[3]), &seed)) {
        fprintf(stderr, "usage: test_federated STUDY.yaml SITES SEED OUT.json\n");
        return 2;
    }
    if (run(argv[1], (size_t)sites, seed, argv[4], &error) != MAILLE_OK) {
        fprintf(stderr, "%s\n", error.sentence);
        return 1;
    }
    return 0;
}
