/* crypto/: everything that is opened with a key: seals, a query's stored secrets, an epoch's key, what
 * members of a circle reveal, base64 of notes. The first byte says which. Bytes that nobody sealed open
 * nothing; what was sealed opens to the same bytes. */
#include <string.h>

#include "crypto/circle.h"
#include "crypto/epoch_key.h"
#include "crypto/mask.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[KEY_BYTES] = {7};

static void opens_nothing(uint8_t which, const uint8_t *data, size_t size)
{
    static const struct digest digest = {{3}};
    static uint8_t box[PUBLIC_BYTES], secret[KEY_BYTES];
    static bool made;
    struct digest self;
    struct query_secrets *secrets = NULL;
    struct epoch_key *epoch = NULL;
    struct bytes out = {0};
    struct maille_error error = {0};
    enum maille_code code = MAILLE_INVALID;
    if (!made)
        seal_box_pair(box, secret);
    made = true;
    switch (which % 6) {
    case 0:
        code = seal_open(&out, box, secret, data, size, &error);
        break;
    case 1:
        code = seal_secretbox_open(&out, key, data, size, &error);
        break;
    case 2:
        code = query_secrets_load(&secrets, key, data, size, &error);
        break;
    case 3:
        code = epoch_key_load(&epoch, key, data, size, &error);
        break;
    case 4:
        code = circle_reveal_open(&self, &digest, &digest, 1, data, size, &error);
        break;
    default:
        error.sentence[0] = 'x';
        break;
    }
    if (code == MAILLE_OK || error.sentence[0] == '\0' || out.length != 0)
        fuzz_fail("bytes that nobody sealed to open nothing, and a sentence");
    bytes_clear(&out);
}

static void opens_itself(const uint8_t *data, size_t size)
{
    uint8_t box[PUBLIC_BYTES], secret[KEY_BYTES];
    struct bytes sealed = {0}, opened = {0};
    seal_box_pair(box, secret);
    if (seal_to(&sealed, box, data, size) != MAILLE_OK ||
        seal_open(&opened, box, secret, sealed.data, sealed.length, NULL) != MAILLE_OK ||
        opened.length != size || (size > 0 && memcmp(opened.data, data, size) != 0))
        fuzz_fail("what was sealed");
    if (size > 0) {
        const size_t at = data[0] % sealed.length;
        opened.length = 0;
        sealed.data[at] ^= 1;
        if (seal_open(&opened, box, secret, sealed.data, sealed.length, NULL) == MAILLE_OK)
            fuzz_fail("a seal that was altered to open nothing");
    }
    bytes_clear(&sealed);
    bytes_clear(&opened);
}

/* What one member of a circle sealed for the others opens for them, in its own round and of its own site. */
static void circle_of(const uint8_t *data, size_t size)
{
    const struct digest selves[2] = {{{1}}, {{2}}}, rho = {{3}};
    struct digest key_of, psi, first, tag, other, self;
    struct bytes sealed = {0};
    circle_psi(&first, NULL, data, size);
    if (circle_key(&key_of, &rho, &first, selves, 2, NULL) != MAILLE_OK)
        fuzz_fail("the key of a circle");
    circle_psi(&psi, &key_of, data, size);
    if (circle_reveal(&sealed, &key_of, &psi, 1, &selves[0], NULL) != MAILLE_OK ||
        sealed.length != CIRCLE_REVEAL_BYTES ||
        circle_reveal_open(&self, &key_of, &psi, 1, sealed.data, sealed.length, NULL) != MAILLE_OK ||
        !digest_equal(&self, &selves[0]))
        fuzz_fail("a mask that was revealed");
    if (circle_reveal_open(&self, &key_of, &psi, 2, sealed.data, sealed.length, NULL) == MAILLE_OK ||
        circle_reveal_open(&self, &key_of, &first, 1, sealed.data, sealed.length, NULL) == MAILLE_OK)
        fuzz_fail("a mask of another site or round to stay closed");
    if (circle_tag(&tag, &key_of, &psi, data, size, NULL) != MAILLE_OK ||
        circle_tag(&other, &key_of, &first, data, size, NULL) != MAILLE_OK || digest_equal(&tag, &other))
        fuzz_fail("one tag a round");
    bytes_clear(&sealed);
    /* As long as it should be, and too short. */
    for (size_t length = HASH_BYTES; length + 1 >= HASH_BYTES; length--) {
        const struct digest box = {{5}};
        sealed.length = 0;
        if (seal_secretbox(&sealed, box.b, psi.b, length) != MAILLE_OK ||
            circle_reveal_open(&self, &key_of, &psi, 1, sealed.data, sealed.length, NULL) == MAILLE_OK)
            fuzz_fail("another key to open nothing");
    }
    bytes_clear(&sealed);
}

/* A key of the log and what it signs; a stored one that is too short. */
static void log_key_of(const uint8_t *data, size_t size)
{
    struct epoch_key *made = NULL, *read = NULL;
    struct bytes stored = {0};
    uint8_t signature[SIGNATURE_BYTES];
    if (epoch_key_new(&made, NULL) != MAILLE_OK || epoch_key_store(&stored, made, key) != MAILLE_OK ||
        epoch_key_load(&read, key, stored.data, stored.length, NULL) != MAILLE_OK ||
        memcmp(epoch_key_public(made), epoch_key_public(read), PUBLIC_BYTES) != 0)
        fuzz_fail("a key that was stored");
    crypto_note_signature_make(signature, read, data, size);
    if (!crypto_note_signature_valid(signature, epoch_key_public(made), data, size))
        fuzz_fail("a signature of its own");
    signature[size % SIGNATURE_BYTES] ^= 1;
    if (crypto_note_signature_valid(signature, epoch_key_public(made), data, size))
        fuzz_fail("no signature that was altered");
    epoch_key_free(made);
    epoch_key_free(read);
    stored.length = 0;
    read = NULL;
    if (seal_secretbox(&stored, key, data, size) != MAILLE_OK ||
        (epoch_key_load(&read, key, stored.data, stored.length, NULL) == MAILLE_OK) != (size == KEY_BYTES))
        fuzz_fail("a key of its length");
    epoch_key_free(read);
    bytes_clear(&stored);
}

static void base64_of(const uint8_t *data, size_t size)
{
    uint8_t plain[256];
    char text[BASE64_BYTES(sizeof plain)];
    const size_t length = size < sizeof plain ? size : sizeof plain;
    crypto_note_base64_encode(text, data, length);
    if (!crypto_note_base64_decode(plain, length, text, strlen(text)) || memcmp(plain, data, length) != 0)
        fuzz_fail("the bytes that were encoded");
    for (size_t n = 0; n < 64; n++)
        if (crypto_note_base64_decode(plain, n, (const char *)data, size)) {
            crypto_note_base64_encode(text, plain, n);
            if (strlen(text) != size || (size > 0 && memcmp(text, data, size) != 0))
                fuzz_fail("one form alone");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (crypto_start(NULL) != MAILLE_OK)
        fuzz_fail("libsodium");
    if (size == 0)
        return 0;
    opens_nothing(data[0], data + 1, size - 1);
    opens_itself(data + 1, size - 1);
    base64_of(data + 1, size - 1);
    circle_of(data + 1, size - 1);
    log_key_of(data + 1, size - 1);
    return 0;
}
