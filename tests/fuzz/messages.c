/* proto/message.h: envelopes, and the body of every kind. The first byte is the kind whose decoder gets the
 * rest: 0 the envelope, 255 the round header, 254 the accepts of a roster, each behind LE16 of its length.
 * What decodes can be encoded again and decodes to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"
#include "tests/fuzz/fuzz.h"

enum { ENVELOPE = 0, ROUND_HEADER = 255, ACCEPTS = 254 };

/* Decode, encode, decode, encode: the two encodings are one. */
#define AGAIN(X)                                                                                             \
    static void again_##X(const uint8_t *body, size_t length, struct arena *arena)                           \
    {                                                                                                        \
        struct message_##X *message = arena_alloc(arena, sizeof *message);                                   \
        struct message_##X *second = arena_alloc(arena, sizeof *second);                                     \
        struct maille_error error = {0};                                                                     \
        struct bytes one = {0}, two = {0};                                                                   \
        enum maille_code code = message_##X##_decode(message, arena, body, length, &error);                  \
        if (code != MAILLE_OK) {                                                                             \
            if (code != MAILLE_PROTOCOL || error.sentence[0] == '\0')                                        \
                fuzz_fail("MAILLE_PROTOCOL with a sentence");                                                \
            return;                                                                                          \
        }                                                                                                    \
        if (message_##X##_encode(&one, message, NULL) != MAILLE_OK ||                                        \
            message_##X##_decode(second, arena, one.data, one.length, NULL) != MAILLE_OK ||                  \
            message_##X##_encode(&two, second, NULL) != MAILLE_OK)                                           \
            fuzz_fail("what was decoded to be encoded and decoded again (" #X ")");                          \
        if (one.length != two.length || (one.length > 0 && memcmp(one.data, two.data, one.length) != 0))     \
            fuzz_fail("the same bytes again (" #X ")");                                                      \
        bytes_clear(&one);                                                                                   \
        bytes_clear(&two);                                                                                   \
    }
AGAIN(hello)
AGAIN(welcome)
AGAIN(directory)
AGAIN(catalogue)
AGAIN(catalogues)
AGAIN(manifest)
AGAIN(ready)
AGAIN(call)
AGAIN(accept)
AGAIN(roster)
AGAIN(round_header)
AGAIN(start)
AGAIN(refuse)
AGAIN(masked)
AGAIN(pull)
AGAIN(segment)
AGAIN(close)
AGAIN(reveal)
AGAIN(sum)
AGAIN(custody)
AGAIN(taken)
AGAIN(agreed)
AGAIN(result)
AGAIN(end)
AGAIN(cancel)
AGAIN(log_head)
AGAIN(status)
AGAIN(list)
AGAIN(resume)
AGAIN(problem)

static const struct {
    uint32_t kind;
    void (*again)(const uint8_t *body, size_t length, struct arena *arena);
} bodies[] = {
    {MESSAGE_HELLO, again_hello},
    {MESSAGE_WELCOME, again_welcome},
    {MESSAGE_DIRECTORY, again_directory},
    {MESSAGE_CATALOGUE, again_catalogue},
    {MESSAGE_CATALOGUES, again_catalogues},
    {MESSAGE_MANIFEST, again_manifest},
    {MESSAGE_READY, again_ready},
    {MESSAGE_CALL, again_call},
    {MESSAGE_ACCEPT, again_accept},
    {MESSAGE_ROSTER, again_roster},
    {MESSAGE_START, again_start},
    {MESSAGE_REFUSE, again_refuse},
    {MESSAGE_MASKED, again_masked},
    {MESSAGE_PULL, again_pull},
    {MESSAGE_SEGMENT, again_segment},
    {MESSAGE_CLOSE, again_close},
    {MESSAGE_REVEAL, again_reveal},
    {MESSAGE_SUM, again_sum},
    {MESSAGE_CUSTODY, again_custody},
    {MESSAGE_TAKEN, again_taken},
    {MESSAGE_AGREED, again_agreed},
    {MESSAGE_RESULT, again_result},
    {MESSAGE_END, again_end},
    {MESSAGE_CANCEL, again_cancel},
    {MESSAGE_LOG_HEAD, again_log_head},
    {MESSAGE_STATUS, again_status},
    {MESSAGE_LIST, again_list},
    {MESSAGE_RESUME, again_resume},
    {MESSAGE_PROBLEM, again_problem},
    {ROUND_HEADER, again_round_header},
};

static void body_of(uint32_t kind, const uint8_t *body, size_t length, struct arena *arena)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (bodies[i].kind == kind)
            bodies[i].again(body, length, arena);
}

/* What several sites list of earlier questions is put together: each once, in order. */
static void accepts_of(const uint8_t *bytes, size_t length, struct arena *arena)
{
    enum { ACCEPTS_MAX = 8 };
    static const uint32_t members[] = {1, 2, 3, 5};
    const size_t n_members = sizeof members / sizeof *members;
    struct message_accept accepts[ACCEPTS_MAX] = {0};
    struct byte_view views[ACCEPTS_MAX];
    struct message_ledger_entry *entries;
    struct message_ledger_form *forms;
    struct digest rho = {{1}};
    uint8_t name[LEDGER_ID_BYTES];
    size_t n = 0;
    while (length >= 2 && n < ACCEPTS_MAX) {
        const size_t own = (size_t)(bytes[0] | bytes[1] << 8);
        bytes += 2, length -= 2;
        views[n] = (struct byte_view){bytes, own < length ? own : length};
        bytes += views[n].length, length -= views[n].length;
        if (message_accept_decode(&accepts[n], arena, views[n].data, views[n].length, NULL) == MAILLE_OK)
            n++;
    }
    const size_t n_entries = message_ledger_union(&entries, arena, accepts, n);
    for (size_t i = 0; i < n_entries; i++) {
        if (i > 0 && memcmp(entries[i - 1].id, entries[i].id, LEDGER_ID_BYTES) >= 0)
            fuzz_fail("each entry once, in order");
        if (message_ledger_gone(&entries[i], members, n_members) &&
            !message_ledger_other(&entries[i], members, n_members))
            fuzz_fail("other sites where one is gone");
    }
    const size_t n_forms = message_forms_union(&forms, arena, accepts, n);
    for (size_t i = 1; i < n_forms; i++)
        if (memcmp(forms[i - 1].id, forms[i].id, LEDGER_ID_BYTES) > 0)
            fuzz_fail("forms in order");
    if (message_rho(&rho, &rho, views, n, NULL) != MAILLE_OK ||
        message_members(name, members, n_members, NULL) != MAILLE_OK)
        fuzz_fail("names of a roster");
}

/* The same body in an envelope of this process's own. */
static void enveloped(const struct envelope *envelope)
{
    static struct secret_keys *keys;
    struct envelope again;
    struct bytes own = {0}, body = {0};
    struct arena *arena = arena_new();
    if (arena == NULL || crypto_start(NULL) != MAILLE_OK ||
        (keys == NULL && secret_keys_new(&keys, KEY_SITE, "a-site", NULL) != MAILLE_OK))
        fuzz_fail("keys");
    bytes_put(&body, envelope->body, envelope->body_length);
    if (envelope_encode(&own, envelope->kind, keys, "a-site", &body, NULL) != MAILLE_OK ||
        envelope_decode(&again, arena, own.data, own.length, NULL) != MAILLE_OK ||
        again.body_length != envelope->body_length ||
        (again.signature != NULL && !envelope_verified(&again, secret_keys_public(keys)->identity)))
        fuzz_fail("an envelope that can be opened again");
    bytes_clear(&own);
    bytes_clear(&body);
    arena_free(arena);
}

static void envelope_of(const uint8_t *bytes, size_t length, struct arena *arena)
{
    static const uint8_t identity[PUBLIC_BYTES] = {1};
    struct envelope envelope;
    struct digest hash;
    if (envelope_decode(&envelope, arena, bytes, length, NULL) != MAILLE_OK)
        return;
    const struct message_rule *rule = message_rule((uint32_t)envelope.kind);
    if (rule == NULL || envelope.body_length > rule->body_max ||
        (envelope.signature != NULL) != rule->is_signed)
        fuzz_fail("an envelope within the limits of its kind");
    if (!identity_name_valid(envelope.from))
        fuzz_fail("the name of a party");
    if (envelope_verified(&envelope, identity))
        fuzz_fail("no signature of a key that signs nothing");
    envelope_hash(&hash, &envelope);
    enveloped(&envelope);
    body_of((uint32_t)envelope.kind, envelope.body, envelope.body_length, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (size > 0 && data[0] == ENVELOPE)
        envelope_of(data + 1, size - 1, arena);
    else if (size > 0 && data[0] == ACCEPTS)
        accepts_of(data + 1, size - 1, arena);
    else if (size > 0)
        body_of(data[0], data + 1, size - 1, arena);
    arena_free(arena);
    return 0;
}
