/* Errors: a code that may cross the wire, and a sentence that stays where it was made. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

/* What went wrong, coarsely. The code decides the exit status (maille_exit_status). */
enum maille_code {
    MAILLE_OK = 0,
    MAILLE_REFUSED,     /* a policy rule said no; error->rule names the policy key */
    MAILLE_FAILED,      /* the computation cannot be done (empty cohort, no convergence, log of zero …) */
    MAILLE_INVALID,     /* a file, an argument or a message is not what it should be */
    MAILLE_UNREACHABLE, /* the network or a peer does not answer */
    MAILLE_TIMEOUT,     /* it took longer than allowed */
    MAILLE_IO,          /* the disk or the kernel said no (full, permission …) */
    MAILLE_MEMORY,      /* out of memory, or a size that overflows */
    MAILLE_CORRUPT,     /* stored bytes are not the bytes that were written */
    MAILLE_SIGNATURE,   /* a signature, a seal or a key is wrong */
    MAILLE_PROTOCOL,    /* a peer sent what its state does not permit */
    MAILLE_INTERRUPTED, /* Ctrl-C or SIGTERM */
    MAILLE_INTERNAL     /* a bug: own process sent nonsense */
};

enum { MAILLE_RULE_MAX = 32, MAILLE_SENTENCE_MAX = 1024 };

/* A code plus a sentence of the form "expected X, found Y, do Z". The sentence may name a value and
 * must not be sent to another party; the code and the rule may. */
struct maille_error {
    enum maille_code code;
    char rule[MAILLE_RULE_MAX]; /* policy key for MAILLE_REFUSED, check for MAILLE_PROTOCOL, else "" */
    char sentence[MAILLE_SENTENCE_MAX]; /* UTF-8, no newline */
};

#define MAILLE_CHECKED __attribute__((warn_unused_result))
#define MAILLE_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Fills error (may be NULL) and returns code, so that `return maille_fail(error, …)` reads well. */
enum maille_code maille_fail(struct maille_error *error, enum maille_code code, const char *format, ...)
    MAILLE_PRINTF(3, 4);

/* As maille_fail with MAILLE_REFUSED: rule is the policy key's name. */
enum maille_code maille_refuse(struct maille_error *error, const char *rule, const char *format, ...)
    MAILLE_PRINTF(3, 4);

/* As maille_fail with MAILLE_PROTOCOL: rule is the check that a peer's message did not pass, and the sentence
 * begins with it. */
enum maille_code maille_protest(struct maille_error *error, const char *rule, const char *format, ...)
    MAILLE_PRINTF(3, 4);

/* As maille_fail with MAILLE_IO, appending ": " and strerror(errno). */
enum maille_code maille_fail_errno(struct maille_error *error, const char *format, ...) MAILLE_PRINTF(2, 3);

#ifdef __clang_analyzer__
/* The analyser reads one file at a time. It is told here what these functions return, and in the same way
 * wherever a header declares one that fails always: a macro of its name, which stands in parentheses where it
 * is defined. */
#define maille_fail(error, code, ...) ((void)maille_fail(error, code, __VA_ARGS__), (code))
#define maille_refuse(error, ...) ((void)maille_refuse(error, __VA_ARGS__), MAILLE_REFUSED)
#define maille_protest(error, ...) ((void)maille_protest(error, __VA_ARGS__), MAILLE_PROTOCOL)
#define maille_fail_errno(error, ...) ((void)maille_fail_errno(error, __VA_ARGS__), MAILLE_IO)
#endif

/* Puts "prefix: " before the sentence that is there. Cuts at MAILLE_SENTENCE_MAX. */
void maille_error_prefix(struct maille_error *error, const char *format, ...) MAILLE_PRINTF(2, 3);

/* Short English name of a code, e.g. "refused". Never NULL. */
const char *maille_code_name(enum maille_code code);

/* Exit status (docs/CLI.md): 0 done, 1 refused or failed, 2 wrong usage or an invalid file, 3
 * unreachable or timed out. */
int maille_exit_status(enum maille_code code);

/* Leaves for the label out: when an expression does not give MAILLE_OK. Needs `enum maille_code code`. */
#define MAILLE_TRY(expression)                                                                               \
    do {                                                                                                     \
        code = (expression);                                                                                 \
        if (code != MAILLE_OK)                                                                               \
            goto out;                                                                                        \
    } while (0)

#endif
