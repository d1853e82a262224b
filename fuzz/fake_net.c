/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/fake_net.h"

#include "base/xalloc.h"
#include "fuzz/must.h"
#include "sources/proxy/address.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_FD = 1000, /* below are the real ones */
    FDS_MAX = 512,
    IN_ROOM = 128 << 10,
    OUT_ROOM = 64 << 10,
    PAGE = 4096,
    PIPE_PAGES = 16,
    PIPE_PAGES_MAX = 256,
    OWN_PORT = 3128,
};

enum fd_kind { FD_FREE, FD_SOCKET, FD_LISTENER, FD_STREAM, FD_DATAGRAM, FD_PIPE_OUT, FD_PIPE_IN };

/* As the kernel's: a ring of pages, each with the bytes of one segment. */
struct ring {
    struct buf bytes;
    size_t pages[PIPE_PAGES_MAX]; /* how many bytes each holds, the oldest first */
    size_t page_count, page_room;
    bool read_end_open, write_end_open;
};

struct fd {
    enum fd_kind kind;
    bool watched;
    struct sockaddr_storage address; /* its own, but a datagram socket's peer */
    struct link *link;
    struct ring *ring;
};

static struct {
    struct fd fds[FDS_MAX];
    size_t fd_count, fd_room;
    struct link links[LINKS_MAX];
    unsigned link_count;
    int cut_family;
    bool accepts_at_once;
    uint64_t changes;
    size_t ring_bytes;
} net;

/* Descriptors */

static struct fd *fd_of(int fd)
{
    must(net_owns(fd), "a call names a descriptor that is open");
    return &net.fds[fd - FIRST_FD];
}

bool net_owns(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + FDS_MAX && net.fds[fd - FIRST_FD].kind != FD_FREE;
}

/* The lowest that is free, as the kernel gives them. */
static int new_fd(enum fd_kind kind)
{
    int i = 0;

    if (net.fd_count >= net.fd_room)
        return -EMFILE;
    while (net.fds[i].kind != FD_FREE)
        i++;
    net.fds[i] = (struct fd){.kind = kind};
    net.fd_count++;
    net.changes++;
    return FIRST_FD + i;
}

size_t net_descriptors(void)
{
    return net.fd_count;
}

void net_leave_descriptors(size_t n)
{
    net.fd_room = net.fd_count + n < FDS_MAX ? net.fd_count + n : FDS_MAX;
}

void net_accept_at_once(bool on)
{
    net.accepts_at_once = on;
}

void net_cut_family(int family)
{
    net.cut_family = family;
}

uint64_t net_changes(void)
{
    return net.changes;
}

size_t net_memory(void)
{
    size_t bytes = net.ring_bytes;

    for (unsigned i = 0; i < net.link_count; i++)
        bytes += net.links[i].in.room + net.links[i].out.room;
    for (int i = 0; i < FDS_MAX; i++)
        if (net.fds[i].kind == FD_PIPE_OUT)
            bytes += net.fds[i].ring->bytes.room;
    return bytes;
}

void net_begin(void)
{
    memset(&net, 0, sizeof net);
    net.fd_room = FDS_MAX;
}

void net_end(void)
{
    must(!net.fd_count, "every descriptor is closed in the end");
    for (unsigned i = 0; i < net.link_count; i++) {
        buf_finish(&net.links[i].in);
        buf_finish(&net.links[i].out);
    }
}

/* Links: the outside */

static struct link *new_link(enum link_kind kind, const struct sockaddr_storage *address)
{
    struct link *l = &net.links[net.link_count];

    if (net.link_count == LINKS_MAX)
        return NULL;
    *l = (struct link){.kind = kind,
                       .number = net.link_count++,
                       .address = *address,
                       .waits = true,
                       .room = OUT_ROOM,
                       .reads = true};
    buf_init(&l->in, LINK_SAYS_MAX);
    buf_init(&l->out, BUF_UNBOUNDED);
    return l;
}

static bool somebody_listens(void)
{
    for (int i = 0; i < FDS_MAX; i++)
        if (net.fds[i].kind == FD_LISTENER)
            return true;
    return false;
}

struct link *net_knock(const struct sockaddr_storage *from)
{
    return somebody_listens() ? new_link(LINK_DEVICE, from) : NULL;
}

struct link *net_link(unsigned number)
{
    return number < net.link_count ? &net.links[number] : NULL;
}

void net_say(struct link *l, size_t n)
{
    if (!l->end_due)
        l->due = n < l->in.n - l->due ? l->due + n : l->in.n;
}

void net_end_saying(struct link *l)
{
    l->end_due = true;
}

void net_leave(struct link *l)
{
    /* What it has not read by now it will not: the kernel tells the other end so. */
    if (l->out.n > l->seen)
        net_reset(l);
    l->end_due = true;
    l->left = true;
}

