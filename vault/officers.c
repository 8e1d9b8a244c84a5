/* Whose keys decide at this site: the officer of the directory, whom she appointed after her, and a second
 * person beside her. Appointments are signed texts (proto/decision.h), brought through the spool; those that
 * were taken stand one after the other in state/officers, and each in the log. A directory with another key
 * of the officer ends them: she begins anew. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/number.h"
#include "vault/spool.h"
#include "vault/private.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static enum maille_code officers_path(char path[PATH_MAX], const struct vault *vault,
                                      struct maille_error *error)
{
    return file_path_join(path, PATH_MAX, vault->state_folder, "officers", error);
}

static int32_t today(const struct vault *vault)
{
    return (int32_t)(vault_now_ms(vault) / DAY_MS);
}

static const struct officer *in_force(const struct vault *vault, enum appointment_role role)
{
    const struct officer *found = NULL;
    for (size_t i = 0; i < vault->n_officers; i++)
        if (vault->officers[i].role == role && vault->officers[i].from <= today(vault))
            found = &vault->officers[i];
    return found;
}

const struct officer *vault_officer(const struct vault *vault)
{
    return in_force(vault, APPOINTMENT_SUCCESSOR);
}

const struct officer *vault_second(const struct vault *vault)
{
    return in_force(vault, APPOINTMENT_SECOND);
}

static void add(struct vault *vault, const struct appointment *appointment)
{
    struct officer *officer = &vault->officers[vault->n_officers++];
    *officer = (struct officer){.role = appointment->role,
                                .name = arena_strdup(vault->arena, appointment->officer),
                                .from = appointment->from};
    memcpy(officer->identity, appointment->identity, PUBLIC_BYTES);
    memcpy(officer->box, appointment->box, PUBLIC_BYTES);
}

/* Whoever was the officer, one day or another, may have signed what stands in state/. */
static bool by_an_officer(const struct vault *vault, const char *path, const struct bytes *text,
                          struct appointment *appointment, struct arena *arena)
{
    for (size_t i = 0; i < vault->n_officers; i++)
        if (vault->officers[i].role == APPOINTMENT_SUCCESSOR &&
            appointment_read(appointment, arena, path, text, vault->officers[i].identity, NULL) == MAILLE_OK)
            return true;
    return false;
}

enum maille_code vault_officers_open(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct bytes all = {0}, one = {0};
    vault->n_officers = 0;
    if (!vault->self->has_dpo)
        return MAILLE_OK;
    struct appointment first = {.role = APPOINTMENT_SUCCESSOR, .officer = "", .from = INT32_MIN};
    memcpy(first.identity, vault->self->dpo_identity, PUBLIC_BYTES);
    memcpy(first.box, vault->self->dpo_box, PUBLIC_BYTES);
    add(vault, &first);
    MAILLE_TRY(officers_path(path, vault, error));
    if (!file_exists(path))
        goto out;
    MAILLE_TRY(file_read_regular(&all, path, OFFICERS_MAX * APPOINTMENT_BYTES_MAX, error));
    for (size_t at = 0; at < all.length && vault->n_officers < OFFICERS_MAX;) {
        struct appointment appointment;
        const char *begin = (const char *)all.data + at;
        const char *signature = memmem(begin, all.length - at, "\nsignature: ", 12);
        const char *end =
            signature != NULL
                ? memchr(signature + 1, '\n', all.length - (size_t)(signature + 1 - (const char *)all.data))
                : NULL;
        one.length = 0;
        if (end != NULL)
            bytes_put(&one, begin, (size_t)(end + 1 - begin));
        MAILLE_TRY(bytes_check(&one, error));
        if (end == NULL || !by_an_officer(vault, path, &one, &appointment, vault->arena)) {
            log_line(LOG_LEVEL_WARNING,
                     "%s: appointments that no officer of the directory in force stands behind are over; she "
                     "appoints again: maille officer appoint",
                     path);
            break;
        }
        add(vault, &appointment);
        at += one.length;
    }
out:
    bytes_clear(&all);
    bytes_clear(&one);
    return code;
}

/* What is wrong with an appointment that the officer signed; NULL: nothing. In arena. */
static const char *objection(const struct vault *vault, const struct appointment *appointment,
                             struct arena *arena)
{
    const struct officer *officer = vault_officer(vault);
    if (strcmp(appointment->site, vault->self->name) != 0)
        return arena_printf(arena, "expected an appointment for %s, found one for %s", vault->self->name,
                            appointment->site);
    if (vault->n_officers == OFFICERS_MAX)
        return arena_printf(arena,
                            "expected at most %d appointments under one key of the directory; have the "
                            "network's authority put the officer's key of today into it",
                            OFFICERS_MAX - 1);
    if (memcmp(appointment->identity, officer->identity, PUBLIC_BYTES) == 0)
        return "expected another person's key, found that of the officer herself";
    return NULL;
}

static enum maille_code keep(struct vault *vault, const struct appointment *appointment,
                             const struct bytes *text, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], from[16];
    struct bytes all = {0};
    number_format_date(from, appointment->from);
    struct audit_entry entry = {
        .direction = AUDIT_NOTE,
        .message = "officer",
        .peer = vault->self->name,
        .bytes = text->length,
        .detail = arena_printf(vault->arena, "%s decides from %s, %s %s", appointment->officer, from,
                               appointment->role == APPOINTMENT_SECOND ? "beside the officer; appointed by"
                                                                       : "as the officer; appointed by",
                               appointment->by),
        .build = vault->build,
        .envelope = {text->data, text->length}};
    hash_bytes(&entry.hash, text->data, text->length);
    MAILLE_TRY(officers_path(path, vault, error));
    if (vault->n_officers > 1) /* what a directory before this one had is over */
        MAILLE_TRY(file_read_regular(&all, path, OFFICERS_MAX * APPOINTMENT_BYTES_MAX, error));
    bytes_put(&all, text->data, text->length);
    MAILLE_TRY(bytes_check(&all, error));
    MAILLE_TRY(vault_log_append(vault, &entry, true, error));
    MAILLE_TRY(file_write_atomic(path, all.data, all.length, 0600, error));
    add(vault, appointment);
    log_line(LOG_LEVEL_INFO, "%s", entry.detail);
out:
    bytes_clear(&all);
    return code;
}

enum maille_code vault_officers_tick(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct bytes text = {0};
    struct appointment appointment;
    struct maille_error why = {0};
    const char *wrong = NULL;
    struct arena *arena = NULL;
    MAILLE_TRY(spool_appointment_path(path, vault->options.folder, error));
    if (!vault->self->has_dpo || !file_exists(path))
        goto out;
    arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an appointment");
    code = file_read_regular(&text, path, APPOINTMENT_BYTES_MAX, &why);
    if (code == MAILLE_OK)
        code = appointment_read(&appointment, arena, path, &text, vault_officer(vault)->identity, &why);
    if (code == MAILLE_OK)
        wrong = objection(vault, &appointment, arena);
    else if (code == MAILLE_SIGNATURE || code == MAILLE_INVALID)
        wrong = why.sentence;
    else {
        *error = why;
        goto out;
    }
    code = MAILLE_OK;
    if (wrong != NULL) {
        log_line(LOG_LEVEL_WARNING, "%s", wrong);
        MAILLE_TRY(
            vault_log_note(vault, "officer", NULL, arena_printf(arena, "not taken: %s", wrong), error));
    } else
        MAILLE_TRY(keep(vault, &appointment, &text, error));
    if (unlink(path) != 0)
        code = maille_fail_errno(error, "cannot remove %s", path);
out:
    bytes_clear(&text);
    arena_free(arena);
    return code;
}
