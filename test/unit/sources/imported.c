/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/sources/imported.h"

#include "base/xalloc.h"
#include "obs/devices.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static void describe_field(struct buf *out, const struct obs *o, enum obs_field field)
{
    unsigned count = 0;
    const struct word_info *words = field_words(obs_fields[field].type, &count);
    const char *name = obs_fields[field].name;

    if (obs_fields[field].type == FIELD_STR) {
        if (!obs_str(o, field).n)
            return;
        buf_printf(out, " %s=", name);
        buf_put_str(out, obs_str(o, field));
    } else if (obs_num(o, field)) {
        if (words)
            buf_printf(out, " %s=%s", name, words[obs_num(o, field)].name);
        else
            buf_printf(out, " %s=%" PRIu64, name, obs_num(o, field));
    }
}

void describe(struct buf *out, const struct obs *o)
{
    const struct kind_info *kind = &obs_kinds[o->kind];

    buf_printf(out, "%" PRIu64 ".%03u %s", o->at_us / 1000000, (unsigned)(o->at_us / 1000 % 1000),
               kind->name);
    if (o->flow)
        buf_printf(out, " #%" PRIu64, o->flow);
    if (o->device)
        buf_printf(out, " @%u", o->device);
    for (unsigned i = 0; i < kind->field_count; i++)
        describe_field(out, o, kind->fields[i]);
    buf_put_byte(out, '\n');
}

static void describe_to(void *out, const struct obs *o)
{
    describe(out, o);
}

char *file_with(struct str text)
{
    char *path = xstrdup("/tmp/flightstrip-test-XXXXXX");
    int fd = mkstemp(path);

    assert(fd >= 0);
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        assert(n > 0);
        text = str_skip(text, (size_t)n);
    }
    close(fd);
    return path;
}

int import_text(struct str text, struct import_report *ret_report, struct buf *out)
{
    char *path = file_with(text);
    struct import *import = NULL;
    struct stream stream;
    struct devices devices;
    struct err err = {0};
    int r = import_open(path, NULL, &import, ret_report, &err);

    stream_init(&stream, NULL);
    stream_add_sink(&stream, describe_to, out);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    if (!r)
        r = import_emit(import, &stream, &err);
    if (r)
        buf_printf(out, "%s",
                   err.text + (str_starts(str_of(err.text), str_of(path)) ? str_of(path).n : 0));
    devices_finish(&devices);
    import_close(import);
    unlink(path);
    free(path);
    return r;
}
