/* The source of sums across a socketpair: requests of the vault, answers of the process `data`. One request,
 * one answer. */
#include "worker/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/yaml.h"
#include "worker/channel.h"

enum data_request { REQUEST_FACTS = 1, REQUEST_CELLS = 2, REQUEST_ROUND = 3, REQUEST_MEMBERS = 4 };
enum data_reply {
    REPLY_ERROR = 10,
    REPLY_FACTS = 11,
    REPLY_CELLS = 12,
    REPLY_ROUND = 13,
    REPLY_MEMBERS = 14
};

/* The vector of a round (TALLY_BYTES_MAX) and what stands beside it. */
static const size_t reply_max = TALLY_BYTES_MAX + ((size_t)64 << 20);

/* --- the process --- */

struct request {
    uint32_t number;
    struct study study; /* text, text_length and missing alone */
    size_t n;
    bool *open;
    struct vector *thetas;
    uint64_t analysis; /* of REQUEST_MEMBERS */
    bool persons;
    struct bytes plan; /* empty: no threshold rounds */
    enum data_weigh weigh;
};

static enum maille_code nonsense(struct maille_error *error, const char *what)
{
    return maille_fail(error, MAILLE_INTERNAL,
                       "expected %s of another process of this worker, found other bytes", what);
}

/* Per analysis: open, then θ. */
static bool thetas_take(struct request *request, struct arena *arena, struct reader *reader)
{
    uint64_t n = reader_u64(reader);
    if (reader->bad || n > STUDY_ANALYSES_MAX)
        return false;
    request->n = (size_t)n;
    request->open = arena_array(arena, request->n + 1, sizeof *request->open);
    request->thetas = arena_array(arena, request->n + 1, sizeof *request->thetas);
    for (size_t k = 0; k < request->n; k++) {
        request->open[k] = reader_u8(reader) != 0;
        uint64_t length = reader_u64(reader);
        if (reader->bad || length > reader_left(reader) / sizeof(double))
            return false;
        double *values = vector_grow(&request->thetas[k], (size_t)length);
        for (uint64_t i = 0; i < length; i++)
            values[i] = reader_f64(reader);
    }
    return !reader->bad;
}

static enum maille_code request_read(struct request *request, struct arena *arena,
                                     const struct record *record, struct maille_error *error)
{
    struct reader reader = reader_of(record->body.data, record->body.length);
    bool known = true;
    request->number = reader_u32(&reader);
    if (record->kind == REQUEST_CELLS || record->kind == REQUEST_ROUND || record->kind == REQUEST_MEMBERS) {
        const uint8_t *text = reader_block(&reader, YAML_BYTES_MAX, &request->study.text_length);
        if (text != NULL)
            request->study.text = arena_strndup(arena, (const char *)text, request->study.text_length);
    }
    if (record->kind == REQUEST_ROUND && !thetas_take(request, arena, &reader))
        return nonsense(error, "a round's request");
    if (record->kind == REQUEST_MEMBERS) {
        request->analysis = reader_u64(&reader);
        request->persons = reader_u8(&reader) != 0;
    }
    if (record->kind == REQUEST_ROUND) {
        size_t length = 0;
        const uint8_t *plan = reader_block(&reader, DATA_REQUEST_MAX, &length);
        if (plan != NULL && length > 0 && bytes_copy(&request->plan, plan, length) != MAILLE_OK)
            return maille_fail(error, MAILLE_MEMORY, "no memory for a plan");
        request->weigh = (enum data_weigh)reader_u8(&reader);
        known = request->weigh <= DATA_WEIGH_ALL;
    }
    return known && reader_done(&reader) ? MAILLE_OK : nonsense(error, "a request");
}

static void failures_put(struct bytes *out, const struct data_failure *failures, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        bytes_put_string(out, failures[k].rule);
        bytes_put_string(out, failures[k].sentence);
    }
}

