/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Wrong tokens are neither counted nor remembered: 128 bits are not guessed, and what is kept of
 * strangers is something that they can make grow.
 */
#include "serve/guard.h"

#include "base/base64.h"
#include "base/url.h"
#include "serve/fields.h"
#include "sources/proxy/address.h"

#include <openssl/crypto.h>
#include <sys/random.h>

enum { TOKEN_BYTES = 16, TOKEN_BASE64_CHARS = 24 }; /* which has two of padding */

/* --- tokens --- */

/* RFC 4648, section 5: the digits that a URL takes as they are. */
static char url_digit(char c)
{
    return c == '+' ? '-' : c == '/' ? '_' : c;
}

static void make_token(char token[static GUARD_TOKEN_CHARS + 1])
{
    uint8_t bytes[TOKEN_BYTES];
    struct buf text;

    for (size_t n = 0; n < sizeof bytes;) {
        ssize_t got = getrandom(bytes + n, sizeof bytes - n, 0);
        n += got > 0 ? (size_t)got : 0;
    }
    buf_init(&text, TOKEN_BASE64_CHARS);
    base64_put(&text, str_from(bytes, sizeof bytes));
    for (size_t i = 0; i < GUARD_TOKEN_CHARS; i++)
        token[i] = url_digit(text.p[i]);
    token[GUARD_TOKEN_CHARS] = '\0';
    buf_finish(&text);
}

void guard_init(struct guard *g, bool is_open, bool uses_tls, uint16_t port)
{
    *g = (struct guard){.is_open = is_open, .uses_tls = uses_tls};
    snprintf(g->cookie_name, sizeof g->cookie_name, "flightstrip-%u", port);
    make_token(g->read_token);
    make_token(g->write_token);
}

static bool is_token(struct str given, const char *token)
{
    return given.n == GUARD_TOKEN_CHARS && CRYPTO_memcmp(given.p, token, GUARD_TOKEN_CHARS) == 0;
}

static enum guard_verdict judge_token(const struct guard *g, struct str token)
{
    bool writes = is_token(token, g->write_token), reads = is_token(token, g->read_token);

    return writes ? GUARD_WRITES : reads ? GUARD_READS : GUARD_UNKNOWN;
}

/* A jar may hold several of one name; the one that may most counts. */
static enum guard_verdict judge_cookies(const struct guard *g, struct str cookies)
{
    enum guard_verdict best = GUARD_UNKNOWN;
    struct str token;

    while (fields_next_cookie(&cookies, str_of(g->cookie_name), &token)) {
        enum guard_verdict verdict = judge_token(g, token);

        if (verdict == GUARD_WRITES || best == GUARD_UNKNOWN)
            best = verdict;
    }
    return best;
}

static enum guard_verdict judge_tokens(const struct guard *g, const struct guard_asked *asked)
{
    static const struct str bearer = STR("Bearer ");

    if (str_istarts(asked->authorization, bearer))
        return judge_token(g, str_trim(str_skip(asked->authorization, bearer.n)));
    if (asked->opens_page && asked->token.p)
        return judge_token(g, asked->token) == GUARD_UNKNOWN ? GUARD_UNKNOWN : GUARD_ENTERS;
    return judge_cookies(g, asked->cookie);
}

/* --- names --- */

static bool is_machine_name(const struct guard *g, struct str host)
{
    struct str name = str_of(g->host_name), rest = name;
    struct str first = str_cut(&rest, '.');

    if (!name.n)
        return false;
    if (str_iends(host, STR(".local"))) /* RFC 6762, section 3 */
        return str_ieq(str_head(host, host.n - STR(".local").n), first);
    return str_ieq(host, name) || str_ieq(host, first);
}

/* The port is not looked at: a tunnel such as ssh -L has another at its far end. */
static bool is_our_host(const struct guard *g, struct str authority)
{
    struct sockaddr_storage address;
    struct str host;
    uint16_t port;

    if (!authority_parse(authority, 0, &host, &port))
        return false;
    if (address_parse(host, &address))
        return !g->is_open || address_is_loopback(&address);
    host = host_undotted(host);
    return str_ieq(host, STR("localhost")) || (!g->is_open && is_machine_name(g, host)) ||
           (g->certifies && g->certifies(g->ctx, host));
}

/* --- pages --- */

/* "https://HOST[:PORT]", and that is ours; "null" is somebody's who does not say. */
static bool is_our_origin(const struct guard *g, const struct guard_asked *asked)
{
    struct str authority = asked->origin;

    if (str_istarts(authority, STR("https://")))
        authority = str_skip(authority, STR("https://").n);
    else if (!g->uses_tls && str_istarts(authority, STR("http://")))
        authority = str_skip(authority, STR("http://").n);
    else
        return false;
    return str_ieq(authority, asked->host);
}

/* A link to our page, wherever it stands, is followed; what a page loads on its own is not. */
static bool opens_window(const struct guard_asked *asked)
{
    return asked->is_safe && str_eq(asked->fetch_mode, STR("navigate")) &&
           str_eq(asked->fetch_dest, STR("document"));
}

/* Who sends neither field is no browser, or one of old that loads what it cannot read. */
static bool is_our_page(const struct guard *g, const struct guard_asked *asked)
{
    bool is_ours = !asked->fetch_site.n || str_eq(asked->fetch_site, STR("same-origin")) ||
                   str_eq(asked->fetch_site, STR("none"));

    if (!asked->is_safe && asked->origin.n && !is_our_origin(g, asked))
        return false;
    return is_ours || opens_window(asked);
}

/* --- the verdict --- */

enum guard_verdict guard_judge(const struct guard *g, const struct guard_asked *asked)
{
    if (!is_our_host(g, asked->host))
        return GUARD_MISDIRECTED;
    if (!is_our_page(g, asked))
        return GUARD_FOREIGN;
    return g->is_open ? GUARD_WRITES : judge_tokens(g, asked);
}

void guard_put_cookie(const struct guard *g, struct str token, struct buf *out)
{
    buf_printf(out, "%s=" STR_FMT "; Path=/; HttpOnly; SameSite=Strict%s", g->cookie_name,
               STR_ARG(token), g->uses_tls ? "; Secure" : "");
}
