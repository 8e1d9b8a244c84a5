/* maille network cohort: cohorts that everybody may ask, and that nobody can make unanswerable. */
#include <string.h>

#include "base/file.h"
#include "cli/network.h"
#include "disclosure/published.h"

static enum maille_code read_dictionary(const struct dictionary **dictionary, struct arena *arena,
                                        const char *path, struct maille_error *error)
{
    enum maille_code code;
    struct bytes text = {0};
    MAILLE_TRY(file_read(&text, path, YAML_BYTES_MAX, error));
    code = dictionary_parse(dictionary, arena, path, (const char *)text.data, text.length, error);
out:
    bytes_clear(&text);
    return code;
}

/* Its place in the list, or the list's end. */
static size_t place_of(const struct directory *d, const char *name)
{
    size_t at = 0;
    while (at < d->cohorts.n && strcmp(d->cohorts.list[at].cohort.name, name) != 0)
        at++;
    return at;
}

/* Added at the end, or in the place of the one with its name. */
static enum maille_code publish(const char **what, struct directory *d, struct arena *arena, const char *name,
                                const char *expression, const char *path, struct maille_error *error)
{
    enum maille_code code;
    const struct dictionary *dictionary = NULL;
    const struct published_cohort cohort = {name, expression};
    MAILLE_TRY(read_dictionary(&dictionary, arena, path, error));
    MAILLE_TRY(published_check(dictionary, &cohort, error));
    struct directory_cohort *list = network_list_copy(arena, d->cohorts.list, d->cohorts.n, sizeof *list);
    const size_t at = place_of(d, name);
    list[at] = (struct directory_cohort){
        arena_printf(arena, "%s@%lld", dictionary->name, (long long)dictionary->version), cohort};
    *what = arena_printf(arena, "%s is %s", name, at == d->cohorts.n ? "published" : "replaced");
    d->cohorts = (struct directory_cohorts){d->cohorts.n + (at == d->cohorts.n), list};
out:
    return code;
}

static enum maille_code withdraw(const char **what, struct directory *d, struct arena *arena,
                                 const char *name, struct maille_error *error)
{
    const size_t at = place_of(d, name);
    if (at == d->cohorts.n)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a published cohort, found \"%s\"; see: maille network show", name);
    struct directory_cohort *list = network_list_copy(arena, d->cohorts.list, d->cohorts.n, sizeof *list);
    memmove(&list[at], &list[at + 1], (d->cohorts.n - at - 1) * sizeof *list);
    *what = arena_printf(arena, "%s is published no more", name);
    d->cohorts = (struct directory_cohorts){d->cohorts.n - 1, list};
    return MAILLE_OK;
}

enum maille_code network_run_cohort(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *path = network_default_path, *dictionary = NULL, *withdrawn = NULL, *what = NULL;
    const char *given[2] = {NULL, NULL};
    const struct directory *before;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &dictionary,
         .argument = "FILE",
         .sentence = "the dictionary whose variables the expression reads"},
        {.name = "withdraw",
         .kind = OPTION_STRING,
         .target = &withdrawn,
         .argument = "NAME",
         .sentence = "this cohort is published no more"},
        network_path_row(&path, "the directory to change"),
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network cohort", "[NAME EXPRESSION]",
        "Publishes a cohort, as a study's `cohort` says it. From the epoch's first question on sites refuse\n"
        "what differs from it by a few patients, so that nobody can make it unanswerable; everybody is "
        "always\n"
        "published. Within an epoch the list stays as it is: open the next one with it (maille network "
        "epoch).\n"
        "The version goes up and the signatures are dropped.",
        0, 2};
    MAILLE_TRY(options_parse(&usage, rows, argc, argv, given, &n, &done, error));
    if (done)
        goto out;
    if (withdrawn != NULL ? n != 0 : n != 2 || dictionary == NULL) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected NAME EXPRESSION --dictionary FILE, or --withdraw NAME; see maille network "
                        "cohort --help");
        goto out;
    }
    MAILLE_TRY(network_read(&before, arena, path, error));
    struct directory d = *before;
    MAILLE_TRY(withdrawn != NULL ? withdraw(&what, &d, arena, withdrawn, error)
                                 : publish(&what, &d, arena, given[0], given[1], dictionary, error));
    d.version++;
    code = network_write(arena, path, &d, what, error);
out:
    return code;
}
