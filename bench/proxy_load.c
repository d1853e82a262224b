/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_load: clients and origin for a proxy that is to be measured, in one thread.
 *
 * It prints the origin's port, then reads orders from standard input, one a line, and prints what
 * came of each as a line of JSON:
 *
 *     MODE WAY PROXY:PORT HOST:PORT COUNT SECONDS [BYTES [AT-ONCE]]
 *     get http 127.0.0.1:3128 127.0.0.1:41213 100000 5
 *
 *     get      COUNT requests for 1 KiB over kept connections, 64 at once
 *     connect  COUNT tunnels, 64 at once: 4 bytes each way, then the client closes
 *     down, up COUNT tunnels, 8 at once, with BYTES in each
 *     idle     COUNT tunnels that stay open until the next order, which may be `end`
 *
 * WAY is how PROXY is asked for HOST: http, socks5, sni (a ClientHello and nothing before it), or
 * plain, which asks for nothing: for a relay, or for the origin itself. SECONDS is the most that an
 * order may take. Only loopback addresses are connected to. It ends with its input.
 */
#include "base/json.h"
#include "bench/load_origin.h"
#include "bench/load_run.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 1024, SECONDS_MOST = 600, AT_ONCE_MOST = 4096, ROUND_MS = 100 };

static const uint64_t BYTES_MOST = 999999999999; /* twelve digits */

struct load {
    struct watch watch; /* of standard input */
    int poll_fd;
    bool ended;
    size_t n;
    char line[LINE_BYTES]; /* what was read of it */
    struct script script;
    struct run_order order;
    struct run *run;
    bool reported; /* the run is over and only holds its connections */
};

/* Orders */

