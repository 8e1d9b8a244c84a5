#include "tests/vault/asking.h"

#include <signal.h>
#include <sys/resource.h>

#define COUNTS                                                                                               \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: age, method: describe, variables: [age], " \
                "by: arm }\n"
#define MODEL                                                                                                \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: m, method: glm, family: binomial, "        \
                "formula: \"death ~ age + arm\" }\n"
/* Larger than two segments: 9001 days × 2 arms × events and censorings. */
#define DAYS                                                                                                 \
    "study: s\ndictionary: toy@1\ntitle: t\npurpose: care\nlegal_basis: b\nprotocol: p\nexpires: "           \
    "2099-01-01\nsites: all\n"                                                                               \
    "grid: day\nmissing: analysis\nanalyses:\n  - { id: os, method: km, formula: \"Surv(time, death) ~ "     \
    "arm\" }\n"

static void first_round(struct asking *ask, struct world *world)
{
    static const bool open[8] = {true, true, true, true, true, true, true, true};
    static const struct vector thetas[8];
    ask_start(ask, world, 1, 1, open, thetas);
    ask_sign(ask, world, world->researcher);
}

static void sums_are_equal(struct asking *ask, struct world *world)
{
    uint8_t *masked = ask_sum(ask, world), *plain = plain_sum(ask, world);
    assert_memory_equal(masked, plain, ask->plan.bytes);
    free(masked);
    free(plain);
}

/* The sum over six vaults, masked, closed, revealed, is the sum of the tallies. */
static void an_honest_round_gives_the_sum(void **state)
{
    (void)state;
    struct world *world = world_make("honest", "policy: open\n", true, false);
    struct asking ask;
    ask_roster(&ask, world, COUNTS);
    first_round(&ask, world);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_masked(&ask, world, s);
    sums_are_equal(&ask, world);
    for (int s = 0; s < WORLD_SITES; s++) {
        assert_int_equal(vault_queries(world->vaults[s]), 1);
        assert_ok(world_say(world, s, end_letter(world, &ask, world->researcher)), &world->error);
        assert_int_equal(vault_queries(world->vaults[s]), 0);
    }
    ask_clear(&ask);
    world_free(world);
}

/* A vector of several segments. */
static void a_long_vector_is_pulled(void **state)
{
    (void)state;
    struct world *world = world_make("long", "policy: open\n", true, false);
    struct asking ask;
    ask_roster(&ask, world, DAYS);
    first_round(&ask, world);
    assert_true(ask.plan.bytes > 2 * SEGMENT_BYTES);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_masked(&ask, world, s);
    sums_are_equal(&ask, world);
    ask_clear(&ask);
    world_free(world);
}

/* A model over as many rounds as it takes; analyses leave; two sites are restarted between any two messages,
 * and every message is said to them twice: the answers are the same bytes. */
static void restarts_change_nothing(void **state)
{
    (void)state;
    struct world *world = world_make("restarts", "policy: open\n", true, false);
    struct asking ask;
    struct study_run run;
    unsigned rounds = 0;
    ask_roster(&ask, world, MODEL);
    assert_ok(study_run_init(&run, ask.study, &world->error), &world->error);
    while (study_run_open(&run)) {
        bool open[2];
        struct vector thetas[2];
        for (int k = 0; k < 2; k++) {
            open[k] = run.states[k].status == ANALYSIS_OPEN;
            thetas[k] = run.states[k].iteration.theta;
        }
        ask_start(&ask, world, ++rounds, 1, open, thetas);
        ask_sign(&ask, world, world->researcher);
        for (int s = 0; s < WORLD_SITES; s++) {
            ask_masked(&ask, world, s);
            if (s > 1)
                continue;
            struct letter first = ask.answers[s];
            world_restart(world, s);
            ask_masked(&ask, world, s);
            assert_true(same_letter(first, ask.answers[s]));
            world_restart(world, s);
        }
        uint8_t *sum = ask_sum(&ask, world), *plain = plain_sum(&ask, world);
        assert_memory_equal(sum, plain, ask.plan.bytes);
        for (int s = 0; s < 2; s++) {
            struct envelope envelope;
            world_restart(world, s);
            assert_ok(world_say(world, s, ask.close_letter), &world->error);
            assert_true(same_letter(world_answer(world, s, MESSAGE_REVEAL, &envelope), ask.reveals[s]));
        }
        study_run_step(&run, &ask.plan, sum, WORLD_SITES);
        free(sum);
        free(plain);
        assert_true(rounds < 30);
    }
    assert_true(rounds > 2);
    assert_int_equal(run.states[0].status, ANALYSIS_OK);
    assert_int_equal(run.states[1].status, ANALYSIS_OK);
    study_run_clear(&run);
    ask_clear(&ask);
    world_free(world);
}

