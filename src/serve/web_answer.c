/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a route has filled in becomes a response. Its body is a stream, a file or bytes; bytes of
 * text are compressed for who takes them so, and files are served in parts. An etag is weak where
 * the body may come compressed or not: it says that the content is the same, not each byte.
 */
#include "serve/web_private.h"

#include "base/auto.h"
#include "base/json.h"
#include "serve/fields.h"
#include "serve/gzip.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { WORTH_COMPRESSING_BYTES = 1024, FIELD_BYTES = 2048 };

/* --- filling in --- */

void answer_add_field(struct web_answer *a, const char *name, const char *value)
{
    size_t i = 0;

    while (i < WEB_FIELDS_MAX && a->fields[i].name)
        i++;
    assert(i < WEB_FIELDS_MAX);
    a->fields[i] = (struct web_field){name, value};
}

static void put_error(struct buf *out, struct str sentence)
{
    struct json j;

    json_init(&j, out, false);
    json_object(&j);
    json_key(&j, "error");
    json_str(&j, sentence);
    json_end(&j);
}

void web_refuse(const struct web_request *r, struct web_answer *a, unsigned status,
                const char *format, ...)
{
    struct buf sentence;
    va_list args;

    buf_init(&sentence, FIELD_BYTES);
    va_start(args, format);
    buf_vprintf(&sentence, format, args);
    va_end(args);
    a->status = status;
    a->etag = a->filename = NULL;
    buf_clear(&a->body);
    if (str_starts(r->path, STR("/api/"))) {
        a->type = "application/json";
        put_error(&a->body, buf_str(&sentence));
    } else {
        a->type = "text/plain; charset=utf-8";
        buf_put_str(&a->body, buf_str(&sentence));
    }
    buf_put_byte(&a->body, '\n');
    buf_finish(&sentence);
}

/* Ends what it holds and was not taken; the members that were are empty. */
static void release(struct web_answer *a)
{
    buf_finish(&a->body);
    auto_close(&a->fd);
    a->fd = -1;
    if (a->stream.fill)
        a->stream.close(a->stream.ctx);
    a->stream = (struct web_stream){0};
}

/* --- its head --- */

/* With every answer that says nothing else about it. */
static const struct web_field always[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
};

static bool says(const struct web_answer *a, const char *name)
{
    for (size_t i = 0; i < WEB_FIELDS_MAX && a->fields[i].name; i++)
        if (strcasecmp(a->fields[i].name, name) == 0)
            return true;
    return false;
}

static bool is_text(const char *type)
{
    static const struct str texts[] = {STR("text/"), STR("application/json"),
                                       STR("application/javascript"), STR("image/svg+xml")};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (str_starts(str_of(type), texts[i]))
            return true;
    return false;
}

static bool is_bytes(const struct web_answer *a)
{
    return a->fd < 0 && !a->stream.fill;
}

/* Whether it comes compressed or not is up to the visitor. */
static bool may_be_compressed(const struct web_answer *a)
{
    return is_bytes(a) && (a->is_gzipped || is_text(a->type));
}

/* RFC 6266: a name in ASCII for who reads nothing else, and the name. */
static void put_disposition(struct buf *out, struct str name)
{
    buf_put_str(out, STR("attachment; filename=\""));
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        buf_put_byte(out, c < ' ' || c > '~' || c == '"' || c == '\\' || c == '%' || c == '/'
                              ? '_'
                              : (uint8_t)c);
    }
    buf_put_str(out, STR("\"; filename*=UTF-8''"));
    for (size_t i = 0; i < name.n; i++) {
        char c = ascii_lower(name.p[i]);
        bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';

        buf_printf(out, is_plain ? "%c" : "%%%02X", (uint8_t)name.p[i]);
    }
}

/* The value is what stands in `value`, which is emptied. */
static void add_made(struct MHD_Response *response, const char *name, struct buf *value)
{
    buf_put_byte(value, '\0');
    if (!value->full)
        MHD_add_response_header(response, name, value->p);
    buf_clear(value);
}

static void add_fields(struct MHD_Response *response, const struct web_answer *a)
{
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!says(a, always[i].name))
            MHD_add_response_header(response, always[i].name, always[i].value);
    for (size_t i = 0; i < WEB_FIELDS_MAX && a->fields[i].name; i++)
        MHD_add_response_header(response, a->fields[i].name, a->fields[i].value);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            a->etag ? "private, no-cache" : "no-store");
}

/* What is said of the body, and as well when it is not sent since it is known. */
static void add_body_fields(struct MHD_Response *response, const struct web_answer *a,
                            bool may_vary)
{
    struct buf value;

    buf_init(&value, FIELD_BYTES);
    if (a->etag) {
        buf_printf(&value, "%s\"%s\"", may_vary ? "W/" : "", a->etag);
        add_made(response, MHD_HTTP_HEADER_ETAG, &value);
    }
    if (a->filename) {
        put_disposition(&value, str_of(a->filename));
        add_made(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, &value);
    }
    if (may_vary)
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    buf_finish(&value);
}

/* --- its body --- */

static void compress(struct web_answer *a)
{
    struct buf compressed;

    buf_init(&compressed, BUF_UNBOUNDED); /* the body has a ceiling */
    gzip_put(&compressed, buf_str(&a->body));
    if (compressed.full || compressed.n >= a->body.n) {
        buf_finish(&compressed);
        return;
    }
    buf_finish(&a->body);
    a->body = compressed;
    a->is_gzipped = true;
}

