#include "cli/sandbox_split.h"

#include <ctype.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "registry/csv.h"

enum { SPLIT_SITES_MAX = 1000 };

/* What the first pass finds: which site each record goes to. */
struct deal {
    struct arena *arena;
    void *patients; /* tsearch tree of struct patient by key */
    size_t n_patients;
    uint32_t *order;     /* random split: site of the k-th patient that is met */
    const char **values; /* split by column: value of each site */
    size_t n_values;
};

struct patient {
    const char *key;
    size_t index;
    size_t site;
};

static int patient_compare(const void *a, const void *b)
{
    return strcmp(((const struct patient *)a)->key, ((const struct patient *)b)->key);
}

static void patient_keep(void *unused)
{
    (void)unused; /* patients live in the arena */
}

uint64_t sandbox_split_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static struct patient *deal_patient(struct deal *deal, const char *key, size_t length)
{
    struct patient wanted = {.key = arena_strndup(deal->arena, key, length)};
    struct patient **found = tsearch(&wanted, &deal->patients, patient_compare);
    if (found == NULL)
        return NULL;
    if (*found == &wanted) {
        struct patient *made = arena_alloc(deal->arena, sizeof *made);
        *made = (struct patient){.key = wanted.key, .index = deal->n_patients++, .site = SIZE_MAX};
        *found = made;
    }
    return *found;
}

static int find_column(const struct csv_record *header, const char *name)
{
    for (size_t c = 0; c < header->n; c++)
        if (strcmp(header->fields[c].text, name) == 0)
            return (int)c;
    return -1;
}

static const char *site_name(struct arena *arena, const char *column, const char *value)
{
    char *name = arena_printf(arena, "%.16s-%.22s", column, value);
    for (char *c = name; *c != '\0'; c++)
        *c = isalnum((unsigned char)*c) && (unsigned char)*c < 128 ? (char)tolower((unsigned char)*c) : '-';
    if (name[0] == '-')
        name[0] = 's';
    return name;
}

/* Reads all records; calls with out == NULL find patients and sites, with out != NULL write each record to
 * its site's file. */
static enum maille_code split_pass(struct deal *deal, FILE **out, struct sandbox_site *sites,
                                   const char *data, const struct dictionary *dictionary,
                                   const char *split_by, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct csv *csv = NULL;
    struct csv_record record;
    int key, by = -1;
    MAILLE_TRY(csv_open(&csv, data, NULL, error));
    MAILLE_TRY(csv_next(csv, &record, error));
    key = record.n == 0 ? -1 : find_column(&record, dictionary->key);
    if (key < 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the key column \"%s\" in the first line of %s, found none",
                           dictionary->key, data);
        goto out;
    }
    if (split_by != NULL && (by = find_column(&record, split_by)) < 0) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the column \"%s\" of --split-by in %s, found none", split_by, data);
        goto out;
    }
    for (size_t s = 0; out != NULL && s < SPLIT_SITES_MAX && out[s] != NULL; s++)
        fprintf(out[s], "%.*s\n", (int)record.raw_length, record.raw);
    for (;;) {
        MAILLE_TRY(csv_next(csv, &record, error));
        if (record.n == 0)
            break;
        if (record.n <= (size_t)key || (by >= 0 && record.n <= (size_t)by)) {
            code = maille_fail(error, MAILLE_INVALID,
                               "%s:%zu: expected as many fields as in the first line, found %zu", data,
                               record.line, record.n);
            goto out;
        }
        struct patient *patient = deal_patient(deal, record.fields[key].text, record.fields[key].length);
        if (patient == NULL) {
            code =
                maille_fail(error, MAILLE_MEMORY, "expected memory for the patients of %s, found none", data);
            goto out;
        }
        if (by >= 0) {
            size_t site = 0;
            const char *value = record.fields[by].text;
            while (site < deal->n_values && strcmp(deal->values[site], value) != 0)
                site++;
            if (site == deal->n_values) {
                if (site == SPLIT_SITES_MAX) {
                    code = maille_fail(error, MAILLE_INVALID,
                                       "expected at most %d values in the column \"%s\", found more",
                                       SPLIT_SITES_MAX, split_by);
                    goto out;
                }
                deal->values[deal->n_values++] = arena_strdup(deal->arena, value);
            }
            if (patient->site != SIZE_MAX && patient->site != site) {
                code = maille_fail(
                    error, MAILLE_INVALID,
                    "%s:%zu: expected all rows of one patient at one site, found a second value of \"%s\"",
                    data, record.line, split_by);
                goto out;
            }
            patient->site = site;
        }
        if (out != NULL) {
            size_t site = by >= 0 ? patient->site : deal->order[patient->index];
            if (fwrite(record.raw, 1, record.raw_length, out[site]) != record.raw_length ||
                fputc('\n', out[site]) == EOF) {
                code = maille_fail_errno(error, "cannot write %s", sites[site].file);
                goto out;
            }
            sites[site].rows++;
        }
    }
