/* A made-up registry of metastatic breast cancer whose figures are those that ESME has published: the profile
 * esme-mbc of maille-worker synth. No patient, and nothing that was not published, is in it. */
#ifndef WORKER_SYNTH_ESME_H
#define WORKER_SYNTH_ESME_H

#include <stdint.h>

#include "base/bytes.h"

enum { SYNTH_PATIENTS_MAX = 1000000, SYNTH_CENTRES_MAX = 99 };

/* Two CSV files: one row a patient, and the patients' lines of treatment. Shares of the subtypes are exact,
 * everything else is drawn; the same numbers give the same bytes on one machine. Sources and laws stand in
 * examples/esme-mbc/README.md and beside the numbers. */
enum maille_code synth_esme(struct bytes *patients, struct bytes *lines, uint64_t n, uint64_t centres,
                            uint64_t seed, struct maille_error *error) MAILLE_CHECKED;

#endif
