/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/look.h"

#include "report/wrap.h"

#include "test/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A terminal of our own; the test is skipped where there is none to be had. */
static int open_terminal(int *ret_master, unsigned short columns)
{
    int terminal = -1, master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
        terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0) {
        print_message("no pseudo-terminal here\n");
        skip();
    }
    assert_int_equal(
        ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_row = 24, .ws_col = columns}), 0);
    *ret_master = master;
    return terminal;
}

static void a_terminal_looks_as_its_person_wants(void **state)
{
    static const struct {
        const char *term, *no_color;
        unsigned short columns;
        bool terminal, colour;
        unsigned width;
    } cases[] = {
        {"xterm", NULL, 120, true, true, 120}, {"xterm", "", 80, true, true, 80},
        {"xterm", "1", 80, true, false, 80},   {"dumb", NULL, 80, false, false, 80},
        {NULL, NULL, 80, false, false, 80},    {"xterm", NULL, 0, true, true, 80},
        {"xterm", NULL, 7, true, true, 40},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int master, terminal = open_terminal(&master, cases[i].columns);

        cases[i].term ? setenv("TERM", cases[i].term, 1) : unsetenv("TERM");
        cases[i].no_color ? setenv("NO_COLOR", cases[i].no_color, 1) : unsetenv("NO_COLOR");

        struct look look = look_of(terminal);
        assert_int_equal(look.terminal, cases[i].terminal);
        assert_int_equal(look.colour, cases[i].colour);
        assert_int_equal(look.width, cases[i].width);
        close(terminal);
        close(master);
    }
}

static void a_pipe_is_plain_and_not_wrapped(void **state)
{
    int ends[2];

    (void)state;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_int_equal(pipe(ends), 0);

    struct look look = look_of(ends[1]);
    assert_false(look.terminal);
    assert_false(look.colour);
    assert_int_equal(look.width, WRAP_NEVER);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_looks_as_its_person_wants),
        cmocka_unit_test(a_pipe_is_plain_and_not_wrapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
