/* maille audit: what a party's message log says, read offline. */
#include "base/options.h"
#include "cli/audit_private.h"
#include "cli/commands.h"

void audit_json_text(FILE *out, const char *text)
{
    putc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*c);
        else
            putc(*c, out);
    }
    putc('"', out);
}

int cli_audit(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"verify", audit_verify_logs,
         "is it whole, and as it was signed? names the first thing that is wrong"},
        {"show", audit_show, "who asked for what, and what left, in words and tables"},
        {"export", audit_export, "register of processing, list of releases, access review: CSV and JSON"},
        {"replay", audit_replay_logs, "with the officer's key: are the sealed numbers those that were sent?"},
        {NULL, NULL, NULL}};
    return options_subcommands_run("maille audit", "Reads message logs, offline.", table, argc, argv);
}
