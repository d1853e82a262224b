/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

static bool is_continuation(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

uint32_t utf8_next(struct str *s)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = (uint8_t)s->p[0];
    size_t n = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    uint32_t c = n == 1 ? lead : n ? lead & (0x7fu >> n) : 0;

    for (size_t i = 1; i < n; i++) {
        if (i >= s->n || !is_continuation(s->p[i])) {
            n = 0;
            break;
        }
        c = c << 6 | ((uint8_t)s->p[i] & 0x3f);
    }
    if (!n || c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        *s = str_skip(*s, 1);
        return UTF8_BAD;
    }
    *s = str_skip(*s, n);
    return c;
}

void utf8_put_safe(struct buf *out, struct str s)
{
    while (s.n) {
        struct str whole = s;
        uint32_t c = utf8_next(&s);

        /* C0, DEL and C1: the terminal's own; U+2028.. and the bidi marks reorder lines. */
        if (c == UTF8_BAD || c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
            (c >= 0x2066 && c <= 0x2069))
            buf_put(out, "\xef\xbf\xbd", 3);
        else
            buf_put(out, whole.p, whole.n - s.n);
    }
}
