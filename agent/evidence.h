/* What a query leaves as evidence: the signed messages that it stands on, the directory that they were signed
 * under, and the result as it was written. All of it is in the query's journal, sealed under the researcher's
 * key, and stays there after the query's end (maille bundle). */
#ifndef AGENT_EVIDENCE_H
#define AGENT_EVIDENCE_H

#include "agent/agent.h"

/* Everything in the arena that it was read into. */
struct agent_evidence {
    char id[2 * QID_BYTES + 1];
    struct byte_view network;    /* text of the directory; length 0: an older program asked */
    struct byte_view dictionary; /* text */
    struct byte_view result;     /* the result file; length 0: not ended, or an older program ended it */
    size_t n_messages;
    const struct byte_view *messages; /* envelopes as they were sent, in their order: the manifest first */
    const struct byte_view *frames; /* beside each: what was sealed in it; length 0 where that is not kept */
    uint8_t
        question_key[KEY_BYTES]; /* opens the frames; in agent mode it opens masks too: never to be shown */
};

/* Of whoever handles a message: kept before what follows from it, with its frame (NULL: without). */
enum maille_code agent_evidence_message(struct agent *agent, const struct envelope *envelope,
                                        const void *frame, size_t frame_length,
                                        struct maille_error *error) MAILLE_CHECKED;
/* The directory, when the question is asked. */
enum maille_code agent_evidence_network(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;
/* The result file, once the query has ended; the first one stays. */
enum maille_code agent_evidence_result(struct agent *agent, const struct bytes *result,
                                       struct maille_error *error) MAILLE_CHECKED;

/* From the journal of the query whose id begins so, without stepping anything. Errors as of agent_resume. */
enum maille_code agent_evidence_read(struct agent_evidence *evidence, struct arena *arena,
                                     const struct secret_keys *keys, const char *id,
                                     struct maille_error *error) MAILLE_CHECKED;

#endif
