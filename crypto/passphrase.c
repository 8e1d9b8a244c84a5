#include "crypto/passphrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

enum maille_code passphrase_ask(char **passphrase, const char *prompt, struct maille_error *error)
{
    struct termios shown, hidden;
    char *line = NULL;
    size_t length;
    FILE *terminal = fopen("/dev/tty", "r+");
    enum maille_code code = MAILLE_OK;
    if (terminal == NULL || tcgetattr(fileno(terminal), &shown) != 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a terminal to ask for the passphrase, found none; use --credential FILE "
                           "or MAILLE_PASSPHRASE");
        goto out;
    }
    line = calloc(1, PASSPHRASE_MAX);
    if (line == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a passphrase, found none");
        goto out;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(terminal, "%s: ", prompt);
    fflush(terminal);
    tcsetattr(fileno(terminal), TCSAFLUSH, &hidden);
    char *got = fgets(line, PASSPHRASE_MAX, terminal);
    tcsetattr(fileno(terminal), TCSAFLUSH, &shown);
    fputs("\n", terminal);
    length = got == NULL ? 0 : strcspn(line, "\n");
    line[length] = '\0';
    if (length == 0) {
        code = maille_fail(error, MAILLE_INVALID, "expected a passphrase, found nothing");
        goto out;
    }
    *passphrase = line;
    line = NULL;
out:
    if (terminal != NULL)
        fclose(terminal);
    free(line);
    return code;
}

enum maille_code passphrase_unlock(struct key_unlock *unlock, const char *credential,
                                   struct maille_error *error)
{
    *unlock = keyfile_unlock(credential);
    if (unlock->credential_path != NULL || unlock->passphrase != NULL)
        return MAILLE_OK;
    /* Asked once; it is used again by whatever else this command opens. */
    static char *asked;
    enum maille_code code =
        asked != NULL ? MAILLE_OK : passphrase_ask(&asked, "passphrase of the key", error);
    unlock->passphrase = asked;
    return code;
}

enum maille_code passphrase_unlock_new(struct key_unlock *unlock, const char *credential,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char *again = NULL;
    const bool asks =
        keyfile_unlock(credential).credential_path == NULL && keyfile_unlock(credential).passphrase == NULL;
    MAILLE_TRY(passphrase_unlock(unlock, credential, error));
    if (!asks)
        goto out;
    MAILLE_TRY(passphrase_ask(&again, "the same again", error));
    if (strcmp(again, unlock->passphrase) != 0)
        code = maille_fail(error, MAILLE_INVALID, "expected the same passphrase twice, found two");
out:
    if (again != NULL)
        crypto_wipe(again, PASSPHRASE_MAX);
    free(again);
    return code;
}
