/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats whose lines are exchanges. */
#include "sources/imports/combined.h"
#include "sources/imports/import_format.h"
#include "sources/imports/squid.h"

typedef enum record_fate line_parse(struct str line, struct exchange *x, const char **ret_why);

enum {
    LINE_BYTES = 64 << 10,
    LINES_LOOKED_AT = 50,
};

static bool is_record(struct str line)
{
    line = str_trim(line);
    return line.n && line.p[0] != '#';
}

static unsigned recognise_lines(struct str head, line_parse *parse)
{
    struct exchange x;
    struct str line;
    const char *why;
    unsigned n = 0;

    exchange_init(&x);
    for (unsigned i = 0; i < LINES_LOOKED_AT && str_line(&head, &line); i++)
        n += is_record(line) && parse(line, &x, &why) != RECORD_BAD;
    exchange_finish(&x);
    return n;
}

static int read_line(struct import *i, struct str line, uint64_t number, struct exchange *x,
                     line_parse *parse, struct err *err)
{
    const char *why = "";

    /* A text with NUL in it is a damaged file or no text; what is shown of it would end there. */
    if (str_find(line, '\0') < line.n) {
        import_bad(i, number, "there is a NUL byte in it");
        return 0;
    }
    switch (parse(line, x, &why)) {
    case RECORD_FLOW:
        return import_exchange(i, x, err);
    case RECORD_NOTHING:
        break;
    case RECORD_BAD:
        import_bad(i, number, "%s", why);
        break;
    }
    return 0;
}

static int read_lines(struct import *i, struct intake *in, line_parse *parse, struct err *err)
{
    struct exchange x;
    struct str line;
    bool too_long;
    uint64_t number = 0;
    int r;

    exchange_init(&x);
    while ((r = intake_line(in, LINE_BYTES, &line, &too_long, err)) > 0) {
        number++;
        if (!is_record(line))
            continue;
        import_record(i);
        if (too_long)
            import_bad(i, number, "it is longer than %d bytes", LINE_BYTES);
        else
            r = read_line(i, line, number, &x, parse, err);
        if (r < 0)
            break;
    }
    exchange_finish(&x);
    return r < 0 ? r : 0;
}

static unsigned recognise_squid(struct str head)
{
    return recognise_lines(head, squid_parse);
}

static int read_squid(struct import *i, struct intake *in, struct err *err)
{
    return read_lines(i, in, squid_parse, err);
}

static unsigned recognise_combined(struct str head)
{
    return recognise_lines(head, combined_parse);
}

static int read_combined(struct import *i, struct intake *in, struct err *err)
{
    return read_lines(i, in, combined_parse, err);
}

const struct import_format format_squid = {
    .name = "Squid access log",
    .record = "line",
    .recognise = recognise_squid,
    .read = read_squid,
};

const struct import_format format_combined = {
    .name = "combined access log",
    .record = "line",
    .recognise = recognise_combined,
    .read = read_combined,
};
