/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MHD hands a request to us piece by piece: its first line, its head, what there is of its body as
 * it comes, its end. Who may ask, and for what, is settled with the head, before any of the body is
 * taken. What is answered then, instead of at the end, ends the connection: that is for a body that
 * nobody wants.
 */
#include "serve/web_private.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- what came with it --- */

struct str web_header(const struct web_request *request, const char *name)
{
    return str_of(
        MHD_lookup_connection_value(request_of(request)->connection, MHD_HEADER_KIND, name));
}

struct str web_query(const struct web_request *request, const char *name)
{
    const struct request *r = request_of(request);

    return target_query(&r->target, str_of(name), r->arena);
}

struct hosts {
    unsigned count;
    struct str last;
};

static enum MHD_Result see_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct hosts *hosts = ctx;

    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        hosts->count++;
        hosts->last = str_of(value);
    }
    return MHD_YES;
}

/* Of several that say different things none can be believed. */
static struct str only_host(const struct request *r)
{
    struct hosts hosts = {0};

    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, see_field, &hosts);
    return hosts.count == 1 ? hosts.last : (struct str){0};
}

static bool is_safe(const struct request *r)
{
    return strcmp(r->given.method, MHD_HTTP_METHOD_GET) == 0 ||
           strcmp(r->given.method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum guard_verdict judge(const struct request *r)
{
    const struct web_request *given = &r->given;
    bool opens_page = is_safe(r) && str_eq(r->target.path, STR("/"));

    return guard_judge(&r->web->guard,
                       &(struct guard_asked){
                           .is_safe = is_safe(r),
                           .opens_page = opens_page,
                           .token = opens_page ? web_query(given, "token") : (struct str){0},
                           .host = only_host(r),
                           .origin = web_header(given, MHD_HTTP_HEADER_ORIGIN),
                           .authorization = web_header(given, MHD_HTTP_HEADER_AUTHORIZATION),
                           .cookie = web_header(given, MHD_HTTP_HEADER_COOKIE),
                           .fetch_site = web_header(given, "Sec-Fetch-Site"),
                           .fetch_mode = web_header(given, "Sec-Fetch-Mode"),
                           .fetch_dest = web_header(given, "Sec-Fetch-Dest"),
                       });
}

/* --- its answer --- */

/*
 * A cookie that other sites' links do not carry is not carried either where such a link redirects
 * to; so a visitor who followed one is taken there by a page of ours.
 */
static void let_in(const struct request *r, struct web_answer *a)
{
    bool came_by_link = str_ends(web_header(&r->given, "Sec-Fetch-Site"), STR("-site"));
    struct buf cookie;

    buf_init(&cookie, 256);
    guard_put_cookie(&r->web->guard, web_query(&r->given, "token"), &cookie);
    answer_add_field(a, MHD_HTTP_HEADER_SET_COOKIE, arena_str(r->arena, buf_str(&cookie)).p);
    buf_finish(&cookie);
    if (!came_by_link) {
        a->status = MHD_HTTP_SEE_OTHER;
        answer_add_field(a, MHD_HTTP_HEADER_LOCATION, "/");
        return;
    }
    a->type = "text/html; charset=utf-8";
    buf_put_str(&a->body, STR("<!doctype html><meta http-equiv=refresh content=\"0; url=/\">"
                              "<title>flightstrip</title><a href=\"/\">flightstrip</a>\n"));
}

static void refuse_unknown(const struct request *r, struct web_answer *a)
{
    answer_add_field(a, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    web_refuse(&r->given, a, MHD_HTTP_UNAUTHORIZED,
               "this is for who has the link that flightstrip printed when it started: open that, "
               "or send its token as \"Authorization: Bearer TOKEN\"");
}

static void call_route(const struct request *r, struct web_answer *a)
{
    if (r->route->writes && !r->given.may_write)
        web_refuse(&r->given, a, MHD_HTTP_FORBIDDEN,
                   "this token is for reading; the link for writing has another");
    else if (r->body.full)
        web_refuse(&r->given, a, MHD_HTTP_CONTENT_TOO_LARGE, "the body has more than %zu bytes",
                   r->route->body_max);
    else
        r->route->answer(r->ctx, &r->given, a);
}

static void answer_found(const struct request *r, struct web_answer *a)
{
    if (r->route) {
        call_route(r, a);
        return;
    }
    if (!r->allow) {
        web_refuse(&r->given, a, MHD_HTTP_NOT_FOUND, "there is nothing here");
        return;
    }
    answer_add_field(a, MHD_HTTP_HEADER_ALLOW, r->allow);
    web_refuse(&r->given, a, MHD_HTTP_METHOD_NOT_ALLOWED, "this cannot be asked for in that way");
}

static void fill_answer(const struct request *r, struct web_answer *a)
{
    switch (r->verdict) {
    case GUARD_MISDIRECTED:
        web_refuse(&r->given, a, MHD_HTTP_MISDIRECTED_REQUEST,
                   "the Host of the request is not this machine");
        return;
    case GUARD_FOREIGN:
        web_refuse(&r->given, a, MHD_HTTP_FORBIDDEN, "another page asks for this");
        return;
    case GUARD_UNKNOWN:
        refuse_unknown(r, a);
        return;
    case GUARD_ENTERS:
        let_in(r, a);
        return;
    case GUARD_READS:
    case GUARD_WRITES:
        answer_found(r, a);
        return;
    }
}

static enum MHD_Result answer(struct request *r)
{
    struct web_answer a = {.status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8", .fd = -1};

    buf_init(&a.body, ANSWER_BYTES);
    r->given.body = buf_str(&r->body);
    fill_answer(r, &a);
    return answer_send(r, &a);
}

/* --- its pieces --- */

void *request_open(void *web, const char *uri, struct MHD_Connection *connection)
{
    struct request *r = xalloc(sizeof *r);

    r->web = web;
    r->connection = connection;
    r->arena = arena_create();
    r->has_target = target_parse(arena_str(r->arena, str_of(uri)), r->arena, &r->target);
    r->given = (struct web_request){.path = r->target.path, .arena = r->arena};
    return r;
}

/* RFC 9112, section 6.3: one of the fields says so. */
static bool has_body(const struct request *r, struct str length)
{
    return web_header(&r->given, MHD_HTTP_HEADER_TRANSFER_ENCODING).p ||
           (length.p && !str_eq(length, STR("0")));
}

/* One that says how long it is, and is too long, is not begun with. */
static bool wants_body(struct request *r, struct str length)
{
    bool may_ask =
        r->verdict == GUARD_WRITES || (r->verdict == GUARD_READS && r->route && !r->route->writes);
    uint64_t n = 0;

    if (!may_ask || !r->route || !r->route->body_max)
        return false;
    buf_init(&r->body, r->route->body_max);
    if (!length.p)
        return true;
    r->body.full = !str_to_u64(length, &n) || n > r->route->body_max;
    return !r->body.full;
}

static enum MHD_Result begin(struct request *r, const char *method)
{
    struct str length = web_header(&r->given, MHD_HTTP_HEADER_CONTENT_LENGTH);

    r->is_begun = true;
    r->given.method = method;
    r->verdict = judge(r);
    r->given.may_write = r->verdict == GUARD_WRITES;
    if (r->has_target)
        request_find_route(r);
    if (!has_body(r, length) || wants_body(r, length))
        return MHD_YES; /* answered at its end */
    return answer(r);
}

enum MHD_Result request_go_on(void *web, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **request)
{
    struct request *r = *request;

    (void)web;
    (void)connection;
    (void)path;
    (void)version;
    if (!r->is_begun)
        return begin(r, method);
    if (!*upload_bytes)
        return answer(r);
    buf_put(&r->body, upload, *upload_bytes);
    *upload_bytes = 0;
    return MHD_YES;
}

void request_close(void *web, struct MHD_Connection *connection, void **request,
                   enum MHD_RequestTerminationCode why)
{
    struct request *r = *request;

    (void)web;
    (void)connection;
    (void)why;
    if (!r)
        return;
    buf_finish(&r->body);
    arena_destroy(r->arena);
    free(r);
    *request = NULL;
}
