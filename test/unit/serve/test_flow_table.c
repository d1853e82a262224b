/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/flow_table.h"

#include "base/map.h"
#include "base/xalloc.h"

#include "test/unit/unit.h"

#include <stdlib.h>

enum { ROWS = 64 * FLOW_CHUNK, BYTES = 256 << 20 };

static struct endpoints *some_endpoints(const char *service)
{
    struct endpoints *e = endpoints_create();

    endpoints_add(e, &(struct endpoint){.pattern = STR("a.test"), .service = STR("other")});
    endpoints_add(e, &(struct endpoint){.pattern = STR("*.shop.test"), .service = str_of(service)});
    endpoints_build(e);
    return e;
}

struct scene {
    struct endpoints *endpoints;
    struct flow_table *table;
    uint64_t seq;
};

static void begin(struct scene *s, size_t rows_max, size_t bytes_max)
{
    *s = (struct scene){.endpoints = some_endpoints("shop")};
    s->table = flow_table_create(s->endpoints, rows_max, bytes_max);
}

static void end(struct scene *s)
{
    flow_table_destroy(s->table);
    endpoints_destroy(s->endpoints);
}

/* One millisecond after the last. */
static void put(struct scene *s, struct obs o)
{
    o.seq = ++s->seq;
    o.at_us = o.at_us ? o.at_us : s->seq * 1000;
    o.device = 1;
    flow_table_put(s->table, &o);
}

static void open_flow(struct scene *s, uint64_t flow, const char *host)
{
    put(s, (struct obs){.kind = OBS_FLOW_OPENED,
                        .flow = flow,
                        .host = str_of(host),
                        .port = 443,
                        .how = HOW_CONNECT});
}

static void move(struct scene *s, uint64_t flow, uint64_t down)
{
    put(s, (struct obs){.kind = OBS_FLOW_PROGRESS, .flow = flow, .bytes_down = down});
}

static void close_flow(struct scene *s, uint64_t flow, uint64_t down, enum flow_why why)
{
    put(s, (struct obs){.kind = OBS_FLOW_CLOSED, .flow = flow, .bytes_down = down, .why = why});
}

static void assert_row(struct scene *s, uint64_t flow, const char *expected)
{
    struct buf out;
    struct json j;

    buf_init(&out, BUF_UNBOUNDED);
    json_init(&j, &out, false);
    put_row_array(&j, flow_table_get(s->table, flow));
    buf_put_byte(&out, '\0');
    assert_string_equal(out.p, expected);
    buf_finish(&out);
}

static void assert_text(const struct row_text *text, const char *expected)
{
    assert_int_equal(text->n, strlen(expected));
    assert_memory_equal(text->p, expected, text->n);
}

/* --- the fold --- */

static void a_tunnel_is_a_row(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    open_flow(&s, 7, "x.shop.test");
    put(&s, (struct obs){.kind = OBS_NAME_RESOLVED, .flow = 7, .ms = 12});
    put(&s, (struct obs){.kind = OBS_CONNECTED, .flow = 7, .ms = 30});
    put(&s, (struct obs){.kind = OBS_TLS_HELLO, .flow = 7, .sni = STR("X.shop.test")});
    put(&s, (struct obs){.kind = OBS_TLS_ANSWER, .flow = 7});
    move(&s, 7, 100);
    assert_row(&s, 7,
               "[7,1,6,1000,12,30,3000,4000,5000,null,\"connect\",\"x.shop.test\",443,\"\",0,\"\","
               "\"\",0,\"\",0,100,\"\",\"\",\"\",\"\",[6000,0,100]]");
    close_flow(&s, 7, 250, WHY_SERVER_CLOSED);
    assert_row(&s, 7,
               "[7,1,7,1000,12,30,3000,4000,5000,7000,\"connect\",\"x.shop.test\",443,\"\",0,\"\","
               "\"\",0,\"\",0,250,\"server-closed\",\"\",\"\",\"\",[6000,0,100,7000,0,250]]");
    end(&s);
}

