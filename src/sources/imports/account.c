/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/account.h"

void account_init(struct account *a)
{
    *a = (struct account){0};
    buf_init(&a->text, BUF_UNBOUNDED);
}

void account_finish(struct account *a)
{
    buf_finish(&a->text);
}

void account_clear(struct account *a)
{
    struct buf text = a->text;

    buf_clear(&text);
    *a = (struct account){.text = text};
}

/* What put appended to a->text since `from`. */
static struct str written_since(const struct account *a, size_t from)
{
    return str_skip(buf_str(&a->text), from);
}

static struct str keep_host(struct account *a, struct str host)
{
    size_t from = a->text.n;

    host_put(&a->text, host);
    return written_since(a, from);
}

bool account_ask(struct account *a, struct str method, struct str target)
{
    bool is_connect = str_eq(method, STR("CONNECT"));
    struct url url = {0};

    if (!(is_connect && authority_parse(target, 443, &url.host, &url.port)) &&
        !url_parse(target, &url))
        return false;

    /* Enough for the host and the URL, whose empty parts grow to "*": the text must not move. */
    buf_clear(&a->text);
    buf_reserve(&a->text, 3 * target.n + 64);
    a->method = method;
    a->how = is_connect ? HOW_CONNECT : HOW_ABSOLUTE;
    a->host = keep_host(a, url.host);
    a->port = url.port;

    size_t from = a->text.n;
    if (is_connect)
        authority_put(&a->text, a->host, a->port);
    else
        url_put_redacted(&a->text, target);
    a->url = written_since(a, from);
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
static bool was_answered(const struct account *a)
{
    bool is_open = a->how == HOW_CONNECT && a->status >= 200 && a->status < 300;

    return is_open ? a->bytes_down > 0 : a->status && a->by == BY_SERVER;
}

static void tell_reached(struct telling *t, const struct account *a)
{
    uint64_t failed_us = a->connected_us ? a->connected_us : a->ended_us;
    struct str error = str_of(a->error);

    if (a->resolved_us || (a->reached == REACHED && a->address.n && !was_answered(a)))
        tell(t, a->resolved_us ? a->resolved_us : a->began_us,
             (struct obs){.kind = OBS_NAME_RESOLVED, .addresses = a->address, .ms = a->resolve_ms});
    if (a->reached == NAME_NOT_FOUND)
        tell(t, failed_us, (struct obs){.kind = OBS_NAME_FAILED, .error = error});
    else if (a->reached == NOT_REACHED)
        tell(t, failed_us,
             (struct obs){.kind = OBS_CONNECT_FAILED,
                          .address = a->address,
                          .port = a->port,
                          .error = error});
    else if (was_answered(a))
        tell(t, a->connected_us ? a->connected_us : a->began_us,
             (struct obs){.kind = OBS_CONNECTED,
                          .address = a->address,
                          .port = a->port,
                          .ms = a->connect_ms});
    if (a->reached == TLS_REFUSED || a->reached == TLS_FAILED)
        tell(t, a->ended_us,
             (struct obs){.kind = OBS_TLS_ALERT,
                          .by = a->reached == TLS_REFUSED ? BY_DEVICE : BY_NONE,
                          .error = error});
}

int account_tell(const struct account *a, uint64_t flow, int (*put)(void *ctx, const struct obs *o),
                 void *ctx)
{
    struct telling t = {.put = put, .ctx = ctx, .flow = flow};
    uint64_t answered_us = a->answered_us ? a->answered_us : a->ended_us;

    tell(&t, a->began_us,
         (struct obs){.kind = OBS_FLOW_OPENED,
                      .client = a->client,
                      .host = a->host,
                      .port = a->port,
                      .how = a->how});
    if (a->method.n)
        tell(&t, a->began_us,
             (struct obs){.kind = OBS_HTTP_REQUEST,
                          .method = a->method,
                          .url = a->url,
                          .host = a->host,
                          .user_agent = a->user_agent,
                          .length = a->request_bytes});
    tell_reached(&t, a);
    if (a->status)
        tell(&t, answered_us,
             (struct obs){.kind = OBS_HTTP_RESPONSE,
                          .status = a->status,
                          .content_type = a->content_type,
                          .length = a->response_bytes,
                          .ms = a->answered_us ? (answered_us - a->began_us) / 1000 : 0,
                          .by = a->by});
    tell(&t, a->ended_us,
         (struct obs){.kind = OBS_FLOW_CLOSED,
                      .bytes_up = a->bytes_up,
                      .bytes_down = a->bytes_down,
                      .why = a->why});
    return t.r;
}
