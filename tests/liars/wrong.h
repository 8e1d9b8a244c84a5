/* Messages with exactly one thing wrong, made from the descriptions in proto/maille.proto: whatever field is
 * added there is lied about here. */
#ifndef TESTS_LIARS_WRONG_H
#define TESTS_LIARS_WRONG_H

#include "tests/network/private.h"

enum wrong_what {
    /* of one field */
    WRONG_ALTERED, /* a number more, a bit flipped; where there is nothing, something */
    WRONG_ABSENT,  /* not there; of a list, its first value */
    WRONG_FOREIGN, /* what the same message of another query has */
    WRONG_TWICE,   /* of a list: its last value once more */
    WRONG_SWAPPED, /* of a list: its first two values */
    /* of the whole message */
    WRONG_FRAME_ALTERED, /* from here on */
    WRONG_FRAME_ABSENT,
    WRONG_FRAME_SHORT,
    WRONG_FRAME_FOREIGN,
    WRONG_MESSAGE_FOREIGN, /* all of it is another query's */
    WRONG_KEY,             /* signed by another */
    WRONG_LOST,            /* from here on not what it says, but whether and when it comes */
    WRONG_LOST_ALWAYS,     /* and whatever of its kind comes later */
    WRONG_REPEATED,        /* three times, and again after later messages */
    WRONG_LATE             /* after the next message on its link */
};

/* Who signs again what is not what was signed. */
enum wrong_signed {
    WRONG_SIGNED_BY_ITS_OWN, /* whoever signed it lies, or is in league with who does */
    WRONG_SIGNED_BEFORE,     /* nobody: somebody in between lies */
    WRONG_SIGNED_OUTSIDE     /* what stands around an envelope is signed again, the envelope is not */
};

enum { WRONG_NAME_BYTES = 160 };
struct wrong {
    enum wrong_what what;
    unsigned leaf; /* of its fields, in the order of the descriptions; from 0 */
    enum wrong_signed is_signed;
};

/* Makes it in the place of an honest message. foreign: the same message of another query, or NULL. name: what
 * was changed ("Roster.accepts/Accept.head/Head.size"). False: there is no such thing, and nothing changed.
 */
bool wrong_make(struct flight *flight, char name[WRONG_NAME_BYTES], const struct play *play,
                const struct flight *foreign, const struct wrong *wrong);
/* How many fields it has, and those of what it holds. */
unsigned wrong_leaves(const struct play *play, const struct flight *flight);
/* "altered", "absent" … */
const char *wrong_word(enum wrong_what what);

#endif
