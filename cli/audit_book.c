#include "cli/audit_book.h"

#include "cli/audit_private.h"

#include <string.h>

#include "base/clock.h"
#include "proto/message.h"

void *book_grow(struct arena *arena, void *list, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return list;
    *room = *room == 0 ? 8 : 2 * *room;
    void *grown = arena_array(arena, *room, size);
    if (n > 0)
        memcpy(grown, list, n * size);
    return grown;
}

/* Keeps the first that is not empty. */
static void keep(struct arena *arena, const char **place, const char *text)
{
    if ((*place)[0] == '\0' && text != NULL && text[0] != '\0')
        *place = arena_strdup(arena, text);
}

static void keep_hex(struct arena *arena, const char **place, const uint8_t *bytes)
{
    char hex[65];
    if (bytes == NULL)
        return;
    bytes_to_hex(hex, bytes, 32);
    keep(arena, place, hex);
}

static struct book_query *query_of(struct book *book, const uint8_t *qid, int64_t utc_ms)
{
    for (size_t i = book->n_queries; i-- > 0;)
        if (memcmp(book->queries[i].qid, qid, sizeof book->queries[i].qid) == 0)
            return &book->queries[i];
    book->queries =
        book_grow(book->arena, book->queries, book->n_queries, &book->room_queries, sizeof *book->queries);
    struct book_query *query = &book->queries[book->n_queries++];
    *query = (struct book_query){.first_ms = utc_ms,
                                 .requester = "",
                                 .requester_key = "",
                                 .study = "",
                                 .purpose = "",
                                 .legal_basis = "",
                                 .protocol = "",
                                 .recipients = "",
                                 .cohort = "",
                                 .cohort_band = "",
                                 .policy = "",
                                 .approver = "",
                                 .approver_key = "",
                                 .study_text = "",
                                 .build = "",
                                 .study_id = "",
                                 .outcome_rule = "",
                                 .decided_by = "",
                                 .decided_reason = ""};
    memcpy(query->qid, qid, sizeof query->qid);
    bytes_to_hex(query->name, qid, sizeof query->qid);
    return query;
}

const char audit_not_your_key[] = "not your key: these numbers were sealed to another officer's";

static bool is_kind(const struct audit_entry *entry, enum message_kind kind)
{
    return strcmp(entry->message, message_rule(kind)->name) == 0;
}

/* The numbers of a block. False: they are not in the vector. */
static bool open_block(struct book *book, struct book_vector *vector, size_t block,
                       const struct audit_clear *clear)
{
    const struct audit_released *released = &vector->released[block];
    char text[64];
    if (released->width == 0 || released->offset > clear->length ||
        released->numbers > clear->length / released->width)
        return false;
    for (uint64_t i = 0; i < released->numbers; i++) {
        if (vector->n_numbers == clear->length / 8 ||
            !audit_clear_at(text, clear, released->offset + i * released->width, released->width,
                            released->fraction))
            return false;
        vector->numbers[vector->n_numbers++] = arena_strdup(book->arena, text);
    }
    return true;
}

/* With the officer's key: the numbers, and whether they are what was sent. */
static void open_vector(struct book *book, struct book_vector *vector, const struct audit_entry *entry)
{
    struct maille_error error = {0};
    struct audit_clear clear;
    char text[64];
    if (book->dpo == NULL || entry->clear.length == 0)
        return;
    book->replayed++;
    if (audit_replay(NULL, entry, book->dpo, &error) != MAILLE_OK) {
        book->replayed_wrong++;
        vector->replay =
            error.code == MAILLE_SIGNATURE ? audit_not_your_key : arena_strdup(book->arena, error.sentence);
    } else
        vector->replay = "=";
    if (audit_open_clear(&clear, entry, book->dpo, &error) != MAILLE_OK)
        return;
    vector->numbers = arena_array(book->arena, clear.length / 8 + 1, sizeof *vector->numbers);
    bool labelled = vector->n_released > 0;
    for (size_t i = 0; i < vector->n_released && labelled; i++)
        labelled = open_block(book, vector, i, &clear);
    if (!labelled) {
        vector->n_released = 0; /* names that do not fit are no names */
        vector->n_numbers = (size_t)audit_clear_count(&clear);
        for (size_t i = 0; i < vector->n_numbers && audit_clear_number(text, &clear, i); i++)
            vector->numbers[i] = arena_strdup(book->arena, text);
    }
    audit_clear_wipe(&clear);
}

const char *book_join_names(struct arena *arena, const char *all, const char *more)
{
    for (const char *at = more; *at != '\0';) {
        size_t length = strcspn(at, ",");
        bool there = false;
        for (const char *found = all;
             (found = strstr(found, arena_strndup(arena, at, length))) != NULL && !there; found++)
            there = (found == all || found[-1] == ' ') && (found[length] == ',' || found[length] == '\0');
        if (!there)
            all = arena_printf(arena, "%s%s%.*s", all, all[0] != '\0' ? ", " : "", (int)length, at);
        at += length;
        at += strspn(at, ", ");
    }
    return all;
}

