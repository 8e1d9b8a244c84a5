#include "tests/network/network.h"

#include "base/file.h"
#include "base/log.h"
#include "proto/open.h"
#include "registry/columns.h"
#include "report/report.h"
#include "tests/federation/federation.h"
#include "tests/approving.h"
#include "tests/network/durable.h"
#include "tests/network/private.h"
#include "worker/snapshots.h"

enum {
    HELLO_MS = 2000, /* as worker.yaml has it */
    TICK_LEAST_MS =
        1000, /* vault_process.c: what is due can wait a second, the log is looked after every five */
    TICK_MOST_MS = 5000,
    DOWN_MS = 3000,
    AGENT_PATIENCE_MS = 3600 * 1000,
    SPLIT_SEED = 7
};
static const int64_t epoch_ms = INT64_C(1780000000000), uptime_ms = 1000000;

static const char *const names[PLAY_PARTIES] = {
    "alice", "coordinator", "alpha",  "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta",
    "iota",  "kappa",       "lambda", "mu",   "nu",    "xi",    "omicron", "pi",   "rho", "sigma"};
static const char study_head[] =
    "study: played\ndictionary: rotterdam@1\ntitle: a test\npurpose: research\nlegal_basis: MR-004\n"
    "protocol: P-1\nexpires: 2099-12-31\nsites: all\ngrid: month\nmissing: analysis\nanalyses:\n";
static const char study_default[] =
    "  - { id: os, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n"
    "  - { id: cox, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + strata(grade)\" }\n";

