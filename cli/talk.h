/* Short talks with the coordinator: one question, one answer. */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include "cli/run.h"
#include "proto/message.h"

/* Sends one message and waits for the kind of answer that is wanted, which lives in the arena.
 * MAILLE_UNREACHABLE; MAILLE_INVALID: of a query that the coordinator does not know. */
enum maille_code cli_talk(struct envelope *answer, struct arena *arena, const struct cli_access *access,
                          enum message_kind kind, const struct bytes *body, enum message_kind wanted,
                          int64_t timeout_ms, struct maille_error *error) MAILLE_CHECKED;

/* Who is to open the sums of a study: the researcher, where the catalogue of every site that it names says
 * that all it answers is public; else, and where no catalogue can be had, the sites. */
enum query_mode cli_mode(const struct cli_access *access, const struct study *study, int64_t timeout_ms);

#endif
