/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of metrics, read by a strict reader of the format, and the numbers on it. */
#include "serve/metrics.h"

#include "test/unit/sources/proxy_world.h"
#include "test/unit/store/scratch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 64 << 10, SAMPLES_MAX = 512 };

struct page {
    struct buf text;
    struct str types[SAMPLES_MAX][2]; /* name and type */
    size_t type_count;
    struct str samples[SAMPLES_MAX][2]; /* name with its labels, and value */
    size_t sample_count;
};

/* --- the format: https://prometheus.io/docs/instrumenting/exposition_formats/ --- */

static size_t name_bytes(struct str s)
{
    size_t n = 0;

    while (n < s.n && (isalnum((unsigned char)s.p[n]) || s.p[n] == '_'))
        n++;
    return n && !isdigit((unsigned char)s.p[0]) ? n : 0;
}

/* {NAME="VALUE"}, where nothing needs an escape; or nothing. */
static bool are_labels(struct str s)
{
    size_t n;

    if (!s.n)
        return true;
    if (s.p[0] != '{' || s.p[s.n - 1] != '}')
        return false;
    s = str_skip(str_head(s, s.n - 1), 1);
    n = name_bytes(s);
    s = str_skip(s, n);
    if (!n || !str_starts(s, STR("=\"")) || s.n < 4 || !str_ends(s, STR("\"")))
        return false;
    s = str_skip(str_head(s, s.n - 1), 2);
    return str_find(s, '"') == s.n && str_find(s, '\\') == s.n;
}

static bool is_value(struct str s)
{
    struct str whole = str_cut(&s, '.');
    uint64_t n;

    return str_to_u64(whole, &n) && (!s.n || str_to_u64(s, &n));
}

static bool is_of(struct str sample, struct str metric)
{
    return str_starts(sample, metric) && (sample.n == metric.n || sample.p[metric.n] == '{');
}

static void read_comment(struct page *p, struct str line, struct str *help_of)
{
    struct str rest = str_skip(line, 2);
    struct str word = str_cut(&rest, ' '), name = str_cut(&rest, ' ');

    assert_int_equal(name_bytes(name), name.n);
    if (str_eq(word, STR("HELP"))) {
        assert_true(rest.n > 10 && rest.p[rest.n - 1] == '.');
        *help_of = name;
        return;
    }
    assert_true(str_eq(word, STR("TYPE")));
    assert_true(str_eq(name, *help_of)); /* right below its help */
    assert_true(str_eq(rest, STR("counter")) || str_eq(rest, STR("gauge")));
    for (size_t i = 0; i < p->type_count; i++)
        assert_false(str_eq(p->types[i][0], name));
    assert_true(p->type_count < SAMPLES_MAX);
    p->types[p->type_count][0] = name;
    p->types[p->type_count++][1] = rest;
}

static void read_sample(struct page *p, struct str line)
{
    size_t space = str_rfind(line, ' ');
    struct str name = str_head(line, space), value = str_skip(line, space + 1);

    assert_true(p->type_count > 0);
    if (!is_of(name, p->types[p->type_count - 1][0]) ||
        !are_labels(str_skip(name, name_bytes(name))) || !is_value(value))
        fail_msg(STR_FMT, STR_ARG(line));
    for (size_t i = 0; i < p->sample_count; i++)
        assert_false(str_eq(p->samples[i][0], name));
    assert_true(p->sample_count < SAMPLES_MAX);
    p->samples[p->sample_count][0] = name;
    p->samples[p->sample_count++][1] = value;
}

static void read_page(struct page *p)
{
    struct str rest = buf_str(&p->text), line, help_of = {0};

    assert_false(p->text.full);
    assert_true(str_ends(rest, STR("\n")));
    p->type_count = p->sample_count = 0;
    while (str_line(&rest, &line)) {
        if (str_starts(line, STR("# ")))
            read_comment(p, line, &help_of);
        else
            read_sample(p, line);
    }
}

/* --- the page of a world --- */

static void make_page(struct page *p, struct world *w, struct recorder *recorder)
{
    buf_clear(&p->text);
    metrics_put(&(struct metrics_of){.proxy = w->proxy,
                                     .stream = &w->stream,
                                     .devices = &w->devices,
                                     .recorder = recorder,
                                     .began_wall_us = 1234567000001},
                &p->text);
    read_page(p);
}

