/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/codec.h"

#include "base/reader.h"

static void put_varint(struct buf *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    if (value < 0x80) { /* as nearly all are */
        buf_put_byte(out, (uint8_t)value);
        return;
    }
    do {
        bytes[n] = (uint8_t)(value & 0x7f);
        value >>= 7;
        bytes[n++] |= value ? 0x80 : 0;
    } while (value);
    buf_put(out, bytes, n);
}

static bool is_empty(const struct obs *o, enum obs_field field)
{
    if (obs_fields[field].type == FIELD_STR)
        return !obs_str(o, field).n;
    return !obs_num(o, field);
}

void obs_encode_fields(const struct obs *o, struct buf *out)
{
    const struct kind_info *kind = &obs_kinds[o->kind];
    unsigned count = kind->field_count;

    while (count && is_empty(o, kind->fields[count - 1]))
        count--;
    for (unsigned i = 0; i < count; i++) {
        enum obs_field field = kind->fields[i];

        if (obs_fields[field].type == FIELD_STR) {
            struct str text = str_head(obs_str(o, field), OBS_TEXT_MAX);

            put_varint(out, text.n);
            buf_put_str(out, text);
        } else {
            put_varint(out, obs_num(o, field));
        }
    }
}

bool obs_decode_fields(struct str bytes, struct obs *o)
{
    const struct kind_info *kind = &obs_kinds[o->kind];
    struct reader r = reader_of(bytes);

    for (unsigned i = 0; i < kind->field_count && r.rest.n; i++) {
        enum obs_field field = kind->fields[i];
        uint64_t value = reader_varint(&r);

        if (obs_fields[field].type == FIELD_STR)
            obs_set_str(o, field, reader_take(&r, value));
        else
            obs_set_num(o, field, value);
    }
    return !r.bad;
}

void obs_put_json(struct json *j, const struct obs *o)
{
    const struct kind_info *kind = &obs_kinds[o->kind];

    json_object(j);
    json_key(j, "seq");
    json_u64(j, o->seq);
    json_key(j, "at_us");
    json_u64(j, o->at_us);
    json_key(j, "kind");
    json_cstr(j, kind->name);
    json_key(j, "source");
    json_cstr(j, obs_sources[o->source].name);
    if (o->device) {
        json_key(j, "device");
        json_u64(j, o->device);
    }
    if (o->flow) {
        json_key(j, "flow");
        json_u64(j, o->flow);
    }
    for (unsigned i = 0; i < kind->field_count; i++) {
        enum obs_field field = kind->fields[i];
        unsigned word_count = 0;
        const struct word_info *words = field_words(obs_fields[field].type, &word_count);

        if (is_empty(o, field))
            continue;
        json_key(j, obs_fields[field].name);
        if (obs_fields[field].type == FIELD_STR)
            json_str(j, obs_str(o, field));
        else if (words)
            json_cstr(j, words[obs_num(o, field)].name);
        else
            json_u64(j, obs_num(o, field));
    }
    json_end(j);
}
