/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client is a slot: when its connection has done what it should, the slot begins another one,
 * while there is something left to begin. Held connections keep their slot, so there are as many
 * slots as connections that will be held.
 */
#include "bench/load_run.h"

#include "base/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 2048 + 1024, /* of a response, with the start of its body */
    FILLER_BYTES = 256 * 1024,
    SOURCES = 8,                    /* loopback addresses that connections come from */
    FIRST_SOURCE = 0x7f000201,      /* 127.0.2.1 */
    BULK_BYTES_IN_A_CALL = 1 << 30, /* received by MSG_TRUNC: thrown away in the kernel */
};

static const char filler[FILLER_BYTES];

struct client {
    struct watch watch;
    struct run *run;
    int fd;
    unsigned connection; /* changes whenever fd does, which the kernel gives out again */
    struct client *next_failed;
    unsigned step;
    bool used;    /* its connection has carried an answer already */
    bool waiting; /* between the first byte of a step and the last of its answer */
    uint64_t began_us;
    uint64_t said; /* bytes of this step */
    uint64_t got;  /* bytes of its answer */
    uint64_t due;  /* how many that will be; UINT64_MAX: not known yet, or up to the end */
    bool until_end;
    bool leaving; /* the proxy said that the connection ends with this answer */
    size_t head_n;
    char head[HEAD_BYTES];
};

struct run {
    struct run_order order;
    int poll_fd;
    uint64_t began_us, moved_us; /* moved: when something was last done */
    bool time_is_over;
    uint64_t begun, busy; /* acts begun; slots at work */
    uint64_t slots_used;
    struct client *failed; /* their slots go on after the round, lest failures follow at once */
    struct run_result result;
    uint32_t *latencies_us; /* of the first `done` acts */
    uint64_t slot_count;
    struct client *clients;
};

/* Ends and failures */

static void close_client(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->connection++;
}

static void count_failure(const struct client *c, const char *why)
{
    struct run_result *result = &c->run->result;

    result->failed++;
    if (!*result->trouble)
        snprintf(result->trouble, sizeof result->trouble, "step %u: %s", c->step, why);
}

static void fail(struct client *c, const char *why)
{
    count_failure(c, why);
    close_client(c);
    c->next_failed = c->run->failed;
    c->run->failed = c;
}

static void fail_errno(struct client *c)
{
    fail(c, strerror(errno));
}

/* Saying */

static const struct step *step_of(const struct client *c)
{
    return &c->run->order.script->steps[c->step];
}

static ssize_t say_some(const struct client *c, const struct step *step)
{
    uint64_t filler_left = step->says.n + step->filler_bytes - c->said;

    if (c->said < step->says.n)
        return send(c->fd, step->says.p + c->said, step->says.n - c->said, MSG_NOSIGNAL);
    return send(c->fd, filler, filler_left < FILLER_BYTES ? filler_left : FILLER_BYTES,
                MSG_NOSIGNAL);
}

static void say(struct client *c)
{
    const struct step *step = step_of(c);

    while (c->said < step->says.n + step->filler_bytes) {
        ssize_t n = say_some(c, step);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            fail_errno(c);
            return;
        }
        c->said += (uint64_t)n;
        c->run->result.bytes += (uint64_t)n;
    }
}

static void begin_step(struct client *c)
{
    const struct step *step = step_of(c);

    c->said = c->got = c->head_n = 0;
    c->due = step->answer == ANSWER_BYTES ? step->answer_bytes : UINT64_MAX;
    c->until_end = c->leaving = false;
    c->waiting = true;
    say(c);
}

/* Beginning */

static int open_connection(const struct client *c)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    from.sin_addr.s_addr = htonl(FIRST_SOURCE + (uint32_t)((c - c->run->clients) % SOURCES));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        (connect(fd, (const struct sockaddr *)&c->run->order.proxy, sizeof c->run->order.proxy) ==
             0 ||
         errno == EINPROGRESS))
        return fd;
    close(fd);
    return -1;
}

static void connect_client(struct client *c)
{
    c->step = 0;
    c->used = false;
    c->fd = open_connection(c);
    if (c->fd < 0) {
        fail_errno(c);
        return;
    }
    poll_add(c->run->poll_fd, c->fd, POLL_EDGES, &c->watch);
    begin_step(c);
}

