/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>
#include <math.h>

void json_init(struct json *j, struct buf *out, bool pretty)
{
    *j = (struct json){.out = out, .pretty = pretty};
}

static void new_line(struct json *j)
{
    if (!j->pretty)
        return;
    buf_put_byte(j->out, '\n');
    for (unsigned i = 0; i < j->depth; i++)
        buf_put(j->out, "  ", 2);
}

/* Whatever comes next at this place: the comma before it, and its own line when pretty. */
static void begin_value(struct json *j)
{
    if (j->after_value)
        buf_put_byte(j->out, ',');
    if (j->depth && j->closers[j->depth - 1] == ']')
        new_line(j);
    if (j->depth)
        j->empty[j->depth - 1] = false;
    j->after_value = true;
}

static void open(struct json *j, char opener, char closer)
{
    assert(j->depth < JSON_DEPTH);
    begin_value(j);
    buf_put_byte(j->out, (uint8_t)opener);
    j->closers[j->depth] = closer;
    j->empty[j->depth] = true;
    j->depth++;
    j->after_value = false;
}

void json_object(struct json *j)
{
    open(j, '{', '}');
}

void json_array(struct json *j)
{
    open(j, '[', ']');
}

void json_end(struct json *j)
{
    assert(j->depth);
    j->depth--;
    if (!j->empty[j->depth])
        new_line(j);
    buf_put_byte(j->out, (uint8_t)j->closers[j->depth]);
    j->after_value = true;
}

static void put_escaped(struct buf *out, uint32_t c)
{
    static const char shorts[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";

    for (size_t i = 0; shorts[i]; i++)
        if (c == (uint8_t)shorts[i]) {
            buf_put_byte(out, '\\');
            buf_put_byte(out, (uint8_t)letters[i]);
            return;
        }
    buf_printf(out, "\\u%04x", c);
}

static bool is_plain(char c)
{
    return (uint8_t)c >= 0x20 && (uint8_t)c < 0x7f && c != '"' && c != '\\';
}

static void put_string(struct buf *out, struct str s)
{
    buf_put_byte(out, '"');
    while (s.n) {
        size_t n = 0;
        while (n < s.n && is_plain(s.p[n]))
            n++;
        buf_put(out, s.p, n);
        s = str_skip(s, n);
        if (!s.n)
            break;

        struct str whole = s;
        uint32_t c = utf8_next(&s);
        if (c == UTF8_BAD)
            buf_put(out, "\xef\xbf\xbd", 3);
        else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
            put_escaped(out, c);
        else
            buf_put(out, whole.p, whole.n - s.n);
    }
    buf_put_byte(out, '"');
}

void json_key_str(struct json *j, struct str key)
{
    assert(j->depth && j->closers[j->depth - 1] == '}');
    if (j->after_value)
        buf_put_byte(j->out, ',');
    new_line(j);
    j->empty[j->depth - 1] = false;
    put_string(j->out, key);
    buf_put(j->out, ": ", j->pretty ? 2 : 1);
    j->after_value = false;
}

void json_key(struct json *j, const char *key)
{
    json_key_str(j, str_of(key));
}

void json_str(struct json *j, struct str value)
{
    begin_value(j);
    put_string(j->out, value);
}

void json_cstr(struct json *j, const char *value)
{
    if (value)
        json_str(j, str_of(value));
    else
        json_null(j);
}

void json_u64(struct json *j, uint64_t value)
{
    char digits[20];
    size_t n = sizeof digits;

    begin_value(j);
    do
        digits[--n] = (char)('0' + value % 10);
    while (value /= 10);
    buf_put(j->out, digits + n, sizeof digits - n);
}

void json_i64(struct json *j, int64_t value)
{
    begin_value(j);
    buf_printf(j->out, "%lld", (long long)value);
}

void json_double(struct json *j, double value, int decimals)
{
    if (!isfinite(value)) {
        json_null(j);
        return;
    }
    begin_value(j);
    buf_printf(j->out, "%.*f", decimals, value);
}

void json_bool(struct json *j, bool value)
{
    begin_value(j);
    buf_put_str(j->out, value ? STR("true") : STR("false"));
}

void json_null(struct json *j)
{
    begin_value(j);
    buf_put_str(j->out, STR("null"));
}
