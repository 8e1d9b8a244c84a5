/* The table of messages that may come to the coordinator, the checks that all of them share, and who is
 * there. */
#include "coordinator/handlers.h"

#include <stdlib.h>
#include <string.h>

/* --- who is there --- */

struct seen *coordinator_peer(struct coordinator *coordinator, const char *name)
{
    for (size_t i = 0; i < coordinator->n_seen; i++)
        if (strcmp(coordinator->seen[i].name, name) == 0)
            return &coordinator->seen[i];
    struct seen *grown = realloc(coordinator->seen, (coordinator->n_seen + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    coordinator->seen = grown;
    struct seen *seen = &grown[coordinator->n_seen++];
    *seen = (struct seen){.noted = true};
    snprintf(seen->name, sizeof seen->name, "%s", name);
    return seen;
}

/* Notes that a peer was heard; true when it came by a new connection. */
static bool see(struct coordinator *coordinator, const struct incoming *in)
{
    const struct wire_message *message = in->message;
    struct seen *seen = coordinator_peer(coordinator, message->peer);
    if (seen == NULL)
        return false;
    const bool is_new = seen->address < message->address;
    if (is_new)
        seen->address = message->address;
    seen->role = message->role;
    seen->utc_ms = in->utc_ms;
    seen->heard_ms = coordinator_now_ms(coordinator);
    seen->noted = false;
    return is_new;
}

uint32_t coordinator_other_wire(const struct coordinator *coordinator, const char *name)
{
    for (size_t i = 0; i < coordinator->n_seen; i++)
        if (strcmp(coordinator->seen[i].name, name) == 0)
            return coordinator->seen[i].wire == PROTOCOL_VERSION ? 0 : coordinator->seen[i].wire;
    return 0;
}

/* What a hello says of its peer's program; a line where it is new and other than ours. */
static void see_wire(struct coordinator *coordinator, const char *name, uint32_t wire)
{
    for (size_t i = 0; i < coordinator->n_seen; i++) {
        struct seen *seen = &coordinator->seen[i];
        if (strcmp(seen->name, name) != 0 || seen->wire == wire)
            continue;
        seen->wire = wire;
        for (size_t q = 0; q < coordinator->n_queries; q++)
            coordinator->queries[q]->changed = true;
        if (wire != PROTOCOL_VERSION)
            log_line(LOG_LEVEL_WARNING,
                     "%s speaks version %u of the wire, this coordinator version %d: %s needs %s", name, wire,
                     PROTOCOL_VERSION, wire < PROTOCOL_VERSION ? name : "this coordinator",
                     message_wire_install(wire < PROTOCOL_VERSION ? PROTOCOL_VERSION : wire));
    }
}

/* A run whose hello comes again after another's: the folder of a site was copied, and both programs run. */
static enum maille_code see_copies(struct coordinator *coordinator, const struct incoming *in,
                                   const char *build, struct maille_error *error)
{
    struct seen *seen = coordinator_peer(coordinator, in->message->peer);
    const char *mark = strstr(build, MESSAGE_RUN_MARK);
    char run[sizeof seen->run];
    if (seen == NULL || mark == NULL || in->message->role != KEY_SITE)
        return MAILLE_OK;
    snprintf(run, sizeof run, "%s", mark + sizeof MESSAGE_RUN_MARK - 1);
    if (strcmp(run, seen->run) == 0)
        return MAILLE_OK;
    const bool again = strcmp(run, seen->run_before) == 0;
    memcpy(seen->run_before, seen->run, sizeof seen->run);
    memcpy(seen->run, run, sizeof run);
    if (!again)
        return MAILLE_OK;
    const int64_t now = coordinator_now_ms(coordinator);
    if (seen->copies_told_ms == 0 || now - seen->copies_told_ms >= COPIES_MS) {
        seen->copies_told_ms = now > 0 ? now : 1;
        log_line(LOG_LEVEL_ERROR, "two copies of the site %s run at once: its operator must stop one of them",
                 in->message->peer);
    }
    /* Each hears it as its own turn comes. */
    return outbox_problem(coordinator, in->message->peer, in->message->address, NULL, MAILLE_PROTOCOL,
                          "second_copy", error);
}

static enum maille_code send_directory(struct coordinator *coordinator, const struct incoming *in,
                                       struct maille_error *error)
{
    const struct directory *directory = network_directory(coordinator->network);
    const struct message_directory message = {
        .text = {.data = (const uint8_t *)directory->text, .length = directory->text_length}};
    struct bytes body = {0};
    enum maille_code code = message_directory_encode(&body, &message, error);
    if (code == MAILLE_OK)
        code = outbox_body(coordinator, in->message->peer, in->message->address, MESSAGE_DIRECTORY, &body,
                           NULL, 0, NULL, error);
    bytes_clear(&body);
    return code;
}

/* What ended while a site was away. */
static enum maille_code tell_ends(struct coordinator *coordinator, const char *name,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t qids[OWED_MAX][QID_BYTES];
    size_t n = 0;
    MAILLE_TRY(store_owed(coordinator->store, qids, &n, name, error));
    for (size_t i = 0; i < n; i++) {
        struct query *query;
        MAILLE_TRY(coordinator_recall(coordinator, &query, qids[i], error));
        struct query_site *site = query != NULL ? query_site_named(query, name) : NULL;
        if (site != NULL && query->over != NULL)
            MAILLE_TRY(outbox_site(coordinator, query, site, query->over, error));
        else
            MAILLE_TRY(store_paid(coordinator->store, name, qids[i], error));
    }
out:
    return code;
}

/* A site that has just connected is asked at once for whatever is missing, and is told what ended meanwhile.
 */
static enum maille_code greet_site(struct coordinator *coordinator, const char *name,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (coordinator_other_wire(coordinator, name) != 0)
        return MAILLE_OK;
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        struct query *query = coordinator->queries[i];
        struct query_site *site = query_site_named(query, name);
        if (site == NULL)
            continue;
        query->changed = true;
        MAILLE_TRY(coordinator_ask(coordinator, query, site, error));
        if (query->row.phase == PHASE_ROSTER && query_site_accepted(query, site))
            MAILLE_TRY(outbox_site(coordinator, query, site, query->roster, error));
    }
    MAILLE_TRY(tell_ends(coordinator, name, error));
out:
    return code;
}

/* A researcher that has just connected may be the agent of a query that lost its connection: what it missed
 * comes at once. Where a query's agent is known to be elsewhere, it is left alone. */
static enum maille_code greet_researcher(struct coordinator *coordinator, const char *name,
                                         struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < coordinator->n_queries; i++) {
        struct query *query = coordinator->queries[i];
        if (query->agent_address == 0 && !query_over(query) && strcmp(query->row.researcher, name) == 0)
            MAILLE_TRY(handlers_resend(coordinator, query, error));
    }
out:
    return code;
}