static void a_plain_request_says_its_url_and_a_connect_does_not(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    open_flow(&s, 1, "a.test");
    put(&s, (struct obs){.kind = OBS_HTTP_REQUEST,
                         .flow = 1,
                         .method = STR("CONNECT"),
                         .url = STR("a.test:443")});
    open_flow(&s, 2, "a.test");
    put(&s, (struct obs){.kind = OBS_HTTP_REQUEST,
                         .flow = 2,
                         .method = STR("GET"),
                         .url = STR("http://a.test/")});
    put(&s, (struct obs){
                .kind = OBS_HTTP_RESPONSE, .flow = 2, .status = 304, .content_type = STR("t/x")});
    assert_text(&flow_table_get(s.table, 1)->url, "");
    assert_text(&flow_table_get(s.table, 2)->method, "GET");
    assert_text(&flow_table_get(s.table, 2)->url, "http://a.test/");
    assert_int_equal(flow_table_get(s.table, 2)->status, 304);
    assert_int_equal(flow_table_get(s.table, 2)->answered_us, 5000);
    end(&s);
}

static void a_flow_on_the_wire_is_known_by_its_hello(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    put(&s, (struct obs){
                .kind = OBS_FLOW_OPENED, .flow = 1, .host = STR("192.0.2.1"), .how = HOW_PACKET});
    assert_int_equal(flow_table_get(s.table, 1)->endpoint, -1);
    put(&s, (struct obs){.kind = OBS_TLS_HELLO, .flow = 1, .sni = STR("y.shop.test")});
    assert_int_equal(flow_table_get(s.table, 1)->endpoint, 0);
    assert_text(&flow_table_get(s.table, 1)->host, "192.0.2.1");
    assert_text(&flow_table_get(s.table, 1)->sni, "y.shop.test");
    end(&s);
}

static void other_knowledge_says_anew_what_hosts_are(void **state)
{
    struct scene s;
    struct endpoints *none = endpoints_create();

    (void)state;
    endpoints_build(none);
    begin(&s, ROWS, BYTES);
    open_flow(&s, 1, "a.test");
    assert_int_equal(flow_table_get(s.table, 1)->endpoint, 1);
    flow_table_use(s.table, none);
    assert_int_equal(flow_table_get(s.table, 1)->endpoint, -1);
    flow_table_use(s.table, s.endpoints);
    assert_int_equal(flow_table_get(s.table, 1)->endpoint, 1);
    end(&s);
    endpoints_destroy(none);
}

static void the_explainer_says_what_failed(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    open_flow(&s, 1, "a.test");
    flow_table_fail(s.table, 1, FAILURE_RESET);
    flow_table_fail(s.table, 2, FAILURE_RESET);
    close_flow(&s, 1, 0, WHY_SERVER_RESET);
    assert_int_equal(flow_table_get(s.table, 1)->failure, FAILURE_RESET);
    assert_null(flow_table_get(s.table, 2));
    end(&s);
}

static void texts_have_a_ceiling(void **state)
{
    struct scene s;
    char *url = xalloc(100000);

    (void)state;
    memset(url, 'u', 100000);
    begin(&s, ROWS, BYTES);
    open_flow(&s, 1, "a.test");
    for (size_t n = 1; n < 100000; n += 7)
        put(&s, (struct obs){.kind = OBS_HTTP_REQUEST, .flow = 1, .url = str_from(url, n)});
    assert_int_equal(flow_table_get(s.table, 1)->url.n, FLOW_TEXT_MAX);
    for (size_t n = 1; n < 1000; n++)
        put(&s, (struct obs){.kind = OBS_RULE_APPLIED, .flow = 1, .text = str_from(url, 10)});
    assert_true(flow_table_get(s.table, 1)->rules.n <= FLOW_TEXT_MAX);
    end(&s);
    free(url);
}

static void growth_is_told_in_few_points_from_first_to_last(void **state)
{
    struct scene s;
    const struct row_points *points;

    (void)state;
    begin(&s, ROWS, BYTES);
    open_flow(&s, 1, "a.test");
    for (uint64_t i = 1; i <= 10000; i++)
        move(&s, 1, i);
    points = &flow_table_get(s.table, 1)->moved;
    assert_int_equal(points->n, FLOW_POINTS_MAX);
    assert_int_equal(points->v[0].bytes_down, 1);
    assert_int_equal(points->v[points->n - 1].bytes_down, 10000);
    for (unsigned i = 1; i < points->n; i++) {
        assert_true(points->v[i].at_us > points->v[i - 1].at_us);
        assert_true(points->v[i].at_us - points->v[i - 1].at_us < 1500000);
    }
    end(&s);
}

