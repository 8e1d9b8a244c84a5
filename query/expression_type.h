/* Private to query/: from what was written to typed expressions. */
#ifndef QUERY_EXPRESSION_TYPE_H
#define QUERY_EXPRESSION_TYPE_H

#include "query/syntax.h"

/* Trees that parsers make stay this flat, so that stats/ can wrap them and remain below EXPRESSION_DEPTH_MAX.
 */
enum { EXPRESSION_WRITTEN_DEPTH_MAX = 48, EXPRESSION_SET_MAX = 4096, EXPRESSION_BREAKS_MAX = 1000 };

/* Said of a derived variable that could not be read. */
#define EXPRESSION_SPOILT "which has an error of its own"

/* Types a tree against the scope: every number in it is bounded, every name is known. Errors: MAILLE_INVALID
 * with place. */
enum maille_code expression_of_syntax(const struct expression **, struct arena *,
                                      const struct expression_scope *, const struct syntax *,
                                      struct maille_error *) MAILLE_CHECKED;

/* As above; then a boolean as 0 or 1, and anything but a number is an error. */
enum maille_code expression_number_of_syntax(const struct expression **, struct arena *,
                                             const struct expression_scope *, const struct syntax *,
                                             struct maille_error *) MAILLE_CHECKED;

/* As above; then as a code (expression_as_code). */
enum maille_code expression_code_of_syntax(const struct expression **, struct arena *,
                                           const struct expression_scope *, const struct syntax *,
                                           struct maille_error *) MAILLE_CHECKED;

/* expression_compare.c: == != < <= > >=; in {…} and %in% c(…). */
enum maille_code expression_of_comparison(const struct expression **, struct arena *,
                                          const struct expression_scope *, const struct syntax *,
                                          struct maille_error *) MAILLE_CHECKED;
enum maille_code expression_of_membership(const struct expression **, struct arena *,
                                          const struct expression_scope *, const struct syntax *,
                                          struct maille_error *) MAILLE_CHECKED;

/* Variable or derived variable; fails with the nearest name. */
enum maille_code expression_of_name(const struct expression **, struct arena *,
                                    const struct expression_scope *, const struct syntax *,
                                    struct maille_error *) MAILLE_CHECKED;

/* Gives a node that was just made its place (the constructors give back const trees). */
const struct expression *expression_placed(const struct expression *, const struct syntax *);

/* expression_call.c: a function of the language. */
enum maille_code expression_of_call(const struct expression **, struct arena *,
                                    const struct expression_scope *, const struct syntax *,
                                    struct maille_error *) MAILLE_CHECKED;

/* The texts of c("…", …), or numbers as R prints them; a single one without c() too. Errors name the first
 * argument that is none. */
enum maille_code syntax_texts(const char ***texts, size_t *n, struct arena *, const struct expression_scope *,
                              const struct syntax *, size_t n_max, struct maille_error *) MAILLE_CHECKED;

/* TRUE or FALSE in any of their spellings; false for anything else. */
bool syntax_is_flag(const struct syntax *, bool *value);

/* Puts the arguments of a call in the places of R's rule: names first, then those without a name in order.
 * names: n of them, found: n, NULL where one is not there. Errors name a wrong or second argument. */
enum maille_code syntax_match(const struct syntax **found, const char *const *names, size_t n,
                              const struct expression_scope *, const struct syntax *call,
                              struct maille_error *) MAILLE_CHECKED;

/* A number that stands in the text, maybe with a sign (also Inf where infinite is true); false for anything
 * else. */
bool syntax_is_number(const struct syntax *, bool infinite, double *value);

/* The numbers of c(…). Errors name the first argument that is none. */
enum maille_code syntax_numbers(double **values, size_t *n, struct arena *, const struct expression_scope *,
                                const struct syntax *, size_t n_max, struct maille_error *) MAILLE_CHECKED;

/* "a category", "a date" … for sentences. */
const char *expression_noun(const struct expression *, const struct dictionary *);

#endif
