/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/look.h"

#include "base/utf8.h"
#include "report/wrap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_USUAL = 80, WIDTH_LEAST = 40 };

static const char *const codes[] = {
    [PAINT_BOLD] = "1",     [PAINT_DIM] = "2",  [PAINT_GOOD] = "32",
    [PAINT_CAUTION] = "33", [PAINT_BAD] = "31", [PAINT_TIME] = "36",
};

static unsigned width_of(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col)
        return WIDTH_USUAL;
    return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

struct look look_of(int fd)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool able = isatty(fd) && term && strcmp(term, "dumb") != 0;

    return (struct look){
        .terminal = able,
        .colour = able && !(no_color && *no_color),
        .width = isatty(fd) ? width_of(fd) : WRAP_NEVER,
    };
}

void paint_on(struct buf *out, const struct look *look, enum paint paint)
{
    if (look->colour && paint != PAINT_PLAIN)
        buf_printf(out, "\033[%sm", codes[paint]);
}

void paint_off(struct buf *out, const struct look *look, enum paint paint)
{
    if (look->colour && paint != PAINT_PLAIN)
        buf_put_str(out, STR("\033[0m"));
}

void put_painted(struct buf *out, const struct look *look, enum paint paint, struct str text)
{
    paint_on(out, look, paint);
    utf8_put_safe(out, text);
    paint_off(out, look, paint);
}
