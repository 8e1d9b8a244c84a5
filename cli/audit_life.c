/* What became of each question: its steps out of the entries of a log, and where it stands after the last. */
#include <string.h>

#include "base/number.h"
#include "cli/audit_book.h"
#include "proto/message.h"

static bool is(const struct audit_entry *entry, enum audit_direction direction, enum message_kind kind)
{
    return entry->direction == direction && strcmp(entry->message, message_rule(kind)->name) == 0;
}

static bool is_note(const struct audit_entry *entry, const char *what)
{
    return entry->direction == AUDIT_NOTE && strcmp(entry->message, what) == 0;
}

static bool begins(const char *text, const char *words)
{
    return strncmp(text, words, strlen(words)) == 0;
}

static struct book_step *add(struct book *book, struct book_query *query, enum book_step_kind kind,
                             uint64_t sequence, int64_t utc_ms)
{
    query->steps =
        book_grow(book->arena, query->steps, query->n_steps, &query->room_steps, sizeof *query->steps);
    struct book_step *step = &query->steps[query->n_steps++];
    *step = (struct book_step){.kind = kind,
                               .sequence = sequence,
                               .utc_ms = utc_ms,
                               .rule = "",
                               .analyses = "",
                               .by = "",
                               .reason = ""};
    return step;
}

static struct book_analysis *analysis_of(struct book *book, struct book_query *query, const char *id)
{
    for (size_t i = 0; i < query->n_analyses; i++)
        if (strcmp(query->analyses[i].id, id) == 0)
            return &query->analyses[i];
    query->analyses = book_grow(book->arena, query->analyses, query->n_analyses, &query->room_analyses,
                                sizeof *query->analyses);
    struct book_analysis *made = &query->analyses[query->n_analyses++];
    *made = (struct book_analysis){.id = arena_strdup(book->arena, id), .method = "", .rule = ""};
    return made;
}

static bool refuses(const struct audit_rule *rule)
{
    return strcmp(rule->result, "refused") == 0 || strcmp(rule->result, "vetoed") == 0;
}

/* The word after "refused: " of "refused: RULE: why". */
static const char *rule_in(struct arena *arena, const char *detail)
{
    static const char mark[] = "refused: ";
    if (!begins(detail, mark))
        return "";
    const char *rule = detail + sizeof mark - 1;
    return arena_strndup(arena, rule, strcspn(rule, ": ;"));
}

/* The analyses that an entry speaks of, and which of them it refuses: one step for each rule. */
static void take_rules(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
                       const struct audit_entry *entry)
{
    const size_t before = query->n_steps;
    for (size_t i = 0; i < entry->n_rules; i++) {
        const struct audit_rule *rule = &entry->rules[i];
        struct book_step *step = NULL;
        if (rule->analysis[0] == '\0')
            continue;
        struct book_analysis *analysis = analysis_of(book, query, rule->analysis);
        if (!refuses(rule) || analysis->rule[0] != '\0')
            continue;
        analysis->rule = arena_strdup(book->arena, rule->rule);
        analysis->vetoed = strcmp(rule->result, "vetoed") == 0;
        for (size_t k = before; k < query->n_steps && step == NULL; k++)
            if (strcmp(query->steps[k].rule, rule->rule) == 0)
                step = &query->steps[k];
        if (step == NULL) {
            step = add(book, query, STEP_REFUSED, sequence, utc_ms);
            step->rule = analysis->rule;
            step->round = entry->round;
        }
        step->analyses = arena_printf(book->arena, "%s%s%s", step->analyses,
                                      step->analyses[0] != '\0' ? ", " : "", rule->analysis);
    }
}

/* Of an answer that lets the study be asked, and none of its analyses. */
static bool all_refused(const struct audit_entry *entry)
{
    bool any = false;
    for (size_t i = 0; i < entry->n_rules; i++) {
        bool refused = entry->rules[i].analysis[0] == '\0';
        for (size_t k = 0; k < entry->n_rules && !refused; k++)
            refused =
                refuses(&entry->rules[k]) && strcmp(entry->rules[i].analysis, entry->rules[k].analysis) == 0;
        if (!refused)
            return false;
        any = any || entry->rules[i].analysis[0] != '\0';
    }
    return any;
}

