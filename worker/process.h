/* The processes of a worker: what each is given, and what each does until it ends. data (worker/data.h) and
 * step (worker/step.h) are the others. */
#ifndef WORKER_PROCESS_H
#define WORKER_PROCESS_H

#include "vault/vault.h"
#include "worker/data.h"
#include "worker/figures.h"
#include "worker/step.h"
#include "wire/way.h"

/* Records between vault and net. */
enum net_record {
    NET_MESSAGE =
        20, /* both ways: LE64-block envelope, one byte whether there is a frame, LE64-block frame */
    NET_CONNECTED = 21, /* net → vault: the coordinator answered for the first time */
    NET_SEEN = 22 /* net → vault: LE64 entries of this site's log that the coordinator says it has seen */
};
enum { NET_RECORD_MAX = MESSAGE_BODY_MAX + MESSAGE_FRAME_MAX + 65536 };

/* How a process says with its exit status what its supervisor should do. */
enum process_exit {
    PROCESS_FAILED = 1, /* start it again after a while */
    PROCESS_CONFIG = 2, /* a file or a key is wrong: starting again does not help */
    PROCESS_RELOAD = 10 /* files have changed on purpose: start again at once */
};

struct net_options {
    const char *name;     /* of the site */
    const char *endpoint; /* of the coordinator */
    uint8_t server[PUBLIC_BYTES], own[PUBLIC_BYTES], secret[KEY_BYTES];
    uint64_t directory_version;
    int64_t hello_every_ms;
    struct net_figures *figures;
    struct wire_way *way; /* through a proxy; NULL: directly */
};

/* Dials out and passes envelopes between socket and vault, until the vault's end closes (MAILLE_INTERNAL).
 * The secret is wiped once the socket has it. */
enum maille_code net_serve(struct net_options *options, int end, struct maille_error *error) MAILLE_CHECKED;

/* From now on SIGTERM is seen by vault_serve alone, between two records, so that the log ends with its seal.
 */
enum maille_code vault_hold_signals(struct maille_error *error) MAILLE_CHECKED;
/* The processes that a vault asks: once one of them is gone, it ends. */
struct vault_others {
    const struct data_remote *data;
    const struct step_remote *step;
};

/* Handles what net brings, until its end closes or another process of this worker fails (MAILLE_INTERNAL), or
 * (MAILLE_OK) SIGTERM came, or the directory has changed and everything should start again. */
enum maille_code vault_serve(struct vault *vault, const struct vault_others *others, int end,
                             struct vault_figures *figures, struct maille_error *error) MAILLE_CHECKED;

#endif
