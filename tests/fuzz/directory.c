/* proto/directory.h and proto/card.h: network.yaml as the coordinator hands it round, and a party's card.
 * Nothing that is not signed is ever accepted. */
#include <string.h>

#include "proto/card.h"
#include "proto/directory.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct directory *directory, *again;
    struct maille_error error = {0};
    struct bytes text = {0}, twice = {0};
    struct card card;
    struct arena *arena = arena_new();
    if (arena == NULL || crypto_start(NULL) != MAILLE_OK)
        fuzz_fail("memory");
    if (card_parse(&card, arena, "card", (const char *)data, size, &error) == MAILLE_OK &&
        !identity_name_valid(card.name))
        fuzz_fail("the name of a party");
    if (directory_parse(&directory, arena, "network.yaml", (const char *)data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        goto out;
    }
    directory_write(&text, directory);
    if (directory_parse(&again, arena, "again", (const char *)text.data, text.length, &error) != MAILLE_OK ||
        again->n_sites != directory->n_sites || again->version != directory->version)
        fuzz_fail("a directory that can be written and read back");
    directory_write(&twice, again);
    if (twice.length != text.length || memcmp(twice.data, text.data, text.length) != 0)
        fuzz_fail("a directory that is the same once it was written");
    if (directory_accept(&again, arena, "again", (const char *)text.data, text.length, NULL, &error) ==
        MAILLE_OK)
        fuzz_fail("no directory without signatures");
out:
    bytes_clear(&text);
    bytes_clear(&twice);
    arena_free(arena);
    return 0;
}
