/* Runs a target over every file of a folder: what CTest does with the corpus, in builds without libFuzzer.
 * Like libFuzzer, it also runs it over nothing. With `large` it then runs it over large texts. No input may
 * take more time or memory than its size allows. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/large.h"

/* What 1 MiB of input may take: 1 s of processor time and 64 MiB of memory. A small input gets its share, and
 * what a target needs to begin with. Sanitizers are slower, and keep freed memory for a while. */
#ifdef MAILLE_SANITIZED
enum { TIMES_SLOWER = 20, MEMORY_COUNTS = false };
#else
enum { TIMES_SLOWER = 1, MEMORY_COUNTS = true };
#endif
static const double seconds_least = 0.5, seconds_each_mib = 0.5, mib_least = 32, mib_each_mib = 48;
/* Those are seconds of a machine that takes so long for yardstick(): a slower one, or one that others use,
 * has more. */
static const double yardstick_seconds = 0.100;

struct used {
    double seconds,
        mib; /* processor time of this process; the most memory that it has held since peak_reset */
};

/* "VmHWM:" or "VmRSS:" of /proc/self/status. */
static double status_mib(const char *name)
{
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtod(line + strlen(name), NULL);
    if (file == NULL || fclose(file) != 0 || kib <= 0)
        fuzz_fail("to know what is held");
    return kib / 1024;
}

/* What was freed goes back, and the most memory is what is held now. */
static void peak_reset(void)
{
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0)
        fuzz_fail("to begin anew to measure memory");
}

static struct used used_now(const char *name)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        fuzz_fail("to know what was used");
    return (struct used){(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                             1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
                         MEMORY_COUNTS ? status_mib(name) : 0};
}

/* Seconds of processor time that a fixed work takes now: 2^26 multiplications that wait for each other, over
 * 1 MiB. */
static __attribute__((no_sanitize("address", "undefined", "thread"))) double yardstick(void)
{
    static uint32_t memory[1 << 18];
    const struct used before = used_now("VmRSS:");
    uint32_t hash = 0x811c9dc5U;
    for (size_t i = 0; i < (size_t)1 << 26; i++) {
        hash = (hash ^ memory[i % (1 << 18)]) * 0x01000193U;
        memory[i % (1 << 18)] = hash;
    }
    return used_now("VmRSS:").seconds - before.seconds;
}

/* How much slower the machine is now; 1 to 5. */
static double times_slower(void)
{
    const double times = yardstick() / yardstick_seconds;
    return times < 1 ? 1 : times > 5 ? 5 : times;
}

/* Runs the target over a copy of exactly that many bytes, so that AddressSanitizer sees a read past the end.
 */
static struct used run_once(const struct bytes *input)
{
    if (MEMORY_COUNTS)
        peak_reset();
    const struct used before = used_now("VmRSS:");
    uint8_t *exactly = malloc(input->length > 0 ? input->length : 1);
    if (exactly == NULL)
        fuzz_fail("memory");
    if (input->length > 0)
        memcpy(exactly, input->data, input->length);
    LLVMFuzzerTestOneInput(exactly, input->length);
    free(exactly);
    const struct used after = used_now("VmHWM:");
    return (struct used){after.seconds - before.seconds, after.mib - before.mib};
}

static void run(const char *name, const struct bytes *input)
{
    enum { TRIES = 3 };                                /* a machine that others use may stand still in one */
    const char *budget = getenv("MAILLE_FUZZ_BUDGET"); /* coverage.sh: its programs are slow ones */
    const double mib = (double)input->length / (1024 * 1024), mib_max = mib_least + mib_each_mib * mib;
    const double seconds = TIMES_SLOWER * (seconds_least + seconds_each_mib * mib);
    double seconds_max = seconds;
    struct used used = run_once(input);
    for (int i = 1; i < TRIES && used.seconds > seconds_max && used.mib <= mib_max; i++) {
        seconds_max = seconds * times_slower();
        if (used.seconds > seconds_max)
            used = run_once(input);
    }
    if (getenv("MAILLE_FUZZ_SHOW") != NULL)
        printf("%8.3f s %7.1f MiB  %s\n", used.seconds, used.mib, name);
    if ((budget != NULL && strcmp(budget, "no") == 0) || (used.seconds <= seconds_max && used.mib <= mib_max))
        return;
    fprintf(stderr, "%s, %zu bytes: expected at most %.2f s and %.0f MiB, found %.2f s and %.0f MiB\n", name,
            input->length, seconds_max, mib_max, used.seconds, used.mib);
    fuzz_fail("an input within its budget of time and memory");
}

int main(int argc, char **argv)
{
    size_t n = 0;
    const bool large = argc == 3 && strcmp(argv[2], "large") == 0;
    DIR *folder = argc == 2 || large ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER [large]\n", argv[0]);
        return 2;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct bytes content = {0};
        char path[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        if (file_path_join(path, sizeof path, argv[1], entry->d_name, NULL) != MAILLE_OK ||
            file_read(&content, path, 1 << 24, NULL) != MAILLE_OK)
            fuzz_fail("files alone in a corpus");
        run(path, &content);
        bytes_clear(&content);
        n++;
    }
    closedir(folder);
    for (size_t i = 0; large && i < large_n; i++) {
        struct bytes text = {0};
        const char *name = large_text(&text, i);
        run(name, &text);
        bytes_clear(&text);
    }
    printf("%zu inputs, %zu large texts\n", n, large ? large_n : 0);
    return n > 0 ? 0 : 1;
}
