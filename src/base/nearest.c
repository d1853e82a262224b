/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/nearest.h"

enum { LONGEST = 40 }; /* nobody mistypes a longer word and wants a hint */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * How many letters differ: the optimal string alignment distance, row by row. Three rows are
 * enough, because a swap looks back two.
 */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.n; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = ascii_lower(a.p[i - 1]), y = ascii_lower(b.p[j - 1]);

            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == ascii_lower(b.p[j - 2]) && ascii_lower(a.p[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }

        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b.n];
}

const char *nearest_word(struct str typed, const char *const *words)
{
    const char *best = NULL;
    size_t best_distance = 0;

    if (typed.n > LONGEST)
        return NULL;
    for (; *words; words++) {
        struct str word = str_of(*words);
        size_t allowed = word.n < 6 ? 1 : word.n / 3;
        size_t d = word.n <= LONGEST ? distance(typed, word) : LONGEST;

        if (d <= allowed && (!best || d < best_distance)) {
            best = *words;
            best_distance = d;
        }
    }
    return best;
}
