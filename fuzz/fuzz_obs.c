/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields of an observation, as a damaged or foreign recording may hold them. The first byte is the
 * kind, the rest its fields. What decodes has to encode to bytes that decode to the same.
 */
#include "base/buf.h"
#include "obs/codec.h"

#include <assert.h>

static void decode(enum obs_kind kind, struct str bytes, struct obs *o)
{
    *o = (struct obs){.kind = kind};
    assert(obs_decode_fields(bytes, o));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct obs o = {0}, again;
    struct buf once, twice, text;
    struct json j;

    if (!size)
        return 0;
    o.kind = (enum obs_kind)(data[0] % OBS_KINDS);
    if (!obs_decode_fields(str_from(data + 1, size - 1), &o))
        return 0;

    buf_init(&once, BUF_UNBOUNDED);
    buf_init(&twice, BUF_UNBOUNDED);
    buf_init(&text, BUF_UNBOUNDED);
    obs_encode_fields(&o, &once);
    decode(o.kind, buf_str(&once), &again);
    obs_encode_fields(&again, &twice);
    assert(str_eq(buf_str(&once), buf_str(&twice)));

    json_init(&j, &text, false);
    obs_put_json(&j, &o);
    assert(!text.full);
    buf_finish(&once);
    buf_finish(&twice);
    buf_finish(&text);
    return 0;
}
