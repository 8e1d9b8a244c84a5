/* maille audit record: what a hospital writes into its register of processing (GDPR art. 30), one entry for
 * each study that its log tells of. Who answers for it, and how long things are kept, is what worker.yaml
 * says; the log notes that. */
#include <string.h>

#include "cli/audit_over.h"
#include "cli/audit_private.h"
#include "cli/plain_page.h"
#include "cli/sheet.h"

static const struct sheet_column columns[] = {
    {"party", {"hospital", "établissement"}, false},
    {"controller", {"controller", "responsable du traitement"}, false},
    {"controller_contact", {"its address", "ses coordonnées"}, false},
    {"officer_contact", {"data protection officer", "délégué à la protection des données"}, false},
    {"joint_controllers", {"joint controllers", "responsables conjoints"}, false},
    {"protocol", {"protocol", "protocole"}, false},
    {"registration", {"registered as", "enregistré sous le titre"}, false},
    {"summary_for_patients", {"summary for patients", "résumé pour les patients"}, false},
    {"purposes", {"purposes", "finalités"}, false},
    {"legal_basis", {"legal basis", "base légale"}, false},
    {"data_subjects", {"data subjects", "personnes concernées"}, false},
    {"data", {"categories of data", "catégories de données"}, false},
    {"recipients", {"recipients", "destinataires"}, false},
    {"transfers", {"transfers outside the EU", "transferts hors UE"}, false},
    {"log_kept", {"access log is kept", "conservation du journal d'accès"}, false},
    {"record_kept", {"scientific record is kept", "conservation des données scientifiques"}, false},
    {"security", {"safeguards", "mesures de sécurité"}, false},
    {"first_question", {"first question (UTC)", "première question (UTC)"}, false},
    {"last_question", {"last question (UTC)", "dernière question (UTC)"}, false},
    {"questions", {"questions", "questions"}, true},
    {"bytes", {"bytes that left, masked", "octets sortis, masqués"}, true},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

enum phrase {
    PHRASE_TITLE,
    PHRASE_LEAD,
    PHRASE_SUBJECTS,
    PHRASE_DATA,
    PHRASE_SITES,
    PHRASE_SECURITY,
    PHRASE_NOT_SAID,
    PHRASE_MONTHS,
    PHRASE_YEARS,
    PHRASE_NO_PROTOCOL,
    PHRASE_NOTHING,
    PHRASES
};
static const char *const phrases[PHRASES][LANGUAGES] = {
    [PHRASE_TITLE] = {"Register of processing: studies of the network %s",
                      "Registre des traitements : études du réseau %s"},
    [PHRASE_LEAD] = {"One entry for each study and hospital (GDPR, article 30), from signed message logs.",
                     "Une entrée par étude et par établissement (RGPD, article 30), d'après les journaux "
                     "signés."},
    [PHRASE_SUBJECTS] = {"patients of the hospital's registry, without those who object",
                         "patients du registre de l'établissement, sauf ceux qui s'opposent"},
    [PHRASE_DATA] = {"health data of the registry, read inside the hospital; sums over groups of patients "
                     "left, masked",
                     "données de santé du registre, lues dans l'établissement ; des sommes sur des groupes "
                     "de patients en sont sorties, masquées"},
    [PHRASE_SITES] = {"%s (results); the hospitals of the network (pooled totals of each round, opened by "
                      "their programs); the coordinator can read none of it",
                      "%s (résultats) ; les établissements du réseau (totaux communs de chaque tour, ouverts "
                      "par leurs programmes) ; le coordinateur ne peut rien en lire"},
    [PHRASE_SECURITY] =
        {"pseudonyms; rules against disclosure; sums masked among hospitals; signed log; no network for the "
         "process that reads patients",
         "pseudonymes ; règles contre la divulgation ; sommes masquées entre établissements ; journal signé "
         "; "
         "aucun réseau pour le processus qui lit les patients"},
    [PHRASE_NOT_SAID] = {"not said in worker.yaml", "non renseigné dans worker.yaml"},
    [PHRASE_MONTHS] = {"%s months", "%s mois"},
    [PHRASE_YEARS] = {"%s years (archives and bundles)", "%s ans (archives et dossiers de preuve)"},
    [PHRASE_NO_PROTOCOL] = {"no protocol", "aucun protocole"},
    [PHRASE_NOTHING] = {"These logs tell of no study.", "Ces journaux ne mentionnent aucune étude."},
};

/* The value of "name: value" among the duties that a log notes; "" where it is not said. In arena. */
static const char *duty(struct arena *arena, const char *duties, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = duties; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        if (strncmp(line, name, length) == 0 && strncmp(line + length, ": ", 2) == 0)
            return arena_strndup(arena, line + length + 2,
                                 end != NULL ? (size_t)(end - line) - length - 2 : strlen(line) - length - 2);
        line = end != NULL ? end + 1 : NULL;
    }
    return "";
}

/* Adds a text to a list "a; b" that does not have it yet. */
static const char *with(struct arena *arena, const char *list, const char *text)
{
    const size_t length = strlen(text);
    if (length == 0)
        return list;
    for (const char *at = list; *at != '\0';) {
        const size_t item = strcspn(at, ";");
        if (item == length && strncmp(at, text, length) == 0)
            return list;
        at += item;
        at += strspn(at, "; ");
    }
    return arena_printf(arena, "%s%s%s", list, list[0] != '\0' ? "; " : "", text);
}

