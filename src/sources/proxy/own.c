/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/own.h"

#include "sources/proxy/pac.h"
#include "sources/proxy/private.h"

enum { PAC_BYTES_MAX = 1 << 20 };

static const struct str paths[] = {STR("/proxy.pac"), STR("/wpad.dat")};

bool own_knows(const struct http1_head *head)
{
    struct str rest = head->target;
    struct str path = str_cut(&rest, '?');

    if (!str_eq(head->method, STR("GET")) && !str_eq(head->method, STR("HEAD")))
        return false;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (str_eq(paths[i], path))
            return true;
    return false;
}

/* The address at which the client has found us is one at which it will find us again. */
static struct str authority(const struct client *c, struct str *ret_host,
                            char text[static ADDRESS_TEXT])
{
    struct sockaddr_storage here = {0};
    socklen_t n = sizeof here;

    getsockname(c->device.watch.fd, (void *)&here, &n);
    address_unmap(&here);
    *ret_host = address_without_port(address_port_text(&here, text));
    return str_of(text);
}

static void observe(struct client *c, const struct http1_head *head, struct str host,
                    struct str authority)
{
    struct buf *url = &c->worker->head;

    client_open_flow(c, host, c->port->number, HOW_OWN);
    buf_clear(url);
    buf_printf(url, "http://" STR_FMT, STR_ARG(authority));
    url_put_redacted(url, head->target);
    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_REQUEST,
                                     .method = head->method,
                                     .url = buf_str(url),
                                     .host = host,
                                     .user_agent = http1_field(head, STR("User-Agent"))});
}

static void send_pac(struct client *c, struct str authority, bool head_only)
{
    const struct proxy *p = c->worker->proxy;
    struct buf *head = &c->worker->head;
    struct buf pac;

    buf_init(&pac, PAC_BYTES_MAX);
    pac_put(&pac, authority, p->direct, p->direct_count);
    buf_clear(head);
    buf_printf(head,
               "HTTP/1.1 200 OK\r\nContent-Type: " PAC_MEDIA_TYPE "\r\nContent-Length: %zu\r\n"
               "Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
               pac.n);
    side_send_both(&c->device, buf_str(head), head_only ? STR("") : buf_str(&pac));
    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_RESPONSE,
                                     .status = 200,
                                     .content_type = STR(PAC_MEDIA_TYPE),
                                     .length = pac.n,
                                     .by = BY_PROXY});
    buf_finish(&pac);
}

void own_answer(struct client *c, const struct http1_head *head, size_t head_bytes)
{
    bool head_only = str_eq(head->method, STR("HEAD"));
    char text[ADDRESS_TEXT];
    struct str host, self = authority(c, &host, text);
    struct refusal refusal;

    observe(c, head, host, self);
    if (!rules_serve(c->worker->rules, client_address(c))) {
        refusal_set(&refusal, 403, WHY_REFUSED, "your address is not served here");
        client_refuse(c, &refusal, head_only);
        return;
    }
    flow_moved(&c->flow, head_bytes, 0);
    send_pac(c, self, head_only);
    client_linger(c, WHY_FINISHED);
}