/* A site's answer to the question: with rules, or in words alone where it is not the first. */
static void take_ready(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
                       const struct audit_entry *entry)
{
    const bool judged = entry->decision != NULL && entry->decision[0] != '\0';
    const char *word = judged ? entry->decision : entry->detail;
    if (begins(word, "again") ||
        (!judged && (strcmp(word, "ready: approved") == 0 || strcmp(word, "refused: approval") == 0)))
        return; /* the same answer, or what a person decided, which has its own entry */
    if (begins(word, "held"))
        add(book, query, STEP_HELD, sequence, utc_ms);
    else if (begins(word, "refused")) {
        const char *rule = rule_in(book->arena, entry->detail);
        for (size_t i = 0; i < entry->n_rules && rule[0] == '\0'; i++)
            if (refuses(&entry->rules[i]) && entry->rules[i].analysis[0] == '\0')
                rule = arena_strdup(book->arena, entry->rules[i].rule);
        add(book, query, STEP_REFUSED, sequence, utc_ms)->rule = rule;
    } else if (!all_refused(entry))
        add(book, query, STEP_ACCEPTED, sequence, utc_ms);
    take_rules(book, query, sequence, utc_ms, entry);
}

static void take_decision(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
                          const struct audit_entry *entry)
{
    static const struct {
        const char *decision;
        enum book_step_kind kind;
    } kinds[] = {{"approved", STEP_APPROVED},
                 {"one of two", STEP_FIRST},
                 {"denied", STEP_DENIED},
                 {"stopped", STEP_STOPPED}};
    const char *decision = entry->decision != NULL ? entry->decision : "";
    enum book_step_kind kind = begins(entry->detail, "void: ") ? STEP_VOID : STEP_NOT_TAKEN;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(decision, kinds[i].decision) == 0)
            kind = kinds[i].kind;
    struct book_step *step = add(book, query, kind, sequence, utc_ms);
    step->by = entry->approver != NULL ? arena_strdup(book->arena, entry->approver) : "";
    const char *reason = entry->detail;
    if (kind == STEP_VOID || begins(reason, "not taken: "))
        reason = strstr(reason, ": ") + 2;
    step->reason = arena_strdup(book->arena, reason);
    if (kind == STEP_VOID) { /* it is judged again */
        query->n_analyses = 0;
        query->n_rules = 0;
    }
}

/* Sent again it is no second vector, and its entry names none. */
static void take_left(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
                      const struct audit_entry *entry)
{
    if (strcmp(entry->detail, "again") == 0)
        return;
    struct book_step *step = add(book, query, STEP_LEFT, sequence, utc_ms);
    step->round = entry->round;
    step->attempt = entry->attempt;
    step->bytes = entry->vector_bytes > 0 ? entry->vector_bytes : entry->bytes;
    step->threshold = strstr(entry->detail, "for the sites alone") != NULL;
    for (size_t i = 0; i < entry->n_released; i++) {
        struct book_analysis *analysis = analysis_of(book, query, entry->released[i].analysis);
        if (analysis->method[0] == '\0')
            analysis->method = arena_strdup(book->arena, entry->released[i].method);
        analysis->left = analysis->left || !step->threshold;
    }
    take_rules(book, query, sequence, utc_ms, entry);
}

/* " (2026-11-29)" in words. */
static const char *answer_of(struct arena *arena, const char *day, size_t length)
{
    return length > 2 ? arena_printf(arena, "%s%.*s", BOOK_ANSWER_OF, (int)length - 2, day + 2) : "";
}

/* "results of round 3, to the researcher: os (2026-11-29), cox": os is the answer of that day. Of those that
 * are refused, that they are. */
