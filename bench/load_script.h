/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load_script: what a client says to a proxy, and to the origin through it, step by step.
 *
 * A step says something and then waits for its answer; the last may be said again and again on the
 * same connection. How the way to the origin is asked for (the first steps) and what is then done
 * there (the last) are rows in two tables.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum answer {
    ANSWER_BYTES,    /* so many, whatever they are */
    ANSWER_HEAD,     /* a response to CONNECT: 2xx, nothing after its blank line */
    ANSWER_RESPONSE, /* 200 and its body, by length or up to the end of the connection */
};

struct step {
    struct buf says;
    uint64_t filler_bytes; /* said after that; what they are does not matter */
    enum answer answer;
    uint64_t answer_bytes; /* ANSWER_BYTES */
};

enum { SCRIPT_STEPS = 4 };

struct script {
    struct step steps[SCRIPT_STEPS];
    unsigned n;
};

/* What follows the last step. */
enum then { THEN_REPEAT, THEN_CLOSE, THEN_HOLD };

struct mode {
    const char *name;
    unsigned at_once; /* connections that are at work at the same time */
    enum then then;
    bool is_bulk; /* bytes count, not acts: when its time is over it ends at once */
    void (*act)(struct script *script, struct str way, struct str target, uint64_t bytes);
};

const struct mode *script_mode(struct str name); /* NULL: none is called so */

/*
 * `way`: http, socks5, sni, or plain, in which nothing is asked for. `target`: HOST:PORT, as the
 * proxy is to know the origin. `bytes`: of bulk, on each connection.
 */
int script_init(struct script *script, const struct mode *mode, struct str way, struct str target,
                uint64_t bytes, struct err *err);
void script_finish(struct script *script);
