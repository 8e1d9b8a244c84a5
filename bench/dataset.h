/* The patients of the speed table: made up, the same for the same number of rows. */
#ifndef BENCH_DATASET_H
#define BENCH_DATASET_H

#include "registry/columns.h"

/* Variables of the snapshot that speed_dataset writes, in the order of its dictionary. */
enum dataset_variable {
    DATASET_CENTRE,    /* 18 levels */
    DATASET_SUBTYPE,   /* 4 levels */
    DATASET_TREATMENT, /* 6 levels */
    DATASET_STAGE,     /* 4 levels, 2 in 100 missing */
    DATASET_AGE,       /* whole years, 20 … 99 */
    DATASET_ECOG,      /* 0 … 4 */
    DATASET_SITES,     /* metastatic sites, 1 … 8 */
    DATASET_DIED,      /* boolean */
    DATASET_MONTHS,    /* real, to 1/32 month, below 300 */
    DATASET_PGR,       /* real, 0 … 6000, to 0.1 */
    DATASET_ER,        /* real, 0 … 6000, whole, 2 in 100 missing */
    DATASET_SIZE,      /* real, 0 … 200, to 0.1 */
    DATASET_VARIABLES
};

/* Copies all of a snapshot into memory. Free with columns_free. */
struct columns *dataset_in_memory(struct columns *snapshot);

#endif
