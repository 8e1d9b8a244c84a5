#include "vault/source.h"

#include <stdlib.h>

void data_cells_clear(struct data_cells *cells)
{
    for (size_t k = 0; k < cells->n && cells->words != NULL; k++)
        tally_clear(&cells->words[k]);
    free(cells->words);
    free(cells->failures);
    *cells = (struct data_cells){0};
}

void data_round_clear(struct data_round *round)
{
    tally_clear(&round->words);
    free(round->failures);
    free(round->shares);
    *round = (struct data_round){0};
}

void data_members_clear(struct data_members *members)
{
    for (size_t p = 0; p < members->n; p++) {
        bytes_clear(&members->parts[p].rows);
        bytes_clear(&members->parts[p].patients);
    }
    free(members->parts);
    bytes_clear(&members->persons);
    *members = (struct data_members){0};
}
