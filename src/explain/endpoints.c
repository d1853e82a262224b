/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every pattern has a tail: the text after its last `*`, or all of it when it has none. A host that
 * a pattern fits ends in that tail. So the patterns stand in a hash table by tail, and a host is
 * hashed once, from its end: on the way the hash of each of its own ends comes by. Tails begin with
 * a dot, but for a few, whose lengths are noted; so only a handful of a host's ends are looked up,
 * the longest first, and that is the order of specificity. Patterns with one tail hang in a chain,
 * the most fixed text first.
 */
#include "explain/endpoints.h"

#include "base/map.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A whole name and a tail of the same text are two things: this keeps them apart. */
#define EXACT_SALT 0x9e3779b97f4a7c15ull

/* What a match reads comes first, and the pattern stands before it in memory: one cache miss. */
struct entry {
    struct str tail;
    struct entry *next; /* same tail, less specific */
    size_t fixed;       /* characters that are not `*` */
    bool exact;         /* no `*` */
    bool plain;         /* one `*`, at the beginning: a host that ends in the tail fits */
    struct endpoint endpoint;
};

/* One tail. */
struct slot {
    uint64_t hash;
    struct entry *first; /* NULL: the slot is free */
};

struct endpoints {
    struct arena *arena;
    struct str_map by_pattern, by_service;
    struct entry **entries; /* in order of pattern, once built */
    struct service_info **services;
    size_t n, room, service_n, service_room;

    struct slot *slots; /* a power of two, at most half full */
    size_t mask;
    bool odd_lengths[HOST_MAX + 1]; /* of tails that do not begin with a dot */
    bool built;
};

const char *requirement_name(enum requirement r)
{
    static const char *const names[] = {"no", "conditional", "yes"};

    return names[r];
}

struct endpoints *endpoints_create(void)
{
    struct endpoints *e = xalloc(sizeof *e);

    e->arena = arena_create();
    return e;
}

void endpoints_destroy(struct endpoints *e)
{
    if (!e)
        return;
    str_map_finish(&e->by_pattern);
    str_map_finish(&e->by_service);
    arena_destroy(e->arena);
    free(e->entries);
    free(e->services);
    free(e->slots);
    free(e);
}

/* --- adding ----------------------------------------------------------------------------------- */

static struct str without_last_dot(struct str name)
{
    return str_ends(name, STR(".")) ? str_head(name, name.n - 1) : name;
}

/* The one way in which a pattern is kept. */
static struct str normal_pattern(struct arena *a, struct str pattern)
{
    struct str whole = without_last_dot(pattern);
    struct str star = str_starts(whole, STR(".")) ? STR("*") : STR("");
    char *p = arena_alloc(a, star.n + whole.n + 1);

    memcpy(p, star.p, star.n);
    for (size_t i = 0; i < whole.n; i++)
        p[star.n + i] = ascii_lower(whole.p[i]);
    return (struct str){p, star.n + whole.n};
}

static size_t count_fixed(struct str pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.n; i++)
        n += pattern.p[i] != '*';
    return n;
}

/* The entry's texts, with `from`'s in it, owned by the arena. */
static void fill(struct endpoints *e, struct entry *entry, const struct endpoint *from)
{
    struct str pattern = entry->endpoint.pattern;

    entry->endpoint = *from;
    entry->endpoint.pattern = pattern;
    entry->endpoint.service = arena_str(e->arena, from->service);
    entry->endpoint.role = arena_str(e->arena, from->role);
    entry->endpoint.phases = arena_str(e->arena, from->phases);
    entry->endpoint.ports = arena_str(e->arena, from->ports);
    entry->endpoint.source = arena_str(e->arena, from->source);
}

static struct entry *entry_create(struct endpoints *e, struct str pattern)
{
    struct entry *entry = arena_alloc(e->arena, sizeof *entry);
    size_t star = str_rfind(pattern, '*');

