/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every pattern has a tail: the text after its last `*`, or all of it when it has none. A host that
 * a pattern fits ends in that tail. So the patterns stand in a hash table by tail, and a host is
 * hashed once, from its end: on the way the hash of each of its own ends comes by. Tails begin with
 * a dot, but for a few, whose lengths are noted; so only a handful of a host's ends are looked up,
 * the longest first, and that is the order of specificity. Patterns with one tail hang in a chain,
 * the most fixed text first.
 */
#include "base/host_table.h"

#include "base/map.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A whole name and a tail of the same text are two things: this keeps them apart. */
#define EXACT_SALT 0x9e3779b97f4a7c15ull

/* The pattern stands before it in memory: a match costs one cache miss. */
struct entry {
    struct host_entry is;
    struct str tail;
    struct entry *next; /* same tail, less specific */
    size_t fixed;       /* characters that are not `*` */
    bool exact;         /* no `*` */
    bool plain;         /* one `*`, at the beginning: a host that ends in the tail fits */
};

/* One tail. */
struct slot {
    uint64_t hash;
    struct entry *first; /* NULL: the slot is free */
};

struct host_table {
    struct arena *arena;
    struct str_map by_pattern;
    struct entry **entries; /* in order of pattern, once built */
    size_t n, room;

    struct slot *slots; /* a power of two, at most half full */
    size_t mask;
    bool odd_lengths[HOST_MAX + 1]; /* of tails that do not begin with a dot */
    bool built;
};

struct host_table *host_table_create(void)
{
    struct host_table *t = xalloc(sizeof *t);

    t->arena = arena_create();
    return t;
}

void host_table_destroy(struct host_table *t)
{
    if (!t)
        return;
    str_map_finish(&t->by_pattern);
    arena_destroy(t->arena);
    free(t->entries);
    free(t->slots);
    free(t);
}

/* --- adding ----------------------------------------------------------------------------------- */

static size_t count_fixed(struct str pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.n; i++)
        n += pattern.p[i] != '*';
    return n;
}

static struct entry *entry_create(struct host_table *t, struct str pattern)
{
    struct entry *entry = arena_alloc(t->arena, sizeof *entry);
    size_t star = str_rfind(pattern, '*');

    entry->is.pattern = pattern;
    entry->exact = star == pattern.n;
    entry->tail = entry->exact ? pattern : str_skip(pattern, star + 1);
    entry->fixed = count_fixed(pattern);
    entry->plain = !entry->exact && entry->tail.n + 1 == pattern.n;
    return entry;
}

static void append(struct host_table *t, struct entry *entry)
{
    if (t->n == t->room) {
        t->room = t->room ? t->room * 2 : 64;
        t->entries = xreallocarray(t->entries, t->room, sizeof *t->entries);
    }
    t->entries[t->n++] = entry;
}

struct host_entry *host_table_add(struct host_table *t, struct str pattern)
{
    struct str normal = host_pattern_normal(t->arena, pattern);
    struct entry *entry = str_map_get(&t->by_pattern, normal);

    t->built = false;
    if (!entry) {
        entry = entry_create(t, normal);
        str_map_put(&t->by_pattern, normal, entry);
        append(t, entry);
    }
    return &entry->is;
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
static struct slot *slot_of(const struct host_table *t, uint64_t hash, struct str tail, bool exact)
{
    for (size_t i = hash & t->mask;; i = (i + 1) & t->mask) {
        struct slot *s = &t->slots[i];

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

    return str_cmp((*x)->is.pattern, (*y)->is.pattern);
}

static void clear_table(struct host_table *t)
{
    size_t room = 16;

    while (room < t->n * 2)
        room *= 2;
    free(t->slots);
    t->slots = xalloc(room * sizeof *t->slots);
    t->mask = room - 1;
    memset(t->odd_lengths, 0, sizeof t->odd_lengths);
}

void host_table_build(struct host_table *t)
{
    if (t->n)
        qsort(t->entries, t->n, sizeof *t->entries, by_pattern);
    clear_table(t);
    for (size_t i = 0; i < t->n; i++) {
        struct entry *entry = t->entries[i];
        uint64_t hash = hash_of(entry->tail, entry->exact);
        struct slot *slot = slot_of(t, hash, entry->tail, entry->exact);

        slot->hash = hash;
        hang(slot, entry);
        if (!entry->exact && !str_starts(entry->tail, STR(".")) && entry->tail.n <= HOST_MAX)
            t->odd_lengths[entry->tail.n] = true;
    }
    t->built = true;
}

/* --- matching --------------------------------------------------------------------------------- */

/* The most specific of the patterns with one tail. */
static void *first_fitting(const struct entry *entry, struct str name)
{
    for (; entry; entry = entry->next)
        if (entry->plain || host_pattern_fits_undotted(entry->is.pattern, name))
            return entry->is.value;
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

void *host_table_match(const struct host_table *t, struct str host)
{
    struct str given = host_undotted(host);
    char name[HOST_MAX];
    struct ends ends;
    uint64_t h = HASH_BEGIN;

    assert(t->built);
    if (!given.n || given.n > HOST_MAX)
        return NULL;
    ends.n = 0;
    if (t->odd_lengths[0])
        ends_add(&ends, given.n, h);
    for (size_t i = given.n; i-- > 0;) {
        name[i] = ascii_lower(given.p[i]);
        h = hash_step(h, name[i]);
        if (i > 0 && (name[i] == '.' || t->odd_lengths[given.n - i]))
            ends_add(&ends, i, h);
    }

    struct str whole = {name, given.n};
    const struct slot *slot = slot_of(t, hash_end(h, true), whole, true);
    if (slot->first)
        return slot->first->is.value;
    while (ends.n-- > 0) {
        struct str tail = str_skip(whole, ends.at[ends.n]);
        void *found;

        slot = slot_of(t, hash_end(ends.hash[ends.n], false), tail, false);
        found = first_fitting(slot->first, whole);
        if (found)
            return found;
    }
    return NULL;
}

/* --- looking around --------------------------------------------------------------------------- */

size_t host_table_count(const struct host_table *t)
{
    return t->n;
}

void *host_table_at(const struct host_table *t, size_t i)
{
    assert(i < t->n);
    return t->entries[i]->is.value;
}
