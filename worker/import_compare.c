/* A new export beside the last snapshot: an empty or cut one must not become what studies are answered from.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "registry/summary.h"
#include "worker/import_write.h"
#include "worker/settings.h"

enum maille_code import_compare(bool *beyond, struct columns *table, const struct import_order *order,
                                const char *folder, const struct snapshot_entry *entries, size_t n,
                                struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *last = NULL;
    struct summary now, before;
    struct worker_settings settings;
    const struct summary_change *changes;
    struct maille_error why = {0};
    const bool french = order->language == LANGUAGE_FR;
    size_t n_changes, n_beyond = 0;
    char path[PATH_MAX];
    MAILLE_TRY(worker_settings_read(&settings, arena, order->dir, error));
    const struct summary_limits limits = {.fewer = (double)settings.import_fewer,
                                          .more = (double)settings.import_more,
                                          .share = (double)settings.import_share,
                                          .median = (double)settings.import_median};
    code = import_snapshot_path(path, sizeof path, folder, &entries[n - 1], error);
    if (code == MAILLE_INVALID) {
        printf(french ? "\n! l’instantané %u n’est pas dans %s : rien à quoi comparer\n\n"
                      : "\n! snapshot %u is not in %s: nothing to compare with\n\n",
               entries[n - 1].number, folder);
        *beyond = true;
        code = MAILLE_OK;
        goto out;
    }
    if (code != MAILLE_OK)
        goto out;
    code = engine_columns_path(path) ? engine_columns_open(&last, path, &order->engine->reader, &why)
                                     : columns_open(&last, path, &why);
    if (code != MAILLE_OK &&
        strcmp(why.rule, columns_other_format) == 0) { /* the first import of an upgrade */
        printf(french ? "\n! une autre version de maille a écrit l’instantané %u : rien à quoi comparer\n\n"
                      : "\n! another version of maille wrote snapshot %u: nothing to compare with\n\n",
               entries[n - 1].number);
        *beyond = true;
        code = MAILLE_OK;
        goto out;
    }
    if (code != MAILLE_OK) {
        if (error != NULL)
            *error = why;
        goto out;
    }
    MAILLE_TRY(summary_make(&now, arena, table, error));
    MAILLE_TRY(summary_make(&before, arena, last, error));
    summary_compare(&changes, &n_changes, arena, &now, &before, &limits, order->language);
    printf(french ? "\nà côté de l’instantané %u du %s :\n" : "\nbeside snapshot %u of %s:\n",
           entries[n - 1].number, entries[n - 1].created);
    for (size_t i = 0; i < n_changes; i++) {
        printf("%s %s\n", changes[i].beyond ? "!" : " ", changes[i].sentence);
        n_beyond += changes[i].beyond;
    }
    if (n_beyond > 0)
        printf("! %s worker.yaml (import_fewer, import_more, import_share, import_median)\n",
               french ? "au-delà des limites de" : "past the limits of");
    printf("\n");
    *beyond = n_beyond > 0;
out:
    columns_free(last);
    return code;
}
