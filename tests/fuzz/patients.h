/* The patients that some targets' bytes are of, as a table and as a snapshot that this program writes: an
 * input that was kept of one goes stale with its format. */
#ifndef TESTS_FUZZ_PATIENTS_H
#define TESTS_FUZZ_PATIENTS_H

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "registry/import.h"
#include "tests/fuzz/fuzz.h"

static const char fuzz_dictionary[] = "dictionary: six\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [A, B, C] }\n"
                                      "  - { name: time, type: duration, units: days, min: 0, max: 10 }\n"
                                      "  - { name: dead, type: boolean }\n"
                                      "  - { name: age, type: integer, min: 0, max: 120 }\n"
                                      "  - { name: x, type: real, min: 0, max: 1, resolution: 0.1 }\n"
                                      "  - { name: start, type: duration, units: days, min: 0, max: 10 }\n"
                                      "  - { name: cause, type: category, levels: [none, cancer, other] }\n";

/* To the end of the process; once. */
static inline struct columns *fuzz_patients(const struct dictionary **dictionary)
{
    static const char csv[] =
        "id,arm,time,dead,age,x,start,cause\n"
        "1,A,1,1,40,0.3,0,cancer\n2,A,3,1,50,0.3,0,other\n3,A,5,0,60,0.3,1,none\n4,B,2,0,60,,0,none\n"
        "5,B,3,1,70,0.3,2,cancer\n6,B,6,0,80,0.3,4,none\n7,A,7,0,55,0.1,0,none\n8,B,4,1,45,0.9,0,other\n"
        "9,A,2,1,65,0.5,0,cancer\n10,B,8,0,52,0.7,1,none\n";
    static struct arena *kept;
    struct import_report report = {0};
    struct columns *patients = NULL;
    char path[PATH_MAX];
    int fd;
    kept = arena_new();
    fuzz_file(path, &fd, (const uint8_t *)csv, sizeof csv - 1);
    if (kept == NULL ||
        dictionary_parse(dictionary, kept, "six", fuzz_dictionary, sizeof fuzz_dictionary - 1, NULL) !=
            MAILLE_OK ||
        import_csv(&patients, &report, *dictionary, path, NULL, NULL) != MAILLE_OK)
        fuzz_fail("patients");
    import_report_clear(&report);
    close(fd);
    return patients;
}

/* The bytes of their snapshot, to the end of the process; once. */
static inline struct bytes fuzz_snapshot(void)
{
    const struct dictionary *dictionary;
    struct columns *patients = fuzz_patients(&dictionary);
    struct snapshot_facts facts = {.number = 1, .source_hash = "00ff", .exclusions = ""};
    struct bytes bytes = {0};
    const char *path = fuzz_put("written.h5", NULL, 0);
    unlink(path);
    clock_format(facts.created, 0);
    memset(facts.salt, '5', sizeof facts.salt - 1);
    if (snapshot_write(patients, path, &facts, NULL) != MAILLE_OK ||
        file_read(&bytes, path, 1 << 20, NULL) != MAILLE_OK)
        fuzz_fail("a snapshot of the patients");
    columns_free(patients);
    unlink(path);
    return bytes;
}

#endif
