/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/combined.h"

#include "sources/imports/logtime.h"
#include "sources/imports/squid_outcome.h"

static struct str or_nothing(struct str s)
{
    return str_eq(s, STR("-")) ? STR("") : s;
}

/* What stands between `open` and `close`, in which a backslash takes the meaning off a quote. */
static bool take_enclosed(struct str *rest, char open, char close, struct str *ret_text)
{
    size_t n = 0;

    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = str_skip(*rest, 1);
    if (!rest->n || rest->p[0] != open)
        return false;
    *rest = str_skip(*rest, 1);
    while (n < rest->n && rest->p[n] != close)
        n += rest->p[n] == '\\' ? 2 : 1;
    if (n >= rest->n)
        return false;
    *ret_text = str_head(*rest, n);
    *rest = str_skip(*rest, n + 1);
    return true;
}

/* "METHOD URL VERSION": what is between the first word and the last is the URL, blanks and all. */
static bool cut_request(struct str request, struct str *ret_method, struct str *ret_target)
{
    size_t last = str_rfind(request, ' ');
    struct str version = str_skip(request, last + 1);

    if (str_find(version, '/') < version.n && str_find(version, ':') == version.n)
        request = str_head(request, last);
    *ret_method = str_word(&request);
    *ret_target = str_trim(request);
    return ret_target->n;
}

/* Squid puts "TCP_MISS:HIER_DIRECT" at the end. */
static void take_result(struct str rest, struct squid_result *result)
{
    struct str hierarchy = str_trim(rest);
    struct str code = str_cut(&hierarchy, ':');

    if (is_squid_code(code)) {
        result->code = code;
        result->hierarchy = hierarchy;
    }
}

static enum record_fate bad(const char *why, const char **ret_why)
{
    *ret_why = why;
    return RECORD_BAD;
}

static enum record_fate of_no_url(struct str target, const char **ret_why)
{
    if (str_starts(target, STR("error:")) || str_starts(target, STR("cache_object:")))
        return RECORD_NOTHING;
    if (str_starts(target, STR("/")) || str_eq(target, STR("*")))
        return bad("the request names no host: this is a web server's log, not a proxy's", ret_why);
    return bad("the URL is not an absolute one", ret_why);
}

enum record_fate combined_parse(struct str line, struct account *a, const char **ret_why)
{
    struct squid_result result = {0};
    struct str rest = line, request = {0}, method = {0}, target = {0}, referer = {0}, agent = {0};

    account_clear(a);

    struct str client = str_word(&rest);
    size_t time_at = str_find(rest, '['); /* a user's name may have blanks */
    if (!client.n || client.n > HOST_MAX || time_at == rest.n)
        return bad("there is no [TIME] after the client's address", ret_why);
    a->client = or_nothing(client);

    struct str time = {0};
    rest = str_skip(rest, time_at);
    if (!take_enclosed(&rest, '[', ']', &time) || !common_time_parse(time, &a->ended_us))
        return bad("the time is not one as [09/Jul/2025:03:05:57 +0000]", ret_why);
    a->began_us = a->ended_us;

    if (!take_enclosed(&rest, '"', '"', &request))
        return bad("there is no \"REQUEST\" in quotes after the time", ret_why);
    if (!log_bytes_parse(str_word(&rest), &a->status) || a->status > 999)
        return bad("there is no status after the request", ret_why);
    if (!log_bytes_parse(str_word(&rest), &result.bytes))
        return bad("there is no number of bytes after the status", ret_why);
    if (take_enclosed(&rest, '"', '"', &referer) && take_enclosed(&rest, '"', '"', &agent))
        a->user_agent = or_nothing(agent);
    take_result(rest, &result);

    if (str_eq(request, STR("-")) || is_cache_talk(result.code))
        return RECORD_NOTHING;
    if (!cut_request(request, &method, &target))
        return bad("the request is not \"METHOD URL VERSION\"", ret_why);
    if (!account_ask(a, method, target))
        return of_no_url(target, ret_why);
    squid_outcome(a, &result);
    return RECORD_FLOW;
}
