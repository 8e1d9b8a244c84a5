#include "tests/silence/patients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/federation/federation.h"
#include "tests/network/seeded.h"

/* Every fifth line of the file: its patients have few events, and the first ones none. */
enum { STRIDE = 5, LINE_BYTES = 128, LINES = 2982, COLUMN_SIZE = 4, COLUMN_DEATH = 14, COLUMNS = 15 };

static char everybody[LINES][LINE_BYTES], head[LINE_BYTES];

static void read_everybody(void)
{
    struct bytes text = {0};
    if (head[0] != '\0')
        return;
    assert_int_equal(file_read(&text, "examples/rotterdam/rotterdam.csv", 1 << 20, NULL), MAILLE_OK);
    bytes_put_u8(&text, 0);
    char *at = (char *)text.data;
    for (size_t line = 0; line <= LINES; line++) {
        const size_t length = strcspn(at, "\n");
        assert_true(length > 0 && length < LINE_BYTES - 1);
        memcpy(line == 0 ? head : everybody[line - 1], at, length + 1);
        at += length + 1;
    }
    bytes_clear(&text);
}

static const char *patient(size_t i)
{
    read_everybody();
    return everybody[(STRIDE - 1 + i * STRIDE) % LINES];
}

/* Lines of a CSV file as a table. */
static struct columns *table_of(const struct bytes *lines)
{
    struct maille_error error = {0};
    struct columns *table = NULL;
    const struct dictionary *dictionary;
    static struct arena *arena; /* of dictionaries: as long as the program */
    const char *tmp = getenv("MAILLE_TEST_TMP");
    if (arena == NULL)
        arena = arena_new();
    const char *path = arena_printf(arena, "%s/patients.%ld.csv", tmp != NULL ? tmp : "/tmp", (long)getpid());
    const char *name = arena_printf(arena, "rotterdam=%s", path);
    assert_int_equal(file_write_atomic(path, lines->data, lines->length, 0600, &error), MAILLE_OK);
    if (federation_data(&dictionary, &table, arena, name, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(unlink(path), 0);
    return table;
}

static void put_line(struct bytes *out, const char *line)
{
    bytes_put(out, line, strlen(line));
}

/* Those of whom questions of the tests ask for all but them. */
static bool is_one_of_few(size_t i)
{
    int age, nodes, pgr;
    if (sscanf(patient(i), "%*d,%*d,%d,%*d,%*[^,],%*d,%d,%d", &age, &nodes, &pgr) != 3)
        fail_msg("expected a line of the example, found %s", patient(i));
    return age >= 82 || nodes >= 15 || pgr >= 900;
}

/* The few, but those of site `but`, all of them at one site, which gives others for them. */
static void gather(uint32_t site_of[PATIENTS], uint32_t site, uint32_t but)
{
    size_t other = 0;
    for (size_t i = 0; i < PATIENTS; i++) {
        if (!is_one_of_few(i) || site_of[i] == site || site_of[i] == but)
            continue;
        while (other < PATIENTS && (site_of[other] != site || is_one_of_few(other)))
            other++;
        assert_true(other < PATIENTS);
        site_of[other] = site_of[i];
        site_of[i] = site;
    }
}

void patients_deal(struct columns *parts[PATIENTS_SITES], size_t n, uint64_t deal, bool last_keeps)
{
    static struct columns *all; /* as long as the program */
    uint32_t site_of[PATIENTS];
    bool keep[PATIENTS];
    struct seeded dice;
    assert_true(n <= PATIENTS_SITES && PATIENTS % n == 0);
    if (all == NULL) {
        struct bytes lines = {0};
        put_line(&lines, (read_everybody(), head));
        for (size_t i = 0; i < PATIENTS; i++)
            put_line(&lines, patient(i));
        all = table_of(&lines);
        bytes_clear(&lines);
        assert_int_equal(columns_rows(all), PATIENTS);
    }
    for (size_t i = 0; i < PATIENTS; i++)
        site_of[i] = (uint32_t)(i % n);
    seeded_init(&dice, deal, "deal");
    for (size_t i = PATIENTS; deal != 0 && i > 1; i--) { /* Fisher and Yates */
        const size_t other = (size_t)seeded_below(&dice, i);
        const uint32_t site = site_of[i - 1];
        if (last_keeps && (site == n - 1 || site_of[other] == n - 1))
            continue;
        site_of[i - 1] = site_of[other];
        site_of[other] = site;
    }
    if (deal % 2 == 1)
        gather(site_of, (uint32_t)(deal / 2 % (n - last_keeps)), last_keeps ? (uint32_t)n - 1 : UINT32_MAX);
    for (uint32_t s = 0; s < n; s++) {
        for (size_t i = 0; i < PATIENTS; i++)
            keep[i] = site_of[i] == s;
        assert_int_equal(columns_subset(&parts[s], all, keep, NULL), MAILLE_OK);
    }
}

/* Where value number `column` of a line begins. */
static char *value_at(char *line, size_t column)
{
    for (; column > 0; column--)
        line = strchr(line, ',') + 1;
    return line;
}

/* Somebody who is like nobody else here: cells that were empty have one. */
static void put_newcomer(struct bytes *out, uint64_t draw)
{
    static const char *const sizes[] = {"<=20", "20-50", ">50"};
    char line[2 * LINE_BYTES];
    snprintf(line, sizeof line, "%d,%d,%d,%d,\"%s\",%d,%d,%d,%d,%d,%d,%d,%d,%d,%d\n", 90000 + (int)draw,
             1980 + (int)(draw % 13), 95 + (int)(draw % 20), (int)(draw & 1), sizes[draw % 3],
             2 + (int)(draw >> 1 & 1), 40 + (int)(draw % 17), 4000 + (int)draw % 1000, 4500,
             (int)(draw >> 2 & 1), (int)(draw >> 3 & 1), 100 + (int)draw % 3000, (int)(draw & 1),
             7000 + (int)draw % 1000, (int)(draw >> 1 & 1));
    put_line(out, line);
}

struct columns *patients_changed(const struct patients_change *change)
{
    enum { HERE = PATIENTS / PATIENTS_SITES };
    struct bytes lines = {0};
    const size_t one = (size_t)(change->draw % HERE);
    put_line(&lines, (read_everybody(), head));
    for (size_t i = 0; i < HERE; i++) {
        size_t who = change->site + i * PATIENTS_SITES;
        char line[LINE_BYTES];
        if (change->kind == CHANGE_OBJECTED && i == one)
            continue;
        if (change->kind == CHANGE_REPLACED) /* strangers: of the lines that no site has */
            snprintf(line, sizeof line, "%s",
                     everybody[(STRIDE * (size_t)(change->draw + 7 * i) + i % (STRIDE - 1)) % LINES]);
        else
            snprintf(line, sizeof line, "%s", patient(who));
        if (change->kind == CHANGE_OUTCOME && i == one) {
            char *death = value_at(line, COLUMN_DEATH);
            *death = *death == '0' ? '1' : '0';
        }
        put_line(&lines, line);
    }
    if (change->kind == CHANGE_ADDED)
        put_newcomer(&lines, change->draw);
    struct columns *table = table_of(&lines);
    bytes_clear(&lines);
    return table;
}

const char *patients_change_word(const struct patients_change *change)
{
    static const char *const words[] = {"nothing", "one outcome", "one patient more", "one who objected",
                                        "all patients"};
    return words[change->kind];
}
