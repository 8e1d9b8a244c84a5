/* The cohort ledger: one new question against GROUPS earlier groups over PATIENTS patients, each of another
 * set.
 *
 *   cmake --preset release && cmake --build --preset release --target ledger_bench
 *   build/release/bin/ledger_bench FOLDER [GROUPS [PATIENTS]]
 *
 * Prints, per kind of group, the file's size, and the time of ledger_reserve and ledger_differences (a pair
 * with each earlier group) after the pages of the file were dropped from memory (cold) and again (warm,
 * median of BENCH_TURNS). */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"
#include "disclosure/ledger_private.h"

static uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

enum kind { RANDOM, NESTED, RANGES, KINDS };
static const char *const names[KINDS] = {
    [RANDOM] = "random halves",                            /* nothing packs; counts alone settle them */
    [NESTED] = "parts of the new group, less 11 to 4,000", /* every piece must be read to its end */
    [RANGES] = "stretches of consecutive patients"         /* as years of diagnosis give them */
};

static void fill(uint8_t *bits, enum kind kind, size_t patients, uint64_t *seed)
{
    size_t bytes = patients / 8;
    if (kind == RANDOM || kind == NESTED)
        for (size_t i = 0; i < bytes; i += 8) {
            uint64_t word = next_bits(seed);
            memcpy(bits + i, &word, bytes - i < 8 ? bytes - i : 8);
        }
    if (kind == RANGES) {
        size_t from = next_bits(seed) % bytes, to = from + 1 + next_bits(seed) % (bytes - from);
        memset(bits, 0, bytes);
        memset(bits + from, 0xff, to - from);
    }
}

static struct ledger_question question_of(struct ledger_group *group, const uint8_t *bits, size_t bytes,
                                          uint32_t number)
{
    static uint8_t query[LEDGER_QUERY_BYTES], question[LEDGER_HASH_BYTES];
    static const uint32_t sites[] = {1, 2, 3, 4, 5, 6};
    memcpy(query, &number, sizeof number);
    memcpy(question, &number, sizeof number);
    *group =
        (struct ledger_group){.reading = MISSING_STUDY, .rows = {bits, bytes}, .patients = {bits, bytes}};
    return (struct ledger_question){.query = query,
                                    .question = question,
                                    .snapshot = 1,
                                    .protocol = "p",
                                    .researcher = "r",
                                    .sites = sites,
                                    .n_sites = 6,
                                    .groups = group,
                                    .n_groups = 1};
}

static double megabytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (double)status.st_size / 1e6 : 0;
}

static void forget_pages(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fsync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        fprintf(stderr, "bench: the pages of %s stay in memory\n", path);
    if (fd >= 0)
        close(fd);
}

enum { DIFFERENCING = 11 };

/* Reserves, compares with each of the pairs, and releases; seconds of the first two. *n: how many are near.
 */
static double ask(struct ledger *ledger, const struct ledger_question *question,
                  const struct ledger_pair *pairs, uint32_t n_pairs, size_t *n, double *processor)
{
    struct part_difference *differences = calloc(n_pairs, sizeof *differences);
    struct maille_error error;
    double start = bench_now();
    clock_t before = clock();
    bench_must(ledger_reserve(ledger, question, &error), &error);
    bench_must(ledger_differences(differences, ledger, question->query, pairs, n_pairs, DIFFERENCING, &error),
               &error);
    double seconds = bench_now() - start;
    *processor = (double)(clock() - before) / CLOCKS_PER_SEC;
    bench_must(ledger_release(ledger, question->query, &error), &error);
    *n = 0;
    for (size_t i = 0; i < n_pairs; i++)
        *n += differences[i].by[0] < DIFFERENCING;
    free(differences);
    return seconds;
}

