#include "registry/keymap.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Open addressing with linear probing. A slot holds number + 1 in its lower half and the upper half of the
 * hash in its upper half, so that a stranger is passed by without a look at his text; 0 is free. At most half
 * of the slots are taken. */
struct keymap {
    uint64_t *slots;
    size_t n_slots; /* a power of two */
    struct bytes texts;
    struct key *keys;
    size_t n_keys, capacity;
};

struct key {
    uint64_t hash;
    size_t offset, length; /* in texts */
};

struct keymap *keymap_new(void)
{
    struct keymap *keymap = calloc(1, sizeof *keymap);
    if (keymap == NULL)
        return NULL;
    keymap->n_slots = 1024;
    keymap->slots = calloc(keymap->n_slots, sizeof *keymap->slots);
    if (keymap->slots == NULL) {
        free(keymap);
        return NULL;
    }
    return keymap;
}

void keymap_free(struct keymap *keymap)
{
    if (keymap == NULL)
        return;
    bytes_wipe(&keymap->texts);
    free(keymap->slots);
    free(keymap->keys);
    free(keymap);
}

size_t keymap_count(const struct keymap *keymap)
{
    return keymap->n_keys;
}

const char *keymap_text(const struct keymap *keymap, int32_t number)
{
    return (const char *)keymap->texts.data + keymap->keys[number].offset;
}

/* FNV-1a, 64 bits (draft-eastlake-fnv, section 2), and the finaliser of MurmurHash3: pseudonyms are often
 * consecutive numbers, and linear probing wants their low bits apart. */
static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdU;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53U;
    return hash ^ hash >> 33;
}

static uint64_t slot_of(uint64_t hash, size_t number)
{
    return (hash & 0xffffffff00000000U) | (number + 1);
}

static size_t number_in(uint64_t slot)
{
    return (slot & 0xffffffffU) - 1;
}

static enum maille_code double_slots(struct keymap *keymap, struct maille_error *error)
{
    size_t n_slots = 2 * keymap->n_slots;
    uint64_t *slots = calloc(n_slots, sizeof *slots);
    if (slots == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the keys of %zu patients, found none",
                           keymap->n_keys);
    for (size_t k = 0; k < keymap->n_keys; k++) {
        size_t slot = keymap->keys[k].hash & (n_slots - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = slot_of(keymap->keys[k].hash, k);
    }
    free(keymap->slots);
    keymap->slots = slots;
    keymap->n_slots = n_slots;
    return MAILLE_OK;
}

static enum maille_code add_key(struct keymap *keymap, uint64_t hash, const char *text, size_t length,
                                struct maille_error *error)
{
    if (keymap->n_keys == INT32_MAX)
        return maille_fail(error, MAILLE_INVALID, "expected at most 2147483647 patients, found more");
    if (keymap->n_keys == keymap->capacity) {
        size_t capacity = keymap->capacity == 0 ? 1024 : 2 * keymap->capacity;
        struct key *keys = realloc(keymap->keys, capacity * sizeof *keys);
        if (keys == NULL)
            return maille_fail(error, MAILLE_MEMORY,
                               "expected memory for the keys of %zu patients, found none", capacity);
        keymap->keys = keys;
        keymap->capacity = capacity;
    }
    size_t offset = keymap->texts.length;
    bytes_put(&keymap->texts, text, length);
    bytes_put_u8(&keymap->texts, 0);
    enum maille_code code = bytes_check(&keymap->texts, error);
    if (code == MAILLE_OK)
        keymap->keys[keymap->n_keys++] = (struct key){.hash = hash, .offset = offset, .length = length};
    return code;
}

/* The slot that holds this text, or the free one where it would go. */
static size_t find_slot(const struct keymap *keymap, uint64_t hash, const char *text, size_t length)
{
    size_t slot = hash & (keymap->n_slots - 1);
    for (; keymap->slots[slot] != 0; slot = (slot + 1) & (keymap->n_slots - 1)) {
        if ((keymap->slots[slot] ^ hash) >> 32 != 0)
            continue;
        const struct key *key = &keymap->keys[number_in(keymap->slots[slot])];
        if (key->length == length && memcmp(keymap->texts.data + key->offset, text, length) == 0)
            break;
    }
    return slot;
}

int32_t keymap_find(const struct keymap *keymap, const char *text, size_t length)
{
    uint64_t slot = keymap->slots[find_slot(keymap, hash_text(text, length), text, length)];
    return slot == 0 ? -1 : (int32_t)number_in(slot);
}

enum maille_code keymap_number(struct keymap *keymap, int32_t *number, const char *text, size_t length,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint64_t hash = hash_text(text, length);
    if (2 * keymap->n_keys >= keymap->n_slots)
        MAILLE_TRY(double_slots(keymap, error));
    size_t slot = find_slot(keymap, hash, text, length);
    if (keymap->slots[slot] == 0) {
        MAILLE_TRY(add_key(keymap, hash, text, length, error));
        keymap->slots[slot] = slot_of(hash, keymap->n_keys - 1);
    }
    *number = (int32_t)number_in(keymap->slots[slot]);
out:
    return code;
}
