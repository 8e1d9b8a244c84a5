/* What the commands about an earlier question need beside its id: the paths that it was asked with. They
 * stand beside the query's journal (agent_session_write). */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "agent/agent.h"
#include "cli/run.h"

/* One path that is remembered, under a name. */
struct cli_remembered {
    const char *name, **path;
};

/* The network, the key and its credential: the first rows of each list. */
enum { CLI_SESSION_ACCESS = 3 };
void cli_session_access(struct cli_remembered rows[CLI_SESSION_ACCESS], struct cli_access *access);

/* Paths as they are found from any folder; those that are NULL are not remembered. */
enum maille_code cli_session_write(const struct agent *agent, const struct cli_remembered *rows, size_t n,
                                   struct maille_error *error) MAILLE_CHECKED;

/* Fills the paths that are NULL, in the arena, from the session of the query whose id begins so; id NULL: of
 * the last question that was asked on this machine, unless a key is given. Where nothing says it, the network
 * is cli_network_default(). MAILLE_INVALID: no such query, or nothing says which key; program stands for the
 * command in the error. */
enum maille_code cli_session_read(struct cli_access *access, const struct cli_remembered *rows, size_t n,
                                  const char *id, const char *program, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
