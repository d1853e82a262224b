/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/pac.h"

#include "base/host_pattern.h"
#include "base/utf8.h"

/* A string of JavaScript: whatever is in it, it ends where it should, and the file is ASCII. */
static void put_string(struct buf *out, struct str text)
{
    buf_put_byte(out, '"');
    while (text.n) {
        uint32_t c = utf8_next(&text);

        c = c == UTF8_BAD ? 0xfffd : c;
        if (c >= 0x10000) /* beyond 16 bits JavaScript has two of them */
            buf_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
        else if (c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<')
            buf_printf(out, "\\u%04x", c);
        else
            buf_put_byte(out, (uint8_t)c);
    }
    buf_put_byte(out, '"');
}

/* Our star is one character or more, and that of shExpMatch any number. */
static void put_shell_pattern(struct buf *out, struct str pattern)
{
    struct buf text;

    buf_init(&text, BUF_UNBOUNDED);
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] == '*')
            buf_put_byte(&text, '?');
        buf_put_byte(&text, (uint8_t)pattern.p[i]);
    }
    put_string(out, buf_str(&text));
    buf_finish(&text);
}

/* A condition for one pattern, the simplest that says it. */
static void put_fits(struct buf *out, struct str pattern)
{
    struct str tail = str_skip(pattern, 1);

    if (str_find(pattern, '*') == pattern.n) {
        buf_put_str(out, STR("host == "));
        put_string(out, pattern);
    } else if (str_starts(pattern, STR("*.")) && str_find(tail, '*') == tail.n) {
        buf_put_str(out, STR("dnsDomainIs(host, "));
        put_string(out, tail);
        buf_put_byte(out, ')');
    } else {
        buf_put_str(out, STR("shExpMatch(host, "));
        put_shell_pattern(out, pattern);
        buf_put_byte(out, ')');
    }
}

static void put_direct(struct buf *out, struct str pattern)
{
    buf_put_str(out, STR("    if ("));
    put_fits(out, pattern);
    buf_put_str(out, STR(")\n        return \"DIRECT\";\n"));
}

/* Some clients give an IPv6 address in its brackets, and some without. */
static void put_own_host(struct buf *out, struct arena *a, struct str authority)
{
    struct str host;
    uint16_t port;

    if (!authority_parse(authority, 80, &host, &port))
        return;
    put_direct(out, host_pattern_normal(a, host));
    if (str_find(host, ':') < host.n)
        put_direct(out, arena_printf(a, "[" STR_FMT "]", STR_ARG(host_pattern_normal(a, host))));
}

void pac_put(struct buf *out, struct str proxy_authority, const char *const *direct_patterns,
             size_t n)
{
    struct arena *a = arena_create();

    buf_put_str(out, STR("function FindProxyForURL(url, host)\n{\n"
                         "    host = host.toLowerCase();\n"
                         "    /* An IPv6 address has no dot, and is no plain name for that. */\n"
                         "    if (isPlainHostName(host) && host.indexOf(\":\") < 0)\n"
                         "        return \"DIRECT\";\n"));
    put_own_host(out, a, proxy_authority);
    for (size_t i = 0; i < n; i++)
        put_direct(out, host_pattern_normal(a, str_of(direct_patterns[i])));
    buf_put_str(out, STR("    return "));
    put_string(out, arena_printf(a, "PROXY " STR_FMT, STR_ARG(proxy_authority)));
    buf_put_str(out, STR(";\n}\n"));
    arena_destroy(a);
}
