/* One thing changed in the body of a message, by its description in proto/maille.proto: a number, bytes, a
 * text, an entry of a list, a part that is left out; or bytes of it whatever they mean. */
#ifndef TESTS_NETWORK_MUTATE_H
#define TESTS_NETWORK_MUTATE_H

#include "proto/message.h"
#include "tests/network/seeded.h"

/* Appends a mutant of a body. False: none was made (nothing to change). The same dice make the same mutant.
 */
bool mutate_body(struct bytes *out, enum message_kind kind, const uint8_t *body, size_t length,
                 struct seeded *dice);

#endif
