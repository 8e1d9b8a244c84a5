/* A site's database as the place of its frozen tables. One file per driver, behind one table: its words of
 * SQL, and a way to run statements and to read whole numbers. Statistics happen nowhere in it.
 *
 * Every statement is written by this program (engine_sql.c, engine_freeze.c) out of names of its own, whole
 * numbers and quoted texts of the dictionary. Each is said in the log where that says debug; what must not
 * stand there (a pseudonym, a seed) is a parameter. Errors name what failed and the engine's code for it,
 * never its own sentence, which may hold values. */
#ifndef REGISTRY_ENGINE_H
#define REGISTRY_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct engine;         /* opaque: one connection */
struct engine_address; /* opaque: where the database is, and what opens it */

/* A dialect: names of types, and a hash of whole numbers under a seed. */
struct engine_words {
    const char *decimal, *text, *day; /* 12.5, 'abc', a date with or without an hour */
    const char *small, *integer, *big;
    const char *hash; /* of a big and a big seed: a big */
};

enum engine_kind { ENGINE_NUMBER, ENGINE_TEXT, ENGINE_BOOLEAN, ENGINE_DAY, ENGINE_OTHER };

/* A column of a relation. */
struct engine_column {
    const char *name;
    const char *type; /* as the engine says it */
    enum engine_kind kind;
};

/* The answer to a question of few rows: row by row, texts, "" for none. */
struct engine_answer {
    const char **cells;
    size_t rows, columns;
};

/* Texts for $1, $2, … of a statement. They are not logged. */
struct engine_parameters {
    const char *const *values;
    size_t n;
};

struct engine_driver {
    const char *name;
    const struct engine_words *words;

    /* Reads what a connection is made of: files, names of hosts, passwords. Before walls; connects nowhere.
     * where: for errors. MAILLE_INVALID: a password in it, no host, another kind of connection. */
    enum maille_code (*find)(struct engine_address **address, const char *connection, const char *where,
                             struct maille_error *error);
    void (*forget)(struct engine_address *address); /* wipes; NULL is legal */
    int (*port)(const struct engine_address *address);
    /* The files that TLS needs, for walls; NULL past the last. */
    const char *(*file)(const struct engine_address *address, size_t i);

    /* MAILLE_UNREACHABLE: nobody there; MAILLE_INVALID: it does not let this role in. timeout_s: of a
     * statement. */
    enum maille_code (*connect)(struct engine **engine, const struct engine_address *address,
                                unsigned timeout_s, struct maille_error *error);
    void (*close)(struct engine *engine); /* NULL is legal */

    /* MAILLE_INVALID: a role that may do more than read the frozen tables of the schema. */
    enum maille_code (*check_reader)(struct engine *engine, const char *schema, struct maille_error *error);

    /* The columns of a relation, in arena. MAILLE_INVALID: there is none of that name. */
    enum maille_code (*describe)(struct engine_column **columns, size_t *n, struct engine *engine,
                                 struct arena *arena, const char *relation, struct maille_error *error);

    /* what: "freeze the rows", for errors: MAILLE_INVALID; MAILLE_TIMEOUT past timeout_s; MAILLE_UNREACHABLE
     * where the engine is gone. answer, in arena, may be NULL. parameters: NULL, or those of one statement
     * alone. */
    enum maille_code (*run)(struct engine *engine, struct engine_answer *answer, struct arena *arena,
                            const char *statement, const struct engine_parameters *parameters,
                            const char *what, struct maille_error *error);

    /* The whole numbers of a SELECT, column by column: out[column * rows + row]. MAILLE_CORRUPT: not so many
     * rows, or not whole numbers; where there is more, the connection is closed. Other errors as run. */
    enum maille_code (*integers)(struct engine *engine, int64_t *out, size_t rows, size_t columns,
                                 const char *statement, struct maille_error *error);
};

extern const struct engine_driver engine_postgresql;

/* NULL: no driver is called so. */
const struct engine_driver *engine_find(const char *name);

#endif