static bool anything_left(const struct run *run)
{
    return run->begun < run->order.wanted && !run->time_is_over;
}

static void begin(struct client *c)
{
    c->run->begun++;
    c->began_us = poll_now_us();
    if (c->fd >= 0)
        begin_step(c);
    else
        connect_client(c);
}

/* The slot's next act, or its rest. */
static void next_act(struct client *c)
{
    if (anything_left(c->run)) {
        begin(c);
        return;
    }
    close_client(c);
    c->run->busy--;
}

/* A held connection leaves its slot for good: the next act takes a fresh one. */
static void hold(struct client *c)
{
    struct run *run = c->run;

    c->waiting = false;
    if (anything_left(run) && run->slots_used < run->slot_count)
        begin(&run->clients[run->slots_used++]);
    else
        run->busy--;
}

static void act_done(struct client *c)
{
    struct run *run = c->run;
    uint64_t now_us = poll_now_us();

    run->latencies_us[run->result.done++] = (uint32_t)(now_us - c->began_us);
    run->moved_us = now_us;
    c->used = true;
    if (run->order.mode->then == THEN_HOLD) {
        hold(c);
        return;
    }
    if (run->order.mode->then == THEN_CLOSE || c->leaving)
        close_client(c);
    next_act(c);
}

/* Hearing */

static void answered(struct client *c)
{
    if (c->step + 1 == c->run->order.script->n) {
        act_done(c);
        return;
    }
    c->step++;
    begin_step(c);
}

static bool status_is_good(struct str line, enum answer answer)
{
    struct str version = str_word(&line), status = str_word(&line);

    return str_starts(version, STR("HTTP/1.")) &&
           (answer == ANSWER_HEAD ? str_starts(status, STR("2")) : str_eq(status, STR("200")));
}

/* How long the answer will be, from its head; false when it is not what was wanted. */
static bool understand_head(struct client *c, struct str head, enum answer answer)
{
    uint64_t body_bytes = 0;
    struct str line;

    c->until_end = answer == ANSWER_RESPONSE;
    if (!str_line(&head, &line) || !status_is_good(line, answer))
        return false;
    c->leaving = str_starts(line, STR("HTTP/1.0"));
    while (str_line(&head, &line)) {
        struct str name = str_cut(&line, ':');

        if (answer == ANSWER_RESPONSE && str_ieq(name, STR("content-length"))) {
            c->until_end = false;
            if (!str_to_u64(str_trim(line), &body_bytes))
                return false;
        } else if (str_ieq(name, STR("connection"))) {
            c->leaving = str_ieq(str_trim(line), STR("close"));
        } else if (str_ieq(name, STR("transfer-encoding"))) {
            return false; /* the origin sent a length: whoever changes that changed the message */
        }
    }
    if (!c->until_end)
        c->due = c->head_n + body_bytes;
    return true;
}

/* The head of the answer, which ends with its blank line; true while the answer may go on. */
static bool hear_head(struct client *c)
{
    struct str heard = str_from(c->head, c->got), head;
    size_t n = str_search(heard, STR("\r\n\r\n"));

    if (n == heard.n && heard.n < HEAD_BYTES)
        return true;
    head = str_head(heard, n);
    c->head_n = n + 4;
    if (n == heard.n || !understand_head(c, head, step_of(c)->answer)) {
        fail(c, n == heard.n ? "too long a head" : "not the response that was wanted");
        return false;
    }
    return true;
}

static ssize_t hear_some(struct client *c, bool in_head, size_t *ret_room)
{
    uint64_t left = c->due - c->got;

    if (in_head) {
        *ret_room = HEAD_BYTES - c->got;
        return recv(c->fd, c->head + c->got, *ret_room, 0);
    }
    *ret_room = left < BULK_BYTES_IN_A_CALL ? left : BULK_BYTES_IN_A_CALL;
    return recv(c->fd, NULL, *ret_room, MSG_TRUNC);
}

/* The proxy ended the connection: that may end the answer, or be its right between two requests. */
static void ended(struct client *c)
{
    if (c->until_end && c->head_n) {
        c->leaving = true;
        answered(c);
    } else if (c->used && !c->got) {
        c->run->result.reopened++;
        close_client(c);
        connect_client(c);
    } else {
        fail(c, "the proxy closed the connection");
    }
}

