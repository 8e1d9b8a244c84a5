/* Who decides at a site, and what was decided. */
#ifndef VAULT_OFFICERS_H
#define VAULT_OFFICERS_H

#include "proto/decision.h"

struct vault;
struct query;

/* Who decides here (officers.c). [0]: the officer of the directory, from ever. */
enum { OFFICERS_MAX = 33 };
struct officer {
    enum appointment_role role;
    const char *name;
    uint8_t identity[PUBLIC_BYTES], box[PUBLIC_BYTES];
    int32_t from; /* day */
};

/* --- officers.c: whose keys decide --- */

/* Out of the directory and state/officers. MAILLE_IO. */
enum maille_code vault_officers_open(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* Takes an appointment out of the spool. MAILLE_IO. */
enum maille_code vault_officers_tick(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;
/* The officer of today, to whom numbers are sealed, and whoever decides beside her; NULL: none. */
const struct officer *vault_officer(const struct vault *vault);
const struct officer *vault_second(const struct vault *vault);

/* --- decide.c: decisions that were signed --- */

/* How long after a decision the answer is sent again for the first time. */
enum { APPROVAL_TELL_FIRST_MS = 60 * 1000 };
/* Takes a decision about a query that is held; where two must sign, the first is kept. */
enum maille_code vault_decision_read(struct vault *vault, struct query *query, struct message_outbox *outbox,
                                     struct maille_error *error) MAILLE_CHECKED;

#endif