static enum maille_code answer_facts(struct bytes *out, const struct data_source *source,
                                     const struct request *request, struct arena *arena,
                                     struct maille_error *error)
{
    struct data_facts facts;
    enum maille_code code = source->facts(source->context, &facts, request->number, arena, error);
    if (code != MAILLE_OK)
        return code;
    bytes_put_u32(out, facts.number);
    bytes_put(out, facts.hash.b, HASH_BYTES);
    bytes_put_u64(out, facts.rows);
    bytes_put_u64(out, facts.patients);
    bytes_put_u8(out, facts.is_public);
    bytes_put_u32(out, facts.superseded);
    bytes_put_block(out, facts.exclusions, strlen(facts.exclusions));
    bytes_put_block(out, facts.dictionary, facts.dictionary_length);
    return bytes_check(out, error);
}

static enum maille_code answer_cells(struct bytes *out, const struct data_source *source,
                                     const struct request *request, struct maille_error *error)
{
    struct data_cells cells = {0};
    enum maille_code code = source->cells(source->context, &cells, request->number, &request->study, error);
    if (code == MAILLE_OK) {
        bytes_put_u64(out, cells.n);
        failures_put(out, cells.failures, cells.n);
        for (size_t k = 0; k < cells.n; k++)
            bytes_put_block(out, cells.words[k].words.data, cells.words[k].words.length);
        code = bytes_check(out, error);
    }
    data_cells_clear(&cells);
    return code;
}

static enum maille_code answer_round(struct bytes *out, const struct data_source *source,
                                     const struct request *request, struct arena *arena,
                                     struct maille_error *error)
{
    struct data_round round = {.weigh = request->weigh};
    /* The vault counts as many analyses as it sends; the study says how many there are. */
    bool *open = arena_array(arena, STUDY_ANALYSES_MAX, sizeof *open);
    struct vector *thetas = arena_array(arena, STUDY_ANALYSES_MAX, sizeof *thetas);
    memcpy(open, request->open, request->n * sizeof *open);
    memcpy(thetas, request->thetas, request->n * sizeof *thetas);
    enum maille_code code = source->round(source->context, &round, request->number, &request->study, open,
                                          thetas, request->plan.length > 0 ? &request->plan : NULL, error);
    if (code == MAILLE_OK) {
        bytes_put_u64(out, round.n);
        failures_put(out, round.failures, round.n);
        for (size_t k = 0; round.shares != NULL && k < round.n; k++)
            bytes_put_f64(out, round.shares[k]);
        bytes_put(out, round.layout.b, HASH_BYTES);
        bytes_put_block(out, round.words.words.data, round.words.words.length);
        code = bytes_check(out, error);
    }
    data_round_clear(&round);
    return code;
}

static enum maille_code answer_members(struct bytes *out, const struct data_source *source,
                                       const struct request *request, struct maille_error *error)
{
    struct data_members members = {0};
    enum maille_code code = source->members(source->context, &members, request->number, &request->study,
                                            (size_t)request->analysis, request->persons, error);
    if (code == MAILLE_OK) {
        failures_put(out, &members.failure, 1);
        bytes_put_u32(out, (uint32_t)members.n);
        for (size_t p = 0; p < members.n; p++) {
            bytes_put_block(out, members.parts[p].rows.data, members.parts[p].rows.length);
            bytes_put_block(out, members.parts[p].patients.data, members.parts[p].patients.length);
        }
        bytes_put_block(out, members.persons.data, members.persons.length);
        code = bytes_check(out, error);
    }
    data_members_clear(&members);
    return code;
}

