/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/notify.h"

#include "base/auto.h"
#include "base/str.h"
#include "test/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A service manager's socket, bound to a name that the kernel picks: it has no path. */
static int manager_create(char name[static sizeof(struct sockaddr_un)])
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t n = sizeof address;

    assert_int_equal(bind(fd, (void *)&address, sizeof address.sun_family), 0);
    assert_int_equal(getsockname(fd, (void *)&address, &n), 0);
    snprintf(name, sizeof address, "@%.*s", (int)(n - offsetof(struct sockaddr_un, sun_path) - 1),
             address.sun_path + 1);
    return fd;
}

static const char *heard(int fd)
{
    static char text[256];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void the_manager_hears_how_it_goes(void **state)
{
    char name[sizeof(struct sockaddr_un)];
    AUTO(auto_close) int manager = manager_create(name);

    (void)state;
    setenv("NOTIFY_SOCKET", name, 1);
    notify_ready();
    assert_string_equal(heard(manager), "READY=1");
    notify_reloading();
    assert_memory_equal(heard(manager), STR("RELOADING=1\nMONOTONIC_USEC=").p, 27);
    notify_stopping();
    assert_string_equal(heard(manager), "STOPPING=1");
    unsetenv("NOTIFY_SOCKET");
}

static void without_a_manager_nothing_happens(void **state)
{
    char name[sizeof(struct sockaddr_un)], too_long[300];
    AUTO(auto_close) int manager = manager_create(name);
    const char *const names[] = {"", "@", "relative", "/nobody/is/here", "vsock:2:1", too_long};

    (void)state;
    memset(too_long, '/', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_ready();
    }
    assert_string_equal(heard(manager), "");
    unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manager_hears_how_it_goes),
        cmocka_unit_test(without_a_manager_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