#define MUST(call, error)                                                                                    \
    do {                                                                                                     \
        if ((call) != MAILLE_OK)                                                                             \
            fail_msg("%s: %s", #call, (error)->sentence);                                                    \
    } while (0)

/* --- a party's clock, dice and crashes --- */

static int64_t utc_ms(void *context)
{
    const struct party *party = context;
    return epoch_ms + party->play->now_ms + party->skew_ms;
}

static int64_t monotonic_ms(void *context)
{
    const struct party *party = context;
    return uptime_ms + party->play->now_ms;
}

static struct clock clock_of(struct party *party)
{
    return (struct clock){.utc_ms = utc_ms, .monotonic_ms = monotonic_ms, .context = party};
}

/* A crash that loses what was not waited for leaves the disk of the point before: taken while it is there. */
static void foresee(struct party *party)
{
    const struct play_options *options = &party->play->options;
    if (options->loses_unsynced && options->crash != NULL &&
        options->crash(options->context, party->number, party->points + 1))
        durable_copy(party->folder, party->image);
}

static void at_point(void *context)
{
    struct party *party = context;
    const struct play_options *options = &party->play->options;
    party->points++;
    if (party->crashed || options->crash == NULL ||
        !options->crash(options->context, party->number, party->points)) {
        if (!party->crashed)
            foresee(party);
        return;
    }
    party->crashed = true;
    if (!options->loses_unsynced)
        durable_copy(party->folder, party->image);
}

static int at_fault(void *context, bool is_wait)
{
    struct party *party = context;
    const struct play_options *options = &party->play->options;
    return options->fault(options->context, party->number, is_wait);
}

static void enter(struct party *party)
{
    seeded_use(&party->dice);
    durable_watch(at_point, party);
    durable_break(party->play->options.fault != NULL ? at_fault : NULL, party);
}

static void look(const struct party *party, const struct flight *flight)
{
    const struct play_options *options = &party->play->options;
    if (options->entered != NULL)
        options->entered(options->context, party->play, party->number, flight);
}

/* Lets go of what a party is in memory. */
static void party_drop(struct party *party)
{
    agent_free(party->agent);
    vault_free(party->vault);
    if (party->role == KEY_COORDINATOR)
        coordinator_clear(&party->coordinator);
    party->agent = NULL;
    party->vault = NULL;
    party->greeted = false;
    party->up = false;
}

/* After a party's call: what it wants to say goes out, unless it crashed meanwhile. */
static void leave(struct party *party, struct message_outbox *outbox)
{
    struct play *play = party->play;
    durable_watch(NULL, NULL);
    durable_break(NULL, NULL);
    if (!party->crashed && !party->broke) {
        if (outbox != NULL)
            carry_outbox(party, outbox);
        seeded_use(&play->dice);
        return;
    }
    if (outbox != NULL)
        message_outbox_clear(outbox);
    party_drop(party);
    if (party->crashed) {
        durable_remove(party->folder);
        assert_int_equal(rename(party->image, party->folder), 0);
    }
    seeded_use(&play->dice);
    const int64_t down_ms = play->options.down_ms != 0 ? play->options.down_ms : DOWN_MS;
    party->wake_ms = play->now_ms + 1 + (int64_t)seeded_below(&play->dice, (uint64_t)down_ms);
    party->crashed = party->broke = false;
    party->restarts++;
}

/* Whether it went well. Where disks fail, a program that cannot go on ends, and starts again. */
static bool went(struct party *party, enum maille_code code, const struct maille_error *error)
{
    party->broke = party->broke || (code == MAILLE_IO && party->play->options.fault != NULL);
    if (code != MAILLE_OK && !party->broke)
        fail_msg("%s: %s", party->name, error->sentence);
    return code == MAILLE_OK;
}

/* A fault of the program's own. A peer's is the program's affair; and a vault whose disk fails goes on. */
static void check(const struct party *party, enum maille_code code, const struct maille_error *error)
{
    if (code == MAILLE_IO && party->play->options.fault != NULL)
        return;
    if (code == MAILLE_IO || code == MAILLE_MEMORY || code == MAILLE_INTERNAL || code == MAILLE_CORRUPT)
        fail_msg("%s: %s", party->name, error->sentence);
}

/* --- the agent --- */

/* The agent is over, or nobody knows how to go on. */
static void agent_ends(struct party *party, enum maille_code code, const struct maille_error *error)
{
    check(party, code, error);
    if (code == MAILLE_IO)
        party->broke = true; /* and is resumed */
    else if (code != MAILLE_OK && !party->crashed) {
        party->play->ended = code;
        party->play->error = *error;
    }
}

static void agent_begins(struct party *party)
{
    struct play *play = party->play;
    struct maille_error error = {0};
    struct message_outbox outbox = {0};
    enum maille_code code = MAILLE_INVALID;
    const struct agent_options options = {
        .directory = play->directory,
        .keys = party->keys,
        .timeout_ms = play->options.patience_ms != 0 ? play->options.patience_ms : AGENT_PATIENCE_MS,
        .wait = true, /* parties stop and come back */
        .mode = play->options.mode,
        .without = play->options.without,
        .n_without = play->options.n_without,
        .words = getenv("MAILLE_PLAY_WORDS") != NULL ? stderr : play->options.words,
        .clock = clock_of(party)};
    if (play->id[0] != '\0')
        code = agent_resume(&party->agent, &options, play->id, &error);
    if (code == MAILLE_INVALID) { /* it stopped before its question was written */
        code = agent_ask(&party->agent, &options, play->study, &error);
        if (code == MAILLE_OK)
            snprintf(play->id, sizeof play->id, "%s", agent_id(party->agent));
    }
    if (code == MAILLE_OK)
        code = agent_start(party->agent, &outbox, &error);
    else
        party->agent = NULL;
    agent_ends(party, code, &error);
    leave(party, &outbox);
}

/* --- a site: the vault, and what its process net does --- */

static const char *policy_of(const struct party *party)
{
    const struct play_options *options = &party->play->options;
    const char *own = options->policies[party->number - PLAY_SITE];
    return own != NULL ? own : options->policy;
}

static void site_begins(struct party *party)
{
    struct play *play = party->play;
    struct maille_error error = {0};
    struct bytes network = {0};
    char path[FOLDER_BYTES + 32];
    const char *policy = policy_of(party);
    snprintf(path, sizeof path, "%s/network.yaml", party->folder);
    MUST(file_read(&network, path, DIRECTORY_BYTES_MAX, &error), &error);
    const struct vault_options options = {.folder = party->folder,
                                          .keys = party->keys,
                                          .directory = (const char *)network.data,
                                          .directory_length = network.length,
                                          .policy = policy,
                                          .policy_length = strlen(policy),
                                          .data = party->source,
                                          .step = step_local(),
                                          .clock = clock_of(party)};
    if (!went(party, vault_open(&party->vault, &options, &error), &error))
        party->vault = NULL;
    party->hello_ms = play->now_ms;
    bytes_clear(&network);
    leave(party, NULL);
}

static void site_says_hello(struct party *party, struct message_outbox *outbox)
{
    struct bytes body = {0}, envelope = {0};
    const struct message_hello hello = {.name = party->name,
                                        .build = MAILLE_VERSION,
                                        .directory_version = vault_directory(party->vault)->version,
                                        .wire = PROTOCOL_VERSION};
    assert_int_equal(message_hello_encode(&body, &hello, NULL), MAILLE_OK);
    assert_int_equal(envelope_encode(&envelope, MESSAGE_HELLO, NULL, party->name, &body, NULL), MAILLE_OK);
    assert_int_equal(message_outbox_put(outbox, MESSAGE_HELLO, &envelope, NULL, 0, NULL), MAILLE_OK);
    bytes_clear(&body);
    bytes_clear(&envelope);
}

/* Welcomes end in net, as in worker/net.c; the vault judges all others. */
static enum maille_code site_hears(struct party *party, const struct flight *flight,
                                   struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    struct arena *arena = arena_new();
    if (!party->greeted)
        MAILLE_TRY(vault_catalogue(party->vault, outbox, error));
    party->greeted = true;
    if (flight->kind == MESSAGE_WELCOME) {
        MAILLE_TRY(message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, error));
        MAILLE_TRY(message_decode(&in, vault_directory(party->vault), FROM_COORDINATOR, error));
        vault_seen(party->vault, in.body.welcome.log_seen);
        goto out;
    }
    code = vault_handle(party->vault, flight->envelope.data, flight->envelope.length,
                        flight->has_frame ? flight->frame.data : NULL, flight->frame.length, outbox, error);
out:
    arena_free(arena);
    return code;
}

