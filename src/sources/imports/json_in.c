/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/json_in.h"

#include <errno.h>

json_t *json_object_in(struct str text, struct err *err)
{
    json_error_t trouble;
    json_t *object = json_loadb(text.n ? text.p : "", text.n, JSON_ALLOW_NUL, &trouble);

    if (!object) {
        err_set(err, -EINVAL, "column %d: %s", trouble.column, trouble.text);
        return NULL;
    }
    if (!json_is_object(object)) {
        err_set(err, -EINVAL, "it is not a JSON object");
        json_decref(object);
        return NULL;
    }
    return object;
}

struct str json_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return str_from(json_string_value(value), json_string_length(value));
}

double json_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : -1;
}

bool json_count(const json_t *object, const char *key, uint64_t *ret_count)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret_count = (uint64_t)json_integer_value(value);
    return true;
}
