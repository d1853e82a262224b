/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip endpoints: what is this host, who says so, and which pattern knew it. */
#include "cmd/cmd_list.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/url.h"
#include "base/utf8.h"
#include "cmd/knowledge_files.h"
#include "cmd/output.h"
#include "report/look.h"
#include "report/wrap.h"

#include <string.h>
#include <unistd.h>

enum { FORMAT_TEXT, FORMAT_JSON };
enum { FACT_COLUMN = 14, INDENT = 2, READABLE = 100, LIST_SERVICE_COLUMN = 52 };

struct endpoints_options {
    unsigned format;
    bool list;
    struct texts knowledge;
};

static const char *const formats[] = {"text", "json", NULL};

#define AT(member) offsetof(struct endpoints_options, member)
static const struct opt options_table[] = {
    {OPT_FLAG, 'l', "list", NULL, "List every pattern that is known, instead of hosts.", AT(list),
     NULL},
    {OPT_CHOICE, 'f', "format", "FORMAT", "Write text (the default) or json.", AT(format), formats},
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Read the knowledge files of this folder too; may be given several times.", AT(knowledge),
     NULL},
    {0},
};

/* A host that was asked for. */
struct answer {
    struct str asked;
    const struct endpoint *endpoint; /* NULL: not known */
    const struct service_info *service;
};

/* A person pastes what is at hand: a URL, or HOST:PORT. */
static struct str host_in(const char *operand)
{
    struct str text = str_of(operand), host = text;
    struct url url;
    uint16_t port;

    if (url_parse(text, &url))
        return url.host;
    if (authority_parse(text, 0, &host, &port))
        return host;
    return text;
}

static struct answer answer_of(const struct endpoints *e, const struct endpoint *endpoint,
                               struct str asked)
{
    struct answer a = {.asked = asked, .endpoint = endpoint};

    if (endpoint)
        a.service = endpoints_service(e, endpoint->service);
    return a;
}

/* --- text ------------------------------------------------------------------------------------- */

static unsigned width_of(const struct look *look)
{
    return look->width > READABLE ? READABLE : look->width;
}

static void put_lines(struct buf *out, const struct look *look, struct str text)
{
    put_padding(out, 0, INDENT);
    put_wrapped(out, text, INDENT, INDENT, width_of(look));
    buf_put_byte(out, '\n');
}

static void put_fact(struct buf *out, const struct look *look, const char *name, struct str value)
{
    put_padding(out, 0, INDENT);
    put_painted(out, look, PAINT_DIM, str_of(name));
    put_padding(out, INDENT + (unsigned)strlen(name), FACT_COLUMN);
    put_wrapped(out, value, FACT_COLUMN, FACT_COLUMN, width_of(look));
    buf_put_byte(out, '\n');
}

/* "a,b" as "a, b". */
static void put_fact_list(struct buf *out, const struct look *look, const char *name,
                          struct str list)
{
    struct buf spaced;

    buf_init(&spaced, BUF_UNBOUNDED);
    for (size_t i = 0; i < list.n; i++) {
        buf_put_byte(&spaced, (uint8_t)list.p[i]);
        if (list.p[i] == ',')
            buf_put_byte(&spaced, ' ');
    }
    put_fact(out, look, name, buf_str(&spaced));
    buf_finish(&spaced);
}

static void put_service(struct buf *out, const struct look *look, const struct answer *a)
{
    struct buf text;

    buf_init(&text, BUF_UNBOUNDED);
    buf_put_str(&text, a->endpoint->service);
    if (a->service && a->service->says.n)
        buf_printf(&text, ": " STR_FMT, STR_ARG(a->service->says));
    put_fact(out, look, "service", buf_str(&text));
    buf_finish(&text);
}

static void put_heading(struct buf *out, const struct look *look, const struct answer *a)
{
    if (out->n)
        buf_put_byte(out, '\n');
    put_painted(out, look, PAINT_BOLD, a->asked);
    if (a->service) {
        buf_put_str(out, STR("  "));
        put_painted(out, look, PAINT_DIM, a->service->title);
    }
    buf_put_byte(out, '\n');
}

static void put_text(struct buf *out, const struct look *look, const struct answer *a)
{
    const struct endpoint *e = a->endpoint;

    put_heading(out, look, a);
    if (!e) {
        put_lines(out, look, STR("Not known: no pattern fits it."));
        return;
    }
    put_lines(out, look, e->role);
    put_service(out, look, a);
    put_fact(out, look, "pattern", e->pattern);
    put_fact_list(out, look, "ports", e->ports);
    put_fact_list(out, look, "phases", e->phases.n ? e->phases : STR("none of provisioning"));
    put_fact(out, look, "required", str_of(requirement_name(e->required)));
    if (e->inspection_unsupported)
        put_fact(out, look, "inspection", STR("unsupported: it breaks when TLS is opened"));
    if (e->proxies_unsupported)
        put_fact(out, look, "proxies", STR("unsupported: it has to be reached directly"));
    if (e->legacy)
        put_fact(out, look, "legacy", STR("yes: hardly met today"));
    put_fact(out, look, "source", e->source);
}

