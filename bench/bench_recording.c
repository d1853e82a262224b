/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recording: what appending costs, with the writer's thread and the closing of the file, how
 * much disk an observation takes, and how fast it is read back. The observations are a mix as a
 * proxy emits it: most flows are tunnels, some plain HTTP; a tunnel lives for a few seconds and is
 * observed while it moves bytes.
 */
#include "bench/bench.h"
#include "store/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLOWS = 50000, DEVICES = 20, HOSTS = 12 };

static const char *const hosts[HOSTS] = {
    "login.live.com",
    "ztd.dds.microsoft.com",
    "login.microsoftonline.com",
    "v10.events.data.microsoft.com",
    "fe2cr.update.microsoft.com",
    "enterpriseregistration.windows.net",
    "r.manage.microsoft.com",
    "fef.msua01.manage.microsoft.com",
    "officecdn.microsoft.com.edgesuite.net",
    "kv801.prod.do.dsp.mp.microsoft.com",
    "client.wns.windows.com",
    "ctldl.windowsupdate.com",
};

struct run {
    char dir[64], path[96];
    uint64_t count; /* observations in it */
    struct stream stream;
};

static void die(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(2);
}

static void emit(struct run *r, uint64_t flow, struct obs o)
{
    o.flow = flow;
    o.device = (uint32_t)(flow % DEVICES) + 1;
    o.source = SOURCE_PROXY;
    o.at_us = r->stream.last_us + 997;
    stream_put(&r->stream, &o);
}

static void emit_tunnel(struct run *r, uint64_t flow, struct str client, struct str host)
{
    struct str addresses = STR("203.0.113.17 203.0.113.18"), address = STR("203.0.113.17");

    emit(r, flow,
         (struct obs){.kind = OBS_FLOW_OPENED,
                      .client = client,
                      .host = host,
                      .port = 443,
                      .how = HOW_CONNECT});
    emit(r, flow, (struct obs){.kind = OBS_NAME_RESOLVED, .addresses = addresses, .ms = 12});
    emit(r, flow, (struct obs){.kind = OBS_CONNECTED, .address = address, .port = 443, .ms = 21});
    emit(r, flow,
         (struct obs){.kind = OBS_TLS_HELLO,
                      .sni = host,
                      .alpn = STR("h2,http/1.1"),
                      .tls_versions = STR("1.3,1.2"),
                      .length = 517});
    for (uint64_t i = 1; i <= flow % 8; i++)
        emit(r, flow,
             (struct obs){
                 .kind = OBS_FLOW_PROGRESS, .bytes_up = 1900 * i, .bytes_down = 250000 * i});
    emit(r, flow,
         (struct obs){.kind = OBS_FLOW_CLOSED,
                      .bytes_up = 16200,
                      .bytes_down = 2100345,
                      .why = WHY_DEVICE_CLOSED});
}

static void emit_http(struct run *r, uint64_t flow, struct str client, struct str host)
{
    char url[160];

    snprintf(url, sizeof(url), "http://%s/filestreamingservice/files/%08x-1c2d-4e5f", host.p,
             (unsigned)flow * 2654435761u);
    emit(r, flow,
         (struct obs){.kind = OBS_FLOW_OPENED,
                      .client = client,
                      .host = host,
                      .port = 80,
                      .how = HOW_ABSOLUTE});
    emit(r, flow,
         (struct obs){.kind = OBS_HTTP_REQUEST,
                      .method = STR("GET"),
                      .url = str_of(url),
                      .host = host,
                      .user_agent = STR("Microsoft-Delivery-Optimization/10.0")});
    emit(r, flow,
         (struct obs){.kind = OBS_HTTP_RESPONSE,
                      .status = 206,
                      .content_type = STR("application/octet-stream"),
                      .length = 1048576,
                      .ms = 84});
    emit(r, flow,
         (struct obs){
             .kind = OBS_FLOW_CLOSED, .bytes_up = 412, .bytes_down = 1049012, .why = WHY_FINISHED});
}

static void start_over(void *ctx)
{
    struct run *r = ctx;

    unlink(r->path);
}

static uint64_t append(void *ctx)
{
    struct run *r = ctx;
    struct recorder *recorder = NULL;
    struct recording_state state;
    struct err err;
    char client[32];

    if (recorder_open(r->path, 1, &recorder, &state, &err) < 0)
        die(&err);
    stream_init(&r->stream, NULL);
    stream_add_sink(&r->stream, recorder_put, recorder);
    for (uint64_t flow = 1; flow <= FLOWS; flow++) {
        struct str host = str_of(hosts[flow % HOSTS]);

        snprintf(client, sizeof(client), "192.168.7.%u:%u", (unsigned)(flow % DEVICES) + 20,
                 49152 + (unsigned)(flow % 16384));
        if (flow % 6)
            emit_tunnel(r, flow, str_of(client), host);
        else
            emit_http(r, flow, str_of(client), host);
    }
    if (recorder_close(recorder, &err) < 0)
        die(&err);
    r->count = r->stream.last_seq;
    return r->count;
}

static bool take(void *ctx, const struct obs *o)
{
    uint64_t *count = ctx;

    bench_keep(o->bytes_down);
    ++*count;
    return true;
}

static uint64_t replay(void *ctx)
{
    struct run *r = ctx;
    struct recording *recording = NULL;
    uint64_t count = 0, damaged = 0;
    struct err err;

    if (recording_open(r->path, &recording, &err) < 0 ||
        recording_replay(recording, 0, take, &count, &damaged, &err) < 0)
        die(&err);
    recording_close(recording);
    return count;
}

int main(void)
{
    struct run r = {.dir = "/tmp/flightstrip-bench-XXXXXX"};
    struct stat st;

    if (!mkdtemp(r.dir)) {
        perror(r.dir);
        return 2;
    }
    snprintf(r.path, sizeof(r.path), "%s/bench.flight", r.dir);
    bench_rate(&(struct bench){.name = "recording: append",
                               .unit = "observations/s",
                               .aim = 300000,
                               .prepare = start_over,
                               .work = append,
                               .ctx = &r});
    stat(r.path, &st);
    bench_figure("recording: size on disk", "bytes each", (double)st.st_size / (double)r.count, 80);
    bench_rate(&(struct bench){.name = "recording: replay",
                               .unit = "observations/s",
                               .aim = 1000000,
                               .work = replay,
                               .ctx = &r});
    unlink(r.path);
    rmdir(r.dir);
    return 0;
}
