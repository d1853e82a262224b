/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A round: wait, hand out what is ready, fire the timers that are due, run what was deferred.
 *
 * The watch behind each event of a round is looked up when its turn comes, so loop_del_fd only has
 * to take the watch out of what is left of the round; a descriptor that is closed and opened again
 * under the same number cannot be mistaken for the old one.
 */
#include "loop/loop.h"

#include "base/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { ROUND_EVENTS = 128 };

/*
 * How long a held clock waits for the kernel before it moves: bytes that one end of a loopback
 * connection sent are nearly always at the other at once, but not always.
 */
enum { SETTLE_MS = 1 };

struct timer_entry {
    uint64_t at_us;
    uint64_t order; /* timers of the same time fire in the order they were set */
    struct loop_timer *timer;
};

struct deferred {
    void (*call)(void *ctx);
    void *ctx;
};

struct calls {
    struct deferred *v;
    size_t n, room;
};

struct loop {
    struct clock *clock;
    uint64_t now_us;
    int epoll_fd;
    int busy;
    bool stopped;

    struct epoll_event events[ROUND_EVENTS]; /* of this round; data.ptr NULL: deleted meanwhile */
    int event_count;

    struct timer_entry *heap; /* heap[0] is the next one */
    size_t timer_count, timer_room;
    uint64_t timers_set;

    struct calls deferred;

    struct loop_fd posted_watch; /* an eventfd that other threads count up */
    pthread_mutex_t posted_mutex;
    struct calls posted; /* under the mutex */

    struct loop_fd signal_watch;
    void (*on_signal)(void *ctx, int signal);
    void *signal_ctx;
};

/* Calls for later */

static void calls_add(struct calls *calls, void (*call)(void *ctx), void *ctx)
{
    if (calls->n == calls->room) {
        calls->room = calls->room ? calls->room * 2 : 16;
        calls->v = xreallocarray(calls->v, calls->room, sizeof *calls->v);
    }
    calls->v[calls->n++] = (struct deferred){call, ctx};
}

/* What is added meanwhile joins the end of the same list. */
static void calls_make(struct calls *calls)
{
    for (size_t i = 0; i < calls->n; i++) {
        struct deferred d = calls->v[i];
        d.call(d.ctx);
    }
    calls->n = 0;
}

void loop_defer(struct loop *loop, void (*call)(void *ctx), void *ctx)
{
    calls_add(&loop->deferred, call, ctx);
}

void loop_post(struct loop *loop, void (*call)(void *ctx), void *ctx)
{
    static const uint64_t one = 1;

    pthread_mutex_lock(&loop->posted_mutex);
    calls_add(&loop->posted, call, ctx);
    pthread_mutex_unlock(&loop->posted_mutex);
    /* It cannot fail but by overflow, and then the loop is awake already. */
    if (write(loop->posted_watch.fd, &one, sizeof one) < 0)
        assert(errno == EAGAIN);
}

static void make_posted(void *ctx, unsigned events)
{
    struct loop *loop = ctx;
    struct calls posted;
    uint64_t times;

    (void)events;
    if (read(loop->posted_watch.fd, &times, sizeof times) < 0)
        assert(errno == EAGAIN);
    pthread_mutex_lock(&loop->posted_mutex);
    posted = loop->posted;
    loop->posted = (struct calls){0};
    pthread_mutex_unlock(&loop->posted_mutex);
    calls_make(&posted);
    free(posted.v);
}

/* Making and ending */

static int open_descriptors(struct loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return -errno;
    loop->posted_watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->posted_watch.fd < 0)
        return -errno;
    return loop_add_fd(loop, &loop->posted_watch);
}