bool book_next_part(struct book_part *at, struct arena *arena, const struct book_vector *vector)
{
    struct book_part next = {
        .first = at->first + at->n, .first_number = at->first_number + (size_t)at->numbers, .variables = ""};
    if (next.first >= vector->n_released)
        return false;
    while (next.first + next.n < vector->n_released &&
           strcmp(vector->released[next.first].analysis, vector->released[next.first + next.n].analysis) ==
               0) {
        const struct audit_released *released = &vector->released[next.first + next.n++];
        next.numbers += released->numbers;
        next.variables = book_join_names(arena, next.variables, released->variables);
    }
    *at = next;
    return true;
}

static void put_vector(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
                       const struct audit_entry *entry)
{
    if (strcmp(entry->detail, "again") == 0) /* the same bytes once more */
        return;
    query->vectors = book_grow(book->arena, query->vectors, query->n_vectors, &query->room_vectors,
                               sizeof *query->vectors);
    struct book_vector *vector = &query->vectors[query->n_vectors++];
    *vector = (struct book_vector){.sequence = sequence,
                                   .utc_ms = utc_ms,
                                   .round = entry->round,
                                   .attempt = entry->attempt,
                                   .n_members = entry->n_members,
                                   .vector = "",
                                   .replay = "",
                                   .bytes = entry->vector_bytes > 0 ? entry->vector_bytes : entry->bytes,
                                   .detail = arena_strdup(book->arena, entry->detail),
                                   .threshold = strstr(entry->detail, "for the sites alone") != NULL,
                                   .n_released = entry->n_released};
    keep_hex(book->arena, &vector->vector, entry->vector);
    struct audit_released *released = arena_array(book->arena, entry->n_released + 1, sizeof *released);
    for (size_t i = 0; i < entry->n_released; i++) {
        released[i].analysis = arena_strdup(book->arena, entry->released[i].analysis);
        released[i].method = arena_strdup(book->arena, entry->released[i].method);
        released[i].what = arena_strdup(book->arena, entry->released[i].what);
        released[i].numbers = entry->released[i].numbers;
        released[i].offset = entry->released[i].offset;
        released[i].width = entry->released[i].width;
        released[i].fraction = entry->released[i].fraction;
        released[i].groups = arena_strdup(book->arena, entry->released[i].groups);
        released[i].values = arena_strdup(book->arena, entry->released[i].values);
        released[i].variables = arena_strdup(book->arena, entry->released[i].variables);
    }
    vector->released = released;
    query->bytes += vector->bytes;
    query->threshold_bytes += vector->threshold ? vector->bytes : 0;
    open_vector(book, vector, entry);
}

/* A rule of a round of values is passed in every round: once is enough. */
static bool rule_told(const struct book_query *query, const struct audit_rule *rule)
{
    for (size_t i = 0; i < query->n_rules; i++)
        if (strcmp(query->rules[i].rule, rule->rule) == 0 &&
            strcmp(query->rules[i].analysis, rule->analysis) == 0 &&
            strcmp(query->rules[i].result, rule->result) == 0 &&
            strcmp(query->rules[i].value, rule->value) == 0)
            return true;
    return false;
}

static void put_rules(struct book *book, struct book_query *query, const struct audit_entry *entry)
{
    for (size_t i = 0; i < entry->n_rules; i++) {
        if (rule_told(query, &entry->rules[i]))
            continue;
        query->rules =
            book_grow(book->arena, query->rules, query->n_rules, &query->room_rules, sizeof *query->rules);
        struct audit_rule *rule = &query->rules[query->n_rules++];
        rule->rule = arena_strdup(book->arena, entry->rules[i].rule);
        rule->analysis = arena_strdup(book->arena, entry->rules[i].analysis);
        rule->result = arena_strdup(book->arena, entry->rules[i].result);
        rule->value = arena_strdup(book->arena, entry->rules[i].value);
    }
}

/* The study as the researcher signed it, out of the manifest. */
static void keep_study(struct book *book, struct book_query *query, const struct audit_entry *entry)
{
    struct maille_error ignored;
    struct envelope envelope;
    struct message_manifest manifest;
    if (entry->envelope.length == 0 ||
        envelope_decode(&envelope, book->arena, entry->envelope.data, entry->envelope.length, &ignored) !=
            MAILLE_OK ||
        envelope.kind != MESSAGE_MANIFEST ||
        message_manifest_decode(&manifest, book->arena, envelope.body, envelope.body_length, &ignored) !=
            MAILLE_OK)
        return;
    query->study_text = arena_strndup(book->arena, (const char *)manifest.study.data, manifest.study.length);
}

