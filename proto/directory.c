#include "proto/directory_epoch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* An id fits an int everywhere, and one is always left to be the next. */
#define SITE_ID_MAX INT64_C(2147483646)

enum {
    AUTHORITIES_MAX = 64,
    SIGNATURES_MAX =
        2 * AUTHORITIES_MAX, /* those of the directory and of the one before it; each is verified */
    RESEARCHERS_MAX = 4096,
    PURPOSES_MAX = 256,
    ENDPOINT_BYTES_MAX = 256,
    LEGAL_BYTES_MAX = 256
};

static const char signature_mark[] = "# maille-signature: ";

/* --- signatures --- */

/* One signature line. */
struct signature_line {
    char name[NAME_MAX_BYTES + 1];
    uint8_t signature[SIGNATURE_BYTES];
};

/* Where the first signature line starts, or length. */
static size_t signed_part(const char *text, size_t length)
{
    size_t mark = sizeof signature_mark - 1;
    for (size_t at = 0; at + mark <= length;) {
        if (memcmp(text + at, signature_mark, mark) == 0)
            return at;
        const char *end = memchr(text + at, '\n', length - at);
        if (end == NULL)
            break;
        at = (size_t)(end - text) + 1;
    }
    return length;
}

/* Reads the signature line at *at and moves on; false when something else stands there. */
static bool take_signature(struct signature_line *line, const char *text, size_t length, size_t *at)
{
    char copy[sizeof signature_mark + NAME_MAX_BYTES + 1 + 2 * SIGNATURE_BYTES + 1];
    const char *end = memchr(text + *at, '\n', length - *at);
    size_t size = end == NULL ? length - *at : (size_t)(end - text) - *at;
    size_t mark = sizeof signature_mark - 1;
    if (size >= sizeof copy || size < mark || memcmp(text + *at, signature_mark, mark) != 0 ||
        memchr(text + *at, 0, size) != NULL)
        return false;
    memcpy(copy, text + *at + mark, size - mark);
    copy[size - mark] = '\0';
    char *space = strchr(copy, ' ');
    if (space == NULL)
        return false;
    *space = '\0';
    if (!identity_name_valid(copy) || !bytes_from_hex(line->signature, SIGNATURE_BYTES, space + 1))
        return false;
    snprintf(line->name, sizeof line->name, "%s", copy);
    *at += size + (end != NULL);
    return true;
}

bool directory_signed_by(const struct directory *directory, const char *authority,
                         const uint8_t identity[PUBLIC_BYTES])
{
    struct signature_line line;
    for (size_t at = directory->signed_length; at < directory->text_length;) {
        if (!take_signature(&line, directory->text, directory->text_length, &at))
            return false;
        if (strcmp(line.name, authority) == 0 &&
            identity_verify(line.signature, identity, "directory", directory->text, directory->signed_length))
            return true;
    }
    return false;
}

static size_t count_signed(const struct directory *directory, const struct directory_authority *authorities,
                           size_t n)
{
    size_t valid = 0;
    for (size_t i = 0; i < n; i++)
        valid += directory_signed_by(directory, authorities[i].name, authorities[i].identity);
    return valid;
}

/* --- fields --- */

/* The value under key, which must be there. */
static enum maille_code need(const struct yaml_node **value, const struct yaml_node *map, const char *key,
                             struct maille_error *error)
{
    *value = yaml_get(map, key);
    if (*value == NULL)
        return yaml_fail(error, map, "expected the key \"%s\", found none", key);
    return MAILLE_OK;
}

static enum maille_code read_map(const struct yaml_node *node, const char *const *keys, const char *what,
                                 struct maille_error *error)
{
    if (node->kind != YAML_KIND_MAP)
        return yaml_fail(error, node, "expected %s as { key: value, … }, found something else", what);
    return yaml_only_keys(node, keys, error);
}

