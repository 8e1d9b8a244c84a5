#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "vault/private.h"

/* What this site has seen of its network: the text of the highest directory that was in force here, sealed
 * under the identity key (state/pin). Whoever puts an older network.yaml, another network's, or one that the
 * authorities of before did not sign beside a stopped worker is found out at its start: so no site that left
 * comes back, and no roster of an epoch is played again.
 *
 * The first start of this version writes it, with a note in the log. From then on one that is missing is
 * refused: the log has the note, and the ledger the version. */

static enum maille_code pin_path(char path[PATH_MAX], const struct vault *vault, struct maille_error *error)
{
    return file_path_join(path, PATH_MAX, vault->state_folder, "pin", error);
}

enum maille_code pin_open(struct bytes *text, const char *path, const struct secret_keys *keys,
                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0};
    struct digest key;
    secret_keys_derive(&key, keys, "pin");
    MAILLE_TRY(file_read(&sealed, path, DIRECTORY_BYTES_MAX + 1024, error));
    if (seal_secretbox_open(text, key.b, sealed.data, sealed.length, NULL) != MAILLE_OK)
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "%s: expected what this site has seen of its network, found other bytes or another key's; "
            "restore it",
            path);
out:
    crypto_wipe(&key, sizeof key);
    bytes_clear(&sealed);
    return code;
}

enum maille_code pin_seal(const char *path, const struct secret_keys *keys, const char *text, size_t length,
                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0};
    struct digest key;
    secret_keys_derive(&key, keys, "pin");
    MAILLE_TRY(seal_secretbox(&sealed, key.b, text, length));
    code = file_write_atomic(path, sealed.data, sealed.length, 0600, error);
out:
    crypto_wipe(&key, sizeof key);
    bytes_clear(&sealed);
    return code;
}

enum maille_code vault_pin_read(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char path[PATH_MAX];
    MAILLE_TRY(pin_path(path, vault, error));
    if (!file_exists(path))
        goto out;
    MAILLE_TRY(pin_open(&text, path, vault->options.keys, error));
    code = directory_parse(&vault->pinned, vault->arena, path, (const char *)text.data, text.length, error);
out:
    bytes_clear(&text);
    return code;
}

struct pin_search {
    bool found;
};

static void find_note(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct pin_search *search = context;
    (void)sequence;
    (void)utc_ms;
    search->found = search->found || (entry->direction == AUDIT_NOTE && strcmp(entry->message, "pin") == 0);
}

/* Is there anything that says that a pin was written? */
static enum maille_code check_never(const struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct pin_search search = {0};
    char path[PATH_MAX];
    int version = 0;
    MAILLE_TRY(file_path_join(path, sizeof path, vault->state_folder, "ledger", error));
    MAILLE_TRY(ledger_version(&version, path, error));
    MAILLE_TRY(audit_read(vault->log_folder, find_note, &search, error));
    if (version >= LEDGER_PINNED || search.found) {
        MAILLE_TRY(pin_path(path, vault, error));
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected %s, which this site has written, found none: without it an old directory could be "
            "taken for the newest; restore the whole folder of the site",
            path);
    }
out:
    return code;
}

enum maille_code vault_pin_write(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *now = vault->directory, *then = vault->pinned;
    char path[PATH_MAX];
    if (then != NULL && then->version == now->version)
        return MAILLE_OK; /* directory_accept has seen to it that they are the same bytes */
    if (then == NULL && !vault->loss_accepted)
        MAILLE_TRY(check_never(vault, error));
    MAILLE_TRY(pin_path(path, vault, error));
    MAILLE_TRY(pin_seal(path, vault->options.keys, now->text, now->text_length, error));
    code = vault_log_note(
        vault, "pin", NULL,
        arena_printf(vault->arena,
                     "network %s, version %llu of its directory, %zu authorities, epoch %u: none before "
                     "it is taken from now on",
                     now->network, (unsigned long long)now->version, now->n_authorities, now->epoch.number),
        error);
out:
    return code;
}