/* One read; true when another is worth trying. */
static bool hear_once(struct client *c)
{
    bool in_head = step_of(c)->answer != ANSWER_BYTES && !c->head_n;
    size_t room = 0;
    ssize_t n = hear_some(c, in_head, &room);

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n < 0) {
        fail_errno(c);
        return false;
    }
    if (n == 0) {
        ended(c);
        return false;
    }
    c->got += (uint64_t)n;
    c->run->result.bytes += (uint64_t)n;
    if (in_head && !hear_head(c))
        return false;
    if (c->got > c->due) {
        fail(c, "more came than the answer");
        return false;
    }
    if (c->got == c->due) {
        answered(c);
        return false;
    }
    return (size_t)n == room || c->until_end;
}

static void on_held(struct client *c, bool is_ending)
{
    if (!is_ending)
        return;
    count_failure(c, "the proxy closed a connection that was held");
    close_client(c);
}

/* A proxy may end the connection together with its answer: then that counts, and is heard first. */
static void on_client(struct watch *watch, uint32_t events)
{
    struct client *c = (struct client *)watch;
    bool is_ending = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    bool more = events & EPOLLIN || is_ending;
    unsigned connection = c->connection;

    if (!c->waiting) {
        on_held(c, is_ending);
        return;
    }
    if (events & EPOLLOUT)
        say(c);
    while (more && c->connection == connection)
        more = hear_once(c) || is_ending;
}

/* The run */

static uint64_t slots_of(const struct run_order *order)
{
    if (order->mode->then == THEN_HOLD)
        return order->wanted;
    return order->at_once < order->wanted ? order->at_once : order->wanted;
}

struct run *run_create(int poll_fd, const struct run_order *order)
{
    struct run *run = xalloc(sizeof *run);
    uint64_t first;

    run->order = *order;
    if (!run->order.at_once)
        run->order.at_once = order->mode->at_once;
    run->poll_fd = poll_fd;
    run->slot_count = slots_of(&run->order);
    run->clients = xalloc(run->slot_count * sizeof *run->clients);
    run->latencies_us = xalloc(order->wanted * sizeof *run->latencies_us);
    run->began_us = run->moved_us = poll_now_us();
    for (uint64_t i = 0; i < run->slot_count; i++) {
        run->clients[i].watch.ready = on_client;
        run->clients[i].run = run;
        run->clients[i].fd = -1;
    }
    first = run->order.at_once < run->slot_count ? run->order.at_once : run->slot_count;
    run->slots_used = run->busy = first;
    for (uint64_t i = 0; i < first; i++)
        next_act(&run->clients[i]);
    return run;
}

static void go_on_after_failures(struct run *run)
{
    struct client *c = run->failed;

    run->failed = NULL;
    while (c) {
        struct client *next = c->next_failed;

        next_act(c);
        c = next;
    }
}

bool run_is_over(struct run *run)
{
    uint64_t now_us = poll_now_us(), most_us = run->order.most_us;

    run->time_is_over = now_us - run->began_us >= most_us;
    go_on_after_failures(run);
    if (!run->busy)
        return true;
    if (!run->time_is_over)
        return false;
    return run->order.mode->is_bulk ||
           now_us - run->began_us >= most_us + RUN_PATIENCE_SECONDS * 1000000ull;
}

static int by_latency(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint64_t latency_at(const struct run *run, unsigned percent)
{
    uint64_t n = run->result.done;

    return n ? run->latencies_us[n * percent / 100 < n ? n * percent / 100 : n - 1] : 0;
}

void run_result(struct run *run, struct run_result *ret_result)
{
    struct run_result *result = &run->result;
    bool is_cut = run->busy != 0;

    qsort(run->latencies_us, result->done, sizeof *run->latencies_us, by_latency);
    result->unfinished = run->begun - result->done - result->failed;
    result->took_us = (is_cut ? poll_now_us() : run->moved_us) - run->began_us;
    result->p50_us = latency_at(run, 50);
    result->p99_us = latency_at(run, 99);
    *ret_result = *result;
}

void run_destroy(struct run *run)
{
    if (!run)
        return;
    for (uint64_t i = 0; i < run->slot_count; i++)
        close_client(&run->clients[i]);
    free(run->clients);
    free(run->latencies_us);
    free(run);
}