static enum maille_code read_list(const struct yaml_node *node, size_t max, const char *what,
                                  struct maille_error *error)
{
    if (node->kind != YAML_KIND_LIST || node->n > max)
        return yaml_fail(error, node, "expected a list of at most %zu %s, found %s", max, what,
                         node->kind == YAML_KIND_LIST ? "more" : "something else");
    return MAILLE_OK;
}

static enum maille_code read_name(const char **name, const struct yaml_node *map, const char *key,
                                  struct maille_error *error)
{
    const struct yaml_node *node;
    const char *text;
    enum maille_code code;
    MAILLE_TRY(need(&node, map, key, error));
    MAILLE_TRY(yaml_string(&text, node, error));
    if (!identity_name_valid(text)) {
        code = yaml_fail(error, node, "expected a name of 1 to %d of a-z, 0-9 and -, found \"%.80s\"",
                         NAME_MAX_BYTES, text);
        goto out;
    }
    *name = text;
out:
    return code;
}

static enum maille_code read_text(const char **out, const struct yaml_node *map, const char *key, size_t max,
                                  struct maille_error *error)
{
    const struct yaml_node *node;
    const char *text;
    enum maille_code code;
    MAILLE_TRY(need(&node, map, key, error));
    MAILLE_TRY(yaml_string(&text, node, error));
    size_t length = strlen(text);
    bool control = false;
    for (size_t i = 0; i < length; i++)
        control = control || (uint8_t)text[i] < 0x20 || text[i] == 0x7f;
    if (length == 0 || length > max || control) {
        code = yaml_fail(error, node, "expected one line of 1 to %zu bytes for \"%s\", found %s", max, key,
                         length == 0 ? "nothing"
                         : control   ? "control characters"
                                     : "more");
        goto out;
    }
    *out = text;
out:
    return code;
}

static enum maille_code read_key(uint8_t out[PUBLIC_BYTES], const struct yaml_node *map, const char *key,
                                 struct maille_error *error)
{
    static const uint8_t zero[PUBLIC_BYTES];
    const struct yaml_node *node;
    const char *text;
    uint8_t bytes[PUBLIC_BYTES];
    enum maille_code code;
    MAILLE_TRY(need(&node, map, key, error));
    MAILLE_TRY(yaml_string(&text, node, error));
    if (!bytes_from_hex(bytes, PUBLIC_BYTES, text) || memcmp(bytes, zero, PUBLIC_BYTES) == 0) {
        code = yaml_fail(error, node,
                         "expected a public key of %d hexadecimal digits for \"%s\", found \"%.80s\"",
                         2 * PUBLIC_BYTES, key, text);
        goto out;
    }
    memcpy(out, bytes, PUBLIC_BYTES);
out:
    return code;
}

static enum maille_code read_integer(int64_t *value, const struct yaml_node *map, const char *key,
                                     int64_t min, int64_t max, struct maille_error *error)
{
    const struct yaml_node *node;
    enum maille_code code;
    MAILLE_TRY(need(&node, map, key, error));
    code = yaml_integer(value, node, min, max, error);
out:
    return code;
}

/* --- parts --- */

static enum maille_code read_authorities(struct directory *d, struct arena *arena,
                                         const struct yaml_node *root, struct maille_error *error)
{
    static const char *const keys[] = {"name", "identity", NULL};
    const struct yaml_node *list;
    int64_t quorum;
    enum maille_code code;
    MAILLE_TRY(need(&list, root, "authorities", error));
    MAILLE_TRY(read_list(list, AUTHORITIES_MAX, "authorities", error));
    struct directory_authority *authorities = arena_array(arena, list->n + 1, sizeof *authorities);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(read_map(list->values[i], keys, "an authority", error));
        MAILLE_TRY(read_name(&authorities[i].name, list->values[i], "name", error));
        MAILLE_TRY(read_key(authorities[i].identity, list->values[i], "identity", error));
    }
    if (list->n == 0) {
        code = yaml_fail(error, list, "expected at least one authority, found none");
        goto out;
    }
    MAILLE_TRY(read_integer(&quorum, root, "quorum", 1, (int64_t)list->n, error));
    d->quorum = (uint32_t)quorum;
    d->n_authorities = list->n;
    d->authorities = authorities;
