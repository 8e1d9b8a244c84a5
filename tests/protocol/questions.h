/* Whole questions, one after the other, to six real sites. */
#ifndef TESTS_PROTOCOL_QUESTIONS_H
#define TESTS_PROTOCOL_QUESTIONS_H

#include "registry/columns.h"

#include "tests/protocol/sites.h"
#include "worker/snapshots.h"

static inline struct world *up(const char *policy, const char *analyses)
{
    struct sites_options options = {.n = 6, .study = analyses};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = policy;
    return sites_up_with(&options);
}

static inline void down(struct world *world)
{
    void *state = world;
    sites_down(&state);
}

static inline void end_query(struct world *world, enum message_kind kind)
{
    struct bytes body = {0};
    struct message_end end;
    struct message_cancel cancel = {.rule = "test"};
    memcpy(end.qid, world->qid, QID_BYTES);
    memcpy(cancel.qid, world->qid, QID_BYTES);
    if (kind == MESSAGE_END)
        assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    else
        assert_int_equal(message_cancel_encode(&body, &cancel, NULL), MAILLE_OK);
    for (size_t i = 0; i < world->n; i++)
        assert_int_equal(site_hear(world, i, kind, world->alice, &body, NULL, NULL), MAILLE_OK);
    bytes_clear(&body);
}

/* Returns how many there were. */
static inline uint32_t run_rounds(struct world *world)
{
    uint32_t round = 1;
    for (; study_run_open(&world->run); round++) {
        assert_true(round <= 20);
        sites_to_masked(world, round, 1);
        sites_finish_round(world);
    }
    return round - 1;
}

/* From the manifest to the end. NULL: every analysis is answered; else analysis k is refused under this rule.
 * Returns how many rounds there were. */
static inline uint32_t ask(struct world *world, const char *analyses, size_t k, const char *rule)
{
    if (analyses != NULL)
        sites_next(world, analyses);
    sites_to_roster(world);
    const uint32_t rounds = run_rounds(world);
    for (size_t i = 0; i < world->study->n_analyses; i++) {
        const struct analysis_state *analysis = &world->run.states[i];
        if (rule != NULL && i == k) {
            assert_int_equal(analysis->status, ANALYSIS_REFUSED);
            assert_string_equal(analysis->rule, rule);
        } else if (analysis->status != ANALYSIS_OK) {
            fail_msg("%s: %s %s", world->study->analyses[i].id, analysis->rule, analysis->reason);
        }
    }
    end_query(world, MESSAGE_END);
    return rounds;
}

/* Snapshot `number` of each site: that before it, without its first patient. */
static inline void one_less_at_each(struct world *world, uint32_t number)
{
    for (size_t i = 0; i < world->n; i++) {
        struct columns *from = NULL, *less = NULL;
        struct maille_error error = {0};
        char name[SNAPSHOT_NAME_BYTES];
        const char *folder = arena_printf(world->arena, "%s/snapshots", world->sites[i].folder);
        snapshots_name(name, number - 1);
        if (columns_open(&from, arena_printf(world->arena, "%s/%s", folder, name), &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        bool *kept = calloc(columns_rows(from), sizeof *kept);
        assert_non_null(kept);
        for (size_t r = 1; r < columns_rows(from); r++)
            kept[r] = true;
        assert_int_equal(columns_subset(&less, from, kept, NULL), MAILLE_OK);
        struct snapshot_entry entry = {
            .number = number, .rows = columns_rows(less), .created = "2026-01-02T00:00:00Z"};
        struct snapshot_facts facts = {.number = number, .created = "2026-01-02T00:00:00Z"};
        snapshots_salt(facts.salt);
        snapshots_name(name, number);
        const char *path = arena_printf(world->arena, "%s/%s", folder, name);
        assert_int_equal(snapshot_write(less, path, &facts, NULL), MAILLE_OK);
        assert_int_equal(hash_file(&entry.hash, path, NULL), MAILLE_OK);
        assert_int_equal(snapshots_add(folder, &entry, NULL), MAILLE_OK);
        columns_free(from);
        columns_free(less);
        free(kept);
    }
}

#endif
