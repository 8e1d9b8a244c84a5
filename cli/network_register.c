/* maille network register: what may be asked, for whom and for what. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/network.h"

static enum maille_code read_file(struct registration *registration, struct arena *arena, const char *path,
                                  const struct directory *directory, struct maille_error *error)
{
    enum maille_code code;
    struct bytes text = {0};
    const struct yaml_node *root;
    MAILLE_TRY(file_read(&text, path, YAML_BYTES_MAX, error));
    MAILLE_TRY(
        yaml_parse(&root, arena, path, text.length == 0 ? "" : (const char *)text.data, text.length, error));
    code = registration_read(registration, arena, root, directory, error);
out:
    bytes_clear(&text);
    return code;
}

/* The registrations as a list that may be changed, with room for one more. */
static struct registration *list_of(struct directory *d, struct arena *arena)
{
    struct registration *list =
        network_list_copy(arena, d->registrations.list, d->registrations.n, sizeof *list);
    d->registrations.rule = REGISTRATION_LISTED;
    d->registrations.list = list;
    return list;
}

/* Added, or in the place of the one with its id, which stays closed where it was. What is said of it. */
static const char *put(struct directory *d, struct arena *arena, const struct registration *made)
{
    const bool first = d->registrations.rule != REGISTRATION_LISTED;
    const struct registration *before = registration_find(d, made->id);
    const size_t at = before == NULL ? d->registrations.n : (size_t)(before - d->registrations.list);
    const bool closed = made->closed || (before != NULL && before->closed);
    struct registration *list = list_of(d, arena);
    list[at] = *made;
    list[at].closed = closed;
    if (before != NULL) /* what sites have counted stays as it is */
        list[at].openings = before->openings;
    d->registrations.n += before == NULL;
    return arena_printf(arena, "%s is %s%s%s", made->id, before == NULL ? "registered" : "replaced",
                        closed ? " and closed" : "",
                        first ? "; from now on sites refuse whatever is not registered" : "");
}

static enum maille_code set_closed(const char **what, struct directory *d, struct arena *arena,
                                   const char *id, bool closed, struct maille_error *error)
{
    const struct registration *found = registration_find(d, id);
    if (found == NULL) {
        const char **ids = arena_array(arena, d->registrations.n + 1, sizeof *ids);
        for (size_t i = 0; i < d->registrations.n; i++)
            ids[i] = d->registrations.list[i].id;
        const char *nearest = dictionary_nearest_name(id, ids, d->registrations.n);
        return maille_fail(error, MAILLE_INVALID,
                           "expected a registration of the network, found \"%s\"%s%s%s", id,
                           nearest != NULL ? "; did you mean \"" : "; see: maille network show",
                           nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    const size_t at = (size_t)(found - d->registrations.list);
    struct registration *changed = &list_of(d, arena)[at];
    changed->closed = closed;
    if (!closed && changed->openings >= REGISTRATION_OPENINGS_MAX)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a registration that was opened again less than %d times, found %s: what "
                           "sites have counted would go on counting; register it anew under another id",
                           REGISTRATION_OPENINGS_MAX, id);
    if (!closed)
        changed->openings++;
    *what = arena_printf(arena, "%s is %s", id, closed ? "closed: what is open on it ends" : "open again");
    return MAILLE_OK;
}

size_t network_registrations_leave(struct directory *d, struct arena *arena, const char *researcher)
{
    size_t n_left = 0;
    if (d->registrations.n == 0)
        return 0;
    struct registration *list = list_of(d, arena);
    for (size_t i = 0; i < d->registrations.n; i++) {
        const char **names =
            network_list_copy(arena, list[i].researchers, list[i].n_researchers, sizeof *names);
        size_t n = 0;
        for (size_t k = 0; k < list[i].n_researchers; k++)
            if (strcmp(names[k], researcher) != 0)
                names[n++] = names[k];
        n_left += n < list[i].n_researchers;
        list[i].researchers = names;
        list[i].n_researchers = n;
    }
    return n_left;
}

enum maille_code network_run_register(int argc, char **argv, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *path = network_default_path, *file = NULL, *close = NULL, *reopen = NULL, *what = NULL;
    const struct directory *before;
    struct registration made;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "close",
         .kind = OPTION_STRING,
         .target = &close,
         .argument = "ID",
         .sentence = "nothing more may be asked of this registration"},
        {.name = "reopen",
         .kind = OPTION_STRING,
         .target = &reopen,
         .argument = "ID",
         .sentence = "what the authority or the sites have closed may be asked again; what counted against "
                     "it counts no more"},
        network_path_row(&path, "the directory to change"),
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network register", "[FILE.yaml]",
        "Registers what may be asked, for whom and for what: a study names it under `protocol`. A file whose "
        "id\n"
        "is registered already takes its place. As soon as one is registered, every site refuses a study "
        "that\n"
        "is not within one. The version goes up and the signatures are dropped.",
        0, 1};
    MAILLE_TRY(options_parse(&usage, rows, argc, argv, &file, &n, &done, error));
    if (done)
        goto out;
    if ((n == 1) + (close != NULL) + (reopen != NULL) != 1) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected one of FILE.yaml, --close ID and --reopen ID; see maille network register "
                        "--help");
        goto out;
    }
    MAILLE_TRY(network_read(&before, arena, path, error));
    struct directory d = *before;
    if (n == 1) {
        MAILLE_TRY(read_file(&made, arena, file, &d, error));
        what = put(&d, arena, &made);
    } else
        MAILLE_TRY(set_closed(&what, &d, arena, close != NULL ? close : reopen, close != NULL, error));
    d.version++;
    code = network_write(arena, path, &d, what, error);
out:
    return code;
}
