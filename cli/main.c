/* maille: what a researcher, a network's authority and a data protection officer type. */
#include <stdio.h>

#include "base/heap.h"
#include "base/options.h"
#include "cli/commands.h"
#include "crypto/harden.h"
#include "crypto/hash.h"

int main(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"check", cli_check, "parse and type a study, show what it asks every site to add up"},
        {"schema", cli_schema, "the languages and the methods as JSON Schema"},
        {"run", cli_run, "ask a study and write its results"},
        {"resume", cli_resume, "go on with a query"},
        {"list", cli_list, "your queries"},
        {"status", cli_status, "where a query stands"},
        {"cancel", cli_cancel, "end a query"},
        {"catalogue", cli_catalogue, "what the sites publish"},
        {"report", cli_report, "a result file as a page"},
        {"bundle", cli_bundle, "a study as evidence: one signed archive, and its verification"},
        {"web", cli_web, "a page for your browser, on this machine alone"},
        {"audit", cli_audit, "read message logs, offline"},
        {"officer", cli_officer, "read what a site asks, and sign what you decide, on your own machine"},
        {"network", cli_network, "the signed directory of a network"},
        {"keygen", cli_keygen, "make keys for any role"},
        {"sandbox", cli_sandbox, "a whole network on this machine"},
        {NULL, NULL, NULL}};
    struct maille_error error = {0};
    heap_keep();
    if (crypto_start(&error) != MAILLE_OK)
        return options_program_fail("maille", &error);
    return options_subcommands_run(
        "maille", "Cancer centres answer a question together, and no patient moves.", table, argc, argv);
}