out:
    csv_free(csv);
    return code;
}

/* Sites of the patients in random order: a shuffled list of 0, 1, … n−1, 0, 1, … */
static uint32_t *deal_order(struct arena *arena, size_t patients, size_t n_sites, uint64_t seed)
{
    uint32_t *order = arena_array(arena, patients + 1, sizeof *order);
    for (size_t p = 0; p < patients; p++)
        order[p] = (uint32_t)(p % n_sites);
    for (size_t p = patients; p > 1; p--) {
        size_t other = (size_t)(sandbox_split_random(&seed) % p);
        uint32_t kept = order[p - 1];
        order[p - 1] = order[other];
        order[other] = kept;
    }
    return order;
}

enum maille_code sandbox_split(struct sandbox_site **sites, size_t *n, struct arena *arena, const char *dir,
                               const char *data, const struct dictionary *dictionary, size_t n_sites,
                               const char *split_by, uint64_t seed, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct deal deal = {.arena = arena};
    FILE **out = arena_array(arena, SPLIT_SITES_MAX + 1, sizeof(FILE *));
    struct sandbox_site *made = NULL;
    deal.values = arena_array(arena, SPLIT_SITES_MAX, sizeof *deal.values);
    MAILLE_TRY(split_pass(&deal, NULL, NULL, data, dictionary, split_by, error));
    if (split_by != NULL)
        n_sites = deal.n_values;
    if (n_sites < 3) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected at least 3 sites, found %zu: with two, each would read the other's sums",
                           n_sites);
        goto out;
    }
    made = arena_array(arena, n_sites, sizeof *made);
    deal.order = deal_order(arena, deal.n_patients, n_sites, seed);
    for (size_t s = 0; s < n_sites; s++) {
        made[s].name = split_by == NULL ? arena_printf(arena, "site-%zu", s + 1)
                                        : site_name(arena, split_by, deal.values[s]);
        for (size_t t = 0; t < s; t++)
            if (strcmp(made[t].name, made[s].name) == 0)
                made[s].name = arena_printf(arena, "%.34s-%zu", made[s].name, s + 1);
        made[s].file = arena_printf(arena, "%s/sites/%s/data.csv", dir, made[s].name);
        MAILLE_TRY(file_folder_make(arena_printf(arena, "%s/sites/%s", dir, made[s].name), 0700, error));
        out[s] = fopen(made[s].file, "wbxe");
        if (out[s] == NULL) {
            code = maille_fail_errno(error, "cannot create %s", made[s].file);
            goto out;
        }
    }
    MAILLE_TRY(split_pass(&deal, out, made, data, dictionary, split_by, error));
    *sites = made;
    *n = n_sites;
out:
    for (size_t s = 0; s < SPLIT_SITES_MAX && out[s] != NULL; s++)
        if (fclose(out[s]) != 0 && code == MAILLE_OK)
            code = maille_fail_errno(error, "cannot write %s", made[s].file);
    tdestroy(deal.patients, patient_keep);
    return code;
}
