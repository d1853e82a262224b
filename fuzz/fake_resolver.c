/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of loop/resolver.h, so that the linker takes nothing from resolver.o. */
#include "fuzz/fake_resolver.h"

#include "base/xalloc.h"
#include "fuzz/must.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL_BYTES = INET6_ADDRSTRLEN };

struct resolver_query {
    struct resolver_query *next;
    enum family family;
    resolver_done *done;
    void *ctx;
};

struct resolver {
    struct resolver_query *waiting; /* the oldest first */
    unsigned addresses;             /* given so far */
    char answer_all;
};

/* There is one proxy, and it has one. */
static struct resolver *the_one;

int resolver_create(struct loop *loop, const char *server, struct resolver **ret_resolver,
                    struct err *err)
{
    (void)loop;
    (void)server;
    (void)err;
    *ret_resolver = the_one = xalloc(sizeof *the_one);
    return 0;
}

void resolver_destroy(struct resolver *r)
{
    if (!r)
        return;
    while (r->waiting)
        resolver_drop(r, r->waiting);
    the_one = NULL;
    free(r);
}

/* No names are known without asking. */
void resolver_use_hosts(struct resolver *r, const char *path)
{
    (void)r;
    (void)path;
}

bool resolver_knows(struct resolver *r, struct str host, struct addresses *ret_addresses)
{
    char literal[LITERAL_BYTES];

    (void)r;
    snprintf(literal, sizeof literal, STR_FMT, STR_ARG(host));
    return host.n < sizeof literal && addresses_add_literal(ret_addresses, literal);
}

/* Answers */

static const struct {
    char how;
    const char *addresses[4]; /* with a number that no other address has */
} answers[] = {
    {'4', {"93.184.%u.%u"}},
    {'6', {"2606:2800::%x:%x"}},
    {'d', {"2606:2800::%x:%x", "93.184.%u.%u"}},
    {'m', {"2606:2800::%x:%x", "2606:2801::%x:%x", "93.184.%u.%u", "93.185.%u.%u"}},
    {'p', {"10.9.%u.%u"}},
    {'l', {"127.0.%u.%u"}},
    {'o', {"10.0.0.1"}},
};

static void add_address(struct resolver *r, const char *format, struct resolved *answer)
{
    unsigned number = ++r->addresses;
    char text[LITERAL_BYTES];

    if ((strchr(format, ':') != NULL) != (answer->family == FAMILY_V6))
        return;
    snprintf(text, sizeof text, format, number >> 8 & 0xff, number & 0xff);
    must(addresses_add_literal(&answer->addresses, text), "the table has addresses");
    answer->error = NULL;
}

/* A name without an address of this family says less than one that is not there. */
static struct resolved answer_of(struct resolver *r, enum family family, char how)
{
    struct resolved answer = {.family = family, .error = "no such name", .weight = 2};

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].how == how) {
            answer.error = "the name has no address";
            answer.weight = 1;
            for (size_t j = 0; j < 4 && answers[i].addresses[j]; j++)
                add_address(r, answers[i].addresses[j], &answer);
        }
    return answer;
}

void fake_resolver_answer_all(char how)
{
    if (the_one)
        the_one->answer_all = how;
}

void fake_resolver_answer_one(char how)
{
    struct resolver *r = the_one;
    struct resolver_query query;
    struct resolved answer;

    if (!r || !r->waiting)
        return;
    query = *r->waiting;
    answer = answer_of(r, query.family, how);
    resolver_drop(r, r->waiting);
    query.done(query.ctx, &answer);
}

/* Questions */

static struct resolver_query *wait_for_answer(struct resolver *r, struct resolver_query query)
{
    struct resolver_query **last = &r->waiting, *q = xalloc(sizeof *q);

    *q = query;
    while (*last)
        last = &(*last)->next;
    return *last = q;
}

struct resolver_query *resolver_ask(struct resolver *r, struct str host, enum family family,
                                    resolver_done *done, void *ctx)
{
    struct resolved answer;

    (void)host;
    if (!r->answer_all)
        return wait_for_answer(r,
                               (struct resolver_query){.family = family, .done = done, .ctx = ctx});
    answer = answer_of(r, family, r->answer_all);
    done(ctx, &answer);
    return NULL;
}

void resolver_drop(struct resolver *r, struct resolver_query *query)
{
    struct resolver_query **link = &r->waiting;

    if (!query)
        return;
    while (*link != query)
        link = &(*link)->next;
    *link = query->next;
    free(query);
}
