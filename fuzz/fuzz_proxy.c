/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole proxy without I/O: what its peers do goes in, and what it does is compared with what
 * holds whatever they do (flow_check.h). The kernel, the loop and the resolver are played by
 * fake_net, fake_loop and fake_resolver.
 *
 * An input is a list of events, each a letter and its operands, a byte each; anything between them
 * that is no such letter is skipped, and so is `#` with the rest of its line. The table at the end
 * has the letters: small ones for devices and the world, capitals for servers. Devices and servers
 * are named by their numbers in the order they came (`0` is the first; they wrap around). What they
 * say is named as proxy_says.c has it, or stands in quotes, with \r, \n, \" and \\. Other amounts
 * are places in the tables here.
 *
 *     c s0C q4 A0 s01 S0p f0 F0        a tunnel, a word each way, and its end
 *
 * The first letter may be a way to set the proxy up: `<` with a dial hook, `>` with a refuse hook
 * and --connect-to, `@` with rules.
 */
#include "fuzz/fake_loop.h"
#include "fuzz/fake_resolver.h"
#include "fuzz/flow_check.h"
#include "fuzz/meter.h"
#include "fuzz/must.h"
#include "fuzz/proxy_says.h"
#include "sources/proxy/address.h"
#include "sources/proxy/proxy.h"
#include "sources/proxy/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS(n) ((n)*UINT64_C(1000000))

enum {
    ROUNDS_WITHOUT_CHANGE = 64,
    STEPS_OF_TIME = 100000,
    CLIENT_BYTES = 1536 << 10, /* what one client may make the proxy hold */
    PROXY_BYTES = 512 << 10,   /* what it holds anyhow */
};

static const size_t amounts[] = {1, 2, 3, 7, 16, 100, 1000, 4096, 20000, 65536};
static const size_t rooms[] = {512, 2048, 4096, 16384, 65536, 262144};
static const uint64_t times_us[] = {
    1000,        250000,       SECONDS(1),   SECONDS(2),   SECONDS(10),
    SECONDS(30), SECONDS(120), SECONDS(300), SECONDS(900), SECONDS(7201),
};
static const int refusals[] = {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET};

struct stage {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct flow_check flows;
    struct proxy *proxy;
    struct rules *rules; /* NULL: the defaults */
    struct str rest;     /* of the input */
    bool at_once;        /* the proxy is not run between events */
    unsigned device_count;
    int64_t bytes_before;
};

/* The proxy runs */

static void check_memory(const struct stage *s)
{
    int64_t held = meter_bytes() - (int64_t)net_memory() - s->bytes_before;

    must(held <= PROXY_BYTES + (int64_t)s->device_count * CLIENT_BYTES,
         "the memory of a client is bounded");
}

/* Until nothing is ready and nothing is under way on the wire. */
static void settle(struct stage *s)
{
    unsigned without_change = 0;

    for (bool more = true; more;) {
        uint64_t before = net_changes() + s->flows.count;

        more = net_pass();
        more |= fake_loop_round(s->loop);
        without_change = net_changes() + s->flows.count == before ? without_change + 1 : 0;
        must(without_change < ROUNDS_WITHOUT_CHANGE, "the loop comes to rest");
    }
    check_memory(s);
}

static void pass_time(struct stage *s, uint64_t us)
{
    uint64_t until = clock_now_us(&s->clock) + us, next;
    unsigned steps = 0;

    settle(s);
    while ((next = fake_loop_next_us(s->loop)) <= until) {
        clock_move(&s->clock, next - clock_now_us(&s->clock));
        settle(s);
        must(++steps < STEPS_OF_TIME, "timers do not chase each other");
    }
    clock_move(&s->clock, until - clock_now_us(&s->clock));
    settle(s);
}

/* Operands */

static char operand(struct stage *s)
{
    char c = s->rest.n ? s->rest.p[0] : '0';

    s->rest = str_skip(s->rest, 1);
    return c;
}

static size_t number(struct stage *s, size_t below)
{
    return (uint8_t)(operand(s) - '0') % below;
}

static size_t amount(struct stage *s)
{
    return amounts[number(s, sizeof amounts / sizeof *amounts)];
}

static struct link *nth(enum link_kind kind, size_t n)
{
    struct link *l;

    for (unsigned i = 0; (l = net_link(i)); i++)
        if (l->kind == kind && !n--)
            return l;
    return NULL;
}

static size_t count(enum link_kind kind)
{
    const struct link *l;
    size_t n = 0;

    for (unsigned i = 0; (l = net_link(i)); i++)
        n += l->kind == kind;
    return n;
}

/* NULL: there is none yet; its operand is gone all the same. */
static struct link *peer(struct stage *s, enum link_kind kind)
{
    size_t n = count(kind);

    return nth(kind, number(s, n ? n : 1));
}

static char unescaped(char c)
{
    return c == 'r' ? '\r' : c == 'n' ? '\n' : c;
}

