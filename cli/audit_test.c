/* The officer's commands over logs with everything in them: a site's, with the coordinator's as its witness.
 */
#include <fcntl.h>
#include <unistd.h>

#include "audit/testing.h"
#include "audit/vector.h"
#include "base/arena.h"
#include "cli/audit_private.h"
#include "disclosure/release_ungated.h"
#include "proto/directory.h"

void release_free(struct release *release)
{
    (void)release;
}

enum { SITES = 3 };

static struct testing site, centre;
static struct secret_keys *dpo, *authority, *coordinator;
static char network[600], key[600], credential[600], output[600], copy[600];

static int run(int (*command)(int, char **), char *text, size_t size, ...)
{
    char *argv[32];
    int argc = 0, saved = dup(STDOUT_FILENO);
    va_list arguments;
    va_start(arguments, size);
    while (argc < 31 && (argv[argc] = va_arg(arguments, char *)) != NULL)
        argc++;
    argv[argc] = NULL;
    va_end(arguments);
    fflush(stdout);
    int fd = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && saved >= 0);
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    int status = command(argc, argv);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    ssize_t got = pread(fd, text, size - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    close(fd);
    close(saved);
    return status;
}

#define RUN(command, ...) run(command, text, sizeof text, "audit", __VA_ARGS__, (char *)NULL)

static void assert_says(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("expected \"%s\" in:\n%s", words, text);
}

/* network.yaml with the site alpha and its officer, signed. */
static void write_network(void)
{
    struct maille_error error = {0};
    struct bytes text = {0};
    const struct directory_authority authorities[] = {{"board", {0}}};
    struct directory_authority board = authorities[0];
    memcpy(board.identity, secret_keys_public(authority)->identity, PUBLIC_BYTES);
    struct directory_site alpha = {.id = 1,
                                   .name = "alpha",
                                   .legal_entity = "Centre Alpha",
                                   .keys = *secret_keys_public(site.keys),
                                   .has_dpo = true};
    memcpy(alpha.dpo_identity, secret_keys_public(dpo)->identity, PUBLIC_BYTES);
    memcpy(alpha.dpo_box, secret_keys_public(dpo)->box, PUBLIC_BYTES);
    const struct directory directory = {
        .network = "toy",
        .version = 1,
        .quorum = 1,
        .n_authorities = 1,
        .authorities = &board,
        .coordinator = {"coordinator", "tcp://127.0.0.1:9700", *secret_keys_public(coordinator), 0},
        .n_sites = 1,
        .sites = &alpha,
        .next_site = 2,
        .timeouts = {60000, 60000, 120000, 120000, 604800000, 3600000}};
    directory_write(&text, &directory);
    assert_ok(directory_sign(&text, text.length, authority, &error), &error);
    assert_ok(file_write_atomic(network, text.data, text.length, 0600, &error), &error);
    bytes_clear(&text);
}

static void put(struct audit_log *log, const struct audit_entry *entry)
{
    struct maille_error error = {0};
    assert_ok(audit_append(log, entry, &error), &error);
    assert_ok(audit_sync(log, &error), &error);
}

/* The coordinator's receipt over one masked message of alpha. */
static void make_receipt(struct bytes *receipt, const struct digest *psi, const struct share_header *header)
{
    struct maille_error error = {0};
    struct bytes body = {0}, masked_bytes = {0};
    struct message_masked *masked = calloc(1, sizeof *masked);
    assert_non_null(masked);
    masked->psi = *psi;
    masked->site = 1;
    masked->share = *header;
    assert_ok(message_masked_encode(&body, masked, &error), &error);
    assert_ok(envelope_encode(&masked_bytes, MESSAGE_MASKED, site.keys, "alpha", &body, &error), &error);
    const struct byte_view view = {masked_bytes.data, masked_bytes.length};
    const struct message_close close_message = {.psi = *psi, .n = 1, .masked = &view};
    body.length = 0;
    assert_ok(message_close_encode(&body, &close_message, &error), &error);
    assert_ok(envelope_encode(receipt, MESSAGE_CLOSE, coordinator, "coordinator", &body, &error), &error);
    free(masked);
    bytes_clear(&body);
    bytes_clear(&masked_bytes);
}

