/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observations made up from a seed, of every kind; and whether two of them say the same. */
#pragma once

#include "obs/obs.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* splitmix64: any seed gives a good sequence. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* FLIGHTSTRIP_SEED, or one of the moment; printed, so that a failure can be had again. */
static inline uint64_t random_seed(void)
{
    const char *given = getenv("FLIGHTSTRIP_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : 0;

    if (!given && getentropy(&seed, sizeof(seed)) < 0)
        seed = 1;
    print_message("FLIGHTSTRIP_SEED=%#llx\n", (unsigned long long)seed);
    return seed;
}

/* Numbers of every width: most small, some at the edges. */
static inline uint64_t random_number(uint64_t *state)
{
    uint64_t r = random_next(state);

    return random_next(state) >> (r % 64) >> (r >> 32 & 1 ? 0 : 32);
}

/* Any bytes, most of them text; `room` holds them. */
static inline struct str random_text(uint64_t *state, char *room, size_t size)
{
    size_t n = random_next(state) % 8 ? random_next(state) % 40 : random_next(state) % size;

    for (size_t i = 0; i < n; i++)
        room[i] =
            (char)(random_next(state) % 16 ? 'a' + random_next(state) % 26 : random_next(state));
    return str_from(room, n);
}

enum { RANDOM_ROOM = OBS_KIND_FIELDS_MAX * 512 };

/* Sets the fields of o->kind, which is set already; their text lies in `room`. */
static inline void random_fields(uint64_t *state, struct obs *o, char room[RANDOM_ROOM])
{
    const struct kind_info *kind = &obs_kinds[o->kind];

    for (unsigned i = 0; i < kind->field_count; i++) {
        enum obs_field field = kind->fields[i];
        unsigned words = 0;

        field_words(obs_fields[field].type, &words);
        if (random_next(state) % 4 == 0)
            continue;
        if (obs_fields[field].type == FIELD_STR)
            obs_set_str(o, field, random_text(state, room + i * 512, 512));
        else
            obs_set_num(o, field, words ? random_next(state) % words : random_number(state));
    }
}

/* The rows of the two are the same: all that a recording keeps. */
static inline void assert_obs_equal(const struct obs *a, const struct obs *b)
{
    assert_true(a->seq == b->seq);
    assert_true(a->at_us == b->at_us);
    assert_true(a->flow == b->flow);
    assert_int_equal(a->device, b->device);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->source, b->source);
    for (unsigned i = 0; i < obs_kinds[a->kind].field_count; i++) {
        enum obs_field field = obs_kinds[a->kind].fields[i];

        if (obs_fields[field].type == FIELD_STR)
            assert_true(str_eq(obs_str(a, field), obs_str(b, field)));
        else
            assert_true(obs_num(a, field) == obs_num(b, field));
    }
}
