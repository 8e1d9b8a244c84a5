/* The messages of tests/known_answers, through the doors that a site has for them: what is honest is taken
 * and gives the hashes that the files say, and each other one is refused. */
#include "tests/known_answers/answers.h"

#include "base/arena.h"
#include "vault/private.h"

/* What the files say of the network and the query, as a vault has it. */
struct world {
    struct arena *arena;
    json_t *file;
    struct directory directory;
    struct directory_site *sites;
    struct directory_researcher researcher;
    struct vault vault;
    struct query query;
};

static struct byte_view view_of(struct arena *arena, const json_t *value)
{
    size_t length;
    uint8_t *bytes = answers_hex(value, &length);
    uint8_t *copy = arena_alloc(arena, length + 1);
    memcpy(copy, bytes, length);
    free(bytes);
    return (struct byte_view){copy, length};
}

static struct byte_view view(struct world *world, const json_t *object, const char *key)
{
    return view_of(world->arena, answers_get(object, key));
}

static void copied(struct bytes *to, struct byte_view from)
{
    assert_int_equal(bytes_copy(to, from.data, from.length), MAILLE_OK);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct message in;
    struct maille_error error = {0};
    if (world == NULL || crypto_start(NULL) != MAILLE_OK || (world->arena = arena_new()) == NULL)
        return -1;
    world->file = answers_read("tests/known_answers/query.json");
    const json_t *sites = answers_get(world->file, "sites"), *alice = answers_get(world->file, "researcher");
    const json_t *coordinator = answers_get(world->file, "coordinator");
    struct directory *directory = &world->directory;
    directory->n_sites = json_array_size(sites);
    directory->sites = world->sites = arena_array(world->arena, directory->n_sites, sizeof *world->sites);
    memset(world->sites, 0, directory->n_sites * sizeof *world->sites);
    for (size_t i = 0; i < directory->n_sites; i++) {
        const json_t *site = json_array_get(sites, i);
        world->sites[i].id = (uint32_t)answers_number(site, "site");
        world->sites[i].name = answers_text(site, "name");
        world->sites[i].legal_entity = answers_text(site, "legal_entity");
        answers_exactly(world->sites[i].keys.identity, PUBLIC_BYTES, site, "identity");
    }
    directory->coordinator.name = answers_text(coordinator, "name");
    answers_exactly(directory->coordinator.keys.identity, PUBLIC_BYTES, coordinator, "identity");
    world->researcher.name = answers_text(alice, "name");
    answers_exactly(world->researcher.keys.identity, PUBLIC_BYTES, alice, "identity");
    directory->n_researchers = 1;
    directory->researchers = &world->researcher;
    world->vault.directory = directory;
    world->vault.self = &world->sites[0];

    /* The query after its manifest, as the first site has it. */
    const struct byte_view manifest = view(world, world->file, "manifest");
    const struct byte_view own =
        view_of(world->arena, json_array_get(answers_get(world->file, "accepts"), 0));
    if (message_within(&in, world->arena, &manifest, MESSAGE_MANIFEST, directory, FROM_RESEARCHER, &error) !=
        MAILLE_OK)
        fail_msg("manifest: %s", error.sentence);
    world->query.manifest = in.body.manifest;
    memcpy(world->query.qid, in.body.manifest.qid, QID_BYTES);
    hash_kdf(&world->query.manifest_hash, NULL, "manifest", manifest.data, manifest.length);
    answers_are(world->query.manifest_hash.b, HASH_BYTES, world->file, "qh");
    copied(&world->query.accept_envelope, own);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    bytes_clear(&world->query.accept_envelope);
    bytes_clear(&world->query.attempt.reply);
    json_decref(world->file);
    arena_free(world->arena);
    free(world);
    return 0;
}

/* Opens an honest envelope, signed by one of the roles `from`. */
static struct message *opened(struct world *world, const struct byte_view *bytes, enum message_kind kind,
                              unsigned from)
{
    struct maille_error error = {0};
    struct message *in = arena_alloc(world->arena, sizeof *in);
    if (message_within(in, world->arena, bytes, kind, &world->directory, from, &error) != MAILLE_OK)
        fail_msg("%s: %s", message_rule(kind)->name, error.sentence);
    return in;
}

