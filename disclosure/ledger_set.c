#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

static uint64_t word_at(const uint8_t *bytes, size_t word)
{
    uint64_t value;
    memcpy(&value, bytes + 8 * word, sizeof value);
    return value;
}

/* --- plain sets --- */

/* FNV-1a over words of 8 bytes (draft-eastlake-fnv, section 2, with a wider step): finds a set that may be
 * the same; whether it is, is looked at. */
static uint64_t set_hash(const struct bytes *bits)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t w = 0; w < bits->length / 8; w++) {
        hash = (hash ^ word_at(bits->data, w)) * 0x100000001b3U;
        hash ^= hash >> 29;
    }
    return hash;
}

enum maille_code plain_set_fill(struct plain_set *set, const struct ledger_set *from, bool single,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct plain_set made = {.single = single};
    size_t bytes = from->bytes;
    while (bytes > 0 && from->bits[bytes - 1] == 0)
        bytes--;
    size_t pieces = (bytes + LEDGER_PIECE_BYTES - 1) / LEDGER_PIECE_BYTES;
    if (pieces > LEDGER_PIECES_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected numbers of rows below %d, found more",
                           LEDGER_NUMBERS_MAX);
        goto out;
    }
    if (pieces > 0) {
        uint8_t *bits = bytes_reserve(&made.bits, pieces * LEDGER_PIECE_BYTES);
        MAILLE_TRY(bytes_check(&made.bits, error));
        memcpy(bits, from->bits, bytes);
    }
    for (size_t at = 0; at < made.bits.length; at += LEDGER_TILE_BYTES) {
        int count = 0;
        for (size_t w = 0; w < LEDGER_TILE_BYTES / 8; w++)
            count += __builtin_popcountll(word_at(made.bits.data + at, w));
        bytes_put_u8(&made.tiles, (uint8_t)count);
        bytes_put_u8(&made.tiles, (uint8_t)(count >> 8));
        made.n += count;
    }
    MAILLE_TRY(bytes_check(&made.tiles, error));
    made.hash = set_hash(&made.bits);
    *set = made;
    made = (struct plain_set){0};
out:
    plain_set_clear(&made);
    return code;
}

void plain_set_clear(struct plain_set *set)
{
    bytes_clear(&set->bits);
    bytes_clear(&set->tiles);
    *set = (struct plain_set){0};
}

size_t plain_set_pieces(const struct plain_set *set)
{
    return set->bits.length / LEDGER_PIECE_BYTES;
}

const uint8_t *plain_set_piece(const struct plain_set *set, size_t number)
{
    static const uint8_t nothing[LEDGER_PIECE_BYTES];
    return number < plain_set_pieces(set) ? set->bits.data + number * LEDGER_PIECE_BYTES : nothing;
}

/* --- pieces at rest --- */

size_t ledger_piece_pack(uint8_t out[LEDGER_PIECE_BYTES], const uint8_t piece[LEDGER_PIECE_BYTES])
{
    uint64_t any = 0;
    for (size_t w = 0; w < LEDGER_PIECE_BYTES / 8; w++)
        any |= word_at(piece, w);
    if (any == 0)
        return 0;
    int packed =
        LZ4_compress_default((const char *)piece, (char *)out, LEDGER_PIECE_BYTES, LEDGER_PIECE_BYTES - 1);
    if (packed > 0)
        return (size_t)packed;
    memcpy(out, piece, LEDGER_PIECE_BYTES);
    return LEDGER_PIECE_BYTES;
}

const uint8_t *ledger_piece_unpack(uint8_t room[LEDGER_PIECE_BYTES], const uint8_t *packed, size_t length)
{
    if (length == LEDGER_PIECE_BYTES)
        return packed;
    if (length == 0 || length > LEDGER_PIECE_BYTES ||
        LZ4_decompress_safe((const char *)packed, (char *)room, (int)length, LEDGER_PIECE_BYTES) !=
            LEDGER_PIECE_BYTES)
        return NULL;
    return room;
}

/* --- differences --- */

