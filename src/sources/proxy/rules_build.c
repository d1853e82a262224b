/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of a host is read by its sort's row in `sorts`, whoever wrote it. */
#include "sources/proxy/rules_build.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/timefmt.h"
#include "base/xalloc.h"

#include <errno.h>
#include <string.h>

#define RATE_MAX UINT64_C(1000000000000)
#define DELAY_MAX_US UINT64_C(600000000)
enum { CREDENTIALS_BYTES = 65536, PORTS_TEXT_MAX = 120 };

/*
 * The TCP ports that Microsoft documents for devices: MicrosoftDocs/memdocs, intune/fundamentals/
 * endpoints.md@00eee03 (2026-03-24), and of 3544 over TCP too, MHimken/IntuneNetworkRequirements,
 * INRCustomList.csv@7f80e33 (2026-01-25). Those of mail, which Exchange has besides, stay shut: a
 * proxy that opens them relays spam.
 */
static const uint16_t default_ports[] = {
    443,  /* nearly everything */
    80,   /* updates, revocation lists, the question whether there is an internet */
    7680, /* Delivery Optimization between devices */
    3544, /* Teredo, with which Delivery Optimization gets through NAT */
};

struct rules *rules_new(void)
{
    struct rules *r = xalloc(sizeof *r);

    atomic_init(&r->holders, 1);
    r->arena = arena_create();
    r->allow = arena_array(r->arena, RULES_ALLOW_MAX, sizeof *r->allow);
    for (size_t i = 0; i < RULE_SORTS; i++)
        r->tables[i] = host_table_create();
    return r;
}

const char *rules_allow(struct rules *r, struct str network)
{
    const char *complaint;

    if (r->allow_n == RULES_ALLOW_MAX)
        return "there are 1,024 networks already";
    complaint = cidr_parse(network, &r->allow[r->allow_n]);
    r->allow_n += !complaint;
    return complaint;
}

static void open_ports(struct rules *r, unsigned first, unsigned last)
{
    for (unsigned port = first; port <= last; port++)
        r->ports[port / 8] |= (uint8_t)(1u << port % 8);
}

static bool read_port(struct str text, unsigned *ret_port)
{
    uint64_t port;

    if (!str_to_u64(str_trim(text), &port) || !port || port > UINT16_MAX)
        return false;
    *ret_port = (unsigned)port;
    return true;
}

/* "443" or "9000-9100" */
static bool read_range(struct str text, unsigned *ret_first, unsigned *ret_last)
{
    bool is_range = str_find(text, '-') < text.n;
    struct str first = str_cut(&text, '-');

    if (!read_port(first, ret_first))
        return false;
    *ret_last = *ret_first;
    return !is_range || (read_port(text, ret_last) && *ret_first <= *ret_last);
}

const char *rules_ports(struct rules *r, struct str ports)
{
    unsigned first, last;

    r->ports_given = true;
    if (str_eq(ports, STR("any"))) {
        open_ports(r, 1, UINT16_MAX);
        return NULL;
    }
    do {
        if (!read_range(str_cut(&ports, ','), &first, &last))
            return "expected ports such as 443,8443,9000-9100, or any";
        open_ports(r, first, last);
    } while (ports.n);
    return NULL;
}

bool rules_port_is_open(const struct rules *r, unsigned port)
{
    return r->ports[port / 8] & 1u << port % 8;
}

/* "80,443,9000-9100" */
static void put_ports(const struct rules *r, struct buf *out)
{
    for (unsigned port = 1; port <= UINT16_MAX; port++) {
        unsigned first = port;

        if (!rules_port_is_open(r, port))
            continue;
        while (port < UINT16_MAX && rules_port_is_open(r, port + 1))
            port++;
        buf_printf(out, "%s%u", out->n ? "," : "", first);
        if (port > first)
            buf_printf(out, "-%u", port);
    }
}

static struct str ports_text(const struct rules *r)
{
    struct str text = {0};
    struct buf out;

    buf_init(&out, PORTS_TEXT_MAX);
    put_ports(r, &out);
    if (!out.full)
        text = arena_str(r->arena, buf_str(&out));
    buf_finish(&out);
    return text;
}

static const char *read_nothing(struct rules *r, struct str value, struct host_rule *rule)
{
    (void)r, (void)rule;
    return value.n ? "expected a host alone" : NULL;
}

