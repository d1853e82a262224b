/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that is told is read once, into a struct now; then one writer walks the table of metrics. So
 * the values of a page belong together, and a metric is a row and a function of one line.
 *
 * The format is written without escapes: no name, help or label comes from outside.
 */
#include "serve/metrics.h"

#include "serve/process.h"

#include <inttypes.h>

struct now {
    struct counters proxy;
    struct process_use process;
    uint64_t began_wall_us, observations, committed, lost, devices;
    bool trouble;
};

/* The second argument is the index of the word, where a metric has one value a word. */
typedef uint64_t read_metric(const struct now *now, unsigned word);

enum metric_type { COUNTER, GAUGE };

struct metric {
    const char *name, *help;
    enum metric_type type;
    read_metric *read;
    bool in_millionths; /* what is read, of what is told */
    const char *label;  /* NULL: one value */
    const struct word_info *words;
    unsigned word_count;
};

/* --- how each is read --- */

static uint64_t one(const struct now *now, unsigned word)
{
    (void)now;
    (void)word;
    return 1;
}

#define READ(name, expression)                                                                     \
    static uint64_t name(const struct now *now, unsigned word)                                     \
    {                                                                                              \
        (void)word;                                                                                \
        return (expression);                                                                       \
    }

READ(flows_opened, counter_get(&now->proxy.opened[word]))
READ(flows_closed, counter_get(&now->proxy.closed[word]))
READ(flows_open, counters_flows_open(&now->proxy, word))
READ(bytes_up, counter_get(&now->proxy.bytes_up))
READ(bytes_down, counter_get(&now->proxy.bytes_down))
READ(clients_now, counters_clients_now(&now->proxy))
READ(clients_came, counter_get(&now->proxy.clients_came))
READ(accept_pauses, counter_get(&now->proxy.accept_pauses))
READ(connects, counter_get(&now->proxy.connects))
READ(connects_failed, counter_get(&now->proxy.connects_failed))
READ(names_failed, counter_get(&now->proxy.names_failed))
READ(devices, now->devices)
READ(observations, now->observations)
READ(committed, now->committed)
READ(lost, now->lost)
READ(trouble, now->trouble)
READ(cpu_us, now->process.cpu_us)
READ(resident_bytes, now->process.resident_bytes)
READ(virtual_bytes, now->process.virtual_bytes)
READ(open_fds, now->process.open_fds)
READ(max_fds, now->process.max_fds)
READ(began_us, now->began_wall_us)

/* --- the table --- */

static const struct word_info version = {.name = FLIGHTSTRIP_VERSION};

/* clang-format off */
#define BY_HOW .label = "how", .words = obs_hows, .word_count = HOW_COUNT
#define BY_WHY .label = "why", .words = obs_whys, .word_count = WHY_COUNT

static const struct metric metrics[] = {
    {"flightstrip_build_info", "The program's version; the value is always 1.", GAUGE, one,
     .label = "version", .words = &version, .word_count = 1},

    {"flightstrip_flows_opened_total", "Flows that were opened, by how they came.", COUNTER,
     flows_opened, BY_HOW},
    {"flightstrip_flows_closed_total", "Flows that ended, by why.", COUNTER, flows_closed, BY_WHY},
    {"flightstrip_flows_open", "Flows that are open now, by how they came.", GAUGE, flows_open,
     BY_HOW},
    {"flightstrip_up_bytes_total", "Bytes of flows that came from devices.", COUNTER, bytes_up},
    {"flightstrip_down_bytes_total", "Bytes of flows that came from servers.", COUNTER, bytes_down},
    {"flightstrip_clients_total", "Connections that devices made to the proxy.", COUNTER,
     clients_came},
    {"flightstrip_clients", "Connections of devices to the proxy now.", GAUGE, clients_now},
    {"flightstrip_accept_pauses_total",
     "Times that the proxy stopped taking connections, for want of descriptors, memory or room.",
     COUNTER, accept_pauses},
    {"flightstrip_connects_total", "Flows for which the server was reached.", COUNTER, connects},
    {"flightstrip_connects_failed_total", "Flows for which the server could not be reached.",
     COUNTER, connects_failed},
    {"flightstrip_names_failed_total", "Flows whose host's name could not be resolved.", COUNTER,
     names_failed},
    {"flightstrip_devices", "Devices that the recording knows.", GAUGE, devices},

    {"flightstrip_observations_total",
     "Observations of the recording, with those of before it was continued.", COUNTER,
     observations},
    {"flightstrip_observations_committed_total",
     "The number of the last observation up to which all is in the file.", COUNTER, committed},
    {"flightstrip_observations_lost_total", "Observations that could not be written.", COUNTER,
     lost},
    {"flightstrip_recorder_trouble", "1 while the recording cannot be written, else 0.", GAUGE,
     trouble},

    {"process_cpu_seconds_total", "Processor time, of user and system.", COUNTER, cpu_us,
     .in_millionths = true},
    {"process_resident_memory_bytes", "Memory that is in RAM.", GAUGE, resident_bytes},
    {"process_virtual_memory_bytes", "Memory that has addresses.", GAUGE, virtual_bytes},
    {"process_open_fds", "Descriptors that are open.", GAUGE, open_fds},
    {"process_max_fds", "Descriptors that may be open.", GAUGE, max_fds},
    {"process_start_time_seconds", "When the process began, since 1970 UTC.", GAUGE, began_us,
     .in_millionths = true},
};
/* clang-format on */

/* --- the writer --- */

static void put_value(struct buf *out, const struct metric *m, uint64_t value)
{
    if (m->in_millionths)
        buf_printf(out, " %" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
    else
        buf_printf(out, " %" PRIu64 "\n", value);
}

/* A label that is empty is as none: the word that says nothing needs one that does. */
static const char *word_of(const struct metric *m, unsigned word)
{
    return m->words[word].name[0] ? m->words[word].name : "none";
}

static void put_metric(struct buf *out, const struct metric *m, const struct now *now)
{
    static const char *const types[] = {[COUNTER] = "counter", [GAUGE] = "gauge"};

    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, types[m->type]);
    if (!m->label) {
        buf_put_str(out, str_of(m->name));
        put_value(out, m, m->read(now, 0));
    }
    for (unsigned i = 0; i < m->word_count; i++) {
        buf_printf(out, "%s{%s=\"%s\"}", m->name, m->label, word_of(m, i));
        put_value(out, m, m->read(now, i));
    }
}

static void read_now(const struct metrics_of *of, struct now *now)
{
    *now = (struct now){
        .process = process_measure(),
        .began_wall_us = of->began_wall_us,
        .observations = of->stream->last_seq,
        .devices = devices_count(of->devices),
    };
    proxy_counters(of->proxy, &now->proxy);
    if (of->recorder) {
        now->committed = recorder_committed(of->recorder);
        now->trouble = recorder_trouble(of->recorder, &now->lost, NULL) < 0;
    }
}

void metrics_put(const struct metrics_of *of, struct buf *out)
{
    struct now now;

    read_now(of, &now);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        put_metric(out, &metrics[i], &now);
}
