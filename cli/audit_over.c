#include "cli/audit_over.h"

#include <stdlib.h>
#include <string.h>

#include "audit/access.h"
#include "base/file.h"
#include "cli/audit_private.h"

enum maille_code audit_over_read(struct book *book, struct audit_over *over, const char *log,
                                 struct maille_error *error)
{
    struct audit_worth worth = {0};
    enum maille_code code = audit_trust_log(&worth, &over->trust, over->arena, log, error);
    if (worth.party != NULL)
        audit_trust_say(&worth, over->language);
    MAILLE_TRY(code);
    code = book_read(book, over->arena, log, NULL, NULL, error);
    if (code == MAILLE_CORRUPT && !worth.sound) /* --anyway: as far as it can be read */
        code = MAILLE_OK;
out:
    return code;
}

enum maille_code audit_over_leave(const struct book *book, const char *what, struct maille_error *error)
{
    return audit_access_leave_log(book->folder, what, error);
}

static enum maille_code run(struct audit_over *over, const struct audit_over_what *what, const char *lang,
                            struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(language_choose(&over->language, lang, error));
    MAILLE_TRY(audit_trust_read(&over->trust, over->arena, error));
    if (what->needs_network && over->trust.directory == NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected --network FILE, which has what this writes, found none");
        goto out;
    }
    MAILLE_TRY(file_folder_make(over->folder, 0700, error));
    code = what->run(over, error);
out:
    return code;
}

int audit_over_logs(int argc, char **argv, const struct audit_over_what *what)
{
    struct maille_error error = {0};
    struct audit_over over = {
        .logs = calloc(AUDIT_LOGS_MAX, sizeof *over.logs), .arena = arena_new(), .context = what->context};
    const char *lang = NULL;
    bool done = false;
    struct option_row rows[AUDIT_TRUST_ROWS + 2 + AUDIT_OVER_ROWS_MAX + 1] = {
        [AUDIT_TRUST_ROWS] = {.name = "out",
                              .kind = OPTION_STRING,
                              .target = &over.folder,
                              .argument = "DIR",
                              .sentence = "the folder to write into",
                              .required = true},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language of what is written (default: that of LANG)"},
    };
    audit_trust_rows(rows, &over.trust);
    if (what->n_rows > 0)
        memcpy(rows + AUDIT_TRUST_ROWS + 2, what->rows, what->n_rows * sizeof *rows);
    enum maille_code code =
        over.logs == NULL || over.arena == NULL
            ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
            : options_parse(&what->usage, rows, argc, argv, over.logs, &over.n_logs, &done, &error);
    if (code == MAILLE_OK && !done)
        code = run(&over, what, lang, &error);
    arena_free(over.arena);
    free(over.logs);
    return code == MAILLE_OK ? 0 : options_program_fail(what->usage.program, &error);
}
