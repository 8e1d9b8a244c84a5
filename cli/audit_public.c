/* maille audit public: what a network tells everybody: who may ask what and why, which hospitals, what came
 * out, and how a patient objects. From the signed directory; with logs, also how often it was asked. */
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "cli/audit_over.h"
#include "cli/audit_private.h"
#include "cli/plain_page.h"
#include "cli/sheet.h"

static const struct sheet_column columns[] = {
    {"registration", {"registration", "enregistrement"}, false},
    {"title", {"title", "titre"}, false},
    {"summary_for_patients", {"summary for patients", "résumé pour les patients"}, false},
    {"controller", {"controller", "responsable du traitement"}, false},
    {"researchers", {"who may ask", "qui peut demander"}, false},
    {"purposes", {"purposes", "finalités"}, false},
    {"legal_basis", {"legal basis", "base légale"}, false},
    {"ethics", {"ethics opinion", "avis éthique"}, false},
    {"hospitals", {"hospitals", "établissements"}, false},
    {"data", {"data", "données"}, false},
    {"variables", {"variables", "variables"}, false},
    {"begin", {"from", "du"}, false},
    {"end", {"to", "au"}, false},
    {"state", {"state", "état"}, false},
    {"questions", {"questions so far", "questions posées"}, true},
    {"last_question", {"last question (UTC)", "dernière question (UTC)"}, false},
    {"result", {"result", "résultat"}, false},
    {"retention", {"results are kept", "conservation des résultats"}, false},
    {"transfers", {"transfers outside the EU", "transferts hors UE"}, false},
    {"notice", {"how patients are told", "information des patients"}, false},
    {"objection", {"how to object", "comment s'opposer"}, false},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

enum phrase { PHRASE_TITLE, PHRASE_LEAD, PHRASE_OPEN, PHRASE_CLOSED, PHRASE_OBJECT, PHRASE_NONE, PHRASES };
static const char *const phrases[PHRASES][LANGUAGES] = {
    [PHRASE_TITLE] = {"Studies of the network %s", "Études du réseau %s"},
    [PHRASE_LEAD] = {"No record of a patient leaves a hospital. Each hospital adds its patients up; only the "
                     "total of all of them is read.",
                     "Aucun dossier de patient ne quitte un établissement. Chacun additionne ses patients ; "
                     "seul le total de tous est lu."},
    [PHRASE_OPEN] = {"may be asked", "ouvert aux questions"},
    [PHRASE_CLOSED] = {"closed", "clos"},
    [PHRASE_OBJECT] = {"Write to the data protection officer of your hospital.",
                       "Écrivez au délégué à la protection des données de votre établissement."},
    [PHRASE_NONE] = {"No study is registered.", "Aucune étude n'est enregistrée."},
};

/* Questions that logs tell of, each once. */
struct asked {
    size_t n, room;
    struct {
        uint8_t qid[32];
        const char *protocol;
        int64_t first_ms;
    } * list;
};

static void take_questions(struct asked *asked, struct arena *arena, const struct book *book)
{
    for (size_t i = 0; i < book->n_queries; i++) {
        const struct book_query *query = &book->queries[i];
        size_t at = 0;
        while (at < asked->n && memcmp(asked->list[at].qid, query->qid, sizeof query->qid) != 0)
            at++;
        if (at < asked->n)
            continue;
        if (asked->n == asked->room) {
            asked->room = 2 * asked->room + 16;
            void *grown = arena_array(arena, asked->room, sizeof *asked->list);
            if (asked->n > 0)
                memcpy(grown, asked->list, asked->n * sizeof *asked->list);
            asked->list = grown;
        }
        memcpy(asked->list[at].qid, query->qid, sizeof query->qid);
        asked->list[at].protocol = query->protocol;
        asked->list[at].first_ms = query->first_ms;
        asked->n++;
    }
}

static const char *joined(struct arena *arena, const char *const *names, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? "; " : "", names[i]);
    return text;
}

