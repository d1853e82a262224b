/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What holds for knowledge from any number of files, whatever is in them. */
#include "explain/knowledge.h"

#include "base/xalloc.h"
#include "explain/shipped.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

struct loaded {
    struct knowledge *knowledge;
    struct buf problems;
    unsigned count;
};

static void begin(struct loaded *l)
{
    *l = (struct loaded){.knowledge = knowledge_create()};
    buf_init(&l->problems, BUF_UNBOUNDED);
}

static void add(struct loaded *l, struct str name, struct str bytes)
{
    l->count += knowledge_add(l->knowledge, name, bytes, &l->problems);
}

static void build(struct loaded *l)
{
    l->count += knowledge_build(l->knowledge, &l->problems);
}

static void end(struct loaded *l)
{
    knowledge_destroy(l->knowledge);
    buf_finish(&l->problems);
}

/* "moment seen, phase net, …" */
static char *listed(const struct knowledge *k)
{
    struct buf out;

    buf_init(&out, BUF_UNBOUNDED);
    for (size_t i = 0; i < knowledge_rule_count(k); i++) {
        struct rule_info info = knowledge_rule(k, i);

        buf_printf(&out, "%s" STR_FMT " " STR_FMT, i ? ", " : "", STR_ARG(info.kind),
                   STR_ARG(info.id));
    }

    char *text = str_dup(buf_str(&out));
    buf_finish(&out);
    return text;
}

static uint64_t random_state = 20260323;

static unsigned roll(unsigned n)
{
    random_state ^= random_state << 13; /* xorshift64: the same numbers in every run */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 32) % n;
}

/* --- files override --------------------------------------------------------------------------- */

#define SERVICES "services: {alpha: {title: Alpha}}\n"
#define ENDPOINTS "endpoints: [{host: .alpha.test, service: alpha, role: Does it.}]\n"
#define MOMENT(id) "  - {id: " id ", title: T, says: S., when: {flow: {service: alpha}}}\n"

static const char first_file[] = SERVICES ENDPOINTS "moments:\n" MOMENT("one")
    MOMENT("two") "phases: [{id: net, title: Network, starts: one}]\n"
                  "scenarios: [{id: some, title: Some, needs: one}, {id: other, title: Other}]\n"
                  "outcomes: [{id: done, title: Done}]\n";
static const char second_file[] = "moments:\n" MOMENT("three")
    MOMENT("one") "phases: [{id: net, title: The net, starts: two}]\n"
                  "scenarios: [{id: mine, title: Mine, needs: two}, {id: ours, title: Ours}]\n"
                  "outcomes: [{id: half, title: Half}]\n";

static void a_later_file_replaces_rules_and_precedes_verdicts(void **state)
{
    struct loaded l;

    (void)state;
    begin(&l);
    add(&l, STR("first.yaml"), str_of(first_file));
    add(&l, STR("second.yaml"), str_of(second_file));
    build(&l);
    assert_int_equal(l.count, 0);

    char *rules = listed(l.knowledge);
    assert_string_equal(rules, "moment one, moment two, moment three, phase net, scenario mine, "
                               "scenario ours, scenario some, scenario other, outcome half, "
                               "outcome done");
    assert_true(str_eq(knowledge_rule(l.knowledge, 0).file, STR("second.yaml")));
    assert_true(str_eq(knowledge_rule(l.knowledge, 3).title, STR("The net")));
    free(rules);
    end(&l);
}

static void the_digest_tells_what_was_added(void **state)
{
    static const char *const orders[][2] = {
        {first_file, second_file}, {second_file, first_file}, {first_file, first_file}};
    uint64_t digests[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (unsigned again = 0; again < 2; again++) {
            struct loaded l;

            begin(&l);
            add(&l, STR("a"), str_of(orders[i][0]));
            add(&l, STR("b"), str_of(orders[i][1]));
            if (again)
                assert_true(digests[i] == knowledge_digest(l.knowledge));
            digests[i] = knowledge_digest(l.knowledge);
            end(&l);
        }
    }
    assert_true(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
}

static void adding_a_file_twice_changes_no_rule(void **state)
{
    struct loaded once, twice;

    (void)state;
    begin(&once);
    begin(&twice);
    for (const struct embedded *f = knowledge_files; f->name; f++) {
        if (str_starts(str_of(f->name), STR("scenarios")) ||
            str_starts(str_of(f->name), STR("outcomes")))
            continue; /* verdicts are a list, and would be there twice */
        add(&once, str_of(f->name), embedded_str(f));
        add(&twice, str_of(f->name), embedded_str(f));
        add(&twice, str_of(f->name), embedded_str(f));
    }

    char *a = listed(once.knowledge), *b = listed(twice.knowledge);
    assert_string_equal(a, b);
    assert_int_equal(endpoints_count(knowledge_endpoints(once.knowledge)),
                     endpoints_count(knowledge_endpoints(twice.knowledge)));
    free(a);
    free(b);
    end(&once);
    end(&twice);
}

/* --- how rules are spread over files makes no difference ----------------------------------------
 */

enum { MOMENTS = 40 };

static void put_moment(struct buf *out, unsigned i)
{
    buf_printf(out, "  - {id: m%u, title: T, says: S., when: {flow: {service: alpha}}}\n", i);
}

static void rules_may_be_spread_over_files(void **state)
{
    char *expected = NULL;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        struct loaded l;
        struct buf file;

        begin(&l);
        buf_init(&file, BUF_UNBOUNDED);
        add(&l, STR("endpoints.yaml"), STR(SERVICES ENDPOINTS));
        for (unsigned i = 0; i < MOMENTS; i++) {
            if (!file.n)
                buf_put_str(&file, STR("moments:\n"));
            put_moment(&file, i);
            if (i + 1 == MOMENTS || (round && roll(4) == 0)) {
                add(&l, STR("part.yaml"), buf_str(&file));
                buf_clear(&file);
            }
        }
        build(&l);
        assert_int_equal(l.count, 0);

        char *rules = listed(l.knowledge);
        if (expected)
            assert_string_equal(rules, expected);
        else
            expected = str_dup(str_of(rules));
        free(rules);
        buf_finish(&file);
        end(&l);
    }
    free(expected);
}

