/* A record says what was written into it; bytes that are no record are refused. */
#include "audit/entry.h"
#include "audit/testing.h"

static void test_all_fields(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct record record = {0};
    struct maille_error error = {0};
    uint8_t id[6][64];
    for (size_t i = 0; i < 6; i++)
        memset(id[i], (int)i + 1, sizeof id[i]);
    const struct audit_rule rules[] = {{"min_patients", "", "passed", "30 demanded"},
                                       {"min_cell", "os", "refused", ""}};
    const struct audit_released released[] = {
        {"os", "km", "patients by chemo", 2, 16, 8, 0, "no|yes", "patients", "chemo"}};
    const struct audit_seen seen[] = {{"coordinator", {7, {{9}}}}, {"beta", {0, {{0}}}}};
    const uint32_t members[] = {1, 2, 5};
    const struct audit_entry entry = {.direction = AUDIT_OUT,
                                      .message = "masked",
                                      .peer = "coordinator",
                                      .qid = id[0],
                                      .hash = {{1, 2}},
                                      .bytes = 77,
                                      .detail = "words",
                                      .requester = "alice",
                                      .requester_key = id[1],
                                      .study = "first look",
                                      .purpose = "research",
                                      .legal_basis = "MR-004",
                                      .protocol = "HDH-0000",
                                      .recipients = "alice",
                                      .decision = "ready",
                                      .cohort = id[2],
                                      .cohort_band = "500–999",
                                      .policy_hash = id[3],
                                      .n_rules = 2,
                                      .rules = rules,
                                      .approver = "bob",
                                      .approver_key = id[4],
                                      .approver_signature = id[5],
                                      .psi = id[1],
                                      .round = 3,
                                      .attempt = 2,
                                      .n_members = 3,
                                      .members = members,
                                      .vector = id[2],
                                      .vector_bytes = UINT64_MAX,
                                      .n_released = 1,
                                      .released = released,
                                      .clear = {id[3], 60},
                                      .clear_hash = id[4],
                                      .seeds = {id[5], 64},
                                      .build = "0.1.0 abc",
                                      .n_seen = 2,
                                      .seen = seen,
                                      .envelope = {id[0], 5}};
    const struct record_header header = {41, 123456789, 17, WAY_OUT};
    record_encode(&bytes, &header, &entry, NULL, 0);
    assert_ok(bytes_check(&bytes, &error), &error);
    for (int again = 0; again < 2; again++) { /* the room of the first reading serves the second */
        assert_ok(record_decode(&record, bytes.data, bytes.length, &error), &error);
        assert_int_equal(record.header.sequence, 41);
        assert_int_equal(record.header.utc_ms, 123456789);
        assert_int_equal(record.header.epoch, 17);
        assert_int_equal(record.header.way, WAY_OUT);
        const struct audit_entry *found = &record.entry;
        assert_int_equal(found->direction, AUDIT_OUT);
        assert_string_equal(found->message, "masked");
        assert_string_equal(found->peer, "coordinator");
        assert_memory_equal(found->qid, id[0], 32);
        assert_true(digest_equal(&found->hash, &entry.hash));
        assert_int_equal(found->bytes, 77);
        assert_string_equal(found->detail, "words");
        assert_string_equal(found->requester, "alice");
        assert_memory_equal(found->requester_key, id[1], 32);
        assert_string_equal(found->study, "first look");
        assert_string_equal(found->purpose, "research");
        assert_string_equal(found->legal_basis, "MR-004");
        assert_string_equal(found->protocol, "HDH-0000");
        assert_string_equal(found->recipients, "alice");
        assert_string_equal(found->decision, "ready");
        assert_memory_equal(found->cohort, id[2], 32);
        assert_string_equal(found->cohort_band, "500–999");
        assert_memory_equal(found->policy_hash, id[3], 32);
        assert_int_equal(found->n_rules, 2);
        assert_string_equal(found->rules[0].value, "30 demanded");
        assert_string_equal(found->rules[1].analysis, "os");
        assert_string_equal(found->rules[1].result, "refused");
        assert_string_equal(found->approver, "bob");
        assert_memory_equal(found->approver_key, id[4], 32);
        assert_memory_equal(found->approver_signature, id[5], 64);
        assert_memory_equal(found->psi, id[1], 32);
        assert_int_equal(found->round, 3);
        assert_int_equal(found->attempt, 2);
        assert_int_equal(found->n_members, 3);
        assert_memory_equal(found->members, members, sizeof members);
        assert_memory_equal(found->vector, id[2], 32);
        assert_true(found->vector_bytes == UINT64_MAX);
        assert_int_equal(found->n_released, 1);
        assert_string_equal(found->released[0].what, "patients by chemo");
        assert_int_equal(found->released[0].numbers, 2);
        assert_int_equal(found->released[0].offset, 16);
        assert_int_equal(found->released[0].width, 8);
        assert_string_equal(found->released[0].groups, "no|yes");
        assert_string_equal(found->released[0].values, "patients");
        assert_int_equal(found->clear.length, 60);
        assert_memory_equal(found->clear.data, id[3], 60);
        assert_memory_equal(found->clear_hash, id[4], 32);
        assert_int_equal(found->seeds.length, 64);
        assert_string_equal(found->build, "0.1.0 abc");
        assert_int_equal(found->n_seen, 2);
        assert_string_equal(found->seen[1].party, "beta");
        assert_int_equal(found->seen[0].head.size, 7);
        assert_int_equal(found->seen[0].head.root.b[0], 9);
        assert_int_equal(found->envelope.length, 5);
    }
    /* Cut anywhere it is refused or holds fewer fields; never read beyond its end (a sanitizer sees that). */
    for (size_t length = 0; length < bytes.length; length++) {
        uint8_t *exact = malloc(length > 0 ? length : 1);
        assert_non_null(exact);
        memcpy(exact, bytes.data, length);
        if (record_decode(&record, exact, length, &error) == MAILLE_OK)
            assert_true(record.entry.envelope.length == 0);
        free(exact);
    }
    bytes_clear(&bytes);
    record_clear(&record);
}