/* --- the order of numbers --- */

static void assert_in_order(struct scene *s)
{
    for (size_t i = 1; i < flow_table_count(s->table); i++)
        assert_true(flow_table_at(s->table, i - 1)->flow < flow_table_at(s->table, i)->flow);
}

static void rows_are_in_the_order_of_their_numbers(void **state)
{
    static const uint64_t mixed[] = {3, 1, 2, 9, 7, 8, 20, 4};
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    for (size_t i = 0; i < sizeof mixed / sizeof *mixed; i++)
        open_flow(&s, mixed[i], "a.test");
    assert_in_order(&s);
    assert_int_equal(flow_table_at(s.table, flow_table_after(s.table, 4))->flow, 7);
    assert_int_equal(flow_table_at(s.table, flow_table_after(s.table, 5))->flow, 7);
    assert_int_equal(flow_table_after(s.table, 20), flow_table_count(s.table));
    end(&s);
}

/* Inserting each would move all that are there. */
static void a_file_that_counts_backwards_is_sorted_once(void **state)
{
    enum { N = 60000 };
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    for (uint64_t i = 0; i < N; i++)
        open_flow(&s, (N - i) << 20, "a.test");
    assert_in_order(&s);
    open_flow(&s, 1, "a.test");
    assert_int_equal(flow_table_at(s.table, 0)->flow, 1);
    end(&s);
}

/* --- readers --- */

/* Somebody who reads along: of each flow the seq and bytes that it was told last. */
struct reader {
    uint64_t seq;
    struct map told;
    uint64_t times; /* rows, all in all */
};

/* At most so many rows, as the live stream does it. */
static void read_some(struct reader *r, const struct scene *s, unsigned most)
{
    const struct flow_row *row = flow_table_changed(s->table, r->seq);

    for (; row && most; row = row->newer, most--) {
        assert_true(row->seq > r->seq);
        map_put(&r->told, row->flow, (void *)(uintptr_t)(row->bytes_down + 1));
        r->seq = row->seq;
        r->times++;
    }
    if (!row)
        r->seq = s->seq;
}

static void assert_knows_all(struct reader *r, struct scene *s)
{
    read_some(r, s, UINT32_MAX);
    assert_null(flow_table_changed(s->table, r->seq));
    for (size_t i = 0; i < flow_table_count(s->table); i++) {
        const struct flow_row *row = flow_table_at(s->table, i);

        assert_int_equal((uintptr_t)map_get(&r->told, row->flow), row->bytes_down + 1);
    }
}

static void readers_miss_nothing_and_get_nothing_twice(void **state)
{
    enum { FLOWS = 500, STEPS = 20000, READERS = 4 };
    static const unsigned pace[READERS] = {1, 7, 100, 5000};
    struct reader readers[READERS] = {0};
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    for (unsigned i = 0; i < STEPS; i++) {
        move(&s, 1 + (uint64_t)rand() % FLOWS, i + 1);
        for (unsigned k = 0; k < READERS; k++)
            if (i % pace[k] == 0)
                read_some(&readers[k], &s, 1 + (unsigned)rand() % 20);
    }
    for (unsigned k = 0; k < READERS; k++) {
        assert_knows_all(&readers[k], &s);
        map_finish(&readers[k].told);
    }
    assert_true(readers[READERS - 1].times < STEPS / 10);
    end(&s);
}

