/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * screen, log: words that were read on the screen, or a line of a device's log.
 *
 *     screen: {text: '(?<done>\d+) of (?<total>\d+)'}
 *     log: {component: IntuneManagementExtension, text: 'installed (?<app>.+)'}
 */
#include "explain/matcher.h"

static void occur(struct device *d, const struct condition *c, const struct obs *o)
{
    struct captures captures = {0};

    if (c->component && !pattern_match(c->component, o->component, &captures))
        return;
    if (pattern_match(c->pattern, o->text, &captures))
        device_occur(
            d, c,
            &(struct occurrence){
                .at_us = o->at_us, .seqs = {o->seq}, .seq_count = 1, .captures = &captures});
}

static void on_screen(struct device *d, const struct condition *c, void *state, const struct obs *o)
{
    (void)state;
    if (o->kind == OBS_SCREEN_TEXT)
        occur(d, c, o);
}

static void on_log(struct device *d, const struct condition *c, void *state, const struct obs *o)
{
    (void)state;
    if (o->kind == OBS_LOG_EVENT)
        occur(d, c, o);
}

const struct matcher match_screen = {
    .name = "screen",
    .keys = KEY_TEXT,
    .needs = KEY_TEXT,
    .text = on_screen,
};

const struct matcher match_log = {
    .name = "log",
    .keys = KEY_TEXT | KEY_COMPONENT,
    .needs = KEY_TEXT,
    .text = on_log,
};
