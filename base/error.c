#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void error_set(struct maille_error *error, enum maille_code code, const char *rule, const char *format,
                      va_list arguments)
{
    if (error == NULL)
        return;
    error->code = code;
    snprintf(error->rule, sizeof error->rule, "%s", rule);
    vsnprintf(error->sentence, sizeof error->sentence, format, arguments);
}

enum maille_code(maille_fail)(struct maille_error *error, enum maille_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set(error, code, "", format, arguments);
    va_end(arguments);
    return code;
}

enum maille_code(maille_refuse)(struct maille_error *error, const char *rule, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set(error, MAILLE_REFUSED, rule, format, arguments);
    va_end(arguments);
    return MAILLE_REFUSED;
}

enum maille_code(maille_protest)(struct maille_error *error, const char *rule, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set(error, MAILLE_PROTOCOL, rule, format, arguments);
    va_end(arguments);
    maille_error_prefix(error, "%s", rule);
    return MAILLE_PROTOCOL;
}

enum maille_code(maille_fail_errno)(struct maille_error *error, const char *format, ...)
{
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    error_set(error, MAILLE_IO, "", format, arguments);
    va_end(arguments);
    if (error != NULL) {
        size_t used = strlen(error->sentence);
        snprintf(error->sentence + used, sizeof error->sentence - used, ": %s", strerror(saved));
    }
    return MAILLE_IO;
}

void maille_error_prefix(struct maille_error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    char prefix[MAILLE_SENTENCE_MAX];
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    memcpy(sentence, error->sentence, sizeof sentence);
    size_t used = strlen(prefix);
    memcpy(error->sentence, prefix, used);
    if (used < sizeof error->sentence)
        snprintf(error->sentence + used, sizeof error->sentence - used, ": %s", sentence);
}

const char *maille_code_name(enum maille_code code)
{
    static const char *const names[] = {
        [MAILLE_OK] = "ok",
        [MAILLE_REFUSED] = "refused",
        [MAILLE_FAILED] = "failed",
        [MAILLE_INVALID] = "invalid",
        [MAILLE_UNREACHABLE] = "unreachable",
        [MAILLE_TIMEOUT] = "timed out",
        [MAILLE_IO] = "input/output error",
        [MAILLE_MEMORY] = "out of memory",
        [MAILLE_CORRUPT] = "corrupt",
        [MAILLE_SIGNATURE] = "bad signature or key",
        [MAILLE_PROTOCOL] = "protocol violation",
        [MAILLE_INTERRUPTED] = "interrupted",
        [MAILLE_INTERNAL] = "internal error",
    };
    if ((size_t)code >= sizeof names / sizeof *names || names[code] == NULL)
        return "unknown";
    return names[code];
}

int maille_exit_status(enum maille_code code)
{
    switch (code) {
    case MAILLE_OK:
        return 0;
    case MAILLE_INVALID:
    case MAILLE_CORRUPT:
    case MAILLE_SIGNATURE:
        return 2;
    case MAILLE_UNREACHABLE:
    case MAILLE_TIMEOUT:
        return 3;
    case MAILLE_INTERRUPTED:
        return 130;
    default:
        return 1;
    }
}
