#include "base/heap.h"
#include "base/options.h"
#include "worker/commands.h"

int main(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"init", worker_init, "make a site: keys, settings, a strict policy"},
        {"import", worker_import, "a file of patients to the next frozen snapshot"},
        {"check", worker_check, "a file of patients against the dictionary; nothing is written"},
        {"serve", worker_serve, "answer the network's studies"},
        {NULL, NULL, NULL},
    };
    heap_keep();
    return subcommands_run("maille-worker",
                           "The program inside the hospital: it dials out, and only masked sums leave it.",
                           table, argc, argv);
}
