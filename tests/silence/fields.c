#include "tests/silence/fields.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    enum message_kind kind;
    const ProtobufCMessageDescriptor *body;
} bodies[] = {
    {MESSAGE_HELLO, &maille__wire__hello__descriptor},
    {MESSAGE_WELCOME, &maille__wire__welcome__descriptor},
    {MESSAGE_DIRECTORY, &maille__wire__directory__descriptor},
    {MESSAGE_CATALOGUE, &maille__wire__catalogue__descriptor},
    {MESSAGE_CATALOGUE_REQUEST, &maille__wire__catalogue_request__descriptor},
    {MESSAGE_CATALOGUES, &maille__wire__catalogues__descriptor},
    {MESSAGE_MANIFEST, &maille__wire__manifest__descriptor},
    {MESSAGE_READY, &maille__wire__ready__descriptor},
    {MESSAGE_CALL, &maille__wire__call__descriptor},
    {MESSAGE_ACCEPT, &maille__wire__accept__descriptor},
    {MESSAGE_ROSTER, &maille__wire__roster__descriptor},
    {MESSAGE_START, &maille__wire__start__descriptor},
    {MESSAGE_REFUSE, &maille__wire__refuse__descriptor},
    {MESSAGE_MASKED, &maille__wire__masked__descriptor},
    {MESSAGE_PULL, &maille__wire__pull__descriptor},
    {MESSAGE_SEGMENT, &maille__wire__segment__descriptor},
    {MESSAGE_CLOSE, &maille__wire__close__descriptor},
    {MESSAGE_REVEAL, &maille__wire__reveal__descriptor},
    {MESSAGE_SUM, &maille__wire__sum__descriptor},
    {MESSAGE_END, &maille__wire__end__descriptor},
    {MESSAGE_CANCEL, &maille__wire__cancel__descriptor},
    {MESSAGE_LOG_HEAD, &maille__wire__log_head__descriptor},
    {MESSAGE_CUSTODY, &maille__wire__custody__descriptor},
    {MESSAGE_TAKEN, &maille__wire__taken__descriptor},
    {MESSAGE_AGREED, &maille__wire__agreed__descriptor},
    {MESSAGE_STATUS, &maille__wire__status__descriptor},
    {MESSAGE_LIST_REQUEST, &maille__wire__list_request__descriptor},
    {MESSAGE_LIST, &maille__wire__list__descriptor},
    {MESSAGE_RESUME, &maille__wire__resume__descriptor},
    {MESSAGE_PROBLEM, &maille__wire__problem__descriptor},
    {MESSAGE_RESULT, &maille__wire__result__descriptor},
};

const ProtobufCMessageDescriptor *fields_body(enum message_kind kind)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (bodies[i].kind == kind)
            return bodies[i].body;
    return NULL;
}

size_t fields_width(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        fprintf(stderr, "a field of a type that fields.c does not know\n");
        abort();
    }
}

void *fields_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t i)
{
    const uint8_t *at = (const uint8_t *)message + field->offset;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return i == 0 && !(field->type == PROTOBUF_C_TYPE_MESSAGE && *(void *const *)(const void *)at == NULL)
                   ? (void *)(uintptr_t)at
                   : NULL;
    const size_t n = *(const size_t *)(const void *)((const uint8_t *)message + field->quantifier_offset);
    return i < n ? *(uint8_t *const *)(const void *)at + i * fields_width(field->type) : NULL;
}
