/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/exchange.h"

void exchange_init(struct exchange *x)
{
    *x = (struct exchange){0};
    buf_init(&x->text, BUF_UNBOUNDED);
}

void exchange_finish(struct exchange *x)
{
    buf_finish(&x->text);
}

void exchange_clear(struct exchange *x)
{
    struct buf text = x->text;

    buf_clear(&text);
    *x = (struct exchange){.text = text};
}

/* What put appended to x->text since `from`. */
static struct str written_since(const struct exchange *x, size_t from)
{
    return str_skip(buf_str(&x->text), from);
}

static struct str keep_host(struct exchange *x, struct str host)
{
    size_t from = x->text.n;

    host_put(&x->text, host);
    return written_since(x, from);
}

bool exchange_ask(struct exchange *x, struct str method, struct str target)
{
    bool is_connect = str_eq(method, STR("CONNECT"));
    struct url url = {0};

    if (!(is_connect && authority_parse(target, 443, &url.host, &url.port)) &&
        !url_parse(target, &url))
        return false;

    /* Enough for the host and the URL, whose empty parts grow to "*": the text must not move. */
    buf_clear(&x->text);
    buf_reserve(&x->text, 3 * target.n + 64);
    x->method = method;
    x->how = is_connect ? HOW_CONNECT : HOW_ABSOLUTE;
    x->host = keep_host(x, url.host);
    x->port = url.port;

    size_t from = x->text.n;
    if (is_connect)
        authority_put(&x->text, x->host, x->port);
    else
        url_put_redacted(&x->text, target);
    x->url = written_since(x, from);
    return true;
}

/* Where the observations go, and what all of them have. */
struct telling {
    int (*put)(void *ctx, const struct obs *o);
    void *ctx;
    uint64_t flow;
    int r; /* the first failure; nothing is put after it */
};

static void tell(struct telling *t, uint64_t at_us, struct obs o)
{
    o.at_us = at_us;
    o.flow = t->flow;
    o.source = SOURCE_IMPORT;
    if (!t->r)
        t->r = t->put(t->ctx, &o);
}

/*
 * Whether anything came back from the server. A tunnel that was opened and through which nothing
 * came is what a filter leaves that drops a connection once it has seen the server's name: that
 * there was a server behind it is not known.
 */
static bool was_answered(const struct exchange *x)
{
    bool is_open = x->how == HOW_CONNECT && x->status >= 200 && x->status < 300;

    return is_open ? x->bytes_down > 0 : x->status && x->by == BY_SERVER;
}

static void tell_reached(struct telling *t, const struct exchange *x)
{
    uint64_t failed_us = x->connected_us ? x->connected_us : x->ended_us;
    struct str error = str_of(x->error);

    if (x->resolved_us || (x->reached == REACHED && x->address.n && !was_answered(x)))
        tell(t, x->resolved_us ? x->resolved_us : x->began_us,
             (struct obs){.kind = OBS_NAME_RESOLVED, .addresses = x->address, .ms = x->resolve_ms});
    if (x->reached == NAME_NOT_FOUND)
        tell(t, failed_us, (struct obs){.kind = OBS_NAME_FAILED, .error = error});
    else if (x->reached == NOT_REACHED)
        tell(t, failed_us,
             (struct obs){.kind = OBS_CONNECT_FAILED,
                          .address = x->address,
                          .port = x->port,
                          .error = error});
    else if (was_answered(x))
        tell(t, x->connected_us ? x->connected_us : x->began_us,
             (struct obs){.kind = OBS_CONNECTED,
                          .address = x->address,
                          .port = x->port,
                          .ms = x->connect_ms});
    if (x->reached == TLS_REFUSED || x->reached == TLS_FAILED)
        tell(t, x->ended_us,
             (struct obs){.kind = OBS_TLS_ALERT,
                          .by = x->reached == TLS_REFUSED ? BY_DEVICE : BY_NONE,
                          .error = error});
}

int exchange_tell(const struct exchange *x, uint64_t flow,
                  int (*put)(void *ctx, const struct obs *o), void *ctx)
{
    struct telling t = {.put = put, .ctx = ctx, .flow = flow};
    uint64_t answered_us = x->answered_us ? x->answered_us : x->ended_us;

    tell(&t, x->began_us,
         (struct obs){.kind = OBS_FLOW_OPENED,
                      .client = x->client,
                      .host = x->host,
                      .port = x->port,
                      .how = x->how});
    if (x->method.n)
        tell(&t, x->began_us,
             (struct obs){.kind = OBS_HTTP_REQUEST,
                          .method = x->method,
                          .url = x->url,
                          .host = x->host,
                          .user_agent = x->user_agent,
                          .length = x->request_bytes});
    tell_reached(&t, x);
    if (x->status)
        tell(&t, answered_us,
             (struct obs){.kind = OBS_HTTP_RESPONSE,
                          .status = x->status,
                          .content_type = x->content_type,
                          .length = x->response_bytes,
                          .ms = x->answered_us ? (answered_us - x->began_us) / 1000 : 0,
                          .by = x->by});
    tell(&t, x->ended_us,
         (struct obs){.kind = OBS_FLOW_CLOSED,
                      .bytes_up = x->bytes_up,
                      .bytes_down = x->bytes_down,
                      .why = x->why});
    return t.r;
}
