#include "crypto/safety.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

void safety_number(char out[SAFETY_BYTES], const char *use, const uint8_t key[PUBLIC_BYTES])
{
    static const char prefix[] = "maille1/safety/";
    crypto_generichash_state state;
    uint8_t hash[64];
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)prefix, sizeof prefix - 1);
    crypto_generichash_update(&state, (const uint8_t *)use, strlen(use) + 1);
    crypto_generichash_update(&state, key, PUBLIC_BYTES);
    crypto_generichash_final(&state, hash, sizeof hash);
    for (size_t group = 0; group < 6; group++) {
        uint64_t number = 0;
        for (size_t i = 0; i < 5; i++)
            number = number << 8 | hash[5 * group + i];
        snprintf(out + 6 * group, SAFETY_BYTES - 6 * group, "%05u ", (unsigned)(number % 100000));
    }
    out[SAFETY_BYTES - 1] = '\0';
}

void safety_numbers(char out[2 * SAFETY_BYTES], enum key_role role, const struct public_keys *keys)
{
    safety_number(out, "identity", keys->identity);
    if (role == KEY_AUTHORITY)
        return;
    out[SAFETY_BYTES - 1] = ' ';
    safety_number(out + SAFETY_BYTES, role == KEY_DPO ? "box" : "transport",
                  role == KEY_DPO ? keys->box : keys->transport);
}
