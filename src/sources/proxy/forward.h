/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forward: heads as they are passed on. Fields that belong to one connection are taken out (RFC
 * 9110, section 7.6.1), no Via is put in, everything else stays as it was, in its order. Bodies
 * keep their framing, so Transfer-Encoding and Trailer stay too.
 */
#pragma once

#include "base/buf.h"
#include "base/url.h"
#include "wire/http1.h"

struct upstream;

/* NULL, or why this head cannot be passed on without changing what its body is. */
const char *forward_objects(const struct http1_head *head);

/* Whether to pass on that the device asks for another protocol. HTTP/2 is not offered that way. */
bool forward_upgrades(const struct http1_head *request);

/*
 * TRACE and OPTIONS may say how many may pass them on (Max-Forwards; RFC 9110, section 7.6.2); each
 * takes one off. True: nobody any more, so the request is answered here.
 */
bool forward_ends_here(const struct http1_head *request);

/*
 * To the origin in origin-form with the URL's own Host (RFC 9112, section 3.2.2), to an upstream
 * proxy in absolute-form, with what it wants to know of us.
 */
void forward_request(struct buf *out, const struct http1_head *head, const struct url *url,
                     const struct upstream *upstream);

struct response_form {
    bool last;     /* the connection to the device ends after it */
    bool unframed; /* its chunks are taken apart, for a device that does not know them */
};

void forward_response(struct buf *out, const struct http1_head *head, struct response_form form);
