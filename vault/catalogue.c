#include <string.h>

#include "base/log.h"
#include "vault/private.h"

/* The lower end of each band and its words: sizes are published, exact counts are not. */
static const struct {
    uint64_t from;
    const char *words;
} bands[] = {
    {1000000, "1,000,000 or more"},
    {500000, "500,000–999,999"},
    {100000, "100,000–499,999"},
    {50000, "50,000–99,999"},
    {10000, "10,000–49,999"},
    {5000, "5,000–9,999"},
    {1000, "1,000–4,999"},
    {500, "500–999"},
    {100, "100–499"},
    {30, "30–99"},
    {1, "1–29"},
    {0, "0"},
};

const char *vault_patients_band(uint64_t patients)
{
    size_t band = 0;
    while (patients < bands[band].from)
        band++;
    return bands[band].words;
}

enum maille_code vault_catalogue(struct vault *vault, struct message_outbox *outbox,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    const struct dictionary *dictionary;
    struct data_facts facts = {0};
    struct bytes body = {0}, envelope = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a catalogue");
    MAILLE_TRY(vault->options.data.facts(vault->options.data.context, &facts, 0, arena, error));
    MAILLE_TRY(vault_log_snapshot(vault, &facts, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, "the snapshot's dictionary", facts.dictionary,
                                facts.dictionary_length, error));
    struct maille_error why;
    if (policy_check_dictionary(vault->own, dictionary, &why) != MAILLE_OK)
        log_line(LOG_LEVEL_ERROR, "policy.yaml: %s: every study is refused until it is corrected",
                 why.sentence);
    struct message_catalogue catalogue = {
        .site = vault->self->name,
        .snapshot = facts.number,
        .snapshot_hash = facts.hash,
        .dictionary = dictionary->name,
        .dictionary_version = dictionary->version,
        .dictionary_text = {(const uint8_t *)facts.dictionary, facts.dictionary_length},
        .patients_band = vault_patients_band(facts.patients),
        .policy = strcmp(vault->policy->preset, "open") != 0              ? vault->policy->preset
                  : facts.is_public && vault_public_policy(vault->policy) ? "open"
                                                                          : "limited"};
    hash_kdf(&catalogue.dictionary_hash, NULL, "dictionary", facts.dictionary, facts.dictionary_length);
    MAILLE_TRY(message_catalogue_encode(&body, &catalogue, error));
    MAILLE_TRY(vault_envelope(&envelope, vault, MESSAGE_CATALOGUE, &body, error));
    MAILLE_TRY(
        vault_send(vault, outbox, MESSAGE_CATALOGUE, NULL, &envelope, NULL, 0,
                   arena_printf(arena, "snapshot %u, %s patients, dictionary %s@%lld", facts.number,
                                catalogue.patients_band, dictionary->name, (long long)dictionary->version),
                   error));
out:
    bytes_clear(&body);
    bytes_clear(&envelope);
    arena_free(arena);
    return code;
}
