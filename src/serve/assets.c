/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/assets.h"

#include "base/embedded.h"

#include <openssl/sha.h>

extern const struct embedded page_files[];

enum { ETAG_BYTES = 12 }; /* of the digest */

/* What the page may load and run: what is ours, and pictures that it makes. */
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct {
    struct str ending;
    const char *type;
} types[] = {
    {STR(".html"), "text/html; charset=utf-8"},
    {STR(".js"), "text/javascript; charset=utf-8"},
    {STR(".css"), "text/css; charset=utf-8"},
    {STR(".svg"), "image/svg+xml"},
    {STR(".png"), "image/png"},
    {STR(".ico"), "image/x-icon"},
};

static const char *type_of(struct str name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_ends(name, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

static const struct embedded *find(struct str name)
{
    for (const struct embedded *f = page_files; f->name; f++)
        if (str_eq(str_of(f->name), name))
            return f;
    return NULL;
}

static const char *digest(const struct embedded *f, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char *text = arena_alloc(arena, 2 * ETAG_BYTES + 1);

    SHA256((const uint8_t *)f->bytes, f->n, hash);
    for (size_t i = 0; i < ETAG_BYTES; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    return text;
}

static void answer_file(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    struct str name = request->params[0].n ? request->params[0] : STR("index.html");
    const struct embedded *f = find(name);

    (void)ctx;
    if (!f) {
        web_refuse(request, answer, 404, "there is nothing here");
        return;
    }
    answer->type = type_of(name);
    answer->etag = digest(f, request->arena);
    answer->is_gzipped = true;
    answer->fields[0] = (struct web_field){"Content-Security-Policy", PAGE_POLICY};
    buf_put_str(&answer->body, embedded_str(f));
}

const struct web_route asset_routes[ASSET_ROUTES] = {
    {"GET", "/", answer_file},
    {"GET", "/*", answer_file},
};