static void measure(const char *folder, enum kind kind, uint32_t groups, size_t patients)
{
    char path[4096];
    struct ledger *ledger = NULL;
    struct maille_error error;
    struct ledger_group group;
    uint64_t seed = 1;
    size_t bytes = patients / 8 / 8 * 8, n = 0;
    uint8_t *bits = calloc(1, bytes), *asked = calloc(1, bytes);
    double times[BENCH_TURNS], processor[BENCH_TURNS];
    uint8_t(*queries)[LEDGER_QUERY_BYTES] = calloc(groups, sizeof *queries);
    struct ledger_pair *pairs = calloc(groups, sizeof *pairs);
    snprintf(path, sizeof path, "%s/ledger-%d", folder, kind);
    bench_must(ledger_open(&ledger, path, &error), &error);
    fill(asked, kind == RANGES ? RANGES : RANDOM, patients, &seed);
    bench_must(ledger_begin(ledger, &error), &error);
    /* One transaction for all: groups as they stand after years. */
    for (uint32_t g = 1; g <= groups; g++) {
        if (kind == NESTED) {
            memcpy(bits, asked, bytes);
            for (size_t i = 0, less = 11 + next_bits(&seed) % 3990; i < less; i++)
                bits[next_bits(&seed) % bytes] &= (uint8_t) ~(1u << next_bits(&seed) % 8);
        } else {
            fill(bits, kind, patients, &seed);
        }
        struct plain_set set = {0};
        int64_t id, query;
        sqlite3_stmt *statement = NULL;
        struct ledger_question question = question_of(&group, bits, bytes, g);
        bench_must(plain_set_fill(&set, &group.rows, true, &error), &error);
        bench_must(ledger_put_set(&id, ledger, &set, &error), &error);
        plain_set_clear(&set);
        bench_must(ledger_ready(&statement, ledger, LEDGER_PUT_QUERY, &error), &error);
        ledger_bind_blob(statement, 1, question.query, LEDGER_QUERY_BYTES);
        ledger_bind_blob(statement, 2, question.question, LEDGER_HASH_BYTES);
        sqlite3_bind_int64(statement, 3, 1);
        sqlite3_bind_text(statement, 4, "p", -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 5, "r", -1, SQLITE_STATIC);
        ledger_bind_blob(statement, 6, question.sites, 6 * 4);
        sqlite3_bind_int64(statement, 7, 0);
        sqlite3_bind_int64(statement, 8, 0);
        memcpy(queries[g - 1], question.query, LEDGER_QUERY_BYTES);
        pairs[g - 1] = (struct ledger_pair){.query = queries[g - 1]};
        bench_must(ledger_run(ledger, statement, &error), &error);
        query = sqlite3_last_insert_rowid(ledger->database);
        bench_must(ledger_ready(&statement, ledger, LEDGER_PUT_GROUP, &error), &error);
        sqlite3_bind_int64(statement, 1, query);
        sqlite3_bind_int64(statement, 2, 0);
        sqlite3_bind_int64(statement, 3, MISSING_STUDY);
        sqlite3_bind_int64(statement, 4, 0);
        sqlite3_bind_int64(statement, 5, id);
        sqlite3_bind_int64(statement, 6, id);
        bench_must(ledger_run(ledger, statement, &error), &error);
    }
    bench_must(ledger_finish(ledger, MAILLE_OK, &error), &error);
    ledger_close(ledger);
    forget_pages(path);
    bench_must(ledger_open(&ledger, path, &error), &error);
    struct ledger_question question = question_of(&group, asked, bytes, groups + 1);
    double cold = ask(ledger, &question, pairs, groups, &n, processor);
    for (size_t t = 0; t < BENCH_TURNS; t++)
        times[t] = ask(ledger, &question, pairs, groups, &n, &processor[t]);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-42s %6u groups x %zu patients: %7.1f MB, cold %6.1f ms, warm %6.1f ms (%.1f ms of processor), "
           "%zu near, peak %ld MB\n",
           names[kind], groups, patients, megabytes(path), 1e3 * cold, 1e3 * bench_median(times),
           1e3 * bench_median(processor), n, usage.ru_maxrss / 1024);
    ledger_close(ledger);
    free(bits);
    free(asked);
    free(queries);
    free(pairs);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    uint32_t groups = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000;
    size_t patients = argc > 3 ? strtoul(argv[3], NULL, 10) : 100000;
    for (int kind = 0; kind < KINDS; kind++)
        measure(folder, (enum kind)kind, groups, patients);
    return 0;
}
