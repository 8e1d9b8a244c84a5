#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/options.h"
#include "crypto/hash.h"
#include "worker/commands.h"

/* maille-worker --version --hash: the hash that the log names beside every judgement. */
static int print_hash(void)
{
    struct maille_error error = {0};
    struct digest program;
    char hex[2 * HASH_BYTES + 1];
    if (hash_file(&program, "/proc/self/exe", &error) != MAILLE_OK)
        return options_program_fail("maille-worker", &error);
    bytes_to_hex(hex, program.b, HASH_BYTES);
    return printf("maille-worker %s %s\n", MAILLE_VERSION, hex) > 0 && fflush(stdout) == 0 ? 0 : 2;
}

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
        {"stop", worker_stop, "end a study here now, whatever was decided before"},
        {"decide", worker_decide, "bring a decision that was signed on another machine"},
        {"notify", worker_notify, "tell somebody, by a program or by mail, that a study waits"},
        {"rekey", worker_rekey, "other keys for the site: new ones, then everything moves to them"},
        {"serve", worker_serve, "answer the network's studies"},
        {"status", worker_status, "whether the running worker is well, and what it has counted"},
        {"studies", worker_studies, "the last studies: asked, refused, answered, over"},
        {"web", worker_web, "a page for your browser, on this machine alone"},
        {NULL, NULL, NULL},
    };
    heap_keep();
    if (argc == 3 && strcmp(argv[1], "--version") == 0 && strcmp(argv[2], "--hash") == 0)
        return print_hash();
    return options_subcommands_run(
        "maille-worker", "The program inside the hospital: it dials out, and only masked sums leave it.",
        table, argc, argv);
}