/* The attempt of round `row`, answered. */
static void answer(struct world *world, const json_t *row)
{
    struct attempt *attempt = &world->query.attempt;
    struct maille_error error = {0};
    const struct byte_view header = view(world, row, "header"), start = view(world, row, "start");
    const struct message *in = opened(world, &start, MESSAGE_START, FROM_RESEARCHER);
    assert_int_equal(in->body.start.header.length, header.length);
    assert_memory_equal(in->body.start.header.data, header.data, header.length);
    answers_are(in->psi.b, HASH_BYTES, row, "psi");
    attempt->psi = in->psi;
    if (message_round_header_decode(&attempt->header, world->arena, header.data, header.length, &error) !=
        MAILLE_OK)
        fail_msg("header: %s", error.sentence);
    attempt->length = answers_number(row, "length");
    attempt->masked = true;
    copied(&attempt->reply, view(world, json_array_get(answers_get(row, "sites"), 0), "masked"));
}

/* RS of the secret ψ, as circle_bind puts it together. */
static void bound(const json_t *row)
{
    struct bytes rs = {0};
    uint8_t hash[HASH_BYTES];
    size_t length;
    uint8_t *header = answers_bytes(row, "header", &length);
    bytes_put_block(&rs, header, length);
    const char *const hashes[] = {"theta_hash", "layout_hash", "plan_hash"};
    for (size_t i = 0; i < 3; i++) {
        answers_exactly(hash, sizeof hash, row, hashes[i]);
        bytes_put(&rs, hash, sizeof hash);
    }
    bytes_put_u64(&rs, answers_number(row, "length"));
    bytes_put_u32(&rs, (uint32_t)answers_number(row, "arithmetic"));
    answers_are(rs.data, rs.length, row, "rs");
    bytes_clear(&rs);
    free(header);
}

static void test_query(void **state)
{
    struct world *world = *state;
    const json_t *file = world->file, *row, *site;
    struct maille_error error = {0};
    struct message_accept *accepts;
    struct digest rho, hash;
    size_t i, k;
    const struct byte_view call = view(world, file, "call"), roster = view(world, file, "roster");
    assert_int_equal(opened(world, &call, MESSAGE_CALL, FROM_RESEARCHER)->body.call.n_sites, 3);
    const struct message *in = opened(world, &roster, MESSAGE_ROSTER, FROM_COORDINATOR);
    if (vault_check_roster(&world->vault, &world->query, &in->body.roster, world->arena, &accepts, &error) !=
        MAILLE_OK)
        fail_msg("roster: %s", error.sentence);
    assert_int_equal(
        message_rho(&rho, &world->query.manifest_hash, in->body.roster.accepts, in->body.roster.n, NULL),
        MAILLE_OK);
    answers_are(rho.b, HASH_BYTES, file, "rho");
    json_array_foreach(answers_get(file, "rounds"), i, row)
    {
        const struct message_masked *masked;
        answer(world, row);
        bound(row);
        const struct byte_view close = view(world, row, "close");
        in = opened(world, &close, MESSAGE_CLOSE, FROM_COORDINATOR);
        if (vault_check_close(&world->vault, &world->query, &in->body.close, world->arena, &masked, &error) !=
            MAILLE_OK)
            fail_msg("close: %s", error.sentence);
        hash_kdf(&hash, NULL, "close", close.data, close.length);
        answers_are(hash.b, HASH_BYTES, row, "close_hash");
        json_array_foreach(answers_get(row, "sites"), k, site)
        {
            const struct byte_view reveal = view(world, site, "reveal");
            in = opened(world, &reveal, MESSAGE_REVEAL, FROM_SITE);
            assert_memory_equal(in->body.reveal.close_hash.b, hash.b, HASH_BYTES);
            assert_int_equal(in->body.reveal.n_keys, i == 0 ? 3 : 0);
            assert_int_equal(in->body.reveal.sealed.length, i == 0 ? 0 : 72);
            answers_are(masked[k].share.commit.b, HASH_BYTES, site, "commit");
            answers_are(masked[k].share.vector.b, HASH_BYTES, site, "vector_hash");
        }
        json_array_foreach(answers_get(row, "taken"), k, site)
        {
            const struct byte_view taken = view_of(world->arena, site);
            in = opened(world, &taken, MESSAGE_TAKEN, FROM_SITE);
            answers_are(in->body.taken.tag.b, HASH_BYTES, row, "state_tag");
        }
    }
}

