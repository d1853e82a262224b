/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/har.h"

#include "base/timefmt.h"
#include "sources/imports/har_scan.h"
#include "sources/imports/import_format.h"

#include <stdio.h>

enum { CLIENT_BYTES = 100 };

/* What is negative is not said, and what is absurd is taken so. */
static uint64_t us_of(double ms)
{
    return ms > 0 && ms < (double)ELAPSED_US_MAX / 1000 ? (uint64_t)(ms * 1000) : 0;
}

static uint64_t bytes_of(const json_t *message, const char *key)
{
    double bytes = json_number(message, key);

    return bytes > 0 && bytes < 1e15 ? (uint64_t)bytes : 0;
}

static struct str find_header(const json_t *message, struct str name)
{
    const json_t *headers = json_object_get(message, "headers"), *header;
    size_t i;

    json_array_foreach(headers, i, header) if (str_ieq(json_text(header, "name"),
                                                       name)) return json_text(header, "value");
    return (struct str){0};
}

/* Chromium puts an IPv6 address into brackets. */
static struct str without_brackets(struct str s)
{
    bool has = str_starts(s, STR("[")) && str_ends(s, STR("]"));

    return has ? str_head(str_skip(s, 1), s.n - 2) : s;
}

/* HAR 1.2, timings: blocked, dns, connect (with ssl in it), send, wait, receive follow each other.
 */
static void set_times(struct account *a, const json_t *entry)
{
    const json_t *timings = json_object_get(entry, "timings");
    uint64_t dns_us = us_of(json_number(timings, "dns"));
    uint64_t connect_us = us_of(json_number(timings, "connect"));
    uint64_t at_us = a->began_us + us_of(json_number(timings, "blocked")) + dns_us;

    if (dns_us) {
        a->resolved_us = at_us;
        a->resolve_ms = dns_us / 1000;
    }
    at_us += connect_us;
    if (connect_us) {
        a->connected_us = at_us;
        a->connect_ms = connect_us / 1000;
    }
    at_us += us_of(json_number(timings, "send")) + us_of(json_number(timings, "wait"));
    a->answered_us = at_us;
    a->ended_us = a->began_us + us_of(json_number(entry, "time"));
    if (a->ended_us < at_us)
        a->ended_us = at_us;
}

enum { NOT_SENT = -1 };

static const struct failure {
    struct str text;
    int reached;
    enum flow_why why;
} failures[] = {
#define ERROR(text, reached, why) {STR(text), reached, why},
#include "sources/imports/har_errors.def"
#undef ERROR
};

static const struct failure *find_failure(struct str error)
{
    size_t i = 0;

    while (failures[i].text.n && str_search(error, failures[i].text) == error.n)
        i++;
    return &failures[i];
}

static struct str error_of(const json_t *response)
{
    struct str error = json_text(response, "_error");

    return error.n ? error : json_text(response, "_failureText");
}

/* An answer that came is an answer, also when it was cut later. */
static void set_failure(struct account *a, struct str error)
{
    const struct failure *f = find_failure(error);

    a->why = f->why;
    if (a->status)
        return;
    a->reached = f->reached;
    a->answered_us = 0;
    snprintf(a->error, sizeof a->error, STR_FMT, STR_ARG(error));
}

static void set_response(struct account *a, const json_t *response)
{
    uint64_t transferred = bytes_of(response, "_transferSize");
    struct str error = error_of(response);

    a->status = bytes_of(response, "status") % 1000;
    a->content_type = json_text(json_object_get(response, "content"), "mimeType");
    if (str_eq(a->content_type, STR("x-unknown")))
        a->content_type = (struct str){0};
    a->response_bytes = bytes_of(response, "bodySize");
    a->bytes_down = transferred
                        ? transferred
                        : bytes_of(response, "headersSize") + bytes_of(response, "bodySize");
    a->by = a->how == HOW_CONNECT ? BY_PROXY : BY_SERVER;
    a->why = WHY_FINISHED;
    if (!a->status || error.n)
        set_failure(a, error);
}

/* A HAR that this program wrote says why a flow ended in its own words. */
static void set_why(struct account *a, struct str word)
{
    for (unsigned i = 1; word.n && i < WHY_COUNT; i++)
        if (str_eq(word, str_of(obs_whys[i].name)))
            a->why = (enum flow_why)i;
    if (word.n && a->why == WHY_NAME_FAILED)
        a->reached = NAME_NOT_FOUND;
    else if (word.n && a->why == WHY_CONNECT_FAILED)
        a->reached = NOT_REACHED;
}