/* One query as a site writes it, with every field. */
static void write_query(struct audit_log *log, struct audit_log *theirs)
{
    static const uint32_t sites[SITES] = {1, 2, 3};
    static const uint8_t qid[32] = {0xfe, 0xb2}, hash[32] = {7};
    const struct word_run runs[] = {{16, 8}};
    uint8_t words[16];
    struct maille_error error = {0};
    struct query_secrets *secrets[SITES] = {0};
    struct mask_member members[SITES];
    struct digest rho = {{3}}, psi = {{4}}, clear_hash;
    struct share *share = NULL;
    struct share_header *header = calloc(1, sizeof *header);
    struct bytes clear = {0}, seeds = {0}, receipt = {0};
    assert_non_null(header);
    le64_store(words, 4242);
    le64_store(words + 8, 17);
    const struct release release = {words, sizeof words, runs, 1};
    for (size_t i = 0; i < SITES; i++) {
        assert_ok(query_secrets_new(&secrets[i], &error), &error);
        members[i].site = sites[i];
        memcpy(members[i].ek, query_secrets_public(secrets[i]), PUBLIC_BYTES);
    }
    assert_ok(query_secrets_pair(secrets[0], &rho, 1, members, SITES, &error), &error);
    assert_ok(share_make(&share, header, &release, secrets[0], &psi, sites, SITES, &error), &error);
    assert_ok(audit_seal_clear(&clear, &clear_hash, secret_keys_public(dpo)->box, &release, &error), &error);
    assert_ok(audit_seal_seeds(&seeds, secret_keys_public(dpo)->box, secrets[0], &psi, sites, SITES, &error),
              &error);
    make_receipt(&receipt, &psi, header);
    const struct audit_rule rules[] = {{"min_patients", "", "passed", "30 demanded"}};
    const struct audit_released released[] = {{"os", "count", "patients by death, chemo", 2, 0, 8, 0,
                                               "chemo = no|chemo = yes", "patients", "death, chemo"}};
    put(log, &(struct audit_entry){.direction = AUDIT_IN,
                                   .message = "manifest",
                                   .peer = "alice",
                                   .qid = qid,
                                   .requester = "alice",
                                   .requester_key = hash,
                                   .study = "first look",
                                   .purpose = "research-public-interest",
                                   .legal_basis = "MR-004",
                                   .protocol = "=HDH, 0001",
                                   .recipients = "alice"});
    put(log, &(struct audit_entry){.direction = AUDIT_OUT,
                                   .message = "ready",
                                   .peer = "coordinator",
                                   .qid = qid,
                                   .decision = "ready",
                                   .cohort_band = "500–999",
                                   .policy_hash = hash,
                                   .n_rules = 1,
                                   .rules = rules});
    put(log, &(struct audit_entry){.direction = AUDIT_OUT,
                                   .message = "masked",
                                   .peer = "coordinator",
                                   .qid = qid,
                                   .psi = psi.b,
                                   .round = 1,
                                   .attempt = 1,
                                   .n_members = SITES,
                                   .members = sites,
                                   .vector = header->vector.b,
                                   .vector_bytes = header->length,
                                   .n_released = 1,
                                   .released = released,
                                   .clear = {clear.data, clear.length},
                                   .clear_hash = clear_hash.b,
                                   .seeds = {seeds.data, seeds.length}});
    struct audit_seen seen = {"alpha", {0}};
    audit_head(log, &seen.head);
    put(theirs, &(struct audit_entry){.direction = AUDIT_IN,
                                      .message = "masked",
                                      .peer = "alpha",
                                      .qid = qid,
                                      .n_seen = 1,
                                      .seen = &seen});
    put(log, &(struct audit_entry){.direction = AUDIT_IN,
                                   .message = "close",
                                   .peer = "coordinator",
                                   .qid = qid,
                                   .envelope = {receipt.data, receipt.length}});
    put(log, &(struct audit_entry){.direction = AUDIT_IN, .message = "end", .peer = "alice", .qid = qid});
    for (size_t i = 0; i < SITES; i++)
        query_secrets_free(secrets[i]);
    share_free(share);
    free(header);
    bytes_clear(&clear);
    bytes_clear(&seeds);
    bytes_clear(&receipt);
}

static int setup(void **state)
{
    struct maille_error error = {0};
    if (testing_start(state) != 0)
        return 1;
    testing_begin(&site, "alpha", true);
    testing_begin(&centre, "coordinator", false);
    assert_ok(secret_keys_new(&dpo, KEY_DPO, "officer", &error), &error);
    assert_ok(secret_keys_new(&authority, KEY_AUTHORITY, "board", &error), &error);
    assert_ok(secret_keys_new(&coordinator, KEY_COORDINATOR, "coordinator", &error), &error);
    test_path(network, "network.yaml");
    test_path(key, "officer.key");
    test_path(credential, "credential");
    test_path(output, "output");
    test_path(copy, "alpha-copy");
    unlink(credential);
    unlink(key);
    assert_ok(keyfile_credential_make(credential, &error), &error);
    const struct key_unlock unlock = {.credential_path = credential};
    assert_ok(keyfile_write(key, dpo, &unlock, &error), &error);
    write_network();
    struct audit_options options = testing_options(&centre, "coordinator");
    options.keys = coordinator;
    struct audit_log *theirs = NULL, *log = testing_open(&site);
    assert_ok(audit_open_with(&theirs, &options, NULL, &error), &error);
    write_query(log, theirs);
    audit_close(log);
    audit_close(theirs);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    secret_keys_free(dpo);
    secret_keys_free(authority);
    secret_keys_free(coordinator);
    testing_end(&site);
    testing_end(&centre);
    testing_empty(copy);
    return 0;
}

