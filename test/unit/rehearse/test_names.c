/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/names.h"

#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>

#define ID "\xbe\xef"
#define ASKS "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"    /* recursion desired, one question */
#define EXISTS "\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00"  /* one answer */
#define NO_DATA "\x85\x80\x00\x01\x00\x00\x00\x00\x00\x00" /* none of this type */
#define NOBODY "\x85\x83\x00\x01\x00\x00\x00\x00\x00\x00"  /* no such name */
#define A_IN "\x00\x01\x00\x01"
#define AAAA_IN "\x00\x1c\x00\x01"
#define FIRST_NAME                                                                                 \
    "\x01"                                                                                         \
    "a"                                                                                            \
    "\x07"                                                                                         \
    "example"                                                                                      \
    "\x00"
#define FIRST_NAME_LOUD                                                                            \
    "\x01"                                                                                         \
    "A"                                                                                            \
    "\x07"                                                                                         \
    "ExamPLE"                                                                                      \
    "\x00"
#define SECOND_NAME                                                                                \
    "\x01"                                                                                         \
    "b"                                                                                            \
    "\x07"                                                                                         \
    "example"                                                                                      \
    "\x00"
#define STRANGE_NAME                                                                               \
    "\x01"                                                                                         \
    "c"                                                                                            \
    "\x07"                                                                                         \
    "example"                                                                                      \
    "\x00"
#define ANSWER(last) "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc6\x12\x00" last

struct lab {
    struct clock clock;
    struct loop *loop;
    struct names *names;
};

static int set_up(void **state)
{
    static struct lab lab;

    clock_init_held(&lab.clock, 0);
    assert_int_equal(loop_create(&lab.clock, &lab.loop, NULL), 0);
    assert_int_equal(names_create(lab.loop, &lab.names, NULL), 0);
    names_add(lab.names, STR("a.example"));
    names_add(lab.names, STR("b.example"));
    names_add(lab.names, STR("a.example"));
    *state = &lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;

    names_destroy(lab->names);
    loop_destroy(lab->loop);
    return 0;
}

static void questions_get_their_answers(void **state)
{
    static const struct {
        struct str question, answer;
    } cases[] = {
        {STR(ID ASKS FIRST_NAME A_IN), STR(ID EXISTS FIRST_NAME A_IN ANSWER("\x01"))},
        {STR(ID ASKS FIRST_NAME_LOUD A_IN), STR(ID EXISTS FIRST_NAME_LOUD A_IN ANSWER("\x01"))},
        {STR(ID ASKS SECOND_NAME A_IN), STR(ID EXISTS SECOND_NAME A_IN ANSWER("\x02"))},
        {STR(ID ASKS FIRST_NAME AAAA_IN), STR(ID NO_DATA FIRST_NAME AAAA_IN)},
        {STR(ID ASKS STRANGE_NAME A_IN), STR(ID NOBODY STRANGE_NAME A_IN)},
        /* Not questions: an answer, two questions, a label that is too long, a name cut off. */
        {STR(ID EXISTS FIRST_NAME A_IN), STR("")},
        {STR(ID "\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" FIRST_NAME A_IN), STR("")},
        {STR(ID ASKS "\xc0\x0c" A_IN), STR("")},
        {STR(ID ASKS "\x07"
                     "exam"),
         STR("")},
        {STR(ID), STR("")},
        {STR(""), STR("")},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;

        buf_init(&out, NAMES_MESSAGE_MAX);
        names_answer(lab->names, cases[i].question, &out);
        assert_int_equal(out.n, cases[i].answer.n);
        if (out.n)
            assert_memory_equal(out.p, cases[i].answer.p, out.n);
        buf_finish(&out);
    }
}

static void an_address_leads_back_to_its_host(void **state)
{
    static const struct {
        const char *address, *host;
    } cases[] = {
        {"198.18.0.1", "a.example"}, {"198.18.0.2", "b.example"}, {"198.18.0.3", ""},
        {"198.18.0.0", ""},          {"127.0.0.1", ""},           {"255.255.255.255", ""},
    };
    struct lab *lab = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct in_addr address;

        assert_int_equal(inet_pton(AF_INET, cases[i].address, &address), 1);
        assert_true(str_eq(names_host_of(lab->names, address), str_of(cases[i].host)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_get_their_answers),
        cmocka_unit_test(an_address_leads_back_to_its_host),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
