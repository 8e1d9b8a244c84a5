/* The first page: seven questions, the logs, the register, what left, what was refused. */
#include <string.h>

#include "base/number.h"
#include "cli/audit_page.h"
#include "disclosure/rule.h"
#include "report/page.h"

static const char *const light_classes[] = {
    [LIGHT_RED] = "light red", [LIGHT_AMBER] = "light amber", [LIGHT_GREEN] = "light green"};

static const char *day_of(const struct audit_page *page, int64_t utc_ms)
{
    char when[32];
    book_time(when, utc_ms);
    return arena_strndup(page->arena, when, 16);
}

/* The first and the last day of the calendar month before today's. */
static void last_month(const struct audit_page *page, char from[16], char until[16])
{
    const int32_t today = (int32_t)(page->now_ms / 86400000);
    int32_t day = today;
    while (number_date_month(day) == number_date_month(today))
        day--;
    number_format_date(until, day);
    const unsigned month = number_date_month(day);
    while (number_date_month(day - 1) == month)
        day--;
    number_format_date(from, day);
}

static void link_to(struct html *h, const char *href, const char *text)
{
    html_open(h, "a");
    html_set(h, "href", href);
    html_text(h, text);
    html_close(h);
}

/* --- the questions, each with the way to its answer --- */

static void put_questions(struct html *h, const struct audit_page *page)
{
    static const char *const questions[][3] = {
        {"#last-month", "Who asked what last month, and why?",
         "Qui a demandé quoi le mois dernier, et pourquoi ?"},
        {"#left", "What left this hospital?", "Qu'est-ce qui est sorti de cet hôpital ?"},
        {"#refused", "What was refused, and by which rule?",
         "Qu'est-ce qui a été refusé, et par quelle règle ?"},
        {"#register", "How many of our patients did each study concern?",
         "Combien de nos patients chaque étude a-t-elle concernés ?"},
        {"#snapshots", "Was a patient in any answer after her objection?",
         "Un patient a-t-il été compté après son opposition ?"},
        {"#open", "Stop a study now", "Arrêter une étude maintenant"},
        {"#programs", "Is this program the reviewed one?", "Ce programme est-il celui qui a été examiné ?"}};
    page_section_open(h, "questions", audit_page_say(page, "Where is the answer?", "Où est la réponse ?"));
    html_open(h, "ul");
    html_set(h, "class", "qs");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        html_open(h, "li");
        link_to(h, questions[i][0], audit_page_say(page, questions[i][1], questions[i][2]));
        html_close(h);
    }
    html_close(h);
    html_close(h);
    html_newline(h);
}

/* --- the logs --- */

static const char *light_words(const struct audit_page *page, enum audit_light light)
{
    return light == LIGHT_GREEN   ? audit_page_say(page, "● sound", "● intact")
           : light == LIGHT_AMBER ? audit_page_say(page, "▲ sound, but ask", "▲ intact, à vérifier")
                                  : audit_page_say(page, "■ NOT SOUND", "■ NON INTACT");
}

static void put_log(struct html *h, const struct audit_page *page, const struct page_log *log)
{
    const struct audit_health *health = log->health;
    const enum audit_light light = audit_health_light(health);
    const char *doubts[AUDIT_DOUBTS_MAX];
    char when[32];
    html_open(h, "h3");
    html_text(h, health->party);
    html_text(h, " ");
    html_element(h, "span", light_classes[light], light_words(page, light));
    html_close(h);
    if (!health->read)
        html_element(h, "p", "no", health->sentence);
    else if (!health->sound) {
        html_open(h, "p");
        html_set(h, "class", "no");
        html_textf(h, audit_page_say(page, "%s: %s", "%s : %s"),
                   audit_fault_word(health->report.fault, page->language),
                   audit_fault_sentence(page->arena, health->sentence, page->language));
        html_close(h);
        html_element(h, "p", NULL, audit_fault_advice(health->report.fault, page->language));
        if (!log->told)
            html_element(h, "p", NULL,
                         audit_page_say(page, "Nothing is told of a log that is not sound.",
                                        "Rien n'est dit d'un journal qui n'est pas intact."));
    } else
        html_element(h, "p", NULL, audit_health_words(page->arena, health, page->language));
    if (health->earlier > 0 && health->sound)
        html_element(h, "p", NULL, audit_health_since(page->arena, health, page->language));
    const size_t n = audit_health_doubts(doubts, page->arena, health, page->language);
    if (n > 0)
        html_open(h, "ul");
    for (size_t i = 0; i < n; i++)
        html_element(h, "li", NULL, doubts[i]);
    if (n > 0)
        html_close(h);
    html_open(h, "p");
    html_set(h, "class", "n");
    book_time(when, page->now_ms);
    html_textf(
        h,
        audit_page_say(page, "Last verified: %s UTC. Copy of: ", "Vérifié en dernier : %s UTC. Copie du : "),
        when);
    book_time(when, page->taken_ms > 0 ? page->taken_ms : page->now_ms);
    html_textf(h, "%s UTC, ", when);
    html_element(h, "code", NULL, health->folder);
    html_close(h);
    html_newline(h);
}

