/* A log that was begun without keys, by an earlier version of this program or by hand: nobody can say whose
 * it is, and its epoch's key lies on disk in clear. It is kept as it is, beside the new one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/log_private.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/file.h"

enum maille_code audit_aside_name(char out[], const char *folder, const char *why, struct maille_error *error)
{
    char when[32], digits[16] = "", path[PATH_MAX];
    size_t n = strlen(folder), used = 0;
    while (n > 1 && folder[n - 1] == '/')
        n--;
    clock_format(when, clock_utc_ms()); /* 2026-11-23T18:15:00.123Z */
    for (const char *c = when; *c != '\0' && *c != '.' && used < sizeof digits - 1; c++)
        if (*c == 'T')
            digits[used++] = '-';
        else if (*c >= '0' && *c <= '9')
            digits[used++] = *c;
    for (int i = 1; i < 100; i++) {
        int length = i == 1 ? snprintf(path, sizeof path, "%.*s-%s-%s", (int)n, folder, why, digits)
                            : snprintf(path, sizeof path, "%.*s-%s-%s-%d", (int)n, folder, why, digits, i);
        if (length < 0 || (size_t)length >= sizeof path)
            break;
        if (!file_exists(path)) {
            memcpy(out, path, (size_t)length + 1);
            return MAILLE_OK;
        }
    }
    return maille_fail(error, MAILLE_INVALID, "expected a free name beside %s for the log before, found none",
                       folder);
}

/* Does a folder hold a log of this party whose first key nobody signed? */
static bool is_unsigned(const char *folder, const char *party)
{
    struct audit_report report;
    struct maille_error ignored;
    const struct audit_check check = {.taken_ms = 1};
    return audit_verify(&report, NULL, folder, &check, &ignored) == MAILLE_OK && !report.certified &&
           strcmp(report.party, party) == 0;
}

enum maille_code audit_open_signed(struct audit_log **log, const struct audit_options *options,
                                   struct audit_opened *opened, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_opened made = {0};
    struct audit_entry note = {.direction = AUDIT_NOTE, .message = "aside", .peer = options->party};
    char detail[AUDIT_DETAIL_MAX];
    struct audit_log *open = NULL;
    code = audit_open_with(&open, options, &made.repaired, error);
    if (code == MAILLE_SIGNATURE && is_unsigned(options->folder, options->party)) {
        MAILLE_TRY(audit_aside_name(made.aside, options->folder, "unsigned", error));
        if (rename(options->folder, made.aside) != 0) {
            code = maille_fail_errno(error, "cannot move the log that nobody signed to %s", made.aside);
            goto out;
        }
        code = audit_open_with(&open, options, &made.repaired, error);
        snprintf(detail, sizeof detail,
                 "a log that was begun without keys is kept in %s; this one begins anew", made.aside);
        note.detail = detail;
        if (code == MAILLE_OK)
            code = audit_append(open, &note, error);
        if (code == MAILLE_OK)
            code = audit_sync(open, error);
    }
    MAILLE_TRY(code);
    if (opened != NULL)
        *opened = made;
    *log = open;
    open = NULL;
out:
    audit_close(open);
    return code;
}
