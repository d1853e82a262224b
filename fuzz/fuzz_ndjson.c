/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole file of any kind, imported as a command does it. What came out is exported as NDJSON and
 * imported again: that has to give the same, to the byte.
 */
#include "base/auto.h"
#include "obs/devices.h"
#include "report/export.h"
#include "sources/imports/import.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct exporting {
    void *exporter;
};

static void put(void *ctx, const struct obs *o)
{
    export_ndjson.put(((struct exporting *)ctx)->exporter, o);
}

static void emit(struct import *import, uint64_t began_wall_us, struct buf *out)
{
    struct exporting e = {export_ndjson.create(out, began_wall_us)};
    struct stream stream;
    struct devices devices;

    stream_init(&stream, NULL);
    stream_add_sink(&stream, put, &e);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    assert(import_emit(import, &stream, NULL) == 0);
    devices_finish(&devices);
    export_ndjson.finish(e.exporter);
}

/* False when it cannot be imported. */
static bool to_ndjson(struct str text, struct buf *out, struct import_report *ret_report)
{
    AUTO(auto_close) int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct import *import = NULL;
    char path[32];

    assert(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (import_open(path, NULL, &import, ret_report, NULL))
        return false;
    emit(import, ret_report->began_wall_us, out);
    import_close(import);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once, twice;
    struct import_report report, again;

    buf_init(&once, BUF_UNBOUNDED);
    buf_init(&twice, BUF_UNBOUNDED);
    if (size && to_ndjson(str_from(data, size), &once, &report)) {
        assert(to_ndjson(buf_str(&once), &twice, &again));
        assert(!again.skipped);
        assert(str_eq(buf_str(&once), buf_str(&twice)));
    }
    buf_finish(&once);
    buf_finish(&twice);
    return 0;
}
