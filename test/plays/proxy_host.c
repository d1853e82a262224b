/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_host [--connect-to RULE]… : the proxy alone, for plays. The first line on standard output
 * is the port it listens on; each further line is an observation. It ends when standard input does.
 */
#include "base/auto.h"
#include "obs/codec.h"
#include "sources/proxy/proxy.h"

#include <string.h>

static void print(void *ctx, const struct obs *o)
{
    struct buf line;
    struct json j;

    (void)ctx;
    buf_init(&line, BUF_UNBOUNDED);
    json_init(&j, &line, false);
    obs_put_json(&j, o);
    buf_put_byte(&line, '\n');
    fwrite(line.p, 1, line.n, stdout);
    fflush(stdout);
    buf_finish(&line);
}

static void input_ended(void *ctx, unsigned events)
{
    char bytes[64];

    (void)events;
    if (read(STDIN_FILENO, bytes, sizeof bytes) <= 0)
        loop_stop(ctx);
}

int main(int argc, char **argv)
{
    const char *const listen[] = {"0"};
    struct proxy_options options = {.listen = listen, .listen_count = 1, .threads = 2};
    const char *rules[64];
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct proxy *proxy;
    struct err err;

    for (int i = 1; i + 1 < argc && options.connect_to_count < 64; i += 2)
        if (strcmp(argv[i], "--connect-to") == 0)
            rules[options.connect_to_count++] = argv[i + 1];
    options.connect_to = rules;

    clock_init_real(&clock);
    if (loop_create(&clock, &loop, &err) < 0)
        goto fail;
    stream_init(&stream, &clock);
    stream_add_sink(&stream, print, NULL);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    stream_use_devices(&stream, &devices);
    if (proxy_create(loop, &stream, &devices, &options, &proxy, &err) < 0)
        goto fail;
    printf("%u\n", proxy_port(proxy, 0));
    fflush(stdout);

    struct loop_fd input = {
        .fd = STDIN_FILENO, .events = LOOP_READ, .ready = input_ended, .ctx = loop};
    loop_add_fd(loop, &input);
    loop_run(loop);
    proxy_destroy(proxy);
    loop_destroy(loop);
    devices_finish(&devices);
    return 0;

fail:
    fprintf(stderr, "proxy_host: %s\n", err.text);
    return 1;
}