out:
    return code;
}

enum { LOST_MAX = 1000000 };

static enum maille_code read_lost(uint32_t *lost, const struct yaml_node *map, struct maille_error *error)
{
    int64_t value = 0;
    if (yaml_get(map, "lost") != NULL) {
        const enum maille_code code = read_integer(&value, map, "lost", 0, LOST_MAX, error);
        if (code != MAILLE_OK)
            return code;
    }
    *lost = (uint32_t)value;
    return MAILLE_OK;
}

static enum maille_code read_coordinator(struct directory *d, const struct yaml_node *root,
                                         struct maille_error *error)
{
    static const char *const keys[] = {"name", "endpoint", "identity", "transport", "lost", NULL};
    const struct yaml_node *map;
    enum maille_code code;
    MAILLE_TRY(need(&map, root, "coordinator", error));
    MAILLE_TRY(read_map(map, keys, "the coordinator", error));
    MAILLE_TRY(read_name(&d->coordinator.name, map, "name", error));
    MAILLE_TRY(read_text(&d->coordinator.endpoint, map, "endpoint", ENDPOINT_BYTES_MAX, error));
    const char *endpoint = d->coordinator.endpoint;
    const char *port = strrchr(endpoint, ':');
    uint64_t number;
    if (strncmp(endpoint, "tcp://", 6) != 0 || port < endpoint + 7 ||
        !number_parse_u64(port + 1, strlen(port + 1), &number) || number < 1 || number > 65535 ||
        strpbrk(endpoint, " \"'*;") != NULL) {
        code = yaml_fail(error, yaml_get(map, "endpoint"),
                         "expected an endpoint such as tcp://host.example:9700, found \"%s\"", endpoint);
        goto out;
    }
    MAILLE_TRY(read_key(d->coordinator.keys.identity, map, "identity", error));
    MAILLE_TRY(read_key(d->coordinator.keys.transport, map, "transport", error));
    MAILLE_TRY(read_lost(&d->coordinator.lost, map, error));
out:
    return code;
}

static int site_order(const void *a, const void *b)
{
    const struct directory_site *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static enum maille_code read_sites(struct directory *d, struct arena *arena, const struct yaml_node *root,
                                   struct maille_error *error)
{
    static const char *const keys[] = {"id",           "name",    "legal_entity",    "identity", "transport",
                                       "dpo_identity", "dpo_box", "may_be_inferred", "lost",     NULL};
    const struct yaml_node *list = yaml_get(root, "sites");
    const size_t n = list == NULL ? 0 : list->n;
    struct directory_site *sites = NULL;
    int64_t next;
    enum maille_code code = MAILLE_OK;
    if (list != NULL)
        MAILLE_TRY(read_list(list, MESSAGE_SITES_MAX, "sites", error));
    sites = arena_array(arena, n + 1, sizeof *sites);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *map = list->values[i];
        struct directory_site *site = &sites[i];
        int64_t id;
        MAILLE_TRY(read_map(map, keys, "a site", error));
        MAILLE_TRY(read_integer(&id, map, "id", 1, SITE_ID_MAX, error));
        site->id = (uint32_t)id;
        MAILLE_TRY(read_name(&site->name, map, "name", error));
        MAILLE_TRY(read_text(&site->legal_entity, map, "legal_entity", LEGAL_BYTES_MAX, error));
        MAILLE_TRY(read_key(site->keys.identity, map, "identity", error));
        MAILLE_TRY(read_key(site->keys.transport, map, "transport", error));
        site->has_dpo = yaml_get(map, "dpo_identity") != NULL || yaml_get(map, "dpo_box") != NULL;
        if (site->has_dpo) {
            MAILLE_TRY(read_key(site->dpo_identity, map, "dpo_identity", error));
            MAILLE_TRY(read_key(site->dpo_box, map, "dpo_box", error));
        }
        if (yaml_get(map, "may_be_inferred") != NULL)
            MAILLE_TRY(yaml_boolean(&site->may_be_inferred, yaml_get(map, "may_be_inferred"), error));
        MAILLE_TRY(read_lost(&site->lost, map, error));
        for (size_t j = 0; j < i; j++)
            if (sites[j].id == site->id) {
                code = yaml_fail(error, yaml_get(map, "id"),
                                 "expected every site to have its own id, found %" PRIu32 " again", site->id);
                goto out;
            }
    }
    qsort(sites, n, sizeof *sites, site_order);
    next = n == 0 ? 1 : (int64_t)sites[n - 1].id + 1;
    if (yaml_get(root, "next_site") != NULL)
        MAILLE_TRY(read_integer(&next, root, "next_site", next, SITE_ID_MAX + 1, error));
    d->n_sites = n;
    d->sites = sites;
    d->next_site = (uint32_t)next;
out:
    return code;
}

