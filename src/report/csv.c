/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/csv.h"

#include "base/utf8.h"

static bool is_formula(struct str s)
{
    static const struct str starts = STR("=+-@\t\r\n");

    return s.n && str_find(starts, s.p[0]) < starts.n;
}

void put_csv_cell(struct buf *out, struct str s)
{
    bool needs_quotes = is_formula(s);

    for (size_t i = 0; i < s.n && !needs_quotes; i++)
        needs_quotes = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == ' ';
    if (!needs_quotes) {
        utf8_put_safe(out, s);
        return;
    }
    buf_put_str(out, is_formula(s) ? STR("\"'") : STR("\""));
    while (s.n) {
        bool has_quote = str_find(s, '"') < s.n;

        utf8_put_safe(out, str_cut(&s, '"'));
        if (has_quote)
            buf_put_str(out, STR("\"\""));
    }
    buf_put_byte(out, '"');
}
