/* Messages field by field, by their descriptions in proto/maille.proto. */
#ifndef TESTS_SILENCE_FIELDS_H
#define TESTS_SILENCE_FIELDS_H

#include "proto/maille.pb-c.h"
#include "proto/message.h"

/* What the body of a kind is. NULL: no message has this kind. */
const ProtobufCMessageDescriptor *fields_body(enum message_kind kind);
/* Bytes of one value of a field in memory. Ends the program for a type that no message has. */
size_t fields_width(ProtobufCType type);
/* The i-th value of a field; NULL: there is none. */
void *fields_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t i);

#endif
