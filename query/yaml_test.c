#include "query/yaml.h"

#include "base/test.h"

static enum maille_code parse(const struct yaml_node **root, struct arena *arena, const char *text,
                              struct maille_error *error)
{
    return yaml_parse(root, arena, "t.yaml", text, strlen(text), error);
}

static void nodes_know_their_place(void **state)
{
    (void)state;
    static const char text[] = "study: first\n"
                               "cohort: age >= 18 && year >= 1980\n"
                               "f: \"Surv(dtime, death) ~ chemo\"\n"
                               "plain: Surv(dtime, death) ~ chemo\n"
                               "list:\n"
                               "  - { name: size, levels: [\"<=20\", '20-50', \">50\"] }\n"
                               "weights: { iptw: \"chemo ~ age\" }\n"
                               "block: |\n"
                               "  a +\n"
                               "  b\n"
                               "é: off\n";
    struct arena *arena = arena_new();
    struct maille_error error;
    const struct yaml_node *root = NULL;
    assert_int_equal(parse(&root, arena, text, &error), MAILLE_OK);
    assert_int_equal(root->kind, YAML_KIND_MAP);
    assert_int_equal(root->n, 8);

    const struct yaml_node *node = yaml_get(root, "cohort");
    assert_string_equal(node->scalar, "age >= 18 && year >= 1980");
    assert_false(node->quoted);
    assert_int_equal(node->line, 2);
    assert_int_equal(node->column, 9);
    assert_int_equal(node->text_column, 9);

    node = yaml_get(root, "f");
    assert_true(node->quoted);
    assert_int_equal(node->column, 4);
    assert_int_equal(node->text_column, 5);
    assert_string_equal(yaml_get(root, "plain")->scalar, node->scalar);

    node = yaml_get(yaml_get(root, "list")->values[0], "levels");
    assert_int_equal(node->kind, YAML_KIND_LIST);
    assert_int_equal(node->n, 3);
    assert_string_equal(node->values[2]->scalar, ">50");
    assert_int_equal(node->values[1]->line, 6);
    assert_int_equal(node->values[1]->column, 36);

    assert_string_equal(yaml_get(yaml_get(root, "weights"), "iptw")->scalar, "chemo ~ age");
    node = yaml_get(root, "block");
    assert_string_equal(node->scalar, "a +\nb\n");
    assert_int_equal(node->text_line, 9);
    assert_int_equal(node->text_column, 3);
    node = yaml_get(root, "é");
    assert_string_equal(node->scalar, "off");
    assert_int_equal(node->column, 4); /* characters, not bytes */
    assert_null(yaml_get(root, "absent"));
    assert_null(yaml_get(NULL, "absent"));
    assert_string_equal(node->file, "t.yaml");
    arena_free(arena);
}

/* Bytes of length 0, as a message has them, may be nowhere. */
static void nothing_is_an_empty_file(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    const struct yaml_node *root;
    assert_int_equal(yaml_parse(&root, arena, "t.yaml", NULL, 0, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "found an empty file"));
    arena_free(arena);
}

static void blocks_know_their_place(void **state)
{
    (void)state;
    static const char text[] = "é: |\n\n   x\nb: >-\r\n  y\r\nlist:\n- |\r\n  z\r\n- |\n-  |\n  w\n";
    static const struct {
        int line, column;
    } list[] = {{8, 3}, {10, 1}, {11, 3}}; /* an empty one: what follows it */
    struct arena *arena = arena_new();
    const struct yaml_node *root = NULL, *node;
    assert_int_equal(parse(&root, arena, text, NULL), MAILLE_OK);
    node = yaml_get(root, "é");
    assert_int_equal(node->text_line, 3);
    assert_int_equal(node->text_column, 4);
    node = yaml_get(root, "b");
    assert_int_equal(node->text_line, 5);
    assert_int_equal(node->text_column, 3);
    node = yaml_get(root, "list");
    assert_int_equal(node->n, 3);
    for (size_t i = 0; i < node->n; i++) {
        assert_int_equal(node->values[i]->text_line, list[i].line);
        assert_int_equal(node->values[i]->text_column, list[i].column);
    }
    arena_free(arena);
}