static const char *read_rate(struct rules *r, struct str value, struct host_rule *rule)
{
    (void)r;
    if (!bytes_parse(value, &rule->bytes_a_second))
        return "expected a rate in bytes a second, such as 512, 64kB or 1.5MB";
    if (!rule->bytes_a_second)
        return "a rate of 0 would pass nothing: that is what block is for";
    return rule->bytes_a_second > RATE_MAX ? "a rate above 1 TB a second holds nothing up" : NULL;
}

/* A number alone is of milliseconds. */
static bool read_delay_us(struct str value, uint64_t *ret_us)
{
    uint64_t ms;

    if (!str_to_u64(value, &ms))
        return duration_parse(value, ret_us);
    return !__builtin_mul_overflow(ms, UINT64_C(1000), ret_us);
}

static const char *read_delay(struct rules *r, struct str value, struct host_rule *rule)
{
    (void)r;
    if (!read_delay_us(value, &rule->delay_us) || !rule->delay_us)
        return "expected a time, such as 300 (milliseconds), 250ms or 2s";
    return rule->delay_us > DELAY_MAX_US ? "a delay is of ten minutes at most" : NULL;
}

/* A scheme, a host and a port, and nothing that a proxy has no use for. */
static bool parse_proxy(struct str text, struct url *ret_url)
{
    return str_find(text, '#') == text.n && url_parse(text, ret_url) &&
           str_ieq(ret_url->scheme, STR("http")) &&
           (!ret_url->target.n || str_eq(ret_url->target, STR("/")));
}

static const char *read_proxy(struct rules *r, struct str value, struct host_rule *rule)
{
    struct upstream_of *own;
    struct url url;

    if (str_find(value, '@') < value.n)
        return "a user and password do not belong here: give them in a file, as "
               "upstream-credentials";
    if (!parse_proxy(value, &url))
        return "expected another proxy as http://HOST:PORT";
    own = arena_alloc(r->arena, sizeof *own);
    own->upstream = (struct upstream){.host = arena_str(r->arena, url.host), .port = url.port};
    own->next = r->upstreams;
    r->upstreams = own;
    rule->upstream = &own->upstream;
    return NULL;
}

static const char *read_route(struct rules *r, struct str value, struct host_rule *rule)
{
    return str_eq(value, STR("direct")) ? NULL : read_proxy(r, value, rule);
}

static const struct sort {
    const char *name;
    const char *(*read)(struct rules *r, struct str value, struct host_rule *rule);
} sorts[RULE_SORTS] = {
    [RULE_DENY] = {"deny", read_nothing},
    [RULE_BLOCK] = {"block", read_nothing},
    [RULE_THROTTLE] = {"throttle", read_rate},
    [RULE_DELAY] = {"delay", read_delay},
    [RULE_UPSTREAM_FOR] = {"upstream-for", read_route},
};

const char *rule_sort_name(enum rule_sort sort)
{
    return sorts[sort].name;
}

const char *rules_host(struct rules *r, enum rule_sort sort, struct str pattern, struct str value)
{
    struct host_rule rule = {0};
    const char *complaint = host_pattern_complaint(pattern);
    struct host_entry *entry;

    value = str_trim(value);
    if (!complaint)
        complaint = sorts[sort].read(r, value, &rule);
    if (!complaint && host_table_count(r->tables[sort]) >= RULES_MAX)
        complaint = "there are 65,536 rules of this sort already";
    if (complaint)
        return complaint;
    rule.text = arena_printf(r->arena, "%s " STR_FMT "%s" STR_FMT, sorts[sort].name,
                             STR_ARG(pattern), value.n ? "=" : "", STR_ARG(value));
    entry = host_table_add(r->tables[sort], pattern);
    if (!entry->value)
        entry->value = arena_alloc(r->arena, sizeof rule);
    *(struct host_rule *)entry->value = rule;
    return NULL;
}

const char *rules_upstream(struct rules *r, struct str url)
{
    struct host_rule rule = {0};
    const char *complaint = read_proxy(r, url, &rule);

    if (complaint)
        return complaint;
    rule.text = arena_printf(r->arena, "upstream " STR_FMT, STR_ARG(url));
    r->upstream = arena_alloc(r->arena, sizeof rule);
    *r->upstream = rule;
    return NULL;
}