static enum maille_code read_researchers(struct directory *d, struct arena *arena,
                                         const struct yaml_node *root, struct maille_error *error)
{
    static const char *const keys[] = {"name", "identity", "transport", NULL};
    const struct yaml_node *list = yaml_get(root, "researchers");
    enum maille_code code = MAILLE_OK;
    if (list == NULL)
        goto out;
    MAILLE_TRY(read_list(list, RESEARCHERS_MAX, "researchers", error));
    struct directory_researcher *researchers = arena_array(arena, list->n + 1, sizeof *researchers);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(read_map(list->values[i], keys, "a researcher", error));
        MAILLE_TRY(read_name(&researchers[i].name, list->values[i], "name", error));
        MAILLE_TRY(read_key(researchers[i].keys.identity, list->values[i], "identity", error));
        MAILLE_TRY(read_key(researchers[i].keys.transport, list->values[i], "transport", error));
    }
    d->n_researchers = list->n;
    d->researchers = researchers;
out:
    return code;
}

static enum maille_code read_purposes(struct directory *d, struct arena *arena, const struct yaml_node *root,
                                      struct maille_error *error)
{
    const struct yaml_node *list = yaml_get(root, "purposes");
    enum maille_code code = MAILLE_OK;
    if (list == NULL)
        goto out;
    MAILLE_TRY(read_list(list, PURPOSES_MAX, "purposes", error));
    const char **purposes = arena_array(arena, list->n + 1, sizeof *purposes);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(yaml_string(&purposes[i], list->values[i], error));
        if (!identity_name_valid(purposes[i])) {
            code = yaml_fail(error, list->values[i],
                             "expected a purpose of 1 to %d of a-z, 0-9 and -, found \"%.80s\"",
                             NAME_MAX_BYTES, purposes[i]);
            goto out;
        }
    }
    d->n_purposes = list->n;
    d->purposes = purposes;
out:
    return code;
}

static enum maille_code read_timeouts(struct directory *d, const struct yaml_node *root,
                                      struct maille_error *error)
{
    static const char *const keys[] = {"ready", "accept", "masked", "reveal", "lifetime", "round_idle", NULL};
    struct directory_timeouts *t = &d->timeouts;
    int64_t *const targets[] = {&t->ready_ms,  &t->accept_ms,   &t->masked_ms,
                                &t->reveal_ms, &t->lifetime_ms, &t->round_idle_ms};
    const int64_t second = 1000, hour = 3600 * second, year = 366 * 24 * hour;
    const struct yaml_node *map = yaml_get(root, "timeouts");
    enum maille_code code = MAILLE_OK;
    *t = (struct directory_timeouts){60 * second,  60 * second,   120 * second,
                                     120 * second, 7 * 24 * hour, hour};
    if (map == NULL)
        goto out;
    MAILLE_TRY(read_map(map, keys, "timeouts", error));
    for (size_t i = 0; keys[i] != NULL; i++) {
        const struct yaml_node *node = yaml_get(map, keys[i]);
        const char *text;
        int64_t value;
        if (node == NULL)
            continue;
        MAILLE_TRY(yaml_string(&text, node, error));
        if (!number_parse_duration_ms(text, &value) || value < 1 || value > year) {
            code = yaml_fail(
                error, node,
                "expected a time such as 500ms, 60s, 10m, 2h or 7d, at most 366d, found \"%.40s\"", text);
            goto out;
        }
        *targets[i] = value;
    }
out:
    return code;
}

