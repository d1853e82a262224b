/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include "base/utf8.h"

#include <stdio.h>

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const prefixes[] = {
        "flightstrip: ", "flightstrip: warning: ", "flightstrip: "};
    struct buf raw, line;
    va_list args;

    buf_init(&raw, 64 << 10);
    buf_init(&line, 256 << 10);
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    buf_put_str(&line, str_of(prefixes[level]));
    utf8_put_safe(&line, buf_str(&raw));
    buf_put_byte(&line, '\n');
    fwrite(line.p, 1, line.n, stderr);
    buf_finish(&raw);
    buf_finish(&line);
}
