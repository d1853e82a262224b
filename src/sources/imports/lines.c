/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats whose lines are exchanges. */
#include "sources/imports/combined.h"
#include "sources/imports/import_format.h"
#include "sources/imports/squid.h"

typedef enum record_fate line_parse(struct str line, struct account *a, const char **ret_why);

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
    struct account a;
    struct str line;
    const char *why;
    unsigned n = 0;

    account_init(&a);
    for (unsigned i = 0; i < LINES_LOOKED_AT && str_line(&head, &line); i++)
        n += is_record(line) && parse(line, &a, &why) != RECORD_BAD;
    account_finish(&a);
    return n;
}

static int read_line(struct import *i, struct str line, uint64_t number, struct account *a,
                     line_parse *parse, struct err *err)
{
    const char *why = "";

    /* A text with NUL in it is a damaged file or no text; what is shown of it would end there. */
    if (str_find(line, '\0') < line.n) {
        import_bad(i, number, "there is a NUL byte in it");
        return 0;
    }
    switch (parse(line, a, &why)) {
    case RECORD_FLOW:
        return import_account(i, a, err);
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
    struct account a;
    struct str line;
    bool too_long;
    uint64_t number = 0;
    int r;

    account_init(&a);
    while ((r = intake_line(in, LINE_BYTES, &line, &too_long, err)) > 0) {
        number++;
        if (!too_long && !is_record(line))
            continue;
        import_record(i);
        if (too_long)
            import_bad(i, number, "it is longer than %d bytes", LINE_BYTES);
        else
            r = read_line(i, line, number, &a, parse, err);
        if (r < 0)
            break;
    }
    account_finish(&a);
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
