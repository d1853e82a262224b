/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/forward.h"

/* Of one connection, whether or not Connection names them. Upgrade is put back where it is meant.
 */
static const struct str hop_by_hop[] = {
    STR("Connection"), STR("Proxy-Connection"),   STR("Keep-Alive"),          STR("TE"),
    STR("Upgrade"),    STR("Proxy-Authenticate"), STR("Proxy-Authorization"),
};

/* What a Connection field must not take out: the message would be read differently without. */
static const struct str needed[] = {STR("Host"), STR("Content-Length"), STR("Transfer-Encoding")};

const char *forward_objects(const struct http1_head *head)
{
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (http1_has_word(head, STR("Connection"), needed[i]))
            return "Connection names a field that the message needs";
    return NULL;
}

static bool stays_here(const struct http1_head *head, struct str name)
{
    for (size_t i = 0; i < sizeof hop_by_hop / sizeof *hop_by_hop; i++)
        if (str_ieq(hop_by_hop[i], name))
            return true;
    return http1_has_word(head, STR("Connection"), name);
}

static void put_field(struct buf *out, struct str name, struct str value)
{
    buf_put_str(out, name);
    buf_put_str(out, STR(": "));
    buf_put_str(out, value);
    buf_put_str(out, STR("\r\n"));
}

/* All fields that go on, but for one that the caller writes itself. */
static void put_fields(struct buf *out, const struct http1_head *head, struct str but)
{
    struct str fields = head->fields;
    struct http1_field field;

    while (http1_next_field(&fields, &field))
        if (!stays_here(head, field.name) && !str_ieq(field.name, but))
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

static struct str origin_form(const struct http1_head *head, struct str target)
{
    if (target.n)
        return target;
    return str_eq(head->method, STR("OPTIONS")) ? STR("*") : STR("/");
}

void forward_request(struct buf *out, const struct http1_head *head, const struct url *url)
{
    struct str target = origin_form(head, url->target);
    bool is_v6 = str_find(url->host, ':') < url->host.n;

    buf_put_str(out, head->method);
    buf_put_byte(out, ' ');
    if (target.p[0] == '?') /* http://host?query has an empty path */
        buf_put_byte(out, '/');
    buf_put_str(out, target);
    /* A server that is asked in HTTP/1.0 does not answer in chunks, which the device may not know.
     */
    buf_printf(out, " HTTP/1.%u\r\n", head->minor);
    if (url->port != 80) {
        buf_put_str(out, STR("Host: "));
        authority_put(out, url->host, url->port);
        buf_put_str(out, STR("\r\n"));
    } else {
        buf_printf(out, is_v6 ? "Host: [" STR_FMT "]\r\n" : "Host: " STR_FMT "\r\n",
                   STR_ARG(url->host));
    }
    put_fields(out, head, STR("Host"));
    put_end(out, head, forward_upgrades(head), true);
}

void forward_response(struct buf *out, const struct http1_head *head, struct response_form form)
{
    buf_printf(out, "HTTP/1.1 %u ", head->status);
    buf_put_str(out, head->reason);
    buf_put_str(out, STR("\r\n"));
    put_fields(out, head, form.unframed ? STR("Transfer-Encoding") : STR(""));
    put_end(out, head, head->upgrade, form.last);
}