    entry->endpoint.pattern = pattern;
    entry->exact = star == pattern.n;
    entry->tail = entry->exact ? pattern : str_skip(pattern, star + 1);
    entry->fixed = count_fixed(pattern);
    entry->plain = !entry->exact && entry->tail.n + 1 == pattern.n;
    return entry;
}

void endpoints_add(struct endpoints *e, const struct endpoint *endpoint)
{
    struct str pattern = normal_pattern(e->arena, endpoint->pattern);
    struct entry *entry = str_map_get(&e->by_pattern, pattern);

    e->built = false;
    if (!entry) {
        entry = entry_create(e, pattern);
        str_map_put(&e->by_pattern, pattern, entry);
        if (e->n == e->room) {
            e->room = e->room ? e->room * 2 : 64;
            e->entries = xreallocarray(e->entries, e->room, sizeof *e->entries);
        }
        e->entries[e->n++] = entry;
    }
    fill(e, entry, endpoint);
}

void endpoints_add_service(struct endpoints *e, const struct service_info *service)
{
    struct service_info *info = str_map_get(&e->by_service, service->id);

    e->built = false;
    if (!info) {
        info = arena_alloc(e->arena, sizeof *info);
        info->id = arena_str(e->arena, service->id);
        str_map_put(&e->by_service, info->id, info);
        if (e->service_n == e->service_room) {
            e->service_room = e->service_room ? e->service_room * 2 : 64;
            e->services = xreallocarray(e->services, e->service_room, sizeof *e->services);
        }
        e->services[e->service_n++] = info;
    }
    info->title = arena_str(e->arena, service->title);
    info->says = arena_str(e->arena, service->says);
}

/* --- building --------------------------------------------------------------------------------- */

/*
 * One character more, going to the left. The multiplication does not wait for the character before,
 * so a step costs two cycles.
 */
static uint64_t hash_step(uint64_t h, char c)
{
    return (h << 9 | h >> 55) ^ (uint8_t)c * 0x9e3779b97f4a7c15ull;
}

#define HASH_BEGIN 0ull

static uint64_t hash_end(uint64_t h, bool exact)
{
    h = (h ^ (exact ? EXACT_SALT : 0)) * 0xd6e8feb86659fd93ull;
    return h ^ h >> 32;
}

static uint64_t hash_of(struct str tail, bool exact)
{
    uint64_t h = HASH_BEGIN;

    for (size_t i = tail.n; i-- > 0;)
        h = hash_step(h, tail.p[i]);
    return hash_end(h, exact);
}

/* The slot of a tail: the one that holds it, or the free one where it belongs. */
static struct slot *slot_of(const struct endpoints *e, uint64_t hash, struct str tail, bool exact)
{
    for (size_t i = hash & e->mask;; i = (i + 1) & e->mask) {
        struct slot *s = &e->slots[i];

        if (!s->first ||
            (s->hash == hash && s->first->exact == exact && str_eq(s->first->tail, tail)))
            return s;
    }
}

/* Most fixed text first; the entries come in order of pattern, and equals keep it. */
static void hang(struct slot *slot, struct entry *entry)
{
    struct entry **at = &slot->first;

    while (*at && (*at)->fixed >= entry->fixed)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
}

static int by_pattern(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;

    return str_cmp((*x)->endpoint.pattern, (*y)->endpoint.pattern);
}

static int by_id(const void *a, const void *b)
{
    const struct service_info *const *x = a, *const *y = b;

    return str_cmp((*x)->id, (*y)->id);
}

static void clear_table(struct endpoints *e)
{
    size_t room = 16;

    while (room < e->n * 2)
        room *= 2;
    free(e->slots);
    e->slots = xalloc(room * sizeof *e->slots);
    e->mask = room - 1;
    memset(e->odd_lengths, 0, sizeof e->odd_lengths);
}