static const char *value_of(const struct page *p, const char *name)
{
    static char text[64];

    for (size_t i = 0; i < p->sample_count; i++)
        if (str_eq(p->samples[i][0], str_of(name))) {
            snprintf(text, sizeof text, STR_FMT, STR_ARG(p->samples[i][1]));
            return text;
        }
    fail_msg("no metric is called %s", name);
    return NULL;
}

static struct page page;

static int set_up(void **state)
{
    buf_init(&page.text, PAGE_BYTES);
    return world_set_up(state);
}

static int tear_down(void **state)
{
    buf_finish(&page.text);
    return world_tear_down(state);
}

static void the_page_is_in_the_format(void **state)
{
    make_page(&page, *state, NULL);
    assert_true(page.type_count > 20);
    assert_string_equal(
        value_of(&page, "flightstrip_build_info{version=\"" FLIGHTSTRIP_VERSION "\"}"), "1");
    assert_string_equal(value_of(&page, "process_start_time_seconds"), "1234567.000001");
}

static void names_tell_type_and_unit(void **state)
{
    make_page(&page, *state, NULL);
    for (size_t i = 0; i < page.type_count; i++) {
        struct str name = page.types[i][0];
        bool is_total = str_ends(name, STR("_total"));

        assert_true(str_starts(name, STR("flightstrip_")) || str_starts(name, STR("process_")));
        if (is_total != str_eq(page.types[i][1], STR("counter")))
            fail_msg(STR_FMT, STR_ARG(name));
    }
}

static void a_flow_is_counted_while_it_lives_and_after(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "CONNECT origin.test:443 HTTP/1.1\r\n\r\n");

    int s = server(w);

    heard(w, d);
    say(w, d, "up");
    say(w, s, "down");
    make_page(&page, w, NULL);
    assert_string_equal(value_of(&page, "flightstrip_flows_open{how=\"connect\"}"), "1");
    assert_string_equal(value_of(&page, "flightstrip_flows_opened_total{how=\"connect\"}"), "1");
    assert_string_equal(value_of(&page, "flightstrip_up_bytes_total"), "2");
    assert_string_equal(value_of(&page, "flightstrip_down_bytes_total"), "4");
    assert_string_equal(value_of(&page, "flightstrip_clients"), "1");
    assert_string_equal(value_of(&page, "flightstrip_devices"), "1");

    reset_by(w, s);
    settle(w);
    make_page(&page, w, NULL);
    assert_string_equal(value_of(&page, "flightstrip_flows_open{how=\"connect\"}"), "0");
    assert_string_equal(value_of(&page, "flightstrip_flows_closed_total{why=\"server-reset\"}"),
                        "1");
    assert_string_equal(value_of(&page, "flightstrip_clients_total"), "1");
}

static void what_never_became_a_request_has_a_label_too(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "this is no HTTP\r\n\r\n");
    heard(w, d);
    make_page(&page, w, NULL);
    assert_string_equal(value_of(&page, "flightstrip_flows_opened_total{how=\"none\"}"), "1");
    assert_string_equal(value_of(&page, "flightstrip_flows_closed_total{why=\"bad-request\"}"),
                        "1");
}

static void the_recorder_says_how_it_stands(void **state)
{
    struct world *w = *state;
    void *scratch;
    struct recording_state stands;
    struct recorder *recorder;

    assert_int_equal(scratch_make(&scratch), 0);
    assert_int_equal(recorder_open(scratch_path(scratch, "a.flight"), 1, &recorder, &stands, NULL),
                     0);
    stream_add_sink(&w->stream, recorder_put, recorder);
    stream_put(&w->stream, &(struct obs){.kind = OBS_NOTE, .text = STR("one")});
    make_page(&page, w, recorder);
    assert_string_equal(value_of(&page, "flightstrip_observations_total"), "1");
    assert_string_equal(value_of(&page, "flightstrip_observations_lost_total"), "0");
    assert_string_equal(value_of(&page, "flightstrip_recorder_trouble"), "0");
    w->stream.sink_count--;
    assert_int_equal(recorder_close(recorder, NULL), 0);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_page_is_in_the_format, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_tell_type_and_unit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flow_is_counted_while_it_lives_and_after, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_never_became_a_request_has_a_label_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_recorder_says_how_it_stands, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