/* --- no name and no key twice --- */

struct holder {
    const char *name;
    const uint8_t *key; /* NULL for a name alone */
};

static int holder_by_name(const void *a, const void *b)
{
    return strcmp(((const struct holder *)a)->name, ((const struct holder *)b)->name);
}

static int holder_by_key(const void *a, const void *b)
{
    return memcmp(((const struct holder *)a)->key, ((const struct holder *)b)->key, PUBLIC_BYTES);
}

static void holder_add(struct holder *list, size_t *n, const char *name, const uint8_t *key)
{
    list[(*n)++] = (struct holder){name, key};
}

static enum maille_code check_distinct(const struct directory *d, struct arena *arena,
                                       const struct yaml_node *root, struct maille_error *error)
{
    size_t n_names = 0, n_keys = 0;
    size_t parties = 1 + d->n_authorities + d->n_sites + d->n_researchers;
    struct holder *names = arena_array(arena, parties, sizeof *names);
    struct holder *keys = arena_array(arena, 4 * parties, sizeof *keys);
    for (size_t i = 0; i < d->n_authorities; i++) {
        holder_add(names, &n_names, d->authorities[i].name, NULL);
        holder_add(keys, &n_keys, d->authorities[i].name, d->authorities[i].identity);
    }
    holder_add(names, &n_names, d->coordinator.name, NULL);
    holder_add(keys, &n_keys, d->coordinator.name, d->coordinator.keys.identity);
    holder_add(keys, &n_keys, d->coordinator.name, d->coordinator.keys.transport);
    for (size_t i = 0; i < d->n_researchers; i++) {
        holder_add(names, &n_names, d->researchers[i].name, NULL);
        holder_add(keys, &n_keys, d->researchers[i].name, d->researchers[i].keys.identity);
        holder_add(keys, &n_keys, d->researchers[i].name, d->researchers[i].keys.transport);
    }
    for (size_t i = 0; i < d->n_sites; i++) {
        const struct directory_site *site = &d->sites[i];
        bool shared = false; /* the officer of an earlier site */
        for (size_t j = 0; j < i && site->has_dpo; j++)
            shared = shared || (d->sites[j].has_dpo &&
                                memcmp(d->sites[j].dpo_identity, site->dpo_identity, PUBLIC_BYTES) == 0 &&
                                memcmp(d->sites[j].dpo_box, site->dpo_box, PUBLIC_BYTES) == 0);
        holder_add(names, &n_names, site->name, NULL);
        holder_add(keys, &n_keys, site->name, site->keys.identity);
        holder_add(keys, &n_keys, site->name, site->keys.transport);
        if (site->has_dpo && !shared) {
            holder_add(keys, &n_keys, site->name, site->dpo_identity);
            holder_add(keys, &n_keys, site->name, site->dpo_box);
        }
    }
    qsort(names, n_names, sizeof *names, holder_by_name);
    for (size_t i = 1; i < n_names; i++)
        if (strcmp(names[i].name, names[i - 1].name) == 0)
            return yaml_fail(error, root, "expected every party to have its own name, found \"%s\" twice",
                             names[i].name);
    qsort(keys, n_keys, sizeof *keys, holder_by_key);
    for (size_t i = 1; i < n_keys; i++)
        if (memcmp(keys[i].key, keys[i - 1].key, PUBLIC_BYTES) == 0)
            return yaml_fail(error, root, "expected every key once, found one of %s again%s%s", keys[i].name,
                             strcmp(keys[i].name, keys[i - 1].name) == 0 ? "" : " with ",
                             strcmp(keys[i].name, keys[i - 1].name) == 0 ? "" : keys[i - 1].name);
    return MAILLE_OK;
}

