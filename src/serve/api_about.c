/* SPDX-License-Identifier: GPL-3.0-or-later */
/* About the server, and what it knows. */
#include "explain/text.h"
#include "serve/api_private.h"

enum { API_VERSION = 1 };

/* Exact in JSON's numbers, and another for other knowledge. */
static uint64_t knowledge_version(const struct knowledge *k)
{
    return knowledge_digest(k) & ((UINT64_C(1) << 52) - 1);
}

void api_about(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct json j;

    (void)ctx;
    api_begin(a, &j);
    api_key_str(&j, "flightstrip", STR(FLIGHTSTRIP_VERSION));
    api_key_u64(&j, "api", API_VERSION);
    api_key_bool(&j, "may_write", r->may_write);
    json_end(&j);
}

static void put_endpoint(struct json *j, const struct endpoint *e)
{
    json_object(j);
    api_key_str(j, "pattern", e->pattern);
    api_key_str(j, "service", e->service);
    api_key_str(j, "role", e->role);
    api_key_str(j, "phases", e->phases);
    api_key_str(j, "required", str_of(requirement_name(e->required)));
    api_key_bool(j, "inspection_unsupported", e->inspection_unsupported);
    api_key_bool(j, "proxies_unsupported", e->proxies_unsupported);
    json_end(j);
}

static void put_service(struct json *j, const struct service_info *s)
{
    json_object(j);
    api_key_str(j, "id", s->id);
    api_key_str(j, "title", s->title);
    api_key_str(j, "says", s->says);
    json_end(j);
}

void api_endpoints(void *ctx, const struct web_request *r, struct web_answer *a)
{
    const struct api *api = ctx;
    const struct endpoints *e = knowledge_endpoints(api_knowledge(api));
    struct json j;

    (void)r;
    api_begin(a, &j);
    json_key(&j, "endpoints");
    json_array(&j);
    for (size_t i = 0; i < endpoints_count(e); i++)
        put_endpoint(&j, endpoints_at(e, i));
    json_end(&j);
    json_key(&j, "services");
    json_array(&j);
    for (size_t i = 0; i < endpoints_service_count(e); i++)
        put_service(&j, endpoints_service_at(e, i));
    json_end(&j);
    api_key_u64(&j, "version", knowledge_version(api_knowledge(api)));
    json_end(&j);
}

static void put_rule(struct web_answer *a, const struct rule_info *rule)
{
    struct json j;
    struct buf says;

    buf_init(&says, BUF_UNBOUNDED);
    texts_put_source(rule->says, &says);
    api_begin(a, &j);
    api_key_str(&j, "id", rule->id);
    api_key_str(&j, "kind", rule->kind);
    api_key_str(&j, "title", rule->title);
    api_key_str(&j, "says", buf_str(&says));
    api_key_str(&j, "file", rule->file);
    api_key_u64(&j, "line", rule->line);
    json_end(&j);
    buf_finish(&says);
}

/* An id may be that of a moment and of a phase: those of moments and findings come first. */
void api_rule(void *ctx, const struct web_request *r, struct web_answer *a)
{
    const struct api *api = ctx;

    for (size_t i = 0; i < knowledge_rule_count(api_knowledge(api)); i++) {
        struct rule_info rule = knowledge_rule(api_knowledge(api), i);

        if (str_eq(rule.id, r->params[0])) {
            put_rule(a, &rule);
            return;
        }
    }
    web_refuse(r, a, 404, "there is no rule '" STR_FMT "'", STR_ARG(r->params[0]));
}
