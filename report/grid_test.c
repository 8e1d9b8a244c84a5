#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "report/grid.h"

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(grid_width("age"), 3);
    assert_int_equal(grid_width("Kaplan–Meier ≥10"), 16);
    assert_int_equal(grid_width("e\xCC\x81tude"), 5); /* a combining accent takes none */
    assert_int_equal(grid_width("年齢"), 4);          /* two each */
    assert_int_equal(grid_width("\xFF\x01"), 2);
    assert_int_equal(grid_width("\xE2\x82"), 2); /* cut short */
}

static char *paragraph(const char *text, int at, int indent, int width)
{
    char *out = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&out, &size);
    grid_paragraph(to, text, at, indent, width);
    fclose(to);
    return out;
}

static void test_paragraph(void **state)
{
    (void)state;
    char *text = paragraph("one two three four", 0, 2, 9);
    assert_string_equal(text, "one two\n  three\n  four");
    free(text);
    text = paragraph("incomprehensible word", 0, 0, 5); /* too long a word stands alone */
    assert_string_equal(text, "incomprehensible\nword");
    free(text);
    text = paragraph("\x1b[2J", 0, 0, 80); /* a terminal would obey it */
    assert_string_equal(text, "?[2J");
    free(text);
}

static char *table(int width, size_t most)
{
    char *out = NULL;
    size_t size = 0;
    struct arena *arena = arena_new();
    struct grid *grid = grid_new(arena);
    grid_column(grid, "Characteristic", false);
    grid_column(grid, "Hazard ratio", true);
    static const char *const rows[][2] = {{"Tumour size at surgery", ""}, {"  ≤20", "1"}, {"  >50", "1.94"}};
    for (size_t i = 0; i < 3; i++) {
        grid_row(grid);
        for (size_t j = 0; j < 2; j++)
            grid_set(grid, i, j, rows[i][j]);
    }
    FILE *to = open_memstream(&out, &size);
    grid_print(to, grid, most, width);
    fclose(to);
    arena_free(arena);
    return out;
}

static void test_table(void **state)
{
    (void)state;
    char *text = table(80, 9);
    assert_string_equal(text, "  Characteristic          Hazard ratio\n"
                              "  ────────────────────────────────────\n"
                              "  Tumour size at surgery\n"
                              "    ≤20                              1\n"
                              "    >50                           1.94\n");
    free(text);
    text = table(32, 9); /* the heading is broken first */
    assert_string_equal(text, "                          Hazard\n"
                              "  Characteristic           ratio\n"
                              "  ──────────────────────────────\n"
                              "  Tumour size at surgery\n"
                              "    ≤20                        1\n"
                              "    >50                     1.94\n");
    free(text);
    text = table(24, 2); /* then the text on the left; numbers never are */
    assert_string_equal(text, "                  Hazard\n"
                              "  Characteristic   ratio\n"
                              "  ──────────────────────\n"
                              "  Tumour size at\n"
                              "    surgery\n"
                              "    ≤20                1\n"
                              "  … 1 more row\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_width), cmocka_unit_test(test_paragraph),
                                       cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
