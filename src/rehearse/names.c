/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/names.h"

#include "base/arena.h"
#include "base/auto.h"
#include "base/map.h"
#include "base/reader.h"
#include "base/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
    FIRST_ADDRESS = 0xc6120001, /* 198.18.0.1 */
    HOSTS_MAX = 0x1fffe,        /* what a /15 holds */
    TTL_S = 60,
    HEADER_BYTES = 12,
    NAME_MAX_BYTES = 255,
};

/* RFC 1035, sections 3.2 and 4.1. */
enum { TYPE_A = 1, CLASS_IN = 1 };
enum { FLAG_RESPONSE = 0x8000, FLAG_AUTHORITATIVE = 0x0400, FLAG_RECURSION_AVAILABLE = 0x0080 };
enum { FLAGS_KEPT = 0x0100, OPCODE = 0x7800, NO_ERROR = 0, NOT_IMPLEMENTED = 4, NO_SUCH_NAME = 3 };

struct host {
    uint32_t address;
    struct str name;
};

struct names {
    struct loop *loop;
    struct loop_fd watch;
    struct arena *arena;
    struct str_map by_name; /* to struct host */
    struct host **hosts;    /* in the order of their addresses */
    size_t host_count;
    char server[32];
};

struct question {
    struct str bytes; /* as it came, to be sent back */
    char name[NAME_MAX_BYTES + 1];
    size_t name_n;
    uint16_t type, class;
};

void names_add(struct names *n, struct str name)
{
    struct host *host;

    if (str_map_get(&n->by_name, name) || n->host_count == HOSTS_MAX)
        return;
    host = arena_alloc(n->arena, sizeof *host);
    host->name = arena_str(n->arena, name);
    host->address = FIRST_ADDRESS + (uint32_t)n->host_count;
    n->hosts = xreallocarray(n->hosts, n->host_count + 1, sizeof(*n->hosts));
    n->hosts[n->host_count++] = host;
    str_map_put(&n->by_name, name, host);
}

bool names_know(const struct names *n, struct str name)
{
    return str_map_get(&n->by_name, name) != NULL;
}

struct str names_host_of(const struct names *n, struct in_addr address)
{
    uint32_t i = ntohl(address.s_addr) - FIRST_ADDRESS;

    return i < n->host_count ? n->hosts[i]->name : (struct str){0};
}

/* Labels, joined with dots, in lower case. A question's name has no pointers in it. */
static void parse_name(struct reader *r, struct question *q)
{
    for (uint8_t length; (length = reader_u8(r)) && !r->bad;) {
        struct str label = reader_take(r, length);

        if (length > 63 || q->name_n + label.n + 1 > NAME_MAX_BYTES) {
            r->bad = true;
            return;
        }
        if (q->name_n)
            q->name[q->name_n++] = '.';
        for (size_t i = 0; i < label.n; i++)
            q->name[q->name_n++] = ascii_lower(label.p[i]);
    }
}

static bool parse_question(struct reader *r, struct question *q)
{
    struct str from = r->rest;

    *q = (struct question){0};
    parse_name(r, q);
    q->type = reader_u16be(r);
    q->class = reader_u16be(r);
    q->bytes = str_head(from, from.n - r->rest.n);
    return !r->bad;
}

static void put_u16(struct buf *out, unsigned value)
{
    buf_put_byte(out, (uint8_t)(value >> 8));
    buf_put_byte(out, (uint8_t)value);
}

static void put_u32(struct buf *out, uint32_t value)
{
    put_u16(out, value >> 16);
    put_u16(out, value & 0xffff);
}

/* The name as a pointer to the question's (section 4.1.4), then the address. */
static void put_address(struct buf *out, uint32_t address)
{
    put_u16(out, 0xc000 | HEADER_BYTES);
    put_u16(out, TYPE_A);
    put_u16(out, CLASS_IN);
    put_u32(out, TTL_S);
    put_u16(out, sizeof address);
    put_u32(out, address);
}

void names_answer(const struct names *n, struct str message, struct buf *out)
{
    struct reader r = reader_of(message);
    uint16_t id = reader_u16be(&r), flags = reader_u16be(&r), questions = reader_u16be(&r);
    const struct host *host;
    struct question q;
    unsigned code;
    bool has_address;

    reader_take(&r, 6); /* the counts of the other sections, whose content does not matter here */
    if (flags & FLAG_RESPONSE || questions != 1 || !parse_question(&r, &q))
        return;
    host = str_map_get(&n->by_name, str_from(q.name, q.name_n));
    has_address = host && q.type == TYPE_A && q.class == CLASS_IN && !(flags & OPCODE);
    code = flags & OPCODE ? NOT_IMPLEMENTED : host ? NO_ERROR : NO_SUCH_NAME;

    put_u16(out, id);
    put_u16(out, FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE |
                     (flags & (OPCODE | FLAGS_KEPT)) | code);
    put_u16(out, 1);
    put_u16(out, has_address);
    put_u32(out, 0);
    buf_put_str(out, q.bytes);
    if (has_address)
        put_address(out, host->address);
}

static void ready(void *ctx, unsigned events)
{
    struct names *n = ctx;
    char message[NAMES_MESSAGE_MAX];
    struct sockaddr_in from;
    socklen_t from_n = sizeof from;
    struct buf out;
    ssize_t got = recvfrom(n->watch.fd, message, sizeof message, MSG_DONTWAIT,
                           (struct sockaddr *)&from, &from_n);

    (void)events;
    if (got < 0)
        return;
    buf_init(&out, NAMES_MESSAGE_MAX);
    names_answer(n, str_from(message, (size_t)got), &out);
    if (out.n && !out.full) /* unsent answers are asked for again */
        sendto(n->watch.fd, out.p, out.n, MSG_DONTWAIT, (struct sockaddr *)&from, from_n);
    buf_finish(&out);
}

static int listen_on_loopback(struct names *n)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_n = sizeof at;
    AUTO(auto_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &at_n) < 0)
        return -errno;
    snprintf(n->server, sizeof n->server, "127.0.0.1:%u", ntohs(at.sin_port));
    n->watch = (struct loop_fd){.fd = steal_fd(&fd), .events = LOOP_READ, .ready = ready, .ctx = n};
    return loop_add_fd(n->loop, &n->watch);
}

int names_create(struct loop *loop, struct names **ret_names, struct err *err)
{
    struct names *n = xalloc(sizeof *n);
    int r;

    *n = (struct names){.loop = loop, .watch.fd = -1, .arena = arena_create()};
    r = listen_on_loopback(n);
    if (r < 0) {
        names_destroy(n);
        return err_set(err, r, "the rehearsal's name server: %s", strerror(-r));
    }
    *ret_names = n;
    return 0;
}

void names_destroy(struct names *n)
{
    if (!n)
        return;
    if (n->watch.fd >= 0) {
        loop_del_fd(n->loop, &n->watch);
        close(n->watch.fd);
    }
    str_map_finish(&n->by_name);
    free(n->hosts);
    arena_destroy(n->arena);
    free(n);
}

const char *names_server(const struct names *n)
{
    return n->server;
}