/* Our own encoder makes the same bytes of what our decoder read. */
static void test_one_form(void **state)
{
    struct world *world = *state;
    struct bytes again = {0};
    const struct byte_view manifest = view(world, world->file, "manifest");
    const struct message *in = opened(world, &manifest, MESSAGE_MANIFEST, FROM_RESEARCHER);
    assert_int_equal(message_manifest_encode(&again, &in->body.manifest, NULL), MAILLE_OK);
    assert_int_equal(again.length, in->envelope.body_length);
    assert_memory_equal(again.data, in->envelope.body, again.length);
    bytes_clear(&again);
}

static const struct {
    const char *name;
    enum message_kind kind;
    unsigned from;
} doors[] = {{"accept", MESSAGE_ACCEPT, FROM_SITE},
             {"masked", MESSAGE_MASKED, FROM_SITE},
             {"pull", MESSAGE_PULL, FROM_COORDINATOR}};

static bool taken(struct world *world, const json_t *row)
{
    struct message in;
    struct maille_error error;
    const char *kind = answers_text(row, "kind");
    const struct byte_view frame0 = view(world, row, "frame0");
    struct byte_view frame1 = {NULL, 0};
    if (json_object_get(row, "frame1") != NULL)
        frame1 = view(world, row, "frame1");
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (strcmp(doors[i].name, kind) == 0)
            return message_open(&in, world->arena, frame0.data, frame0.length, frame1.data, frame1.length,
                                &error) == MAILLE_OK &&
                   in.envelope.kind == doors[i].kind &&
                   message_decode(&in, &world->directory, doors[i].from, &error) == MAILLE_OK;
    fail_msg("expected a kind that this test has a door for, found \"%s\"", kind);
    return false;
}

static void judged(const json_t *row, bool was_taken)
{
    if (was_taken != json_is_true(answers_get(row, "taken")))
        fail_msg("%s (%s): expected it to be %s", answers_text(row, "name"), answers_text(row, "why"),
                 was_taken ? "refused" : "taken");
}

static void test_refused(void **state)
{
    struct world *world = *state;
    json_t *file = answers_read("tests/known_answers/refused.json"), *row;
    struct maille_error error;
    struct message in;
    size_t i;
    answer(world, json_array_get(answers_get(world->file, "rounds"), 1));
    json_array_foreach(answers_get(file, "message"), i, row) judged(row, taken(world, row));
    json_array_foreach(answers_get(file, "roster"), i, row)
    {
        struct message_accept *accepts;
        const struct byte_view bytes = view(world, row, "frame0");
        judged(row, message_within(&in, world->arena, &bytes, MESSAGE_ROSTER, &world->directory,
                                   FROM_COORDINATOR, &error) == MAILLE_OK &&
                        vault_check_roster(&world->vault, &world->query, &in.body.roster, world->arena,
                                           &accepts, &error) == MAILLE_OK);
    }
    json_array_foreach(answers_get(file, "close"), i, row)
    {
        const struct message_masked *masked;
        const struct byte_view bytes = view(world, row, "frame0");
        judged(row, message_within(&in, world->arena, &bytes, MESSAGE_CLOSE, &world->directory,
                                   FROM_COORDINATOR, &error) == MAILLE_OK &&
                        vault_check_close(&world->vault, &world->query, &in.body.close, world->arena, &masked,
                                          &error) == MAILLE_OK);
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_one_form),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