static void a_reader_may_begin_anywhere(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, ROWS, BYTES);
    assert_null(flow_table_changed(s.table, 0));
    open_flow(&s, 1, "a.test"); /* 1 */
    open_flow(&s, 2, "a.test"); /* 2 */
    open_flow(&s, 3, "a.test"); /* 3 */
    move(&s, 1, 10);            /* 4 */
    assert_int_equal(flow_table_changed(s.table, 0)->flow, 2);
    assert_int_equal(flow_table_changed(s.table, 2)->flow, 3);
    assert_int_equal(flow_table_changed(s.table, 3)->flow, 1);
    assert_null(flow_table_changed(s.table, 4));
    assert_null(flow_table_changed(s.table, UINT64_MAX));
    end(&s);
}

static void past_the_ceiling_the_first_go(void **state)
{
    enum { KEPT = 3 * FLOW_CHUNK };
    struct reader reader = {0};
    struct scene s;

    (void)state;
    begin(&s, KEPT, BYTES);
    for (uint64_t flow = 1; flow <= 5 * FLOW_CHUNK; flow++) {
        open_flow(&s, flow, "a.test");
        if (flow % 100 == 0)
            read_some(&reader, &s, UINT32_MAX);
        assert_true(reader.seq >= flow_table_gone_seq(s.table));
    }
    assert_int_equal(flow_table_count(s.table), KEPT);
    assert_int_equal(flow_table_at(s.table, 0)->flow, 2 * FLOW_CHUNK + 1);
    assert_int_equal(flow_table_gone_seq(s.table), 2 * FLOW_CHUNK);
    assert_null(flow_table_get(s.table, 1));
    assert_knows_all(&reader, &s);
    assert_int_equal(reader.times, 5 * FLOW_CHUNK);

    move(&s, 1, 10); /* what is gone stays so */
    assert_null(flow_table_get(s.table, 1));
    map_finish(&reader.told);
    end(&s);
}

/* Or all would have to ask anew whenever one that had been open for long goes. */
static void who_reads_along_is_not_lost_by_the_ceiling(void **state)
{
    struct scene s;
    uint64_t known;

    (void)state;
    begin(&s, 2 * FLOW_CHUNK, BYTES);
    open_flow(&s, 1, "a.test");
    for (uint64_t flow = 2; flow <= 2 * FLOW_CHUNK; flow++)
        open_flow(&s, flow, "a.test");
    known = s.seq;
    move(&s, 1, 1000);
    open_flow(&s, 2 * FLOW_CHUNK + 1, "a.test");
    assert_null(flow_table_get(s.table, 1));
    assert_int_equal(flow_table_from(s.table), FLOW_CHUNK + 1);
    assert_true(known >= flow_table_gone_seq(s.table));
    end(&s);
}

static void bytes_have_a_ceiling_too(void **state)
{
    char url[FLOW_TEXT_MAX];
    struct scene s;

    (void)state;
    memset(url, 'u', sizeof url);
    begin(&s, ROWS, 16 << 20);
    for (uint64_t flow = 1; flow <= 5 * FLOW_CHUNK; flow++) {
        open_flow(&s, flow, "a.test");
        put(&s,
            (struct obs){.kind = OBS_HTTP_REQUEST, .flow = flow, .url = str_from(url, sizeof url)});
    }
    assert_true(flow_table_count(s.table) <= 2 * FLOW_CHUNK);
    assert_non_null(flow_table_get(s.table, 5 * FLOW_CHUNK));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tunnel_is_a_row),
        cmocka_unit_test(a_plain_request_says_its_url_and_a_connect_does_not),
        cmocka_unit_test(a_flow_on_the_wire_is_known_by_its_hello),
        cmocka_unit_test(other_knowledge_says_anew_what_hosts_are),
        cmocka_unit_test(the_explainer_says_what_failed),
        cmocka_unit_test(texts_have_a_ceiling),
        cmocka_unit_test(growth_is_told_in_few_points_from_first_to_last),
        cmocka_unit_test(rows_are_in_the_order_of_their_numbers),
        cmocka_unit_test(a_file_that_counts_backwards_is_sorted_once),
        cmocka_unit_test(readers_miss_nothing_and_get_nothing_twice),
        cmocka_unit_test(a_reader_may_begin_anywhere),
        cmocka_unit_test(past_the_ceiling_the_first_go),
        cmocka_unit_test(who_reads_along_is_not_lost_by_the_ceiling),
        cmocka_unit_test(bytes_have_a_ceiling_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