static enum maille_code handle_hello(struct coordinator *coordinator, struct query *query,
                                     struct incoming *in, struct maille_error *error)
{
    (void)query;
    enum maille_code code = MAILLE_OK;
    const struct directory *directory = network_directory(coordinator->network);
    const struct message_hello *hello = &in->opened.body.hello;
    struct bytes body = {0};
    const bool same = hello->wire == PROTOCOL_VERSION;
    see_wire(coordinator, in->message->peer, hello->wire);
    MAILLE_TRY(see_copies(coordinator, in, hello->build, error));
    const struct message_welcome welcome = {
        .wire = hello->wire > 1 ? PROTOCOL_VERSION : 1,
        .directory_version = directory->version,
        .directory_hash = directory->hash,
        .utc_ms = in->utc_ms,
        .log_seen = in->message->role == KEY_SITE ? coordinator_seen(coordinator, in->message->peer) : 0};
    MAILLE_TRY(message_welcome_encode(&body, &welcome, error));
    MAILLE_TRY(outbox_body(coordinator, in->message->peer, in->message->address, MESSAGE_WELCOME, &body, NULL,
                           0, NULL, error));
    if (same && hello->directory_version < directory->version)
        MAILLE_TRY(send_directory(coordinator, in, error));
    else if (hello->directory_version > directory->version)
        log_line(LOG_LEVEL_WARNING,
                 "%s has version %llu of the directory, we have %llu; bring the newer file here",
                 in->message->peer, (unsigned long long)hello->directory_version,
                 (unsigned long long)directory->version);
out:
    bytes_clear(&body);
    return code;
}

static enum maille_code handle_catalogue(struct coordinator *coordinator, struct query *query,
                                         struct incoming *in, struct maille_error *error)
{
    (void)query;
    enum maille_code code = MAILLE_OK;
    const struct message_catalogue *catalogue = &in->opened.body.catalogue;
    if (strcmp(catalogue->site, in->opened.envelope.from) != 0) {
        code = maille_protest(error, "site", "expected the catalogue of %s, found that of %s",
                              in->opened.envelope.from, catalogue->site);
        goto out;
    }
    MAILLE_TRY(store_put_catalogue(coordinator->store, catalogue->site, in->opened.envelope.bytes,
                                   in->opened.envelope.length, error));
out:
    return code;
}

