/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answer: what the proxy says itself: a status and one sentence of plain text. */
#pragma once

#include "base/buf.h"
#include "obs/obs.h"

/* Why a flow cannot go on, for the device and for the record. */
struct refusal {
    unsigned status;
    enum flow_why why;
    const char *challenge; /* with 407: how to log in; NULL: as a company's proxy would have it */
    char says[512];
};

void refusal_set(struct refusal *r, unsigned status, enum flow_why why, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* More passwords are being tried than there is time for; nothing is said of this one. */
void refusal_of_password_later(struct refusal *r);

/* A whole response that ends the connection; without its body when it answers HEAD. */
void answer_put(struct buf *out, const struct refusal *r, bool head_only);
/* The content type and length it has, for the observation. */
struct str answer_type(void);
size_t answer_body_bytes(const struct refusal *r);