/* Nothing of it went over the network: it came out of a cache, or the browser refused. */
static bool was_not_sent(const json_t *entry)
{
    const json_t *request = json_object_get(entry, "request");
    const json_t *response = json_object_get(entry, "response");
    bool is_tunnel = str_eq(json_text(request, "method"), STR("CONNECT"));
    bool is_answered = json_number(response, "status") > 0 && !is_tunnel;

    return json_text(entry, "_fromCache").n ||
           (is_answered && json_number(response, "_transferSize") == 0) ||
           find_failure(error_of(response))->reached == NOT_SENT;
}

static enum record_fate bad(const char *why, const char **ret_why)
{
    *ret_why = why;
    return RECORD_BAD;
}

enum record_fate har_entry(const json_t *entry, struct account *a, const char **ret_why)
{
    const json_t *request = json_object_get(entry, "request");
    struct str method = json_text(request, "method"), url = json_text(request, "url");
    uint64_t began_us = 0;

    account_clear(a);
    if (!method.n || !url.n)
        return bad("it has no request with a method and a URL", ret_why);
    if (!rfc3339_parse(json_text(entry, "startedDateTime"), &began_us) || began_us < WALL_US_MIN ||
        began_us > WALL_US_MAX)
        return bad("its startedDateTime is not a time", ret_why);

    /* data:, blob:, about: and extensions' pages name no server. */
    if (was_not_sent(entry) || !account_ask(a, method, url) || !a->port)
        return RECORD_NOTHING;
    if (a->how != HOW_CONNECT)
        a->how = HOW_DIRECT;
    a->began_us = began_us;
    a->client = str_head(json_text(entry, "_client"), CLIENT_BYTES);
    a->user_agent = find_header(request, STR("User-Agent"));
    a->request_bytes = bytes_of(request, "bodySize");
    a->bytes_up = bytes_of(request, "headersSize") + a->request_bytes;
    a->address = without_brackets(json_text(entry, "serverIPAddress"));
    if (!host_is_address(a->address))
        a->address = (struct str){0};
    set_times(a, entry);
    set_response(a, json_object_get(entry, "response"));
    set_why(a, json_text(entry, "_why"));
    return RECORD_FLOW;
}

struct reading {
    struct import *import;
    struct account account;
    uint64_t number;
    char client[CLIENT_BYTES + 1]; /* the address is not said: the browser stands for the device */
    bool is_browser;               /* …and goes before the program that wrote the file */
    struct err *err;
};

static void read_client(struct reading *r, enum har_part part, const json_t *object)
{
    struct str name = str_head(json_text(object, "name"), CLIENT_BYTES);

    if (!name.n || r->is_browser)
        return;
    snprintf(r->client, sizeof r->client, STR_FMT, STR_ARG(name));
    r->is_browser = part == HAR_BROWSER;
}

static int read_entry(struct reading *r, const json_t *entry)
{
    const char *why = "";

    switch (har_entry(entry, &r->account, &why)) {
    case RECORD_FLOW:
        if (!r->account.client.n)
            r->account.client = str_of(r->client);
        return import_account(r->import, &r->account, r->err);
    case RECORD_NOTHING:
        break;
    case RECORD_BAD:
        import_bad(r->import, r->number, "%s", why);
        break;
    }
    return 0;
}

static int found(void *ctx, enum har_part part, struct str text)
{
    struct reading *r = ctx;
    struct err why = {0};
    int result = 0;

    if (part == HAR_ENTRY) {
        import_record(r->import);
        r->number++;
    }
    if (!text.n) {
        import_bad(r->import, r->number, "it is larger than %d bytes", HAR_VALUE_BYTES);
        return 0;
    }

    json_t *object = json_object_in(text, &why);
    if (!object)
        import_bad(r->import, r->number, "%s", why.text);
    else if (part == HAR_ENTRY)
        result = read_entry(r, object);
    else
        read_client(r, part, object);
    json_decref(object);
    return result;
}

static int read_har(struct import *i, struct intake *in, struct err *err)
{
    struct reading reading = {.import = i, .client = "HAR", .err = err};
    struct har_scan scan;
    struct str piece = {0};
    int r;

    account_init(&reading.account);
    har_scan_init(&scan, found, &reading);
    do {
        r = intake_piece(in, &piece, err);
        if (!r)
            r = har_scan_feed(&scan, piece);
    } while (!r && piece.n);
    if (!r && !har_scan_complete(&scan))
        import_bad(i, reading.number + 1, "the file ends in the middle");
    har_scan_finish(&scan);
    account_finish(&reading.account);
    return r;
}

/* {"log": … */
static unsigned recognise(struct str head)
{
    head = str_trim(head);
    if (!str_starts(head, STR("{")))
        return 0;
    head = str_trim(str_skip(head, 1));
    return str_starts(head, STR("\"log\""));
}

const struct import_format format_har = {
    .name = "HAR",
    .record = "entry",
    .recognise = recognise,
    .read = read_har,
};
