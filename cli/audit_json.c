/* A log as other programs get it: maille audit show --json. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/audit_book.h"
#include "cli/audit_trust.h"

static void text(struct json_put *put, const char *name, const char *value)
{
    json_put_text(put, name, value[0] != '\0' ? value : NULL);
}

static void time_of(struct json_put *put, const char *name, int64_t utc_ms)
{
    char when[32];
    clock_format(when, utc_ms);
    json_put_text(put, name, when);
}

static void put_vector(struct json_put *put, const struct book_vector *vector)
{
    json_put_object(put, NULL);
    json_put_integer(put, "entry", (int64_t)vector->sequence);
    time_of(put, "time", vector->utc_ms);
    json_put_integer(put, "round", vector->round);
    json_put_integer(put, "attempt", vector->attempt);
    json_put_integer(put, "sites", (int64_t)vector->n_members);
    json_put_integer(put, "bytes", (int64_t)vector->bytes);
    json_put_boolean(put, "for_the_sites_alone", vector->threshold);
    text(put, "vector", vector->vector);
    text(put, "detail", vector->detail);
    text(put, "replay", strcmp(vector->replay, "=") == 0 ? "ok" : vector->replay);
    json_put_list(put, "analyses");
    for (size_t k = 0; k < vector->n_released; k++) {
        const struct audit_released *released = &vector->released[k];
        json_put_object(put, NULL);
        text(put, "analysis", released->analysis);
        text(put, "method", released->method);
        text(put, "what", released->what);
        text(put, "variables", released->variables);
        text(put, "groups", released->groups);
        text(put, "values", released->values);
        json_put_integer(put, "numbers", (int64_t)released->numbers);
        json_put_end(put);
    }
    json_put_end(put);
    if (vector->numbers == NULL)
        json_put_text(put, "numbers", NULL);
    else {
        json_put_list(put, "numbers");
        for (size_t k = 0; k < vector->n_numbers; k++) /* exact decimals, longer than a double holds */
            json_put_decimal(put, NULL, vector->numbers[k]);
        json_put_end(put);
    }
    json_put_end(put);
}

static void put_step(struct json_put *put, const struct book_step *step)
{
    json_put_object(put, NULL);
    json_put_text(put, "step", book_step_name(step->kind));
    json_put_integer(put, "entry", (int64_t)step->sequence);
    time_of(put, "time", step->utc_ms);
    text(put, "by", step->by);
    text(put, "rule", step->rule);
    text(put, "analyses", step->analyses);
    text(put, "reason", step->reason);
    if (step->kind == STEP_LEFT) {
        json_put_integer(put, "round", step->round);
        json_put_integer(put, "attempt", step->attempt);
        json_put_integer(put, "bytes", (int64_t)step->bytes);
        json_put_boolean(put, "for_the_sites_alone", step->threshold);
    }
    json_put_end(put);
}

static const char *analysis_state(const struct book_analysis *analysis)
{
    return analysis->vetoed            ? "vetoed"
           : analysis->rule[0] != '\0' ? "refused"
           : analysis->answered        ? "answered"
           : analysis->left            ? "left"
                                       : "open";
}

static void put_lists(struct json_put *put, const struct book_query *query)
{
    json_put_list(put, "steps");
    for (size_t i = 0; i < query->n_steps; i++)
        put_step(put, &query->steps[i]);
    json_put_end(put);
    json_put_list(put, "analyses");
    for (size_t i = 0; i < query->n_analyses; i++) {
        json_put_object(put, NULL);
        text(put, "analysis", query->analyses[i].id);
        text(put, "method", query->analyses[i].method);
        json_put_text(put, "state", analysis_state(&query->analyses[i]));
        text(put, "rule", query->analyses[i].rule);
        json_put_end(put);
    }
    json_put_end(put);
    json_put_list(put, "rules");
    for (size_t i = 0; i < query->n_rules; i++) {
        json_put_object(put, NULL);
        text(put, "rule", query->rules[i].rule);
        text(put, "analysis", query->rules[i].analysis);
        text(put, "result", query->rules[i].result);
        text(put, "value", query->rules[i].value);
        json_put_end(put);
    }
    json_put_end(put);
    json_put_list(put, "released");
    for (size_t i = 0; i < query->n_vectors; i++)
        put_vector(put, &query->vectors[i]);
    json_put_end(put);
}

static void put_query(struct json_put *put, const struct book_query *query)
{
    json_put_object(put, NULL);
    json_put_text(put, "query", query->name);
    json_put_text(put, "outcome", book_outcome_name(query->outcome));
    text(put, "outcome_rule", query->outcome_rule);
    text(put, "requester", query->requester);
    text(put, "requester_key", query->requester_key);
    text(put, "study", query->study);
    text(put, "purpose", query->purpose);
    text(put, "legal_basis", query->legal_basis);
    text(put, "protocol", query->protocol);
    text(put, "recipients", query->recipients);
    time_of(put, "asked", query->first_ms);
    time_of(put, "last_message", query->last_ms);
    text(put, "patients", query->cohort_band);
    text(put, "cohort", query->cohort);
    if (query->snapshot > 0)
        json_put_integer(put, "snapshot", query->snapshot);
    else
        json_put_text(put, "snapshot", NULL);
    text(put, "policy", query->policy);
    text(put, "decided_by", query->decided_by);
    text(put, "reason", query->decided_reason);
    text(put, "approver", query->approver);
    text(put, "approver_key", query->approver_key);
    text(put, "build", query->build);
    json_put_integer(put, "bytes", (int64_t)query->bytes);
    json_put_integer(put, "bytes_for_the_sites_alone", (int64_t)query->threshold_bytes);
    text(put, "study_file", query->study_text);
    put_lists(put, query);
    json_put_end(put);
}

void book_put_json(struct json_put *put, const struct book *book, const struct audit_worth *worth)
{
    json_put_object(put, NULL);
    text(put, "party", book->party);
    json_put_boolean(put, "verified", worth->verified);
    json_put_boolean(put, "sound", worth->sound);
    text(put, "fault", worth->fault);
    text(put, "worth", worth->sentence);
    json_put_list(put, "queries");
    for (size_t i = 0; i < book->n_queries; i++)
        put_query(put, &book->queries[i]);
    json_put_end(put);
    json_put_list(put, "events");
    for (size_t i = 0; i < book->n_events; i++) {
        json_put_object(put, NULL);
        json_put_integer(put, "entry", (int64_t)book->events[i].sequence);
        time_of(put, "time", book->events[i].utc_ms);
        text(put, "kind", book->events[i].kind);
        text(put, "detail", book->events[i].detail);
        json_put_end(put);
    }
    json_put_end(put);
    json_put_end(put);
}
