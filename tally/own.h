/* What a site works out by rounds of its own: the numbers of TALLY_OWN blocks. Internal to tally/. */
#ifndef TALLY_OWN_H
#define TALLY_OWN_H

#include "tally/tally.h"

/* Runs `own` over the columns and rounds its numbers once at the layout's scale. Errors: those of own->run;
 * MAILLE_FAILED where a number is not within its public bound. */
enum maille_code own_write(uint8_t *words, const struct tally_own *own, const struct tally_extent *extent,
                           struct columns *columns, const struct tally_options *options,
                           struct maille_error *error) MAILLE_CHECKED;

#endif
