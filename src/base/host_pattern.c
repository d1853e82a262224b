/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/host_pattern.h"

#include <ctype.h>
#include <string.h>

static bool is_host_character(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == '*' ||
           (uint8_t)c >= 0x80;
}

const char *host_pattern_complaint(struct str pattern)
{
    if (!pattern.n)
        return "a host is expected here";
    if (str_search(pattern, STR("/")) < pattern.n || str_find(pattern, ':') < pattern.n)
        return "a host is a name alone, without https://, port or path";
    for (size_t i = 0; i < pattern.n; i++)
        if (!is_host_character(pattern.p[i]))
            return "a host name has letters, digits, '-', '_' and '.', and '*' for any text";
    if (str_search(pattern, STR("..")) < pattern.n || str_search(pattern, STR("**")) < pattern.n)
        return "'..' and '**' fit nothing that '.' and '*' do not say";
    return pattern.n > HOST_MAX ? "longer than any host name" : NULL;
}

bool host_pattern_fits_all(struct str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (pattern.p[i] != '*' && pattern.p[i] != '.')
            return false;
    return true;
}

bool host_pattern_fits_undotted(struct str pattern, struct str host)
{
    struct str p = pattern, h = host;
    bool starred = str_starts(p, STR(".")); /* a `*` has been passed: it can still grow */
    size_t after_star = 0;                  /* where the pattern goes on behind it */
    size_t grown = starred ? 1 : 0;         /* where the host goes on behind it */
    size_t i = 0, j = grown;

    while (j < h.n) {
        if (i < p.n && p.p[i] == '*') {
            starred = true;
            after_star = ++i;
            grown = ++j;
        } else if (i < p.n && ascii_lower(p.p[i]) == ascii_lower(h.p[j])) {
            i++;
            j++;
        } else if (starred) {
            i = after_star;
            j = ++grown;
        } else {
            return false;
        }
    }
    return i == p.n;
}

bool host_pattern_fits(struct str pattern, struct str host)
{
    return host_pattern_fits_undotted(host_undotted(pattern), host_undotted(host));
}

struct str host_pattern_normal(struct arena *a, struct str pattern)
{
    struct str whole = host_undotted(pattern);
    struct str star = str_starts(whole, STR(".")) ? STR("*") : STR("");
    char *p = arena_alloc(a, star.n + whole.n + 1);

    memcpy(p, star.p, star.n);
    for (size_t i = 0; i < whole.n; i++)
        p[star.n + i] = ascii_lower(whole.p[i]);
    return (struct str){p, star.n + whole.n};
}
