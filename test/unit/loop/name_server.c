/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/loop/name_server.h"

#include "base/buf.h"
#include "base/reader.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 12, MESSAGE_MAX = 512 };

struct question {
    char name[256];
    unsigned type;
    size_t end; /* where it ends in the message; what follows (EDNS) is not answered */
};

static struct question read_question(struct str message)
{
    struct reader r = reader_of(str_skip(message, HEAD_BYTES));
    struct question q = {0};
    size_t n = 0;

    for (uint8_t label; (label = reader_u8(&r));) {
        struct str part = reader_take(&r, label);
        n += (size_t)snprintf(q.name + n, sizeof q.name - n, "%s" STR_FMT, n ? "." : "",
                              STR_ARG(part));
    }
    q.type = reader_u16be(&r);
    assert_int_equal(reader_u16be(&r), 1);
    assert_false(r.bad);
    q.end = message.n - r.rest.n;
    return q;
}

static void put_record(struct buf *out, const struct name_record *record)
{
    uint8_t n = record->type == TYPE_A ? 4 : 16;
    const uint8_t fixed[] = {0xc0, HEAD_BYTES, 0, (uint8_t)record->type, 0, 1, 0, 0, 0, 60, 0, n};

    buf_put(out, fixed, sizeof fixed); /* the name again, its type, class, TTL and length */
    buf_put(out, record->address, n);
}

/* False: nobody answers. */
static bool answer(const struct name_server *s, struct str message, struct buf *out)
{
    struct question q = read_question(message);
    unsigned code = NO_ERROR;
    uint8_t count = 0;

    buf_put(out, message.p, q.end);
    for (size_t i = 0; i < s->zone_count; i++) {
        const struct name_record *record = &s->zone[i];

        if (strcmp(record->name, q.name) != 0 || record->type != q.type)
            continue;
        code = record->code;
        if (record->address) {
            put_record(out, record);
            count++;
        }
    }
    out->p[2] = (char)0x81; /* a response */
    out->p[3] = (char)(0x80 | code);
    memset(out->p + 6, 0, 6);
    out->p[7] = (char)count;
    return code != MUTE;
}

static void on_question(void *ctx, unsigned events)
{
    struct name_server *s = ctx;
    struct sockaddr_storage from;
    socklen_t from_n = sizeof from;
    char message[MESSAGE_MAX];
    ssize_t n = recvfrom(s->watch.fd, message, sizeof message, 0, (void *)&from, &from_n);
    struct buf out;

    (void)events;
    assert_true(n > HEAD_BYTES);
    s->questions++;
    buf_init(&out, 4 * MESSAGE_MAX);
    if (answer(s, str_from(message, (size_t)n), &out))
        assert_int_equal(sendto(s->watch.fd, out.p, out.n, 0, (void *)&from, from_n), out.n);
    buf_finish(&out);
}

void name_server_init(struct name_server *s, struct loop *loop, const struct name_record *zone,
                      size_t zone_count)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (void *)&a, &n), 0);
    *s = (struct name_server){.loop = loop, .zone = zone, .zone_count = zone_count};
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", ntohs(a.sin_port));
    s->watch = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = on_question, .ctx = s};
    assert_int_equal(loop_add_fd(loop, &s->watch), 0);
}

void name_server_finish(struct name_server *s)
{
    loop_del_fd(s->loop, &s->watch);
    close(s->watch.fd);
}