void endpoints_build(struct endpoints *e)
{
    if (e->n)
        qsort(e->entries, e->n, sizeof *e->entries, by_pattern);
    if (e->service_n)
        qsort(e->services, e->service_n, sizeof *e->services, by_id);
    clear_table(e);
    for (size_t i = 0; i < e->n; i++) {
        struct entry *entry = e->entries[i];
        uint64_t hash = hash_of(entry->tail, entry->exact);
        struct slot *slot = slot_of(e, hash, entry->tail, entry->exact);

        slot->hash = hash;
        hang(slot, entry);
        if (!entry->exact && !str_starts(entry->tail, STR(".")) && entry->tail.n <= HOST_MAX)
            e->odd_lengths[entry->tail.n] = true;
    }
    e->built = true;
}

/* --- matching --------------------------------------------------------------------------------- */

static bool fits(struct str p, struct str h)
{
    bool starred = str_starts(p, STR(".")); /* a `*` has been passed: it can still grow */
    size_t after_star = 0;                  /* where the pattern goes on behind it */
    size_t grown = starred ? 1 : 0;         /* where the host goes on behind it */
    size_t i = 0, j = grown;

    while (j < h.n) {
        if (i < p.n && p.p[i] == '*') {
            starred = true;
            after_star = ++i;
            grown = ++j;
        } else if (i < p.n && ascii_lower(p.p[i]) == ascii_lower(h.p[j])) {
            i++;
            j++;
        } else if (starred) {
            i = after_star;
            j = ++grown;
        } else {
            return false;
        }
    }
    return i == p.n;
}

bool host_pattern_fits(struct str pattern, struct str host)
{
    return fits(without_last_dot(pattern), without_last_dot(host));
}

/* The most specific of the patterns with one tail. */
static const struct endpoint *first_fitting(const struct entry *entry, struct str name)
{
    for (; entry; entry = entry->next)
        if (entry->plain || fits(entry->endpoint.pattern, name))
            return &entry->endpoint;
    return NULL;
}

/* Where a name's ends begin that could be tails, from the right, and their hashes. */
struct ends {
    unsigned n;
    uint8_t at[HOST_MAX + 1];
    uint64_t hash[HOST_MAX + 1];
};

static void ends_add(struct ends *ends, size_t at, uint64_t h)
{
    ends->at[ends->n] = (uint8_t)at;
    ends->hash[ends->n++] = h;
}

const struct endpoint *endpoints_match(const struct endpoints *e, struct str host)
{
    struct str given = without_last_dot(host);
    char name[HOST_MAX];
    struct ends ends;
    uint64_t h = HASH_BEGIN;

    assert(e->built);
    if (!given.n || given.n > HOST_MAX)
        return NULL;
    ends.n = 0;
    if (e->odd_lengths[0])
        ends_add(&ends, given.n, h);
    for (size_t i = given.n; i-- > 0;) {
        name[i] = ascii_lower(given.p[i]);
        h = hash_step(h, name[i]);
        if (i > 0 && (name[i] == '.' || e->odd_lengths[given.n - i]))
            ends_add(&ends, i, h);
    }

    struct str whole = {name, given.n};
    const struct slot *slot = slot_of(e, hash_end(h, true), whole, true);
    if (slot->first)
        return &slot->first->endpoint;
    while (ends.n-- > 0) {
        struct str tail = str_skip(whole, ends.at[ends.n]);
        const struct endpoint *found = NULL;

        slot = slot_of(e, hash_end(ends.hash[ends.n], false), tail, false);
        found = first_fitting(slot->first, whole);
        if (found)
            return found;
    }
    return NULL;
}

/* --- looking around --------------------------------------------------------------------------- */

size_t endpoints_count(const struct endpoints *e)
{
    return e->n;
}

const struct endpoint *endpoints_at(const struct endpoints *e, size_t i)
{
    assert(i < e->n);
    return &e->entries[i]->endpoint;
}

const struct service_info *endpoints_service(const struct endpoints *e, struct str id)
{
    return str_map_get(&e->by_service, id);
}

size_t endpoints_service_count(const struct endpoints *e)
{
    return e->service_n;
}

const struct service_info *endpoints_service_at(const struct endpoints *e, size_t i)
{
    assert(i < e->service_n);
    return e->services[i];
}