static void before_the_roster_answers_are_repeated(void **state)
{
    (void)state;
    struct world *world = world_make("repeat", "policy: open\n", true, false);
    struct asking ask, again;
    ask_roster(&ask, world, COUNTS);
    again = ask;
    for (int s = 0; s < WORLD_SITES; s++) {
        struct message_ready ready;
        world_restart(world, s);
        ask_ready(&again, world, s, &ready);
        assert_true(same_letter(ask.ready[s], again.ready[s]));
        ask_accept(&again, world, s);
        assert_true(same_letter(ask.accept[s], again.accept[s]));
        assert_ok(world_say(world, s, ask.roster_letter), &world->error);
        assert_int_equal(world->out.n, 0);
    }
    ask_clear(&ask);
    world_free(world);
}

/* Two sites are lost in round 1: a new attempt without them, with fresh masks, gives the sum of the four. */
static void a_new_attempt_goes_on_without_lost_sites(void **state)
{
    (void)state;
    struct world *world = world_make("lost", "policy: open\n", true, false);
    struct asking ask;
    static const bool open[8] = {true, true};
    static const struct vector thetas[8];
    static const uint32_t left[] = {1, 2, 4, 6};
    ask_roster(&ask, world, COUNTS);
    first_round(&ask, world);
    for (int s = 0; s < 4; s++)
        ask_masked(&ask, world, s);
    struct letter old_start = ask.start_letter, old_answer = ask.answers[0];
    memcpy(ask.sites, left, sizeof left);
    ask.n_sites = 4;
    ask_start(&ask, world, 1, 2, open, thetas);
    ask_sign(&ask, world, world->researcher);
    for (size_t i = 0; i < ask.n_sites; i++)
        ask_masked(&ask, world, (int)ask.sites[i] - 1);
    assert_memory_not_equal(ask.answers[0].frame, old_answer.frame, old_answer.frame_length);
    /* The attempt before is over. */
    assert_fails(world_say(world, 0, old_start), MAILLE_PROTOCOL, &world->error, "order");
    /* Site 3 took part in the first attempt and is no member of the second. */
    assert_fails(world_say(world, 2, ask.start_letter), MAILLE_PROTOCOL, &world->error, "members");
    sums_are_equal(&ask, world);
    ask_clear(&ask);
    world_free(world);
}

