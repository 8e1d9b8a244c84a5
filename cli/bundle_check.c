/* What the messages of a query, its study, its directory and its result say of one another. */
#include <stdlib.h>
#include <string.h>

#include "cli/bundle.h"
#include "proto/open.h"

/* While it is read. */
struct reading {
    struct bundle_facts *facts;
    struct arena *arena;
    const struct bundle_input *input;
    struct digest manifest_hash;
    bool called; /* there is a roster */
    size_t n_started;
    struct digest *started;         /* ψ of every start */
    struct digest *closed;          /* of the n_rounds that were closed */
    struct bundle_answers *answers; /* NULL: not in the circle, or no result yet */
    uint32_t *members;              /* of the last close */
    size_t n_members;
};

static enum maille_code another(struct maille_error *error, const char *where, const char *what)
{
    return maille_fail(error, MAILLE_SIGNATURE, "expected %s in %s, found another", what, where);
}

static bool same(const struct byte_view *a, const void *data, size_t length)
{
    return a->length == length && (length == 0 || memcmp(a->data, data, length) == 0);
}

/* --- logs --- */

static struct bundle_log *log_of(struct bundle_facts *facts, const char *party)
{
    for (size_t l = 0; l < facts->n_logs; l++)
        if (strcmp(facts->logs[l].party, party) == 0)
            return &facts->logs[l];
    return NULL;
}

/* The next head that this party showed. */
static enum maille_code follow(const struct reading *r, const char *party, const struct message_head *head,
                               const char *where, struct maille_error *error)
{
    struct bundle_log *log = log_of(r->facts, party);
    const struct audit_head next = {head->size, head->root};
    if (log->n_heads > 0) {
        const struct audit_head *last = &log->heads[log->n_heads - 1];
        const bool equal = next.size == last->size && digest_equal(&next.root, &last->root);
        bool holds = equal || next.size > last->size, proved = equal;
        for (size_t p = 0; holds && !equal && p < head->n_proofs; p++)
            if (head->proofs[p].old == last->size)
                holds = proved = audit_consistent(last, &next, head->proofs[p].path, head->proofs[p].n);
        if (!holds)
            return another(
                error, where,
                arena_printf(r->arena, "the log of %s to go on from the head that it showed before", party));
        log->n_proved += proved;
    }
    log->heads[log->n_heads++] = next;
    return MAILLE_OK;
}

/* --- messages --- */

static enum maille_code take_manifest(struct reading *r, const struct message *in, const char *where,
                                      struct maille_error *error)
{
    struct bundle_facts *facts = r->facts;
    struct digest dictionary;
    const struct message_manifest *manifest = &in->body.manifest;
    facts->manifest = *manifest;
    bytes_to_hex(facts->id, manifest->qid, QID_BYTES);
    hash_kdf(&r->manifest_hash, NULL, "manifest", in->envelope.bytes, in->envelope.length);
    hash_kdf(&dictionary, NULL, "dictionary", r->input->dictionary.data, r->input->dictionary.length);
    if (strcmp(in->envelope.from, manifest->researcher) != 0)
        return another(error, where, "the researcher who signed");
    if (!same(&manifest->study, r->input->study.data, r->input->study.length))
        return another(error, "study.yaml", "the study of the manifest");
    if (!digest_equal(&dictionary, &manifest->dictionary_hash))
        return another(error, "dictionary.yaml", "the dictionary of the manifest");
    if (manifest->directory_version != facts->directory->version ||
        !digest_equal(&manifest->directory_hash, &facts->directory->hash))
        return another(error, "network.yaml", "the directory of the manifest");
    /* What a site would have asked for: less is no evidence of many. */
    const uint32_t needed =
        directory_sites_needed(facts->directory, manifest->mode == MODE_CIRCLE, manifest->n_sites);
    if (needed == 0 || manifest->n_min < needed)
        return another(error, where, "a question to as many sites as the network asks for (n_min)");
    study_heading(&facts->heading, r->arena, (const char *)manifest->study.data, manifest->study.length);
    return MAILLE_OK;
}

