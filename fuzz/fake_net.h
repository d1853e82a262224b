/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_net: the kernel's sockets and pipes, without a kernel. A program that is linked with
 * fake_calls.c and --wrap for its system calls talks to this; the outside world, devices that
 * connect to it and servers that it connects to, is played through the links.
 *
 * A link is one TCP connection. Each direction keeps everything that was ever sent, with marks in
 * it: so what one end said and what the other heard can be compared in the end. Room is bounded
 * both ways, as in the kernel, and so are the pipes, in bytes and in pages. What is ready is told
 * as epoll does, level-triggered, hang-ups included. Nothing moves between the ends of a link but
 * by net_pass, which stands for the wire.
 *
 * There is one such kernel in the program, as there is one real one.
 */
#pragma once

#include "base/buf.h"

#include <sys/socket.h>
#include <sys/types.h>

enum { LINKS_MAX = 64, LINK_SAYS_MAX = 2 << 20 };

enum link_kind { LINK_DEVICE, LINK_SERVER };

struct link {
    enum link_kind kind;
    unsigned number;                 /* among the links, in the order they came to be */
    struct sockaddr_storage address; /* of the end outside */
    bool waits;                      /* a device: not accepted; a server: has not answered */

    /* From outside to the program: taken <= sent <= due <= in.n. */
    struct buf in;
    size_t due;   /* to be sent as soon as there is room; what is behind it is only written down */
    size_t sent;  /* is in the socket, or was */
    size_t taken; /* the program has read it */
    bool end_due, end_sent; /* the FIN behind it */

    /* From the program to outside. */
    struct buf out;
    size_t seen; /* has been read outside */
    size_t room; /* for what was sent and not seen */
    bool end_got;
    bool reads; /* outside */

    bool left;        /* nobody is there outside: what is sent is answered with a reset */
    bool reset;       /* by either end */
    bool closed;      /* the program has no descriptor of it any more */
    bool lingers_not; /* SO_LINGER with no time: closing resets */
    int error;        /* waits to be told to the program */
};

void net_begin(void);
void net_end(void); /* every descriptor has to be closed by then */
size_t net_descriptors(void);
size_t net_memory(void);    /* that this holds itself */
uint64_t net_changes(void); /* how often the program has changed anything by its calls */

/* The outside */

/* NULL: nobody listens, or there are no links left. */
struct link *net_knock(const struct sockaddr_storage *from);
struct link *net_link(unsigned number); /* NULL: there is none */

void net_say(struct link *l, size_t n); /* n more of what is written down */
void net_end_saying(struct link *l);
void net_leave(struct link *l);
void net_reset(struct link *l);
void net_accept(struct link *l);
void net_accept_at_once(bool on); /* every server, from now on */
void net_refuse(struct link *l, int error);
/* Moves what can move. False: nothing did. */
bool net_pass(void);

void net_leave_descriptors(size_t n); /* how many more can be made */
void net_cut_family(int family);      /* connecting there fails at once; 0: nowhere */

/* epoll */

/* POLLIN, POLLOUT, POLLERR, POLLHUP. */
unsigned net_ready(int fd);
/* 0, or a negative errno as epoll_ctl has them. */
int net_watch(int fd);
int net_unwatch(int fd);

/* The calls, for fake_calls.c: what they return, or a negative errno. */

bool net_owns(int fd);
int net_socket(int family, int type);
int net_bind(int fd, const struct sockaddr *address, socklen_t n);
int net_listen(int fd);
int net_accept_next(int fd, struct sockaddr_storage *ret_from);
int net_connect(int fd, const struct sockaddr *address, socklen_t n);
ssize_t net_recv(int fd, void *bytes, size_t n, bool peek);
ssize_t net_send(int fd, const void *bytes, size_t n);
int net_shutdown(int fd);
int net_close(int fd);
int net_take_error(int fd);
void net_set_linger(int fd, bool at_once);
int net_own_address(int fd, struct sockaddr_storage *ret_address);
int net_peer_address(int fd, struct sockaddr_storage *ret_address);
int net_pipe(int ret_fds[2]);
int net_pipe_room(int fd, size_t bytes); /* 0: as it is; the room it has then */
ssize_t net_splice(int from_fd, int to_fd, size_t n);
