/* A ledger after 500 questions of 100 groups, each of 2 to 20 of a site's patients, on 12 snapshots. */
#ifndef TESTS_PROTOCOL_LONG_PAST_H
#define TESTS_PROTOCOL_LONG_PAST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger.h"

enum {
    QUERIES = 500,
    ALIKE = 60,
    GROUPS = 100,
    SNAPSHOTS = 12,
    MEMBERS_MAX = 18,
    PATIENTS = 600,
    SET_BYTES = PATIENTS / 8
};

/* Snapshot 1 is the one that the sites have now: 42 of the questions were of it, 458 of others. */
static inline uint32_t snapshot_of(size_t q)
{
    return 1 + (uint32_t)q % SNAPSHOTS;
}

/* 2 to 20 of a site's patients, another set each time. */
static inline void draw(uint8_t bits[SET_BYTES], uint64_t *dice)
{
    memset(bits, 0, SET_BYTES);
    for (uint64_t i = 0, n = 2 + (*dice >> 33) % 19; i < n; i++) {
        *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const size_t patient = 1 + (size_t)((*dice >> 33) % (PATIENTS - 1));
        bits[patient / 8] |= (uint8_t)(1u << patient % 8);
    }
}

static inline void past_fails(const struct maille_error *error)
{
    fprintf(stderr, "%s\n", error->sentence);
    abort();
}

/* The ledger of one of sites 1 … n_sites after all of them. alike: each question is the one before it again,
 * on the next snapshot. */
static inline void put_past(const char *path, size_t n_sites, size_t n_queries, bool alike)
{
    uint32_t sites[MEMBERS_MAX];
    static uint8_t sets[GROUPS][SET_BYTES];
    struct ledger *ledger = NULL;
    struct ledger_group groups[GROUPS];
    uint32_t analyses[GROUPS];
    struct maille_error error = {0};
    uint64_t dice = 7;
    for (uint32_t s = 0; s < n_sites; s++)
        sites[s] = s + 1;
    if (ledger_open(&ledger, path, &error) != MAILLE_OK)
        past_fails(&error);
    for (size_t q = 0; q < n_queries; q++) {
        uint8_t qid[LEDGER_QUERY_BYTES] = {(uint8_t)q, (uint8_t)(q >> 8), 0x77};
        const uint8_t scene[LEDGER_HASH_BYTES] = {(uint8_t)snapshot_of(q)};
        static uint8_t canon[GROUPS][LEDGER_HASH_BYTES];
        for (uint32_t g = 0; g < GROUPS; g++) {
            draw(sets[g], &dice);
            analyses[g] = g;
            canon[g][0] = (uint8_t)g;
            canon[g][1] = alike ? 0 : (uint8_t)q;
            canon[g][2] = alike ? 0 : (uint8_t)(q >> 8);
            groups[g] = (struct ledger_group){.analysis = g,
                                              .canon = canon[g],
                                              .rows = {sets[g], SET_BYTES},
                                              .patients = {sets[g], SET_BYTES}};
        }
        const struct ledger_question question = {.query = qid,
                                                 .question = qid,
                                                 .snapshot = snapshot_of(q),
                                                 .protocol = "p",
                                                 .researcher = "bob",
                                                 .sites = sites,
                                                 .n_sites = n_sites,
                                                 .groups = groups,
                                                 .n_groups = GROUPS};
        if (ledger_reserve(ledger, &question, &error) != MAILLE_OK ||
            ledger_roster(ledger, qid, sites, n_sites, scene, &error) != MAILLE_OK ||
            ledger_commit(ledger, qid, analyses, GROUPS, &error) != MAILLE_OK)
            past_fails(&error);
    }
    ledger_close(ledger);
}

#endif
