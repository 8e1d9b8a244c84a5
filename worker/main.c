#include "base/heap.h"
#include "base/options.h"
#include "worker/commands.h"

int main(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"init", worker_init, "make a site: keys, settings, a strict policy"},
        {"import", worker_import, "a file of patients to the next frozen snapshot"},
        {"check", worker_check, "a file of patients against the dictionary; nothing is written"},
        {"map", worker_map, "a first mapping of an export onto the dictionary, for a person to edit"},
        {"snapshots", worker_snapshots, "what was imported: list, show, roll back, prune"},
        {"objections", worker_objections, "who objects, since when, in which snapshots"},
        {"synth", worker_synth, "a made-up registry with the figures of a published one"},
        {"policy", worker_policy, "check a policy file, or explain in words what it means for a query"},
        {"preview", worker_preview, "exactly what a study would take from this site; nothing is sent"},
        {"pending", worker_pending, "studies that wait for a person"},
        {"approve", worker_approve, "let a waiting study run"},
        {"deny", worker_deny, "refuse a waiting study"},
        {"rekey", worker_rekey, "other keys for the site: new ones, then everything moves to them"},
        {"serve", worker_serve, "answer the network's studies"},
        {NULL, NULL, NULL},
    };
    heap_keep();
    return options_subcommands_run(
        "maille-worker", "The program inside the hospital: it dials out, and only masked sums leave it.",
        table, argc, argv);
}
