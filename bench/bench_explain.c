/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The explainer over ten hours of a busy device with the shipped rules: observations a second, and
 * the memory that a device takes at the end.
 */
#include "base/arena.h"
#include "bench/bench.h"
#include "cmd/knowledge_files.h"
#include "explain/explainer.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLOWS = 20000, PROGRESS = 12, HOURS = 10 };

static const char *const hosts[] = {
    "login.live.com",
    "ztd.dds.microsoft.com",
    "login.microsoftonline.com",
    "aadcdn.msauth.net",
    "r.manage.microsoft.com",
    "fef.msua01.manage.microsoft.com",
    "officecdn.microsoft.com",
    "cp601-prod.do.dsp.mp.microsoft.com",
    "v10.events.data.microsoft.com",
    "ctldl.windowsupdate.com",
    "teams.microsoft.com",
    "www.example.org",
    "client.wns.windows.com",
    "www.bing.com",
    "swda01-mscdn.manage.microsoft.com",
};

struct run {
    struct knowledge *knowledge;
    struct explainer *explainer;
};

static void prepare(void *ctx)
{
    struct run *run = ctx;

    explainer_destroy(run->explainer);
    run->explainer = explainer_create(run->knowledge);
}

static uint64_t explain(void *ctx)
{
    struct run *run = ctx;
    uint64_t seq = 0, step_us = HOURS * 3600000000ull / (FLOWS * (PROGRESS + 5));
    struct obs o = {.device = 1, .source = SOURCE_PROXY};

    for (uint64_t flow = 1; flow <= FLOWS; flow++) {
        struct str host = str_of(hosts[flow * 7 % (sizeof hosts / sizeof *hosts)]);
        const struct obs seen[] = {
            {.kind = OBS_FLOW_OPENED, .host = host, .port = 443, .how = HOW_CONNECT},
            {.kind = OBS_CONNECTED, .ms = 20},
            {.kind = OBS_TLS_HELLO, .sni = host, .length = 517},
            {.kind = OBS_TLS_ANSWER},
            {.kind = OBS_FLOW_CLOSED,
             .bytes_up = 9000,
             .bytes_down = 600000,
             .why = WHY_DEVICE_CLOSED},
        };
        unsigned last = sizeof seen / sizeof *seen - 1;

        for (unsigned i = 0; i <= last; i++) {
            for (unsigned k = 1; i == last && k <= PROGRESS; k++) {
                o = (struct obs){
                    .kind = OBS_FLOW_PROGRESS, .bytes_up = k * 700, .bytes_down = k * 50000};
                o.flow = flow, o.device = 1, o.source = SOURCE_PROXY, o.seq = ++seq,
                o.at_us = seq * step_us;
                explainer_put(run->explainer, &o);
            }
            o = seen[i];
            o.flow = flow, o.device = 1, o.source = SOURCE_PROXY, o.seq = ++seq,
            o.at_us = seq * step_us;
            explainer_put(run->explainer, &o);
        }
    }
    return seq;
}

int main(void)
{
    struct run run = {0};
    struct err err;

    if (knowledge_load(NULL, 0, &run.knowledge, &err) < 0) {
        fprintf(stderr, "bench_explain: %s\n", err.text);
        return 2;
    }
    bench_rate(&(struct bench){.name = "explain: ten hours of one device",
                               .unit = "observations/s",
                               .aim = 1000000,
                               .prepare = prepare,
                               .work = explain,
                               .ctx = &run});

    /* What the explainer holds after all of it: it may not grow with the length of the stream. */
    prepare(&run);
    size_t before = mallinfo2().uordblks;
    explain(&run);
    bench_figure("explain: held after ten hours", "bytes", (double)(mallinfo2().uordblks - before),
                 1 << 20);
    explainer_destroy(run.explainer);
    knowledge_destroy(run.knowledge);
    return 0;
}
