/* The ledger of a site after a long past, for tests/load/past.py.
 *
 *   load_past FILE SITES */
#include "tests/protocol/long_past.h"

int main(int argc, char **argv)
{
    const size_t n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (n == 0 || n > MEMBERS_MAX) {
        fprintf(stderr, "usage: load_past FILE SITES (at most %d)\n", MEMBERS_MAX);
        return 2;
    }
    put_past(argv[1], n, QUERIES, false);
    return 0;
}