static void put_query(struct book *book, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct arena *arena = book->arena;
    char hex[65];
    bytes_to_hex(hex, entry->qid, QID_BYTES);
    if (book->only != NULL && strncmp(hex, book->only, strlen(book->only)) != 0)
        return;
    struct book_query *query = query_of(book, entry->qid, utc_ms);
    query->last_ms = utc_ms;
    keep(arena, &query->requester, entry->requester);
    keep_hex(arena, &query->requester_key, entry->requester_key);
    keep(arena, &query->study, entry->study);
    keep(arena, &query->purpose, entry->purpose);
    keep(arena, &query->legal_basis, entry->legal_basis);
    keep(arena, &query->protocol, entry->protocol);
    keep(arena, &query->recipients, entry->recipients);
    if (query->study_id[0] == '\0')
        query->study_id = arena_strndup(arena, query->study, strcspn(query->study, ":"));
    keep_hex(arena, &query->cohort, entry->cohort);
    keep(arena, &query->cohort_band, entry->cohort_band);
    keep_hex(arena, &query->policy, entry->policy_hash);
    if (entry->approver != NULL) { /* the last one counts; book_settle looks at what it was */
        query->approver = query->approver_key = "";
        keep(arena, &query->approver, entry->approver);
        keep_hex(arena, &query->approver_key, entry->approver_key);
    }
    keep(arena, &query->build, entry->build);
    put_rules(book, query, entry);
    if (is_kind(entry, MESSAGE_MANIFEST) && query->study_text[0] == '\0')
        keep_study(book, query, entry);
    if (is_kind(entry, MESSAGE_MANIFEST) && entry->direction == AUDIT_IN)
        keep(arena, &query->requester, entry->peer);
    if (is_kind(entry, MESSAGE_MASKED) && entry->direction == AUDIT_OUT)
        put_vector(book, query, sequence, utc_ms, entry);
    book_live(book, query, sequence, utc_ms, entry);
}

static void put_event(struct book *book, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    book->events =
        book_grow(book->arena, book->events, book->n_events, &book->room_events, sizeof *book->events);
    book->events[book->n_events++] =
        (struct book_event){sequence, utc_ms, arena_strdup(book->arena, entry->message),
                            arena_strdup(book->arena, entry->detail)};
}

static void put_program(struct book *book, uint64_t sequence, int64_t utc_ms, const char *build)
{
    struct book_program *program = NULL;
    for (size_t i = 0; i < book->n_programs && program == NULL; i++)
        if (strcmp(book->programs[i].build, build) == 0)
            program = &book->programs[i];
    if (program == NULL) {
        book->programs = book_grow(book->arena, book->programs, book->n_programs, &book->room_programs,
                                   sizeof *book->programs);
        program = &book->programs[book->n_programs++];
        *program = (struct book_program){
            .build = arena_strdup(book->arena, build), .first = sequence, .first_ms = utc_ms};
    }
    program->last_ms = utc_ms;
    program->n++;
}

static void take_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct book *book = context;
    if (entry->build != NULL && entry->build[0] != '\0')
        put_program(book, sequence, utc_ms, entry->build);
    book->in += entry->direction == AUDIT_IN;
    book->is_coordinator =
        book->is_coordinator || (is_kind(entry, MESSAGE_MANIFEST) && entry->direction == AUDIT_OUT);
    book->out += entry->direction == AUDIT_OUT;
    if (entry->qid != NULL)
        put_query(book, sequence, utc_ms, entry);
    else if (entry->direction == AUDIT_NOTE && entry->envelope.length > 0 &&
             (strcmp(entry->message, "policy") == 0 || strcmp(entry->message, "duties") == 0))
        *(entry->message[0] == 'p' ? &book->policy_text : &book->duties_text) =
            arena_strndup(book->arena, (const char *)entry->envelope.data, entry->envelope.length);
    if (entry->qid == NULL && entry->direction == AUDIT_NOTE)
        put_event(book, sequence, utc_ms, entry);
}

/* "D/sites/alpha/log" → "alpha": the folder that holds the log. */
static const char *party_of(struct arena *arena, const char *folder)
{
    char *path = arena_strdup(arena, folder);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

enum maille_code book_read(struct book *book, struct arena *arena, const char *folder, const char *only,
                           const struct secret_keys *dpo, struct maille_error *error)
{
    *book = (struct book){
        .arena = arena, .folder = folder, .party = party_of(arena, folder), .only = only, .dpo = dpo};
    struct audit_report report;
    const struct audit_check check = {.each = take_entry, .context = book, .taken_ms = 1};
    enum maille_code code = audit_verify(&report, NULL, folder, &check, error);
    for (size_t i = 0; i < book->n_queries; i++)
        book_settle(book, &book->queries[i]);
    if (report.party[0] != '\0')
        book->party = arena_strdup(arena, report.party);
    if (code == MAILLE_CORRUPT)
        maille_error_prefix(error, "%s", folder);
    return code;
}

void book_time(char out[32], int64_t utc_ms)
{
    clock_format(out, utc_ms);
    out[10] = ' ';
    out[19] = '\0';
}
