/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/message.h"

void message_init(struct message *m)
{
    *m = (struct message){0};
    buf_init(&m->bytes, HTTP1_HEAD_MAX);
}

void message_finish(struct message *m)
{
    buf_finish(&m->bytes);
}

void message_clear(struct message *m)
{
    struct buf bytes = m->bytes;

    buf_clear(&bytes);
    *m = (struct message){.bytes = bytes};
}

/* All of *bytes is looked at; what turns out to be behind the head is given back. */
static enum parsed read_head(struct message *m, struct str *bytes, const char *request_method)
{
    struct str more = *bytes;
    enum parsed parsed;
    const char *odd;

    buf_put_str(&m->bytes, more);
    if (m->bytes.full)
        return PARSED_ODD;
    parsed = http1_find_end(buf_str(&m->bytes), &m->looked, &odd);
    if (parsed == PARSED_MORE)
        *bytes = str_skip(more, more.n);
    if (parsed != PARSED_DONE)
        return parsed;
    *bytes = str_skip(more, more.n - (m->bytes.n - m->looked));
    m->bytes.n = m->looked;
    parsed = request_method
                 ? http1_read_response(buf_str(&m->bytes), str_of(request_method), &m->head, &odd)
                 : http1_read_request(buf_str(&m->bytes), &m->head, &odd);
    if (parsed != PARSED_DONE)
        return parsed;
    if (m->head.framing != HTTP1_LENGTH && m->head.framing != HTTP1_NO_BODY)
        return PARSED_ODD;
    m->has_head = true;
    m->body_left = m->head.framing == HTTP1_LENGTH ? m->head.length : 0;
    return PARSED_DONE;
}

enum parsed message_read(struct message *m, struct str *bytes, const char *request_method)
{
    if (!m->has_head) {
        enum parsed parsed = read_head(m, bytes, request_method);

        if (parsed != PARSED_DONE)
            return parsed;
    }

    uint64_t n = bytes->n < m->body_left ? bytes->n : m->body_left;

    *bytes = str_skip(*bytes, (size_t)n);
    m->body_left -= n;
    return m->body_left ? PARSED_MORE : PARSED_DONE;
}
