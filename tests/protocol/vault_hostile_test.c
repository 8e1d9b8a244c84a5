/* What one hostile party can do to honest sites: a researcher, the coordinator, or another site. */
#include <unistd.h>

#include "base/file.h"
#include "tests/protocol/sites.h"
#include "vault/private.h"
#include "worker/snapshots.h"

/* --- the honest run, so that the rest means something --- */

static void honest_rounds_end(void **state)
{
    struct world *world = *state;
    sites_to_roster(world);
    for (uint32_t round = 1; study_run_open(&world->run); round++) {
        assert_true(round <= 20);
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    for (size_t k = 0; k < world->study->n_analyses; k++)
        assert_int_equal(world->run.states[k].status, ANALYSIS_OK);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
}

/* --- a site whose key makes no secret --- */

/* An accept of gamma's whose EK is a point of small order, signed by gamma. */
static void small_order_accept(struct bytes *out, struct world *world)
{
    struct envelope envelope;
    struct message_accept accept;
    struct bytes body = {0};
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->accepts[2].data, world->accepts[2].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_accept_decode(&accept, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    memset(accept.ek, 0, PUBLIC_BYTES);
    assert_int_equal(message_accept_encode(&body, &accept, NULL), MAILLE_OK);
    assert_int_equal(envelope_encode(out, MESSAGE_ACCEPT, world->sites[2].keys, "gamma", &body, NULL),
                     MAILLE_OK);
    bytes_clear(&body);
}

/* A roster that cannot be used leaves nothing behind: the site starts again, and the right roster is still
 * taken. */
static void a_key_of_small_order_does_not_stay(void **state)
{
    struct world *world = *state;
    struct bytes body = {0}, accepts[SITES];
    struct maille_error error = {0};
    sites_to_ready(world);
    sites_to_accept(world);
    memcpy(accepts, world->accepts, sizeof accepts);
    accepts[2] = (struct bytes){0};
    small_order_accept(&accepts[2], world);
    sites_roster(&body, world, accepts);
    assert_int_not_equal(site_hear(world, 0, MESSAGE_ROSTER, world->coordinator, &body, NULL, &error),
                         MAILLE_OK);
    assert_string_equal(error.rule, "ek");
    bytes_clear(&body);
    bytes_clear(&accepts[2]);
    site_close(world, 0);
    site_open(world, 0);
    assert_int_equal(vault_queries(world->sites[0].vault), 1);
    sites_roster(&body, world, world->accepts);
    assert_int_equal(site_hear(world, 0, MESSAGE_ROSTER, world->coordinator, &body, NULL, &error), MAILLE_OK);
    bytes_clear(&body);
}

/* --- an oracle --- */

/* The finding on the one analysis of a study; "" where it passes. */
static const char *finding_of(struct world *world, const char *formula)
{
    static const struct message_method methods[] = {{"glm", 1}};
    struct message_manifest manifest = sites_manifest(world);
    struct maille_error error = {0};
    struct envelope envelope;
    struct message_ready ready;
    const char *text =
        arena_printf(world->arena,
                     "study: oracle\ndictionary: rotterdam@1\ntitle: a test\npurpose: research\n"
                     "legal_basis: MR-004\nprotocol: P-1\nexpires: 2099-12-31\nsites: all\nanalyses:\n"
                     "  - { id: a, method: glm, family: gaussian, formula: \"pgr ~ %s\" }\n",
                     formula);
    crypto_random_bytes(world->qid, QID_BYTES);
    memcpy(manifest.qid, world->qid, QID_BYTES);
    manifest.study = (struct byte_view){(const uint8_t *)text, strlen(text)};
    manifest.methods = methods;
    manifest.n_methods = 1;
    if (site_ask(world, 0, &manifest, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    const struct message_outgoing *said = site_said(world, 0, MESSAGE_READY);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_int_not_equal(ready.state, READY_REFUSED);
    return ready.n_findings == 0 ? "" : ready.findings[0].rule;
}

/* The youngest patient of the site is somewhere between 19 and 40: nothing that a researcher asks tells
 * where. */
static void no_refusal_tells_the_least_value(void **state)
{
    struct world *world = *state;
    assert_string_equal(finding_of(world, "log(age + 1)"), "");
    assert_string_equal(finding_of(world, "log(age - 19)"), "domain_bounds");
    assert_string_equal(finding_of(world, "log(age - 40)"), "domain_bounds");
    assert_string_equal(finding_of(world, "sqrt(60 - age)"), "domain_bounds");
}

/* --- attempts --- */

/* An attempt must leave something out; else a researcher could let a site tally for ever, each time with
 * another θ. */
static void an_attempt_leaves_something_out(void **state)
{
    struct world *world = *state;
    struct bytes theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    struct message_round_header header = sites_header(world, &theta, 1, 2);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "attempt");
    /* Without the count it is one. */
    study_run_refuse(&world->run, 0, "min_cell", "");
    header = sites_header(world, &theta, 1, 2);
    if (site_start(world, 0, &header, &theta, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_non_null(site_said(world, 0, MESSAGE_MASKED));
    bytes_clear(&theta);
}

/* --- one ρ, one roster --- */

/* Two accepts after one another are, to protobuf, the last alone: with ρ over the bytes without lengths, a
 * site that is shown four of five accepts and a site that is shown all five had one ρ, and masked for two
 * rosters under it. */
static void no_two_rosters_have_one_rho(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 5});
    struct bytes full = {0}, merged = {0}, both = {0};
    struct maille_error error = {0};
    sites_to_ready(world);
    sites_to_accept(world);
    sites_roster(&full, world, world->accepts);
    const struct digest rho = world->rho;
    bytes_put(&both, world->accepts[2].data, world->accepts[2].length);
    bytes_put(&both, world->accepts[3].data, world->accepts[3].length);
    const struct bytes list[] = {world->accepts[0], world->accepts[1], both, world->accepts[4]};
    world->n = 4;
    sites_roster(&merged, world, list);
    world->n = 5;
    assert_false(digest_equal(&rho, &world->rho));
    assert_int_equal(site_hear(world, 0, MESSAGE_ROSTER, world->coordinator, &merged, NULL, &error),
                     MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "accept_signed");
    assert_int_equal(site_hear(world, 0, MESSAGE_ROSTER, world->coordinator, &full, NULL, &error), MAILLE_OK);
    bytes_clear(&full);
    bytes_clear(&merged);
    bytes_clear(&both);
    void *down = world;
    sites_down(&down);
}

/* --- two-time pad, second reveal --- */

static void the_same_start_gets_the_same_bytes_also_after_a_restart(void **state)
{
    struct world *world = *state;
    struct bytes theta = {0}, envelope = {0}, frame = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    const struct message_round_header header = sites_header(world, &theta, 1, 1);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_OK);
    const struct message_outgoing *first = site_said(world, 0, MESSAGE_MASKED);
    assert_int_equal(bytes_copy(&envelope, first->envelope.data, first->envelope.length), MAILLE_OK);
    assert_int_equal(bytes_copy(&frame, first->frame.data, first->frame.length), MAILLE_OK);
    for (int restart = 0; restart < 2; restart++) {
        if (restart > 0) {
            site_close(world, 0);
            site_open(world, 0);
        }
        assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_OK);
        const struct message_outgoing *again = site_said(world, 0, MESSAGE_MASKED);
        assert_int_equal(again->envelope.length, envelope.length);
        assert_memory_equal(again->envelope.data, envelope.data, envelope.length);
        assert_int_equal(again->frame.length, frame.length);
        assert_memory_equal(again->frame.data, frame.data, frame.length);
    }
    bytes_clear(&theta);
    bytes_clear(&envelope);
    bytes_clear(&frame);
}

static void one_reveal_for_a_round_also_after_a_restart(void **state)
{
    struct world *world = *state;
    struct bytes theta = {0}, close = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_make_close(&close, world);
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error), MAILLE_OK);
    assert_non_null(site_said(world, 0, MESSAGE_REVEAL));
    site_close(world, 0);
    site_open(world, 0);
    /* Another attempt of the round that is revealed. */
    study_run_refuse(&world->run, 0, "min_cell", "");
    const struct message_round_header header = sites_header(world, &theta, 1, 2);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "order");
    assert_null(site_said(world, 0, MESSAGE_MASKED));
    /* The same close: the same reveal. */
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error), MAILLE_OK);
    assert_non_null(site_said(world, 0, MESSAGE_REVEAL));
    bytes_clear(&theta);
    bytes_clear(&close);
}