static void put_logs(struct html *h, const struct audit_page *page)
{
    page_section_open(h, "logs",
                      audit_page_say(page, "What the logs are worth", "Ce que valent les journaux"));
    for (size_t i = 0; i < page->n_logs; i++)
        put_log(h, page, &page->logs[i]);
    html_close(h);
    html_newline(h);
}

/* --- studies --- */

static bool is_told(const struct page_log *log)
{
    return log->told && !log->book.is_coordinator;
}

static void put_name(struct html *h, const struct audit_page *page, const struct page_log *log, size_t k)
{
    const struct book_query *query = &log->book.queries[k];
    html_open(h, "th");
    html_set(h, "scope", "row");
    link_to(h, audit_page_file(page, log, k),
            query->study_id[0] != '\0' ? query->study_id : arena_strndup(page->arena, query->name, 8));
    html_close(h);
}

/* Which of the register's questions a table holds. */
typedef bool row_wanted(const struct audit_page *page, const struct book_query *query);

static bool all_of_them(const struct audit_page *page, const struct book_query *query)
{
    (void)page;
    return query->n_steps > 0 || query->requester[0] != '\0';
}

static bool of_last_month(const struct audit_page *page, const struct book_query *query)
{
    char from[16], until[16], when[32];
    last_month(page, from, until);
    book_time(when, query->first_ms);
    return strncmp(when, from, 10) >= 0 && strncmp(when, until, 10) <= 0;
}

static bool still_open(const struct audit_page *page, const struct book_query *query)
{
    (void)page;
    return audit_page_is_open(query);
}

static size_t count(const struct audit_page *page, row_wanted *wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = 0; is_told(&page->logs[i]) && k < page->logs[i].book.n_queries; k++)
            n += wanted(page, &page->logs[i].book.queries[k]);
    return n;
}

static void put_none(struct html *h, const struct audit_page *page)
{
    html_element(h, "p", NULL, audit_page_say(page, "None.", "Aucune."));
}

/* Newest first. */
static void put_register_table(struct html *h, const struct audit_page *page, const char *name,
                               row_wanted *wanted)
{
    const char *const columns[] = {
        word(page->language, WORD_STUDY),    word(page->language, WORD_ASKED_ON),
        word(page->language, WORD_ASKED_BY), audit_page_say(page, "why", "pourquoi"),
        word(page->language, WORD_OUTCOME),  word(page->language, WORD_DECIDED_BY),
        word(page->language, WORD_PATIENTS), word(page->language, WORD_BYTES),
        word(page->language, WORD_SITE),     NULL};
    if (count(page, wanted) == 0) {
        put_none(h, page);
        return;
    }
    audit_page_rows(h, name, columns);
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = page->logs[i].book.n_queries; is_told(&page->logs[i]) && k-- > 0;) {
            const struct book_query *query = &page->logs[i].book.queries[k];
            if (!wanted(page, query))
                continue;
            html_open(h, "tr");
            put_name(h, page, &page->logs[i], k);
            audit_page_cell(h, day_of(page, query->first_ms));
            audit_page_cell(h, query->requester);
            audit_page_cell(h, arena_printf(page->arena, "%s; %s; %s", query->purpose, query->legal_basis,
                                            query->protocol));
            audit_page_cell(h, audit_page_outcome(page, query));
            audit_page_cell(h, query->decided_by[0] == '\0'
                                   ? query->outcome == OUTCOME_HELD
                                         ? audit_page_say(page, "nobody yet", "encore personne")
                                         : audit_page_say(page, "the policy", "la politique")
                               : query->decided_reason[0] == '\0'
                                   ? query->decided_by
                                   : arena_printf(page->arena, audit_page_say(page, "%s: %s", "%s : %s"),
                                                  query->decided_by, query->decided_reason));
            audit_page_cell(h, query->cohort_band[0] != '\0' ? query->cohort_band : "–");
            audit_page_number(h, query->bytes);
            audit_page_cell(h, page->logs[i].book.party);
            html_close(h);
        }
    audit_page_rows_end(h);
}

