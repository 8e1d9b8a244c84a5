#include "registry/engine_rights.h"

#include <string.h>

static enum maille_code run(const struct engine_freeze *freeze, struct engine_answer *answer,
                            const char *statement, const struct engine_parameters *parameters,
                            const char *what, struct maille_error *error)
{
    return freeze->link->driver->run(freeze->link->engine, answer, freeze->arena, statement, parameters, what,
                                     error);
}

enum maille_code engine_rights_claim(const struct engine_freeze *freeze, const char *id,
                                     struct maille_error *error)
{
    static const char what[] = "say whose schema it is";
    enum maille_code code = MAILLE_OK;
    const char *schema = freeze->link->schema;
    const struct engine_parameters parameters = {&id, 1};
    struct engine_answer answer;
    /* One row at most, also of two imports at once. */
    MAILLE_TRY(
        run(freeze, NULL,
            arena_printf(freeze->arena,
                         "CREATE TABLE IF NOT EXISTS %s.folder (one boolean PRIMARY KEY DEFAULT true CHECK "
                         "(one), id text NOT NULL); REVOKE ALL ON %s.folder FROM PUBLIC",
                         schema, schema),
            NULL, what, error));
    MAILLE_TRY(run(freeze, NULL,
                   arena_printf(freeze->arena,
                                "INSERT INTO %s.folder (id) SELECT $1::text WHERE NOT EXISTS (SELECT 1 FROM "
                                "%s.folder)",
                                schema, schema),
                   &parameters, what, error));
    MAILLE_TRY(run(freeze, &answer, arena_printf(freeze->arena, "SELECT id FROM %s.folder", schema), NULL,
                   what, error));
    if (answer.rows != 1 || strcmp(answer.cells[0], id) != 0)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected frozen tables of this folder in the schema %.63s, found that it holds those of "
            "another folder; give this one a schema of its own (source_schema), or restore "
            "snapshots/engine-id",
            schema);
out:
    return code;
}

enum maille_code engine_rights_check(const struct engine_freeze *freeze, const char *table,
                                     struct maille_error *error)
{
    const char *schema = freeze->link->schema;
    struct engine_answer answer;
    const char *question = arena_printf(
        freeze->arena,
        "SELECT 1 FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid IN ('%s.%s'::regclass, "
        "'%s.folder'::regclass, "
        "'%s.patient_numbers'::regclass, '%s.row_numbers'::regclass) AND a.grantee <> c.relowner AND NOT "
        "(c.relname = '%s' AND a.privilege_type = 'SELECT' AND a.grantee IN (SELECT oid FROM pg_roles "
        "WHERE rolname = '%s'))",
        schema, table, schema, schema, schema, table, freeze->reader);
    enum maille_code code = run(freeze, &answer, question, NULL, "say who may read the tables", error);
    if (code == MAILLE_OK && answer.rows != 0)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected that %.63s alone may read the frozen table, and nobody the numbers of patients "
            "beside it, found rights of other roles on tables of %.63s; REVOKE them, or change the "
            "ALTER DEFAULT PRIVILEGES that give them",
            freeze->reader, schema);
    return code;
}
