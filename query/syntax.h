/* Private to query/: what was written, before it has types. One grammar for cohort, derive and formulas: R's,
 * plus `x in {a, b}`. Names are not looked up here. */
#ifndef QUERY_SYNTAX_H
#define QUERY_SYNTAX_H

#include "query/expression.h"

enum syntax_kind {
    SYNTAX_NUMBER,
    SYNTAX_STRING,
    SYNTAX_NAME,
    SYNTAX_CALL,  /* text(args…), each with or without a name */
    SYNTAX_UNARY, /* - + ! ~ before args[0] */
    SYNTAX_BINARY,
    SYNTAX_PAREN, /* (args[0]): R keeps parentheses in its labels */
    SYNTAX_SET    /* {args…} */
};

enum syntax_op {
    SYNTAX_TILDE,
    SYNTAX_OR,
    SYNTAX_AND,
    SYNTAX_NOT,
    SYNTAX_EQ,
    SYNTAX_NE,
    SYNTAX_LT,
    SYNTAX_LE,
    SYNTAX_GT,
    SYNTAX_GE,
    SYNTAX_ADD,
    SYNTAX_SUBTRACT,
    SYNTAX_MULTIPLY,
    SYNTAX_DIVIDE,
    SYNTAX_IN,   /* in {…}: missing where the left is */
    SYNTAX_IN_R, /* %in% c(…): never missing, as in R */
    SYNTAX_COLON,
    SYNTAX_POWER
};

struct syntax {
    enum syntax_kind kind;
    enum syntax_op op;    /* UNARY, BINARY */
    const char *spelling; /* UNARY, BINARY: the operator as written */
    const char *text;     /* STRING, NAME, CALL */
    double number;
    const struct syntax *const *args;
    const char *const *arg_names; /* CALL: NULL where an argument has none */
    size_t n_args;
    int depth;
    int line, column;
};

/* Text that a parser accepts: bytes, nesting of parentheses and operands, length of a chain such as a + b +
 * c. */
enum { SYNTAX_TEXT_MAX = 16384, SYNTAX_NESTING_MAX = 48, SYNTAX_DEPTH_MAX = 600 };

/* Errors: MAILLE_INVALID with file:line:column. */
enum maille_code syntax_parse(const struct syntax **, struct arena *, const struct expression_scope *,
                              const char *text, struct maille_error *) MAILLE_CHECKED;

/* Fails with MAILLE_INVALID and "file:line:column: sentence", at a node. */
enum maille_code syntax_fail(struct maille_error *, const struct expression_scope *, const struct syntax *at,
                             const char *format, ...) MAILLE_PRINTF(4, 5);
#ifdef __clang_analyzer__
#define syntax_fail(...) ((void)syntax_fail(__VA_ARGS__), MAILLE_INVALID)
#endif

/* As R's deparse() writes it: `cut(nodes, c(1, 4, 10), right = FALSE)`, `I(age^2)`, `a/2 - b * 3`. */
const char *syntax_deparse(struct arena *, const struct syntax *);

/* Parentheses around it taken off. */
const struct syntax *syntax_bare(const struct syntax *);

#endif