static void site_wakes_at(struct party *party)
{
    int64_t due_ms = vault_next_ms(party->vault);
    due_ms = due_ms < TICK_LEAST_MS ? TICK_LEAST_MS : due_ms > TICK_MOST_MS ? TICK_MOST_MS : due_ms;
    party->wake_ms = party->play->now_ms + due_ms;
    if (party->hello_ms < party->wake_ms)
        party->wake_ms = party->hello_ms;
}

/* --- the coordinator --- */

static void coordinator_begins(struct party *party)
{
    struct play *play = party->play;
    struct maille_error error = {0};
    const struct coordinator_options options = {
        .folder = party->folder,
        .directory = arena_printf(play->arena, "%s/network.yaml", party->folder),
        .keys = party->keys,
        .held_max = (size_t)64 << 20,
        .bytes_max = 1 << 28,
        .clock = clock_of(party)};
    if (!went(party, coordinator_open(&party->coordinator, &options, &error), &error))
        party->coordinator = (struct coordinator){0};
    for (size_t i = 0; i < play->n; i++) /* everybody dials again */
        carry_connect(&play->parties[i]);
    play->coordinator_spoke = false;
    leave(party, NULL);
}

void party_settle(struct party *party)
{
    struct maille_error error = {0};
    size_t sent;
    enter(party);
    went(party, coordinator_settle(&party->coordinator, &sent, carry_outgoing, party, &error), &error);
    party->play->coordinator_spoke = false;
    leave(party, NULL);
}