void person_map_clear(struct person_map *map)
{
    free(map->of);
    for (size_t way = 0; way < 2; way++) {
        free(map->seen[way]);
        bytes_clear(&map->touched[way]);
    }
    *map = (struct person_map){0};
}

/* Counts a number's patient unless he was counted before in this direction. */
static void count_person(int64_t *count, struct person_map *map, int way, uint32_t number)
{
    uint32_t person = number < map->n && map->of[number] != 0 ? map->of[number] : number;
    if (person >= map->n) { /* of no snapshot whose patients have several rows */
        (*count)++;
        return;
    }
    uint64_t bit = (uint64_t)1 << person % 64;
    if (map->seen[way][person / 64] & bit)
        return;
    map->seen[way][person / 64] |= bit;
    bytes_put_u32(&map->touched[way], person);
    (*count)++;
}

static void count_word(int64_t *count, struct difference *difference, int way, bool single, uint64_t word,
                       size_t first)
{
    if (single) {
        *count += __builtin_popcountll(word);
        return;
    }
    for (; word != 0; word &= word - 1)
        count_person(count, difference->map, way, (uint32_t)(first + (size_t)__builtin_ctzll(word)));
}

enum { LINE_WORDS = 8 };

void difference_add(struct difference *difference, const uint8_t *now, const uint8_t *then, size_t piece)
{
    for (size_t line = 0; line < LEDGER_PIECE_BYTES / 8; line += LINE_WORDS) {
        uint64_t only_now = 0, only_then = 0;
        for (size_t w = line; w < line + LINE_WORDS; w++) {
            only_now |= word_at(now, w) & ~word_at(then, w);
            only_then |= word_at(then, w) & ~word_at(now, w);
        }
        bool count_now = only_now != 0 && difference->only_now < difference->limit,
             count_then = only_then != 0 && difference->only_then < difference->limit;
        if (!count_now && !count_then)
            continue;
        for (size_t w = line; w < line + LINE_WORDS; w++) {
            size_t first = piece * LEDGER_PIECE_NUMBERS + 64 * w;
            uint64_t a = word_at(now, w), b = word_at(then, w);
            if (count_now)
                count_word(&difference->only_now, difference, 0, difference->now_single, a & ~b, first);
            if (count_then)
                count_word(&difference->only_then, difference, 1, difference->then_single, b & ~a, first);
        }
        if (difference_settled(difference))
            return;
    }
}

bool difference_settled(const struct difference *difference)
{
    return difference->only_now >= difference->limit || difference->only_then >= difference->limit;
}

void difference_done(struct difference *difference)
{
    struct person_map *map = difference->map;
    for (size_t way = 0; map != NULL && way < 2; way++) {
        for (size_t at = 0; at + 4 <= map->touched[way].length; at += 4) {
            uint32_t person;
            memcpy(&person, map->touched[way].data + at, sizeof person);
            map->seen[way][person / 64] = 0;
        }
        map->touched[way].length = 0;
    }
}

static int64_t tile_count(const uint8_t *tiles, size_t bytes, size_t tile)
{
    return 2 * tile + 1 < bytes ? tiles[2 * tile] | tiles[2 * tile + 1] << 8 : 0;
}

bool difference_by_tiles(struct difference *difference, const struct bytes *now, const uint8_t *then,
                         size_t then_bytes)
{
    int64_t only_now = 0, only_then = 0;
    bool exact = true;
    size_t tiles = (now->length > then_bytes ? now->length : then_bytes) / 2;
    for (size_t tile = 0; tile < tiles; tile++) {
        int64_t a = tile_count(now->data, now->length, tile), b = tile_count(then, then_bytes, tile);
        bool known = a == 0 || b == 0 || a == LEDGER_TILE_NUMBERS || b == LEDGER_TILE_NUMBERS;
        exact = exact && known;
        only_now += a > b ? a - b : 0;
        only_then += b > a ? b - a : 0;
    }
    if (!exact && only_now < difference->limit && only_then < difference->limit)
        return false;
    difference->only_now = only_now;
    difference->only_then = only_then;
    return true;
}