/* A later directory comes into force at a site that has masked: the query ends under the rule, before its
 * reveal. */
static void ends_before_the_reveal(struct world *world, const struct bytes *network, const char *rule)
{
    struct bytes close = {0};
    struct maille_error error = {0};
    struct envelope envelope;
    struct message_cancel cancel;
    sites_make_close(&close, world);
    site_close(world, 0);
    assert_int_equal(file_write_atomic(arena_printf(world->arena, "%s/pinned.yaml", world->sites[0].folder),
                                       network->data, network->length, 0600, &error),
                     MAILLE_OK);
    site_open(world, 0);
    assert_int_equal(vault_queries(world->sites[0].vault), 1);
    assert_int_equal(vault_tick(world->sites[0].vault, &world->sites[0].outbox, &error), MAILLE_OK);
    const struct message_outgoing *said = site_said(world, 0, MESSAGE_CANCEL);
    assert_non_null(said);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_string_equal(cancel.rule, rule);
    assert_int_equal(vault_queries(world->sites[0].vault), 0);
    assert_int_not_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error),
                         MAILLE_OK);
    assert_null(site_said(world, 0, MESSAGE_REVEAL));
    bytes_clear(&close);
}

/* The directory names another key of alice's: what she asked with the one before ends. */
static void whoever_is_revoked_gets_no_reveal(void **state)
{
    struct world *world = *state;
    struct bytes network = {0};
    struct secret_keys *before = world->alice, *other = NULL;
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    assert_int_equal(secret_keys_new(&other, KEY_RESEARCHER, "alice", NULL), MAILLE_OK);
    world->alice = other;
    sites_directory(&network, world, 2, "research-public-interest");
    world->alice = before;
    ends_before_the_reveal(world, &network, "revoked");
    secret_keys_free(other);
    bytes_clear(&network);
}