/* --- any of them --- */

void party_start(struct party *party)
{
    foresee(party);
    look(party, NULL);
    enter(party);
    party->up = true;
    carry_connect(party);
    party->wake_ms = party->play->now_ms;
    if (party->role == KEY_RESEARCHER)
        agent_begins(party);
    else if (party->role == KEY_COORDINATOR)
        coordinator_begins(party);
    else
        site_begins(party);
}

void party_wake(struct party *party)
{
    struct play *play = party->play;
    struct maille_error error = {0};
    struct message_outbox outbox = {0};
    uint8_t qid[QID_BYTES];
    if (party->role == KEY_SITE && play->id[0] != '\0' && bytes_from_hex(qid, sizeof qid, play->id))
        approving(party->folder, qid, play->officer);
    look(party, NULL);
    enter(party);
    if (party->role == KEY_RESEARCHER) {
        party->wake_ms = play->now_ms + AGENT_TICK_MS;
        agent_ends(party, agent_tick(party->agent, &outbox, &error), &error);
    } else if (party->role == KEY_COORDINATOR) {
        party->wake_ms = play->now_ms + TICK_MS;
        if (went(party, coordinator_tick(&party->coordinator, &error), &error)) {
            party_settle(party);
            return;
        }
    } else {
        if (play->now_ms >= party->hello_ms) {
            site_says_hello(party, &outbox);
            party->hello_ms = play->now_ms + HELLO_MS;
        }
        check(party, vault_tick(party->vault, &outbox, &error), &error);
        site_wakes_at(party);
    }
    leave(party, &outbox);
}

void party_hear(struct party *party, const struct flight *flight)
{
    struct maille_error error = {0};
    struct message_outbox outbox = {0};
    const void *frame = flight->has_frame ? flight->frame.data : NULL;
    look(party, flight);
    enter(party);
    if (party->role == KEY_RESEARCHER) {
        enum maille_code code = agent_handle(party->agent, flight->envelope.data, flight->envelope.length,
                                             frame, flight->frame.length, &outbox, &error);
        if (code == MAILLE_OK)
            code = agent_tick(party->agent, &outbox, &error);
        agent_ends(party, code, &error);
    } else if (party->role == KEY_COORDINATOR) {
        const struct party *from = &party->play->parties[flight->from];
        struct wire_message message = {.role = from->role,
                                       .address = from->connection,
                                       .envelope = flight->envelope,
                                       .frame = flight->frame,
                                       .has_frame = flight->has_frame};
        snprintf(message.peer, sizeof message.peer, "%s", from->name);
        party->play->coordinator_spoke =
            went(party, coordinator_handle(&party->coordinator, &message, &error), &error);
    } else {
        const enum maille_code code = site_hears(party, flight, &outbox, &error);
        if (code != MAILLE_OK && getenv("MAILLE_PLAY_WORDS") != NULL)
            fprintf(stderr, "%s drops %s: %s\n", party->name, message_rule((uint32_t)flight->kind)->name,
                    error.sentence);
        check(party, code, &error);
        site_wakes_at(party);
    }
    leave(party, &outbox);
}

/* --- a play --- */