/* One line each, so that a list can be searched and sorted. */
static void put_line(struct buf *out, const struct look *look, const struct answer *a)
{
    const struct endpoint *e = a->endpoint;

    (void)look;
    utf8_put_safe(out, e->pattern);
    put_padding(out, text_columns(e->pattern), LIST_SERVICE_COLUMN);
    buf_printf(out, " %-22.*s %-12s ", STR_ARG(e->service), requirement_name(e->required));
    utf8_put_safe(out, e->phases);
    buf_put_byte(out, '\n');
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_json_list(struct json *j, const char *key, struct str list, const char *between)
{
    struct str sep = str_of(between);

    json_key(j, key);
    json_array(j);
    while (list.n) {
        size_t at = str_search(list, sep);

        json_str(j, str_head(list, at));
        list = str_skip(list, at + sep.n);
    }
    json_end(j);
}

static void put_json_str(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

static void put_json_endpoint(struct json *j, const struct answer *a)
{
    const struct endpoint *e = a->endpoint;

    put_json_str(j, "pattern", e->pattern);
    put_json_str(j, "service", e->service);
    if (a->service)
        put_json_str(j, "service_title", a->service->title);
    put_json_str(j, "role", e->role);
    put_json_list(j, "ports", e->ports, ",");
    put_json_list(j, "phases", e->phases, ",");
    json_key(j, "required");
    json_cstr(j, requirement_name(e->required));
    json_key(j, "inspection_unsupported");
    json_bool(j, e->inspection_unsupported);
    json_key(j, "proxies_unsupported");
    json_bool(j, e->proxies_unsupported);
    json_key(j, "legacy");
    json_bool(j, e->legacy);
    put_json_list(j, "sources", e->source, "; ");
}

static void put_json(struct json *j, const struct answer *a)
{
    json_object(j);
    if (a->asked.n) {
        put_json_str(j, "host", a->asked);
        json_key(j, "known");
        json_bool(j, a->endpoint != NULL);
    }
    if (a->endpoint)
        put_json_endpoint(j, a);
    json_end(j);
}

/* --- both ------------------------------------------------------------------------------------- */

struct answers {
    struct answer *v;
    size_t n;
    bool all_known;
};

static struct answers look_up(const struct endpoints *e, char **operands, struct arena *arena)
{
    struct answers all = {.all_known = true};

    while (operands[all.n])
        all.n++;
    all.v = arena_array(arena, all.n, sizeof *all.v);
    for (size_t i = 0; i < all.n; i++) {
        struct str host = host_in(operands[i]);

        all.v[i] = answer_of(e, endpoints_match(e, host), host);
        all.all_known = all.all_known && all.v[i].endpoint;
    }
    return all;
}

static struct answers list_all(const struct endpoints *e, struct arena *arena)
{
    struct answers all = {.n = endpoints_count(e), .all_known = true};

    all.v = arena_array(arena, all.n, sizeof *all.v);
    for (size_t i = 0; i < all.n; i++)
        all.v[i] = answer_of(e, endpoints_at(e, i), (struct str){0});
    return all;
}

static int print(const struct answers *all, const struct endpoints_options *o)
{
    struct look look = look_of(STDOUT_FILENO);
    struct buf out;
    struct json j;
    int status;

    buf_init(&out, BUF_UNBOUNDED);
    json_init(&j, &out, true);
    if (o->format == FORMAT_JSON)
        json_array(&j);
    for (size_t i = 0; i < all->n; i++) {
        if (o->format == FORMAT_JSON)
            put_json(&j, &all->v[i]);
        else if (o->list)
            put_line(&out, &look, &all->v[i]);
        else
            put_text(&out, &look, &all->v[i]);
    }
    if (o->format == FORMAT_JSON) {
        json_end(&j);
        buf_put_byte(&out, '\n');
    }
    status = output_put(buf_str(&out));
    buf_finish(&out);
    return status == EXIT_OK && !all->all_known ? EXIT_FOUND : status;
}

static int run(const void *options, char **operands)
{
    const struct endpoints_options *o = options;
    struct knowledge *knowledge = NULL;
    struct err err;

    if (o->list == (operands[0] != NULL)) {
        log_error("endpoints: give hosts to look up, or --list");
        return EXIT_TROUBLE;
    }
    if (knowledge_load(o->knowledge.at, o->knowledge.n, &knowledge, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }

    const struct endpoints *e = knowledge_endpoints(knowledge);
    struct arena *arena = arena_create();
    struct answers all = o->list ? list_all(e, arena) : look_up(e, operands, arena);
    int status = print(&all, o);

    arena_destroy(arena);
    knowledge_destroy(knowledge);
    return status;
}

const struct cmd cmd_endpoints = {
    .name = "endpoints",
    .operands = "[HOST…]",
    .operands_max = OPERANDS_ANY,
    .summary = "say what a host is, and who says so",
    .help = "Says for each host what a device does there, which service it belongs to, in which "
            "phases of provisioning it matters, whether it is required, whether TLS inspection "
            "breaks it, which pattern knew it, and where that is documented. A URL or HOST:PORT is "
            "taken for its host.\n\n"
            "The exit status is 1 when a host is not known.",
    .options = options_table,
    .options_size = sizeof(struct endpoints_options),
    .run = run,
};