/* The party of a number that signed this envelope; NULL: another signed. */
static const struct directory_site *signer(const struct bundle_facts *facts, const struct message *in,
                                           uint32_t id)
{
    const struct directory_site *site = directory_site(facts->directory, id);
    return site != NULL && strcmp(site->name, in->envelope.from) == 0 ? site : NULL;
}

/* Each message shows one head of a party. */
static void add_log(struct reading *r, const char *party)
{
    r->facts->logs[r->facts->n_logs++] = (struct bundle_log){
        .party = party,
        .heads = arena_array(r->arena, r->input->n_messages + 1, sizeof(struct audit_head)),
    };
}

static enum maille_code take_roster(struct reading *r, const struct message *in, const char *where,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bundle_facts *facts = r->facts;
    const struct message_roster *roster = &in->body.roster;
    facts->sites = arena_array(r->arena, roster->n + 1, sizeof *facts->sites);
    facts->logs = arena_array(r->arena, roster->n + 1, sizeof *facts->logs);
    for (size_t a = 0; a < roster->n; a++) {
        struct message inner;
        MAILLE_TRY(message_within(&inner, r->arena, &roster->accepts[a], MESSAGE_ACCEPT, facts->directory,
                                  FROM_SITE, error));
        const struct message_accept *accept = &inner.body.accept;
        const struct directory_site *site = signer(facts, &inner, accept->site);
        bool named = false;
        for (size_t s = 0; s < facts->manifest.n_sites; s++)
            named = named || facts->manifest.sites[s] == accept->site;
        if (site == NULL || !named || memcmp(accept->qid, facts->manifest.qid, QID_BYTES) != 0 ||
            !digest_equal(&accept->manifest_hash, &r->manifest_hash) ||
            (a > 0 && facts->sites[a - 1].site->id >= accept->site)) {
            code = another(error, where, "each site's accept of this question");
            goto out;
        }
        facts->sites[facts->n_sites++] = (struct bundle_site){site, *accept};
        add_log(r, site->name);
        MAILLE_TRY(follow(r, site->name, &accept->head, where, error));
    }
    if (roster->n < facts->manifest.n_min) {
        code = another(error, where, "a roster of at least n_min sites");
        goto out;
    }
    add_log(r, facts->directory->coordinator.name);
    r->called = true;
    code = follow(r, facts->directory->coordinator.name, &roster->head, where, error);
out:
    return code;
}

static enum maille_code take_close(struct reading *r, const struct message *in, const char *where,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bundle_facts *facts = r->facts;
    const struct message_close *close = &in->body.close;
    bool started = false;
    for (size_t s = 0; s < r->n_started; s++)
        started = started || digest_equal(&r->started[s], &close->psi);
    if (!started) {
        code = another(error, where, "a round that the researcher started");
        goto out;
    }
    r->members = arena_array(r->arena, close->n + 1, sizeof *r->members);
    r->n_members = 0;
    for (size_t m = 0; m < close->n; m++) {
        struct message inner;
        MAILLE_TRY(message_within(&inner, r->arena, &close->masked[m], MESSAGE_MASKED, facts->directory,
                                  FROM_SITE, error));
        const struct message_masked *masked = &inner.body.masked;
        const struct directory_site *site = signer(facts, &inner, masked->site);
        if (site == NULL || log_of(facts, site->name) == NULL ||
            memcmp(masked->qid, facts->manifest.qid, QID_BYTES) != 0 ||
            !digest_equal(&masked->psi, &close->psi) || (m > 0 && r->members[m - 1] >= masked->site)) {
            code = another(error, where, "each member's header of this round");
            goto out;
        }
        r->members[r->n_members++] = masked->site;
        MAILLE_TRY(follow(r, site->name, &masked->head, where, error));
    }
    r->closed[facts->n_rounds++] = close->psi;
    code = follow(r, facts->directory->coordinator.name, &close->head, where, error);
out:
    return code;
}

