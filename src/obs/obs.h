/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * obs: an observation, one thing seen at one moment by one source; never changed afterwards.
 *
 * The struct is wide: it has every field of fields.def as a member, and the table kinds.def says
 * which of them a kind has. So whoever emits one writes down what was seen,
 *
 *     stream_put(stream, &(struct obs){.kind = OBS_FLOW_OPENED, .flow = id, .device = device,
 *                                      .host = host, .port = 443, .how = HOW_CONNECT});
 *
 * and the codec, NDJSON, the rules and the page's types all walk the same two tables. Members that
 * a kind does not have are not kept. Text is borrowed: valid during the call that hands it over.
 */
#pragma once

#include "base/str.h"

enum obs_kind {
#define OBS(id, name, level, says, ...) OBS_##id,
#include "obs/kinds.def"
#undef OBS
    OBS_KINDS
};

enum obs_level { OBS_DETAIL, OBS_INFO, OBS_WARN };

/* The enumerated fields; zero is "not said". */
#define WORD(id, name, says) WORD_ENUM(id),

enum flow_how {
    HOW_NONE,
#define WORD_ENUM(id) HOW_##id
#include "obs/hows.def"
#undef WORD_ENUM
    HOW_COUNT
};

enum flow_why {
    WHY_NONE,
#define WORD_ENUM(id) WHY_##id
#include "obs/whys.def"
#undef WORD_ENUM
    WHY_COUNT
};

enum obs_by {
    BY_NONE,
#define WORD_ENUM(id) BY_##id
#include "obs/bys.def"
#undef WORD_ENUM
    BY_COUNT
};

enum obs_source {
    SOURCE_NONE,
#define WORD_ENUM(id) SOURCE_##id
#include "obs/sources.def"
#undef WORD_ENUM
    SOURCE_COUNT
};

#undef WORD

enum obs_field {
#define FIELD(member, type, name, says) FIELD_##member,
#include "obs/fields.def"
#undef FIELD
    FIELDS
};

enum field_type { FIELD_STR, FIELD_NUM, FIELD_HOW, FIELD_WHY, FIELD_BY };

/* The C type behind each type letter of fields.def. */
#define OBS_MEMBER_STR struct str
#define OBS_MEMBER_NUM uint64_t
#define OBS_MEMBER_HOW enum flow_how
#define OBS_MEMBER_WHY enum flow_why
#define OBS_MEMBER_BY enum obs_by

struct obs {
    uint64_t seq;    /* 1 for the first of a recording, then one more each */
    uint64_t at_us;  /* microseconds since the recording began */
    uint64_t flow;   /* 0: none */
    uint32_t device; /* 0: none */
    enum obs_kind kind;
    enum obs_source source;
    struct str encoded; /* the fields as codec.h has them, when they are at hand already */
#define FIELD(member, type, name, says) OBS_MEMBER_##type member;
#include "obs/fields.def"
#undef FIELD
};

enum { OBS_KIND_FIELDS_MAX = 8 };

struct kind_info {
    const char *name;
    const char *says;
    enum obs_level level;
    unsigned field_count;
    enum obs_field fields[OBS_KIND_FIELDS_MAX];
};

struct field_info {
    const char *name;
    const char *says;
    enum field_type type;
    size_t offset; /* of the member in struct obs */
};

extern const struct kind_info obs_kinds[OBS_KINDS];
extern const struct field_info obs_fields[FIELDS];

/* An enumerated word: its name and meaning. Index 0 is the empty word. */
struct word_info {
    const char *name;
    const char *says;
};

extern const struct word_info obs_hows[HOW_COUNT];
extern const struct word_info obs_whys[WHY_COUNT];
extern const struct word_info obs_bys[BY_COUNT];
extern const struct word_info obs_sources[SOURCE_COUNT];

/* By name; false when there is none. */
bool obs_kind_named(struct str name, enum obs_kind *ret_kind);
/* The words of an enumerated field's type; NULL for STR and NUM. */
const struct word_info *field_words(enum field_type type, unsigned *ret_count);

/* Reads and writes a member by its field. obs_num serves NUM and the enumerated types. */
struct str obs_str(const struct obs *o, enum obs_field field);
uint64_t obs_num(const struct obs *o, enum obs_field field);
void obs_set_str(struct obs *o, enum obs_field field, struct str value);
void obs_set_num(struct obs *o, enum obs_field field, uint64_t value);
