#include "base/figures.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"

struct page {
    figure heard_ms, bytes, open;
};
static const struct figure_row rows[] = {
    {"heard",
     FIGURE_TIME,
     0,
     offsetof(struct page, heard_ms),
     {"when somebody spoke", "quand quelqu’un a parlé"}},
    {"bytes", FIGURE_COUNT, 1, offsetof(struct page, bytes), {"that came", "octets reçus"}},
    {"open", FIGURE_LEVEL, 1, offsetof(struct page, open), {"queries", "requêtes"}},
};
enum { N = 3 };

/* What a child counts in its page its parent reads, also once the child is gone. */
static void a_child_counts_and_its_parent_reads(void **state)
{
    struct maille_error error = {0};
    void *pages[2];
    int64_t values[N];
    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_ok(figures_page(&pages[i], &error), &error);
    struct page *own = pages[0], *child = pages[1];
    figure_set(&own->heard_ms, 1700000000123);
    if (fork() == 0) {
        figure_add(&child->bytes, 40);
        figure_add(&child->bytes, 2);
        _exit(0);
    }
    wait(NULL);
    figures_take(values, rows, N, pages);
    assert_int_equal(values[0], 1700000000123);
    assert_int_equal(values[1], 42);
    assert_int_equal(values[2], 0);
}

static void folder(char *out)
{
    static int n;
    struct maille_error error = {0};
    char name[64];
    snprintf(name, sizeof name, "program-%ld-%d", (long)getpid(), n++); /* of this run alone */
    test_path(out, name);
    assert_ok(file_folder_make(out, 0700, &error), &error);
}

static void the_file_is_there_while_a_program_has_it(void **state)
{
    struct maille_error error = {0};
    const int64_t values[N] = {1700000000123, 42, -7};
    char dir[512], path[600];
    int64_t read[N];
    int fd, second;
    bool there;
    (void)state;
    folder(dir);
    assert_ok(figures_file_read(read, &there, rows, N, dir, &error), &error);
    assert_false(there);
    assert_ok(figures_file_open(&fd, dir, &error), &error);
    assert_ok(figures_file_read(read, &there, rows, N, dir, &error), &error);
    assert_false(there); /* nothing is written yet */
    assert_ok(figures_file_write(fd, rows, N, values, &error), &error);
    assert_ok(figures_file_open(&second, dir, &error), &error);
    assert_int_equal(second, -1); /* one program writes */
    assert_ok(figures_file_read(read, &there, rows, N, dir, &error), &error);
    assert_true(there);
    assert_memory_equal(read, values, sizeof values);
    assert_ok(figures_file_read(read, &there, rows + 1, 1, dir, &error),
              &error); /* a program that knows fewer */
    assert_int_equal(read[0], 42);
    /* Half a writing is none. */
    snprintf(path, sizeof path, "%s/" FIGURES_FILE, dir);
    assert_int_equal(pwrite(fd, "writing 9", 9, 0), 9);
    assert_fails(figures_file_read(read, &there, rows, N, dir, &error), MAILLE_CORRUPT, &error,
                 "other bytes");
    static char longer[FIGURES_FILE_BYTES + 100];
    assert_int_equal(pwrite(fd, longer, sizeof longer, 0), sizeof longer);
    close(fd);
    assert_ok(figures_file_read(read, &there, rows, N, dir, &error), &error);
    assert_false(there); /* the program is gone, its file is not */
    assert_true(file_exists(path));
    /* Whatever lies there, the next program begins with an empty file. */
    assert_ok(figures_file_open(&fd, dir, &error), &error);
    assert_ok(figures_file_write(fd, rows, N, values, &error), &error);
    assert_ok(figures_file_read(read, &there, rows, N, dir, &error), &error);
    assert_true(there);
    assert_memory_equal(read, values, sizeof values);
    close(fd);
}

static void prometheus_reads_kinds(void **state)
{
    const int64_t values[N] = {1700000000123, 42, -7};
    struct bytes text = {0};
    (void)state;
    figures_prometheus(&text, "maille_x", rows, N, values);
    bytes_put_u8(&text, 0);
    assert_string_equal((const char *)text.data,
                        "# HELP maille_x_heard_timestamp_seconds when somebody spoke\n"
                        "# TYPE maille_x_heard_timestamp_seconds gauge\n"
                        "maille_x_heard_timestamp_seconds 1700000000.123\n"
                        "# HELP maille_x_bytes_total that came\n"
                        "# TYPE maille_x_bytes_total counter\n"
                        "maille_x_bytes_total 42\n"
                        "# HELP maille_x_open queries\n"
                        "# TYPE maille_x_open gauge\n"
                        "maille_x_open -7\n");
    bytes_clear(&text);
}

static void sizes_are_of_all_beneath(void **state)
{
    struct maille_error error = {0};
    char dir[512], path[600];
    static char much[1 << 20];
    (void)state;
    folder(dir);
    const int64_t before = figures_folder_bytes(dir);
    snprintf(path, sizeof path, "%s/deep/er", dir);
    assert_ok(file_folder_make(path, 0700, &error), &error);
    snprintf(path, sizeof path, "%s/deep/er/file", dir);
    memset(much, 'x', sizeof much);
    assert_ok(file_write_atomic(path, much, sizeof much, 0600, &error), &error);
    assert_true(figures_folder_bytes(dir) - before >= (int64_t)sizeof much);
    assert_true(figures_free_bytes(dir) > 0);
    assert_int_equal(figures_folder_bytes("/nowhere"), 0);
    assert_int_equal(figures_free_bytes("/nowhere"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_counts_and_its_parent_reads),
        cmocka_unit_test(the_file_is_there_while_a_program_has_it),
        cmocka_unit_test(prometheus_reads_kinds),
        cmocka_unit_test(sizes_are_of_all_beneath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