/* The connection is over for both; what was under way is lost, what has arrived can be read. */
static void break_off(struct link *l, int error)
{
    if (l->reset)
        return;
    l->reset = true;
    l->error = error;
    l->due = l->sent;
}

void net_reset(struct link *l)
{
    if (l->kind == LINK_SERVER && l->waits)
        net_refuse(l, ECONNREFUSED);
    else
        break_off(l, l->end_sent ? EPIPE : ECONNRESET);
}

void net_accept(struct link *l)
{
    if (l->kind == LINK_SERVER && !l->closed && !l->reset)
        l->waits = false;
}

void net_refuse(struct link *l, int error)
{
    if (l->kind == LINK_SERVER && l->waits) {
        break_off(l, error);
        l->waits = false;
    }
}

static bool pass_out(struct link *l)
{
    if (!l->reads || l->reset || l->left || l->seen == l->out.n)
        return false;
    l->seen = l->out.n;
    return true;
}

static bool pass_in(struct link *l)
{
    size_t room = IN_ROOM - (l->sent - l->taken), n = l->due - l->sent;

    if (l->reset || (l->kind == LINK_SERVER && l->waits))
        return false;
    if (n && l->closed) {
        break_off(l, 0);
        return true;
    }
    n = n < room ? n : room;
    l->sent += n;
    if (l->end_due && !l->end_sent && l->sent == l->due) {
        l->end_sent = true;
        return true;
    }
    return n;
}

bool net_pass(void)
{
    bool moved = false;

    for (unsigned i = 0; i < net.link_count; i++) {
        moved |= pass_out(&net.links[i]);
        moved |= pass_in(&net.links[i]);
    }
    return moved;
}

/* Links: the program's end */

static size_t unread(const struct link *l)
{
    return l->sent - l->taken;
}

static size_t free_room(const struct link *l)
{
    size_t used = l->out.n - l->seen;

    return used < l->room ? l->room - used : 0;
}

static int take_error(struct link *l)
{
    int error = l->error;

    l->error = 0;
    net.changes += error != 0;
    return error;
}

/* tcp_poll() of Linux. */
static unsigned stream_ready(const struct link *l)
{
    bool read_ended = l->reset || l->end_sent, write_ended = l->reset || l->end_got;
    unsigned ready = l->error ? POLLERR : 0;

    if (read_ended && write_ended)
        ready |= POLLHUP;
    if (read_ended || unread(l))
        ready |= POLLIN;
    if (l->waits && l->kind == LINK_SERVER && !l->reset)
        return ready;
    if (write_ended || free_room(l) > l->room / 3)
        ready |= POLLOUT;
    return ready;
}

static ssize_t stream_recv(struct link *l, void *bytes, size_t n, bool peek)
{
    size_t there = unread(l);

    if (!there) {
        int error = take_error(l);
        return error ? -error : l->reset || l->end_sent ? 0 : -EAGAIN;
    }
    n = n < there ? n : there;
    memcpy(bytes, l->in.p + l->taken, n);
    if (!peek)
        l->taken += n;
    net.changes += n > 0;
    return (ssize_t)n;
}

/* How much can be sent now; a negative errno when none can. */
static ssize_t sendable(struct link *l, size_t n)
{
    size_t room = free_room(l);
    int error = take_error(l);

    if (error)
        return -error;
    if (l->reset || l->end_got)
        return -EPIPE;
    if (!room || (l->waits && l->kind == LINK_SERVER))
        return -EAGAIN;
    return (ssize_t)(n < room ? n : room);
}

static ssize_t stream_send(struct link *l, const void *bytes, size_t n)
{
    ssize_t sent = sendable(l, n);

    if (sent <= 0)
        return sent;
    buf_put(&l->out, bytes, (size_t)sent);
    net.changes++;
    if (l->left)
        net_reset(l);
    return sent;
}

/* Bytes that nobody has read are answered with a reset, and it overtakes what was sent. */
static void stream_close(struct link *l)
{
    l->closed = true;
    if (unread(l) || l->lingers_not || (l->waits && l->kind == LINK_SERVER))
        break_off(l, 0);
    l->error = 0;
    l->end_got = true;
}

/* Pipes */

static unsigned ring_ready(const struct fd *d)
{
    const struct ring *r = d->ring;

    if (d->kind == FD_PIPE_OUT)
        return (r->bytes.n ? POLLIN : 0u) | (r->write_end_open ? 0u : POLLHUP);
    return (r->page_count < r->page_room ? POLLOUT : 0u) | (r->read_end_open ? 0u : POLLERR);
}