struct gathered {
    const struct directory *directory;
    struct arena *arena;
    struct byte_view *list;
    size_t n, bytes;
};

static void gather(void *context, const char *site, const void *envelope, size_t length)
{
    enum { FRAMING = 16 };
    struct gathered *gathered = context;
    if (directory_site_named(gathered->directory, site) == NULL ||
        gathered->n == gathered->directory->n_sites || gathered->bytes + length + FRAMING > MESSAGE_BODY_MAX)
        return;
    gathered->bytes += length + FRAMING;
    uint8_t *copy = arena_alloc(gathered->arena, length);
    memcpy(copy, envelope, length);
    gathered->list[gathered->n++] = (struct byte_view){.data = copy, .length = length};
}

static enum maille_code handle_catalogue_request(struct coordinator *coordinator, struct query *query,
                                                 struct incoming *in, struct maille_error *error)
{
    (void)query;
    enum maille_code code = MAILLE_OK;
    struct gathered gathered = {.directory = network_directory(coordinator->network),
                                .arena = in->opened.arena};
    struct message_catalogues catalogues = {0};
    struct bytes body = {0};
    gathered.list = arena_array(in->opened.arena, gathered.directory->n_sites + 1, sizeof *gathered.list);
    MAILLE_TRY(store_read_catalogues(coordinator->store, gather, &gathered, error));
    catalogues.n = gathered.n;
    catalogues.envelopes = gathered.list;
    MAILLE_TRY(message_catalogues_encode(&body, &catalogues, error));
    MAILLE_TRY(outbox_body(coordinator, in->message->peer, in->message->address, MESSAGE_CATALOGUES, &body,
                           NULL, 0, NULL, error));
out:
    bytes_clear(&body);
    return code;
}

/* A site's log head: what it says is in its entry in the log. With M7 that is all; where the query is open,
 * the site was shown a head of ours that it cannot take, and asks for what leads to it. */
static enum maille_code handle_log_head(struct coordinator *coordinator, struct query *query,
                                        struct incoming *in, struct maille_error *error)
{
    struct query_site *site = query_site_named(query, in->message->peer);
    if (site == NULL || !query_site_accepted(query, site))
        return MAILLE_OK;
    return coordinator_show_head(coordinator, query, site, in->opened.body.log_head.head.seen, error);
}

/* --- the table --- */

#define IN(phase) (1u << PHASE_##phase)
enum {
    NO_QUERY = 0,
    ANY = ~0u >> 1,
    OPEN = IN(ASKED) | IN(CALLED) | IN(ROSTER) | IN(ROUND) | IN(CLOSED) | IN(REVEALED)
};

/* A message that comes in another phase is late or early, and is let go: whoever needs it will send it again.
 * Messages that are answered again when they come again have the later phases too. */
static const struct dispatch_row {
    enum message_kind kind;
    unsigned from;   /* who may send it */
    unsigned phases; /* of its query, in which it is permitted; NO_QUERY: none is meant */
    handler *handle;
} table[] = {
    {MESSAGE_HELLO, FROM_SITE | FROM_RESEARCHER, NO_QUERY, handle_hello},
    {MESSAGE_CATALOGUE, FROM_SITE, NO_QUERY, handle_catalogue},
    {MESSAGE_CATALOGUE_REQUEST, FROM_RESEARCHER, NO_QUERY, handle_catalogue_request},
    {MESSAGE_MANIFEST, FROM_RESEARCHER, NO_QUERY, coordinator_handle_manifest},
    {MESSAGE_READY, FROM_SITE, IN(ASKED), coordinator_handle_ready},
    {MESSAGE_CALL, FROM_RESEARCHER, OPEN, coordinator_handle_call},
    {MESSAGE_ACCEPT, FROM_SITE, IN(CALLED), coordinator_handle_accept},
    {MESSAGE_START, FROM_RESEARCHER, IN(ROSTER) | IN(ROUND) | IN(CLOSED) | IN(REVEALED),
     coordinator_handle_start},
    {MESSAGE_REFUSE, FROM_SITE, IN(ROUND), coordinator_handle_refuse},
    {MESSAGE_MASKED, FROM_SITE, IN(ROUND) | IN(CLOSED) | IN(REVEALED), coordinator_handle_masked},
    {MESSAGE_SEGMENT, FROM_SITE, IN(ROUND) | IN(CLOSED) | IN(REVEALED), coordinator_handle_segment},
    {MESSAGE_PULL, FROM_RESEARCHER, IN(CLOSED) | IN(REVEALED), coordinator_handle_pull},
    {MESSAGE_REVEAL, FROM_SITE, IN(CLOSED), coordinator_handle_reveal},
    {MESSAGE_TAKEN, FROM_SITE, IN(REVEALED), coordinator_handle_taken},
    {MESSAGE_RESULT, FROM_SITE, IN(REVEALED), coordinator_handle_result},
    {MESSAGE_LOG_HEAD, FROM_SITE, OPEN, handle_log_head},
    {MESSAGE_END, FROM_RESEARCHER, ANY, coordinator_handle_end},
    {MESSAGE_CANCEL, FROM_SITE | FROM_RESEARCHER, ANY, coordinator_handle_cancel},
    {MESSAGE_RESUME, FROM_RESEARCHER, ANY, coordinator_handle_resume},
    {MESSAGE_LIST_REQUEST, FROM_RESEARCHER, NO_QUERY, coordinator_handle_list_request},
};