static void write_directory(struct play *play)
{
    struct maille_error error = {0};
    static const char *purposes[] = {"research", "research-public-interest", "test"};
    struct directory_site sites[PLAY_SITES_MAX];
    struct directory_authority board = {.name = "board"};
    const struct directory_researcher alice = {.name = names[PLAY_AGENT],
                                               .keys = *secret_keys_public(play->parties[PLAY_AGENT].keys)};
    struct directory directory = {.network = "toy",
                                  .version = 1,
                                  .quorum = 1,
                                  .n_authorities = 1,
                                  .authorities = &board,
                                  .coordinator = {names[PLAY_COORDINATOR], "tcp://127.0.0.1:9700",
                                                  *secret_keys_public(play->parties[PLAY_COORDINATOR].keys),
                                                  0},
                                  .n_sites = play->n - PLAY_SITE,
                                  .sites = sites,
                                  .next_site = (uint32_t)(play->n - PLAY_SITE) + 1,
                                  .n_researchers = 1,
                                  .researchers = &alice,
                                  .n_purposes = 3,
                                  .purposes = purposes,
                                  .timeouts = {.ready_ms = 60000,
                                               .accept_ms = 60000,
                                               .masked_ms = 120000,
                                               .reveal_ms = 120000,
                                               .lifetime_ms = INT64_C(7) * 86400000,
                                               .round_idle_ms = 3600000}};
    memcpy(board.identity, secret_keys_public(play->board)->identity, PUBLIC_BYTES);
    for (size_t i = PLAY_SITE; i < play->n; i++) {
        sites[i - PLAY_SITE] = (struct directory_site){.id = (uint32_t)(i - PLAY_SITE) + 1,
                                                       .name = names[i],
                                                       .legal_entity = names[i],
                                                       .has_dpo = true,
                                                       .keys = *secret_keys_public(play->parties[i].keys)};
        memcpy(sites[i - PLAY_SITE].dpo_identity, secret_keys_public(play->officer)->identity, PUBLIC_BYTES);
        memcpy(sites[i - PLAY_SITE].dpo_box, secret_keys_public(play->officer)->box, PUBLIC_BYTES);
    }
    directory_write(&play->network, &directory);
    MUST(directory_sign(&play->network, play->network.length, play->board, &error), &error);
    MUST(directory_accept(&play->directory, play->arena, "network.yaml", (const char *)play->network.data,
                          play->network.length, NULL, &error),
         &error);
}

static bool is_public(const struct party *party)
{
    return strncmp(policy_of(party), "policy: open", 12) == 0;
}

void play_import(struct play *play, size_t party, struct columns *table)
{
    assert_null(play->options.registries);
    seeded_use(&play->dice);
    registry_import(&play->parties[party].own, table, is_public(&play->parties[party]));
}

static void make_party(struct play *play, size_t i)
{
    struct party *party = &play->parties[i];
    struct maille_error error = {0};
    *party = (struct party){.play = play,
                            .number = i,
                            .name = names[i],
                            .role = i == PLAY_AGENT         ? KEY_RESEARCHER
                                    : i == PLAY_COORDINATOR ? KEY_COORDINATOR
                                                            : KEY_SITE,
                            .skew_ms = play->options.skew_ms[i],
                            .wake_ms = INT64_MAX};
    seeded_init(&party->dice, play->options.seed, names[i]);
    snprintf(party->folder, sizeof party->folder, "%s/%s", play->folder, names[i]);
    snprintf(party->image, sizeof party->image, "%s/%s.image", play->folder, names[i]);
    MUST(file_folder_make(party->folder, 0700, &error), &error);
    MUST(secret_keys_new(&party->keys, party->role, names[i], &error), &error);
}

/* The study of the options, or `analyses`. */
static void parse_study(struct play *play, const char *analyses)
{
    struct maille_error error = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    const char *head = play->options.head != NULL ? play->options.head : study_head;
    arena_free(play->asked);
    play->asked = arena_new();
    const char *text = arena_printf(play->asked, "%s%s", head, analyses);
    MUST(study_parse(&play->study, play->asked, play->dictionary, methods, n_methods, "study", text,
                     strlen(text), &error),
         &error);
}