static void ring_close(struct fd *d)
{
    struct ring *r = d->ring;

    *(d->kind == FD_PIPE_OUT ? &r->read_end_open : &r->write_end_open) = false;
    if (r->read_end_open || r->write_end_open)
        return;
    buf_finish(&r->bytes);
    net.ring_bytes -= sizeof *r;
    free(r);
}

static void ring_put(struct ring *r, const char *bytes, size_t n)
{
    buf_put(&r->bytes, bytes, n);
    for (size_t page; n; n -= page) {
        page = n < PAGE ? n : PAGE;
        r->pages[r->page_count++] = page;
    }
}

static void ring_eat(struct ring *r, size_t n)
{
    size_t gone = 0;

    buf_eat(&r->bytes, n);
    while (n && n >= r->pages[gone])
        n -= r->pages[gone++];
    r->page_count -= gone;
    memmove(r->pages, r->pages + gone, r->page_count * sizeof *r->pages);
    if (n)
        r->pages[0] -= n;
}

int net_pipe(int ret_fds[2])
{
    int out = new_fd(FD_PIPE_OUT), in = out < 0 ? out : new_fd(FD_PIPE_IN);
    struct ring *ring;

    if (in < 0) {
        if (out >= 0) {
            fd_of(out)->kind = FD_FREE;
            net.fd_count--;
        }
        return in;
    }
    ring = xalloc(sizeof *ring);
    net.ring_bytes += sizeof *ring;
    ring->page_room = PIPE_PAGES;
    ring->read_end_open = ring->write_end_open = true;
    buf_init(&ring->bytes, PIPE_PAGES_MAX * PAGE);
    fd_of(out)->ring = fd_of(in)->ring = ring;
    ret_fds[0] = out;
    ret_fds[1] = in;
    return 0;
}

int net_pipe_room(int fd, size_t bytes)
{
    struct ring *r = fd_of(fd)->ring;
    size_t pages = (bytes + PAGE - 1) / PAGE;

    if (!r)
        return -EBADF;
    if (bytes && (pages > PIPE_PAGES_MAX || pages < r->page_count))
        return pages > PIPE_PAGES_MAX ? -EPERM : -EBUSY;
    if (bytes)
        r->page_room = pages;
    return (int)(r->page_room * PAGE);
}

static ssize_t splice_in(struct link *l, struct ring *r, size_t n)
{
    size_t pages = r->page_room - r->page_count, there = unread(l);
    const char *bytes = l->in.p + l->taken;
    ssize_t taken;

    if (!r->read_end_open)
        return -EPIPE;
    if (!there)
        return stream_recv(l, NULL, 0, false);
    if (!pages)
        return -EAGAIN;
    n = n < pages * PAGE ? n : pages * PAGE;
    n = n < there ? n : there;
    taken = (ssize_t)n;
    l->taken += n;
    ring_put(r, bytes, n);
    net.changes++;
    return taken;
}

static ssize_t splice_out(struct ring *r, struct link *l, size_t n)
{
    ssize_t sent;

    if (!r->bytes.n)
        return r->write_end_open ? -EAGAIN : 0;
    sent = stream_send(l, r->bytes.p, n < r->bytes.n ? n : r->bytes.n);
    if (sent > 0)
        ring_eat(r, (size_t)sent);
    return sent;
}

ssize_t net_splice(int from_fd, int to_fd, size_t n)
{
    struct fd *from = fd_of(from_fd), *to = fd_of(to_fd);

    if (from->kind == FD_STREAM && to->kind == FD_PIPE_IN)
        return splice_in(from->link, to->ring, n);
    if (from->kind == FD_PIPE_OUT && to->kind == FD_STREAM)
        return splice_out(from->ring, to->link, n);
    return -EINVAL;
}

/* Sockets */

int net_socket(int family, int type)
{
    (void)family;
    return new_fd((type & 0xf) == SOCK_DGRAM ? FD_DATAGRAM : FD_SOCKET);
}

int net_bind(int fd, const struct sockaddr *address, socklen_t n)
{
    struct sockaddr_storage *own = &fd_of(fd)->address;

    memcpy(own, address, n < sizeof *own ? n : sizeof *own);
    if (!address_port(own))
        address_set_port(own, OWN_PORT);
    return 0;
}

int net_listen(int fd)
{
    fd_of(fd)->kind = FD_LISTENER;
    return 0;
}

static struct link *first_who_knocks(void)
{
    for (unsigned i = 0; i < net.link_count; i++)
        if (net.links[i].kind == LINK_DEVICE && net.links[i].waits && !net.links[i].closed)
            return &net.links[i];
    return NULL;
}

static int give_fd(struct link *l)
{
    int fd = new_fd(FD_STREAM);

    if (fd >= 0)
        fd_of(fd)->link = l;
    return fd;
}