/* --- the whole --- */

/* Where the signatures begin, with nothing but at most SIGNATURES_MAX of them behind it. */
static enum maille_code split_signatures(size_t *signed_length, const char *name, const char *text,
                                         size_t length, struct maille_error *error)
{
    struct signature_line line;
    size_t n_lines = 0;
    if (length > DIRECTORY_BYTES_MAX)
        return maille_fail(error, MAILLE_INVALID, "%s: expected a directory of at most %d bytes, found %zu",
                           name, DIRECTORY_BYTES_MAX, length);
    const size_t begin = signed_part(text, length);
    for (size_t at = begin; at < length; n_lines++)
        if (n_lines == SIGNATURES_MAX || !take_signature(&line, text, length, &at)) {
            size_t number = 1;
            for (size_t i = 0; i < at; i++)
                number += text[i] == '\n';
            return maille_fail(error, MAILLE_INVALID,
                               "%s:%zu:1: expected only lines \"%sNAME %d-DIGITS\" to the end, found another",
                               name, number, signature_mark, 2 * SIGNATURE_BYTES);
        }
    *signed_length = begin;
    return MAILLE_OK;
}

enum maille_code directory_parse(const struct directory **directory, struct arena *arena, const char *name,
                                 const char *text, size_t length, struct maille_error *error)
{
    static const char *const keys[] = {"network",  "version",   "quorum",        "authorities", "coordinator",
                                       "sites",    "next_site", "researchers",   "purposes",    "floor",
                                       "timeouts", "epoch",     "registrations", "cohorts",     NULL};
    enum maille_code code = MAILLE_OK;
    struct directory *d = arena_alloc(arena, sizeof *d);
    const struct yaml_node *root;
    int64_t version;
    d->text = arena_strndup(arena, text, length);
    d->text_length = length;
    MAILLE_TRY(split_signatures(&d->signed_length, name, text, length, error));
    MAILLE_TRY(yaml_parse(&root, arena, name, text, d->signed_length, error));
    MAILLE_TRY(read_map(root, keys, "a directory", error));
    MAILLE_TRY(read_name(&d->network, root, "network", error));
    MAILLE_TRY(read_integer(&version, root, "version", 1, INT64_MAX / 2, error));
    d->version = (uint64_t)version;
    MAILLE_TRY(read_authorities(d, arena, root, error));
    MAILLE_TRY(read_coordinator(d, root, error));
    MAILLE_TRY(read_sites(d, arena, root, error));
    MAILLE_TRY(directory_epoch_read(&d->epoch, d, arena, root, error));
    MAILLE_TRY(read_researchers(d, arena, root, error));
    MAILLE_TRY(read_purposes(d, arena, root, error));
    MAILLE_TRY(read_timeouts(d, root, error));
    const struct yaml_node *floor = yaml_get(root, "floor");
    if (floor != NULL) {
        if (floor->kind != YAML_KIND_MAP) {
            code =
                yaml_fail(error, floor, "expected a policy such as { policy: strict }, found something else");
            goto out;
        }
        d->floor = directory_floor_text(arena, floor);
    }
    MAILLE_TRY(directory_cohorts_read(&d->cohorts, arena, root, error));
    MAILLE_TRY(registrations_read(&d->registrations, arena, root, d, error));
    MAILLE_TRY(check_distinct(d, arena, root, error));
    hash_bytes(&d->hash, d->text, d->signed_length);
    d->n_valid = count_signed(d, d->authorities, d->n_authorities);
    *directory = d;
out:
    return code;
}

/* A loss that was accepted is never taken back: heads of a log that began again would be held against the one
 * before.
 */