static void take_results(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
                         const struct audit_entry *entry)
{
    static const char mark[] = "to the researcher: ";
    const char *names = strstr(entry->detail, mark), *told = "";
    if (names == NULL || strcmp(names + sizeof mark - 1, "nothing that ended in it") == 0)
        return;
    for (const char *at = names + sizeof mark - 1; *at != '\0';) {
        const size_t length = strcspn(at, ",");
        struct book_analysis *analysis =
            analysis_of(book, query, arena_strndup(book->arena, at, strcspn(at, " ,")));
        analysis->answered = analysis->rule[0] == '\0';
        if (analysis->answered)
            told = arena_printf(
                book->arena, "%s%s%s%s", told, told[0] != '\0' ? ", " : "", analysis->id,
                answer_of(book->arena, at + strlen(analysis->id), length - strlen(analysis->id)));
        at += length;
        at += strspn(at, ", ");
    }
    if (told[0] != '\0')
        add(book, query, STEP_RESULTS, sequence, utc_ms)->analyses = told;
}

/* The second number of "snapshot 3, 4 earlier questions" is not ours. */
static void take_accept(struct book_query *query, const struct audit_entry *entry)
{
    int64_t number = 0;
    if (begins(entry->detail, "snapshot ") &&
        number_parse_i64(entry->detail + 9, strcspn(entry->detail + 9, ","), &number) && number > 0)
        query->snapshot = (uint32_t)number;
}

void book_live(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
               const struct audit_entry *entry)
{
    struct arena *arena = book->arena;
    if (is(entry, AUDIT_IN, MESSAGE_MANIFEST) && query->n_steps == 0)
        add(book, query, STEP_ASKED, sequence, utc_ms)->by = arena_strdup(arena, entry->peer);
    else if (is(entry, AUDIT_OUT, MESSAGE_READY))
        take_ready(book, query, sequence, utc_ms, entry);
    else if (is_note(entry, "approval"))
        take_decision(book, query, sequence, utc_ms, entry);
    else if (is(entry, AUDIT_OUT, MESSAGE_ACCEPT))
        take_accept(query, entry);
    else if (is_note(entry, "joined")) {
        bool refused = false;
        for (size_t i = 0; i < entry->n_rules; i++)
            refused = refused || refuses(&entry->rules[i]);
        if (!refused) /* else it is cancelled under that rule */
            add(book, query, STEP_RUN, sequence, utc_ms);
    } else if (is(entry, AUDIT_OUT, MESSAGE_MASKED))
        take_left(book, query, sequence, utc_ms, entry);
    else if (is(entry, AUDIT_OUT, MESSAGE_RESULT))
        take_results(book, query, sequence, utc_ms, entry);
    else if (is(entry, AUDIT_IN, MESSAGE_END))
        add(book, query, STEP_ENDED, sequence, utc_ms)->by = arena_strdup(arena, entry->peer);
    else if (is(entry, AUDIT_IN, MESSAGE_CANCEL))
        add(book, query, STEP_WITHDRAWN, sequence, utc_ms)->by = arena_strdup(arena, entry->peer);
    else if (is(entry, AUDIT_OUT, MESSAGE_CANCEL) && !book->is_coordinator)
        add(book, query, STEP_CANCELLED, sequence, utc_ms)->rule = arena_strdup(arena, entry->detail);
    else if (is_note(entry, "erased") && strcmp(entry->detail, "expired") == 0)
        add(book, query, STEP_EXPIRED, sequence, utc_ms);
    else
        take_rules(book, query, sequence, utc_ms, entry);
}

/* --- where it stands --- */

static const char *with_rule(struct arena *arena, const char *rules, const char *rule)
{
    const size_t length = strlen(rule);
    for (const char *found = rules; length > 0 && (found = strstr(found, rule)) != NULL; found++)
        if ((found == rules || found[-1] == ' ') && (found[length] == ',' || found[length] == '\0'))
            return rules;
    return length == 0 ? rules : arena_printf(arena, "%s%s%s", rules, rules[0] != '\0' ? ", " : "", rule);
}

/* Of a question that is over: by what became of its analyses. left: sums did, for the answer. */
static enum book_outcome answered(const struct book_query *query, bool left)
{
    size_t refused = 0, told = 0;
    for (size_t i = 0; i < query->n_analyses; i++) {
        refused += query->analyses[i].rule[0] != '\0';
        told +=
            query->analyses[i].rule[0] == '\0' && (query->analyses[i].answered || query->analyses[i].left);
    }
    return query->n_analyses > 0 && refused == query->n_analyses ? OUTCOME_REFUSED
           : told == 0 && !left                                  ? OUTCOME_NOTHING
           : refused > 0                                         ? OUTCOME_IN_PART
                                                                 : OUTCOME_ANSWERED;
}