static const struct dispatch_row *row_of(enum message_kind kind)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].kind == kind)
            return &table[i];
    return NULL;
}

/* --- what is checked of every message --- */

/* Envelope, frames, table, sender; then the signature, and only then the body. */
static enum maille_code judge(struct coordinator *coordinator, struct incoming *in,
                              const struct dispatch_row **row, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct wire_message *message = in->message;
    const struct directory *directory = network_directory(coordinator->network);
    struct message *opened = &in->opened;
    enum key_role role;
    MAILLE_TRY(message_open(opened, opened->arena, message->envelope.data, message->envelope.length,
                            message->has_frame ? message->frame.data : NULL, message->frame.length, error));
    *row = row_of(opened->envelope.kind);
    if (*row == NULL || ((*row)->from & 1u << message->role) == 0)
        return maille_protest(error, "sender", "expected a message that a %s may send, found %s",
                              key_role_name(message->role), opened->rule->name);
    /* The connection is what the directory said when it was made; it may say otherwise now. */
    if (directory_identity(directory, message->peer, &role) == NULL || role != message->role ||
        strcmp(opened->envelope.from, message->peer) != 0)
        return maille_protest(error, "sender", "expected a message of its own, found %s from \"%s\"",
                              opened->rule->name, opened->envelope.from);
    MAILLE_TRY(message_decode(opened, directory, (*row)->from, error));
    in->parcel = parcel_new(opened->envelope.kind, message->envelope.data, message->envelope.length,
                            message->has_frame ? message->frame.data : NULL, message->frame.length);
    if (in->parcel == NULL)
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");
out:
    return code;
}

/* Who asks for what, and why. The signature is the peer's: judge has seen to that. */
static void manifest_fields(struct audit_entry *entry, struct incoming *in)
{
    const struct byte_view *study = &in->opened.body.manifest.study;
    struct study_heading *heading = &in->heading;
    study_heading(heading, in->opened.arena, (const char *)study->data, study->length);
    entry->requester = in->message->peer;
    entry->study = heading->title[0] == '\0'
                       ? heading->id
                       : arena_printf(in->opened.arena, "%s: %s", heading->id, heading->title);
    entry->purpose = heading->purpose;
    entry->legal_basis = heading->legal_basis;
    entry->protocol = heading->protocol;
    entry->recipients = in->message->peer;
}

/* Appends the message to the log. A head of the sender's log that does not follow from the one before:
 * MAILLE_PROTOCOL, rule log_head, once all is in the log and the sender's answer in the outbox. */