/* The patients of every site, and the dictionary that describes them. */
static void deal_patients(struct columns *tables[PLAY_SITES_MAX], struct play *play)
{
    struct maille_error error = {0};
    struct columns *table = NULL;
    const struct play_options *options = &play->options;
    const char *data = options->data != NULL ? options->data : "rotterdam";
    if (options->parts != NULL) {
        memcpy(tables, options->parts, (play->n - PLAY_SITE) * sizeof tables[0]);
        play->dictionary = columns_dictionary(tables[0]);
        return;
    }
    MUST(federation_data(&play->dictionary, &table, play->arena, data, &error), &error);
    MUST(federation_split(tables, play->n - PLAY_SITE, table, SPLIT_SEED, &error), &error);
    columns_free(table);
}

/* What the sites know: the options' registries, or the tables, which go into registries of their own. */
static void make_registries(struct play *play, struct columns *const tables[PLAY_SITES_MAX])
{
    const struct play_registries *given = play->options.registries;
    for (size_t i = PLAY_SITE; i < play->n; i++) {
        struct party *party = &play->parties[i];
        party->registry = given != NULL ? &given->registry[i - PLAY_SITE] : &party->own;
        if (given == NULL) {
            snprintf(party->own.folder, sizeof party->own.folder, "%s.snapshots", party->folder);
            registry_import(&party->own, tables[i - PLAY_SITE], is_public(party));
        }
        party->source = data_local(party->registry->data);
    }
}

