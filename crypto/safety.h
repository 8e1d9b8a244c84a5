/* Safety numbers: what two people read to each other on the telephone before a key is signed. */
#ifndef CRYPTO_SAFETY_H
#define CRYPTO_SAFETY_H

#include "crypto/identity.h"

/* "12345 12345 12345 12345 12345 12345": one key's half. */
enum { SAFETY_BYTES = 36 };

/* 30 digits of a key: six groups of five, each 5 bytes (big-endian) of BLAKE2b-512("maille1/safety/" ‖ use ‖
 * 0x00 ‖ key) mod 100,000: 99.7 bits. use: "identity", "transport", "box", so that one key's number is never
 * another's. (After the numeric fingerprints of Signal; https://signal.org/blog/safety-number-updates/) */
void safety_number(char out[SAFETY_BYTES], const char *use, const uint8_t key[PUBLIC_BYTES]);

/* The 60 digits of a party, "identity's half" ‖ " " ‖ "the other's": transport, or box for a dpo. An
 * authority has its identity alone: 30 digits. */
void safety_numbers(char out[2 * SAFETY_BYTES], enum key_role role, const struct public_keys *keys);

#endif
