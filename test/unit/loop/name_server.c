/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/loop/name_server.h"

#include "base/buf.h"
#include "base/reader.h"
#include "base/xalloc.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 12, MESSAGE_MAX = 512, TYPE_CNAME = 5 };

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

/* The name again, then what was asked for or not. `owner`: 0xc000 and an offset. */
static void put_record(struct buf *out, unsigned owner, unsigned type, const void *data, size_t n)
{
    const uint8_t fixed[] = {
        (uint8_t)(owner >> 8), (uint8_t)owner, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60,
        (uint8_t)(n >> 8),     (uint8_t)n};

    buf_put(out, fixed, sizeof fixed); /* its type, class, TTL and length follow the name */
    buf_put(out, data, n);
}

static size_t address_size(unsigned type)
{
    return type == TYPE_A ? 4 : 16;
}

enum { SAME_NAME = 0xc000 | HEAD_BYTES };

/* The records of a question. The owner of the address in WRONG_OWNER is the root. */
static void put_answer(struct buf *out, const struct name_record *record)
{
    static const uint8_t to_itself[] = {SAME_NAME >> 8, SAME_NAME & 0xff};
    size_t n = address_size(record->type);

    switch (record->code) {
    case WRONG_OWNER: /* the dot that ends the question's name */
        put_record(out, (unsigned)(0xc000 | (out->n - 5)), record->type, record->address, n);
        break;
    case WRONG_TYPE:
        put_record(out, SAME_NAME, TYPE_A + TYPE_AAAA - record->type, record->address,
                   address_size(TYPE_A + TYPE_AAAA - record->type));
        break;
    case POINTER_LOOP:
        put_record(out, (unsigned)(0xc000 | out->n), record->type, record->address, n);
        break;
    case CNAME_LOOP:
        put_record(out, SAME_NAME, TYPE_CNAME, to_itself, sizeof to_itself);
        break;
    default:
        put_record(out, SAME_NAME, record->type, record->address, n);
    }
}

/* What is wrong with the message as a whole. */
static void spoil(struct buf *out, unsigned code)
{
    switch (code) {
    case WRONG_NUMBER:
        out->p[0] ^= 0x55;
        break;
    case WRONG_QUESTION: /* another first letter */
        out->p[HEAD_BYTES + 1] ^= 0x01;
        break;
    case TRUNCATED:
        out->p[2] |= 0x02;
        break;
    case CUT:
        out->n -= 3;
        break;
    case NOISE:
        for (size_t i = 2; i < out->n; i++)
            out->p[i] = (char)(i * 151 + 7);
        break;
    default:
        break;
    }
}

/* NULL: there is no such record. */
static const struct name_record *answer(const struct name_server *s, struct str message,
                                        struct buf *out)
{
    struct question q = read_question(message);
    const struct name_record *last = NULL;
    uint8_t count = 0;

    buf_put(out, message.p, q.end);
    for (size_t i = 0; i < s->zone_count; i++) {
        const struct name_record *record = &s->zone[i];

        if (strcmp(record->name, q.name) != 0 || record->type != q.type)
            continue;
        last = record;
        if (record->address) {
            put_answer(out, record);
            count++;
        }
    }
    out->p[2] = (char)0x81; /* a response */
    out->p[3] = (char)(0x80 | (last && last->code < MUTE ? last->code : NO_ERROR));
    memset(out->p + 6, 0, 6);
    out->p[7] = (char)count;
    if (last)
        spoil(out, last->code);
    return last;
}

/* An answer on its way. */
struct late_answer {
    struct late_answer *next;
    struct name_server *server;
    struct loop_timer timer;
    struct buf message;
    struct sockaddr_storage to;
    socklen_t to_n;
};

static void send_answer(void *ctx)
{
    struct late_answer *a = ctx;

    assert_int_equal(
        sendto(a->server->watch.fd, a->message.p, a->message.n, 0, (void *)&a->to, a->to_n),
        a->message.n);
}

static void add_answer(struct name_server *s, const struct late_answer *plain, unsigned after_ms)
{
    struct late_answer *a = xalloc(sizeof *a);

    *a = *plain;
    a->next = s->late;
    a->server = s;
    a->timer = (struct loop_timer){.fire = send_answer, .ctx = a};
    s->late = a;
    if (after_ms)
        loop_set_timer(s->loop, &a->timer, loop_now_us(s->loop) + after_ms * UINT64_C(1000));
    else
        send_answer(a);
}

static bool take_question(struct name_server *s)
{
    struct late_answer a = {.to_n = sizeof a.to};
    char message[MESSAGE_MAX];
    ssize_t n = recvfrom(s->watch.fd, message, sizeof message, 0, (void *)&a.to, &a.to_n);
    const struct name_record *record;

    if (n < 0)
        return false;
    assert_true(n > HEAD_BYTES);
    s->questions++;
    buf_init(&a.message, 4 * MESSAGE_MAX);
    record = answer(s, str_from(message, (size_t)n), &a.message);
    if (record ? record->code == MUTE : s->mute_beyond)
        buf_finish(&a.message);
    else
        add_answer(s, &a, record ? record->after_ms : 0);
    return true;
}

static void on_question(void *ctx, unsigned events)
{
    (void)events;
    while (take_question(ctx))
        ;
}

void name_server_init_at(struct name_server *s, struct loop *loop, const char *address,
                         uint16_t port, const struct name_record *zone, size_t zone_count)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (void *)&a, &n), 0);
    *s = (struct name_server){.loop = loop, .zone = zone, .zone_count = zone_count};
    s->port = ntohs(a.sin_port);
    snprintf(s->address, sizeof s->address, "%s:%u", address, s->port);
    s->watch = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = on_question, .ctx = s};
    assert_int_equal(loop_add_fd(loop, &s->watch), 0);
}

void name_server_init(struct name_server *s, struct loop *loop, const struct name_record *zone,
                      size_t zone_count)
{
    name_server_init_at(s, loop, "127.0.0.1", 0, zone, zone_count);
}

void name_server_finish(struct name_server *s)
{
    for (struct late_answer *a = s->late, *next; a; a = next) {
        next = a->next;
        loop_del_timer(s->loop, &a->timer);
        buf_finish(&a->message);
        free(a);
    }
    loop_del_fd(s->loop, &s->watch);
    close(s->watch.fd);
}