static void expand(struct web_answer *a)
{
    struct buf plain;

    buf_init(&plain, ANSWER_BYTES);
    if (!gunzip_put(&plain, buf_str(&a->body)))
        plain.full = true;
    buf_finish(&a->body);
    a->body = plain;
    a->is_gzipped = false;
}

static void suit_encoding(const struct request *r, struct web_answer *a)
{
    bool accepts = fields_accept_gzip(web_header(&r->given, MHD_HTTP_HEADER_ACCEPT_ENCODING));

    if (a->is_gzipped && !accepts)
        expand(a);
    else if (!a->is_gzipped && accepts && is_text(a->type) && a->body.n >= WORTH_COMPRESSING_BYTES)
        compress(a);
}

static struct MHD_Response *bytes_response(const struct request *r, struct web_answer *a)
{
    struct MHD_Response *response;

    suit_encoding(r, a);
    if (a->body.full)
        web_refuse(&r->given, a, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too long");
    response = MHD_create_response_from_buffer(a->body.n, a->body.p, MHD_RESPMEM_MUST_FREE);
    if (!response)
        return NULL;
    buf_init(&a->body, 0); /* the response has it */
    if (a->is_gzipped)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return response;
}

/* RFC 9110, section 13.1.5: a part is wanted only of the file that its other parts came from. */
static bool wants_part(const struct request *r, const struct web_answer *a)
{
    struct str tag = web_header(&r->given, MHD_HTTP_HEADER_IF_RANGE);

    if (a->status != MHD_HTTP_OK)
        return false;
    return !tag.p || (a->etag && !str_eq(tag, STR("*")) && !str_starts(tag, STR("W/")) &&
                      fields_have_etag(tag, str_of(a->etag)));
}

static enum range range_of(const struct request *r, struct web_answer *a, uint64_t *ret_from,
                           uint64_t *ret_n)
{
    struct str wanted = web_header(&r->given, MHD_HTTP_HEADER_RANGE);
    enum range range =
        wants_part(r, a) ? fields_range(wanted, a->bytes, ret_from, ret_n) : RANGE_WHOLE;

    if (range == RANGE_PART)
        a->status = MHD_HTTP_PARTIAL_CONTENT;
    if (range == RANGE_NOWHERE)
        a->status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
    return range;
}

static void add_range_fields(struct MHD_Response *response, enum range range, uint64_t from,
                             uint64_t n, uint64_t size)
{
    struct buf value;

    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    buf_init(&value, FIELD_BYTES);
    if (range == RANGE_PART)
        buf_printf(&value, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, from + n - 1, size);
    else
        buf_printf(&value, "bytes */%" PRIu64, size);
    if (range != RANGE_WHOLE)
        add_made(response, MHD_HTTP_HEADER_CONTENT_RANGE, &value);
    buf_finish(&value);
}

static struct MHD_Response *file_response(const struct request *r, struct web_answer *a)
{
    uint64_t from = 0, n = a->bytes;
    enum range range = range_of(r, a, &from, &n);
    struct MHD_Response *response =
        range == RANGE_NOWHERE ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
                               : MHD_create_response_from_fd_at_offset64(n, a->fd, from);

    if (!response)
        return NULL;
    if (range != RANGE_NOWHERE)
        a->fd = -1; /* the response has it */
    add_range_fields(response, range, from, n, a->bytes);
    return response;
}

static struct MHD_Response *stream_response(const struct request *r, struct web_answer *a)
{
    struct MHD_Response *response = stream_open(r->web, r->connection, &a->stream);

    if (response) {
        a->stream.fill = NULL; /* the response has it */
        return response;
    }
    release(a);
    buf_init(&a->body, ANSWER_BYTES);
    answer_add_field(a, "Retry-After", "5");
    web_refuse(&r->given, a, MHD_HTTP_SERVICE_UNAVAILABLE,
               "as many as may are reading streams already");
    return bytes_response(r, a);
}

/* The visitor has it. */
static bool is_known(const struct request *r, const struct web_answer *a)
{
    return a->etag && a->status == MHD_HTTP_OK &&
           fields_have_etag(web_header(&r->given, MHD_HTTP_HEADER_IF_NONE_MATCH), str_of(a->etag));
}

static struct MHD_Response *known_response(struct web_answer *a)
{
    a->status = MHD_HTTP_NOT_MODIFIED;
    return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *body_response(const struct request *r, struct web_answer *a)
{
    if (is_known(r, a))
        return known_response(a);
    if (a->stream.fill)
        return stream_response(r, a);
    return a->fd >= 0 ? file_response(r, a) : bytes_response(r, a);
}

enum MHD_Result answer_send(const struct request *r, struct web_answer *a)
{
    bool may_vary = may_be_compressed(a);
    struct MHD_Response *response = body_response(r, a);
    enum MHD_Result queued;

    if (!response) {
        release(a);
        return MHD_NO;
    }
    add_fields(response, a);
    add_body_fields(response, a, may_vary);
    if (a->status != MHD_HTTP_NOT_MODIFIED && a->status != MHD_HTTP_NO_CONTENT)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
    queued = MHD_queue_response(r->connection, a->status, response);
    MHD_destroy_response(response);
    release(a);
    return queued;
}
