/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow_table: the flows of a recording, as the page shows them: a fold over the observations. The
 * same observations give the same rows, be they replayed from a file or recorded at this moment.
 *
 * Rows can be walked in the order of their numbers, and in the order in which they changed last. So
 * whoever reads along is nothing but a seq up to which it knows everything: what it does not know
 * is what changed after that, each row once and as it is now. A slow reader costs nothing.
 *
 * There is a ceiling for the rows and one for their bytes. At either those rows go that were met
 * first, a few thousand at a time; the recording still has them.
 */
#pragma once

#include "base/json.h"
#include "explain/endpoints.h"
#include "explain/failure.h"
#include "obs/obs.h"

enum {
    FLOW_CHUNK = 4096,    /* rows that come and go together */
    FLOW_TEXT_MAX = 2048, /* bytes of a text of a row; its observation has all of it */
    FLOW_POINTS_MAX = 32, /* that say how its bytes grew */
};
#define FLOW_NEVER UINT64_MAX /* was not seen */

struct row_text {
    char *p;
    uint16_t n, room;
};

struct row_point {
    uint64_t at_us, bytes_up, bytes_down;
};

struct row_points {
    struct row_point *v;
    unsigned n, room;
};

/* The C type behind each type of flow_columns.def. */
#define ROW_MEMBER_NUM uint64_t
#define ROW_MEMBER_MAYBE uint64_t
#define ROW_MEMBER_TEXT struct row_text
#define ROW_MEMBER_HOW enum flow_how
#define ROW_MEMBER_WHY enum flow_why
#define ROW_MEMBER_FAILURE enum flow_failure
#define ROW_MEMBER_ENDPOINT int
#define ROW_MEMBER_MOVED struct row_points

struct flow_row {
#define COLUMN(member, type, says) ROW_MEMBER_##type member;
#include "serve/flow_columns.def"
#undef COLUMN
    uint64_t first_seq;             /* its observations have seqs from this to `seq` */
    struct row_text asked;          /* the host of a request whose flow has but an address */
    const struct row_text *name;    /* the text of its own by which it is known; NULL: none yet */
    struct flow_row *older, *newer; /* by their last change */
};

static inline struct str row_str(const struct row_text *text)
{
    return (struct str){text->p, text->n};
}

struct flow_table;

/* The endpoints stay the caller's, and are there until others are given. */
struct flow_table *flow_table_create(const struct endpoints *endpoints, size_t rows_max,
                                     size_t bytes_max);
void flow_table_destroy(struct flow_table *t); /* NULL is fine */
/* Other knowledge: every row's endpoint is looked up anew. */
void flow_table_use(struct flow_table *t, const struct endpoints *endpoints);

void flow_table_put(void *table, const struct obs *o); /* a sink for stream_add_sink */
/* What the explainer judges (explainer_listen); to be said before its last observation is put. */
void flow_table_fail(struct flow_table *t, uint64_t flow, enum flow_failure failure);

size_t flow_table_count(const struct flow_table *t);
const struct flow_row *flow_table_get(const struct flow_table *t, uint64_t flow); /* or NULL */
/* In order of number: the i-th, and the index of the first whose number is more than `flow`. */
const struct flow_row *flow_table_at(struct flow_table *t, size_t i);
size_t flow_table_after(struct flow_table *t, uint64_t flow);

/* The first that changed after `seq`, or NULL; those after it are its `newer`. */
const struct flow_row *flow_table_changed(const struct flow_table *t, uint64_t seq);
/* Whoever knows everything up to a seq below this has never heard of some rows that are gone. */
uint64_t flow_table_gone_seq(const struct flow_table *t);
/* The lowest number that there is; 1 when there is none. */
uint64_t flow_table_from(struct flow_table *t);

/* --- rows as JSON --- */

struct flow_column {
    const char *name, *type, *says;
};

extern const struct flow_column flow_columns[]; /* NULL at the end */

void put_row_array(struct json *j, const struct flow_row *row);   /* by the columns' order */
void put_row_members(struct json *j, const struct flow_row *row); /* by their names */
