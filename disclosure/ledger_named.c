#include <string.h>

#include "disclosure/ledger_private.h"

/* What earlier groups say, for a person who decides. */

static struct byte_view blob(struct arena *arena, sqlite3_stmt *statement, int column)
{
    const size_t length = (size_t)sqlite3_column_bytes(statement, column);
    uint8_t *copy = arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, sqlite3_column_blob(statement, column), length);
    return (struct byte_view){copy, length};
}

static const char *text(struct arena *arena, sqlite3_stmt *statement, int column)
{
    const struct byte_view bytes = blob(arena, statement, column);
    return arena_strndup(arena, (const char *)bytes.data, bytes.length);
}

/* A query whose groups are read: what they share. */
struct naming {
    int64_t id;
    struct ledger_named of;
    struct part_groups groups;
};

static void take_query(struct naming *naming, sqlite3_stmt *statement, struct arena *arena)
{
    naming->id = sqlite3_column_int64(statement, 0);
    naming->of = (struct ledger_named){.study = text(arena, statement, 1),
                                       .researcher = text(arena, statement, 2),
                                       .made_ms = sqlite3_column_int64(statement, 3),
                                       .dictionary = blob(arena, statement, 4)};
    part_groups_read(&naming->groups, blob(arena, statement, 5), STUDY_ANALYSES_MAX, arena);
}

enum maille_code ledger_named(struct ledger_named **list, size_t *n, struct arena *arena,
                              struct ledger *ledger, const uint8_t *query, uint32_t epoch,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct naming naming = {.id = -1};
    struct ledger_named *made = NULL;
    size_t found = 0, room = 0;
    bool row = true;
    MAILLE_TRY(ledger_ready_past(&statement, ledger, LEDGER_NAMED, query, epoch, error));
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        if (sqlite3_column_int64(statement, 0) != naming.id)
            take_query(&naming, statement, arena);
        const struct part_group *group =
            part_groups_find(&naming.groups, (uint32_t)sqlite3_column_int64(statement, 6),
                             (uint32_t)sqlite3_column_int64(statement, 7));
        if (group == NULL) {
            code = ledger_corrupt(error);
            goto out;
        }
        if (found == room) {
            room = room == 0 ? 64 : 2 * room;
            struct ledger_named *grown = arena_array(arena, room, sizeof *grown);
            if (found > 0)
                memcpy(grown, made, found * sizeof *grown);
            made = grown;
        }
        made[found] = naming.of;
        made[found].family = group->family;
        made[found].words = text(arena, statement, 8);
        made[found].conditions = blob(arena, statement, 9);
        made[found++].canon = blob(arena, statement, 10);
    }
    *list = made;
    *n = found;
out:
    sqlite3_reset(statement);
    return code;
}