static int read_address(struct str text, struct sockaddr_in *ret_address, struct err *err)
{
    struct str port_text = text, host = str_cut(&port_text, ':');
    char host_text[INET_ADDRSTRLEN];
    struct sockaddr_in address = {.sin_family = AF_INET};
    uint64_t port;

    snprintf(host_text, sizeof host_text, STR_FMT, STR_ARG(host));
    if (!str_to_u64(port_text, &port) || !port || port > UINT16_MAX ||
        inet_pton(AF_INET, host_text, &address.sin_addr) != 1)
        return err_set(err, -EINVAL, "not an address and port: " STR_FMT, STR_ARG(text));
    if (ntohl(address.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        return err_set(err, -EINVAL, STR_FMT " is not on this machine", STR_ARG(host));
    address.sin_port = htons((uint16_t)port);
    *ret_address = address;
    return 0;
}

static int read_number(struct str *rest, const char *name, uint64_t least, uint64_t most,
                       uint64_t *ret_value, struct err *err)
{
    struct str word = str_word(rest);
    uint64_t value = 0;

    if ((word.n && !str_to_u64(word, &value)) || value < least || value > most)
        return err_set(err, -EINVAL, "%s is not a number from %llu to %llu: " STR_FMT, name,
                       (unsigned long long)least, (unsigned long long)most, STR_ARG(word));
    *ret_value = value;
    return 0;
}

static int read_order(struct load *load, struct str line, struct err *err)
{
    struct str name = str_word(&line), way = str_word(&line), proxy = str_word(&line);
    struct str target = str_word(&line);
    struct run_order *order = &load->order;
    uint64_t seconds = 0, bytes = 0;
    int r;

    *order = (struct run_order){.mode = script_mode(name), .script = &load->script};
    if (!order->mode)
        return err_set(err, -EINVAL, "no mode is called " STR_FMT, STR_ARG(name));
    if ((r = read_address(proxy, &order->proxy, err)) < 0 ||
        (r = read_number(&line, "COUNT", 1,
                         order->mode->then == THEN_HOLD ? RUN_HELD_MOST : RUN_WANTED_MOST,
                         &order->wanted, err)) < 0 ||
        (r = read_number(&line, "SECONDS", 1, SECONDS_MOST, &seconds, err)) < 0 ||
        (r = read_number(&line, "BYTES", 0, BYTES_MOST, &bytes, err)) < 0 ||
        (r = read_number(&line, "AT-ONCE", 0, AT_ONCE_MOST, &order->at_once, err)) < 0)
        return r;
    order->most_us = seconds * 1000000;
    return script_init(&load->script, order->mode, way, target, bytes, err);
}

/* Reports */

static void print_json(struct buf *out)
{
    buf_put_byte(out, '\n');
    fwrite(out->p, 1, out->n, stdout);
    fflush(stdout);
    buf_finish(out);
}

static void report_word(const char *key, const char *value)
{
    struct buf out;
    struct json j;

    buf_init(&out, BUF_UNBOUNDED);
    json_init(&j, &out, false);
    json_object(&j);
    json_key(&j, key);
    json_cstr(&j, value);
    json_end(&j);
    print_json(&out);
}

static void report_run(const struct load *load)
{
    struct run_result result;
    struct buf out;
    struct json j;

    run_result(load->run, &result);
    const struct {
        const char *key;
        uint64_t value;
    } figures[] = {
        {"done", result.done},         {"failed", result.failed}, {"unfinished", result.unfinished},
        {"reopened", result.reopened}, {"bytes", result.bytes},   {"took_us", result.took_us},
        {"p50_us", result.p50_us},     {"p99_us", result.p99_us},
    };
    buf_init(&out, BUF_UNBOUNDED);
    json_init(&j, &out, false);
    json_object(&j);
    json_key(&j, "mode");
    json_cstr(&j, load->order.mode->name);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        json_key(&j, figures[i].key);
        json_u64(&j, figures[i].value);
    }
    if (*result.trouble) {
        json_key(&j, "trouble");
        json_cstr(&j, result.trouble);
    }
    json_end(&j);
    print_json(&out);
}

/* The life of a run */

static void end_run(struct load *load)
{
    run_destroy(load->run);
    script_finish(&load->script);
    load->run = NULL;
}

static void begin_run(struct load *load, struct str line)
{
    struct err err;

    end_run(load);
    if (str_eq(line, STR("end"))) {
        report_word("mode", "end");
        return;
    }
    if (read_order(load, line, &err) < 0) {
        report_word("error", err.text);
        return;
    }
    load->reported = false;
    load->run = run_create(load->poll_fd, &load->order);
}

static void look_at_run(struct load *load)
{
    if (!load->run || load->reported || !run_is_over(load->run))
        return;
    report_run(load);
    load->reported = true;
    if (load->order.mode->then != THEN_HOLD)
        end_run(load);
}

static void on_input(struct watch *watch, uint32_t events)
{
    struct load *load = (struct load *)watch;
    ssize_t n = read(STDIN_FILENO, load->line + load->n, LINE_BYTES - load->n);

    (void)events;
    if (n > 0)
        load->n += (size_t)n;
    load->ended = n <= 0 || load->n == LINE_BYTES;
    if (load->ended)
        close(STDIN_FILENO); /* else it would be ready for ever */
}

/* Outside of rounds, since an order closes connections that a round may still hold. */
static void look_at_input(struct load *load)
{
    struct str rest = str_from(load->line, load->n);
    size_t line_n = str_find(rest, '\n');

    if (line_n == rest.n || (load->run && !load->reported))
        return;
    begin_run(load, str_trim(str_head(rest, line_n)));
    rest = str_skip(rest, line_n + 1);
    memmove(load->line, rest.p, rest.n);
    load->n = rest.n;
}

int main(void)
{
    struct load load = {.watch.ready = on_input, .poll_fd = poll_create()};

    signal(SIGPIPE, SIG_IGN);
    printf("%u\n", origin_listen(load.poll_fd));
    fflush(stdout);
    poll_add(load.poll_fd, STDIN_FILENO, EPOLLIN, &load.watch);
    while (!load.ended || load.run || load.n) {
        poll_round(load.poll_fd, ROUND_MS);
        look_at_run(&load);
        look_at_input(&load);
        load.n = load.ended && !memchr(load.line, '\n', load.n) ? 0 : load.n;
        if (load.ended && load.reported)
            end_run(&load);
    }
    end_run(&load);
    close(load.poll_fd);
    return 0;
}
