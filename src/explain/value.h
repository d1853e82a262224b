/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * value: what can stand between braces in a rule's texts.
 *
 *   {host} {role} {failure}       of the flow that the moment rests on; how it failed
 *   {rule} {status}               the recorder's rule that changed it; how it was answered
 *   {count} {repeats}             how many observations; the same when it is more than one
 *   {n}                           1 for the first moment of its id, 2 for the second, …
 *   {over}                        when what had failed worked after all
 *   {duration} {bytes}            of what it tells: a silence, a download
 *   {times:ID} {at:ID}            how often the moment ID has happened; when it first did
 *   {hosts:ID}                    the hosts of the findings ID that are not over
 *   {since:ID} {between:ID:ID}    the time from ID to this moment; from the one to the other
 *   {total} {flows} {down} {up}   of the device, from its first observation to the last
 *   {outcome} {scenario}          the sentence of how it ended; which kind it is
 *   {NAME} {NAME:upper}           what the group NAME of a regular expression caught
 */
#pragma once

#include "explain/device.h"

/*
 * NULL when the name (and argument) can have a value in this rule, else why not, for its author.
 * A rule without conditions stands for an outcome: only what is of the whole device has a value.
 */
const char *value_check(const struct rule *rule, const struct rules *rules, struct str name,
                        struct str argument);

/* m may be NULL: for sentences about the device as a whole. */
void moment_put_title(const struct device *d, const struct moment *m, struct buf *out);
void moment_put_says(const struct device *d, const struct moment *m, struct buf *out);
void moment_put_remedy(const struct device *d, const struct moment *m, struct buf *out);
void device_put_texts(const struct device *d, const struct text *texts, struct buf *out);
