/* Open invitations: one line each, "role name expires-in-ms-since-1970 token", in a file beside the directory
 * that its owner alone reads. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/network.h"

enum { INVITATIONS_BYTES_MAX = 1024 * 1024, LINE_MAX_BYTES = 256 };
static const int64_t lifetime_ms = INT64_C(72) * 3600 * 1000;

struct invitation {
    char role[16], name[NAME_MAX_BYTES + 1], token[CARD_TOKEN_BYTES];
    int64_t expires_ms;
};

static enum maille_code path_of(char path[PATH_MAX], const char *network, struct maille_error *error)
{
    if (snprintf(path, PATH_MAX, "%s.invitations", network) >= PATH_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", network);
    return MAILLE_OK;
}

/* The next line of a text; false at its end. MAILLE_CORRUPT in *code where it is no invitation. */
static bool next_line(struct invitation *invitation, const char **at, const char *end, enum maille_code *code)
{
    char line[LINE_MAX_BYTES];
    const char *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (stop == NULL)
        return false;
    snprintf(line, sizeof line, "%.*s", (int)(stop - *at), *at);
    *at = stop + 1;
    if (sscanf(line, "%15s %40s %" SCNd64 " %26s", invitation->role, invitation->name,
               &invitation->expires_ms, invitation->token) != 4)
        *code = MAILLE_CORRUPT;
    return *code == MAILLE_OK;
}

/* Reads what is open into text; takes the invitation of a name out of it (*found; token "": there is none).
 */
static enum maille_code take_out(struct bytes *rest, struct invitation *found, const char *path,
                                 enum key_role role, const char *name, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct invitation invitation = {0};
    *found = (struct invitation){.token = ""};
    if (!file_exists(path))
        return MAILLE_OK;
    MAILLE_TRY(file_check_private(path, error));
    MAILLE_TRY(file_read(&text, path, INVITATIONS_BYTES_MAX, error));
    const char *at = (const char *)text.data, *end = at + text.length;
    for (const char *line = at; next_line(&invitation, &at, end, &code); line = at) {
        if (strcmp(invitation.role, key_role_name(role)) == 0 && strcmp(invitation.name, name) == 0)
            *found = invitation;
        else
            bytes_put(rest, line, (size_t)(at - line));
    }
    if (code != MAILLE_OK)
        code =
            maille_fail(error, MAILLE_CORRUPT, "expected open invitations in %s, found another text", path);
    if (code == MAILLE_OK)
        code = bytes_check(rest, error);
out:
    bytes_wipe(&text);
    return code;
}

enum maille_code network_invite(char token[CARD_TOKEN_BYTES], const char *network, enum key_role role,
                                const char *name, int64_t now_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes rest = {0};
    struct invitation before;
    char path[PATH_MAX];
    MAILLE_TRY(path_of(path, network, error));
    MAILLE_TRY(take_out(&rest, &before, path, role, name, error));
    card_token_new(token);
    bytes_printf(&rest, "%s %s %" PRId64 " %s\n", key_role_name(role), name, now_ms + lifetime_ms, token);
    MAILLE_TRY(bytes_check(&rest, error));
    MAILLE_TRY(file_write_atomic(path, rest.data, rest.length, 0600, error));
out:
    bytes_wipe(&rest);
    return code;
}

enum maille_code network_admit_card(bool *invited, const char *network, const struct card *card,
                                    int64_t now_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes rest = {0};
    struct invitation open;
    char path[PATH_MAX];
    *invited = false;
    MAILLE_TRY(path_of(path, network, error));
    MAILLE_TRY(take_out(&rest, &open, path, card->role, card->name, error));
    if (open.token[0] == '\0' && !card->invited)
        goto out;
    if (open.token[0] == '\0')
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected an open invitation for the %s %s, found none: its token was used already, or another "
            "authority gave it",
            key_role_name(card->role), card->name);
    else if (!card_invited_by(card, open.token))
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected the card that the invited %s made with the token, found another: ask %s for the "
            "card, or invite again",
            key_role_name(card->role), card->name);
    else if (now_ms > open.expires_ms)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a token of the last 72 hours, found an older one of %s; invite again",
                           card->name);
    if (code != MAILLE_OK)
        goto out;
    *invited = true;
    code = file_write_atomic(path, rest.data, rest.length, 0600, error); /* used up */
out:
    bytes_wipe(&rest);
    return code;
}
