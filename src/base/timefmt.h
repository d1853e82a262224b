/* SPDX-License-Identifier: GPL-3.0-or-later */
/* timefmt: times and durations as people write and read them. All times are UTC. */
#pragma once

#include "base/buf.h"

/* "90", "90s", "1m30s", "250ms", "2h": a duration; a bare number is seconds. */
bool duration_parse(struct str s, uint64_t *ret_us);

/* "02:16", "1:02:16": a place on the strip, seconds cut off. */
void put_strip_time(struct buf *out, uint64_t at_us);
bool strip_time_parse(struct str s, uint64_t *ret_us); /* mm:ss, h:mm:ss, or a duration */

/* "350 ms", "12 s", "5 min 09 s", "1 h 02 min": for a sentence. */
void put_duration(struct buf *out, uint64_t us);

/* "2026-11-23T18:39:00.123Z" (RFC 3339), from and to microseconds since 1970. */
void put_rfc3339(struct buf *out, uint64_t wall_us);
bool rfc3339_parse(struct str s, uint64_t *ret_wall_us); /* any offset, any number of decimals */

/* "512 bytes", "3.4 kB", "12 MB" (powers of 1,000). */
void put_bytes(struct buf *out, uint64_t bytes);
bool bytes_parse(struct str text, uint64_t *ret_bytes); /* "512", "2 kB", "1.5MB" */

/*
 * Microseconds since 1970 of a UTC date and time of day; 0 for what was before. The calendar is
 * proleptic Gregorian.
 */
uint64_t wall_us_of(int year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                    unsigned second);
