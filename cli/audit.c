/* maille audit: what a party's message log says, read offline. */
#include "base/json.h"
#include "base/options.h"
#include "cli/audit_private.h"
#include "cli/commands.h"

void audit_json_text(FILE *out, const char *text)
{
    struct bytes json = {0};
    json_put_text(&(struct json_put){.out = &json}, NULL, text);
    fwrite(json.data, 1, json.length, out);
    bytes_clear(&json);
}

int cli_audit(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"verify", audit_verify_logs,
         "is it whole, and as it was signed? names the first thing that is wrong"},
        {"show", audit_show, "who asked for what, and what left, in words and tables"},
        {"export", audit_export, "register of processing, list of releases, access review: CSV and JSON"},
        {"page", audit_page, "all of it as pages for a browser, with the registers beside it"},
        {"replay", audit_replay_logs, "with the officer's key: are the sealed numbers those that were sent?"},
        {"record", audit_record,
         "entries of the register of processing (GDPR art. 30), a study and hospital each"},
        {"public", audit_public, "the public register: which studies, who, why, how to object"},
        {"breach", audit_breach, "which questions touched a snapshot, and what left (GDPR art. 33)"},
        {"accesses", audit_accesses, "who looked at a site's numbers, or took its log away"},
        {"archive", audit_archive, "logs in one file that verifies alone; and verifies it"},
        {NULL, NULL, NULL}};
    return options_subcommands_run("maille audit", "Reads message logs, offline.", table, argc, argv);
}
