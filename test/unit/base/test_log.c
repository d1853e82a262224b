/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include "base/auto.h"
#include "test/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What three lines, one of each level, look like on a standard error that is the pipe `said`. */
struct world {
    int stderr_was, said;
};

static void begin(struct world *w)
{
    int ends[2];

    fflush(stderr);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    w->stderr_was = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    w->said = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
}

static void log_all(struct world *w, char *text, size_t room)
{
    log_error("first");
    log_warn("second");
    log_info("third\nwith a line in it");
    fflush(stderr);
    dup2(w->stderr_was, STDERR_FILENO);
    close(w->stderr_was);

    ssize_t n = read(w->said, text, room - 1);

    text[n > 0 ? n : 0] = '\0';
    close(w->said);
    unsetenv("JOURNAL_STREAM");
}

static void set_journal(dev_t device, ino_t inode)
{
    char stream[64];

    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)device, (uintmax_t)inode);
    setenv("JOURNAL_STREAM", stream, 1);
}

#define FOR_A_PERSON                                                                               \
    "flightstrip: first\nflightstrip: warning: second\n"                                           \
    "flightstrip: third\xef\xbf\xbdwith a line in it\n"

static void a_person_reads_who_speaks(void **state)
{
    struct world w;
    char text[4096];

    (void)state;
    unsetenv("JOURNAL_STREAM");
    begin(&w);
    log_all(&w, text, sizeof text);
    assert_string_equal(text, FOR_A_PERSON);
}

static void the_journal_gets_priorities(void **state)
{
    struct world w;
    struct stat s;
    char text[4096];

    (void)state;
    begin(&w);
    assert_int_equal(fstat(STDERR_FILENO, &s), 0);
    set_journal(s.st_dev, s.st_ino);
    log_all(&w, text, sizeof text);
    assert_string_equal(text, "<3>first\n<4>second\n<6>third\xef\xbf\xbdwith a line in it\n");
}

static void another_stream_than_the_journals_is_for_a_person(void **state)
{
    static const char *const streams[] = {"", "7", "7:", ":7", "a:b", "7:7:7"};
    struct world w;
    struct stat s;
    char text[4096];

    (void)state;
    begin(&w);
    assert_int_equal(fstat(STDERR_FILENO, &s), 0);
    set_journal(s.st_dev, s.st_ino + 1);
    log_all(&w, text, sizeof text);
    assert_string_equal(text, FOR_A_PERSON);
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        begin(&w);
        setenv("JOURNAL_STREAM", streams[i], 1);
        log_all(&w, text, sizeof text);
        assert_string_equal(text, FOR_A_PERSON);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_reads_who_speaks),
        cmocka_unit_test(the_journal_gets_priorities),
        cmocka_unit_test(another_stream_than_the_journals_is_for_a_person),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
