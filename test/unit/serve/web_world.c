/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/serve/web_world.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void web_world_open(struct web_world *w, struct web_options options)
{
    struct err err = {0};

    if (!options.listen && options.fd < 0)
        options.listen = "0";
    clock_init_held(&w->clock, 0);
    assert_int_equal(loop_create(&w->clock, &w->loop, NULL), 0);
    if (web_create(w->loop, &options, &w->web, &err) < 0)
        fail_msg("%s", err.text);
}

void web_world_close(struct web_world *w)
{
    web_destroy(w->web);
    loop_destroy(w->loop);
}

int web_world_listener(in_addr_t address)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

int visit(const struct web_world *w)
{
    static const int on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(web_port(w->web))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (void *)&a, sizeof a), 0);
    /* Or half a request would wait in the kernel until the other half is acknowledged. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void visitor_says(struct web_world *w, int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    loop_run(w->loop); /* until nothing moves */
}

const char *visitor_hears(int fd)
{
    static char text[HEARD_BYTES + 8];
    size_t n = 0;
    ssize_t r = 0;

    while (n < HEARD_BYTES && (r = recv(fd, text + n, HEARD_BYTES - n, MSG_DONTWAIT)) > 0)
        n += (size_t)r;
    text[n] = '\0';
    if (n < HEARD_BYTES && r == 0)
        strcat(text, "<FIN>");
    return text;
}

const char *ask(struct web_world *w, const char *request)
{
    int fd = visit(w);
    const char *answer;

    visitor_says(w, fd, request);
    answer = visitor_hears(fd);
    close(fd);
    loop_run(w->loop);
    return answer;
}

void expect(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("'%s' is not in: %s", part, answer);
}

void expect_not(const char *answer, const char *part)
{
    if (strstr(answer, part))
        fail_msg("'%s' is in: %s", part, answer);
}