static void what_cannot_be_signed_safely_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "t.yaml:1:1: expected keys and values, found an empty file"},
        {"# only a comment\n", "found an empty file"},
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: expected each key once, found `a` again (first on line 1)"},
        {"a: &x 1\n", "t.yaml:1:4: expected a plain value, found an anchor"},
        {"a: *x\n", "t.yaml:1:4: expected the value itself, found an alias"},
        {"a: !!int 3\n", "t.yaml:1:4: expected a plain value, found a tag"},
        {"a: ! x\n", "found a tag"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: expected one document"},
        {"a: [1, 2\n", "t.yaml:2:1: expected valid YAML"},
        {"a: 1\n b: 2\n", "expected valid YAML"},
        {"a: \"x\n", "expected valid YAML"},
        {"\ta: 1\n", "t.yaml:1:1: expected valid YAML"},
        {"[a]: 1\n", "t.yaml:1:1: expected a name as the key, found a list"},
        {"? {a: b}\n: 1\n", "expected a name as the key, found a map"},
        {"a: \"x\\0y\"\n", "t.yaml:1:4: expected text, found a NUL character"},
        {"a: 1\nb: \xff\n", "t.yaml:2:1: expected UTF-8 text"},
        {"a: b\n# c \xE2\x80\xAE d\n", "t.yaml:2:5: expected characters that can be seen, found U+202E"},
        {"a: é\xC2\x9B", "t.yaml:1:5: expected characters that can be seen, found U+009B"},
        {"a: 1\nb: \"x\\e[2K\"\n",
         "t.yaml:2:4: expected characters that can be seen, found U+001B in a text"},
        {"a: 1\nb: \"x\\u200b\"\n", "found U+200B in a text"},
        {"\"k\\u202e\": 1\n", "t.yaml:1:1: expected characters that can be seen, found U+202E in a text"},
        {"a: |\n  b\xE2\x80\xA8  c\n", "t.yaml:2:4: expected characters that can be seen, found U+2028"},
        {"a: [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n", "t.yaml:1:19: expected at most 16 levels of nesting"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new();
        struct maille_error error = {0};
        const struct yaml_node *root = NULL;
        assert_int_equal(parse(&root, arena, cases[i].text, &error), MAILLE_INVALID);
        assert_null(root);
        if (strstr(error.sentence, cases[i].sentence) == NULL)
            fail_msg("expected \"%s\" in \"%s\"", cases[i].sentence, error.sentence);
        arena_free(arena);
    }
}

static void limits_come_first(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    const struct yaml_node *root = NULL;
    size_t length = YAML_BYTES_MAX + 1;
    char *text = malloc(length);
    memset(text, ' ', length);
    assert_int_equal(yaml_parse(&root, arena, "t.yaml", text, length, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "at most 1048576 bytes"));

    /* Many small values in one list. */
    length = 0;
    text[length++] = '[';
    for (int i = 0; i < YAML_NODES_MAX; i++) {
        text[length++] = '1';
        text[length++] = ',';
    }
    text[length++] = ']';
    assert_int_equal(yaml_parse(&root, arena, "t.yaml", text, length, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "at most 200000 values"));

    /* Many keys in one map. */
    length = 0;
    for (int i = 0; i <= YAML_KEYS_MAX; i++)
        length += (size_t)sprintf(text + length, "k%d: 1\n", i);
    assert_int_equal(yaml_parse(&root, arena, "t.yaml", text, length, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "t.yaml:1025:1: expected at most 1024 keys"));

    /* Nested far beyond what is kept. */
    memset(text, '[', 100000);
    assert_int_equal(yaml_parse(&root, arena, "t.yaml", text, 100000, &error), MAILLE_INVALID);
    assert_null(root);
    free(text);
    arena_free(arena);
}

