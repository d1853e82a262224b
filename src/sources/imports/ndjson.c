/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NDJSON of observations, as `flightstrip export --as ndjson` writes it: a header
 *
 *   {"flightstrip":1,"recording":{"began":"2026-11-23T18:39:00.123456Z"}}
 *
 * and then one observation a line, as obs_put_json writes it. The header may be missing, as it is
 * after grep: the recording then began in 1970.
 */
#include "base/timefmt.h"
#include "base/url.h"
#include "sources/imports/import_format.h"
#include "sources/imports/json_in.h"

#include <errno.h>
#include <inttypes.h>

enum {
    LINE_BYTES = 1 << 20, /* two texts of OBS_TEXT_MAX, escaped */
    LINES_LOOKED_AT = 50,
    FORMAT_VERSION = 1,
};

static const uint64_t at_us_max = 100ull * 366 * 86400 * 1000000;

static bool is_header(const json_t *object)
{
    return json_is_integer(json_object_get(object, "flightstrip")) &&
           json_is_object(json_object_get(object, "recording"));
}

static bool is_observation(const json_t *object)
{
    return json_is_string(json_object_get(object, "kind")) &&
           json_is_integer(json_object_get(object, "at_us"));
}

static unsigned recognise(struct str head)
{
    struct str line;
    unsigned n = 0;

    for (unsigned i = 0; i < LINES_LOOKED_AT && str_line(&head, &line); i++) {
        json_t *object = str_starts(line, STR("{")) ? json_object_in(line, NULL) : NULL;

        n += object && (is_header(object) || is_observation(object));
        json_decref(object);
    }
    return n;
}

static int read_header(struct import *i, const json_t *object, const char *path,
                       uint64_t *ret_began_us, struct err *err)
{
    const json_t *recording = json_object_get(object, "recording");
    json_int_t version = json_integer_value(json_object_get(object, "flightstrip"));

    if (version != FORMAT_VERSION)
        return err_set(err, -ENOTSUP, "%s: is version %" PRId64 " of the format; this reads %d",
                       path, (int64_t)version, FORMAT_VERSION);
    if (!rfc3339_parse(json_text(recording, "began"), ret_began_us) || *ret_began_us > WALL_US_MAX)
        return err_set(err, -EINVAL, "%s: the header does not say when the recording began", path);
    import_began(i, *ret_began_us);
    return 0;
}

static uint64_t word_named(enum field_type type, struct str name)
{
    unsigned count = 0;
    const struct word_info *words = field_words(type, &count);

    for (unsigned i = 1; i < count; i++)
        if (str_eq(str_of(words[i].name), name))
            return i;
    return type == FIELD_WHY && name.n ? WHY_UNKNOWN : 0; /* a newer program's word */
}

static enum obs_source source_named(struct str name)
{
    for (unsigned i = 1; i < SOURCE_COUNT; i++)
        if (str_eq(str_of(obs_sources[i].name), name))
            return (enum obs_source)i;
    return SOURCE_NONE;
}

/* Somebody else may have written the file, so its URLs are redacted like all others. */
static struct str redacted(struct str url, struct buf *out)
{
    buf_clear(out);
    url_put_redacted(out, url);
    return buf_str(out);
}

static void read_field(const json_t *object, enum obs_field field, struct obs *o, struct buf *url)
{
    const struct field_info *info = &obs_fields[field];
    uint64_t count = 0;

    switch (info->type) {
    case FIELD_STR:
        obs_set_str(o, field, json_text(object, info->name));
        break;
    case FIELD_NUM:
        json_count(object, info->name, &count);
        obs_set_num(o, field, count);
        break;
    case FIELD_HOW:
    case FIELD_WHY:
    case FIELD_BY:
        obs_set_num(o, field, word_named(info->type, json_text(object, info->name)));
        break;
    }
    if (field == FIELD_url)
        o->url = redacted(o->url, url);
}

/* False with the reason in err. Fields that the kind does not have are a newer program's. */
static bool read_observation(const json_t *object, struct obs *o, struct buf *url, struct err *err)
{
    struct str kind = json_text(object, "kind");
    uint64_t device = 0;

    if (!obs_kind_named(kind, &o->kind)) {
        err_set(err, -EINVAL, "there is no kind of observation named '" STR_FMT "'",
                STR_ARG(str_head(kind, 60)));
        return false;
    }
    if (!json_count(object, "at_us", &o->at_us) || o->at_us > at_us_max) {
        err_set(err, -EINVAL, "\"at_us\" is not a time in microseconds");
        return false;
    }
    json_count(object, "flow", &o->flow);
    json_count(object, "device", &device);
    if (device > UINT32_MAX || o->flow > INT64_MAX / 2) {
        err_set(err, -EINVAL, "\"device\" or \"flow\" is too large");
        return false;
    }
    o->device = (uint32_t)device;
    o->source = source_named(json_text(object, "source"));
    for (unsigned i = 0; i < obs_kinds[o->kind].field_count; i++)
        read_field(object, obs_kinds[o->kind].fields[i], o, url);
    return true;
}

struct reading {
    struct import *import;
    const char *path;
    uint64_t number;
    uint64_t began_us;
    bool begun; /* a record was read: what follows is no header */
    struct buf url;
};

static int read_object(struct reading *r, const json_t *object, struct err *err)
{
    struct obs o = {0};
    struct err why = {0};
    bool is_first = !r->begun;

    r->begun = true;
    if (is_first && is_header(object))
        return read_header(r->import, object, r->path, &r->began_us, err);
    if (is_first)
        import_began(r->import, 0);

    import_record(r->import);
    if (!read_observation(object, &o, &r->url, &why)) {
        import_bad(r->import, r->number, "%s", why.text);
        return 0;
    }
    o.at_us += r->began_us;
    return import_keep(r->import, &o, err);
}

static int read_line(struct reading *r, struct str line, struct err *err)
{
    struct err why = {0};
    json_t *object = json_object_in(line, &why);
    int result = 0;

    if (object) {
        result = read_object(r, object, err);
    } else {
        import_record(r->import);
        import_bad(r->import, r->number, "%s", why.text);
    }
    json_decref(object);
    return result;
}

static int read_ndjson(struct import *i, struct intake *in, struct err *err)
{
    struct reading reading = {.import = i, .path = in->path};
    struct str line;
    bool too_long;
    int r;

    buf_init(&reading.url, BUF_UNBOUNDED);
    while ((r = intake_line(in, LINE_BYTES, &line, &too_long, err)) > 0) {
        reading.number++;
        if (too_long) {
            import_record(i);
            import_bad(i, reading.number, "it is longer than %d bytes", LINE_BYTES);
        } else if (str_trim(line).n) {
            r = read_line(&reading, line, err);
        }
        if (r < 0)
            break;
    }
    buf_finish(&reading.url);
    return r < 0 ? r : 0;
}

const struct import_format format_ndjson = {
    .name = "NDJSON of observations",
    .record = "line",
    .recognise = recognise,
    .read = read_ndjson,
    .is_recording = true,
};
