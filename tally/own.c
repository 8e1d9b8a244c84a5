#include "tally/own.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tally/fixed.h"

enum maille_code own_write(uint8_t *words, const struct tally_own *own, const struct tally_extent *extent,
                           struct columns *columns, const struct tally_options *options,
                           struct maille_error *error)
{
    enum maille_code code;
    double *values = calloc(own->n_values, sizeof *values);
    if (values == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a site's own numbers, found none");
    MAILLE_TRY(own->run(values, own, columns, options, error));
    for (size_t k = 0; k < own->n_values; k++) {
        if (!(values[k] <= own->bound && values[k] >= -own->bound)) {
            code = maille_fail(
                error, MAILLE_FAILED,
                "expected numbers of this site within the bound that everybody agreed on, found one beyond");
            goto out;
        }
        i128 value = fixed_of(values[k], extent->fraction);
        uint8_t *word = words + extent->offset + k * extent->width;
        le64_store(word, (uint64_t)value);
        le64_store(word + 8, (uint64_t)(value >> 64));
    }
out:
    explicit_bzero(values, own->n_values * sizeof *values);
    free(values);
    return code;
}