static void add_study(struct sheet *sheet, const struct book *book, size_t first,
                      const struct directory *directory, enum language language)
{
    struct arena *arena = sheet->arena;
    const char *protocol = book->queries[first].protocol, *purposes = "", *bases = "", *people = "";
    const struct registration *registration =
        directory != NULL ? registration_find(directory, protocol) : NULL;
    uint64_t questions = 0, bytes = 0;
    int64_t first_ms = book->queries[first].first_ms, last_ms = 0;
    for (size_t i = first; i < book->n_queries; i++) {
        const struct book_query *query = &book->queries[i];
        if (strcmp(query->protocol, protocol) != 0)
            continue;
        questions++;
        bytes += query->bytes;
        first_ms = query->first_ms < first_ms ? query->first_ms : first_ms;
        last_ms = query->first_ms > last_ms ? query->first_ms : last_ms;
        purposes = with(arena, purposes, query->purpose);
        bases = with(arena, bases, query->legal_basis);
        people = with(arena, people, query->recipients[0] != '\0' ? query->recipients : query->requester);
    }
    const char *duties = book->duties_text != NULL ? book->duties_text : "";
    const char *not_said = phrases[PHRASE_NOT_SAID][language];
    const char *said[] = {duty(arena, duties, "controller"),
                          duty(arena, duties, "controller_contact"),
                          duty(arena, duties, "officer_contact"),
                          duty(arena, duties, "joint_controllers"),
                          duty(arena, duties, "transfers"),
                          duty(arena, duties, "log_retention_months"),
                          duty(arena, duties, "record_retention_years")};
    enum { CONTROLLER, CONTACT, OFFICER, JOINT, TRANSFERS, MONTHS, YEARS };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (said[i][0] == '\0')
            said[i] = not_said;
        else if (i == MONTHS || i == YEARS)
            said[i] =
                arena_printf(arena, phrases[i == MONTHS ? PHRASE_MONTHS : PHRASE_YEARS][language], said[i]);
    if (registration != NULL && registration->controller != NULL && said[JOINT] == not_said)
        said[JOINT] = registration->controller;
    const char *cells[] = {book->party,
                           said[CONTROLLER],
                           said[CONTACT],
                           said[OFFICER],
                           said[JOINT],
                           protocol[0] != '\0' ? protocol : phrases[PHRASE_NO_PROTOCOL][language],
                           registration != NULL ? registration->title : "",
                           registration != NULL ? registration->summary : "",
                           purposes,
                           bases,
                           phrases[PHRASE_SUBJECTS][language],
                           phrases[PHRASE_DATA][language],
                           arena_printf(arena, phrases[PHRASE_SITES][language], people),
                           registration != NULL && registration->transfers != NULL ? registration->transfers
                                                                                   : said[TRANSFERS],
                           said[MONTHS],
                           said[YEARS],
                           phrases[PHRASE_SECURITY][language],
                           sheet_time(sheet, first_ms),
                           sheet_time(sheet, last_ms),
                           sheet_number(sheet, questions),
                           sheet_number(sheet, bytes)};
    _Static_assert(sizeof cells / sizeof *cells == COLUMNS, "one cell a column");
    sheet_add(sheet, cells);
}

static const char *heading(struct arena *arena, const char *const *row)
{
    enum { PARTY = 0, PROTOCOL = 5, TITLE = 6 };
    return arena_printf(arena, "%s: %s", row[PARTY], row[TITLE][0] != '\0' ? row[TITLE] : row[PROTOCOL]);
}

static enum maille_code write_record(struct audit_over *over, struct maille_error *error)
{
    enum maille_code code;
    struct bytes page = {0};
    struct sheet sheet = {.columns = columns, .n_columns = COLUMNS, .arena = over->arena};
    for (size_t l = 0; l < over->n_logs; l++) {
        struct book book;
        MAILLE_TRY(audit_over_read(&book, over, over->logs[l], error));
        for (size_t i = 0; i < book.n_queries && !book.is_coordinator; i++) {
            size_t before = 0;
            while (before < i && strcmp(book.queries[before].protocol, book.queries[i].protocol) != 0)
                before++;
            if (before == i)
                add_study(&sheet, &book, i, over->trust.directory, over->language);
        }
        MAILLE_TRY(audit_over_leave(&book, "register of processing", error));
    }
    plain_page_sheet(
        &page, &sheet,
        &(struct plain_sheet){.language = over->language,
                              .title = arena_printf(over->arena, phrases[PHRASE_TITLE][over->language],
                                                    over->trust.directory->network),
                              .lead = phrases[PHRASE_LEAD][over->language],
                              .nothing = phrases[PHRASE_NOTHING][over->language],
                              .heading = heading});
    MAILLE_TRY(sheet_write(&sheet, over->folder, "record", over->language, error));
    MAILLE_TRY(sheet_write_file(over->folder, "record.html", &page, error));
out:
    bytes_clear(&page);
    return code;
}

int audit_record(int argc, char **argv)
{
    static const struct audit_over_what what = {
        .usage = {"maille audit record", "LOG…",
                  "Writes the entries of the register of processing (GDPR art. 30), one for each study and\n"
                  "hospital: record.html, record.csv and record.json. What worker.yaml says of controller, "
                  "officer,\n"
                  "transfers and retention is in them.",
                  1, AUDIT_LOGS_MAX},
        .needs_network = true,
        .run = write_record};
    return audit_over_logs(argc, argv, &what);
}
