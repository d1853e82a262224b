/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/yaml.h"

#include "base/xalloc.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct yaml_doc *parse(const char *text)
{
    return yaml_parse(STR("f.yaml"), str_of(text));
}

static void assert_problems(const struct yaml_doc *doc, const char *expected)
{
    char *found = str_dup(buf_str(&doc->problems));

    assert_string_equal(found, expected);
    free(found);
}

/* --- the tree --------------------------------------------------------------------------------- */

static void put_tree(struct buf *out, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        buf_printf(out, node->quoted ? "'" STR_FMT "'" : STR_FMT, STR_ARG(node->text));
        return;
    }
    buf_put_str(out, node->kind == YAML_LIST ? STR("[") : STR("{"));
    for (const struct yaml_node *at = node->first; at; at = at->next) {
        if (node->kind == YAML_MAP)
            buf_printf(out, STR_FMT "=", STR_ARG(at->key->text));
        put_tree(out, at);
        if (at->next)
            buf_put_byte(out, ' ');
    }
    buf_put_str(out, node->kind == YAML_LIST ? STR("]") : STR("}"));
}

static void every_way_of_writing_gives_the_tree(void **state)
{
    static const struct {
        const char *yaml, *tree;
    } cases[] = {
        {"a: 1\nb: two words\n", "{a=1 b=two words}"},
        {"- a\n- b: c\n  d: e\n- [f, g]\n", "[a {b=c d=e} [f g]]"},
        {"{a: [b, c], d: {e: f}}", "{a=[b c] d={e=f}}"},
        {"a: 'q: #1'\nb: \"tab\\t\"\n", "{a='q: #1' b='tab\t'}"},
        {"a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{a='one\ntwo\n' b='one two'}"},
        {"# a comment\na: b # and one more\n", "{a=b}"},
        {"a:\nb: ''\n", "{a= b=''}"},
        {"\xef\xbb\xbf"
         "a: b\r\nc: d\r\n",
         "{a=b c=d}"},
        {".manage.microsoft.com: '*.x'\n", "{.manage.microsoft.com='*.x'}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct yaml_doc *doc = parse(cases[i].yaml);
        struct buf out;

        buf_init(&out, BUF_UNBOUNDED);
        assert_problems(doc, "");
        assert_non_null(doc->root);
        put_tree(&out, doc->root);
        buf_put_byte(&out, '\0');
        assert_string_equal(out.p, cases[i].tree);
        buf_finish(&out);
        yaml_destroy(doc);
    }
}

static void an_empty_file_has_no_root_and_no_problem(void **state)
{
    static const char *const empty[] = {"", "\n\n", "# nothing yet\n", "---\n", "\xef\xbb\xbf"};

    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct yaml_doc *doc = parse(empty[i]);

        assert_null(doc->root);
        assert_int_equal(doc->problem_count, 0);
        yaml_destroy(doc);
    }
}

