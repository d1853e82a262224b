/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/request.h"

#include "sources/proxy/admit.h"
#include "sources/proxy/exchange.h"
#include "sources/proxy/forward.h"
#include "sources/proxy/own.h"
#include "sources/proxy/private.h"
#include "sources/proxy/tunnel.h"

#include <stdio.h>

static void observe_request(struct client *c, const struct http1_head *head, struct str host,
                            struct str url)
{
    char lower[HOST_MAX];

    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_REQUEST,
                                     .method = head->method,
                                     .url = url,
                                     .host = host_lower(host, lower),
                                     .user_agent = http1_field(head, STR("User-Agent")),
                                     .length = head->length});
}

static void observe_connect(struct client *c, const struct http1_head *head, struct str host,
                            uint16_t port)
{
    struct buf *url = &c->worker->head;

    buf_clear(url);
    authority_put(url, host, port);
    observe_request(c, head, host, buf_str(url));
}

static void observe_plain(struct client *c, const struct http1_head *head, const struct url *url)
{
    struct buf *text = &c->worker->head;

    buf_clear(text);
    url_put_redacted(text, head->target);
    observe_request(c, head, url->host, buf_str(text));
}

static void begin_connect(struct client *c, const struct http1_head *head, size_t head_bytes)
{
    struct admission admission;
    struct refusal refusal;
    struct wish wish = {.tunnels = true,
                        .authorization = http1_field(head, STR("Proxy-Authorization"))};
    char host[HOST_MAX + 1];

    if (!authority_parse(head->target, 0, &wish.host, &wish.port) || !wish.port) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "CONNECT wants HOST:PORT");
        client_refuse_head(c, &refusal);
        return;
    }
    if (head->framing != HTTP1_NO_BODY) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "CONNECT with a body");
        client_refuse_head(c, &refusal);
        return;
    }
    client_open_flow(c, wish.host, wish.port, HOW_CONNECT);
    observe_connect(c, head, wish.host, wish.port);
    if (!admit(c, &wish, &admission, &refusal)) {
        client_refuse(c, &refusal, false);
        return;
    }
    snprintf(host, sizeof host, STR_FMT, STR_ARG(wish.host));
    buf_eat(&c->in, head_bytes);
    tunnel_dial(c, str_of(host), wish.port, &admission);
}

/* Whether the request can be passed on; false: ret_refusal. */
static bool judge_plain(struct client *c, const struct http1_head *head, size_t head_bytes,
                        const struct url *url, struct admission *ret_admission,
                        struct refusal *ret_refusal)
{
    const struct wish wish = {.host = url->host,
                              .port = url->port,
                              .authorization = http1_field(head, STR("Proxy-Authorization"))};
    const char *why = forward_objects(head);

    if (why) {
        flow_moved(&c->flow, head_bytes, 0);
        refusal_set(ret_refusal, 400, WHY_BAD_REQUEST, "%s", why);
        return false;
    }
    if (!str_ieq(url->scheme, STR("http"))) {
        refusal_set(ret_refusal, 501, WHY_REFUSED, STR_FMT " is not served but through CONNECT",
                    STR_ARG(str_head(url->scheme, 32)));
        return false;
    }
    return admit(c, &wish, ret_admission, ret_refusal);
}

/* Which methods a resource knows its server could say; of us there is nothing to tell. */
static void answer_options(struct client *c, size_t head_bytes)
{
    flow_moved(&c->flow, head_bytes, 0);
    side_send(&c->device, STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_RESPONSE, .status = 200, .by = BY_PROXY});
    client_linger(c, WHY_FINISHED);
}

/* TRACE would send back what is a secret between the device and us. */
static void answer_here(struct client *c, const struct http1_head *head, size_t head_bytes)
{
    struct refusal refusal;

    if (str_eq(head->method, STR("OPTIONS"))) {
        answer_options(c, head_bytes);
        return;
    }
    refusal_set(&refusal, 405, WHY_REFUSED, "TRACE is not answered by this proxy");
    client_refuse(c, &refusal, false);
}

static void begin_exchange(struct client *c, const struct http1_head *head, size_t head_bytes)
{
    struct admission admission;
    struct refusal refusal;
    struct url url;

    if (!url_parse(head->target, &url)) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST,
                    "this is a proxy: it wants an absolute URL or CONNECT");
        client_refuse_head(c, &refusal);
        return;
    }
    client_open_flow(c, url.host, url.port, HOW_ABSOLUTE);
    observe_plain(c, head, &url);
    if (!judge_plain(c, head, head_bytes, &url, &admission, &refusal))
        client_refuse(c, &refusal, str_eq(head->method, STR("HEAD")));
    else if (forward_ends_here(head))
        answer_here(c, head, head_bytes);
    else
        exchange_start(c, head, head_bytes, &url, &admission);
}

void request_begin(struct client *c, size_t head_bytes)
{
    struct http1_head head;
    struct refusal refusal;
    const char *why;

    if (http1_read_request(str_head(buf_str(&c->in), head_bytes), &head, &why) == PARSED_ODD) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "bad request: %s", why);
        client_refuse_head(c, &refusal);
    } else if (str_eq(head.method, STR("CONNECT"))) {
        begin_connect(c, &head, head_bytes);
    } else if (own_knows(&head)) {
        own_answer(c, &head, head_bytes);
    } else {
        begin_exchange(c, &head, head_bytes);
    }
}
