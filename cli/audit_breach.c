/* maille audit breach: which questions touched a snapshot, for a notification within 72 hours (GDPR art. 33);
 * and maille audit accesses: who looked at a site's numbers, or took its log away. */
#include <string.h>

#include "cli/audit_over.h"
#include "cli/audit_private.h"
#include "cli/sheet.h"

static const struct sheet_column breach_columns[] = {
    {"party", {"hospital", "établissement"}, false},
    {"snapshot", {"snapshot", "instantané"}, true},
    {"query", {"query", "requête"}, false},
    {"asked", {"asked on (UTC)", "demandée le (UTC)"}, false},
    {"requester", {"asked by", "demandée par"}, false},
    {"study", {"study", "étude"}, false},
    {"protocol", {"protocol", "protocole"}, false},
    {"outcome", {"outcome", "issue"}, false},
    {"patients", {"patients", "patients"}, false},
    {"vectors", {"masked vectors that left", "vecteurs masqués sortis"}, true},
    {"bytes", {"bytes", "octets"}, true},
    {"variables", {"variables that were read", "variables lues"}, false},
    {"recipients", {"recipients", "destinataires"}, false},
};

static const struct sheet_column access_columns[] = {
    {"party", {"hospital", "établissement"}, false},
    {"entry", {"entry", "entrée"}, true},
    {"time", {"when (UTC)", "quand (UTC)"}, false},
    {"what", {"who did what", "qui a fait quoi"}, false},
};

/* Names of all variables that what left was made of. */
static const char *variables_of(struct arena *arena, const struct book_query *query)
{
    const char *all = "";
    for (size_t v = 0; v < query->n_vectors; v++) {
        struct book_part part = {0};
        while (book_next_part(&part, arena, &query->vectors[v]))
            all = book_join_names(arena, all, part.variables);
    }
    return all;
}

static enum maille_code write_breach(struct audit_over *over, struct maille_error *error)
{
    enum maille_code code;
    const uint64_t snapshot = *(const uint64_t *)over->context;
    struct sheet sheet = {.columns = breach_columns,
                          .n_columns = sizeof breach_columns / sizeof *breach_columns,
                          .arena = over->arena};
    for (size_t l = 0; l < over->n_logs; l++) {
        struct book book;
        MAILLE_TRY(audit_over_read(&book, over, over->logs[l], error));
        for (size_t i = 0; i < book.n_queries; i++) {
            const struct book_query *query = &book.queries[i];
            if (query->snapshot == 0 || (snapshot > 0 && query->snapshot != snapshot))
                continue;
            const char *cells[] = {book.party,
                                   sheet_number(&sheet, query->snapshot),
                                   query->name,
                                   sheet_time(&sheet, query->first_ms),
                                   query->requester,
                                   query->study,
                                   query->protocol,
                                   word_of_outcome(over->language, query->outcome),
                                   query->cohort_band,
                                   sheet_number(&sheet, query->n_vectors),
                                   sheet_number(&sheet, query->bytes),
                                   variables_of(over->arena, query),
                                   query->recipients[0] != '\0' ? query->recipients : query->requester};
            _Static_assert(sizeof cells / sizeof *cells == sizeof breach_columns / sizeof *breach_columns,
                           "one cell a column");
            sheet_add(&sheet, cells);
        }
        MAILLE_TRY(audit_over_leave(&book, "list of questions by snapshot", error));
    }
    MAILLE_TRY(sheet_write(&sheet, over->folder, "breach", over->language, error));
out:
    return code;
}

int audit_breach(int argc, char **argv)
{
    uint64_t snapshot = 0;
    const struct option_row rows[] = {
        {.name = "snapshot",
         .kind = OPTION_UNSIGNED,
         .target = &snapshot,
         .argument = "N",
         .sentence = "only questions that were counted on this one (default: all)",
         .min = 1,
         .max = UINT32_MAX}};
    const struct audit_over_what what = {
        .usage = {"maille audit breach", "LOG…",
                  "Writes which questions were counted on a snapshot, who asked, and what left, for a\n"
                  "notification (GDPR art. 33): breach.csv and breach.json.",
                  1, AUDIT_LOGS_MAX},
        .rows = rows,
        .n_rows = 1,
        .context = &snapshot,
        .run = write_breach};
    return audit_over_logs(argc, argv, &what);
}

static enum maille_code write_accesses(struct audit_over *over, struct maille_error *error)
{
    enum maille_code code;
    struct sheet sheet = {.columns = access_columns,
                          .n_columns = sizeof access_columns / sizeof *access_columns,
                          .arena = over->arena};
    for (size_t l = 0; l < over->n_logs; l++) {
        struct book book;
        MAILLE_TRY(audit_over_read(&book, over, over->logs[l], error));
        for (size_t i = 0; i < book.n_events; i++) {
            const struct book_event *event = &book.events[i];
            if (strcmp(event->kind, "access") != 0)
                continue;
            const char *cells[] = {book.party, sheet_number(&sheet, event->sequence),
                                   sheet_time(&sheet, event->utc_ms), event->detail};
            _Static_assert(sizeof cells / sizeof *cells == sizeof access_columns / sizeof *access_columns,
                           "one cell a column");
            sheet_add(&sheet, cells);
        }
    }
    MAILLE_TRY(sheet_write(&sheet, over->folder, "accesses", over->language, error));
out:
    return code;
}

int audit_accesses(int argc, char **argv)
{
    static const struct audit_over_what what = {
        .usage =
            {"maille audit accesses", "LOG…",
             "Writes who ran preview, replay, export, archive, record or breach at a site, and when:\n"
             "accesses.csv and accesses.json. What was read from a copy on another machine is in no log.",
             1, AUDIT_LOGS_MAX},
        .run = write_accesses};
    return audit_over_logs(argc, argv, &what);
}
