/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/squid.h"

#include "sources/imports/logtime.h"
#include "sources/imports/squid_outcome.h"

static struct str or_nothing(struct str s)
{
    return str_eq(s, STR("-")) ? STR("") : s;
}

static bool take_time(struct str *line, uint64_t *ret_us)
{
    struct str first = str_word(line);

    if (first.n && str_find(first, '/') == first.n)
        return epoch_time_parse(first, ret_us);

    /* %tl, in two words */
    struct str whole = {first.p, first.n};
    struct str offset = str_word(line);
    if (!offset.n)
        return false;
    whole.n = (size_t)(offset.p + offset.n - first.p);
    if (str_starts(whole, STR("[")) && str_ends(whole, STR("]")))
        whole = str_head(str_skip(whole, 1), whole.n - 2);
    return common_time_parse(whole, ret_us);
}

/* "Jul  9 03:05:57 gate (squid-1)[812]: …": the line as it went through syslog. */
static struct str without_syslog(struct str line)
{
    size_t name = str_search(line, STR("squid"));
    struct str rest = str_skip(line, name);
    size_t end = str_search(rest, STR(": "));

    return end < rest.n ? str_skip(rest, end + 2) : line;
}

/* A clock that was set back gives negative times, and a bad one absurd times: taken as not said. */
static bool parse_elapsed(struct str s, uint64_t *ret_us)
{
    bool is_negative = str_starts(s, STR("-"));
    uint64_t ms = 0;

    if (!str_eq(s, STR("-")) && !str_to_u64(str_skip(s, is_negative), &ms))
        return false;
    *ret_us = is_negative || ms > ELAPSED_US_MAX / 1000 ? 0 : ms * 1000;
    return true;
}

/* A method is a token of RFC 9110; "-" stands for a request that never had one. */
static bool is_method(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || (uint8_t)s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '/')
            return false;
    return s.n;
}

/* Any text without blanks and controls, as an address or a resolved name is. */
static bool is_client(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '"')
            return false;
    return s.n && s.n <= HOST_MAX;
}

/*
 * The URL is up to the user and the hierarchy code. A URL with blanks in it (uri_whitespace allow)
 * is several words: the first word that looks like HIERARCHY/PEER ends it.
 */
static bool take_target(struct str *rest, struct str *ret_target, struct str *ret_hierarchy,
                        struct str *ret_peer)
{
    struct str target = str_word(rest), previous = str_word(rest), word;

    while ((word = str_word(rest)).n) {
        struct str peer = word;
        struct str hierarchy = str_cut(&peer, '/');

        if (hierarchy.n > 3 && hierarchy.n < word.n && hierarchy.p[0] >= 'A' &&
            hierarchy.p[0] <= 'Z' && str_find(hierarchy, ':') == hierarchy.n) {
            *ret_target = target;
            *ret_hierarchy = hierarchy;
            *ret_peer = peer;
            return true;
        }
        target.n = (size_t)(previous.p + previous.n - target.p);
        previous = word;
    }
    return false;
}

/* The value of User-Agent in the headers that log_mime_hdrs adds: "[…\r\nUser-Agent: …\r\n…]". */
static struct str find_user_agent(struct str headers)
{
    static const struct str name = STR("User-Agent: ");
    static const struct str ends[] = {STR("%0D"), STR("\\r"), STR("]")};
    struct str value = str_skip(headers, str_search(headers, name) + name.n);

    if (!str_starts(str_trim(headers), STR("[")))
        return (struct str){0};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        value = str_head(value, str_search(value, ends[i]));
    return value;
}

/* What Squid logs as a URL though nobody asked for it. */
static enum record_fate of_no_url(struct account *a, struct str target, const char **ret_why)
{
    /* Something was sent that is not HTTP. That is worth seeing, though no host is known. */
    if (str_eq(target, STR("error:invalid-request")) ||
        str_eq(target, STR("error:request-too-large"))) {
        a->why = WHY_BAD_REQUEST;
        a->by = BY_PROXY;
        a->method = (struct str){0};
        return RECORD_FLOW;
    }
    /* A connection on which nothing came, and Squid's own pages. */
    if (str_starts(target, STR("error:")) || str_starts(target, STR("cache_object:")) ||
        str_starts(target, STR("-")))
        return RECORD_NOTHING;
    *ret_why = "the URL is not an absolute one";
    return RECORD_BAD;
}

static enum record_fate bad(const char *why, const char **ret_why)
{
    *ret_why = why;
    return RECORD_BAD;
}

enum record_fate squid_parse(struct str line, struct account *a, const char **ret_why)
{
    struct squid_result result = {0};
    struct str rest = line, target = {0}, peer = {0};
    uint64_t elapsed_us = 0;

    account_clear(a);
    if (!take_time(&rest, &a->ended_us)) {
        rest = without_syslog(line);
        if (!take_time(&rest, &a->ended_us))
            return bad("it does not begin with a time", ret_why);
    }
    if (!parse_elapsed(str_word(&rest), &elapsed_us))
        return bad("the second field is not a number of milliseconds", ret_why);
    a->began_us = a->ended_us - elapsed_us;

    struct str client = str_word(&rest);
    if (!is_client(client))
        return bad("the third field is not a client address", ret_why);
    a->client = or_nothing(client);

    struct str status = str_word(&rest);
    result.code = str_cut(&status, '/');
    if (!is_squid_code(result.code) || !str_to_u64(status, &a->status) || a->status > 999)
        return bad("the fourth field is not CODE/STATUS, as TCP_MISS/200", ret_why);
    if (!log_bytes_parse(str_word(&rest), &result.bytes))
        return bad("the fifth field is not a number of bytes", ret_why);

    struct str method = str_word(&rest);
    if (!is_method(method))
        return bad("the sixth field is not a method", ret_why);
    if (!take_target(&rest, &target, &result.hierarchy, &peer))
        return bad("there is no HIERARCHY/PEER after the URL, as HIER_DIRECT/192.0.2.1", ret_why);
    a->content_type = or_nothing(str_word(&rest));
    a->user_agent = find_user_agent(rest);

    if (is_cache_talk(result.code))
        return RECORD_NOTHING;
    if (!account_ask(a, method, target))
        return of_no_url(a, target, ret_why);
    if (is_first_look(a, &result))
        return RECORD_NOTHING;
    if (is_direct(result.hierarchy) && host_is_address(peer) && a->status)
        a->address = peer;
    squid_outcome(a, &result);
    return RECORD_FLOW;
}