void rules_credentials(struct rules *r, struct str path)
{
    r->credentials = arena_str(r->arena, path);
    r->logs_in = r->upstream;
}

/* "Basic …" (RFC 7617) */
static struct str authorization_of(struct arena *a, struct str credentials)
{
    struct str value;
    struct buf text;

    buf_init(&text, BUF_UNBOUNDED);
    buf_put_str(&text, STR("Basic "));
    base64_put(&text, credentials);
    value = arena_str(a, buf_str(&text));
    explicit_bzero(text.p, text.n);
    buf_finish(&text);
    return value;
}

static bool is_user_and_password(struct str line)
{
    size_t colon = str_find(line, ':');

    for (size_t i = 0; i < line.n; i++)
        if ((uint8_t)line.p[i] < ' ' || line.p[i] == 0x7f)
            return false;
    return colon > 0 && colon < line.n;
}

static bool is_same_proxy(const struct upstream *a, const struct upstream *b)
{
    return str_ieq(a->host, b->host) && a->port == b->port;
}

/* What is one proxy's goes to no other, but to each rule that names this one. */
static const char *log_in(struct rules *r, const struct upstream *proxy, struct str credentials)
{
    struct str value = authorization_of(r->arena, credentials);
    const char *complaint = "no upstream is this proxy";

    for (struct upstream_of *own = r->upstreams; own; own = own->next) {
        if (!is_same_proxy(&own->upstream, proxy))
            continue;
        if (own->upstream.authorization.n)
            return "this upstream's password stands here twice";
        own->upstream.authorization = value;
        complaint = NULL;
    }
    return complaint;
}

static const char *take_named(struct rules *r, const struct url *url, struct str credentials)
{
    const struct upstream proxy = {.host = url->host, .port = url->port};

    if (!is_user_and_password(credentials))
        return "expected http://HOST:PORT USER:PASSWORD";
    return log_in(r, &proxy, credentials);
}

static const char *take_default(struct rules *r, struct str credentials)
{
    const struct host_rule *proxy = r->logs_in ? r->logs_in : r->upstream;

    if (!is_user_and_password(credentials))
        return "expected USER:PASSWORD";
    if (!proxy)
        return "which upstream this is for is not clear: expected http://HOST:PORT USER:PASSWORD";
    return log_in(r, proxy->upstream, credentials);
}

static const char *take_login(struct rules *r, struct str line)
{
    struct str rest = line, first = str_cut(&rest, ' ');
    struct url url;

    return parse_proxy(first, &url) ? take_named(r, &url, rest) : take_default(r, line);
}

/* Empty lines and those that begin with # say nothing. */
static int take_logins(struct rules *r, struct str bytes, struct err *err)
{
    size_t taken = 0;
    struct str line;

    for (unsigned n = 1; str_line(&bytes, &line); n++) {
        const char *complaint;

        if (!line.n || line.p[0] == '#')
            continue;
        complaint = take_login(r, line);
        if (complaint)
            return err_set(err, -EINVAL, STR_FMT ":%u: %s", STR_ARG(r->credentials), n, complaint);
        taken++;
    }
    return taken ? 0
                 : err_set(err, -EINVAL, STR_FMT ":1: expected USER:PASSWORD",
                           STR_ARG(r->credentials));
}

static int read_credentials(struct rules *r, struct err *err)
{
    bool others_may_read = false;
    struct buf file;
    int n;

    buf_init(&file, CREDENTIALS_BYTES);
    n = file_read(r->credentials.p, &file, &others_may_read, err);
    if (n == 0)
        n = take_logins(r, buf_str(&file), err);
    if (others_may_read)
        r->warning = arena_printf(r->arena,
                                  STR_FMT ": everybody on this machine can read this password; "
                                          "chmod o-r takes that away",
                                  STR_ARG(r->credentials));
    if (file.n)
        explicit_bzero(file.p, file.n);
    buf_finish(&file);
    return n;
}

int rules_build(struct rules *r, struct err *err)
{
    for (size_t i = 0; !r->ports_given && i < sizeof default_ports / sizeof *default_ports; i++)
        open_ports(r, default_ports[i], default_ports[i]);
    r->ports_text = ports_text(r);
    for (size_t i = 0; i < RULE_SORTS; i++)
        host_table_build(r->tables[i]);
    return r->credentials.n ? read_credentials(r, err) : 0;
}
