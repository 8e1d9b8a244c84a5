#include "cli/session.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSION_BYTES_MAX = 8 * PATH_MAX };

void cli_session_access(struct cli_remembered rows[CLI_SESSION_ACCESS], struct cli_access *access)
{
    rows[0] = (struct cli_remembered){"network", &access->network};
    rows[1] = (struct cli_remembered){"key", &access->key};
    rows[2] = (struct cli_remembered){"credential", &access->credential};
}

enum maille_code cli_session_write(const struct agent *agent, const struct cli_remembered *rows, size_t n,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes session = {0};
    char here[PATH_MAX];
    if (getcwd(here, sizeof here) == NULL)
        return maille_fail_errno(error, "cannot find the folder that this program runs in");
    for (size_t i = 0; i < n; i++) {
        const char *path = *rows[i].path;
        struct bytes absolute = {0};
        if (path == NULL)
            continue;
        if (path[0] != '/')
            bytes_printf(&absolute, "%s/", here);
        bytes_put_text(&absolute, path);
        bytes_put_string(&session, rows[i].name);
        bytes_put_block(&session, absolute.data, absolute.length);
        session.failed = session.failed || absolute.failed;
        bytes_clear(&absolute);
    }
    MAILLE_TRY(bytes_check(&session, error));
    MAILLE_TRY(agent_session_write(agent, &session, error));
out:
    bytes_clear(&session);
    return code;
}

enum maille_code cli_session_read(struct cli_access *access, const struct cli_remembered *rows, size_t n,
                                  const char *id, const char *program, struct arena *arena,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes session = {0};
    const bool own_key = access->key != NULL; /* then a credential of another key is none of this one's */
    if (id == NULL && access->network == NULL)
        access->network = getenv("MAILLE_NETWORK");
    if (id != NULL || !own_key)
        code = agent_session_read(&session, id, SESSION_BYTES_MAX, error);
    if (code == MAILLE_INVALID && own_key) /* asked on another machine, maybe */
        code = MAILLE_OK;
    if (code != MAILLE_OK)
        goto out;
    struct reader reader = reader_of(session.data, session.length);
    while (reader_left(&reader) > 0) {
        size_t name_length, length;
        const uint8_t *name = reader_block(&reader, SESSION_BYTES_MAX, &name_length);
        const uint8_t *path = reader_block(&reader, SESSION_BYTES_MAX, &length);
        if (name == NULL || path == NULL)
            break;
        for (size_t i = 0; i < n; i++)
            if (*rows[i].path == NULL && strlen(rows[i].name) == name_length &&
                memcmp(rows[i].name, name, name_length) == 0 &&
                !(own_key && rows[i].path == &access->credential))
                *rows[i].path = arena_strndup(arena, (const char *)path, length);
    }
    if (access->network == NULL)
        access->network = cli_network_default();
    if (access->key == NULL && id == NULL)
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected --key, since no question that was asked on this machine remembers one; see "
                        "%s --help",
                        program);
    else if (access->key == NULL)
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected --key, since query %s does not remember one (it was stopped while it was "
                        "asked, or an earlier maille asked it); see %s --help",
                        id, program);
out:
    bytes_clear(&session);
    return code;
}