/* A site's sealed result of a round that was closed. */
static enum maille_code take_sealed(struct reading *r, const struct message *in, size_t m, const char *where,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_result *result = &in->body.result;
    const struct directory_site *site = signer(r->facts, in, result->site);
    bool closed = false;
    for (size_t i = 0; i < r->facts->n_rounds; i++)
        closed = closed || digest_equal(&r->closed[i], &result->psi);
    if (site == NULL || log_of(r->facts, site->name) == NULL || !closed ||
        r->facts->manifest.mode != MODE_CIRCLE)
        return another(error, where, "the result of a site of the roster, of a round that was closed");
    if (r->answers == NULL)
        MAILLE_TRY(bundle_answers_new(&r->answers, r->arena, r->facts, r->input, error));
    code = bundle_answers_take(r->answers, site, result, &r->input->frames[m], error);
out:
    return code;
}

/* Kinds that a bundle may hold, and whose they are. The order is checked by the states. */
static const struct {
    enum message_kind kind;
    unsigned from;
} kinds[] = {{MESSAGE_MANIFEST, FROM_RESEARCHER},
             {MESSAGE_ROSTER, FROM_COORDINATOR},
             {MESSAGE_START, FROM_RESEARCHER},
             {MESSAGE_CLOSE, FROM_COORDINATOR},
             {MESSAGE_RESULT, FROM_SITE}};

static enum maille_code take_message(struct reading *r, size_t m, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *where = arena_printf(r->arena, "message %zu", m + 1);
    const struct byte_view *bytes = &r->input->messages[m];
    struct message in;
    struct envelope envelope;
    size_t k = 0;
    MAILLE_TRY(envelope_decode(&envelope, r->arena, bytes->data, bytes->length, error));
    while (k < sizeof kinds / sizeof *kinds && kinds[k].kind != envelope.kind)
        k++;
    if (k == sizeof kinds / sizeof *kinds || (m == 0) != (envelope.kind == MESSAGE_MANIFEST) ||
        (m > 0 && r->called == (envelope.kind == MESSAGE_ROSTER))) {
        code = another(error, where, "the manifest, then the roster, then starts, closes and results");
        goto out;
    }
    MAILLE_TRY(
        message_within(&in, r->arena, bytes, kinds[k].kind, r->facts->directory, kinds[k].from, error));
    if (m > 0 && memcmp(in.qid, r->facts->manifest.qid, QID_BYTES) != 0) {
        code = another(error, where, "a message of this question");
        goto out;
    }
    if (kinds[k].from == FROM_RESEARCHER && m > 0 &&
        strcmp(in.envelope.from, r->facts->manifest.researcher) != 0) {
        code = another(error, where, "the researcher of the manifest");
        goto out;
    }
    switch (kinds[k].kind) {
    case MESSAGE_MANIFEST:
        code = take_manifest(r, &in, where, error);
        break;
    case MESSAGE_ROSTER:
        code = take_roster(r, &in, where, error);
        break;
    case MESSAGE_CLOSE:
        code = take_close(r, &in, where, error);
        break;
    case MESSAGE_RESULT:
        code = take_sealed(r, &in, m, where, error);
        break;
    default:
        r->started[r->n_started++] = in.psi;
        break;
    }
out:
    return code;
}

/* --- the result --- */

static bool hex_is(const char *hex, const struct digest *digest)
{
    char own[2 * HASH_BYTES + 1];
    bytes_to_hex(own, digest->b, HASH_BYTES);
    return hex != NULL && strcmp(hex, own) == 0;
}

static bool is_member(const struct reading *r, uint32_t id)
{
    for (size_t m = 0; m < r->n_members; m++)
        if (r->members[m] == id)
            return true;
    return false;
}