static enum maille_code note(struct coordinator *coordinator, struct incoming *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK, shown = MAILLE_OK;
    const struct message *opened = &in->opened;
    const uint8_t *qid = opened->qid;
    const struct message_head *head = NULL;
    struct audit_entry entry;
    char log_name[DIRECTORY_LOG_NAME_BYTES];
    struct audit_seen seen = {.party = coordinator_log_name(coordinator, log_name, in->message->peer)};
    if (!outbox_entry(&entry, AUDIT_IN, in->message->peer, in->parcel, qid))
        return MAILLE_OK;
    if (opened->envelope.kind == MESSAGE_MANIFEST)
        manifest_fields(&entry, in);
    if (opened->envelope.kind == MESSAGE_ACCEPT)
        head = &opened->body.accept.head;
    if (opened->envelope.kind == MESSAGE_LOG_HEAD)
        head = &opened->body.log_head.head;
    if (opened->envelope.kind == MESSAGE_MASKED) {
        const struct message_masked *masked = &opened->body.masked;
        head = &masked->head;
        entry.psi = masked->psi.b;
        entry.vector = masked->share.vector.b;
        entry.vector_bytes = masked->share.length;
    }
    if (head != NULL) {
        shown = coordinator_witness(coordinator, seen.party, head, error);
        seen.head = (struct audit_head){head->size, head->root};
        entry.seen = &seen;
        entry.n_seen = shown == MAILLE_OK;
    }
    if (shown != MAILLE_OK && shown != MAILLE_PROTOCOL)
        return shown;
    MAILLE_TRY(audit_append(coordinator->log, &entry, error));
    struct seen *peer = coordinator_peer(coordinator, in->message->peer);
    if (peer != NULL && quota_log(&coordinator->quotas, &peer->use, in->utc_ms))
        peer->use.told = false;
    if (shown == MAILLE_PROTOCOL) {
        /* The site answers with another head, and gets no answer where that is none either. */
        if (opened->envelope.kind != MESSAGE_LOG_HEAD)
            MAILLE_TRY(outbox_problem(coordinator, in->message->peer, in->message->address, qid,
                                      MAILLE_PROTOCOL, "log_head", NULL));
        code = MAILLE_PROTOCOL;
    }
out:
    return code;
}

/* The query of a message, when its sender has a part in it (its researcher, or a named site) and the phase
 * permits the message; *query is NULL otherwise and the message is to be let go (the code says whether that
 * was a mistake: MAILLE_PROTOCOL). An agent that is late, or early, gets a status instead. */
static enum maille_code find_query(struct coordinator *coordinator, const struct incoming *in,
                                   unsigned phases, struct query **query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t *qid = in->opened.qid;
    struct query *found = coordinator_query(coordinator, qid);
    const bool is_agent = in->message->role == KEY_RESEARCHER;
    *query = NULL;
    if (found == NULL && is_agent) /* one that is over is in the store alone, after a while */
        MAILLE_TRY(coordinator_recall(coordinator, &found, qid, error));
    if (found == NULL && is_agent) {
        struct message_status unknown = {.phase = PHASE_UNKNOWN};
        struct bytes body = {0};
        memcpy(unknown.qid, qid, QID_BYTES);
        MAILLE_TRY(message_status_encode(&body, &unknown, error));
        code = outbox_body(coordinator, in->message->peer, in->message->address, MESSAGE_STATUS, &body, NULL,
                           0, NULL, error);
        goto out;
    }
    if (found == NULL) /* a site that was away when it ended */
        goto out;
    if (is_agent ? strcmp(found->row.researcher, in->message->peer) != 0
                 : query_site_named(found, in->message->peer) == NULL)
        return maille_protest(error, "part", "expected somebody who has a part in the query, found %s",
                              in->message->peer);
    if (is_agent)
        found->agent_address = in->message->address;
    if (!query_over(found))
        found->row.activity_ms = in->utc_ms;
    if ((phases & 1u << found->row.phase) != 0)
        *query = found;
    else if (is_agent)
        found->changed = true;
    else
        log_line(LOG_LEVEL_DEBUG, "%s of %s came in phase %s",
                 message_rule((uint32_t)in->opened.envelope.kind)->name, in->message->peer,
                 query_phase_name(found->row.phase));
out:
    return code;
}

enum maille_code handlers_site(const struct query *query, const struct incoming *in, uint32_t claimed,
                               struct query_site **site, struct maille_error *error)
{
    *site = query_site_named(query, in->message->peer);
    if (*site == NULL || (*site)->id != claimed)
        return maille_protest(error, "site", "expected the number of %s, found %u", in->message->peer,
                              claimed);
    return MAILLE_OK;
}

/* A peer's mistake is its own affair; a disk that fails is ours. These codes come from the store, the log and
 * the sockets alone: what is found wrong with a peer's bytes has another (MAILLE_PROTOCOL, _INVALID,
 * _SIGNATURE). */
static bool is_fatal(enum maille_code code)
{
    return code == MAILLE_IO || code == MAILLE_CORRUPT || code == MAILLE_INTERNAL;
}

