/* The files of a log folder. Inside audit/ alone.
 *
 *     messages.log                      what is written now
 *     messages-000000000123.log.lz4     packed by rotation: an LZ4 frame (lz4 -d opens it); 123: records
 * before its first one base                              after pruning: a note of audit/note.h epoch.key,
 * epoch.key.next         the key of the epoch, sealed under the party's; no part of the log lock
 *
 * A file is the line "maille-log 2 NUMBER\n" (12 digits: records before its first one), then frames:
 *     u8 'L' (a record: a leaf of the tree) or 'C' (a checkpoint: a text)   LE32 length   bytes
 * A packed file ends with a seal and its checkpoint. */
#ifndef AUDIT_STORE_H
#define AUDIT_STORE_H

#include <limits.h>

#include "audit/state.h"

enum frame_kind { FRAME_RECORD = 'L', FRAME_CHECKPOINT = 'C' };
enum { FRAME_HEADER_BYTES = 5, FILE_HEADER_BYTES = 26 };

struct store_file {
    char name[64];
    uint64_t first; /* records before its first one */
    bool packed;
};

/* The files of a folder in their order; free with free. messages.log is the last one, if it is there (first
 * is read from it). A file that the base covers, or that messages.log still holds (a rotation that a crash
 * cut short), is not listed. MAILLE_IO. */
enum maille_code store_list(struct store_file **files, size_t *n, const char *folder, uint64_t base,
                            struct maille_error *error) MAILLE_CHECKED;

void store_file_header(char out[FILE_HEADER_BYTES + 1], uint64_t first);

/* One file, read from its start; packed or not. */
struct source;
enum maille_code source_open(struct source **source, const char *folder, const struct store_file *file,
                             struct maille_error *error) MAILLE_CHECKED;
void source_close(struct source *source);

enum source_end { SOURCE_MORE, SOURCE_DONE, SOURCE_HALF }; /* HALF: bytes that are no whole frame */
/* The next frame; its bytes are borrowed until the next call. offset: where the next frame begins (unpacked).
 * MAILLE_CORRUPT: packed bytes that do not unpack, a frame of an unknown kind or of an impossible length. */
enum maille_code source_next(struct source *source, enum source_end *end, enum frame_kind *kind,
                             const uint8_t **data, size_t *length, struct maille_error *error) MAILLE_CHECKED;
uint64_t source_offset(const struct source *source);

/* Packs the first `length` bytes of a file into another one, on disk with its name when it returns. */
enum maille_code store_pack(const char *folder, const char *to, int from, uint64_t length,
                            struct maille_error *error) MAILLE_CHECKED;

/* Reads a whole folder through a state. frame is called for every frame that was accepted, file at every
 * file's end. */
struct walk {
    void (*frame)(void *context, const struct state *state, enum frame_kind kind, const uint8_t *data,
                  size_t length);
    void (*file)(void *context, const struct state *state, const struct store_file *file);
    void *context;
};
struct walk_end {
    uint64_t offset; /* of the end of the last whole frame of messages.log; 0: there is none */
    uint64_t length; /* of that file */
    uint64_t first;  /* records before its first one */
};
/* Whether a signature stands behind the last whole frame of messages.log. A crash leaves at most one batch
 * there, without its signature: where there is one, the file was altered instead. */
enum maille_code store_tail(bool *is_signed, const char *folder, const struct walk_end *end,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code store_walk(struct state *state, struct walk_end *end, const char *folder,
                            const struct walk *walk, struct maille_error *error) MAILLE_CHECKED;

#endif
