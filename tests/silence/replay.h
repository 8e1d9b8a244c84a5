/* One site alone, to which everything that it was told in a network is said again, at the same time, with the
 * same disk and the same dice; but its patients may be others. */
#ifndef TESTS_SILENCE_REPLAY_H
#define TESTS_SILENCE_REPLAY_H

#include "tests/network/private.h"
#include "tests/silence/transcript.h"

struct happening; /* opaque */

/* What befell a site from a start of it on, until the bytes of the first total reached it. */
struct recording {
    size_t party;
    uint32_t snapshot; /* what it counts from */
    char disk[FOLDER_BYTES], snapshots[FOLDER_BYTES];
    struct seeded dice;
    struct happening *list;
    size_t n, room;
    bool on, over;
    struct play play; /* as it was at that start: names, keys, directory, policies */
};

/* Recording begins when the party starts again (play_restart). From the hook `entered` of the play that is
 * recorded; the play must outlive the recording. */
void recording_begin(struct recording *recording, const struct play *play, size_t party);
void recording_entered(struct recording *recording, const struct play *play, size_t party,
                       const struct flight *flight);
void recording_clear(struct recording *recording);

/* The same again, with the patients of `table` (taken over; NULL: those that it had) as the newest snapshot,
 * whose hash and number, which are public, are the recorded ones. What the site itself had said and is told
 * again (its M4 within the close) is what it says now. Everything that it says is noted. Returns how often
 * its own log says that it vetoed. */
size_t recording_replay(struct transcript *transcript, const struct recording *recording,
                        struct columns *table);

#endif