void play_start(void)
{
    static bool started;
    if (started)
        return;
    seeded_install();
    assert_int_equal(crypto_start(NULL), MAILLE_OK);
    log_open("play", NULL, getenv("MAILLE_PLAY_WORDS") != NULL ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
    started = true;
}

void play_folder_new(char *folder, size_t size)
{
    const char *tmp = getenv("MAILLE_TEST_TMP");
    snprintf(folder, size, "%s/play-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
}

struct play *play_new(const struct play_options *options)
{
    struct play *play = calloc(1, sizeof *play);
    struct maille_error error = {0};
    struct columns *tables[PLAY_SITES_MAX] = {NULL};
    assert_non_null(play);
    play_start();
    play->options = *options;
    play->arena = arena_new();
    if (options->policy == NULL || strcmp(options->policy, "policy: open\n") != 0)
        play->options.policy =
            asking_nobody(play->arena, options->policy != NULL ? options->policy : "policy: standard\n");
    for (size_t i = 0; i < PLAY_SITES_MAX; i++)
        if (options->policies[i] != NULL && strcmp(options->policies[i], "policy: open\n") != 0)
            play->options.policies[i] = asking_nobody(play->arena, options->policies[i]);
    play->n = PLAY_SITE + (options->n_sites != 0 ? options->n_sites : 3);
    assert_true(play->n <= PLAY_PARTIES);
    play_folder_new(play->folder, sizeof play->folder);
    seeded_init(&play->dice, options->seed, "wire");
    struct seeded keys;
    seeded_init(&keys, options->seed, "keys");
    seeded_use(&keys);
    MUST(secret_keys_new(&play->board, KEY_AUTHORITY, "board", &error), &error);
    MUST(secret_keys_new(&play->officer, KEY_DPO, "officer", &error), &error);
    for (size_t i = 0; i < play->n; i++)
        make_party(play, i);
    assert_int_equal(setenv("XDG_STATE_HOME", play->parties[PLAY_AGENT].folder, 1), 0);
    write_directory(play);
    if (options->registries != NULL)
        play->dictionary = columns_dictionary(registry_table(&options->registries->registry[0]));
    else
        deal_patients(tables, play);
    if (options->vector != NULL)
        MUST(federation_study(&play->study, play->arena, play->dictionary, options->vector, &error), &error);
    else
        parse_study(play, options->study != NULL ? options->study : study_default);
    for (size_t i = PLAY_COORDINATOR; i < play->n; i++) {
        const char *path = arena_printf(play->arena, "%s/network.yaml", play->parties[i].folder);
        MUST(file_write_atomic(path, play->network.data, play->network.length, 0600, &error), &error);
    }
    seeded_use(&play->dice);
    make_registries(play, tables);
    for (size_t i = PLAY_COORDINATOR; i < play->n; i++)
        party_start(&play->parties[i]);
    return play;
}

static void let_go(struct play *play)
{
    struct party *agent = &play->parties[PLAY_AGENT];
    enter(agent);
    party_drop(agent);
    leave(agent, NULL);
    agent->wake_ms = INT64_MAX; /* until play_run */
    play->ended = MAILLE_OK;
}

void play_ask(struct play *play, const char *study)
{
    let_go(play);
    parse_study(play, study);
    play->id[0] = '\0';
}

void play_resume(struct play *play, const char *id)
{
    let_go(play);
    snprintf(play->id, sizeof play->id, "%s", id);
}

void play_restart(struct play *play, size_t party)
{
    enter(&play->parties[party]);
    party_drop(&play->parties[party]);
    leave(&play->parties[party], NULL);
    party_start(&play->parties[party]);
}

void play_free(struct play *play)
{
    if (play == NULL)
        return;
    for (size_t i = 0; i < play->n; i++) {
        struct party *party = &play->parties[i];
        enter(party);
        durable_watch(NULL, NULL);
        durable_break(NULL, NULL);
        party_drop(party);
        registry_clear(&party->own);
        secret_keys_free(party->keys);
    }
    for (size_t i = 0; i < play->n_flights; i++) {
        bytes_clear(&play->flights[i].envelope);
        bytes_clear(&play->flights[i].frame);
    }
    free(play->flights);
    secret_keys_free(play->board);
    secret_keys_free(play->officer);
    bytes_clear(&play->network);
    durable_remove(play->folder);
    arena_free(play->asked);
    arena_free(play->arena);
    free(play);
}

/* --- what came out --- */

static void write_result(struct bytes *json, struct play *play, const struct study_run *run)
{
    struct report report;
    struct maille_error error = {0};
    report_of_run(&report, play->arena, run,
                  &(struct report_facts){.query = "", .n_sites = (int64_t)(play->n - PLAY_SITE)});
    MUST(report_json(json, &report, &error), &error);
}

void play_result(struct bytes *json, struct play *play)
{
    write_result(json, play, agent_study_run(play->parties[PLAY_AGENT].agent));
}

void play_expected_run(struct study_run *run, struct plan *plan, struct play *play)
{
    struct maille_error error = {0};
    unsigned rounds;
    const struct policy *policy;
    struct columns *parts[PLAY_SITES_MAX];
    const struct tally_options options = {.threads = 1};
    const char *text = play->options.policy;
    MUST(policy_parse(&policy, play->arena, "policy.yaml", text, strlen(text), &error), &error);
    for (size_t i = PLAY_SITE; i < play->n; i++)
        parts[i - PLAY_SITE] = registry_table(play->parties[i].registry);
    MUST(federation_run_under(run, plan, &rounds, play->study, parts, play->n - PLAY_SITE, policy, &options,
                              NULL, &error),
         &error);
}

void play_expected(struct bytes *json, struct play *play)
{
    struct study_run run = {0};
    struct plan plan = {0};
    play_expected_run(&run, &plan, play);
    write_result(json, play, &run);
    study_run_clear(&run);
    plan_clear(&plan);
}

unsigned play_points(const struct play *play, size_t party)
{
    return play->parties[party].points;
}

unsigned play_restarts(const struct play *play, size_t party)
{
    return play->parties[party].restarts;
}

const char *play_folder(const struct play *play, size_t party)
{
    return play->parties[party].folder;
}

struct agent *play_agent(const struct play *play)
{
    return play->parties[PLAY_AGENT].agent;
}

struct vault *play_vault(const struct play *play, size_t party)
{
    return play->parties[party].vault;
}

const struct secret_keys *play_keys(const struct play *play, size_t party)
{
    return play->parties[party].keys;
}

const struct directory *play_directory(const struct play *play)
{
    return play->directory;
}
