#include "bench/dataset.h"

#include <string.h>

#include "bench/bench.h"

struct columns *dataset_in_memory(struct columns *snapshot)
{
    struct maille_error error = {0};
    struct columns *table = NULL;
    size_t rows = columns_rows(snapshot);
    bool *keep = malloc(rows);
    if (keep == NULL)
        bench_must(maille_fail(&error, MAILLE_MEMORY, "no memory for %zu rows", rows), &error);
    memset(keep, true, rows);
    bench_must(columns_subset(&table, snapshot, keep, &error), &error);
    free(keep);
    return table;
}
