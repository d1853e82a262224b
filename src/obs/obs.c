/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/obs.h"

#include <assert.h>

#define F(member) FIELD_##member
#define OBS(id, name, level, says, ...)                                                            \
    {name,                                                                                         \
     says,                                                                                         \
     OBS_##level,                                                                                  \
     sizeof((enum obs_field[]){__VA_ARGS__}) / sizeof(enum obs_field),                             \
     {__VA_ARGS__}},
const struct kind_info obs_kinds[OBS_KINDS] = {
#include "obs/kinds.def"
};
#undef OBS
#undef F

const struct field_info obs_fields[FIELDS] = {
#define FIELD(member, type, name, says) {name, says, FIELD_##type, offsetof(struct obs, member)},
#include "obs/fields.def"
#undef FIELD
};

#define WORD(id, name, says) {name, says},

const struct word_info obs_hows[HOW_COUNT] = {
    {"", "not said"},
#include "obs/hows.def"
};

const struct word_info obs_whys[WHY_COUNT] = {
    {"", "not said"},
#include "obs/whys.def"
};

const struct word_info obs_bys[BY_COUNT] = {
    {"", "not said"},
#include "obs/bys.def"
};

const struct word_info obs_sources[SOURCE_COUNT] = {
    {"", "not said"},
#include "obs/sources.def"
};

#undef WORD

bool obs_kind_named(struct str name, enum obs_kind *ret_kind)
{
    for (unsigned i = 0; i < OBS_KINDS; i++)
        if (str_eq(str_of(obs_kinds[i].name), name)) {
            *ret_kind = (enum obs_kind)i;
            return true;
        }
    return false;
}

const struct word_info *field_words(enum field_type type, unsigned *ret_count)
{
    switch (type) {
    case FIELD_HOW:
        *ret_count = HOW_COUNT;
        return obs_hows;
    case FIELD_WHY:
        *ret_count = WHY_COUNT;
        return obs_whys;
    case FIELD_BY:
        *ret_count = BY_COUNT;
        return obs_bys;
    case FIELD_STR:
    case FIELD_NUM:
        break;
    }
    *ret_count = 0;
    return NULL;
}

static const void *member(const struct obs *o, enum obs_field field)
{
    return (const char *)o + obs_fields[field].offset;
}

struct str obs_str(const struct obs *o, enum obs_field field)
{
    assert(obs_fields[field].type == FIELD_STR);
    return *(const struct str *)member(o, field);
}

uint64_t obs_num(const struct obs *o, enum obs_field field)
{
    switch (obs_fields[field].type) {
    case FIELD_NUM:
        return *(const uint64_t *)member(o, field);
    case FIELD_HOW:
        return *(const enum flow_how *)member(o, field);
    case FIELD_WHY:
        return *(const enum flow_why *)member(o, field);
    case FIELD_BY:
        return *(const enum obs_by *)member(o, field);
    case FIELD_STR:
        break;
    }
    assert(!"a text field has no number");
    return 0;
}

void obs_set_str(struct obs *o, enum obs_field field, struct str value)
{
    assert(obs_fields[field].type == FIELD_STR);
    *(struct str *)((char *)o + obs_fields[field].offset) = value;
}

void obs_set_num(struct obs *o, enum obs_field field, uint64_t value)
{
    void *at = (char *)o + obs_fields[field].offset;

    switch (obs_fields[field].type) {
    case FIELD_NUM:
        *(uint64_t *)at = value;
        return;
    case FIELD_HOW:
        *(enum flow_how *)at = value < HOW_COUNT ? (enum flow_how)value : HOW_NONE;
        return;
    case FIELD_WHY:
        *(enum flow_why *)at = value < WHY_COUNT ? (enum flow_why)value : WHY_UNKNOWN;
        return;
    case FIELD_BY:
        *(enum obs_by *)at = value < BY_COUNT ? (enum obs_by)value : BY_NONE;
        return;
    case FIELD_STR:
        break;
    }
    assert(!"a text field takes no number");
}
