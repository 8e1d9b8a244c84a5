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
