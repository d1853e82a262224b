/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/squid_outcome.h"

#include <assert.h>
#include <stdio.h>

enum tag {
    NO_TAGS = 0,
    DENIED = 1 << 0,
    ABORTED = 1 << 1,
    TIMEDOUT = 1 << 2,
    HIT = 1 << 3,
    TUNNEL = 1 << 4,
    ERR = 1 << 5,
    DNS = 1 << 6,
    CONNECT_ = 1 << 7,
    INVALID = 1 << 8,
    NONE = 1 << 9,
};

/* Words of result codes that matter here; "TCP_REFRESH_MISS" has others, which do not. */
static const struct {
    struct str word;
    enum tag tag;
} tag_words[] = {
    {STR("DENIED"), DENIED},     {STR("ABORTED"), ABORTED},  {STR("ABORT"), ABORTED},
    {STR("TIMEDOUT"), TIMEDOUT}, {STR("TIMEOUT"), TIMEDOUT}, {STR("HIT"), HIT},
    {STR("TUNNEL"), TUNNEL},     {STR("ERR"), ERR},          {STR("DNS"), DNS},
    {STR("CONNECT"), CONNECT_},  {STR("INVALID"), INVALID},  {STR("NONE"), NONE},
};

enum asked { ANYTHING, CONNECT, PLAIN };
enum route { ANYWHERE, NOWHERE, SERVER, PARENT };
enum page { ANY_PAGE, OWN_PAGE };

enum {
    OWN_PAGE_BYTES = 2048,
    /* "HTTP/1.1 200 Connection established" and the empty line: Squid counts it as tunnel bytes. */
    ESTABLISHED_BYTES = 39,
};

struct outcome {
    unsigned tags;
    enum asked asked;
    enum route route;
    uint64_t lowest, highest;
    enum page page;
    int reached;
    enum obs_by by;
    enum flow_why why;
};

static const struct outcome outcomes[] = {
#define OUTCOME(...) {__VA_ARGS__},
#include "sources/imports/squid_outcomes.def"
#undef OUTCOME
};

static unsigned tags_of(struct str code)
{
    unsigned tags = NO_TAGS;

    while (code.n) {
        struct str word = str_cut(&code, '_');

        for (size_t i = 0; i < sizeof tag_words / sizeof *tag_words; i++)
            if (str_eq(word, tag_words[i].word))
                tags |= tag_words[i].tag;
    }
    return tags;
}

bool is_squid_code(struct str code)
{
    static const struct str firsts[] = {STR("TCP"), STR("NONE"), STR("UDP"), STR("TAG"),
                                        STR("ERR")};

    for (size_t i = 0; i < code.n; i++)
        if ((code.p[i] < 'A' || code.p[i] > 'Z') && code.p[i] != '_')
            return false;

    struct str first = str_cut(&code, '_');
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
        if (str_eq(first, firsts[i]))
            return true;
    return false;
}

bool is_cache_talk(struct str code)
{
    return str_starts(code, STR("UDP_"));
}

/* "TIMEOUT_HIER_DIRECT": the neighbours were asked in vain first. "DIRECT": before Squid 3.2. */
static struct str plain_hierarchy(struct str hierarchy)
{
    static const struct str prefixes[] = {STR("TIMEOUT_"), STR("HIER_")};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(hierarchy, prefixes[i]))
            hierarchy = str_skip(hierarchy, prefixes[i].n);
    return hierarchy;
}

static enum route route_of(struct str hierarchy)
{
    static const struct str directs[] = {STR("DIRECT"), STR("CLOSEST_DIRECT"), STR("ORIGINAL_DST"),
                                         STR("PINNED"), STR("SOURCE_FASTEST")};
    struct str plain = plain_hierarchy(hierarchy);

    if (!plain.n)
        return ANYWHERE;
    if (str_eq(plain, STR("NONE")))
        return NOWHERE;
    for (size_t i = 0; i < sizeof directs / sizeof *directs; i++)
        if (str_eq(plain, directs[i]))
            return SERVER;
    return PARENT;
}

bool is_direct(struct str hierarchy)
{
    return route_of(hierarchy) == SERVER;
}

static const struct outcome *find_outcome(unsigned tags, enum asked asked, enum route route,
                                          uint64_t status, enum page page)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        const struct outcome *o = &outcomes[i];

        if ((tags & o->tags) == o->tags && (!o->asked || o->asked == asked) &&
            (!o->route || o->route == route) && status >= o->lowest && status <= o->highest &&
            (!o->page || o->page == page))
            return o;
    }
    assert(!"the last row fits everything");
    return NULL;
}

/* Why it failed, as the log has it: "NONE_NONE/503 HIER_NONE". */
static void say_error(struct account *a, const struct squid_result *result)
{
    if (result->code.n)
        snprintf(a->error, sizeof a->error, STR_FMT "/%03u " STR_FMT, STR_ARG(result->code),
                 (unsigned)a->status, STR_ARG(result->hierarchy));
    else
        snprintf(a->error, sizeof a->error, "answered with status %u", (unsigned)a->status);
}

bool is_first_look(const struct account *a, const struct squid_result *result)
{
    return a->how == HOW_CONNECT && a->status == 200 && !result->bytes &&
           tags_of(result->code) & NONE && route_of(result->hierarchy) == NOWHERE;
}

void squid_outcome(struct account *a, const struct squid_result *result)
{
    unsigned tags = tags_of(result->code);
    bool is_connect = a->how == HOW_CONNECT;
    bool is_page = str_istarts(a->content_type, STR("text/html")) || !a->content_type.n;
    const struct outcome *o =
        find_outcome(tags, is_connect ? CONNECT : PLAIN, route_of(result->hierarchy), a->status,
                     is_page && result->bytes >= OWN_PAGE_BYTES ? OWN_PAGE : ANY_PAGE);

    a->reached = o->reached;
    a->by = o->by;
    a->why = o->why;
    a->bytes_down = result->bytes;

    /* There is no name to resolve in an address. */
    if (a->reached == NAME_NOT_FOUND && host_is_address(a->host)) {
        a->reached = NOT_REACHED;
        a->why = WHY_CONNECT_FAILED;
    }
    if (a->reached != REACHED)
        say_error(a, result);
    if (is_connect && a->status == 200) {
        a->answered_us = a->began_us; /* a tunnel is answered before it is used, not at its end */
        if (tags & TUNNEL && a->bytes_down >= ESTABLISHED_BYTES)
            a->bytes_down -= ESTABLISHED_BYTES;
    }
}