/* The network begins to register, and has not registered this. */
static void what_is_no_longer_registered_gets_no_reveal(void **state)
{
    struct world *world = *state;
    struct bytes network = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    world->registrations = "registrations: []\n";
    sites_directory(&network, world, 2, "research");
    ends_before_the_reveal(world, &network, "protocol");
    bytes_clear(&network);
}

/* --- one lie in a close, in a header --- */

static void a_close_without_a_member_or_with_another_tag_opens_nothing(void **state)
{
    struct world *world = *state;
    struct bytes close = {0}, kept = {0}, body = {0};
    struct maille_error error = {0};
    struct envelope envelope;
    struct message_masked *masked = arena_alloc(world->arena, sizeof *masked);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    /* gamma's header twice, beta's not at all */
    kept = world->masked[1];
    world->masked[1] = world->masked[2];
    sites_make_close(&close, world);
    world->masked[1] = kept;
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error),
                     MAILLE_PROTOCOL);
    bytes_clear(&close);
    /* gamma says another tag for beta: alpha sees it too, though it is not its pair */
    assert_int_equal(
        envelope_decode(&envelope, world->arena, world->masked[2].data, world->masked[2].length, NULL),
        MAILLE_OK);
    assert_int_equal(message_masked_decode(masked, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    masked->share.tags[1].tag[0] ^= 1;
    assert_int_equal(message_masked_encode(&body, masked, NULL), MAILLE_OK);
    kept = world->masked[2];
    world->masked[2] = (struct bytes){0};
    assert_int_equal(
        envelope_encode(&world->masked[2], MESSAGE_MASKED, world->sites[2].keys, "gamma", &body, NULL),
        MAILLE_OK);
    sites_make_close(&close, world);
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error),
                     MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "tags");
    bytes_clear(&world->masked[2]);
    world->masked[2] = kept;
    bytes_clear(&body);
    bytes_clear(&close);
    /* signed by a researcher instead of the coordinator */
    sites_make_close(&close, world);
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->alice, &close, NULL, &error),
                     MAILLE_SIGNATURE);
    assert_null(site_said(world, 0, MESSAGE_REVEAL));
    bytes_clear(&close);
}

