/* proto/directory.h and proto/card.h: network.yaml as the coordinator hands it round, and a party's card.
 * Nothing that is not signed is ever accepted. Behind a NUL stands the directory that comes after the first:
 * both are signed here, as an authority that was taken over could. */
#include <string.h>

#include "proto/card.h"
#include "proto/directory.h"
#include "tests/fuzz/study.h"

static struct secret_keys *authority;

/* A card is written with a token's mark, and read back. */
static void card_of(const uint8_t *data, size_t size, struct arena *arena)
{
    static char token[CARD_TOKEN_BYTES];
    struct card card, again;
    struct maille_error error = {0};
    struct bytes text = {0};
    if (token[0] == '\0')
        card_token_new(token);
    if (card_parse(&card, arena, "card", (const char *)data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        return;
    }
    if (!identity_name_valid(card.name) || (card.invited && card_invited_by(&card, token)))
        fuzz_fail("the name of a party, and no mark of a token that nobody has");
    if (card_invite(&card, token, &error) != MAILLE_OK || !card_invited_by(&card, token))
        fuzz_fail("a card with its mark");
    card_write(&text, &card);
    if (card_parse(&again, arena, "again", (const char *)text.data, text.length, &error) != MAILLE_OK ||
        again.role != card.role || strcmp(again.name, card.name) != 0 ||
        memcmp(&again.keys, &card.keys, sizeof card.keys) != 0 || !card_invited_by(&again, token))
        fuzz_fail("a card that can be written and read back");
    bytes_clear(&text);
}

/* What a study may not ask by the registrations, one after the other. */
static void registrations_of(const struct directory *directory, struct arena *arena)
{
    const struct study *study = fuzz_study("examples/rotterdam/study.yaml");
    const int64_t day_ms = INT64_C(86400000);
    const char *faults[REGISTRATION_FAULTS_MAX];
    const struct published_cohort *cohorts;
    enum { LOOKED_AT = 8 };
    if (directory_cohorts_of(&cohorts, arena, &directory->cohorts, study->dictionary) > directory->cohorts.n)
        fuzz_fail("cohorts of the directory");
    registration_faults(faults, arena, directory, study, NULL, 0);
    for (size_t i = 0; i < directory->registrations.n && i < LOOKED_AT; i++) {
        const struct registration *one = &directory->registrations.list[i];
        struct study asks = *study;
        const struct variable_cuts *cuts;
        size_t n, linked = 0;
        asks.protocol = one->id;
        asks.purpose = i % 2 == 0 ? one->purposes[0] : study->purpose;
        asks.legal_basis = i % 2 == 0 ? one->legal_basis : study->legal_basis;
        for (int64_t day = -3; day <= 3; day += 3) {
            n = registration_faults(faults, arena, directory, &asks, day < 0 ? "nobody" : one->researchers[0],
                                    registration_end_ms(one) + day * day_ms);
            if (n > REGISTRATION_FAULTS_MAX || (day > 0 && n == 0) || (one->closed && n == 0))
                fuzz_fail("a sentence for each fault");
            for (size_t f = 0; f < n; f++)
                if (faults[f][0] == '\0')
                    fuzz_fail("a sentence for each fault");
        }
        registration_faults(faults, arena, directory, &asks, NULL, (one->begin - 2) * day_ms);
        n = registration_cuts_of(&cuts, arena, one, study->dictionary);
        if (registration_find(directory, one->id) != one || n != one->n_cuts ||
            registration_linked(&linked, arena, directory, one) == NULL || linked == 0)
            fuzz_fail("a registration to be found, with its cuts and links");
    }
}

/* The directory with an authority of this process alone, and signed by it. */
static void signed_of(struct bytes *text, const struct directory *directory)
{
    struct directory own = *directory;
    struct directory_authority alone = {.name = secret_keys_name(authority)};
    memcpy(alone.identity, secret_keys_public(authority)->identity, PUBLIC_BYTES);
    own.authorities = &alone;
    own.n_authorities = 1;
    own.quorum = 1;
    directory_write(text, &own);
    if (directory_sign(text, text->length, authority, NULL) != MAILLE_OK)
        fuzz_fail("a signature");
}

static void followed(const struct directory *first, const struct directory *next, struct arena *arena)
{
    const struct directory *pinned, *accepted;
    struct maille_error error = {0};
    struct bytes before = {0}, after = {0};
    signed_of(&before, first);
    signed_of(&after, next);
    /* A party may have the authority's name: then it is none. */
    if (directory_accept(&pinned, arena, "pinned", (const char *)before.data, before.length, NULL, &error) !=
        MAILLE_OK)
        goto out;
    if (directory_accept(&accepted, arena, "same", (const char *)before.data, before.length, pinned,
                         &error) != MAILLE_OK)
        fuzz_fail("a directory that was accepted to be so again");
    error.sentence[0] = '\0';
    if (directory_accept(&accepted, arena, "next", (const char *)after.data, after.length, pinned, &error) !=
        MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else if (accepted->version < pinned->version || strcmp(accepted->network, pinned->network) != 0 ||
               accepted->epoch.number < pinned->epoch.number) {
        fuzz_fail("a directory that goes on from the one before");
    }
    if (directory_accept(&accepted, arena, "first", (const char *)after.data, after.length, first, &error) ==
        MAILLE_OK)
        fuzz_fail("no directory that those before did not sign");
out:
    bytes_clear(&before);
    bytes_clear(&after);
}

static const struct directory *directory_of(const uint8_t *data, size_t size, struct arena *arena)
{
    const struct directory *directory, *again;
    struct maille_error error = {0};
    struct bytes text = {0}, twice = {0};
    if (directory_parse(&directory, arena, "network.yaml", (const char *)data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        return NULL;
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
    registrations_of(directory, arena);
    bytes_clear(&text);
    bytes_clear(&twice);
    return directory;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    if (arena == NULL || crypto_start(NULL) != MAILLE_OK ||
        (authority == NULL && secret_keys_new(&authority, KEY_AUTHORITY, "the-authority", NULL) != MAILLE_OK))
        fuzz_fail("memory");
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    const size_t length = end != NULL ? (size_t)(end - data) : size;
    if (end == NULL)
        card_of(data, length, arena);
    const struct directory *first = directory_of(data, length, arena);
    const struct directory *next =
        first != NULL && end != NULL ? directory_of(end + 1, size - length - 1, arena) : NULL;
    if (next != NULL)
        followed(first, next, arena);
    arena_free(arena);
    return 0;
}
