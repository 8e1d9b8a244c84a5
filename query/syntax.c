#include "query/syntax.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "query/manual.h"

/* --- tokens --- */

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_STRING, TOKEN_NAME, TOKEN_OPERATOR };

struct token {
    enum token_kind kind;
    const char *start;
    size_t length;
    const char *text; /* NAME, STRING: the value; OPERATOR: the spelling, from the table below */
    double number;
    int line, column;
};

struct parser {
    struct arena *arena;
    const struct expression_scope *scope;
    struct maille_error *error;
    const char *next; /* first byte that is not a token yet */
    int line, column;
    int nesting;
    struct token token; /* the current one */
};

static enum maille_code parser_fail(const struct parser *p, int line, int column, const char *format, ...)
    MAILLE_PRINTF(4, 5);
#ifdef __clang_analyzer__
#define parser_fail(...) ((void)parser_fail(__VA_ARGS__), MAILLE_INVALID)
#endif

static enum maille_code place_fail(struct maille_error *error, const struct expression_scope *scope, int line,
                                   int column, const char *format, va_list arguments)
{
    char sentence[MAILLE_SENTENCE_MAX];
    vsnprintf(sentence, sizeof sentence, format, arguments);
    return maille_fail(error, MAILLE_INVALID, "%s:%d:%d: %s", scope->file, line, column, sentence);
}

static enum maille_code(parser_fail)(const struct parser *p, int line, int column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum maille_code code = place_fail(p->error, p->scope, line, column, format, arguments);
    va_end(arguments);
    return code;
}

enum maille_code(syntax_fail)(struct maille_error *error, const struct expression_scope *scope,
                              const struct syntax *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum maille_code code = place_fail(error, scope, at->line, at->column, format, arguments);
    va_end(arguments);
    return code;
}

/* Longest first. */
static const char *const operators[] = {"%in%", "&&", "||", "==", "!=", "<=", ">=", "&", "|",
                                        "!",    "<",  ">",  "+",  "-",  "*",  "/",  "^", ":",
                                        "~",    "(",  ")",  "{",  "}",  ",",  "="};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Goes on by n bytes; columns count characters, not bytes. */
static void advance(struct parser *p, size_t n)
{
    for (; n > 0; n--, p->next++) {
        if (*p->next == '\n') {
            p->line++;
            p->column = p->scope->column; /* a block of YAML has lost its indentation */
        } else if (((unsigned char)*p->next & 0xC0) != 0x80) {
            p->column++;
        }
    }
}

static enum maille_code string_token(struct parser *p, struct token *t)
{
    size_t length = strlen(p->next), n = 0, i = 1;
    char *text = arena_alloc(p->arena, length);
    for (; i < length && p->next[i] != '"'; i++) {
        if (p->next[i] == '\\' && (p->next[i + 1] == '"' || p->next[i + 1] == '\\'))
            i++;
        text[n++] = p->next[i];
    }
    if (i >= length)
        return parser_fail(p, t->line, t->column, "expected a closing \" of this text, found the end");
    t->kind = TOKEN_STRING;
    t->text = text;
    t->length = i + 1;
    return MAILLE_OK;
}

static enum maille_code number_token(struct parser *p, struct token *t)
{
    const char *c = p->next;
    while (is_digit(*c) || *c == '.')
        c++;
    if (*c == 'e' || *c == 'E') {
        c++;
        if (*c == '+' || *c == '-')
            c++;
        while (is_digit(*c))
            c++;
    }
    while (is_letter(*c) || is_digit(*c) || *c == '_' || *c == '.')
        c++; /* so that 12abc is one wrong number */
    t->kind = TOKEN_NUMBER;
    t->length = (size_t)(c - p->next);
    if (!number_parse_double(p->next, t->length, '.', &t->number))
        return parser_fail(p, t->line, t->column, "expected a number, found `%.*s`",
                           (int)(t->length > 40 ? 40 : t->length), p->next);
    return MAILLE_OK;
}