static void put_open(struct html *h, const struct audit_page *page)
{
    page_section_open(
        h, "open", audit_page_say(page, "Studies that can be stopped now", "Études que l'on peut arrêter"));
    if (count(page, still_open) == 0)
        put_none(h, page);
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = 0; is_told(&page->logs[i]) && k < page->logs[i].book.n_queries; k++) {
            const struct book_query *query = &page->logs[i].book.queries[k];
            if (!audit_page_is_open(query))
                continue;
            html_open(h, "h3");
            link_to(h, audit_page_file(page, &page->logs[i], k), query->study_id);
            html_textf(h, audit_page_say(page, ", %s, %s: %s", ", %s, %s : %s"), query->requester,
                       page->logs[i].book.party, audit_page_outcome(page, query));
            html_close(h);
            audit_page_stop(h, page, query);
        }
    html_close(h);
    html_newline(h);
}

static void put_registers(struct html *h, const struct audit_page *page)
{
    char from[16], until[16];
    last_month(page, from, until);
    page_section_open(h, "last-month", audit_page_say(page, "Asked last month", "Demandé le mois dernier"));
    html_open(h, "p");
    html_set(h, "class", "n");
    html_textf(h, audit_page_say(page, "From %s to %s.", "Du %s au %s."), from, until);
    html_close(h);
    put_register_table(h, page, audit_page_say(page, "Studies of last month", "Études du mois dernier"),
                       of_last_month);
    html_close(h);
    page_section_open(h, "register",
                      audit_page_say(page, "Register: every study", "Registre : toutes les études"));
    html_element(
        h, "p", "n",
        audit_page_say(page, "How many patients: a band of the largest cohort that was counted here for it.",
                       "Nombre de patients : une fourchette, celle de la plus grande cohorte comptée ici."));
    put_register_table(h, page, audit_page_say(page, "Every study", "Toutes les études"), all_of_them);
    html_close(h);
    html_newline(h);
}

/* --- what left --- */

static void put_left(struct html *h, const struct audit_page *page)
{
    const char *const columns[] = {word(page->language, WORD_STUDY),
                                   word(page->language, WORD_WHEN),
                                   word(page->language, WORD_ROUND),
                                   audit_page_say(page, "for", "pour"),
                                   word(page->language, WORD_ANALYSIS),
                                   word(page->language, WORD_VARIABLES),
                                   word(page->language, WORD_NUMBERS),
                                   word(page->language, WORD_BYTES),
                                   NULL};
    page_section_open(h, "left",
                      audit_page_say(page, "What left: masked sums, no patient",
                                     "Ce qui est sorti : des sommes masquées, aucun patient"));
    size_t n = 0;
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = 0; is_told(&page->logs[i]) && k < page->logs[i].book.n_queries; k++)
            n += page->logs[i].book.queries[k].n_vectors;
    if (n == 0)
        html_element(h, "p", NULL, word(page->language, WORD_NOTHING_LEFT));
    else
        audit_page_rows(h, audit_page_say(page, "What left", "Ce qui est sorti"), columns);
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = page->logs[i].book.n_queries; is_told(&page->logs[i]) && k-- > 0;) {
            const struct book_query *query = &page->logs[i].book.queries[k];
            for (size_t v = 0; v < query->n_vectors; v++) {
                const struct book_vector *vector = &query->vectors[v];
                const char *names = "", *variables = "";
                uint64_t numbers = 0;
                struct book_part part = {0};
                while (book_next_part(&part, page->arena, vector)) {
                    names = book_join_names(page->arena, names, vector->released[part.first].analysis);
                    variables = book_join_names(page->arena, variables, part.variables);
                    numbers += part.numbers;
                }
                html_open(h, "tr");
                put_name(h, page, &page->logs[i], k);
                audit_page_cell(h, day_of(page, vector->utc_ms));
                audit_page_cell(h, arena_printf(page->arena, "%u.%u", vector->round, vector->attempt));
                audit_page_cell(h, vector->threshold ? audit_page_say(page, "the sites alone (thresholds)",
                                                                      "les sites seuls (seuils)")
                                                     : audit_page_say(page, "the answer", "la réponse"));
                audit_page_cell(h, names);
                audit_page_cell(h, variables);
                audit_page_number(h, numbers);
                audit_page_number(h, vector->bytes);
                html_close(h);
            }
        }
    if (n > 0)
        audit_page_rows_end(h);
    html_close(h);
    html_newline(h);
}