/* --- what is wrong costs itself alone -----------------------------------------------------------
 */

/* The place of the n-th `needle` in the text, or its length. */
static size_t nth(struct str text, struct str needle, unsigned n)
{
    size_t at = 0;

    for (;; n--) {
        size_t found = str_search(str_skip(text, at), needle);

        if (at + found >= text.n)
            return text.n;
        at += found;
        if (!n)
            return at;
        at += needle.n;
    }
}

static size_t count_rules(struct str name, struct str bytes, unsigned *ret_problems)
{
    struct loaded l;
    size_t n;

    begin(&l);
    add(&l, name, bytes);
    n = knowledge_rule_count(l.knowledge);
    *ret_problems = l.count;
    end(&l);
    return n;
}

static void a_rule_that_is_wrong_is_left_out_alone(void **state)
{
    unsigned broken = 0;

    (void)state;
    for (const struct embedded *f = knowledge_files; f->name; f++) {
        struct str needle = STR("\n    title: ");
        unsigned problems = 0;
        size_t whole = count_rules(str_of(f->name), embedded_str(f), &problems);

        for (unsigned i = 0; whole; i++) {
            size_t at = nth(embedded_str(f), needle, i);
            char *bytes = str_dup(embedded_str(f));

            if (at == f->n) {
                free(bytes);
                break;
            }
            memcpy(bytes + at + 5, "titel", 5);
            assert_int_equal(count_rules(str_of(f->name), str_from(bytes, f->n), &problems),
                             whole - 1);
            assert_int_equal(problems, 2); /* titel is no key, and title is missing */
            free(bytes);
            broken++;
        }
    }
    assert_true(broken > 40);
}

/* Problems are what knowledge.h says: NAME:…, then perhaps the line and a caret. */
static void check_problems(const struct loaded *l, struct str name)
{
    struct str rest = buf_str(&l->problems), line;

    assert_int_equal(l->count > 0, rest.n > 0);
    while (str_line(&rest, &line))
        if (!str_starts(line, name))
            assert_true(line.n > 7 && (line.p[6] == '|'));
}

/* Shipped files with a few bytes changed, dropped or doubled, as a hand slips. */
static void any_slip_is_survived_and_explained(void **state)
{
    static const char letters[] = "\n\t :-[]{}'\"#*&!|>,?%@`0aZ\xff";
    unsigned with_problems = 0, files = 0;

    (void)state;
    while (knowledge_files[files].name)
        files++;
    for (unsigned round = 0; round < 600; round++) {
        const struct embedded *f = &knowledge_files[roll(files)];
        struct buf bytes;
        struct loaded l;

        buf_init(&bytes, BUF_UNBOUNDED);
        buf_put_str(&bytes, embedded_str(f));
        for (unsigned slips = 1 + roll(3); slips; slips--) {
            size_t at = roll((unsigned)bytes.n - 1);

            if (roll(3) == 0)
                memmove(bytes.p + at, bytes.p + at + 1, --bytes.n - at);
            else
                bytes.p[at] = letters[roll(sizeof letters - 1)];
        }
        begin(&l);
        add(&l, STR("slip.yaml"), buf_str(&bytes));
        build(&l);
        check_problems(&l, STR("slip.yaml:"));
        with_problems += l.count > 0;
        end(&l);
        buf_finish(&bytes);
    }
    assert_true(with_problems > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_file_replaces_rules_and_precedes_verdicts),
        cmocka_unit_test(the_digest_tells_what_was_added),
        cmocka_unit_test(adding_a_file_twice_changes_no_rule),
        cmocka_unit_test(rules_may_be_spread_over_files),
        cmocka_unit_test(a_rule_that_is_wrong_is_left_out_alone),
        cmocka_unit_test(any_slip_is_survived_and_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
