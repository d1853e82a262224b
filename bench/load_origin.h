/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load_origin: the server behind every proxy that is measured.
 *
 * It listens on one port of ORIGIN_ADDRESSES loopback addresses, 127.0.0.1 and those after it, so
 * that what one proxy's connections leave behind in the kernel is not in the way of another's. The
 * first bytes say what a client wants:
 *
 *     GET …, up to a blank line    a response of 1 KiB; the connection stays
 *     a TLS record (ClientHello)   PONG
 *     PING                         PONG
 *     DOWN and 12 digits           that many bytes
 *     UPUP and 12 digits           that many bytes follow; then it answers DONE
 */
#pragma once

#include <stdint.h>

enum {
    ORIGIN_ADDRESSES = 32,
    ORIGIN_BODY_BYTES = 1024,
    ORIGIN_ORDER_BYTES = 16, /* DOWN or UPUP with its digits */
    ORIGIN_ANSWER_BYTES = 4, /* PONG, DONE */
};

/* Lives as long as the process. Ends it, with a sentence, when it cannot listen. */
uint16_t origin_listen(int poll_fd);
