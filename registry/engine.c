#include "registry/engine.h"

#include <string.h>

static const struct engine_driver *const drivers[] = {&engine_postgresql};

const struct engine_driver *engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}