/* Bytes of the character at c, for an error that names it. */
static int character_length(const char *c)
{
    int n = 1;
    while (n < 4 && ((unsigned char)c[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static enum maille_code next_token(struct parser *p)
{
    enum maille_code code = MAILLE_OK;
    struct token t = {.kind = TOKEN_END};
    while (*p->next == ' ' || *p->next == '\t' || *p->next == '\n' || *p->next == '\r')
        advance(p, 1);
    t.start = p->next;
    t.line = p->line;
    t.column = p->column;
    char c = *p->next;
    if (c == '\0') {
        t.text = "the end";
    } else if (is_letter(c)) {
        t.kind = TOKEN_NAME;
        while (is_letter(p->next[t.length]) || is_digit(p->next[t.length]) || p->next[t.length] == '_' ||
               p->next[t.length] == '.')
            t.length++;
        t.text = arena_strndup(p->arena, p->next, t.length);
    } else if (is_digit(c) || (c == '.' && is_digit(p->next[1]))) {
        code = number_token(p, &t);
    } else if (c == '"') {
        code = string_token(p, &t);
    } else {
        for (size_t i = 0; i < sizeof operators / sizeof *operators && t.kind == TOKEN_END; i++)
            if (strncmp(p->next, operators[i], strlen(operators[i])) == 0) {
                t.kind = TOKEN_OPERATOR;
                t.text = operators[i];
                t.length = strlen(operators[i]);
            }
        if (t.kind == TOKEN_END && c == '\'')
            code = parser_fail(p, t.line, t.column, "expected texts in double quotes, found a single quote");
        else if (t.kind == TOKEN_END)
            code = parser_fail(p, t.line, t.column,
                               "expected a name, a number, a text or an operator, found `%.*s`",
                               character_length(p->next), p->next);
    }
    if (code != MAILLE_OK)
        return code;
    advance(p, t.length);
    p->token = t;
    return MAILLE_OK;
}

static bool at_operator(const struct parser *p, const char *spelling)
{
    return p->token.kind == TOKEN_OPERATOR && strcmp(p->token.text, spelling) == 0;
}

/* The current token as errors show it, cut to what a line can hold. */
static const char *shown(const struct parser *p)
{
    if (p->token.kind == TOKEN_END)
        return "the end";
    size_t length = p->token.length > 40 ? 40 : p->token.length;
    return arena_printf(p->arena, "`%.*s`", (int)length, p->token.start);
}

static enum maille_code expect(struct parser *p, const char *spelling, const char *why)
{
    if (!at_operator(p, spelling))
        return parser_fail(p, p->token.line, p->token.column, "expected `%s` %s, found %s", spelling, why,
                           shown(p));
    return next_token(p);
}

/* --- the grammar --- */

/* R's precedence (?Syntax), low to high. `in` binds as a comparison. */
static const struct binary {
    const char *spelling;
    enum syntax_op op;
    int power;
} binaries[] = {
    {"~", SYNTAX_TILDE, 1},   {"||", SYNTAX_OR, 2},      {"|", SYNTAX_OR, 2},       {"&&", SYNTAX_AND, 3},
    {"&", SYNTAX_AND, 3},     {"==", SYNTAX_EQ, 5},      {"!=", SYNTAX_NE, 5},      {"<", SYNTAX_LT, 5},
    {"<=", SYNTAX_LE, 5},     {">", SYNTAX_GT, 5},       {">=", SYNTAX_GE, 5},      {"in", SYNTAX_IN, 5},
    {"+", SYNTAX_ADD, 6},     {"-", SYNTAX_SUBTRACT, 6}, {"*", SYNTAX_MULTIPLY, 7}, {"/", SYNTAX_DIVIDE, 7},
    {"%in%", SYNTAX_IN_R, 8}, {":", SYNTAX_COLON, 9},    {"^", SYNTAX_POWER, 11},
};

/* The manual shows these, loosest first. */
static const struct manual_row operator_rows[] = {
    {"~", "y ~ a + b", "formulas only: the response and its terms"},
    {"||", "a || b, a | b", "or: FALSE || NA is NA, TRUE || NA is TRUE"},
    {"&&", "a && b, a & b", "and: TRUE && NA is NA, FALSE && NA is FALSE"},
    {"!", "!a", "not"},
    {"==", "a == b, a != b, a < b, a <= b, a > b, a >= b",
     "comparisons, one at a time; missing where either side is; a category with the text of a level, a date "
     "with "
     "\"YYYY-MM-DD\""},
    {"in", "a in {1, 2}", "one of; missing where a is"},
    {"+", "a + b, a - b", "of numbers; in formulas: terms and terms that are taken out"},
    {"*", "a * b, a/b", "of numbers; in formulas a*b is a + b + a:b"},
    {"%in%", "a %in% c(1, 2)", "one of; FALSE where a is missing, as in R"},
    {":", "a:b", "formulas only: an interaction"},
    {"-", "-a", "of a number"},
    {"^", "a^2, a^0.5, (a + b)^2",
     "a power from -16 to 16, written as a number or as (1/3); in formulas all interactions up to that "
     "order"},
};

const struct manual_row *syntax_operators(size_t *n)
{
    *n = sizeof operator_rows / sizeof *operator_rows;
    return operator_rows;
}
enum { POWER_NOT = 4, POWER_COMPARISON = 5, POWER_MINUS = 10, POWER_POWER = 11 };

static const struct binary *binary_at(const struct parser *p)
{
    if (p->token.kind != TOKEN_OPERATOR && p->token.kind != TOKEN_NAME)
        return NULL;
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (strcmp(p->token.text, binaries[i].spelling) == 0)
            return &binaries[i];
    return NULL;
}

static struct syntax *new_syntax(struct parser *p, enum syntax_kind kind, const struct token *at)
{
    struct syntax *s = arena_alloc(p->arena, sizeof *s);
    s->kind = kind;
    s->line = at->line;
    s->column = at->column;
    s->depth = 1;
    return s;
}

static void set_args(struct parser *p, struct syntax *s, const struct syntax *const *args, size_t n)
{
    const struct syntax **copy = arena_array(p->arena, n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = args[i];
        if (args[i]->depth >= s->depth)
            s->depth = args[i]->depth + 1;
    }
    s->args = copy;
    s->n_args = n;
}

static enum maille_code parse_operand(struct parser *p, const struct syntax **out, int power);

/* Arguments up to the closing bracket, which is taken too. */
static enum maille_code parse_list(struct parser *p, struct syntax *s, const char *close)
{
    enum maille_code code;
    size_t capacity = 8, n = 0;
    const struct syntax **args = arena_array(p->arena, capacity, sizeof *args);
    const char **names = arena_array(p->arena, capacity, sizeof *names);
    if (at_operator(p, close)) {
        code = next_token(p);
        goto out;
    }
    for (;;) {
        if (n == capacity) {
            const struct syntax **more = arena_array(p->arena, 2 * capacity, sizeof *more);
            const char **more_names = arena_array(p->arena, 2 * capacity, sizeof *more_names);
            memcpy(more, args, n * sizeof *args);
            memcpy(more_names, names, n * sizeof *names);
            args = more;
            names = more_names;
            capacity *= 2;
        }
        MAILLE_TRY(parse_operand(p, &args[n], 1));
        if (s->kind == SYNTAX_CALL && args[n]->kind == SYNTAX_NAME && at_operator(p, "=")) {
            names[n] = args[n]->text;
            MAILLE_TRY(next_token(p));
            MAILLE_TRY(parse_operand(p, &args[n], 1));
        }
        n++;
        if (at_operator(p, close)) {
            MAILLE_TRY(next_token(p));
            break;
        }
        if (at_operator(p, "=")) {
            code = parser_fail(p, p->token.line, p->token.column,
                               "expected `,` or `%s`, found `=`; a comparison is written ==", close);
            goto out;
        }
        MAILLE_TRY(expect(p, ",", arena_printf(p->arena, "or `%s` after this argument", close)));
    }
out:
    if (code == MAILLE_OK) {
        set_args(p, s, args, n);
        s->arg_names = names;
    }
    return code;
}

static enum maille_code parse_prefix(struct parser *p, const struct syntax **out)
{
    enum maille_code code;
    const struct token t = p->token;
    struct syntax *s;
    const struct syntax *inner;
    if (t.kind == TOKEN_NUMBER) {
        s = new_syntax(p, SYNTAX_NUMBER, &t);
        s->number = t.number;
        MAILLE_TRY(next_token(p));
    } else if (t.kind == TOKEN_STRING) {
        s = new_syntax(p, SYNTAX_STRING, &t);
        s->text = t.text;
        MAILLE_TRY(next_token(p));
    } else if (t.kind == TOKEN_NAME && strcmp(t.text, "in") != 0) {
        MAILLE_TRY(next_token(p));
        s = new_syntax(p, at_operator(p, "(") ? SYNTAX_CALL : SYNTAX_NAME, &t);
        s->text = t.text;
        if (s->kind == SYNTAX_CALL) {
            MAILLE_TRY(next_token(p));
            MAILLE_TRY(parse_list(p, s, ")"));
        }
    } else if (at_operator(p, "(")) {
        s = new_syntax(p, SYNTAX_PAREN, &t);
        MAILLE_TRY(next_token(p));
        MAILLE_TRY(parse_operand(p, &inner, 1));
        set_args(p, s, &inner, 1);
        MAILLE_TRY(expect(p, ")", arena_printf(p->arena, "for the parenthesis of column %d", t.column)));
    } else if (at_operator(p, "{")) {
        s = new_syntax(p, SYNTAX_SET, &t);
        MAILLE_TRY(next_token(p));
        MAILLE_TRY(parse_list(p, s, "}"));
    } else if (at_operator(p, "-") || at_operator(p, "+") || at_operator(p, "!") || at_operator(p, "~")) {
        s = new_syntax(p, SYNTAX_UNARY, &t);
        s->spelling = t.text;
        s->op = *t.text == '-'   ? SYNTAX_SUBTRACT
                : *t.text == '+' ? SYNTAX_ADD
                : *t.text == '!' ? SYNTAX_NOT
                                 : SYNTAX_TILDE;
        MAILLE_TRY(next_token(p));
        MAILLE_TRY(parse_operand(p, &inner,
                                 s->op == SYNTAX_NOT     ? POWER_NOT
                                 : s->op == SYNTAX_TILDE ? 2
                                                         : POWER_MINUS));
        set_args(p, s, &inner, 1);
    } else {
        code =
            parser_fail(p, t.line, t.column, "expected a name, a number, a text or `(`, found %s", shown(p));
        goto out;
    }
    *out = s;
out:
    return code;
}

/* Operators that bind at least as tightly as power (precedence climbing). */
static enum maille_code parse_operand(struct parser *p, const struct syntax **out, int power)
{
    enum maille_code code;
    const struct syntax *left = NULL;
    if (++p->nesting > SYNTAX_NESTING_MAX) {
        code = parser_fail(p, p->token.line, p->token.column, "expected at most %d levels of nesting",
                           SYNTAX_NESTING_MAX);
        goto out;
    }
    MAILLE_TRY(parse_prefix(p, &left));
    for (const struct binary *b; (b = binary_at(p)) != NULL && b->power >= power;) {
        struct syntax *s = new_syntax(p, SYNTAX_BINARY, &p->token);
        const struct syntax *args[2] = {left, NULL};
        s->op = b->op;
        s->spelling = b->spelling;
        MAILLE_TRY(next_token(p));
        /* ^ groups to the right, all others to the left. */
        MAILLE_TRY(parse_operand(p, &args[1], b->power == POWER_POWER ? b->power : b->power + 1));
        set_args(p, s, args, 2);
        if (s->depth > SYNTAX_DEPTH_MAX) {
            code = parser_fail(p, s->line, s->column, "expected at most %d operators in a row",
                               SYNTAX_DEPTH_MAX);
            goto out;
        }
        left = s;
        const struct binary *again = binary_at(p);
        if (b->power == POWER_COMPARISON && again != NULL && again->power == POWER_COMPARISON) {
            code = parser_fail(p, p->token.line, p->token.column,
                               "expected one comparison at a time, found a second `%s`; join them with &&",
                               again->spelling);
            goto out;
        }
    }
    *out = left;
    p->nesting--;
    code = MAILLE_OK;
out:
    return code;
}

enum maille_code syntax_parse(const struct syntax **out, struct arena *arena,
                              const struct expression_scope *scope, const char *text,
                              struct maille_error *error)
{
    enum maille_code code;
    const struct syntax *tree;
    struct parser p = {.arena = arena,
                       .scope = scope,
                       .error = error,
                       .next = text,
                       .line = scope->line,
                       .column = scope->column};
    if (strlen(text) > SYNTAX_TEXT_MAX) {
        code = parser_fail(&p, p.line, p.column, "expected at most %d characters, found %zu", SYNTAX_TEXT_MAX,
                           strlen(text));
        goto out;
    }
    MAILLE_TRY(next_token(&p));
    MAILLE_TRY(parse_operand(&p, &tree, 1));
    if (at_operator(&p, "=")) {
        code = parser_fail(&p, p.token.line, p.token.column,
                           "expected an operator, found `=`; a comparison is written ==");
        goto out;
    }
    if (p.token.kind != TOKEN_END) {
        code = parser_fail(&p, p.token.line, p.token.column, "expected an operator or the end, found %s",
                           shown(&p));
        goto out;
    }
    *out = tree;
out:
    return code;
}

const struct syntax *syntax_bare(const struct syntax *s)
{
    while (s->kind == SYNTAX_PAREN)
        s = s->args[0];
    return s;
}
