/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include "test/unit/unit.h"

#include <math.h>

static void no_bytes_break_out_of_a_string(void **state)
{
    static const struct {
        struct str value;
        const char *json;
    } cases[] = {
        {STR(""), "\"\""},
        {STR("plain"), "\"plain\""},
        {STR("\"},\\"), "\"\\\"},\\\\\""},
        {STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\""},
        {STR("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\""},
        {STR("\xff"
             "a\xc3"),
         "\"\xef\xbf\xbd"
         "a\xef\xbf\xbd\""},
        {STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf out;
        struct json j;

        buf_init(&out, 256);
        json_init(&j, &out, false);
        json_str(&j, cases[i].value);
        buf_put_byte(&out, 0);
        assert_string_equal(out.p, cases[i].json);
        buf_finish(&out);
    }
}

static void put_one_of_each(struct json *j)
{
    json_object(j);
    json_key(j, "none");
    json_object(j);
    json_end(j);
    json_key(j, "list");
    json_array(j);
    json_u64(j, UINT64_MAX);
    json_i64(j, INT64_MIN);
    json_double(j, 1.25, 1);
    json_double(j, NAN, 1);
    json_bool(j, true);
    json_cstr(j, NULL);
    json_end(j);
    json_end(j);
}

static void check_document(bool pretty, const char *expected)
{
    struct buf out;
    struct json j;

    buf_init(&out, 1024);
    json_init(&j, &out, pretty);
    put_one_of_each(&j);
    buf_put_byte(&out, 0);
    assert_string_equal(out.p, expected);
    buf_finish(&out);
}

static void commas_and_nesting_are_kept(void **state)
{
    (void)state;
    check_document(false, "{\"none\":{},\"list\":[18446744073709551615,-9223372036854775808,1.2,"
                          "null,true,null]}");
    check_document(true, "{\n  \"none\": {},\n  \"list\": [\n    18446744073709551615,\n"
                         "    -9223372036854775808,\n    1.2,\n    null,\n    true,\n    null\n"
                         "  ]\n}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_break_out_of_a_string),
        cmocka_unit_test(commas_and_nesting_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