int net_accept_next(int fd, struct sockaddr_storage *ret_from)
{
    struct link *l = first_who_knocks();
    int accepted;

    if (fd_of(fd)->kind != FD_LISTENER)
        return -EINVAL;
    if (!l)
        return -EAGAIN;
    accepted = give_fd(l);
    if (accepted < 0)
        return accepted;
    l->waits = false;
    *ret_from = l->address;
    return accepted;
}

/* How far it has come. */
static int connect_again(struct link *l)
{
    int error = take_error(l);

    return error ? -error : l->reset ? -ECONNABORTED : l->waits ? -EALREADY : 0;
}

int net_connect(int fd, const struct sockaddr *address, socklen_t n)
{
    struct fd *d = fd_of(fd);
    struct sockaddr_storage to = {0};

    memcpy(&to, address, n < sizeof to ? n : sizeof to);
    if (to.ss_family == net.cut_family)
        return -ENETUNREACH;
    if (d->kind == FD_DATAGRAM) {
        d->address = to;
        return 0;
    }
    if (d->kind == FD_STREAM)
        return connect_again(d->link);
    d->link = new_link(LINK_SERVER, &to);
    if (!d->link)
        return -EADDRNOTAVAIL;
    d->link->waits = !net.accepts_at_once;
    d->kind = FD_STREAM;
    net.changes++;
    return -EINPROGRESS;
}

static struct link *link_of(int fd)
{
    struct fd *d = fd_of(fd);

    return d->kind == FD_STREAM ? d->link : NULL;
}

ssize_t net_recv(int fd, void *bytes, size_t n, bool peek)
{
    struct link *l = link_of(fd);

    return l ? stream_recv(l, bytes, n, peek) : -ENOTCONN;
}

ssize_t net_send(int fd, const void *bytes, size_t n)
{
    struct link *l = link_of(fd);

    return l ? stream_send(l, bytes, n) : -ENOTCONN;
}

int net_shutdown(int fd)
{
    struct link *l = link_of(fd);

    if (!l || l->reset)
        return -ENOTCONN;
    net.changes += !l->end_got;
    l->end_got = true;
    return 0;
}

static void turn_away_who_knocks(void)
{
    struct link *l;

    while (!somebody_listens() && (l = first_who_knocks()))
        stream_close(l);
}

int net_close(int fd)
{
    struct fd *d = fd_of(fd);

    must(!d->watched, "a descriptor leaves the loop before it is closed");
    if (d->kind == FD_STREAM)
        stream_close(d->link);
    if (d->ring)
        ring_close(d);
    d->kind = FD_FREE;
    net.fd_count--;
    net.changes++;
    turn_away_who_knocks();
    return 0;
}

int net_take_error(int fd)
{
    struct link *l = link_of(fd);

    return l ? take_error(l) : 0;
}

void net_set_linger(int fd, bool at_once)
{
    struct link *l = link_of(fd);

    if (l)
        l->lingers_not = at_once;
}

static void own_host(int family, struct sockaddr_storage *ret_address)
{
    address_parse(family == AF_INET6 ? STR("fd00::1") : STR("10.0.0.1"), ret_address);
}

int net_own_address(int fd, struct sockaddr_storage *ret_address)
{
    const struct fd *d = fd_of(fd);

    if (d->kind == FD_LISTENER || d->kind == FD_SOCKET) {
        *ret_address = d->address;
        return 0;
    }
    own_host(d->link ? d->link->address.ss_family : d->address.ss_family, ret_address);
    address_set_port(ret_address, OWN_PORT);
    return 0;
}

int net_peer_address(int fd, struct sockaddr_storage *ret_address)
{
    const struct link *l = link_of(fd);

    if (!l || l->reset)
        return -ENOTCONN;
    *ret_address = l->address;
    return 0;
}

/* epoll */

unsigned net_ready(int fd)
{
    const struct fd *d = fd_of(fd);

    switch (d->kind) {
    case FD_LISTENER:
        return first_who_knocks() ? POLLIN : 0;
    case FD_STREAM:
        return stream_ready(d->link);
    case FD_PIPE_OUT:
    case FD_PIPE_IN:
        return ring_ready(d);
    case FD_SOCKET:
        return POLLOUT | POLLHUP;
    case FD_DATAGRAM:
        return POLLOUT;
    case FD_FREE:
        break;
    }
    return 0;
}

int net_watch(int fd)
{
    if (!net_owns(fd))
        return -EBADF;
    if (fd_of(fd)->watched)
        return -EEXIST;
    fd_of(fd)->watched = true;
    return 0;
}

int net_unwatch(int fd)
{
    if (!net_owns(fd))
        return -EBADF;
    if (!fd_of(fd)->watched)
        return -ENOENT;
    fd_of(fd)->watched = false;
    return 0;
}