static void close_descriptors(struct loop *loop)
{
    const int fds[] = {loop->signal_watch.fd, loop->posted_watch.fd, loop->epoll_fd};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void free_loop(struct loop *loop)
{
    close_descriptors(loop);
    pthread_mutex_destroy(&loop->posted_mutex);
    free(loop->heap);
    free(loop->deferred.v);
    free(loop);
}

int loop_create(struct clock *clock, struct loop **ret_loop, struct err *err)
{
    struct loop *loop = xalloc(sizeof *loop);
    int r;

    loop->clock = clock;
    loop->now_us = clock_now_us(clock);
    loop->epoll_fd = -1;
    loop->signal_watch.fd = -1;
    loop->posted_watch =
        (struct loop_fd){.fd = -1, .events = LOOP_READ, .ready = make_posted, .ctx = loop};
    pthread_mutex_init(&loop->posted_mutex, NULL);
    r = open_descriptors(loop);
    if (r < 0) {
        free_loop(loop);
        return err_set(err, r, "cannot make an event loop: %s", strerror(-r));
    }
    *ret_loop = loop;
    return 0;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->posted.n) /* one may post another */
        make_posted(loop, 0);
    calls_make(&loop->deferred);
    free_loop(loop);
}

/* Descriptors */

static uint32_t epoll_events_of(unsigned events)
{
    return (events & LOOP_READ ? EPOLLIN : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u);
}

static unsigned loop_events_of(uint32_t events)
{
    return (events & EPOLLIN ? LOOP_READ : 0u) | (events & EPOLLOUT ? LOOP_WRITE : 0u) |
           (events & (EPOLLHUP | EPOLLERR) ? LOOP_HANGUP : 0u);
}

static int control(struct loop *loop, int op, struct loop_fd *watch)
{
    struct epoll_event e = {.events = epoll_events_of(watch->events), .data.ptr = watch};

    return epoll_ctl(loop->epoll_fd, op, watch->fd, &e) < 0 ? -errno : 0;
}

int loop_add_fd(struct loop *loop, struct loop_fd *watch)
{
    return control(loop, EPOLL_CTL_ADD, watch);
}

void loop_set_events(struct loop *loop, struct loop_fd *watch, unsigned events)
{
    if (watch->events == events)
        return;
    watch->events = events;
    control(loop, EPOLL_CTL_MOD, watch);
}