static void put_quoted(struct buf *out, struct stage *s)
{
    while (s->rest.n) {
        char c = operand(s);

        if (c == '"')
            return;
        buf_put_byte(out, (uint8_t)(c == '\\' ? unescaped(operand(s)) : c));
    }
}

static void write_down(struct stage *s, struct link *l)
{
    struct buf nowhere = {0}, *out = l ? &l->in : &nowhere;
    char name = operand(s);

    if (name == '"')
        put_quoted(out, s);
    else if (l)
        (l->kind == LINK_DEVICE ? device_says : server_says)(out, name);
}

/* What peers do */

static void say(struct stage *s, struct link *l)
{
    write_down(s, l);
    if (l)
        net_say(l, SIZE_MAX);
}

static void say_more(struct stage *s, struct link *l)
{
    size_t n = amount(s);

    if (l)
        net_say(l, n);
}

static void end_saying(struct stage *s, struct link *l)
{
    (void)s;
    if (l)
        net_end_saying(l);
}

static void leave(struct stage *s, struct link *l)
{
    (void)s;
    if (l)
        net_leave(l);
}

static void reset(struct stage *s, struct link *l)
{
    (void)s;
    if (l)
        net_reset(l);
}

static void read_no_more(struct stage *s, struct link *l)
{
    (void)s;
    if (l)
        l->reads = false;
}

static void read_again(struct stage *s, struct link *l)
{
    (void)s;
    if (l)
        l->reads = true;
}

static void make_room(struct stage *s, struct link *l)
{
    size_t room = rooms[number(s, sizeof rooms / sizeof *rooms)];

    if (l)
        l->room = room;
}

static void accept_it(struct stage *s, struct link *l)
{
    (void)s;
    if (l)
        net_accept(l);
}

static void refuse_it(struct stage *s, struct link *l)
{
    int error = refusals[number(s, sizeof refusals / sizeof *refusals)];

    if (l)
        net_refuse(l, error);
}

/* What happens in the world */

static void knock(struct stage *s, const char *format)
{
    struct sockaddr_storage from;
    char text[ADDRESS_TEXT];

    snprintf(text, sizeof text, format, 2 + s->device_count % 3);
    must(address_parse(str_of(text), &from), "devices have addresses");
    address_set_port(&from, (uint16_t)(40000 + s->device_count));
    if (net_knock(&from))
        s->device_count++;
}

static void device_comes(struct stage *s)
{
    knock(s, s->device_count % 4 == 3 ? "fd00::%x" : "10.0.0.%u");
}

static void stranger_comes(struct stage *s)
{
    knock(s, "93.184.216.%u");
}

static void answer_one(struct stage *s)
{
    fake_resolver_answer_one(operand(s));
}

static void answer_all(struct stage *s)
{
    char how = operand(s);

    fake_resolver_answer_all((char)(how == '-' ? 0 : how));
}

static void let_time_pass(struct stage *s)
{
    pass_time(s, times_us[number(s, sizeof times_us / sizeof *times_us)]);
}

static void leave_descriptors(struct stage *s)
{
    char n = operand(s);

    net_leave_descriptors(n == '-' ? SIZE_MAX / 2 : (uint8_t)(n - '0'));
}

static void refuse_watch(struct stage *s)
{
    fake_loop_refuse_watch(s->loop);
}

static void cut_family(struct stage *s)
{
    char family = operand(s);

    net_cut_family(family == '6' ? AF_INET6 : family == '4' ? AF_INET : 0);
}

static void accept_at_once(struct stage *s)
{
    net_accept_at_once(operand(s) != '0');
}

static void begin_at_once(struct stage *s)
{
    s->at_once = true;
}

static void end_at_once(struct stage *s)
{
    s->at_once = false;
}

static void stop(struct stage *s)
{
    proxy_stop(s->proxy);
}

static void drained(void *ctx)
{
    struct stage *s = ctx;

    s->flows.count++; /* that it is told is a change too */
}

static void drain(struct stage *s)
{
    proxy_drain(s->proxy, SECONDS(10), drained, s);
}

static struct rules *make_rules(void)
{
    static const char *const allow[] = {"10.0.0.0/8", "fd00::/8"}, *const ports[] = {"any"},
                             *const block[] = {"blocked.test"},
                             *const throttle[] = {"slow.test=2kB"},
                             *const delay[] = {"late.test=300ms"},
                             *const upstream[] = {"up.test=http://93.186.0.1:8080"};
    const struct rules_options options = {
        .allow = {allow, 2},
        .ports = {ports, 1},
        .block = {block, 1},
        .throttle = {throttle, 1},
        .delay = {delay, 1},
        .upstream_for = {upstream, 1},
    };
    struct rules *rules;
    struct err err;

    must(rules_create(&options, &rules, &err) == 0, "the rules can be read");
    return rules;
}

static void change_rules(struct stage *s)
{
    rules_unref(s->rules);
    s->rules = make_rules();
    proxy_set_rules(s->proxy, s->rules);
}

