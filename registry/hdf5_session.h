/* HDF5, one thread at a time. Debian builds the library without thread safety, so every call of it in this
 * program is made between hdf5_enter and hdf5_leave. */
#ifndef REGISTRY_HDF5_SESSION_H
#define REGISTRY_HDF5_SESSION_H

#include "base/error.h"

/* Waits for the library. The first call also silences its own messages, forbids it to load plugins (a file
 * could otherwise name a filter that is looked for on disk) and registers the LZ4 filter. On failure
 * hdf5_leave must not be called. */
enum maille_code hdf5_enter(struct maille_error *error) MAILLE_CHECKED;
void hdf5_leave(void);

/* As maille_fail, and appends what HDF5 says went wrong in its last call. */
enum maille_code hdf5_fail(struct maille_error *error, enum maille_code code, const char *format, ...)
    MAILLE_PRINTF(3, 4);
#ifdef __clang_analyzer__
#define hdf5_fail(error, code, ...) ((void)hdf5_fail(error, code, __VA_ARGS__), (code))
#endif

#endif