static enum maille_code check_lost(const char *name, const char *party, uint32_t before, uint32_t now,
                                   struct maille_error *error)
{
    if (now >= before)
        return MAILLE_OK;
    return maille_fail(error, MAILLE_SIGNATURE,
                       "%s: expected %s to have lost its log %" PRIu32
                       " times at least, as was accepted before, found %" PRIu32
                       "; ask the network's authority",
                       name, party, before, now);
}

/* What a directory that was accepted before demands of a new one. */
static enum maille_code check_pinned(const struct directory *d, const char *name,
                                     const struct directory *pinned, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (strcmp(d->network, pinned->network) != 0)
        return maille_fail(error, MAILLE_SIGNATURE, "%s: expected the network %s, found %s", name,
                           pinned->network, d->network);
    if (d->version < pinned->version)
        return maille_fail(error, MAILLE_SIGNATURE,
                           "%s: expected version %" PRIu64 " or later, found %" PRIu64
                           "; ask the network's authority for the newest",
                           name, pinned->version, d->version);
    if (d->version == pinned->version && !digest_equal(&d->hash, &pinned->hash))
        return maille_fail(error, MAILLE_SIGNATURE,
                           "%s: expected the text of version %" PRIu64
                           " that was accepted before, found another under the same version; "
                           "ask the network's authority",
                           name, d->version);
    for (size_t i = 0; i < d->n_sites; i++) {
        const struct directory_site *before = directory_site(pinned, d->sites[i].id);
        bool reused =
            before != NULL ? strcmp(before->name, d->sites[i].name) != 0 : d->sites[i].id < pinned->next_site;
        if (reused)
            return maille_fail(error, MAILLE_SIGNATURE,
                               "%s: expected %s to have an id that no other site ever had, found %" PRIu32
                               "; ask the network's authority",
                               name, d->sites[i].name, d->sites[i].id);
        if (before != NULL)
            MAILLE_TRY(check_lost(name, before->name, before->lost, d->sites[i].lost, error));
    }
    if (strcmp(d->coordinator.name, pinned->coordinator.name) == 0)
        MAILLE_TRY(
            check_lost(name, d->coordinator.name, pinned->coordinator.lost, d->coordinator.lost, error));
    code = directory_epoch_follows(d, pinned, name, error);
out:
    return code;
}

/* Whether the authorities of the directory before it signed these bytes. It is asked before they are parsed.
 */
static enum maille_code check_successor(const char *name, const char *text, size_t length,
                                        const struct directory *pinned, struct maille_error *error)
{
    struct directory bytes = {.text = text, .text_length = length};
    enum maille_code code = split_signatures(&bytes.signed_length, name, text, length, error);
    if (code != MAILLE_OK)
        return code;
    const size_t valid = count_signed(&bytes, pinned->authorities, pinned->n_authorities);
    if (valid < pinned->quorum)
        return maille_fail(error, MAILLE_SIGNATURE,
                           "%s: expected the signatures of %" PRIu32
                           " authorities of the directory before it, found %zu",
                           name, pinned->quorum, valid);
    return MAILLE_OK;
}

enum maille_code directory_accept(const struct directory **directory, struct arena *arena, const char *name,
                                  const char *text, size_t length, const struct directory *pinned,
                                  struct maille_error *error)
{
    enum maille_code code;
    const struct directory *parsed;
    if (pinned != NULL)
        MAILLE_TRY(check_successor(name, text, length, pinned, error));
    MAILLE_TRY(directory_parse(&parsed, arena, name, text, length, error));
    if (parsed->n_valid < parsed->quorum) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "%s: expected valid signatures of %" PRIu32
                           " of its %zu authorities, found %zu; run: maille network sign",
                           name, parsed->quorum, parsed->n_authorities, parsed->n_valid);
        goto out;
    }
    if (pinned != NULL)
        MAILLE_TRY(check_pinned(parsed, name, pinned, error));
    *directory = parsed;
out:
    return code;
}
