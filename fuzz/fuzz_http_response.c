/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server's answer. The first byte says which method it answers. What is passed on must be read
 * by the device as it was read here.
 */
#include "sources/proxy/forward.h"
#include "wire/http1.h"

#include <assert.h>

static void check_forwarded(const struct http1_head *head, struct str method)
{
    struct http1_head again;
    struct buf out;
    size_t at = 0;

    buf_init(&out, BUF_UNBOUNDED);
    forward_response(&out, head, (struct response_form){.last = !head->persistent});
    assert(http1_find_end(buf_str(&out), &at, NULL) == PARSED_DONE && at == out.n);
    assert(http1_read_response(buf_str(&out), method, &again, NULL) == PARSED_DONE);
    assert(again.status == head->status && again.framing == head->framing);
    assert(again.length == head->length);
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str method = size && data[0] & 1 ? STR("HEAD") : STR("GET");
    struct str bytes = str_skip(str_from(data, size), 1);
    struct http1_head head;
    size_t at = 0;

    if (http1_find_end(bytes, &at, NULL) == PARSED_DONE &&
        http1_read_response(str_head(bytes, at), method, &head, NULL) == PARSED_DONE &&
        !forward_objects(&head))
        check_forwarded(&head, method);
    return 0;
}
