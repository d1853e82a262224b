/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME "flightstrip: "

void refusal_set(struct refusal *r, unsigned status, enum flow_why why, const char *format, ...)
{
    va_list args;

    r->status = status;
    r->why = why;
    r->challenge = NULL;
    va_start(args, format);
    vsnprintf(r->says, sizeof r->says, format, args);
    va_end(args);
}

void refusal_of_password_later(struct refusal *r)
{
    refusal_set(r, 503, WHY_TOO_MANY, "too many passwords are being tried: ask again in a second");
}

/* RFC 9110, section 15 */
static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {400, "Bad Request"},         {403, "Forbidden"},
        {405, "Method Not Allowed"},  {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},     {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},     {502, "Bad Gateway"},
        {503, "Service Unavailable"}, {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

struct str answer_type(void)
{
    return STR("text/plain; charset=utf-8");
}

size_t answer_body_bytes(const struct refusal *r)
{
    return strlen(NAME) + strlen(r->says) + 1;
}

void answer_put(struct buf *out, const struct refusal *r, bool head_only)
{
    buf_printf(out, "HTTP/1.1 %u %s\r\n", r->status, reason_of(r->status));
    buf_printf(out, "Content-Type: " STR_FMT "\r\n", STR_ARG(answer_type()));
    buf_printf(out, "Content-Length: %zu\r\n", answer_body_bytes(r));
    if (r->status == 407) /* RFC 9110, section 11.7.1: it has to say how */
        buf_printf(out, "Proxy-Authenticate: %s\r\n", r->challenge ? r->challenge : "Negotiate");
    if (r->status == 405) /* section 15.5.6: it has to say what is */
        buf_put_str(out, STR("Allow: OPTIONS\r\n"));
    buf_put_str(out, STR("Connection: close\r\n\r\n"));
    if (!head_only)
        buf_printf(out, NAME "%s\n", r->says);
}
