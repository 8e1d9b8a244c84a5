#include "base/heap.h"
#include "base/options.h"
#include "coordinator/commands.h"

static const struct subcommand table[] = {
    {"init", coordinator_init, "make keys and settings in a folder"},
    {"serve", coordinator_serve, "run the coordinator"},
    {"status", coordinator_status, "open queries, and when each party was last seen"},
    {0},
};

int main(int argc, char **argv)
{
    heap_keep();
    return options_subcommands_run(
        "maille-coordinator",
        "The relay of a network: it passes on, adds what it cannot read, and forgets nothing.", table, argc,
        argv);
}
