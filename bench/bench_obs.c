/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The codec alone: what a recording's rows cost before SQLite. */
#include "base/buf.h"
#include "bench/bench.h"
#include "obs/codec.h"

enum { ROUNDS = 10000 };

static const struct obs rows[] = {
    {.kind = OBS_FLOW_OPENED,
     .client = {"192.168.7.20:50123", 18},
     .host = {"login.microsoftonline.com", 25},
     .port = 443,
     .how = HOW_CONNECT},
    {.kind = OBS_TLS_HELLO, .sni = {"login.microsoftonline.com", 25}, .alpn = {"h2", 2}},
    {.kind = OBS_FLOW_PROGRESS, .bytes_up = 1234, .bytes_down = 5678901},
    {.kind = OBS_FLOW_CLOSED, .bytes_up = 1234, .bytes_down = 5678901, .why = WHY_UNKNOWN},
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

struct encoded {
    struct buf bytes[ROWS];
};

static uint64_t encode(void *ctx)
{
    struct encoded *e = ctx;

    for (unsigned i = 0; i < ROUNDS; i++)
        for (unsigned k = 0; k < ROWS; k++) {
            buf_clear(&e->bytes[k]);
            obs_encode_fields(&rows[k], &e->bytes[k]);
        }
    return ROUNDS * ROWS;
}

static uint64_t decode(void *ctx)
{
    struct encoded *e = ctx;
    struct obs o = {0};

    for (unsigned i = 0; i < ROUNDS; i++)
        for (unsigned k = 0; k < ROWS; k++) {
            o.kind = rows[k].kind;
            bench_keep(obs_decode_fields(buf_str(&e->bytes[k]), &o));
        }
    return ROUNDS * ROWS;
}

int main(void)
{
    struct encoded e = {0};

    for (unsigned k = 0; k < ROWS; k++)
        buf_init(&e.bytes[k], BUF_UNBOUNDED);
    bench_rate(&(struct bench){
        .name = "observations: encode", .unit = "observations/s", .work = encode, .ctx = &e});
    bench_rate(&(struct bench){
        .name = "observations: decode", .unit = "observations/s", .work = decode, .ctx = &e});
    for (unsigned k = 0; k < ROWS; k++)
        buf_finish(&e.bytes[k]);
    return 0;
}