static void test_verify(void **state)
{
    (void)state;
    static char text[65536];
    assert_int_equal(RUN(audit_verify_logs, site.folder), 0);
    assert_says(text, "alpha            sound: 7 entries (1 seal among them)");
    assert_says(text, "compared with no roster");
    assert_says(text, "an end cut exactly at a seal cannot be seen");
    assert_int_equal(RUN(audit_verify_logs, site.folder, "--network", network, "--witness", centre.folder),
                     0);
    assert_says(text, "agrees with 1 head kept by others, up to entry 4 of 7");
    assert_says(text, "1 of 1 vectors have their receipt");
    assert_null(strstr(text, "but "));
    assert_int_equal(RUN(audit_verify_logs, site.folder, centre.folder, "--network", network), 0);
    assert_says(text, "coordinator      sound");
    assert_int_equal(RUN(audit_verify_logs, site.folder, "--identity",
                         "0000000000000000000000000000000000000000000000000000000000000001"),
                     1);
    assert_says(text, "alpha            NOT SOUND (wrong key)");
    assert_int_equal(RUN(audit_verify_logs, "--taken", "yesterday", site.folder), 2);
    assert_int_equal(RUN(audit_verify_logs, "--identity", "12", site.folder), 2);
    assert_int_equal(RUN(audit_verify_logs, "/nowhere"), 1);
    assert_says(text, "not read");
}

static void test_verify_wrong(void **state)
{
    (void)state;
    static char text[65536], path[700];
    struct bytes file = {0};
    struct maille_error error = {0};
    testing_copy(site.folder, copy);
    snprintf(path, sizeof path, "%s/messages.log", copy);
    assert_ok(file_read(&file, path, 1 << 20, &error), &error);
    uint8_t *words = memmem(file.data, file.length, "MR-004", 6);
    assert_non_null(words);
    words[5] = '5';
    assert_ok(file_write_atomic(path, file.data, file.length, 0600, &error), &error);
    assert_int_equal(RUN(audit_verify_logs, copy, "--network", network), 1);
    assert_says(text, "NOT SOUND (altered): entry 2 was altered");
    /* Nothing is told of it, unless that is asked for; what it is worth comes first. */
    assert_int_equal(RUN(audit_show, copy, "--network", network, "--lang", "en"), 1);
    assert_int_equal(strncmp(text, "NOT SOUND (altered)  alpha: entry 2 was altered", 47), 0);
    assert_null(strstr(text, "MR-00"));
    assert_int_equal(RUN(audit_show, copy, "--network", network, "--lang", "en", "--anyway"), 0);
    assert_int_equal(strncmp(text, "NOT SOUND (altered)  alpha: ", 28), 0);
    assert_int_equal(RUN(audit_export, copy, "--out", "/nowhere/out", "--network", network), 1);
    assert_int_equal(RUN(audit_show, copy), 2); /* nobody says whose key signs */
    assert_int_equal(RUN(audit_export, copy, "--out", "/nowhere/out"), 2);
    bytes_clear(&file);
}

/* The coordinator signed for another vector than the one that the log says was sent. */
static void test_wrong_receipt(void **state)
{
    (void)state;
    static char text[65536];
    struct testing other;
    struct share_header *header = calloc(1, sizeof *header);
    struct bytes receipt = {0};
    const struct digest psi = {{4}}, sent = {{5}};
    assert_non_null(header);
    header->vector = (struct digest){{6}};
    make_receipt(&receipt, &psi, header);
    testing_begin(&other, "alpha-receipt", false);
    other.keys = site.keys;
    struct audit_log *log = testing_open(&other);
    put(log, &(struct audit_entry){
                 .direction = AUDIT_OUT, .message = "masked", .psi = psi.b, .round = 1, .vector = sent.b});
    put(log, &(struct audit_entry){
                 .direction = AUDIT_IN, .message = "close", .envelope = {receipt.data, receipt.length}});
    audit_close(log);
    assert_int_equal(RUN(audit_verify_logs, other.folder, "--network", network), 1);
    assert_says(text, "is not for the vector of entry 2: the coordinator got something else");
    assert_int_equal(RUN(audit_show, other.folder, "--network", network), 1);
    assert_says(text, "is not for the vector of entry 2: the coordinator got something else");
    other.keys = NULL;
    testing_end(&other);
    free(header);
    bytes_clear(&receipt);
}

