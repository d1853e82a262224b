/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whole imports: a file is read, recognised, sorted and its observations put into a stream. A log
 * of 100,000 lines is more than the sorter's batch, so what it spills is in the figure.
 */
#include "base/buf.h"
#include "bench/bench.h"
#include "obs/devices.h"
#include "sources/imports/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 100000, HAR_RECORDS = 20000 };

static void put_squid(struct buf *out, unsigned i)
{
    buf_printf(out,
               "%u.%03u %6u 192.0.2.%u TCP_TUNNEL/200 %u CONNECT host%u.events.data.example:443 - "
               "HIER_DIRECT/198.51.100.%u -\n",
               1752030357 + i / 100, i * 7 % 1000, i * 31 % 60000, i % 250, i, i % 1000, i % 250);
}

static void put_combined(struct buf *out, unsigned i)
{
    buf_printf(out,
               "192.0.2.%u - - [09/Jul/2025:03:%02u:%02u +0000] \"GET http://host%u.example/%u "
               "HTTP/1.1\" 200 %u \"-\" \"Microsoft-CryptoAPI/10.0\" TCP_MISS:HIER_DIRECT\n",
               i % 250, i / 6000 % 60, i / 100 % 60, i % 1000, i, i);
}

static void put_har(struct buf *out, unsigned i)
{
    buf_printf(out,
               "%s{\"startedDateTime\":\"2026-01-01T00:%02u:%02u.000Z\",\"time\":100,\"request\":"
               "{\"method\":\"GET\",\"url\":\"https://host%u.example/%u\",\"headers\":[{\"name\":"
               "\"User-Agent\",\"value\":\"Edge\"}],\"headersSize\":200,\"bodySize\":0},"
               "\"response\":{\"status\":200,\"content\":{\"size\":9,\"mimeType\":\"text/html\"},"
               "\"headersSize\":100,\"bodySize\":50},\"timings\":{\"dns\":10,\"connect\":20,"
               "\"send\":1,\"wait\":60,\"receive\":8},\"serverIPAddress\":\"198.51.100.%u\"}",
               i ? "," : "{\"log\":{\"entries\":[", i / 600 % 60, i / 10 % 60, i % 1000, i,
               i % 250);
}

static void put_ndjson(struct buf *out, unsigned i)
{
    buf_printf(out,
               "{\"seq\":%u,\"at_us\":%u,\"kind\":\"flow-progress\",\"source\":\"proxy\",\"device\""
               ":%u,\"flow\":%u,\"bytes_up\":%u,\"bytes_down\":%u}\n",
               i + 1, i * 100, i % 250 + 1, i / 10 + 1, i, i * 3);
}

/* A file of n records, without a name once the program ends. */
static char *write_file(void (*put)(struct buf *out, unsigned i), unsigned n, const char *end)
{
    char *path = strdup("/tmp/flightstrip-bench-XXXXXX");
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    struct buf out;

    if (!f) {
        perror(path);
        exit(1);
    }
    buf_init(&out, BUF_UNBOUNDED);
    for (unsigned i = 0; i < n; i++) {
        put(&out, i);
        fwrite(out.p, 1, out.n, f);
        buf_clear(&out);
    }
    fputs(end, f);
    fclose(f);
    buf_finish(&out);
    return path;
}

static void count(void *ctx, const struct obs *o)
{
    (void)ctx;
    bench_keep(o->at_us);
}

static uint64_t import(void *path)
{
    struct import *i = NULL;
    struct import_report report;
    struct stream stream;
    struct devices devices;
    struct err err;

    stream_init(&stream, NULL);
    stream_add_sink(&stream, count, NULL);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    if (import_open(path, NULL, &i, &report, &err) || import_emit(i, &stream, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    import_close(i);
    devices_finish(&devices);
    return report.records;
}

int main(void)
{
    static const struct {
        const char *name, *unit, *end;
        void (*put)(struct buf *out, unsigned i);
        unsigned n;
    } cases[] = {
        {"imports: Squid access log", "lines/s", "", put_squid, RECORDS},
        {"imports: combined access log", "lines/s", "", put_combined, RECORDS},
        {"imports: HAR", "entries/s", "]}}", put_har, HAR_RECORDS},
        {"imports: NDJSON of observations", "lines/s", "", put_ndjson, RECORDS},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = write_file(cases[i].put, cases[i].n, cases[i].end);

        bench_rate(&(struct bench){
            .name = cases[i].name, .unit = cases[i].unit, .work = import, .ctx = path});
        unlink(path);
        free(path);
    }
    return 0;
}