static void forget(struct loop *loop, const struct loop_fd *watch)
{
    for (int i = 0; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
}

void loop_del_fd(struct loop *loop, struct loop_fd *watch)
{
    control(loop, EPOLL_CTL_DEL, watch);
    forget(loop, watch);
}

void loop_close_fd(struct loop *loop, struct loop_fd *watch)
{
    forget(loop, watch);
    close(watch->fd); /* the kernel takes it out of the set */
    watch->fd = -1;
}

static void hand_out(struct loop *loop)
{
    for (int i = 0; i < loop->event_count; i++) {
        struct loop_fd *watch = loop->events[i].data.ptr;
        unsigned events = loop_events_of(loop->events[i].events);

        /* Another callback of this round may have changed what the watch waits for. */
        if (watch && (events &= watch->events | LOOP_HANGUP))
            watch->ready(watch->ctx, events);
    }
    loop->event_count = 0;
}

/* Timers: a binary heap; each timer knows its slot, so that it can be moved and taken out. */

static bool comes_before(const struct timer_entry *a, const struct timer_entry *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void place(struct loop *loop, size_t i, struct timer_entry entry)
{
    loop->heap[i] = entry;
    entry.timer->slot = i + 1;
}

/* Puts the entry where it belongs, starting from the free place i. */
static void sift(struct loop *loop, size_t i, struct timer_entry entry)
{
    while (i && comes_before(&entry, &loop->heap[(i - 1) / 2])) {
        place(loop, i, loop->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (size_t child; (child = 2 * i + 1) < loop->timer_count; i = child) {
        if (child + 1 < loop->timer_count &&
            comes_before(&loop->heap[child + 1], &loop->heap[child]))
            child++;
        if (!comes_before(&loop->heap[child], &entry))
            break;
        place(loop, i, loop->heap[child]);
    }
    place(loop, i, entry);
}

void loop_set_timer(struct loop *loop, struct loop_timer *timer, uint64_t at_us)
{
    struct timer_entry entry = {at_us, loop->timers_set++, timer};

    timer->at_us = at_us;
    if (timer->slot) {
        sift(loop, timer->slot - 1, entry);
        return;
    }
    if (loop->timer_count == loop->timer_room) {
        loop->timer_room = loop->timer_room ? loop->timer_room * 2 : 64;
        loop->heap = xreallocarray(loop->heap, loop->timer_room, sizeof *loop->heap);
    }
    loop->timer_count++;
    sift(loop, loop->timer_count - 1, entry);
}

void loop_del_timer(struct loop *loop, struct loop_timer *timer)
{
    if (!timer->slot)
        return;

    size_t hole = timer->slot - 1;
    struct timer_entry last = loop->heap[--loop->timer_count];

    timer->slot = 0;
    if (last.timer != timer)
        sift(loop, hole, last);
}

static void fire_timers(struct loop *loop)
{
    /* As many as there were: one that sets itself for now again waits for the next round. */
    for (size_t n = loop->timer_count; n && loop->timer_count; n--) {
        struct loop_timer *timer = loop->heap[0].timer;

        if (timer->at_us > loop->now_us)
            return;
        loop_del_timer(loop, timer);
        timer->fire(timer->ctx);
    }
}

/* Signals */

static void signal_ready(void *ctx, unsigned events)
{
    struct loop *loop = ctx;
    struct signalfd_siginfo info;

    (void)events;
    while (read(loop->signal_watch.fd, &info, sizeof info) == sizeof info)
        loop->on_signal(loop->signal_ctx, (int)info.ssi_signo);
}

int loop_on_signal(struct loop *loop, void (*call)(void *ctx, int signal), void *ctx,
                   struct err *err)
{
    sigset_t set;
    int r;

    assert(loop->signal_watch.fd < 0);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);

    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set(err, -errno, "cannot receive signals: %s", strerror(errno));

    loop->on_signal = call;
    loop->signal_ctx = ctx;
    loop->signal_watch =
        (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = signal_ready, .ctx = loop};
    r = loop_add_fd(loop, &loop->signal_watch);
    if (r < 0) {
        close(fd);
        loop->signal_watch.fd = -1;
        return err_set(err, r, "cannot receive signals: %s", strerror(-r));
    }
    return 0;
}

/* Running */

void loop_busy(struct loop *loop, int by)
{
    loop->busy += by;
    assert(loop->busy >= 0);
}

uint64_t loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

struct clock *loop_clock(struct loop *loop)
{
    return loop->clock;
}

/* Milliseconds until the next timer, rounded up so that it is due when we wake; -1: for ever. */
static int wait_ms(const struct loop *loop)
{
    if (!loop->timer_count)
        return -1;

    uint64_t ms = (clock_real_us_until(loop->clock, loop->heap[0].at_us) + 999) / 1000;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void wait_for_events(struct loop *loop, int timeout_ms)
{
    int n = epoll_wait(loop->epoll_fd, loop->events, ROUND_EVENTS, timeout_ms);

    loop->event_count = n > 0 ? n : 0;
}

/* A held clock: what is ready comes first, then the next timer. False: there is neither. */
static bool advance(struct loop *loop)
{
    bool timer_is_due = loop->timer_count && loop->heap[0].at_us <= loop->now_us;

    wait_for_events(loop, timer_is_due ? 0 : loop->busy ? -1 : SETTLE_MS);
    if (loop->event_count || timer_is_due || loop->busy)
        return true;
    if (!loop->timer_count)
        return false;
    /* A paced clock may not be there yet; what comes meanwhile comes before the timer. */
    for (int ms; (ms = wait_ms(loop)) > 0;) {
        wait_for_events(loop, ms);
        if (loop->event_count)
            return true;
    }
    clock_move(loop->clock, loop->heap[0].at_us - loop->now_us);
    return true;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    calls_make(&loop->deferred); /* what was deferred outside a round */
    while (!loop->stopped) {
        loop->now_us = clock_now_us(loop->clock);
        if (!clock_is_held(loop->clock))
            wait_for_events(loop, wait_ms(loop));
        else if (!advance(loop))
            return;
        loop->now_us = clock_now_us(loop->clock);
        hand_out(loop);
        fire_timers(loop);
        calls_make(&loop->deferred);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