/* A refusal names the rule; the next attempt without that analysis goes on. */
static void a_refused_analysis_leaves(void **state)
{
    (void)state;
    struct world *world = world_make("refused", "policy: open\nmethods: [count]\n", true, false);
    struct asking ask;
    struct message_ready ready;
    ask_manifest(&ask, world, MODEL);
    ask_ready(&ask, world, 0, &ready);
    assert_int_equal(ready.state, READY_READY);
    assert_int_equal(ready.n_findings, 1);
    assert_int_equal(ready.findings[0].analysis, 1);
    assert_string_equal(ready.findings[0].rule, "methods");
    for (int s = 1; s < WORLD_SITES; s++)
        ask_ready(&ask, world, s, &ready);
    ask.call_letter = call_letter(world, &ask, ask.sites, WORLD_SITES, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_accept(&ask, world, s);
    ask_rho(&ask);
    ask.roster_letter = roster_letter(world, &ask, ask.accept, WORLD_SITES, world->coordinator);
    for (int s = 0; s < WORLD_SITES; s++)
        assert_ok(world_say(world, s, ask.roster_letter), &world->error);
    /* The researcher asks for it all the same. */
    first_round(&ask, world);
    struct envelope envelope;
    struct message_refuse refuse;
    assert_ok(world_say(world, 0, ask.start_letter), &world->error);
    struct letter first = world_answer(world, 0, MESSAGE_REFUSE, &envelope);
    assert_ok(
        message_refuse_decode(&refuse, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    assert_int_equal(refuse.n_findings, 1);
    assert_int_equal(refuse.findings[0].analysis, 1);
    assert_string_equal(refuse.findings[0].rule, "methods");
    world_restart(world, 0);
    assert_ok(world_say(world, 0, ask.start_letter), &world->error);
    assert_true(same_letter(first, world_answer(world, 0, MESSAGE_REFUSE, &envelope)));
    for (int s = 1; s < WORLD_SITES; s++)
        assert_ok(world_say(world, s, ask.start_letter), &world->error);
    static const bool open[8] = {true, false};
    static const struct vector thetas[8];
    ask_start(&ask, world, 1, 2, open, thetas);
    ask_sign(&ask, world, world->researcher);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_masked(&ask, world, s);
    sums_are_equal(&ask, world);
    ask_clear(&ask);
    world_free(world);
}

/* After the end nothing is left but the mark that the qid is taken. */
static void the_end_erases_everything(void **state)
{
    (void)state;
    struct world *world = world_make("end", "policy: open\n", true, false);
    struct asking ask;
    char hex[2 * QID_BYTES + 1];
    ask_roster(&ask, world, COUNTS);
    first_round(&ask, world);
    ask_masked(&ask, world, 0);
    bytes_to_hex(hex, ask.manifest.qid, QID_BYTES);
    const char *journal = world_path(world, 0, arena_printf(world->arena, "state/%s/journal", hex));
    const char *ended = world_path(world, 0, arena_printf(world->arena, "state/%s/ended", hex));
    assert_true(file_exists(journal));
    assert_fails(world_say(world, 0, end_letter(world, &ask, world->coordinator)), MAILLE_SIGNATURE,
                 &world->error, "found \"coordinator\"");
    assert_true(file_exists(journal));
    assert_ok(world_say(world, 0, end_letter(world, &ask, world->researcher)), &world->error);
    assert_false(file_exists(journal));
    assert_true(file_exists(ended));
    assert_ok(world_say(world, 0, end_letter(world, &ask, world->researcher)), &world->error);
    assert_fails(world_say(world, 0, ask.start_letter), MAILLE_PROTOCOL, &world->error, "state");
    assert_fails(world_say(world, 0, ask.manifest_letter), MAILLE_PROTOCOL, &world->error, "qid");
    world_restart(world, 0);
    assert_int_equal(vault_queries(world->vaults[0]), 0);
    assert_fails(world_say(world, 0, ask.manifest_letter), MAILLE_PROTOCOL, &world->error, "qid");
    /* Until the manifest itself has long expired. */
    world_shift_ms = (int64_t)8 * 86400 * 1000;
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    assert_false(file_exists(ended));
    ask_clear(&ask);
    world_free(world);
}

static void idle_queries_are_cancelled_and_expire(void **state)
{
    (void)state;
    struct world *world = world_make("idle", "policy: open\n", true, false);
    struct asking ask;
    struct envelope envelope;
    struct message_cancel cancel;
    ask_roster(&ask, world, COUNTS);
    assert_true(vault_next_ms(world->vaults[0]) <= 3600 * 1000);
    world_shift_ms = 3599 * 1000;
    message_outbox_clear(&world->out);
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    assert_int_equal(world->out.n, 0);
    world_shift_ms = 3700 * 1000;
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    world_answer(world, 0, MESSAGE_CANCEL, &envelope);
    assert_ok(
        message_cancel_decode(&cancel, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    assert_string_equal(cancel.rule, "round_idle");
    assert_int_equal(vault_queries(world->vaults[0]), 0);
    /* One that holds no keys yet waits for its expiry: an approval may take days. */
    world_shift_ms = 0;
    struct message_ready ready;
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    world_shift_ms = (int64_t)6 * 86400 * 1000;
    message_outbox_clear(&world->out);
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    assert_int_equal(vault_queries(world->vaults[0]), 1);
    /* Past its expiry by more than two clocks may differ. */
    world_shift_ms = (int64_t)7 * 86400 * 1000 + 1000;
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    assert_int_equal(vault_queries(world->vaults[0]), 1);
    world_shift_ms += CLOCK_SKEW_MS;
    assert_ok(vault_tick(world->vaults[0], &world->out, &world->error), &world->error);
    assert_int_equal(vault_queries(world->vaults[0]), 0);
    assert_int_equal(world->out.n, 0);
    ask_clear(&ask);
    world_free(world);
}

/* No byte more may be written than a limit: a full disk. */
static void disk_full(const char *path, bool full)
{
    struct rlimit limit;
    struct stat status;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    if (full) {
        assert_int_equal(stat(path, &status), 0);
        limit.rlim_cur = (rlim_t)status.st_size;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static const char *log_file(struct world *world, int site)
{
    char command[900], *path = arena_alloc(world->arena, 700);
    snprintf(command, sizeof command, "ls -S '%s'/* | head -1", world_path(world, site, "log"));
    FILE *found = popen(command, "r");
    assert_non_null(found);
    assert_non_null(fgets(path, 700, found));
    pclose(found);
    path[strcspn(path, "\n")] = '\0';
    return path;
}

/* A full disk at the log stops the round with a sentence and loses nothing: with room again, the same message
 * is answered. */
static void a_full_disk_stops_and_loses_nothing(void **state)
{
    (void)state;
    struct world *world = world_make("full", "policy: open\n", true, false);
    struct asking ask;
    ask_roster(&ask, world, COUNTS);
    first_round(&ask, world);
    disk_full(log_file(world, 0), true);
    assert_fails(world_say(world, 0, ask.start_letter), MAILLE_IO, &world->error, "log");
    assert_int_equal(world->out.n, 0);
    disk_full(NULL, false);
    for (int s = 0; s < WORLD_SITES; s++)
        ask_masked(&ask, world, s);
    world_restart(world, 0);
    sums_are_equal(&ask, world);
    /* A manifest for which there is no room leaves nothing behind. */
    struct asking other;
    struct message_ready ready;
    ask_manifest(&other, world, COUNTS);
    disk_full(log_file(world, 0), true);
    assert_fails(world_say(world, 0, other.manifest_letter), MAILLE_IO, &world->error, "log");
    disk_full(NULL, false);
    ask_ready(&other, world, 0, &ready);
    assert_int_equal(ready.state, READY_READY);
    ask_clear(&ask);
    ask_clear(&other);
    world_free(world);
}

/* The snapshot's bytes are not those that were imported: the site stays up and refuses under the rule
 * snapshot. */
static void an_altered_snapshot_refuses(void **state)
{
    (void)state;
    struct world *world = world_make("altered", "policy: open\n", true, false);
    struct asking ask;
    struct message_ready ready;
    const char *path = world_path(world, 0, "snapshots/snapshot-0001.h5");
    struct bytes text = {0};
    assert_ok(file_read(&text, path, 1 << 24, &world->error), &world->error);
    text.data[text.length / 2] ^= 1;
    assert_ok(file_write_atomic(path, text.data, text.length, 0400, &world->error), &world->error);
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    assert_int_equal(ready.state, READY_REFUSED);
    assert_string_equal(ready.rule, "snapshot");
    assert_fails(vault_catalogue(world->vaults[0], &world->out, &world->error), MAILLE_CORRUPT, &world->error,
                 "altered");
    /* Truncated; then gone. */
    assert_ok(file_write_atomic(path, text.data, text.length / 3, 0400, &world->error), &world->error);
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    assert_string_equal(ready.rule, "snapshot");
    unlink(path);
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    assert_string_equal(ready.rule, "snapshot");
    /* Restored, it serves again. */
    text.data[text.length / 2] ^= 1;
    assert_ok(file_write_atomic(path, text.data, text.length, 0400, &world->error), &world->error);
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    assert_int_equal(ready.state, READY_READY);
    bytes_clear(&text);
    ask_clear(&ask);
    world_free(world);
}

/* Altered between two rounds: refused for every analysis, so that nobody waits for ever. */
static void a_snapshot_that_is_lost_in_a_round_refuses(void **state)
{
    (void)state;
    struct world *world = world_make("gone", "policy: open\n", true, false);
    struct asking ask;
    struct envelope envelope;
    struct message_refuse refuse;
    ask_roster(&ask, world, COUNTS);
    unlink(world_path(world, 0, "snapshots/snapshot-0001.h5"));
    first_round(&ask, world);
    assert_ok(world_say(world, 0, ask.start_letter), &world->error);
    world_answer(world, 0, MESSAGE_REFUSE, &envelope);
    assert_ok(
        message_refuse_decode(&refuse, world->arena, envelope.body, envelope.body_length, &world->error),
        &world->error);
    assert_int_equal(refuse.n_findings, 2);
    assert_string_equal(refuse.findings[0].rule, "snapshot");
    ask_clear(&ask);
    world_free(world);
}

static void the_open_policy_wants_public_data(void **state)
{
    (void)state;
    struct world *world = world_make("public", "policy: open\n", false, false);
    struct asking ask;
    struct message_ready ready;
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    assert_int_equal(ready.state, READY_REFUSED);
    assert_string_equal(ready.rule, "public");
    ask_clear(&ask);
    world_free(world);
}

static void a_held_study_gets_no_keys(void **state)
{
    (void)state;
    struct world *world = world_make("held", "policy: open\napproval: hold\n", true, false);
    struct asking ask;
    struct message_ready ready;
    ask_manifest(&ask, world, COUNTS);
    ask_ready(&ask, world, 0, &ready);
    assert_int_equal(ready.state, READY_HELD);
    ask.call_letter = call_letter(world, &ask, ask.sites, WORLD_SITES, world->researcher);
    assert_fails(world_say(world, 0, ask.call_letter), MAILLE_PROTOCOL, &world->error, "state");
    ask_clear(&ask);
    world_free(world);
}

static void no_more_queries_than_allowed(void **state)
{
    (void)state;
    struct world *world = world_make("many", "policy: open\n", true, false);
    struct asking ask;
    struct message_ready ready;
    world->queries_max = 2;
    world_restart(world, 0);
    for (int i = 0; i < 3; i++) {
        ask_manifest(&ask, world, COUNTS);
        ask_ready(&ask, world, 0, &ready);
        assert_int_equal(ready.state, i < 2 ? READY_READY : READY_REFUSED);
    }
    assert_string_equal(ready.rule, "queries_max");
    assert_int_equal(vault_queries(world->vaults[0]), 2);
    ask_clear(&ask);
    world_free(world);
}

static struct letter directory_letter(struct world *world, const char *text)
{
    struct bytes body = {0};
    struct message_directory message = {.text = {(const uint8_t *)text, strlen(text)}};
    assert_ok(message_directory_encode(&body, &message, &world->error), &world->error);
    return world_letter(world, MESSAGE_DIRECTORY, world->coordinator, &body);
}

/* A newer directory is taken in only from the authorities that are known. */
static void a_newer_directory_is_taken_from_its_authorities(void **state)
{
    (void)state;
    struct world *world = world_make("directory", "policy: open\n", true, false);
    struct asking ask;
    const char *path = world_path(world, 0, "network.yaml");
    const char *forged = world_network(world, 2, false, world->coordinator),
               *newer = world_network(world, 2, false, world->authority);
    assert_fails(world_say(world, 0, directory_letter(world, forged)), MAILLE_SIGNATURE, &world->error, "");
    assert_false(vault_directory_changed(world->vaults[0]));
    assert_false(file_exists(path));
    /* A manifest of a directory that is not here yet is not answered, and not refused. */
    ask_manifest(&ask, world, COUNTS);
    ask.manifest.directory_version = 2;
    struct letter early = manifest_letter(world, &ask.manifest, world->researcher);
    assert_fails(world_say(world, 0, early), MAILLE_PROTOCOL, &world->error, "directory");
    assert_ok(world_say(world, 0, directory_letter(world, newer)), &world->error);
    assert_true(vault_directory_changed(world->vaults[0]));
    assert_true(file_exists(path));
    ask_clear(&ask);
    world_free(world);
}

static void the_catalogue_says_bands(void **state)
{
    (void)state;
    struct world *world = world_make("catalogue", "policy: strict\n", false, false);
    struct envelope envelope;
    struct message_catalogue catalogue;
    assert_ok(vault_catalogue(world->vaults[0], &world->out, &world->error), &world->error);
    world_answer(world, 0, MESSAGE_CATALOGUE, &envelope);
    assert_ok(message_catalogue_decode(&catalogue, world->arena, envelope.body, envelope.body_length,
                                       &world->error),
              &world->error);
    assert_string_equal(catalogue.site, "site-1");
    assert_int_equal(catalogue.snapshot, 1);
    assert_string_equal(catalogue.patients_band, "30–99");
    assert_string_equal(catalogue.policy, "strict");
    assert_int_equal(catalogue.dictionary_text.length, strlen(world_dictionary));
    world_free(world);
    static const struct {
        uint64_t patients;
        const char *band;
    } bands[] = {{0, "0"},         {1, "1–29"},      {29, "1–29"},          {30, "30–99"},
                 {500, "500–999"}, {999, "500–999"}, {1000, "1,000–4,999"}, {2000000, "1,000,000 or more"}};
    for (size_t i = 0; i < sizeof bands / sizeof *bands; i++)
        assert_string_equal(vault_patients_band(bands[i].patients), bands[i].band);
}

/* What does not open is said before anything is answered. */
static void wrong_files_do_not_open(void **state)
{
    (void)state;
    struct world *world = world_make("files", "policy: open\n", true, false);
    struct secret_keys *own = world->sites[0];
    const char *network = world->network;
    assert_fails(world_try_open(world, 0), MAILLE_INVALID, &world->error, ""); /* the log is open already */
    vault_free(world->vaults[0]);
    world->vaults[0] = NULL;
    world->policy = "policy: open\nmin_cells: 3\n";
    assert_fails(world_try_open(world, 0), MAILLE_INVALID, &world->error, "policy.yaml:2:1");
    world->policy = "policy: open\n";
    world->network = world_network(world, 1, false, world->coordinator);
    assert_fails(world_try_open(world, 0), MAILLE_SIGNATURE, &world->error, "");
    world->network = network;
    world->sites[0] = world_keys(world, KEY_SITE, "site-9");
    assert_fails(world_try_open(world, 0), MAILLE_INVALID, &world->error, "site-9");
    secret_keys_free(world->sites[0]);
    world->sites[0] = world_keys(world, KEY_SITE, "site-1");
    assert_fails(world_try_open(world, 0), MAILLE_INVALID, &world->error, "another in the key file");
    secret_keys_free(world->sites[0]);
    world->sites[0] = own;
    world_open(world, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_round_gives_the_sum),
        cmocka_unit_test(a_long_vector_is_pulled),
        cmocka_unit_test(restarts_change_nothing),
        cmocka_unit_test(before_the_roster_answers_are_repeated),
        cmocka_unit_test(a_new_attempt_goes_on_without_lost_sites),
        cmocka_unit_test(a_refused_analysis_leaves),
        cmocka_unit_test(the_end_erases_everything),
        cmocka_unit_test(idle_queries_are_cancelled_and_expire),
        cmocka_unit_test(a_full_disk_stops_and_loses_nothing),
        cmocka_unit_test(an_altered_snapshot_refuses),
        cmocka_unit_test(a_snapshot_that_is_lost_in_a_round_refuses),
        cmocka_unit_test(the_open_policy_wants_public_data),
        cmocka_unit_test(a_held_study_gets_no_keys),
        cmocka_unit_test(no_more_queries_than_allowed),
        cmocka_unit_test(a_newer_directory_is_taken_from_its_authorities),
        cmocka_unit_test(the_catalogue_says_bands),
        cmocka_unit_test(wrong_files_do_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
