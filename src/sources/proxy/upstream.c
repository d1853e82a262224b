/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/upstream.h"

#include "base/xalloc.h"
#include "sources/proxy/private.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUESTION_MAX = 4096 };

struct ask {
    char host[HOST_MAX + 1];
    struct buf question;
    struct buf answer;
    size_t scanned; /* where http1_find_end stands in it */
};

static void put_question(struct buf *out, struct str host, uint16_t port,
                         const struct upstream *upstream)
{
    buf_put_str(out, STR("CONNECT "));
    authority_put(out, host, port);
    buf_put_str(out, STR(" HTTP/1.1\r\nHost: "));
    authority_put(out, host, port);
    buf_put_str(out, STR("\r\n"));
    if (upstream->authorization.n)
        buf_printf(out, "Proxy-Authorization: " STR_FMT "\r\n", STR_ARG(upstream->authorization));
    buf_put_str(out, STR("\r\n"));
}

struct ask *ask_create(struct str host, uint16_t port, const struct upstream *upstream)
{
    struct ask *a = xalloc(sizeof *a);

    snprintf(a->host, sizeof a->host, STR_FMT, STR_ARG(host));
    buf_init(&a->question, QUESTION_MAX);
    buf_init(&a->answer, HTTP1_HEAD_MAX + READ_BYTES);
    put_question(&a->question, host, port, upstream);
    return a;
}

void ask_destroy(struct ask *a)
{
    if (!a)
        return;
    buf_finish(&a->question);
    buf_finish(&a->answer);
    free(a);
}

void ask_send(struct ask *a, struct client *c)
{
    side_send(&c->server, buf_str(&a->question));
    buf_finish(&a->question);
    side_want(&c->server, true, false);
}

void upstream_refused(struct refusal *ret_refusal, unsigned status, struct str host)
{
    refusal_set(ret_refusal, 502, WHY_UPSTREAM_FAILED,
                "your upstream proxy answered %u for " STR_FMT, status,
                STR_ARG(str_head(host, HOST_MAX)));
}

static enum parsed failed(const struct ask *a, struct refusal *ret_refusal, const char *how)
{
    refusal_set(ret_refusal, 502, WHY_UPSTREAM_FAILED, "your upstream proxy %s for %s", how,
                a->host);
    return PARSED_ODD;
}

void ask_is_late(const struct ask *a, struct refusal *ret_refusal)
{
    refusal_set(ret_refusal, 504, WHY_UPSTREAM_FAILED,
                "your upstream proxy did not answer in time for %s", a->host);
}

/* A whole head of its answer is there. MORE: an interim one (RFC 9110, section 15.2). */
static enum parsed judge(const struct ask *a, struct client *c, struct refusal *ret_refusal)
{
    struct http1_head head;
    const char *why;

    if (http1_read_response(str_head(buf_str(&a->answer), a->scanned), STR("CONNECT"), &head,
                            &why) == PARSED_ODD)
        return failed(a, ret_refusal, "did not answer in HTTP");
    if (head.status / 100 == 2)
        return PARSED_DONE;
    if (head.status / 100 == 1 && head.status != 101)
        return PARSED_MORE;
    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_RESPONSE,
                                     .status = head.status,
                                     .content_type = http1_field(&head, STR("Content-Type")),
                                     .by = BY_UPSTREAM});
    upstream_refused(ret_refusal, head.status, str_of(a->host));
    return PARSED_ODD;
}

/* What there is of its answer. */
static enum parsed look(struct ask *a, struct client *c, struct str *ret_rest,
                        struct refusal *ret_refusal)
{
    enum parsed r;

    while ((r = http1_find_end(buf_str(&a->answer), &a->scanned, NULL)) == PARSED_DONE) {
        r = judge(a, c, ret_refusal);
        if (r != PARSED_MORE) {
            *ret_rest = str_skip(buf_str(&a->answer), a->scanned);
            return r;
        }
        buf_eat(&a->answer, a->scanned);
        a->scanned = 0;
    }
    return r == PARSED_ODD ? failed(a, ret_refusal, "did not answer in HTTP") : r;
}

enum parsed ask_read(struct ask *a, struct client *c, struct str *ret_rest,
                     struct refusal *ret_refusal)
{
    char *bytes = c->worker->scratch;
    enum parsed r;
    size_t n;

    side_flush(&c->server);
    while ((n = side_read(&c->server, bytes, READ_BYTES))) {
        buf_put(&a->answer, bytes, n);
        r = look(a, c, ret_rest, ret_refusal);
        if (r != PARSED_MORE)
            return r;
        if (a->answer.n >= HTTP1_HEAD_MAX)
            return failed(a, ret_refusal, "sent a head that is too long");
    }
    if (c->server.ended || c->server.error)
        return failed(a, ret_refusal, "closed the connection");
    return PARSED_MORE;
}
