/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are the authority and two patterns, a line each: the file stays ASCII, no string runs
 * over its line, and beside the strings nothing depends on what was given.
 */
#include "sources/proxy/pac.h"

#include <assert.h>
#include <stdlib.h>

/* One line: outside its strings it has no quote and no backslash, and every string ends. */
static void check_line(struct str line)
{
    bool in_string = false;

    for (size_t i = 0; i < line.n; i++) {
        uint8_t c = (uint8_t)line.p[i];

        assert(c >= ' ' && c < 0x7f);
        assert(c != '\\' || (in_string && str_starts(str_skip(line, i), STR("\\u"))));
        in_string ^= c == '"';
    }
    assert(!in_string);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_from(data, size), line;
    struct str authority = str_cut(&rest, '\n');
    char *one = str_dup(str_cut(&rest, '\n')), *two = str_dup(rest);
    struct buf out;

    buf_init(&out, BUF_UNBOUNDED);
    pac_put(&out, authority, (const char *const[]){one, two}, 2);
    rest = buf_str(&out);
    assert(str_starts(rest, STR("function FindProxyForURL(url, host)\n{\n")));
    assert(str_ends(rest, STR("\";\n}\n")));
    while (str_line(&rest, &line))
        check_line(line);
    buf_finish(&out);
    free(one);
    free(two);
    return 0;
}