/* --- time --- */

/* What has expired is not answered, whether or not the clock has been looked at since. */
static void nothing_is_masked_after_the_expiry(void **state)
{
    struct world *world = *state;
    struct bytes theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    const struct message_round_header header = sites_header(world, &theta, 1, 1);
    sites_now_ms += (int64_t)2 * 86400000;
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "expired");
    assert_null(site_said(world, 0, MESSAGE_MASKED));
    bytes_clear(&theta);
}

/* Refused manifests do not take a site's room for as long as they please: the one here says that it expires
 * in 9999. None can say later. */
static void a_refused_manifest_is_let_go(void **state)
{
    struct world *world = *state;
    struct message_manifest manifest = sites_manifest(world);
    struct maille_error error = {0};
    manifest.expires_ms = MESSAGE_TIME_MAX_MS + 1;
    assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "form");
    manifest.expires_ms = MESSAGE_TIME_MAX_MS;
    assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_OK);
    assert_int_equal(vault_queries(world->sites[0].vault), 1);
    sites_now_ms += (int64_t)3600 * 1000 + 1; /* round_idle */
    assert_int_equal(vault_tick(world->sites[0].vault, &world->sites[0].outbox, &error), MAILLE_OK);
    assert_int_equal(vault_queries(world->sites[0].vault), 0);
    /* Its qid stays taken. */
    assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "qid");
}

/* A program of before this bound took one that expires later and keeps it until it is let go: a site starts
 * all the same, without it, and nobody has its qid. */
static void what_an_earlier_version_took_stops_no_start(void **state)
{
    struct world *world = *state;
    struct message_manifest manifest = sites_manifest(world);
    struct maille_error error = {0};
    struct journal *journal = NULL;
    struct bytes record = {0};
    struct digest key;
    char hex[2 * QID_BYTES + 1], folder[600];
    manifest.expires_ms = MESSAGE_TIME_MAX_MS + 1;
    assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_PROTOCOL); /* signed, in world->manifest */
    site_close(world, 0);
    bytes_to_hex(hex, manifest.qid, QID_BYTES);
    snprintf(folder, sizeof folder, "%s/state/%s", world->sites[0].folder, hex);
    secret_keys_derive(&key, world->sites[0].keys, "state");
    const struct envelope envelope = {.bytes = world->manifest.data, .length = world->manifest.length};
    const struct data_facts facts = {0};
    vault_record_manifest(&record, sites_now_ms, &envelope, &facts, READY_REFUSED, &world->manifest);
    assert_int_equal(journal_create(&journal, folder, key.b, &error), MAILLE_OK);
    assert_int_equal(vault_journal_append(journal, RECORD_MANIFEST, &record, NULL, 0, NULL, &error),
                     MAILLE_OK);
    journal_close(journal);
    bytes_clear(&record);
    site_open(world, 0);
    assert_int_equal(vault_queries(world->sites[0].vault), 0);
    manifest.expires_ms = sites_manifest(world).expires_ms;
    assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "qid");
}

/* --- the directory --- */

static enum maille_code hear_directory(struct world *world, unsigned version, const char *purposes,
                                       struct maille_error *error)
{
    struct bytes text = {0}, body = {0};
    sites_directory(&text, world, version, purposes);
    const struct message_directory message = {.text = {text.data, text.length}};
    assert_int_equal(message_directory_encode(&body, &message, NULL), MAILLE_OK);
    enum maille_code code = site_hear(world, 0, MESSAGE_DIRECTORY, world->coordinator, &body, NULL, error);
    bytes_clear(&text);
    bytes_clear(&body);
    return code;
}

