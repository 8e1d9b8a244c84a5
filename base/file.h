/* Files: whole reads with a cap, writes that are there or not, never half. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"

/* Reads a whole regular file of at most limit bytes. Errors: MAILLE_IO; MAILLE_INVALID when there is none or
 * it is larger. */
enum maille_code file_read(struct bytes *out, const char *path, size_t limit,
                           struct maille_error *error) MAILLE_CHECKED;

/* Writes beside, fsyncs, renames over path and fsyncs the folder: after a crash the old or the new content is
 * there. mode: permission bits, e.g. 0600. Written by root it belongs to whoever its folder belongs to. A
 * link stays, and the file that it leads to is written; what is no regular file (a FIFO, a device, standard
 * output as /dev/stdout) is written to and never replaced. */
enum maille_code file_write_atomic(const char *path, const void *data, size_t length, mode_t mode,
                                   struct maille_error *error) MAILLE_CHECKED;
/* The same in a folder that others may write to: no link is followed, and what stands at path is replaced,
 * whoever put it there. */
enum maille_code file_write_shared(const char *path, const void *data, size_t length, mode_t mode,
                                   struct maille_error *error) MAILLE_CHECKED;
/* Removes a file there; what cannot be removed, as a folder, gets another name beside. */
void file_put_away(const char *path);

/* What root makes belongs to whoever the folder that it stands in belongs to, so that a service that is
 * another user can use it: fd, an open file or folder, at path. Best effort; nothing where this is not root.
 */
void file_give(int fd, const char *path);

/* fsync of a folder, so that names created or removed in it are durable. */
enum maille_code file_sync_folder(const char *path, struct maille_error *error) MAILLE_CHECKED;

/* Makes a folder and its parents (mode for those that are new; file_give). An existing folder is no error. */
enum maille_code file_folder_make(const char *path, mode_t mode, struct maille_error *error) MAILLE_CHECKED;

bool file_exists(const char *path);

/* Refuses (MAILLE_INVALID) a file that others than its owner can read or write: a key file must be 0600 or
 * stricter. */
enum maille_code file_check_private(const char *path, struct maille_error *error) MAILLE_CHECKED;

/* Makes an empty file that its owner alone reads and writes (0600), or makes one that is there such a file:
 * its first byte already is for the owner alone. MAILLE_IO. */
enum maille_code file_make_private(const char *path, struct maille_error *error) MAILLE_CHECKED;

/* Opens a regular file that another party may have put there, to read it: never waits for a FIFO, never
 * follows a link (both MAILLE_INVALID). *fd is −1 where nothing is there. MAILLE_IO. */
enum maille_code file_open_regular(int *fd, const char *path, struct maille_error *error) MAILLE_CHECKED;

/* As file_read, of a file that another party may have put there: no link is followed (MAILLE_INVALID). */
enum maille_code file_read_regular(struct bytes *out, const char *path, size_t limit,
                                   struct maille_error *error) MAILLE_CHECKED;

/* Takes the lock of an open file or folder, which goes with the descriptor; *taken is false where another
 * process has it. MAILLE_IO where the file system has no locks (ENOLCK): name stands for it in the error. */
enum maille_code file_lock(bool *taken, int fd, const char *name, struct maille_error *error) MAILLE_CHECKED;

/* Writes all of it, going on after short writes and EINTR. */
enum maille_code file_write_all(int fd, const void *data, size_t length,
                                struct maille_error *error) MAILLE_CHECKED;

/* "folder/name" into out (PATH_MAX bytes are enough for every caller); MAILLE_INVALID when it does not fit.
 */
enum maille_code file_path_join(char *out, size_t size, const char *folder, const char *name,
                                struct maille_error *error) MAILLE_CHECKED;

/* The folder that a path stands in, by its name: "." for a name alone. out: PATH_MAX bytes. */
void file_folder_of(char *out, const char *path);

#endif
