#include "coordinator/network.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

struct network {
    char *path;
    struct arena *arena; /* of the directory */
    const struct directory *directory;
    struct timespec modified; /* of the file when it was last read */
    pthread_mutex_t lock;     /* over `directory`, for the ZAP thread */
};

static bool is_ours(const struct directory *directory, const struct secret_keys *keys)
{
    const struct directory_coordinator *coordinator = &directory->coordinator;
    const struct public_keys *own = secret_keys_public(keys);
    return strcmp(coordinator->name, secret_keys_name(keys)) == 0 &&
           memcmp(coordinator->keys.identity, own->identity, PUBLIC_BYTES) == 0 &&
           memcmp(coordinator->keys.transport, own->transport, PUBLIC_BYTES) == 0;
}

/* Parses and accepts a directory into an arena of its own. */
static enum maille_code accept(const struct directory **directory, struct arena **arena, const char *name,
                               const char *text, size_t length, const struct directory *pinned,
                               const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *found;
    struct arena *made = arena_new();
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a directory, found none");
    MAILLE_TRY(directory_accept(&found, made, name, text, length, pinned, error));
    if (!is_ours(found, keys)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the coordinator %s with our keys in %s, found %s with others",
                           secret_keys_name(keys), name, found->coordinator.name);
        goto out;
    }
    *directory = found;
    *arena = made;
    made = NULL;
out:
    arena_free(made);
    return code;
}

/* Puts a directory in force and in the store. */
static enum maille_code take(struct network *network, struct store *store, const struct directory *directory,
                             struct arena *arena, struct maille_error *error)
{
    enum maille_code code = store_put_directory(store, directory->version, &directory->hash, directory->text,
                                                directory->text_length, error);
    if (code == MAILLE_OK)
        code = store_commit(store, error);
    if (code != MAILLE_OK) {
        arena_free(arena);
        return code;
    }
    pthread_mutex_lock(&network->lock);
    struct arena *old = network->arena;
    network->directory = directory;
    network->arena = arena;
    pthread_mutex_unlock(&network->lock);
    arena_free(old);
    return MAILLE_OK;
}

static enum maille_code read_file(struct network *network, struct bytes *text, struct maille_error *error)
{
    struct stat status;
    if (stat(network->path, &status) == 0)
        network->modified = status.st_mtim;
    return file_read(text, network->path, DIRECTORY_BYTES_MAX, error);
}

enum maille_code network_open(struct network **network, const char *path, struct store *store,
                              const struct secret_keys *keys, char note[MAILLE_SENTENCE_MAX],
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes kept = {0}, text = {0};
    struct maille_error refused = {0};
    const struct directory *found;
    struct arena *arena = NULL;
    struct network *made = calloc(1, sizeof *made);
    note[0] = '\0';
    if (made == NULL || (made->path = strdup(path)) == NULL || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a directory, found none");
    }
    MAILLE_TRY(store_get_directory(store, &kept, error));
    if (kept.length > 0)
        MAILLE_TRY(accept(&made->directory, &made->arena, "the directory that was pinned",
                          (const char *)kept.data, kept.length, NULL, keys, error));
    code = read_file(made, &text, &refused);
    if (code == MAILLE_OK)
        code = accept(&found, &arena, path, (const char *)text.data, text.length, made->directory, keys,
                      &refused);
    if (code == MAILLE_OK && made->directory != NULL && found->version == made->directory->version) {
        if (!digest_equal(&found->hash, &made->directory->hash))
            code = maille_fail(&refused, MAILLE_SIGNATURE,
                               "expected version %llu of %s as it was pinned, found another text",
                               (unsigned long long)found->version, path);
        arena_free(arena);
    } else if (code == MAILLE_OK) {
        MAILLE_TRY(take(made, store, found, arena, error));
    }
    if (code != MAILLE_OK && made->directory == NULL) {
        if (error != NULL)
            *error = refused;
        goto out;
    }
    if (code != MAILLE_OK)
        memcpy(note, refused.sentence, sizeof refused.sentence);
    code = MAILLE_OK;
    *network = made;
    made = NULL;
out:
    network_free(made);
    bytes_clear(&kept);
    bytes_clear(&text);
    return code;
}

void network_free(struct network *network)
{
    if (network == NULL)
        return;
    pthread_mutex_destroy(&network->lock);
    arena_free(network->arena);
    free(network->path);
    free(network);
}

const struct directory *network_directory(const struct network *network)
{
    return network->directory;
}

/* Is there a transport key in the old directory that the new one does not give to the same name? */
static bool keys_lost(const struct directory *old, const struct directory *new)
{
    for (size_t i = 0; i < old->n_sites; i++) {
        const struct directory_site *site = directory_site_named(new, old->sites[i].name);
        if (site == NULL || memcmp(site->keys.transport, old->sites[i].keys.transport, PUBLIC_BYTES) != 0)
            return true;
    }
    for (size_t i = 0; i < old->n_researchers; i++) {
        const struct directory_researcher *researcher = directory_researcher(new, old->researchers[i].name);
        if (researcher == NULL ||
            memcmp(researcher->keys.transport, old->researchers[i].keys.transport, PUBLIC_BYTES) != 0)
            return true;
    }
    return false;
}

enum maille_code network_reload(struct network *network, struct store *store, const struct secret_keys *keys,
                                bool always, bool *changed, bool *rekeyed, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct stat status;
    struct bytes text = {0};
    struct arena *arena = NULL;
    const struct directory *found;
    *changed = *rekeyed = false;
    const bool is_new =
        stat(network->path, &status) == 0 && (status.st_mtim.tv_sec != network->modified.tv_sec ||
                                              status.st_mtim.tv_nsec != network->modified.tv_nsec);
    if (!is_new && !always)
        return MAILLE_OK;
    MAILLE_TRY(read_file(network, &text, error));
    MAILLE_TRY(accept(&found, &arena, network->path, (const char *)text.data, text.length, network->directory,
                      keys, error));
    if (found->version == network->directory->version) {
        if (!digest_equal(&found->hash, &network->directory->hash))
            code = maille_fail(error, MAILLE_SIGNATURE,
                               "expected a new version number in %s, found another text of version %llu",
                               network->path, (unsigned long long)found->version);
        arena_free(arena);
        goto out;
    }
    *rekeyed = keys_lost(network->directory, found);
    MAILLE_TRY(take(network, store, found, arena, error));
    *changed = true;
out:
    bytes_clear(&text);
    return code;
}

bool network_admit(void *context, const uint8_t transport[PUBLIC_BYTES], char *name, enum key_role *role)
{
    struct network *network = context;
    enum key_role found;
    pthread_mutex_lock(&network->lock);
    const char *known = directory_by_transport(network->directory, transport, &found);
    const bool admitted = known != NULL && (found == KEY_SITE || found == KEY_RESEARCHER);
    if (admitted) {
        snprintf(name, NAME_MAX_BYTES + 1, "%s", known);
        *role = found;
    }
    pthread_mutex_unlock(&network->lock);
    return admitted;
}