static enum maille_code note_dropped(struct coordinator *coordinator, const struct incoming *in,
                                     const struct maille_error *mistake, struct maille_error *error)
{
    const struct message_rule *rule = message_rule((uint32_t)in->opened.envelope.kind);
    struct audit_entry entry = {
        .direction = AUDIT_NOTE,
        .message = "dropped",
        .peer = in->message->peer,
        .bytes = in->message->envelope.length + in->message->frame.length,
        .detail = rule == NULL ? mistake->sentence
                               : arena_printf(in->opened.arena, "%s: %s", rule->name, mistake->sentence)};
    hash_bytes(&entry.hash, in->message->envelope.data, in->message->envelope.length);
    struct seen *peer = coordinator_peer(coordinator, in->message->peer);
    if (peer != NULL && !quota_log(&coordinator->quotas, &peer->use, in->utc_ms))
        return MAILLE_OK;
    return audit_append(coordinator->log, &entry, error);
}

/* A quota that is used up: said once here, and once to the peer where `answer`. */
static enum maille_code used_up(struct coordinator *coordinator, struct seen *peer,
                                const struct wire_message *message, const char *rule, bool answer,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (peer->use.told)
        return MAILLE_OK;
    peer->use.told = true;
    log_line(LOG_LEVEL_WARNING, "%s has used up %s (coordinator.yaml): what it sends is let go",
             message->peer, rule);
    if (answer)
        code =
            outbox_problem(coordinator, message->peer, message->address, NULL, MAILLE_REFUSED, rule, error);
    return code;
}

/* What goes on where no entry may be added to the log: what says who is there, and what makes room. */
static bool always_taken(enum message_kind kind)
{
    return kind == MESSAGE_HELLO || kind == MESSAGE_END || kind == MESSAGE_CANCEL;
}

/* Into the log, then to the handler of its row. */
static enum maille_code handle(struct coordinator *coordinator, struct incoming *in,
                               const struct dispatch_row *row, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct query *query = NULL;
    struct seen *peer = coordinator_peer(coordinator, in->message->peer);
    if (peer != NULL && !always_taken(row->kind) &&
        !quota_log_left(&coordinator->quotas, &peer->use, in->utc_ms)) {
        code = used_up(coordinator, peer, in->message, "log_entries_per_day", true, error);
        goto out;
    }
    MAILLE_TRY(note(coordinator, in, error));
    if (in->message->role == KEY_SITE && row->kind != MESSAGE_HELLO &&
        coordinator_other_wire(coordinator, in->message->peer) != 0)
        return maille_protest(error, "wire_version", "expected version %d of the wire, found version %u",
                              PROTOCOL_VERSION, coordinator_other_wire(coordinator, in->message->peer));
    if (row->phases != NO_QUERY) {
        MAILLE_TRY(find_query(coordinator, in, row->phases, &query, error));
        if (query == NULL)
            goto out;
    }
    MAILLE_TRY(row->handle(coordinator, query, in, error));
out:
    return code;
}

enum maille_code coordinator_handle(struct coordinator *coordinator, const struct wire_message *message,
                                    struct maille_error *error)
{
    struct maille_error mistake = {0};
    const struct dispatch_row *row = NULL;
    struct seen *peer = coordinator_peer(coordinator, message->peer);
    if (peer != NULL && !quota_message(&coordinator->quotas, &peer->use, coordinator_now_ms(coordinator)))
        return used_up(coordinator, peer, message, "messages_per_minute", false, error); /* unread */
    struct incoming in = {.message = message,
                          .opened = {.arena = arena_new()},
                          .utc_ms = clock_read_utc_ms(&coordinator->clock)};
    if (in.opened.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");
    enum maille_code code = judge(coordinator, &in, &row, &mistake);
    if (code == MAILLE_OK) {
        const bool is_new = see(coordinator, &in);
        if (is_new)
            log_line(LOG_LEVEL_INFO, "%s %s is connected", key_role_name(message->role), message->peer);
        code = handle(coordinator, &in, row, &mistake);
        if (code == MAILLE_OK && is_new)
            code = message->role == KEY_SITE ? greet_site(coordinator, message->peer, &mistake)
                                             : greet_researcher(coordinator, message->peer, &mistake);
    }
    if (is_fatal(code)) {
        if (error != NULL)
            *error = mistake;
    } else if (code != MAILLE_OK) {
        code = MAILLE_OK;
        if (coordinator->complaints++ < COMPLAINTS_MAX) {
            log_line(LOG_LEVEL_WARNING, "dropped a message of %s: %s", message->peer, mistake.sentence);
            code = note_dropped(coordinator, &in, &mistake, error);
        }
    }
    parcel_drop(in.parcel);
    arena_free(in.opened.arena);
    return code;
}