/* One request: what is wrong with the snapshot or the study is an answer; nonsense is an error. */
static enum maille_code answer(int end, const struct data_source *source, const struct record *record,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct request request = {0};
    struct bytes reply = {0};
    struct maille_error why = {0};
    uint32_t kind = record->kind + (REPLY_FACTS - REQUEST_FACTS);
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a request");
    MAILLE_TRY(request_read(&request, arena, record, error));
    switch (record->kind) {
    case REQUEST_FACTS:
        code = answer_facts(&reply, source, &request, arena, &why);
        break;
    case REQUEST_CELLS:
        code = answer_cells(&reply, source, &request, &why);
        break;
    case REQUEST_ROUND:
        code = answer_round(&reply, source, &request, arena, &why);
        break;
    case REQUEST_MEMBERS:
        code = answer_members(&reply, source, &request, &why);
        break;
    default:
        code = nonsense(error, "a known request");
        goto out;
    }
    if (code != MAILLE_OK) {
        kind = REPLY_ERROR;
        bytes_wipe(&reply);
        bytes_put_u32(&reply, (uint32_t)code);
        bytes_put_string(&reply, why.rule);
        bytes_put_string(&reply, why.sentence);
    }
    MAILLE_TRY(bytes_check(&reply, error));
    MAILLE_TRY(channel_send(end, kind, reply.data, reply.length, error));
out:
    for (size_t k = 0; k < request.n && request.thetas != NULL; k++)
        vector_clear(&request.thetas[k]);
    bytes_clear(&request.plan);
    bytes_wipe(&reply);
    arena_free(arena);
    return code;
}

enum maille_code data_serve(struct data *data, int end, struct maille_error *error)
{
    const struct data_source source = data_local(data);
    struct record record = {0};
    enum maille_code code = MAILLE_OK;
    while (code == MAILLE_OK) {
        code = channel_receive(end, &record, DATA_REQUEST_MAX, error);
        if (code == MAILLE_OK)
            code = answer(end, &source, &record, error);
        bytes_wipe(&record.body);
    }
    return code;
}

/* --- the vault's end --- */

/* Copies a block of at most size − 1 bytes as a string. */
static void string_take(char *out, size_t size, struct reader *reader)
{
    size_t length = 0;
    const uint8_t *text = reader_block(reader, size - 1, &length);
    memcpy(out, text != NULL ? text : (const uint8_t *)"", length);
    out[length] = '\0';
}

/* Sends a request and takes its answer; an answer that is an error becomes *error. */
static enum maille_code ask(struct data_remote *remote, struct record *reply, uint32_t kind,
                            struct bytes *request, struct maille_error *error)
{
    enum maille_code code = bytes_check(request, error);
    if (code == MAILLE_OK)
        code = channel_send(remote->end, kind, request->data, request->length, error);
    if (code == MAILLE_OK)
        code = channel_receive(remote->end, reply, reply_max, error);
    if (code == MAILLE_OK && reply->kind == REPLY_ERROR) {
        struct maille_error why = {0};
        struct reader reader = reader_of(reply->body.data, reply->body.length);
        why.code = (enum maille_code)reader_u32(&reader);
        string_take(why.rule, sizeof why.rule, &reader);
        string_take(why.sentence, sizeof why.sentence, &reader);
        if (!reader_done(&reader) || why.code == MAILLE_OK || why.code > MAILLE_INTERNAL)
            code = nonsense(error, "an answer");
        else {
            code = why.code;
            if (error != NULL)
                *error = why;
            bytes_clear(request);
            return code; /* the process is well */
        }
    } else if (code == MAILLE_OK && reply->kind != kind + (REPLY_FACTS - REQUEST_FACTS)) {
        code = nonsense(error, "an answer");
    }
    remote->broken = remote->broken || code != MAILLE_OK;
    bytes_clear(request);
    return code;
}

static enum maille_code broken(struct data_remote *remote, struct maille_error *error)
{
    remote->broken = true;
    return nonsense(error, "an answer");
}

static struct data_failure *failures_take(struct reader *reader, size_t n)
{
    struct data_failure *failures = calloc(n + 1, sizeof *failures);
    for (size_t k = 0; k < n && failures != NULL; k++) {
        string_take(failures[k].rule, sizeof failures[k].rule, reader);
        string_take(failures[k].sentence, sizeof failures[k].sentence, reader);
    }
    return failures;
}