static void test_not_given(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct record record = {0};
    struct maille_error error = {0};
    const struct record_header header = {0, 1, 0, WAY_NOTE};
    record_encode(&bytes, &header, &(struct audit_entry){0}, NULL, 0);
    assert_int_equal(bytes.length, RECORD_HEADER_BYTES);
    assert_ok(record_decode(&record, bytes.data, bytes.length, &error), &error);
    assert_string_equal(record.entry.message, "");
    assert_string_equal(record.entry.peer, "");
    assert_string_equal(record.entry.detail, "");
    assert_null(record.entry.qid);
    assert_null(record.entry.requester);
    assert_int_equal(record.entry.n_rules, 0);
    bytes_clear(&bytes);
    record_clear(&record);
}

/* Fields out of order, twice, unknown, of a wrong length, texts without an end, lists that claim too much. */
static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
    } rows[] = {
        {"descending", "07020000006100"
                       "02020000006100"},
        {"twice", "02020000006100"
                  "02020000006100"},
        {"unknown tag", "0c00000000"},
        {"a qid of 31 bytes", "041f000000"
                              "00000000000000000000000000000000000000000000000000000000000000"},
        {"text without its end", "0201000000"
                                 "61"},
        {"text with two ends", "0203000000"
                               "610062"},
        {"longer than the record", "02ff000000"
                                   "6100"},
        {"members that are not there", "3304000000"
                                       "ffffffff"},
        {"members that are too few", "3308000000"
                                     "02000000"
                                     "01000000"},
        {"a round above 32 bits", "3108000000"
                                  "0000000001000000"},
        {"half a field's header", "020100"},
    };
    struct record record = {0};
    struct maille_error error;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[128] = {0};
        size_t length = strlen(rows[i].hex) / 2;
        bytes[24] = WAY_IN;
        assert_true(bytes_from_hex(bytes + RECORD_HEADER_BYTES, length, rows[i].hex));
        if (record_decode(&record, bytes, RECORD_HEADER_BYTES + length, &error) != MAILLE_CORRUPT)
            fail_msg("%s was accepted", rows[i].what);
    }
    uint8_t way[RECORD_HEADER_BYTES] = {0};
    way[24] = WAY_N;
    assert_fails(record_decode(&record, way, sizeof way, &error), MAILLE_CORRUPT, &error,
                 "expected an entry");
    record_clear(&record);
}

/* Nothing that a peer chose can end a line where it is shown. */
static void test_texts(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct record record = {0};
    struct maille_error error = {0};
    char detail[3 * AUDIT_DETAIL_MAX];
    const struct record_header header = {0, 1, 0, WAY_NOTE};
    memset(detail, 'd', sizeof detail);
    detail[sizeof detail - 1] = '\0';
    memcpy(detail + AUDIT_DETAIL_MAX - 1, "é", 2); /* would be cut in two */
    const struct audit_entry entry = {.message = "a\tb", .peer = "x\ny\x7f é", .detail = detail};
    record_encode(&bytes, &header, &entry, NULL, 0);
    assert_ok(record_decode(&record, bytes.data, bytes.length, &error), &error);
    assert_string_equal(record.entry.message, "a b");
    assert_string_equal(record.entry.peer, "x y  é");
    assert_int_equal(strlen(record.entry.detail), AUDIT_DETAIL_MAX - 1);
    bytes_clear(&bytes);
    record_clear(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_not_given),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, testing_start, NULL);
}
