/* maille-worker synth: a made-up registry with the figures of a published one. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "worker/commands.h"
#include "worker/synth_esme.h"

static const char note[] =
    "Synthetic data: no patient. Drawn by `maille-worker synth` so that its figures are those that ESME has "
    "published\n"
    "(examples/esme-mbc/README.md names the sources and what was assumed). Never to be presented as real.\n";

int worker_synth(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *profile = NULL, *out = NULL;
    uint64_t patients = 22109, centres = 18, seed = 1;
    struct bytes table = {0}, lines = {0};
    char path[PATH_MAX];
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "profile",
         .kind = OPTION_STRING,
         .target = &profile,
         .argument = "esme-mbc",
         .sentence = "whose published figures: esme-mbc, metastatic breast cancer",
         .required = true},
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &out,
         .argument = "DIR",
         .sentence = "where patients.csv and lines.csv go; the folder is made",
         .required = true},
        {.name = "patients",
         .kind = OPTION_UNSIGNED,
         .target = &patients,
         .argument = "N",
         .sentence = "how many",
         .min = 1,
         .max = SYNTH_PATIENTS_MAX},
        {.name = "centres",
         .kind = OPTION_UNSIGNED,
         .target = &centres,
         .argument = "N",
         .sentence = "in how many centres, of unequal size",
         .min = 1,
         .max = SYNTH_CENTRES_MAX},
        {.name = "seed",
         .kind = OPTION_UNSIGNED,
         .target = &seed,
         .argument = "S",
         .sentence = "of all that is drawn",
         .max = UINT64_MAX},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-worker synth",
        .positional = "",
        .sentence = "Makes up a registry to try studies on: several tables whose figures are those that a "
                    "real one has "
                    "published.\nNo patient is in it, and every file beside it says so."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    if (strcmp(profile, "esme-mbc") != 0) {
        code = maille_fail(&error, MAILLE_INVALID, "expected --profile esme-mbc, found \"%.40s\"", profile);
        goto out;
    }
    MAILLE_TRY(synth_esme(&table, &lines, patients, centres, seed, &error));
    MAILLE_TRY(file_folder_make(out, 0755, &error));
    MAILLE_TRY(file_path_join(path, sizeof path, out, "patients.csv", &error));
    MAILLE_TRY(file_write_atomic(path, table.data, table.length, 0644, &error));
    MAILLE_TRY(file_path_join(path, sizeof path, out, "lines.csv", &error));
    MAILLE_TRY(file_write_atomic(path, lines.data, lines.length, 0644, &error));
    MAILLE_TRY(file_path_join(path, sizeof path, out, "SYNTHETIC.txt", &error));
    MAILLE_TRY(file_write_atomic(path, note, sizeof note - 1, 0644, &error));
    printf("%s/patients.csv, lines.csv: %llu made-up patients of %llu centres; no patient is in them\n", out,
           (unsigned long long)patients, (unsigned long long)centres);
out:
    bytes_clear(&table);
    bytes_clear(&lines);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