static double *shares_take(struct reader *reader, size_t n)
{
    double *shares = calloc(n + 1, sizeof *shares);
    for (size_t k = 0; k < n && shares != NULL; k++)
        shares[k] = reader_f64(reader);
    return shares;
}

static enum maille_code remote_facts(void *context, struct data_facts *facts, uint32_t number,
                                     struct arena *arena, struct maille_error *error)
{
    struct data_remote *remote = context;
    struct bytes request = {0};
    struct record reply = {0};
    bytes_put_u32(&request, number);
    enum maille_code code = ask(remote, &reply, REQUEST_FACTS, &request, error);
    if (code == MAILLE_OK) {
        struct data_facts made = {0};
        struct reader reader = reader_of(reply.body.data, reply.body.length);
        made.number = reader_u32(&reader);
        const uint8_t *hash = reader_take(&reader, HASH_BYTES);
        made.rows = reader_u64(&reader);
        made.patients = reader_u64(&reader);
        made.is_public = reader_u8(&reader) != 0;
        made.superseded = reader_u32(&reader);
        size_t exclusions_length = 0;
        const uint8_t *exclusions = reader_block(&reader, reply_max, &exclusions_length);
        const uint8_t *text = reader_block(&reader, reply_max, &made.dictionary_length);
        if (!reader_done(&reader) || hash == NULL || exclusions == NULL || text == NULL) {
            code = broken(remote, error);
        } else {
            memcpy(made.hash.b, hash, HASH_BYTES);
            made.exclusions = arena_strndup(arena, (const char *)exclusions, exclusions_length);
            made.dictionary = arena_strndup(arena, (const char *)text, made.dictionary_length);
            *facts = made;
        }
    }
    bytes_wipe(&reply.body);
    return code;
}

static enum maille_code remote_cells(void *context, struct data_cells *cells, uint32_t number,
                                     const struct study *study, struct maille_error *error)
{
    struct data_remote *remote = context;
    struct bytes request = {0};
    struct record reply = {0};
    struct data_cells made = {0};
    enum maille_code code = MAILLE_OK;
    bytes_put_u32(&request, number);
    bytes_put_block(&request, study->text, study->text_length);
    MAILLE_TRY(ask(remote, &reply, REQUEST_CELLS, &request, error));
    struct reader reader = reader_of(reply.body.data, reply.body.length);
    if (reader_u64(&reader) != study->n_analyses) {
        code = broken(remote, error);
        goto out;
    }
    made.n = study->n_analyses;
    made.failures = failures_take(&reader, made.n);
    made.words = calloc(made.n + 1, sizeof *made.words);
    if (made.failures == NULL || made.words == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for head counts");
        goto out;
    }
    for (size_t k = 0; k < made.n; k++) {
        size_t length = 0;
        const uint8_t *words = reader_block(&reader, reply_max, &length);
        if (words != NULL && length > 0)
            MAILLE_TRY(bytes_copy(&made.words[k].words, words, length));
    }
    if (!reader_done(&reader)) {
        code = broken(remote, error);
        goto out;
    }
    *cells = made;
    made = (struct data_cells){0};
out:
    data_cells_clear(&made);
    bytes_wipe(&reply.body);
    return code;
}

