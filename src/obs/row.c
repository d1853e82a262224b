/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/row.h"

#include <assert.h>
#include <string.h>

void obs_row_put(struct buf *rows, const struct obs *o)
{
    size_t at = rows->n;
    struct obs_row row = {.seq = o->seq,
                          .at_us = o->at_us,
                          .flow = o->flow,
                          .device = o->device,
                          .kind = (uint16_t)o->kind,
                          .source = (uint16_t)o->source};

    buf_put(rows, &row, sizeof row);
    if (o->encoded.n)
        buf_put_str(rows, o->encoded);
    else
        obs_encode_fields(o, rows);
    assert(!rows->full);
    row.fields_bytes = (uint32_t)(rows->n - at - sizeof row);
    memcpy(rows->p + at, &row, sizeof row);
}

bool obs_row_peek(struct str rows, struct obs_row *ret_row)
{
    if (!rows.n)
        return false;
    memcpy(ret_row, rows.p, sizeof *ret_row);
    return true;
}

struct str obs_row_cut(struct str *rows, const struct obs_row *row)
{
    struct str fields = str_head(str_skip(*rows, sizeof *row), row->fields_bytes);

    *rows = str_skip(*rows, sizeof *row + row->fields_bytes);
    return fields;
}

void obs_row_read(const struct obs_row *row, struct str fields, struct obs *ret_obs)
{
    bool is_whole;

    *ret_obs = (struct obs){.seq = row->seq,
                            .at_us = row->at_us,
                            .flow = row->flow,
                            .device = row->device,
                            .kind = (enum obs_kind)row->kind,
                            .source = (enum obs_source)row->source,
                            .encoded = fields};
    is_whole = obs_decode_fields(fields, ret_obs);
    assert(is_whole);
    (void)is_whole;
}