static const char *day_text(struct arena *arena, int32_t day)
{
    char text[16];
    number_format_date(text, day);
    return arena_strdup(arena, text);
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static void add_registration(struct sheet *sheet, const struct registration *r, const char *hospitals,
                             const struct asked *asked, bool with_logs, enum language language)
{
    struct arena *arena = sheet->arena;
    uint64_t questions = 0;
    int64_t last_ms = 0;
    for (size_t i = 0; i < asked->n; i++)
        if (strcmp(asked->list[i].protocol, r->id) == 0) {
            questions++;
            last_ms = asked->list[i].first_ms > last_ms ? asked->list[i].first_ms : last_ms;
        }
    const char *cells[] = {r->id,
                           r->title,
                           r->summary,
                           or_none(r->controller),
                           joined(arena, r->researchers, r->n_researchers),
                           joined(arena, r->purposes, r->n_purposes),
                           r->legal_basis,
                           r->opinion != NULL
                               ? arena_printf(arena, "%s (%s)", r->opinion, day_text(arena, r->opinion_date))
                               : "",
                           hospitals,
                           r->dictionary,
                           joined(arena, r->variables, r->n_variables),
                           day_text(arena, r->begin),
                           day_text(arena, r->end),
                           phrases[r->closed ? PHRASE_CLOSED : PHRASE_OPEN][language],
                           with_logs ? sheet_number(sheet, questions) : "",
                           last_ms > 0 ? sheet_time(sheet, last_ms) : "",
                           or_none(r->result),
                           or_none(r->retention),
                           or_none(r->transfers),
                           r->notice,
                           r->objection != NULL ? r->objection : phrases[PHRASE_OBJECT][language]};
    _Static_assert(sizeof cells / sizeof *cells == COLUMNS, "one cell a column");
    sheet_add(sheet, cells);
}

static const char *heading(struct arena *arena, const char *const *row)
{
    enum { TITLE = 1 };
    (void)arena;
    return row[TITLE];
}

static enum maille_code write_register(struct audit_over *over, struct maille_error *error)
{
    enum maille_code code;
    struct bytes page = {0};
    struct asked asked = {0};
    struct arena *arena = over->arena;
    const struct directory *directory = over->trust.directory;
    struct sheet sheet = {.columns = columns, .n_columns = COLUMNS, .arena = arena};
    const char *hospitals = "";
    for (size_t i = 0; i < over->n_logs; i++) {
        struct book book;
        MAILLE_TRY(audit_over_read(&book, over, over->logs[i], error));
        take_questions(&asked, arena, &book);
    }
    for (size_t s = 0; s < directory->n_sites; s++) {
        const struct directory_site *site = &directory->sites[s];
        hospitals = arena_printf(arena, "%s%s%s", hospitals, s > 0 ? "; " : "",
                                 site->legal_entity[0] != '\0' ? site->legal_entity : site->name);
    }
    for (size_t i = 0; i < directory->registrations.n; i++)
        add_registration(&sheet, &directory->registrations.list[i], hospitals, &asked, over->n_logs > 0,
                         over->language);
    plain_page_sheet(&page, &sheet,
                     &(struct plain_sheet){.language = over->language,
                                           .title = arena_printf(arena, phrases[PHRASE_TITLE][over->language],
                                                                 directory->network),
                                           .lead = phrases[PHRASE_LEAD][over->language],
                                           .nothing = phrases[PHRASE_NONE][over->language],
                                           .heading = heading});
    MAILLE_TRY(sheet_write(&sheet, over->folder, "studies", over->language, error));
    MAILLE_TRY(sheet_write_file(over->folder, "studies.html", &page, error));
out:
    bytes_clear(&page);
    return code;
}

int audit_public(int argc, char **argv)
{
    static const struct audit_over_what what = {
        .usage =
            {"maille audit public", "[LOG…]",
             "Writes what a network tells everybody about the studies that it registered: studies.html,\n"
             "studies.csv and studies.json. With logs (the coordinator's has all) also how many questions\n"
             "were asked, and when last.",
             0, AUDIT_LOGS_MAX},
        .needs_network = true,
        .run = write_register};
    return audit_over_logs(argc, argv, &what);
}
