/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/hosts.h"

#include "base/buf.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECOND = 1000 * 1000 };

struct world {
    struct clock clock;
    struct loop *loop;
    struct hosts *hosts;
    char path[64];
    char text[4096]; /* what was found */
};

static void write_file(struct world *w, const char *text, size_t n)
{
    int fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){.path = "/tmp/flightstrip-hosts-XXXXXX"};
    clock_init_held(&w.clock, 0);
    assert_int_equal(loop_create(&w.clock, &w.loop, NULL), 0);
    close(mkstemp(w.path));
    w.hosts = hosts_create(w.loop, w.path);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    hosts_destroy(w->hosts);
    loop_destroy(w->loop);
    unlink(w->path);
    return 0;
}

static void pass_time(struct world *w, uint64_t us)
{
    clock_move(&w->clock, us);
    loop_run(w->loop); /* reads the clock */
}

/* What is found of a name: "" when it is not known. */
static const char *find(struct world *w, const char *name)
{
    struct addresses a = {0};
    bool known = hosts_find(w->hosts, str_of(name), &a);
    size_t n = 0;

    w->text[0] = '\0';
    for (enum family f = 0; f < FAMILY_COUNT; f++)
        for (size_t i = 0; i < a.count[f]; i++) {
            const void *bytes = f == FAMILY_V6 ? (const void *)&a.v6[i] : &a.v4[i];
            char one[INET6_ADDRSTRLEN];

            inet_ntop(family_number(f), bytes, one, sizeof one);
            n += (size_t)snprintf(w->text + n, sizeof w->text - n, "%s%s", n ? " " : "", one);
        }
    assert_int_equal(known, n != 0);
    return w->text;
}

static void a_line_gives_an_address_to_its_names(void **state)
{
    static const char file[] = "# a comment\n"
                               "192.0.2.1 one.test Uno.Test.\tone # of many\r\n"
                               "\t192.0.2.2   two.test\n"
                               "192.0.2.9\n"
                               "fe80::1%lo scoped.test\n"
                               "300.0.0.1 bad.test\n"
                               "not-an-address worse.test\n"
                               "\n"
                               "2001:db8::1 one.test\n"
                               "192.0.2.3 one.test last.test";
    static const struct {
        const char *name, *addresses;
    } cases[] = {
        {"one.test", "2001:db8::1 192.0.2.1 192.0.2.3"},
        {"ONE.TEST.", "2001:db8::1 192.0.2.1 192.0.2.3"},
        {"uno.test", "192.0.2.1"},
        {"one", "192.0.2.1"},
        {"two.test", "192.0.2.2"},
        {"last.test", "192.0.2.3"},
        {"of", ""},
        {"scoped.test", ""},
        {"bad.test", ""},
        {"worse.test", ""},
        {"sub.one.test", ""},
        {"", ""},
        {".", ""},
    };
    struct world *w = *state;

    write_file(w, file, sizeof file - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(find(w, cases[i].name), cases[i].addresses);
}

static void localhost_is_loopback_whatever_the_file_says(void **state)
{
    struct world *w = *state;

    write_file(w, "192.0.2.1 localhost a.localhost\n", 32);
    assert_string_equal(find(w, "localhost"), "::1 127.0.0.1");
    assert_string_equal(find(w, "A.LocalHost."), "::1 127.0.0.1");
    assert_string_equal(find(w, "localhost.test"), "");
}

static void a_changed_file_is_read_again_within_a_second(void **state)
{
    struct world *w = *state;

    write_file(w, "192.0.2.1 a.test\n", 17);
    assert_string_equal(find(w, "a.test"), "192.0.2.1");
    write_file(w, "192.0.2.22 a.test\n", 18);
    assert_string_equal(find(w, "a.test"), "192.0.2.1"); /* it was just looked at */
    pass_time(w, SECOND);
    assert_string_equal(find(w, "a.test"), "192.0.2.22");
}

static void a_file_of_the_same_size_and_time_is_another(void **state)
{
    static const struct timespec then[] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct world *w = *state;
    char other[] = "/tmp/flightstrip-hosts-XXXXXX";
    int fd = mkstemp(other);

    write_file(w, "192.0.2.1 a.test\n", 17);
    utimensat(AT_FDCWD, w->path, then, 0);
    assert_string_equal(find(w, "a.test"), "192.0.2.1");
    assert_int_equal(write(fd, "192.0.2.2 a.test\n", 17), 17);
    close(fd);
    utimensat(AT_FDCWD, other, then, 0);
    assert_int_equal(rename(other, w->path), 0);
    pass_time(w, SECOND);
    assert_string_equal(find(w, "a.test"), "192.0.2.2");
}

static void a_file_may_go_and_come(void **state)
{
    struct world *w = *state;

    write_file(w, "192.0.2.1 a.test\n", 17);
    assert_string_equal(find(w, "a.test"), "192.0.2.1");
    unlink(w->path);
    pass_time(w, SECOND);
    assert_string_equal(find(w, "a.test"), "");
    write_file(w, "192.0.2.2 a.test\n", 17);
    pass_time(w, SECOND);
    assert_string_equal(find(w, "a.test"), "192.0.2.2");
}

static void what_is_no_file_is_not_read(void **state)
{
    struct world *w = *state;

    hosts_destroy(w->hosts);
    w->hosts = hosts_create(w->loop, "/dev/zero");
    assert_string_equal(find(w, "a.test"), "");
}

static void a_name_has_no_more_addresses_than_are_kept(void **state)
{
    struct world *w = *state;
    struct addresses a = {0};
    struct buf file;

    buf_init(&file, BUF_UNBOUNDED);
    for (unsigned i = 0; i < 200; i++)
        buf_printf(&file, "192.0.2.%u a.test\n2001:db8::%x a.test\n", i, i);
    write_file(w, file.p, file.n);
    buf_finish(&file);
    assert_true(hosts_find(w->hosts, STR("a.test"), &a));
    assert_int_equal(a.count[FAMILY_V4], ADDRESSES_MAX);
    assert_int_equal(a.count[FAMILY_V6], ADDRESSES_MAX);
}

static void beyond_the_ceilings_the_rest_is_left_out(void **state)
{
    struct world *w = *state;
    struct buf file;

    buf_init(&file, BUF_UNBOUNDED);
    for (unsigned i = 0; i < HOSTS_ADDRESSES_MAX + 10; i++)
        buf_printf(&file, "192.0.2.1 n%u\n", i);
    write_file(w, file.p, file.n);
    assert_string_equal(find(w, "n0"), "192.0.2.1");
    assert_string_equal(find(w, "n262143"), "192.0.2.1");
    assert_string_equal(find(w, "n262144"), "");

    buf_clear(&file);
    buf_printf(&file, "192.0.2.1 first.test\n");
    while (file.n < HOSTS_BYTES_MAX)
        buf_printf(&file, "# %64s\n", "");
    buf_printf(&file, "192.0.2.1 beyond.test\n");
    write_file(w, file.p, file.n);
    buf_finish(&file);
    pass_time(w, SECOND);
    assert_string_equal(find(w, "first.test"), "192.0.2.1");
    assert_string_equal(find(w, "beyond.test"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_gives_an_address_to_its_names),
        TEST(localhost_is_loopback_whatever_the_file_says),
        TEST(a_changed_file_is_read_again_within_a_second),
        TEST(a_file_of_the_same_size_and_time_is_another),
        TEST(a_file_may_go_and_come),
        TEST(what_is_no_file_is_not_read),
        TEST(a_name_has_no_more_addresses_than_are_kept),
        TEST(beyond_the_ceilings_the_rest_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
