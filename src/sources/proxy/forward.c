/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/forward.h"

#include "sources/proxy/rules.h"

#include <string.h>

enum { NAMED_MAX = 64 };

/* Of one connection, whether or not Connection names them. Upgrade is put back where it is meant.
 */
static const struct str hop_by_hop[] = {
    STR("Connection"), STR("Proxy-Connection"),   STR("Keep-Alive"),          STR("TE"),
    STR("Upgrade"),    STR("Proxy-Authenticate"), STR("Proxy-Authorization"),
};

/* What a Connection field must not take out: the message would be read differently without. */
static const struct str needed[] = {STR("Host"), STR("Content-Length"), STR("Transfer-Encoding")};

/* The names in Connection, looked for once: a head may have thousands of fields. */
struct named {
    struct str names[NAMED_MAX];
    size_t n;
};

/* False: there are too many. */
static bool find_named(const struct http1_head *head, struct named *ret_named)
{
    size_t n = http1_words(head, STR("Connection"), ret_named->names, NAMED_MAX);

    ret_named->n = n < NAMED_MAX ? n : NAMED_MAX;
    return n <= NAMED_MAX;
}

static bool is_one_of(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(names[i], name))
            return true;
    return false;
}

const char *forward_objects(const struct http1_head *head)
{
    struct named named;

    if (!find_named(head, &named))
        return "Connection names too many fields";
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (is_one_of(named.names, named.n, needed[i]))
            return "Connection names a field that the message needs";
    return NULL;
}

static bool stays_here(const struct named *named, struct str name)
{
    return is_one_of(hop_by_hop, sizeof hop_by_hop / sizeof *hop_by_hop, name) ||
           is_one_of(named->names, named->n, name);
}

static void put_field(struct buf *out, struct str name, struct str value)
{
    char *at = buf_reserve(out, name.n + value.n + 4);

    if (!at)
        return;
    at = mempcpy(at, name.p, name.n);
    at = mempcpy(at, ": ", 2);
    at = mempcpy(at, value.p, value.n);
    memcpy(at, "\r\n", 2);
    buf_wrote(out, name.n + value.n + 4);
}

/* All fields that go on, but for those that the caller writes itself. */
static void put_fields(struct buf *out, const struct http1_head *head, const struct str *but,
                       size_t but_n)
{
    struct http1_fields it = http1_fields(head);
    struct http1_field field;
    struct named named;

    find_named(head, &named);
    while (http1_next_field(&it, &field))
        if (!stays_here(&named, field.name) && !is_one_of(but, but_n, field.name))
            put_field(out, field.name, field.value);
}

bool forward_upgrades(const struct http1_head *request)
{
    return request->upgrade && !http1_field(request, STR("HTTP2-Settings")).p;
}

static void put_end(struct buf *out, const struct http1_head *head, bool upgrades, bool last)
{
    if (upgrades) {
        put_field(out, STR("Connection"), STR("Upgrade"));
        put_field(out, STR("Upgrade"), http1_field(head, STR("Upgrade")));
    } else if (last) {
        put_field(out, STR("Connection"), STR("close"));
    }
    buf_put_str(out, STR("\r\n"));
}

/* False: it is not counted, or not in a way that can be read; then it goes on as it is. */
static bool find_forwards(const struct http1_head *request, uint64_t *ret_forwards)
{
    bool counts = str_eq(request->method, STR("OPTIONS")) || str_eq(request->method, STR("TRACE"));

    return counts && str_to_u64(http1_field(request, STR("Max-Forwards")), ret_forwards);
}

bool forward_ends_here(const struct http1_head *request)
{
    uint64_t forwards;

    return find_forwards(request, &forwards) && !forwards;
}

static void put_forwards(struct buf *out, uint64_t forwards)
{
    buf_put_str(out, STR("Max-Forwards: "));
    buf_put_u64(out, forwards);
    buf_put_str(out, STR("\r\n"));
}

/* An OPTIONS without a path is for the server itself (RFC 9112, section 3.2.4). */
static void put_target(struct buf *out, const struct http1_head *head, const struct url *url,
                       bool to_proxy)
{
    bool for_server = !url->target.n && str_eq(head->method, STR("OPTIONS"));

    if (for_server)
        buf_put_str(out, to_proxy ? STR("") : STR("*"));
    else if (!url->target.n || url->target.p[0] == '?') /* http://host?query has an empty path */
        buf_put_byte(out, '/');
    buf_put_str(out, url->target);
}

static void put_host(struct buf *out, const struct url *url)
{
    if (url->port != 80) {
        authority_put(out, url->host, url->port);
    } else {
        bool is_v6 = str_find(url->host, ':') < url->host.n;

        buf_put_str(out, is_v6 ? STR("[") : STR(""));
        buf_put_str(out, url->host);
        buf_put_str(out, is_v6 ? STR("]") : STR(""));
    }
}

void forward_request(struct buf *out, const struct http1_head *head, const struct url *url,
                     const struct upstream *upstream)
{
    static const struct str ours[] = {STR("Host"), STR("Max-Forwards")};
    uint64_t forwards = 0;
    bool counts = find_forwards(head, &forwards);

    buf_put_str(out, head->method);
    buf_put_byte(out, ' ');
    if (upstream) {
        buf_put_str(out, STR("http://"));
        put_host(out, url);
    }
    put_target(out, head, url, upstream);
    /* A server that is asked in HTTP/1.0 does not answer in chunks, which the device may not know.
     */
    buf_put_str(out, head->minor ? STR(" HTTP/1.1\r\nHost: ") : STR(" HTTP/1.0\r\nHost: "));
    put_host(out, url);
    buf_put_str(out, STR("\r\n"));
    if (upstream && upstream->authorization.n)
        put_field(out, STR("Proxy-Authorization"), upstream->authorization);
    if (counts && forwards)
        put_forwards(out, forwards - 1);
    put_fields(out, head, ours, counts ? 2 : 1);
    put_end(out, head, forward_upgrades(head), !head->minor);
}

void forward_response(struct buf *out, const struct http1_head *head, struct response_form form)
{
    static const struct str framing = STR("Transfer-Encoding");

    buf_put_str(out, STR("HTTP/1.1 "));
    buf_put_u64(out, head->status);
    buf_put_byte(out, ' ');
    buf_put_str(out, head->reason);
    buf_put_str(out, STR("\r\n"));
    put_fields(out, head, &framing, form.unframed ? 1 : 0);
    put_end(out, head, head->upgrade, form.last);
}