static void skip_line(struct stage *s)
{
    s->rest = str_skip(s->rest, str_find(s->rest, '\n'));
}

/* clang-format off */

static const struct {
    char letter;
    void (*happens)(struct stage *s);
} world_events[] = {
    {'c', device_comes},
    {'v', stranger_comes},
    {'q', answer_one},         /* how, as in fake_resolver.h: the oldest question that waits */
    {'Q', answer_all},         /* how: every question from now on, at once; -: they wait */
    {'z', let_time_pass},      /* how much */
    {'e', leave_descriptors},  /* how many; -: enough */
    {'w', refuse_watch},       /* the kernel has no room for the next watch */
    {'u', cut_family},         /* 6, 4, or 0: none */
    {'a', accept_at_once},     /* 1: servers do, from now on; 0: A has to say so */
    {'(', begin_at_once},      /* what follows happens in one moment */
    {')', end_at_once},
    {'r', change_rules},       /* as by SIGHUP: from then on as with @ */
    {'d', drain},
    {'!', stop},
    {'#', skip_line},
};

static const struct {
    char device, server; /* 0: not of these */
    void (*happens)(struct stage *s, struct link *l);
} peer_events[] = {
    {'s', 'S', say},           /* what */
    {'t', 'T', write_down},    /* what: to be said with n */
    {'n', 'N', say_more},      /* how much of it */
    {'f', 'F', end_saying},
    {'l', 'L', leave},
    {'x', 'X', reset},
    {'h', 'H', read_no_more},
    {'g', 'G', read_again},
    {'b', 'B', make_room},     /* how much, for what it has not read */
    {0,   'A', accept_it},
    {0,   'R', refuse_it},     /* how */
};

/* clang-format on */

static bool world_event(struct stage *s, char letter)
{
    for (size_t i = 0; i < sizeof world_events / sizeof *world_events; i++)
        if (world_events[i].letter == letter) {
            world_events[i].happens(s);
            return true;
        }
    return false;
}

static bool peer_event(struct stage *s, char letter)
{
    for (size_t i = 0; i < sizeof peer_events / sizeof *peer_events; i++) {
        bool device = peer_events[i].device == letter, server = peer_events[i].server == letter;

        if (letter && (device || server)) {
            peer_events[i].happens(s, peer(s, device ? LINK_DEVICE : LINK_SERVER));
            return true;
        }
    }
    return false;
}

static void play(struct stage *s)
{
    while (s->rest.n) {
        char letter = operand(s);

        if ((world_event(s, letter) || peer_event(s, letter)) && !s->at_once)
            settle(s);
    }
}

/* Setting up and ending */

static void dial_elsewhere(void *ctx, struct sockaddr_storage *address)
{
    (void)ctx;
    address_set_port(address, 8080);
}

static unsigned refuse_some(void *ctx, struct str host)
{
    (void)ctx;
    return str_starts(host, STR("blocked")) ? 403 : 0;
}

static struct proxy_options options_of(struct stage *s)
{
    static const char *const listen[] = {"0"}, *const connect_to[] = {"b.test:80:127.0.0.1:8080"};
    struct proxy_options options = {.listen = listen, .listen_count = 1};

    if (str_starts(s->rest, STR("<")))
        options.dial = dial_elsewhere;
    if (str_starts(s->rest, STR(">"))) {
        options.refuse = refuse_some;
        options.connect_to = connect_to;
        options.connect_to_count = 1;
    }
    if (str_starts(s->rest, STR("@")))
        options.rules = s->rules = make_rules();
    return options;
}

static void set_up(struct stage *s, struct str input)
{
    struct proxy_options options;
    struct err err;

    *s = (struct stage){.rest = input, .bytes_before = meter_bytes()};
    options = options_of(s);
    s->flows.tells = getenv("FUZZ_TELLS");
    net_begin();
    clock_init_held(&s->clock, 0);
    stream_init(&s->stream, &s->clock);
    stream_add_sink(&s->stream, flow_check_put, &s->flows);
    devices_init(&s->devices);
    must(loop_create(&s->clock, &s->loop, &err) == 0, "a loop can be made");
    must(proxy_create(s->loop, &s->stream, &s->devices, &options, &s->proxy, &err) == 0,
         "a proxy can be made");
}

static void tear_down(struct stage *s)
{
    s->at_once = false;
    settle(s);
    flow_check_links(&s->flows, true);
    proxy_stop(s->proxy);
    settle(s);
    proxy_destroy(s->proxy);
    settle(s);
    loop_destroy(s->loop);
    devices_finish(&s->devices);
    rules_unref(s->rules);
    flow_check_links(&s->flows, false);
    flow_check_finish(&s->flows);
    net_end();
    must(meter_bytes() <= s->bytes_before, "all memory is given back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stage s;

    set_up(&s, str_from(data, size));
    play(&s);
    tear_down(&s);
    return 0;
}