/* Until the site has started again with the newer directory, one between the two must not take its place. */
static void the_directory_never_goes_back(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    assert_int_equal(hear_directory(world, 3, "research", &error), MAILLE_OK);
    assert_true(vault_directory_changed(world->sites[0].vault));
    assert_int_not_equal(hear_directory(world, 2, "research", &error), MAILLE_OK);
    assert_int_not_equal(hear_directory(world, 3, "another", &error), MAILLE_OK);
    site_close(world, 0);
    site_open(world, 0);
    assert_int_equal(vault_directory(world->sites[0].vault)->version, 3);
    assert_string_equal(vault_directory(world->sites[0].vault)->purposes[0], "research");
}

/* --- a directory that no longer names what a study names --- */

/* A study waits for a person; a site that it names leaves the network; then the policy changes, and the study
 * is looked at again. It is refused, and the site goes on. whole: the study says `sites: all`. */
static void a_named_site_leaves(bool whole)
{
    struct sites_options options = {
        .n = 4, .policies = {"policy: standard\napproval: { default: hold }\n", NULL, NULL, NULL}};
    if (!whole)
        options.study =
            "study: named\ndictionary: rotterdam@1\ntitle: a test\npurpose: research\n"
            "legal_basis: MR-004\nprotocol: P-1\nexpires: 2099-12-31\n"
            "sites: [alpha, beta, gamma, delta]\nanalyses:\n  - { id: a, method: count, by: [size] }\n";
    struct world *world = sites_up_with(&options);
    struct message_manifest manifest = sites_manifest(world);
    struct maille_error error = {0};
    struct bytes text = {0}, body = {0};
    struct envelope envelope;
    struct message_ready ready;
    assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_OK);
    const struct message_outgoing *said = site_said(world, 0, MESSAGE_READY);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_int_equal(ready.state, READY_HELD);
    world->n_asked = 3;
    sites_directory(&text, world, 2, "research");
    world->n_asked = 4;
    const struct message_directory directory = {.text = {text.data, text.length}};
    assert_int_equal(message_directory_encode(&body, &directory, NULL), MAILLE_OK);
    assert_int_equal(site_hear(world, 0, MESSAGE_DIRECTORY, world->coordinator, &body, NULL, &error),
                     MAILLE_OK);
    assert_true(vault_directory_changed(world->sites[0].vault));
    for (int start = 0; start < 3; start++) { /* with the policy that it had, with another, and once more */
        site_close(world, 0);
        if (start == 1)
            world->sites[0].policy = "policy: standard\nmin_patients: 40\napproval: { default: hold }\n";
        site_open(world, 0);
        message_outbox_clear(&world->sites[0].outbox);
        assert_int_equal(vault_tick(world->sites[0].vault, &world->sites[0].outbox, &error), MAILLE_OK);
        said = site_said(world, 0, MESSAGE_READY);
        assert_int_equal(said != NULL, start == 1);
        if (start != 1)
            continue;
        assert_int_equal(
            envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
            MAILLE_OK);
        assert_int_equal(
            message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL), MAILLE_OK);
        assert_int_equal(ready.state, READY_REFUSED);
        assert_string_equal(ready.rule, "sites");
    }
    bytes_clear(&text);
    bytes_clear(&body);
    void *state = world;
    sites_down(&state);
}

static void a_held_study_names_a_site_that_left(void **state)
{
    (void)state;
    a_named_site_leaves(true);
    a_named_site_leaves(false);
}

/* --- a policy that denies what nobody has --- */

