/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/served.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* What is beyond is in the file alone. */
enum { FLOWS_MAX = 1 << 19, FLOW_BYTES_MAX = 512 << 20 };

/* --- which device changed when --- */

static void unlink_device(struct served *s, struct served_device *d)
{
    *(d->older ? &d->older->newer : &s->oldest) = d->newer;
    *(d->newer ? &d->newer->older : &s->newest) = d->older;
}

static void link_newest(struct served *s, struct served_device *d)
{
    d->older = s->newest;
    d->newer = NULL;
    *(d->older ? &d->older->newer : &s->oldest) = d;
    s->newest = d;
}

static void device_changed(struct served *s, uint32_t id)
{
    struct served_device *d = map_get(&s->devices, id);

    if (d) {
        unlink_device(s, d);
    } else {
        d = xalloc(sizeof *d);
        d->id = id;
        map_put(&s->devices, id, d);
    }
    d->version = ++s->device_version;
    link_newest(s, d);
}

const struct served_device *served_changed(const struct served *s, uint64_t version)
{
    const struct served_device *d = s->newest;

    if (!version)
        return s->oldest;
    if (!d || d->version <= version)
        return NULL;
    while (d->older && d->older->version > version)
        d = d->older;
    return d;
}

/* --- what the explainer tells --- */

static void on_moment(void *ctx, uint32_t device, const struct strip_moment *m, bool again)
{
    (void)m;
    (void)again;
    device_changed(ctx, device);
}

static void on_finding(void *ctx, uint32_t device, const struct strip_finding *f, bool again)
{
    (void)f;
    (void)again;
    device_changed(ctx, device);
}

static void on_failed(void *ctx, uint64_t flow, enum flow_failure failure)
{
    struct served *s = ctx;

    flow_table_fail(s->flows, flow, failure);
}

static void listen(struct served *s)
{
    explainer_listen(s->explainer, &(struct explainer_listener){.moment = on_moment,
                                                                .finding = on_finding,
                                                                .failed = on_failed,
                                                                .ctx = s});
}

/* --- what is put --- */

/*
 * A flow's failure is told while the explainer is put its last observation, which is before we are:
 * the row is there, as its first was put before.
 */
void served_put(void *served, const struct obs *o)
{
    struct served *s = served;

    if (o->seq >= RECORDING_NOTE_SEQ)
        return;
    s->seq = o->seq;
    s->last_us = o->at_us > s->last_us ? o->at_us : s->last_us;
    flow_table_put(s->flows, o);
    if (o->device)
        device_changed(s, o->device);
}

void served_is_live(struct served *s, const struct clock *clock, struct recorder *recorder)
{
    s->live = true;
    s->clock = clock;
    s->recorder = recorder;
}

void served_advance(struct served *s, uint64_t now_us)
{
    s->last_us = now_us > s->last_us ? now_us : s->last_us;
}

/* The outcome is another now, whatever else is not. */
void served_end(struct served *s)
{
    for (struct served_device *d = s->oldest; d; d = d->newer)
        d->version = ++s->device_version;
    s->live = false;
    s->clock = NULL;
    s->recorder = NULL;
    served_let_go(s);
}

void served_use(struct served *s, const struct knowledge *knowledge, struct explainer *explainer)
{
    s->about.knowledge = knowledge;
    s->explainer = explainer;
    flow_table_use(s->flows, knowledge_endpoints(knowledge));
    listen(s);
    s->generation++;
}

uint64_t served_now_us(const struct served *s)
{
    uint64_t now_us = s->clock ? clock_now_us(s->clock) : 0;

    return now_us > s->last_us ? now_us : s->last_us;
}

/* --- what it shows --- */

void served_catch_up(struct served *s)
{
    if (s->live)
        explainer_advance(s->explainer, served_now_us(s));
}

struct strip *served_strip(const struct served *s, uint32_t device, struct arena *arena)
{
    struct strip *strip = explainer_strip_of(s->explainer, device, arena);

    if (strip)
        strip_leave_out_notes(strip);
    return strip;
}

/* --- the file --- */

int served_file(struct served *s, struct recording **ret_recording, struct err *err)
{
    int r = s->recording ? 0 : recording_open(s->about.path, &s->recording, err);

    if (r == 0)
        *ret_recording = s->recording;
    return r;
}

static void drop_copy(struct served *s)
{
    if (s->copy_fd >= 0)
        close(s->copy_fd);
    s->copy_fd = -1;
}

void served_let_go(struct served *s)
{
    recording_close(s->recording);
    s->recording = NULL;
}

bool served_is_stored(const struct served *s, uint64_t seq)
{
    uint64_t lost;

    return !s->recorder || recorder_committed(s->recorder) >= seq ||
           recorder_trouble(s->recorder, &lost, NULL) < 0;
}

void served_look_for_notes(struct served *s)
{
    struct recording *file = NULL;
    uint64_t digest = 0;

    if (!s->about.takes_notes || served_file(s, &file, NULL) < 0 ||
        recording_notes_digest(file, &digest, NULL) < 0 || digest == s->notes_digest)
        return;
    s->notes_digest = digest;
    s->notes_version++;
}

/* Again only when the notes, which are all that changes in it, are others. */
int served_copy(struct served *s, int *ret_fd, struct err *err)
{
    struct recording *file;
    int r = 0, fd;

    served_look_for_notes(s);
    if (s->copy_fd < 0 || s->copied_notes != s->notes_version) {
        drop_copy(s);
        s->copied_notes = s->notes_version;
        r = served_file(s, &file, err);
        if (r == 0)
            r = recording_copy(file, &s->copy_fd, err);
    }
    if (r < 0)
        return r;
    fd = fcntl(s->copy_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, -errno, "%s: %s", s->about.path, strerror(errno));
    *ret_fd = fd;
    return 0;
}

/* --- making and ending --- */

struct served *served_create(const struct served_options *options)
{
    struct served *s = xalloc(sizeof *s);

    s->about = *options;
    s->copy_fd = -1;
    s->explainer = options->explainer;
    s->flows =
        flow_table_create(knowledge_endpoints(options->knowledge), FLOWS_MAX, FLOW_BYTES_MAX);
    listen(s);
    return s;
}

void served_destroy(struct served *s)
{
    struct served_device *d;

    if (!s)
        return;
    for (size_t at = 0; (d = map_next(&s->devices, &at, NULL));)
        free(d);
    map_finish(&s->devices);
    flow_table_destroy(s->flows);
    served_let_go(s);
    drop_copy(s);
    free(s);
}