/* --- what was refused --- */

static bool is_refusal(const struct book_step *step)
{
    return step->kind == STEP_REFUSED || step->kind == STEP_DENIED || step->kind == STEP_STOPPED ||
           step->kind == STEP_CANCELLED;
}

static void put_refused(struct html *h, const struct audit_page *page)
{
    const char *const columns[] = {word(page->language, WORD_STUDY),
                                   word(page->language, WORD_WHEN),
                                   word(page->language, WORD_ASKED_BY),
                                   word(page->language, WORD_ANALYSIS),
                                   word(page->language, WORD_RULE),
                                   audit_page_say(page, "why, and what the researcher can do",
                                                  "pourquoi, et ce que peut faire le chercheur"),
                                   NULL};
    size_t n = 0;
    page_section_open(h, "refused", audit_page_say(page, "What was refused", "Ce qui a été refusé"));
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = page->logs[i].book.n_queries; is_told(&page->logs[i]) && k-- > 0;) {
            const struct book_query *query = &page->logs[i].book.queries[k];
            for (size_t s = 0; s < query->n_steps; s++) {
                const struct book_step *step = &query->steps[s];
                if (!is_refusal(step))
                    continue;
                if (n++ == 0)
                    audit_page_rows(h, audit_page_say(page, "What was refused", "Ce qui a été refusé"),
                                    columns);
                html_open(h, "tr");
                put_name(h, page, &page->logs[i], k);
                audit_page_cell(h, day_of(page, step->utc_ms));
                audit_page_cell(h, query->requester);
                audit_page_cell(h,
                                step->analyses[0] != '\0' ? step->analyses : word(page->language, WORD_ALL));
                const char *rule = step->rule[0] != '\0' ? step->rule : "approval";
                audit_page_cell(h, rule);
                audit_page_cell(h, step->by[0] != '\0' ? word_of_step(page->arena, page->language, step)
                                                       : rule_reason(page->arena, rule, page->language));
                html_close(h);
            }
        }
    if (n > 0)
        audit_page_rows_end(h);
    else
        put_none(h, page);
    html_close(h);
    html_newline(h);
}

/* --- objections: which snapshot was in force, without how many, and what was counted on it --- */