static enum maille_code remote_round(void *context, struct data_round *round, uint32_t number,
                                     const struct study *study, const bool *open, const struct vector *thetas,
                                     const struct bytes *plan, struct maille_error *error)
{
    struct data_remote *remote = context;
    struct bytes request = {0};
    struct record reply = {0};
    struct data_round made = {.weigh = round->weigh};
    enum maille_code code = MAILLE_OK;
    bytes_put_u32(&request, number);
    bytes_put_block(&request, study->text, study->text_length);
    bytes_put_u64(&request, study->n_analyses);
    for (size_t k = 0; k < study->n_analyses; k++) {
        bytes_put_u8(&request, open[k]);
        bytes_put_u64(&request, open[k] ? thetas[k].n : 0);
        for (size_t i = 0; open[k] && i < thetas[k].n; i++)
            bytes_put_f64(&request, thetas[k].v[i]);
    }
    bytes_put_block(&request, plan != NULL ? plan->data : NULL, plan != NULL ? plan->length : 0);
    bytes_put_u8(&request, (uint8_t)made.weigh);
    MAILLE_TRY(ask(remote, &reply, REQUEST_ROUND, &request, error));
    struct reader reader = reader_of(reply.body.data, reply.body.length);
    if (reader_u64(&reader) != study->n_analyses) {
        code = broken(remote, error);
        goto out;
    }
    made.n = study->n_analyses;
    made.failures = failures_take(&reader, made.n);
    if (made.weigh != DATA_WEIGH_NONE)
        made.shares = shares_take(&reader, made.n);
    const uint8_t *layout = reader_take(&reader, HASH_BYTES);
    size_t length = 0;
    const uint8_t *words = reader_block(&reader, TALLY_BYTES_MAX, &length);
    if (!reader_done(&reader) || layout == NULL) {
        code = broken(remote, error);
        goto out;
    }
    if (made.failures == NULL || (made.weigh != DATA_WEIGH_NONE && made.shares == NULL)) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a round");
        goto out;
    }
    memcpy(made.layout.b, layout, HASH_BYTES);
    if (words != NULL && length > 0)
        MAILLE_TRY(bytes_copy(&made.words.words, words, length));
    *round = made;
    made = (struct data_round){0};
out:
    data_round_clear(&made);
    bytes_wipe(&reply.body);
    return code;
}

static enum maille_code set_take(struct bytes *set, struct reader *reader)
{
    size_t length = 0;
    const uint8_t *data = reader_block(reader, reply_max, &length);
    return data != NULL && length > 0 ? bytes_copy(set, data, length) : MAILLE_OK;
}

static enum maille_code remote_members(void *context, struct data_members *members, uint32_t number,
                                       const struct study *study, size_t analysis, bool persons,
                                       struct maille_error *error)
{
    struct data_remote *remote = context;
    struct bytes request = {0};
    struct record reply = {0};
    struct data_members made = {0};
    enum maille_code code = MAILLE_OK;
    bytes_put_u32(&request, number);
    bytes_put_block(&request, study->text, study->text_length);
    bytes_put_u64(&request, analysis);
    bytes_put_u8(&request, persons);
    MAILLE_TRY(ask(remote, &reply, REQUEST_MEMBERS, &request, error));
    struct reader reader = reader_of(reply.body.data, reply.body.length);
    string_take(made.failure.rule, sizeof made.failure.rule, &reader);
    string_take(made.failure.sentence, sizeof made.failure.sentence, &reader);
    const size_t n = reader_u32(&reader);
    if (n > PARTS_ALL_MAX) {
        code = broken(remote, error);
        goto out;
    }
    made.parts = calloc(n + 1, sizeof *made.parts);
    if (made.parts == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for the members of an analysis");
        goto out;
    }
    made.n = n;
    for (size_t p = 0; p < n; p++) {
        MAILLE_TRY(set_take(&made.parts[p].rows, &reader));
        MAILLE_TRY(set_take(&made.parts[p].patients, &reader));
    }
    MAILLE_TRY(set_take(&made.persons, &reader));
    if (!reader_done(&reader)) {
        code = broken(remote, error);
        goto out;
    }
    *members = made;
    made = (struct data_members){0};
out:
    data_members_clear(&made);
    bytes_wipe(&reply.body);
    return code;
}

struct data_source data_over(struct data_remote *remote)
{
    return (struct data_source){.context = remote,
                                .facts = remote_facts,
                                .cells = remote_cells,
                                .round = remote_round,
                                .members = remote_members};
}
