#include "base/display.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"

static void what_hides_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *shown;
        size_t at;
    } cases[] = {
        {"a\x1B[2Kb", "U+001B", "a<U+001B>[2Kb", 1},
        {"\x9B", "byte 0x9B", "<byte 0x9B>", 0},
        {"\xC2\x9B"
         "2K",
         "U+009B", "<U+009B>2K", 0},
        {"x\xE2\x80\xAEy", "U+202E", "x<U+202E>y", 1},
        {"age\xE2\x80\x8B", "U+200B", "age<U+200B>", 3},
        {"\xEF\xBB\xBF"
         "p4",
         "U+FEFF", "<U+FEFF>p4", 0},
        {"l\xE2\x80\xA8m", "U+2028", "l<U+2028>m", 1},
        {"\xF3\xA0\x81\x81", "U+E0041", "<U+E0041>", 0},
        {"a\rb", "U+000D", "a<U+000D>b", 1},
        {"a\x7F", "U+007F", "a<U+007F>", 1},
        {"a\xC3", "byte 0xC3", "a<byte 0xC3>", 1},
        {"a\xED\xA0\x80", "byte 0xED", "a<byte 0xED><byte 0xA0><byte 0x80>", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[DISPLAY_NAME];
        size_t at = 99;
        struct bytes shown = {0};
        assert_true(display_hidden(name, &at, cases[i].text, strlen(cases[i].text)));
        assert_string_equal(name, cases[i].name);
        assert_int_equal(at, cases[i].at);
        display_put(&shown, cases[i].text, strlen(cases[i].text));
        assert_int_equal(shown.length, strlen(cases[i].shown));
        assert_memory_equal(shown.data, cases[i].shown, shown.length);
        bytes_clear(&shown);
    }
    static const char *const visible[] = {"", "a\tb\nc\r\nd", "Zoë — ≥ 18, 日本, 𝛽", "a\u00A0b"};
    for (size_t i = 0; i < sizeof visible / sizeof *visible; i++)
        assert_false(display_hidden(NULL, NULL, visible[i], strlen(visible[i])));
}

static void cells_are_no_formulas(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {{"=1+1", "'=1+1"},
                 {"-1.5", "-1.5"},
                 {"-", "'-"},
                 {"@SUM(A1)", "'@SUM(A1)"},
                 {"+33 1", "'+33 1"},
                 {"a,b", "\"a,b\""},
                 {"a\"b", "\"a\"\"b\""},
                 {"=\"x\"", "\"'=\"\"x\"\"\""},
                 {"a;b", "\"a;b\""},
                 {"\x1B", "<U+001B>"},
                 {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes out = {0};
        display_put_cell(&out, cases[i].text);
        bytes_put_u8(&out, 0);
        assert_string_equal(out.data, cases[i].cell);
        bytes_clear(&out);
    }
    static const char *const words[][2] = {{"/srv/maille", "/srv/maille"},
                                           {"a b", "'a b'"},
                                           {"it's", "'it'\\''s'"},
                                           {"$(x);", "'$(x);'"},
                                           {"", "''"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct bytes out = {0};
        display_put_word(&out, words[i][0]);
        bytes_put_u8(&out, 0);
        assert_string_equal(out.data, words[i][1]);
        bytes_clear(&out);
    }
    struct bytes markup = {0};
    display_put_markup(&markup, "<b>\x1B&'\"\xE2\x80\xAE");
    bytes_put_u8(&markup, 0);
    assert_string_equal(markup.data, "&lt;b&gt;&lt;U+001B&gt;&amp;&#39;&quot;&lt;U+202E&gt;");
    bytes_clear(&markup);
}

/* Runs print in a process whose standard output is path; its exit status: 0, or 1 where display_finish said
 * so. */
static int print_to(const char *path, int closed, void (*print)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct maille_error error;
        if (path != NULL && (dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1) != 1))
            _exit(9);
        for (int fd = 0; fd < 3; fd++)
            if (closed >> fd & 1)
                close(fd);
        if (!display_guard() || display_guard())
            _exit(8);
        print();
        _exit(display_finish(&error) == MAILLE_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void print_words(void)
{
    printf("title: %s\n", "x\x1B[2Ky");
    for (const char *c = "é\xE2\x80\xAEz\n"; *c != '\0'; c++) { /* a character in pieces */
        putchar(*c);
        fflush(stdout);
    }
}

static void print_nothing_much(void)
{
    printf("a\n");
    fprintf(stderr, "b\n");
    if (open("/dev/null", O_RDONLY) <= 2)
        _exit(7);
}

static void what_is_printed_is_text(void **state)
{
    (void)state;
    char path[512];
    struct bytes found = {0};
    snprintf(path, sizeof path, "%s/printed", getenv("MAILLE_TEST_TMP"));
    assert_int_equal(print_to(path, 0, print_words), 0);
    assert_int_equal(file_read(&found, path, 4096, NULL), MAILLE_OK);
    bytes_put_u8(&found, 0);
    assert_string_equal(found.data, "title: x<U+001B>[2Ky\né<U+202E>z\n");
    bytes_clear(&found);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    assert_int_equal(print_to("/dev/full", 0, print_words), 1);
    assert_int_equal(print_to("/dev/null", 0, print_words), 0);
}

static void closed_descriptors_are_opened(void **state)
{
    (void)state;
    for (int closed = 0; closed < 8; closed++)
        assert_int_equal(print_to("/dev/null", closed, print_nothing_much), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hides_is_named),           cmocka_unit_test(cells_are_no_formulas),
        cmocka_unit_test(what_is_printed_is_text),       cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(closed_descriptors_are_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