static uint32_t snapshot_number(const char *detail)
{
    int64_t number = 0;
    const char *at = detail + sizeof "snapshot " - 1;
    if (strncmp(detail, "snapshot ", (size_t)(at - detail)) != 0 ||
        !number_parse_i64(at, strspn(at, "0123456789"), &number))
        return 0;
    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void put_snapshot(struct html *h, const struct audit_page *page, const struct page_log *log,
                         const struct book_event *event)
{
    const uint32_t number = snapshot_number(event->detail);
    int64_t last_ms = 0;
    const char *without = strstr(event->detail, ", without ");
    html_open(h, "tr");
    html_open(h, "th");
    html_set(h, "scope", "row");
    html_textf(h, "%s, %u", log->book.party, number);
    html_close(h);
    audit_page_cell(h, day_of(page, event->utc_ms));
    audit_page_cell(h, without != NULL
                           ? word_of_text(page->arena, page->language, without + sizeof ", without " - 1)
                           : audit_page_say(page, "nobody", "personne"));
    html_open(h, "td");
    bool any = false;
    for (size_t k = 0; k < log->book.n_queries; k++) {
        const struct book_query *query = &log->book.queries[k];
        if (query->snapshot != number || query->n_vectors == 0)
            continue;
        html_text(h, any ? ", " : "");
        link_to(h, audit_page_file(page, log, k), query->study_id);
        any = true;
        const int64_t left = query->vectors[query->n_vectors - 1].utc_ms;
        last_ms = left > last_ms ? left : last_ms;
    }
    html_text(h, any ? "" : audit_page_say(page, "none", "aucune"));
    html_close(h);
    audit_page_cell(h, last_ms > 0 ? day_of(page, last_ms) : "–");
    html_close(h);
}

static void put_snapshots(struct html *h, const struct audit_page *page)
{
    const char *const columns[] = {
        word(page->language, WORD_SNAPSHOT),
        audit_page_say(page, "in force since (UTC)", "en vigueur depuis (UTC)"),
        audit_page_say(page, "without", "sans"),
        audit_page_say(page, "studies counted on it", "études comptées dessus"),
        audit_page_say(page, "last sums that left (UTC)", "dernières sommes sorties (UTC)"),
        NULL};
    page_section_open(h, "snapshots",
                      audit_page_say(page, "Objections in force, snapshot by snapshot",
                                     "Oppositions en vigueur, instantané par instantané"));
    html_open(h, "p");
    html_text(
        h, audit_page_say(page, "Since which snapshot a patient is left out, says the site itself: ",
                          "À partir de quel instantané un patient est retiré, le site lui-même le dit : "));
    html_element(h, "code", NULL, "maille-worker objections --dir DIR");
    html_text(
        h, audit_page_say(
               page,
               ". She is in no answer that was counted on that snapshot or a later one: those stand below, "
               "and when the last sums of each left.",
               ". Il n'est dans aucune réponse comptée sur cet instantané ou un suivant : les voici, avec la "
               "date des dernières sommes sorties de chacun."));
    html_close(h);
    audit_page_rows(h, audit_page_say(page, "Snapshots and objections", "Instantanés et oppositions"),
                    columns);
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t e = page->logs[i].book.n_events; is_told(&page->logs[i]) && e-- > 0;)
            if (strcmp(page->logs[i].book.events[e].kind, "snapshot") == 0)
                put_snapshot(h, page, &page->logs[i], &page->logs[i].book.events[e]);
    audit_page_rows_end(h);
    html_close(h);
    html_newline(h);
}

/* --- programs, events, files --- */

static void put_programs(struct html *h, const struct audit_page *page)
{
    const char *const columns[] = {word(page->language, WORD_BUILD),
                                   audit_page_say(page, "published", "publié"),
                                   audit_page_say(page, "from (UTC)", "du (UTC)"),
                                   audit_page_say(page, "to (UTC)", "au (UTC)"),
                                   audit_page_say(page, "entries that name it", "entrées qui le nomment"),
                                   NULL};
    page_section_open(h, "programs",
                      audit_page_say(page, "Which programs judged", "Quels programmes ont jugé"));
    if (page->list == NULL)
        html_element(h, "p", "no",
                     audit_page_say(
                         page, "No list of published programs was given (--programs LIST): nobody compared.",
                         "Aucune liste de programmes publiés n'a été donnée (--programs LISTE) : rien "
                         "n'a été comparé."));
    audit_page_rows(h, audit_page_say(page, "Programs", "Programmes"), columns);
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t k = 0; page->logs[i].told && k < page->logs[i].book.n_programs; k++) {
            const struct book_program *program = &page->logs[i].book.programs[k];
            html_open(h, "tr");
            html_open(h, "th");
            html_set(h, "scope", "row");
            html_textf(h, "%s: ", page->logs[i].book.party);
            html_element(h, "code", NULL, program->build);
            html_close(h);
            audit_page_cell(
                h,
                page->list == NULL ? audit_page_say(page, "not compared", "non comparé")
                : audit_program_listed(page->list, program->build)
                    ? audit_page_say(page, "yes: it is in the list", "oui : il est dans la liste")
                    : audit_page_say(page, "NO: it is not in the list", "NON : il n'est pas dans la liste"));
            audit_page_cell(h, day_of(page, program->first_ms));
            audit_page_cell(h, day_of(page, program->last_ms));
            audit_page_number(h, program->n);
            html_close(h);
        }
    audit_page_rows_end(h);
    html_close(h);
    html_newline(h);
}