/* What comes after does not make it less of a no. */
static bool is_no(enum book_outcome outcome)
{
    return outcome == OUTCOME_REFUSED || outcome == OUTCOME_DENIED || outcome == OUTCOME_STOPPED ||
           outcome == OUTCOME_CANCELLED;
}

void book_settle(struct book *book, struct book_query *query)
{
    enum book_outcome outcome = OUTCOME_ASKED;
    bool left = false, told = false, over = false, approved = false;
    const char *rule = "", *first = ""; /* first: who signed as one of two */
    for (size_t i = 0; i < query->n_steps; i++) {
        const struct book_step *step = &query->steps[i];
        switch (step->kind) {
        case STEP_ACCEPTED:
            outcome = OUTCOME_ACCEPTED;
            break;
        case STEP_HELD:
            outcome = OUTCOME_HELD;
            break;
        case STEP_APPROVED:
            outcome = OUTCOME_APPROVED;
            break;
        case STEP_DENIED:
            outcome = OUTCOME_DENIED;
            break;
        case STEP_STOPPED:
            outcome = OUTCOME_STOPPED;
            break;
        case STEP_REFUSED:
            if (step->analyses[0] == '\0') {
                outcome = OUTCOME_REFUSED;
                rule = step->rule;
            }
            break;
        case STEP_RUN:
        case STEP_LEFT:
            outcome = OUTCOME_RUNNING;
            left = left || (step->kind == STEP_LEFT && !step->threshold);
            break;
        case STEP_RESULTS:
            told = true;
            break;
        case STEP_ENDED:
            over = true;
            break;
        case STEP_WITHDRAWN:
            outcome = is_no(outcome) ? outcome : OUTCOME_WITHDRAWN;
            break;
        case STEP_CANCELLED:
            rule = is_no(outcome) ? rule : step->rule;
            outcome = is_no(outcome) ? outcome : OUTCOME_CANCELLED;
            break;
        case STEP_EXPIRED:
            outcome = is_no(outcome) ? outcome : OUTCOME_EXPIRED;
            break;
        case STEP_ASKED:
        case STEP_VOID:
        case STEP_NOT_TAKEN:
        case STEP_FIRST:
        case STEPS:
            break;
        }
        if (step->kind == STEP_APPROVED || step->kind == STEP_DENIED || step->kind == STEP_STOPPED) {
            query->decided_by = step->kind == STEP_APPROVED && first[0] != '\0'
                                    ? arena_printf(book->arena, "%s, %s", first, step->by)
                                    : step->by;
            query->decided_reason = step->reason;
        }
        first = step->kind == STEP_FIRST ? step->by : step->kind == STEP_VOID ? "" : first;
        approved = step->kind == STEP_APPROVED ||
                   (approved && step->kind != STEP_DENIED && step->kind != STEP_STOPPED &&
                    step->kind != STEP_VOID && step->kind != STEP_HELD);
    }
    const enum book_outcome came_to = answered(query, left);
    if (outcome == OUTCOME_RUNNING && over)
        outcome = came_to;
    else if (over && (outcome == OUTCOME_ACCEPTED || outcome == OUTCOME_APPROVED || outcome == OUTCOME_ASKED))
        outcome = came_to == OUTCOME_REFUSED ? OUTCOME_REFUSED : OUTCOME_NOTHING;
    /* Nothing of it is open any more, though nobody has said so yet. */
    else if (came_to == OUTCOME_REFUSED && (outcome == OUTCOME_ACCEPTED || outcome == OUTCOME_RUNNING))
        outcome = OUTCOME_REFUSED;
    if (outcome == OUTCOME_RUNNING && told) {
        bool open = false;
        for (size_t i = 0; i < query->n_analyses; i++)
            open = open || (query->analyses[i].rule[0] == '\0' && !query->analyses[i].answered);
        outcome = open ? OUTCOME_RUNNING : came_to;
    }
    if (outcome == OUTCOME_DENIED || outcome == OUTCOME_STOPPED)
        rule = "approval";
    if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_IN_PART)
        for (size_t i = 0; i < query->n_analyses; i++)
            rule = with_rule(book->arena, rule, query->analyses[i].rule);
    if (!approved)
        query->approver = query->approver_key = "";
    query->outcome = outcome;
    query->outcome_rule = rule;
}