/* Every study is refused, since none would be refused for what the policy means. */
static void a_misspelt_variable_denies_everything(void **state)
{
    (void)state;
    static const char *const policies[] = {"policy: standard\nvariables: { deny: [PGR] }\n",
                                           "policy: standard\nvariables: { deny: [pgr] }\n"};
    for (size_t i = 0; i < 2; i++) {
        struct sites_options options = {.n = 3, .policies = {policies[i], NULL, NULL}};
        struct world *world = sites_up_with(&options);
        struct message_manifest manifest = sites_manifest(world);
        struct maille_error error = {0};
        struct envelope envelope;
        struct message_ready ready;
        assert_int_equal(site_ask(world, 0, &manifest, &error), MAILLE_OK);
        const struct message_outgoing *said = site_said(world, 0, MESSAGE_READY);
        assert_int_equal(
            envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
            MAILLE_OK);
        assert_int_equal(
            message_ready_decode(&ready, world->arena, envelope.body, envelope.body_length, NULL), MAILLE_OK);
        assert_int_equal(ready.state, i == 0 ? READY_REFUSED : READY_HELD);
        assert_string_equal(ready.rule, i == 0 ? "variables.deny" : "");
        void *down = world;
        sites_down(&down);
    }
}

/* --- a new snapshot while a query is open --- */

/* Between two rounds alpha imports, whatever for: its next round is not counted. beta, where nothing is new,
 * goes on. */
static void a_new_snapshot_ends_the_query(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    struct bytes theta = {0};
    struct envelope envelope;
    struct message_cancel cancel;
    const struct snapshot_entry *entries;
    size_t n;
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_finish_round(world);
    const char *folder = arena_printf(world->arena, "%s/snapshots", world->sites[0].folder);
    assert_int_equal(snapshots_read(&entries, &n, world->arena, folder, NULL), MAILLE_OK);
    struct snapshot_entry next = entries[0];
    next.number = 2;
    const char *from = arena_printf(world->arena, "%s/snapshot-0001.h5", folder),
               *to = arena_printf(world->arena, "%s/snapshot-0002.h5", folder);
    assert_int_equal(link(from, to), 0);
    assert_int_equal(snapshots_add(folder, &next, NULL), MAILLE_OK);
    assert_int_equal(snapshots_read(&entries, &n, world->arena, folder, NULL), MAILLE_OK);
    assert_int_equal(snapshots_superseded(entries, n, 1), 2);
    assert_int_equal(snapshots_superseded(entries, n, 2), 0);
    const struct message_round_header header = sites_header(world, &theta, 2, 1);
    for (size_t i = 0; i < 2; i++) {
        message_outbox_clear(&world->sites[i].outbox);
        assert_int_equal(site_start(world, i, &header, &theta, &error), MAILLE_OK);
        assert_int_equal(site_said(world, i, MESSAGE_MASKED) != NULL, i == 1);
        assert_int_equal(vault_queries(world->sites[i].vault), i == 1);
    }
    const struct message_outgoing *said = site_said(world, 0, MESSAGE_CANCEL);
    assert_non_null(said);
    assert_int_equal(
        envelope_decode(&envelope, world->arena, said->envelope.data, said->envelope.length, NULL),
        MAILLE_OK);
    assert_int_equal(message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, NULL),
                     MAILLE_OK);
    assert_string_equal(cancel.rule, "snapshot");
    bytes_clear(&theta);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sites_up, sites_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(honest_rounds_end),
        TEST(a_key_of_small_order_does_not_stay),
        TEST(no_refusal_tells_the_least_value),
        TEST(an_attempt_leaves_something_out),
        TEST(the_same_start_gets_the_same_bytes_also_after_a_restart),
        TEST(one_reveal_for_a_round_also_after_a_restart),
        TEST(whoever_is_revoked_gets_no_reveal),
        TEST(what_is_no_longer_registered_gets_no_reveal),
        TEST(a_close_without_a_member_or_with_another_tag_opens_nothing),
        TEST(nothing_is_masked_after_the_expiry),
        TEST(a_refused_manifest_is_let_go),
        TEST(what_an_earlier_version_took_stops_no_start),
        TEST(the_directory_never_goes_back),
        cmocka_unit_test(a_misspelt_variable_denies_everything),
        cmocka_unit_test(no_two_rosters_have_one_rho),
        TEST(a_new_snapshot_ends_the_query),
        cmocka_unit_test(a_held_study_names_a_site_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
