/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recording that is damaged or forged: it is opened and read to its end, or refused with a
 * sentence that names it. What is handed out is in order, and its text is within its bounds.
 */
#include "store/recording.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/flightstrip-fuzz-XXXXXX";
static char path[sizeof(dir) + 32];

static void remove_all(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char name[sizeof(path) + 16];

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void leave(void)
{
    remove_all();
    rmdir(dir);
}

static void write_input(const uint8_t *data, size_t size)
{
    if (!*path) {
        if (!mkdtemp(dir))
            abort();
        snprintf(path, sizeof(path), "%s/fuzz.flight", dir);
        atexit(leave);
    }
    remove_all();

    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
}

static uint64_t touched; /* every byte of text is read, so that a sanitizer sees it */

static bool check(void *ctx, const struct obs *o)
{
    uint64_t *last_seq = ctx;

    assert(o->kind < OBS_KINDS && o->source < SOURCE_COUNT);
    if (o->seq < RECORDING_NOTE_SEQ) {
        assert(o->seq > *last_seq);
        *last_seq = o->seq;
    }
    for (unsigned i = 0; i < obs_kinds[o->kind].field_count; i++)
        if (obs_fields[obs_kinds[o->kind].fields[i]].type == FIELD_STR)
            touched ^= str_hash(obs_str(o, obs_kinds[o->kind].fields[i]));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recording *r = NULL;
    uint64_t last_seq = 0, damaged = 0;
    struct err err = {0};
    int code;

    write_input(data, size);
    code = recording_open(path, &r, &err);
    if (code == 0)
        code = recording_replay(r, 0, check, &last_seq, &damaged, &err);
    assert(code == 0 || strncmp(err.text, path, strlen(path)) == 0);
    recording_close(r);
    return 0;
}
