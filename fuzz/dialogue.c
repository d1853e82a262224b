/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/dialogue.h"

#include "base/reader.h"
#include "base/xalloc.h"
#include "wire/http1.h"

#include <stdlib.h>
#include <string.h>

/* Reads one body off the front of *rest. */
static enum parsed read_body(struct str *rest, const struct http1_head *head)
{
    struct http1_body body;
    size_t taken, kept;
    char *copy;
    enum parsed r;

    if (head->framing == HTTP1_NO_BODY)
        return PARSED_DONE;
    copy = xalloc(rest->n);
    if (rest->n)
        memcpy(copy, rest->p, rest->n);
    http1_body_init(&body, head);
    r = http1_body_take(&body, copy, rest->n, &taken, &kept);
    free(copy);
    *rest = str_skip(*rest, taken);
    return r;
}

/* Reads one request off the front of *rest; *ret_head is good when its head was whole. */
static enum parsed read_request(struct str *rest, struct http1_head *ret_head, const char **ret_odd)
{
    size_t at = 0;
    enum parsed r = http1_find_end(*rest, &at, ret_odd);

    *ret_head = (struct http1_head){0};
    if (r == PARSED_DONE)
        r = http1_read_request(str_head(*rest, at), ret_head, ret_odd);
    if (r != PARSED_DONE)
        return r;
    *rest = str_skip(*rest, at);
    r = read_body(rest, ret_head);
    if (r == PARSED_ODD)
        *ret_odd = "a malformed chunk";
    return r;
}

/* The same for the final response; those before it (100 Continue) are read past. */
static enum parsed read_response(struct str *rest, struct str method, struct http1_head *ret_head,
                                 const char **ret_odd)
{
    enum parsed r;

    *ret_head = (struct http1_head){0};
    do {
        size_t at = 0;

        r = http1_find_end(*rest, &at, ret_odd);
        if (r == PARSED_DONE)
            r = http1_read_response(str_head(*rest, at), method, ret_head, ret_odd);
        if (r != PARSED_DONE)
            return r;
        *rest = str_skip(*rest, at);
    } while (ret_head->status < 200 && ret_head->status != 101);
    r = read_body(rest, ret_head);
    if (r == PARSED_ODD)
        *ret_odd = "a malformed chunk";
    return r;
}

static bool opens_tunnel(const struct http1_head *request, const struct http1_head *response)
{
    if (response->status == 101)
        return true;
    return str_eq(request->method, STR("CONNECT")) && response->status / 100 == 2;
}

static struct str skip_empty_lines(struct str s)
{
    while (str_starts(s, STR("\r\n")))
        s = str_skip(s, 2);
    return s;
}

struct dialogue dialogue_read_http(struct str asked, struct str answered)
{
    struct dialogue d = {0};
    struct str up = skip_empty_lines(asked), down = answered;
    enum parsed request_end = PARSED_DONE, response_end = PARSED_DONE;

    while (up.n && request_end == PARSED_DONE && response_end == PARSED_DONE && !d.tunnels) {
        struct http1_head request, response;

        d.requests++;
        request_end = read_request(&up, &request, &d.odd_request);
        d.up_at = asked.n - up.n;
        d.asks_tunnel = request_end == PARSED_DONE &&
                        (str_eq(request.method, STR("CONNECT")) || request.upgrade);
        response_end = read_response(&down, request.method, &response, &d.odd_response);
        d.down_at = answered.n - down.n;
        d.tunnels = response_end == PARSED_DONE && opens_tunnel(&request, &response);
        d.responses += response_end == PARSED_DONE;
        up = skip_empty_lines(up);
    }
    d.unasked = down.n && response_end == PARSED_DONE && !d.tunnels;
    return d;
}

/* RFC 1928, section 4 and 6; the address that ends a request or a reply. */
static void skip_address(struct reader *r)
{
    switch (reader_u8(r)) {
    case 1:
        reader_take(r, 4);
        break;
    case 3:
        reader_take(r, reader_u8(r));
        break;
    case 4:
        reader_take(r, 16);
        break;
    default:
        r->bad = true;
    }
    reader_take(r, 2);
}

/* RFC 1929: a name and a password, when the greeting's answer wants them. */
static void skip_credentials(struct reader *up, struct reader *down)
{
    reader_u8(up);
    reader_take(up, reader_u8(up));
    reader_take(up, reader_u8(up));
    reader_take(down, 2);
}

static struct dialogue read_socks(struct str asked, struct str answered)
{
    struct reader up = reader_of(skip_empty_lines(asked)), down = reader_of(answered);
    struct dialogue d = {.requests = 1};
    uint8_t reply;

    reader_u8(&up);
    reader_take(&up, reader_u8(&up));
    reader_u8(&down);
    if (reader_u8(&down) == 2)
        skip_credentials(&up, &down);
    reader_take(&up, 3);
    skip_address(&up);
    d.asks_tunnel = !up.bad;
    d.up_at = asked.n - up.rest.n;

    reader_u8(&down);
    reply = reader_u8(&down);
    reader_u8(&down);
    skip_address(&down);
    d.responses = !down.bad;
    d.tunnels = d.asks_tunnel && !down.bad && reply == 0;
    d.down_at = answered.n - down.rest.n;
    return d;
}

/* SOCKS 4 is not served: whatever is asked, one refusal answers it, and nothing comes behind. */
static struct dialogue read_old_socks(struct str answered)
{
    static const struct str refusal = STR("\x00\x5b\x00\x00\x00\x00\x00\x00");
    struct dialogue d = {.requests = 1};

    if (!str_starts(refusal, str_head(answered, refusal.n)))
        d.odd_response = "not the refusal of SOCKS 4";
    d.responses = answered.n >= refusal.n;
    d.unasked = answered.n > refusal.n;
    return d;
}

struct dialogue dialogue_read(struct str asked, struct str answered)
{
    struct str first = str_head(skip_empty_lines(asked), 1);

    if (str_eq(first, STR("\x05")))
        return read_socks(asked, answered);
    if (str_eq(first, STR("\x04")))
        return read_old_socks(answered);
    return dialogue_read_http(asked, answered);
}
