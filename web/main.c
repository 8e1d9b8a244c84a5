/* maille-web: what browsers speak to. Started by `maille web` and `maille-worker web` with two sockets and
 * nothing else; it knows no key, opens no file and starts no program (base/wall.h, WALL_PAGE). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/wall.h"
#include "web/keeper.h"
#include "web/serve.h"

static bool is_given(int argc, char **argv, struct gate *gate)
{
    char *end = NULL;
    if (argc != 3)
        return false;
    const unsigned long port = strtoul(argv[1], &end, 10);
    if (*end != '\0' || port > 65535 || strlen(argv[2]) >= sizeof gate->host)
        return false;
    gate->port = (unsigned)port;
    snprintf(gate->host, sizeof gate->host, "%s", argv[2]);
    return true;
}

int main(int argc, char **argv)
{
    struct maille_error error = {0};
    struct gate gate = {0};
    struct peer_tables peers = {{-1, -1}};
    enum maille_code code = MAILLE_OK;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* it ends with whoever started it */
    if (!is_given(argc, argv, &gate))
        MAILLE_TRY(
            maille_fail(&error, MAILLE_INVALID,
                        "expected to be started by maille web or maille-worker web, found another caller"));
    const struct wall_kernel kernel = wall_kernel();
    const struct wall wall = {.profile = WALL_PAGE, .without_landlock = kernel.landlock == 0};
    MAILLE_TRY(gate_start(&gate, &error));
    MAILLE_TRY(peer_open(&peers, &error));
    MAILLE_TRY(wall_raise(&wall, &error));
    MAILLE_TRY(serve_run(&gate, &peers, KEEPER_EAR, KEEPER_CONTROL, &error));
out:
    return options_program_fail("maille-web", &error);
}
