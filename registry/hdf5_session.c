#include "registry/hdf5_session.h"

#include <hdf5.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "registry/lz4_filter.h"

/* State of the file, against the custom of the house: the library behind it has one state for the whole
 * process too. */
static pthread_mutex_t hdf5_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool hdf5_ready;

static enum maille_code prepare(struct maille_error *error)
{
    if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 || H5PLset_loading_state(0) < 0)
        return maille_fail(error, MAILLE_INTERNAL, "HDF5 cannot be initialised");
    return lz4_filter_register(error);
}

enum maille_code hdf5_enter(struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    pthread_mutex_lock(&hdf5_mutex);
    if (!hdf5_ready) {
        code = prepare(error);
        hdf5_ready = code == MAILLE_OK;
    }
    if (code != MAILLE_OK)
        pthread_mutex_unlock(&hdf5_mutex);
    return code;
}

void hdf5_leave(void)
{
    pthread_mutex_unlock(&hdf5_mutex);
}

/* The innermost entry of the error stack is the first that is met on the way up. */
static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *context)
{
    if (n == 0 && entry->desc != NULL)
        snprintf(context, 256, "%s", entry->desc);
    return 0;
}

enum maille_code(hdf5_fail)(struct maille_error *error, enum maille_code code, const char *format, ...)
{
    char why[256] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, why);
    if (error == NULL)
        return code;
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    for (char *c = why; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return maille_fail(error, code, "%s%s%s%s", sentence, why[0] != '\0' ? " (HDF5: " : "", why,
                       why[0] != '\0' ? ")" : "");
}