static void put_events(struct html *h, const struct audit_page *page)
{
    const char *const columns[] = {word(page->language, WORD_WHEN), word(page->language, WORD_SITE),
                                   word(page->language, WORD_EVENT), word(page->language, WORD_WHAT), NULL};
    page_section_open(h, "events", word(page->language, WORD_EVENTS));
    audit_page_rows(h, word(page->language, WORD_EVENTS), columns);
    for (size_t i = 0; i < page->n_logs; i++)
        for (size_t e = page->logs[i].book.n_events; page->logs[i].told && e-- > 0;) {
            const struct book_event *event = &page->logs[i].book.events[e];
            html_open(h, "tr");
            audit_page_cell(h, day_of(page, event->utc_ms));
            audit_page_cell(h, page->logs[i].book.party);
            audit_page_cell(h, word_of_kind(page->language, event->kind));
            audit_page_cell(h, word_of_text(page->arena, page->language, event->detail));
            html_close(h);
        }
    audit_page_rows_end(h);
    html_close(h);
    html_newline(h);
}

static void put_files(struct html *h, const struct audit_page *page)
{
    static const char *const files[][3] = {
        {"register.csv", "Register of processing (CSV)", "Registre des traitements (CSV)"},
        {"register.json", "Register of processing (JSON)", "Registre des traitements (JSON)"},
        {"releases.csv", "Everything that left (CSV)", "Tout ce qui est sorti (CSV)"},
        {"access.csv", "Review of access (CSV)", "Revue des accès (CSV)"},
        {"audit.json", "All of it for a program (JSON)", "Le tout pour un programme (JSON)"}};
    page_section_open(h, "files", audit_page_say(page, "For your files", "Pour vos dossiers"));
    html_open(h, "ul");
    html_set(h, "class", "buttons");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        html_open(h, "li");
        html_open(h, "a");
        html_set(h, "class", "button");
        html_set(h, "href", audit_page_beside(page, files[i][0]));
        html_text(h, audit_page_say(page, files[i][1], files[i][2]));
        html_close(h);
        html_close(h);
    }
    html_close(h);
    html_open(h, "p");
    html_text(h, audit_page_say(page, "Entries of GDPR art. 30, and an archive that verifies alone: ",
                                "Fiches de l'art. 30 du RGPD, et une archive qui se vérifie seule : "));
    html_element(h, "code", NULL, "maille audit record");
    html_text(h, ", ");
    html_element(h, "code", NULL, "maille audit archive");
    html_text(h, ".");
    html_close(h);
    html_close(h);
    html_newline(h);
}

void audit_page_index_write(struct html *h, const struct audit_page *page)
{
    size_t lights[3] = {0};
    for (size_t i = 0; i < page->n_logs; i++)
        lights[audit_health_light(page->logs[i].health)]++;
    const char *lead = arena_printf(
        page->arena,
        audit_page_say(
            page, "Network %s. Logs: %zu; sound: %zu; sound, but something to ask: %zu; not sound: %zu.",
            "Réseau %s. Journaux : %zu ; intacts : %zu ; intacts, à vérifier : %zu ; non intacts : %zu."),
        page->network[0] != '\0' ? page->network : "–", page->n_logs, lights[LIGHT_GREEN],
        lights[LIGHT_AMBER], lights[LIGHT_RED]);
    audit_page_begin(
        h, page,
        audit_page_say(page, "What was asked, and what left", "Ce qui a été demandé, et ce qui est sorti"),
        lead, false);
    put_questions(h, page);
    put_logs(h, page);
    put_open(h, page);
    put_registers(h, page);
    put_left(h, page);
    put_refused(h, page);
    put_snapshots(h, page);
    put_programs(h, page);
    put_files(h, page);
    put_events(h, page);
    audit_page_end(h, page);
}
