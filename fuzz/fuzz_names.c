/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes are a message to a rehearsal's name server: its answer repeats the question, and fits.
 */
#include "rehearse/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 12 };

static struct names *names;

static void make_names(void)
{
    static struct clock clock;
    struct loop *loop;

    clock_init_held(&clock, 0);
    if (loop_create(&clock, &loop, NULL) < 0 || names_create(loop, &names, NULL) < 0)
        abort();
    names_add(names, STR("a.example"));
    names_add(names, STR("b"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;

    if (!names)
        make_names();
    buf_init(&out, NAMES_MESSAGE_MAX + 64);
    names_answer(names, str_from(data, size), &out);
    if (out.n) {
        assert(size > HEADER_BYTES && !out.full);
        assert(memcmp(out.p, data, 2) == 0);
        assert((uint8_t)out.p[2] & 0x80);
    }
    buf_finish(&out);
    return 0;
}