static void nodes_know_their_place(void **state)
{
    struct yaml_doc *doc = parse("# one\na:\n  - é: x\n    f: y\n");
    const struct yaml_node *item = yaml_get(doc->root, "a")->first;
    const struct yaml_node *y = yaml_get(item, "f");

    (void)state;
    assert_int_equal(item->line, 3);
    assert_int_equal(item->column, 5);
    assert_int_equal(item->first->column, 8); /* characters, not bytes */
    assert_int_equal(y->line, 4);
    assert_int_equal(y->column, 8);
    assert_int_equal(y->key->column, 5);
    yaml_destroy(doc);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void what_yaml_allows_and_we_do_not_is_said_and_left_out(void **state)
{
    static const struct {
        const char *yaml, *problems, *tree;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n",
         "f.yaml:3:1: 'a' stands twice in this map\n"
         "    3 | a: 3\n"
         "      | ^\n",
         "{a=1 b=2}"},
        {"a: &x 1\nb: *x\n",
         "f.yaml:1:4: anchors (&x) are not used here: write it out\n"
         "    1 | a: &x 1\n"
         "      |    ^\n"
         "f.yaml:2:4: a text that begins with * needs quotes: write '*x'\n"
         "    2 | b: *x\n"
         "      |    ^\n",
         "{a=1 b=}"},
        {"a: !secret x\nb: !!int 2\n",
         "f.yaml:1:4: tags (!) are not used here; put a text that begins with ! in quotes\n"
         "    1 | a: !secret x\n"
         "      |    ^\n"
         "f.yaml:2:4: tags (!) are not used here; put a text that begins with ! in quotes\n"
         "    2 | b: !!int 2\n"
         "      |    ^\n",
         "{a=x b=2}"},
        {"? [a, b]\n: c\nd: e\n",
         "f.yaml:1:3: a key has to be a word, not a list or a map\n"
         "    1 | ? [a, b]\n"
         "      |   ^\n",
         "{d=e}"},
        {"a: b\n---\nc: d\n",
         "f.yaml:2:1: a second document begins here; a file holds one\n"
         "    2 | ---\n"
         "      | ^\n",
         "{a=b}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct yaml_doc *doc = parse(cases[i].yaml);
        struct buf out;

        buf_init(&out, BUF_UNBOUNDED);
        assert_problems(doc, cases[i].problems);
        put_tree(&out, doc->root);
        buf_put_byte(&out, '\0');
        assert_string_equal(out.p, cases[i].tree);
        buf_finish(&out);
        yaml_destroy(doc);
    }
}

static void what_is_not_yaml_says_where_and_what_to_do(void **state)
{
    static const struct {
        const char *yaml, *problems;
    } cases[] = {
        {"hosts:\n  - *.manage.microsoft.com\n",
         "f.yaml:2:5: a text that begins with * needs quotes: write '*.manage.microsoft.com', or "
         ".manage.microsoft.com without the star\n"
         "    2 |   - *.manage.microsoft.com\n"
         "      |     ^\n"},
        {"hosts: [a, *wns.windows.com]\n",
         "f.yaml:1:12: a text that begins with * needs quotes: write '*wns.windows.com'\n"
         "    1 | hosts: [a, *wns.windows.com]\n"
         "      |            ^\n"},
        {"a: b: c\n", "f.yaml:1:5: a second ': ' on one line: put the text in quotes, or check the "
                      "indentation\n"
                      "    1 | a: b: c\n"
                      "      |     ^\n"},
        {"a: b\nmissing colon\nc: d\n", "f.yaml:2:1: expected 'key: value'; is a colon missing?\n"
                                        "    2 | missing colon\n"
                                        "      | ^\n"},
        {"a: [b, c\nd: e\n", "f.yaml:1:4: this [ is not closed by a ]\n"
                             "    1 | a: [b, c\n"
                             "      |    ^\n"},
        {"a: {b: c\n", "f.yaml:1:4: this { is not closed by a }\n"
                       "    1 | a: {b: c\n"
                       "      |    ^\n"},
        {"a: \"b\nc: d\n", "f.yaml:1:4: this quote is not closed\n"
                           "    1 | a: \"b\n"
                           "      |    ^\n"},
        {"a:\n\tb: c\n", "f.yaml:2:1: a tab, @, ` or % cannot stand here: indent with spaces, put "
                         "a text in quotes\n"
                         "    2 |  b: c\n"
                         "      | ^\n"},
        {"a: - b\n", "f.yaml:1:4: a list's '- ' begins on a line of its own\n"
                     "    1 | a: - b\n"
                     "      |    ^\n"},
        {"a: \"C:\\Windows\"\n", "f.yaml:1:7: \\ begins an escape in double quotes: write \\\\, or "
                                 "use single quotes\n"
                                 "    1 | a: \"C:\\Windows\"\n"
                                 "      |       ^\n"},
        {"a: b\n   c: d\n",
         "f.yaml:2:5: a second ': ' on one line: put the text in quotes, or check "
         "the indentation\n"
         "    2 |    c: d\n"
         "      |     ^\n"},
        {"a: b\nc: caf\xe9\n", "f.yaml:2:7: these bytes are not UTF-8; save the file as UTF-8\n"
                               "    2 | c: caf\xef\xbf\xbd\n"
                               "      |       ^\n"},
        {"a: \x1b[2J\n", "f.yaml:1:4: a control character cannot stand in YAML\n"
                         "    1 | a: \xef\xbf\xbd[2J\n"
                         "      |    ^\n"},
        {"\xff\xfe"
         "a",
         "f.yaml:1:1: this is UTF-16; save the file as UTF-8\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct yaml_doc *doc = parse(cases[i].yaml);

        assert_problems(doc, cases[i].problems);
        assert_null(doc->root);
        yaml_destroy(doc);
    }
}

/* --- limits ----------------------------------------------------------------------------------- */

static char *repeated(const char *what, size_t times)
{
    size_t n = strlen(what);
    char *all = xalloc(n * times + 1);

    for (size_t i = 0; i < times; i++)
        memcpy(all + i * n, what, n);
    return all;
}

static void a_file_has_at_most_so_many_values(void **state)
{
    static const struct {
        size_t items;
        bool fits;
    } cases[] = {{YAML_NODES - 1, true}, {YAML_NODES, false}}; /* the list is a value too */

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeated("- a\n", cases[i].items);
        struct yaml_doc *doc = parse(text);

        assert_int_equal(doc->problem_count, cases[i].fits ? 0 : 1);
        assert_int_equal(doc->root != NULL, cases[i].fits);
        yaml_destroy(doc);
        free(text);
    }
}

static void levels_end_at_the_limit(void **state)
{
    static const struct {
        size_t levels;
        const char *problems;
    } cases[] = {
        {YAML_DEPTH, "f.yaml:1:33: this [ is not closed by a ]\n"
                     "    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"
                     "      |                                 ^\n"},
        {YAML_DEPTH + 1, "f.yaml:1:33: nested more than 32 levels deep\n"
                         "    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"
                         "      |                                 ^\n"},
        {100000, "f.yaml:1:33: nested more than 32 levels deep\n"
                 "    1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[…\n"
                 "      |                                 ^\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeated("[", cases[i].levels);
        struct yaml_doc *doc = parse(text);

        if (i > 0)
            assert_problems(doc, cases[i].problems);
        assert_int_equal(doc->problem_count, 1);
        assert_null(doc->root);
        yaml_destroy(doc);
        free(text);
    }
}

static void after_twenty_problems_the_rest_is_counted(void **state)
{
    char *text = repeated("- !x y\n", 30);
    struct yaml_doc *doc = parse(text);
    struct str end = STR("f.yaml: more is wrong; these are the first 20 problems\n");
    struct str rest = buf_str(&doc->problems), line;
    unsigned lines = 0;

    (void)state;
    assert_int_equal(doc->problem_count, 30);
    assert_true(str_ends(rest, end));
    while (str_line(&rest, &line))
        lines++;
    assert_int_equal(lines, 20 * 3 + 1);
    yaml_destroy(doc);
    free(text);
}

static void a_long_line_is_cut_around_the_place(void **state)
{
    char *spaces = repeated("0123456789", 30), text[800];

    (void)state;
    snprintf(text, sizeof text, "a: ['%s', !x y, '%s']\n", spaces, spaces);

    struct yaml_doc *doc = parse(text);
    assert_problems(
        doc, "f.yaml:1:309: tags (!) are not used here; put a text that begins with ! in quotes\n"
             "    1 | …34567890123456789012345678901234567890123456789', !x y, "
             "'0123456789012345678901234567890123456789012…\n"
             "      |                                                    ^\n");
    yaml_destroy(doc);
    free(spaces);
}

/* --- typed reads ------------------------------------------------------------------------------ */

enum type { TEXT, NUMBER, BOOL, DURATION, BYTES, CHOICE, LIST, MAP };

static bool read_as(struct yaml_doc *doc, const struct yaml_node *node, enum type type,
                    uint64_t *ret)
{
    static const char *const words[] = {"yes", "no", "conditional", NULL};
    struct str text;
    unsigned index;
    bool truth;

    switch (type) {
    case TEXT:
        if (!yaml_text(doc, node, &text))
            return false;
        *ret = text.n;
        return true;
    case NUMBER:
        return yaml_u64(doc, node, ret);
    case BOOL:
        if (!yaml_bool(doc, node, &truth))
            return false;
        *ret = truth;
        return true;
    case DURATION:
        return yaml_duration(doc, node, ret);
    case BYTES:
        return yaml_bytes(doc, node, ret);
    case CHOICE:
        if (!yaml_choice(doc, node, words, &index))
            return false;
        *ret = index;
        return true;
    case LIST:
        return yaml_is(doc, node, YAML_LIST);
    case MAP:
        return yaml_is(doc, node, YAML_MAP);
    }
    return false;
}

static void a_value_reads_as_its_type(void **state)
{
    static const struct {
        const char *yaml;
        enum type type;
        uint64_t value;
    } cases[] = {
        {"a: some text", TEXT, 9},     {"a: ''", TEXT, 0},
        {"a: 0", NUMBER, 0},           {"a: 18446744073709551615", NUMBER, UINT64_MAX},
        {"a: yes", BOOL, 1},           {"a: False", BOOL, 0},
        {"a: 90", DURATION, 90000000}, {"a: 1m30s", DURATION, 90000000},
        {"a: 512", BYTES, 512},        {"a: 2 kB", BYTES, 2000},
        {"a: 1.5 MB", BYTES, 1500000}, {"a: 3gb", BYTES, 3000000000},
        {"a: conditional", CHOICE, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct yaml_doc *doc = parse(cases[i].yaml);
        uint64_t value = 12345;

        assert_true(read_as(doc, yaml_get(doc->root, "a"), cases[i].type, &value));
        assert_true(value == cases[i].value);
        assert_problems(doc, "");
        yaml_destroy(doc);
    }
}

static void a_wrong_value_says_what_was_expected(void **state)
{
    static const struct {
        const char *yaml;
        enum type type;
        const char *message;
    } cases[] = {
        {"a: [b]", TEXT, "expected a text, found a list"},
        {"a:", TEXT, "expected a text, found nothing"},
        {"a: -1", NUMBER, "expected a whole number, found '-1'"},
        {"a: 18446744073709551616", NUMBER,
         "expected a whole number, found '18446744073709551616'"},
        {"a: maybe", BOOL, "expected yes or no, found 'maybe'"},
        {"a: {b: c}", BOOL, "expected yes or no, found a map"},
        {"a: 5 parsecs", DURATION, "expected a duration (90s, 1m30s, 250ms), found '5 parsecs'"},
        {"a: 3 MiB", BYTES, "expected a number of bytes (512, 2 kB, 3 MB), found '3 MiB'"},
        {"a: 99999999999 GB", BYTES,
         "expected a number of bytes (512, 2 kB, 3 MB), found '99999999999 GB'"},
        {"a: .5 kB", BYTES, "expected a number of bytes (512, 2 kB, 3 MB), found '.5 kB'"},
        {"a: 1.2.3", BYTES, "expected a number of bytes (512, 2 kB, 3 MB), found '1.2.3'"},
        {"a: condtional", CHOICE, "'condtional' is not known here; did you mean 'conditional'?"},
        {"a: perhaps", CHOICE,
         "'perhaps' is not known here; expected one of: yes, no, conditional"},
        {"a: b", LIST, "expected a list, found 'b'"},
        {"a: b", MAP, "expected a map (key: value), found 'b'"},
        {"a: [b]", MAP, "expected a map (key: value), found a list"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct yaml_doc *doc = parse(cases[i].yaml);
        uint64_t value = 12345;
        char expected[400];
        const struct yaml_node *node = yaml_get(doc->root, "a");

        assert_false(read_as(doc, node, cases[i].type, &value));
        assert_true(value == 12345);
        snprintf(expected, sizeof expected, "f.yaml:1:%u: %s\n    1 | %s\n      | %*s^\n",
                 node->column, cases[i].message, cases[i].yaml, (int)node->column - 1, "");
        assert_problems(doc, expected);
        yaml_destroy(doc);
    }
}

static void what_is_absent_is_no_problem(void **state)
{
    struct yaml_doc *doc = parse("a: b\n");
    struct yaml_node *first;
    uint64_t value;
    size_t n;

    (void)state;
    for (enum type type = TEXT; type <= MAP; type++)
        assert_false(read_as(doc, yaml_get(doc->root, "c"), type, &value));
    assert_false(yaml_texts(doc, NULL, &first, &n));
    assert_null(yaml_get(yaml_get(doc->root, "a"), "b")); /* not a map */
    assert_problems(doc, "");
    yaml_destroy(doc);
}

static void one_text_reads_as_a_list_of_one(void **state)
{
    struct yaml_doc *doc = parse("a: b\nc: [d, e]\nf: [g, [h]]\n");
    struct yaml_node *first = NULL;
    size_t n = 0;

    (void)state;
    assert_true(yaml_texts(doc, yaml_get(doc->root, "a"), &first, &n));
    assert_int_equal(n, 1);
    assert_null(first->next);
    assert_true(yaml_texts(doc, yaml_get(doc->root, "c"), &first, &n));
    assert_int_equal(n, 2);
    assert_true(str_eq(first->next->text, STR("e")));
    assert_false(yaml_texts(doc, yaml_get(doc->root, "f"), &first, &n));
    assert_problems(doc, "f.yaml:3:8: expected a text, found a list\n"
                         "    3 | f: [g, [h]]\n"
                         "      |        ^\n");
    yaml_destroy(doc);
}

static void keys_are_checked_with_a_hint(void **state)
{
    static const char *const keys[] = {"id", "title", "says", "flow", NULL};
    struct yaml_doc *doc = parse("id: x\ntitel: y\n    \nburst: 3\n");

    (void)state;
    assert_true(yaml_keys(doc, doc->root, keys));
    assert_null(yaml_need(doc, doc->root, "says"));
    assert_non_null(yaml_need(doc, doc->root, "id"));
    assert_problems(
        doc, "f.yaml:2:1: 'titel' is not a key here; did you mean 'title'?\n"
             "    2 | titel: y\n"
             "      | ^\n"
             "f.yaml:4:1: 'burst' is not a key here; expected one of: id, title, says, flow\n"
             "    4 | burst: 3\n"
             "      | ^\n"
             "f.yaml:1:1: 'says' is missing here\n"
             "    1 | id: x\n"
             "      | ^\n");
    yaml_destroy(doc);
}

static void a_message_cannot_move_the_cursor(void **state)
{
    struct yaml_doc *doc = parse("a: \"x\\e[2J\\ny\"\n");
    uint64_t value;

    (void)state;
    assert_false(yaml_u64(doc, yaml_get(doc->root, "a"), &value));
    assert_problems(doc,
                    "f.yaml:1:4: expected a whole number, found 'x\xef\xbf\xbd[2J\xef\xbf\xbdy'\n"
                    "    1 | a: \"x\\e[2J\\ny\"\n"
                    "      |    ^\n");
    yaml_destroy(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_writing_gives_the_tree),
        cmocka_unit_test(an_empty_file_has_no_root_and_no_problem),
        cmocka_unit_test(nodes_know_their_place),
        cmocka_unit_test(what_yaml_allows_and_we_do_not_is_said_and_left_out),
        cmocka_unit_test(what_is_not_yaml_says_where_and_what_to_do),
        cmocka_unit_test(a_file_has_at_most_so_many_values),
        cmocka_unit_test(levels_end_at_the_limit),
        cmocka_unit_test(after_twenty_problems_the_rest_is_counted),
        cmocka_unit_test(a_long_line_is_cut_around_the_place),
        cmocka_unit_test(a_value_reads_as_its_type),
        cmocka_unit_test(a_wrong_value_says_what_was_expected),
        cmocka_unit_test(what_is_absent_is_no_problem),
        cmocka_unit_test(one_text_reads_as_a_list_of_one),
        cmocka_unit_test(keys_are_checked_with_a_hint),
        cmocka_unit_test(a_message_cannot_move_the_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