/* Does the result say this of the study? What is missing is "" in one and may be null in the other. */
static bool told(const char *result, const char *study)
{
    return strcmp(result == NULL ? "" : result, study) == 0;
}

/* Is the result's head of a log one of those that its party showed? */
static bool was_shown(struct bundle_facts *facts, const struct report_log_head *head)
{
    const struct bundle_log *log = log_of(facts, head->party);
    for (size_t h = 0; log != NULL && h < log->n_heads; h++)
        if (head->size == (int64_t)log->heads[h].size && hex_is(head->root, &log->heads[h].root))
            return true;
    return false;
}

static enum maille_code take_result(struct reading *r, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bundle_facts *facts = r->facts;
    struct report *report = &facts->report;
    static const char where[] = "result.json";
    MAILLE_TRY(report_read(report, r->arena, where, r->input->result.data, r->input->result.length, error));
    code = MAILLE_SIGNATURE;
    if (report->query == NULL || strcmp(report->query, facts->id) != 0) {
        another(error, where, "the result of this question");
        goto out;
    }
    if (report->text == NULL || !same(&r->input->study, report->text, strlen(report->text))) {
        another(error, where, "the text of this study");
        goto out;
    }
    if (!told(report->study, facts->heading.id) || !told(report->title, facts->heading.title) ||
        !told(report->purpose, facts->heading.purpose) ||
        !told(report->legal_basis, facts->heading.legal_basis) ||
        !told(report->protocol, facts->heading.protocol)) {
        another(error, where, "the title, purpose and protocol of the study");
        goto out;
    }
    if (report->n_snapshots != r->n_members) {
        another(error, where, "the snapshots of the sites that answered");
        goto out;
    }
    for (size_t s = 0, n = 0; s < facts->n_sites; s++) {
        const struct bundle_site *site = &facts->sites[s];
        if (!is_member(r, site->site->id))
            continue;
        const struct report_snapshot *snapshot = &report->snapshots[n++];
        if (strcmp(snapshot->site, site->site->name) != 0 || snapshot->number != site->accept.snapshot ||
            !hex_is(snapshot->hash, &site->accept.snapshot_hash)) {
            another(error, where, "the snapshots that the sites signed");
            goto out;
        }
    }
    for (size_t l = 0; l < report->n_log_heads; l++) {
        const struct report_log_head *head = &report->log_heads[l];
        if (!was_shown(facts, head)) {
            another(error, where, "the heads of the logs that the messages show");
            goto out;
        }
    }
    code = MAILLE_OK;
out:
    return code;
}

enum maille_code bundle_check(struct bundle_facts *out, struct arena *arena, const struct bundle_input *input,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bundle_facts facts = {0};
    struct reading reading = {.facts = &facts, .arena = arena, .input = input};
    struct bytes page = {0};
    reading.started = arena_array(arena, input->n_messages + 1, sizeof *reading.started);
    reading.closed = arena_array(arena, input->n_messages + 1, sizeof *reading.closed);
    MAILLE_TRY(directory_accept(&facts.directory, arena, "network.yaml", (const char *)input->network.data,
                                input->network.length, NULL, error));
    for (size_t m = 0; m < input->n_messages; m++)
        MAILLE_TRY(take_message(&reading, m, error));
    if (input->n_messages == 0) {
        code = maille_fail(error, MAILLE_SIGNATURE, "expected the manifest of a question, found no message");
        goto out;
    }
    MAILLE_TRY(take_result(&reading, error));
    if (facts.manifest.mode == MODE_CIRCLE && reading.answers == NULL)
        MAILLE_TRY(bundle_answers_new(&reading.answers, arena, &facts, input, error));
    if (reading.answers != NULL)
        MAILLE_TRY(bundle_answers_compare(reading.answers, &facts, error));
    MAILLE_TRY(report_html(&page, &facts.report, error));
    facts.page_same = same(&input->page, page.data, page.length);
    *out = facts;
out:
    bytes_clear(&page);
    bundle_answers_free(reading.answers);
    return code;
}