const char *book_outcome_name(enum book_outcome outcome)
{
    static const char *const names[OUTCOMES] = {
        [OUTCOME_ASKED] = "asked",       [OUTCOME_ACCEPTED] = "accepted",   [OUTCOME_HELD] = "held",
        [OUTCOME_APPROVED] = "approved", [OUTCOME_RUNNING] = "running",     [OUTCOME_ANSWERED] = "answered",
        [OUTCOME_IN_PART] = "in part",   [OUTCOME_REFUSED] = "refused",     [OUTCOME_DENIED] = "denied",
        [OUTCOME_STOPPED] = "stopped",   [OUTCOME_CANCELLED] = "cancelled", [OUTCOME_WITHDRAWN] = "withdrawn",
        [OUTCOME_EXPIRED] = "expired",   [OUTCOME_NOTHING] = "nothing left"};
    return names[outcome];
}

const char *book_step_name(enum book_step_kind kind)
{
    static const char *const names[STEPS] = {
        [STEP_ASKED] = "asked",         [STEP_ACCEPTED] = "accepted", [STEP_REFUSED] = "refused",
        [STEP_HELD] = "held",           [STEP_FIRST] = "one of two",  [STEP_APPROVED] = "approved",
        [STEP_DENIED] = "denied",       [STEP_STOPPED] = "stopped",   [STEP_VOID] = "void",
        [STEP_NOT_TAKEN] = "not taken", [STEP_RUN] = "run",           [STEP_LEFT] = "left",
        [STEP_RESULTS] = "results",     [STEP_ENDED] = "ended",       [STEP_WITHDRAWN] = "withdrawn",
        [STEP_CANCELLED] = "cancelled", [STEP_EXPIRED] = "expired"};
    return names[kind];
}

/* --- what is asked for --- */

static bool keeps(const struct book_query *query, const struct book_filter *filter, int64_t from,
                  int64_t until)
{
    return query->first_ms >= from && query->first_ms < until &&
           (filter->researcher == NULL || strcmp(query->requester, filter->researcher) == 0) &&
           (filter->purpose == NULL || strcmp(query->purpose, filter->purpose) == 0) &&
           (filter->study == NULL || strcmp(query->study_id, filter->study) == 0);
}

static enum maille_code day(int64_t *ms, const char *text, int days_later, const char *option,
                            struct maille_error *error)
{
    int32_t days;
    if (text == NULL)
        return MAILLE_OK;
    if (!number_parse_date(text, strlen(text), &days))
        return maille_fail(error, MAILLE_INVALID, "expected %s as a day such as 2026-10-01, found \"%s\"",
                           option, text);
    *ms = (days + (int64_t)days_later) * INT64_C(86400000);
    return MAILLE_OK;
}

enum maille_code book_keep(struct book *book, const struct book_filter *filter, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int64_t from = INT64_MIN, until = INT64_MAX;
    size_t n = 0;
    const bool whose = filter->researcher != NULL || filter->purpose != NULL || filter->study != NULL;
    MAILLE_TRY(day(&from, filter->since, 0, "--since", error));
    MAILLE_TRY(day(&until, filter->until, 1, "--until", error));
    for (size_t i = 0; i < book->n_queries; i++)
        if (keeps(&book->queries[i], filter, from, until))
            book->queries[n++] = book->queries[i];
    book->n_queries = n;
    n = 0;
    for (size_t i = 0; i < book->n_events && !whose; i++)
        if (book->events[i].utc_ms >= from && book->events[i].utc_ms < until)
            book->events[n++] = book->events[i];
    book->n_events = n;
out:
    return code;
}