static void test_show(void **state)
{
    (void)state;
    static char text[65536];
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--lang", "en"), 0);
    assert_says(text, "  first look                    answered                            500–999     16\n");
    assert_null(strstr(text, "legal basis"));
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--lang", "en", "--details"), 0);
    assert_says(text, "  asked by              alice\n");
    assert_says(text, "  legal basis           MR-004\n");
    assert_says(text, "  what became of it     answered\n");
    assert_says(text, "  left: round 1.1, 16 bytes\n");
    assert_says(text, "  patients              500–999\n");
    assert_says(text, "min_patients         passed            30 demanded");
    assert_says(text, "os                      count               2  death, chemo");
    assert_null(strstr(text, "4242")); /* sealed */
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--lang", "fr", "--query", "feb2"),
                     0);
    assert_says(text, "  demandée par          alice\n");
    assert_says(text, "Ce qui est sorti de ce site");
    assert_says(text, "min_patients         respectée");
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--query", "0000", "--lang", "fr"),
                     0);
    assert_says(text, "aucune requête");
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--key", key, "--credential",
                         credential, "--lang", "en"),
                     0);
    assert_says(text, "masked again, are the very bytes that were sent");
    assert_says(text, "        os (count)\n          patients by death, chemo\n");
    assert_says(text, "            chemo = no                                              4242\n");
    assert_says(text, "            chemo = yes                                               17\n");
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--json", "--key", key,
                         "--credential", credential),
                     0);
    assert_says(text, "\"legal_basis\": \"MR-004\"");
    assert_says(text, "\"numbers\": [4242, 17]");
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--lang", "de"), 2);
    assert_int_equal(setenv("LC_ALL", "fr_FR.UTF-8", 1), 0);
    assert_int_equal(RUN(audit_show, site.folder, "--network", network, "--details"), 0);
    assert_says(text, "base légale");
    assert_int_equal(unsetenv("LC_ALL"), 0);
}

static void test_replay(void **state)
{
    (void)state;
    static char text[65536];
    assert_int_equal(
        RUN(audit_replay_logs, site.folder, "--key", key, "--credential", credential, "--network", network),
        0);
    assert_says(text, "round 1 attempt 1: the same 16 bytes, hash ");
    assert_says(text, "1 of 1 vectors have a receipt");
    assert_int_equal(RUN(audit_replay_logs, centre.folder, "--key", key, "--credential", credential),
                     1); /* nothing left there */
}

static void test_export(void **state)
{
    (void)state;
    static char text[65536], folder[600], path[700];
    struct bytes file = {0};
    struct maille_error error = {0};
    test_path(folder, "export");
    assert_int_equal(RUN(audit_export, site.folder, "--out", folder, "--lang", "fr", "--network", network),
                     0);
    assert_says(text, "register.csv");
    snprintf(path, sizeof path, "%s/register.csv", folder);
    assert_ok(file_read(&file, path, 1 << 20, &error), &error);
    bytes_put_u8(&file, 0);
    assert_says((char *)file.data, "base légale");
    assert_says((char *)file.data,
                "alice;first look;research-public-interest;MR-004;\"'=HDH, 0001\";"); /* no formula, quoted */
    assert_memory_equal(file.data, "\xEF\xBB\xBF", 3); /* what a French Excel opens */
    snprintf(path, sizeof path, "%s/releases.json", folder);
    assert_ok(file_read(&file, path, 1 << 20, &error), &error);
    bytes_put_u8(&file, 0);
    assert_says(
        (char *)file.data,
        "\"analysis\": \"os\", \"method\": \"count\", \"variables\": \"death, chemo\", \"numbers\": 2");
    snprintf(path, sizeof path, "%s/access.csv", folder);
    assert_ok(file_read(&file, path, 1 << 20, &error), &error);
    bytes_put_u8(&file, 0);
    assert_says((char *)file.data, "alpha;alice;");
    assert_int_equal(RUN(audit_export, site.folder, "--out", folder, "--lang", "en", "--network", network),
                     0);
    assert_ok(file_read(&file, path, 1 << 20, &error), &error);
    bytes_put_u8(&file, 0);
    assert_says((char *)file.data,
                "in the network's directory,may ask,methods allowed,purposes allowed,variables denied,");
    bytes_clear(&file);
    testing_empty(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify),        cmocka_unit_test(test_verify_wrong),
        cmocka_unit_test(test_wrong_receipt), cmocka_unit_test(test_show),
        cmocka_unit_test(test_replay),        cmocka_unit_test(test_export)};
    return cmocka_run_group_tests(tests, setup, finish);
}