static void scalars_have_types(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    const struct yaml_node *root = NULL;
    const char *string = NULL;
    double number = -1;
    int64_t integer = -1;
    bool flag = false;
    assert_int_equal(parse(&root, arena, "s: off\nn: 2.5\ni: 7\nb: true\nl: [1]\nempty:\nyes: yes\n", &error),
                     MAILLE_OK);
    assert_int_equal(yaml_string(&string, yaml_get(root, "s"), &error), MAILLE_OK);
    assert_string_equal(string, "off");
    assert_int_equal(yaml_string(&string, yaml_get(root, "empty"), &error), MAILLE_OK);
    assert_string_equal(string, "");
    assert_int_equal(yaml_number(&number, yaml_get(root, "n"), 0, 3, &error), MAILLE_OK);
    assert_true(number == 2.5);
    assert_int_equal(yaml_integer(&integer, yaml_get(root, "i"), 0, 9, &error), MAILLE_OK);
    assert_int_equal(integer, 7);
    assert_int_equal(yaml_boolean(&flag, yaml_get(root, "b"), &error), MAILLE_OK);
    assert_true(flag);

    assert_int_equal(yaml_string(&string, yaml_get(root, "l"), &error), MAILLE_INVALID);
    assert_string_equal(error.sentence, "t.yaml:5:4: expected a text, found a list");
    assert_int_equal(yaml_number(&number, yaml_get(root, "s"), 0, 3, &error), MAILLE_INVALID);
    assert_string_equal(error.sentence, "t.yaml:1:4: expected a number, found off");
    assert_int_equal(yaml_number(&number, yaml_get(root, "n"), 3, 4, &error), MAILLE_INVALID);
    assert_string_equal(error.sentence, "t.yaml:2:4: expected a number from 3 to 4, found 2.5");
    assert_int_equal(yaml_integer(&integer, yaml_get(root, "n"), 0, 9, &error), MAILLE_INVALID);
    assert_int_equal(yaml_integer(&integer, yaml_get(root, "i"), 8, 9, &error), MAILLE_INVALID);
    assert_int_equal(yaml_boolean(&flag, yaml_get(root, "yes"), &error), MAILLE_INVALID);
    assert_string_equal(error.sentence, "t.yaml:7:6: expected true or false, found yes");
    /* Left as they were. */
    assert_true(number == 2.5);
    assert_int_equal(integer, 7);
    arena_free(arena);
}

static void unknown_keys_name_the_nearest(void **state)
{
    (void)state;
    static const char *const known[] = {"study", "dictionary", "cohort", NULL};
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    const struct yaml_node *root = NULL;
    assert_int_equal(parse(&root, arena, "study: x\ncohrot: y\n", &error), MAILLE_OK);
    assert_int_equal(yaml_only_keys(root, known, &error), MAILLE_INVALID);
    assert_string_equal(error.sentence,
                        "t.yaml:2:1: expected a known key, found `cohrot`; did you mean `cohort`?");
    assert_int_equal(parse(&root, arena, "zzz: y\n", &error), MAILLE_OK);
    assert_int_equal(yaml_only_keys(root, known, &error), MAILLE_INVALID);
    assert_string_equal(error.sentence,
                        "t.yaml:1:1: expected one of the keys study, dictionary, cohort, found `zzz`");
    assert_int_equal(parse(&root, arena, "study: y\n", &error), MAILLE_OK);
    assert_int_equal(yaml_only_keys(root, known, &error), MAILLE_OK);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_place),
        cmocka_unit_test(nothing_is_an_empty_file),
        cmocka_unit_test(blocks_know_their_place),
        cmocka_unit_test(what_cannot_be_signed_safely_is_refused),
        cmocka_unit_test(limits_come_first),
        cmocka_unit_test(scalars_have_types),
        cmocka_unit_test(unknown_keys_name_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
