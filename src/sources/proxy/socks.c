/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/socks.h"

#include "base/xalloc.h"
#include "sources/proxy/admit.h"
#include "sources/proxy/private.h"
#include "sources/proxy/tunnel.h"
#include "wire/socks5.h"

#include <stdlib.h>

enum step { GREETING, LOGIN, REQUEST };

struct socks {
    enum step step; /* the message that comes next */
    bool is_old;    /* SOCKS 4 */
    bool logged_in;
    enum socks5_status status; /* the reply to a request that is none or not served; or 0 */
};

bool socks_begins(char first_byte)
{
    return first_byte == SOCKS4_VERSION || first_byte == SOCKS5_VERSION;
}

struct socks *socks_create(void)
{
    return xalloc(sizeof(struct socks));
}

void socks_destroy(struct socks *s)
{
    free(s);
}

/* Saying */

static void say(struct client *c, void (*put)(struct buf *out, int what), int what)
{
    struct buf *out = &c->worker->head;

    buf_clear(out);
    put(out, what);
    side_send(&c->device, buf_str(out));
}

static void put_choice(struct buf *out, int method)
{
    socks5_put_choice(out, (enum socks5_method)method);
}

static void put_login_status(struct buf *out, int granted)
{
    socks5_put_login_status(out, granted);
}

static void put_reply(struct buf *out, int status)
{
    socks5_put_reply(out, (enum socks5_status)status);
}

static void put_old_refusal(struct buf *out, int unused)
{
    (void)unused;
    socks4_put_refusal(out);
}

void socks_grant(struct client *c)
{
    say(c, put_reply, SOCKS5_GRANTED);
}

static enum socks5_status status_of(enum flow_why why)
{
    switch (why) {
    case WHY_REFUSED:
    case WHY_BLOCKED:
        return SOCKS5_NOT_ALLOWED;
    case WHY_NAME_FAILED:
        return SOCKS5_HOST_UNREACHABLE;
    case WHY_CONNECT_FAILED:
        return SOCKS5_CONNECTION_REFUSED;
    default:
        return SOCKS5_FAILED;
    }
}

void socks_refuse(struct client *c, const struct refusal *refusal)
{
    const struct socks *s = c->socks;

    if (s->is_old)
        say(c, put_old_refusal, 0);
    else if (s->step == REQUEST)
        say(c, put_reply, (int)(s->status ? s->status : status_of(refusal->why)));
    else if (s->step == LOGIN)
        say(c, put_login_status, false);
    else
        say(c, put_choice, SOCKS5_NO_METHOD);
}

static void refuse(struct client *c, enum flow_why why, const char *says)
{
    struct refusal refusal;

    refusal_set(&refusal, 400, why, "%s", says);
    client_refuse_head(c, &refusal);
}

/* Reading: each step takes its message, or says that there is more to come, or refuses. */

static enum parsed read_greeting(struct client *c)
{
    struct socks5_greeting greeting;
    struct socks *s = c->socks;
    bool wants_login = c->worker->checker;
    const char *why;
    size_t taken;
    enum parsed r = socks5_read_greeting(buf_str(&c->in), &greeting, &taken, &why);

    if (r == PARSED_ODD) {
        s->is_old = c->in.p[0] == SOCKS4_VERSION;
        refuse(c, WHY_BAD_REQUEST, why);
    }
    if (r != PARSED_DONE)
        return r;
    if (wants_login ? !greeting.offers_password : !greeting.offers_no_login) {
        refuse(c, WHY_AUTHENTICATION,
               wants_login ? "this proxy wants a name and a password"
                           : "this proxy wants no authentication, and that was not offered");
        return PARSED_ODD;
    }
    buf_eat(&c->in, taken);
    say(c, put_choice, wants_login ? SOCKS5_PASSWORD : SOCKS5_NO_LOGIN);
    s->step = wants_login ? LOGIN : REQUEST;
    return PARSED_DONE;
}

static void refuse_later(struct client *c)
{
    struct refusal refusal;

    refusal_of_password_later(&refusal);
    client_refuse_head(c, &refusal);
}

static bool is_right(struct client *c, const struct socks5_login *login)
{
    struct worker *w = c->worker;

    switch (checker_password(w->checker, login->user, login->password, loop_now_us(w->loop))) {
    case CREDENTIALS_OK:
        return true;
    case CREDENTIALS_WRONG:
        refuse(c, WHY_AUTHENTICATION, "wrong name or password");
        return false;
    case CREDENTIALS_LATER:
        break;
    }
    refuse_later(c);
    return false;
}

static enum parsed read_login(struct client *c)
{
    struct socks5_login login;
    const char *why;
    size_t taken;
    enum parsed r = socks5_read_login(buf_str(&c->in), &login, &taken, &why);

    if (r == PARSED_ODD)
        refuse(c, WHY_BAD_REQUEST, why);
    if (r != PARSED_DONE)
        return r;
    if (!rules_serve(c->worker->rules, client_address(c))) { /* a stranger may not even try */
        refuse(c, WHY_REFUSED, "your address is not served here");
        return PARSED_ODD;
    }
    if (!is_right(c, &login))
        return PARSED_ODD;
    buf_eat(&c->in, taken);
    say(c, put_login_status, true);
    c->socks->logged_in = true;
    c->socks->step = REQUEST;
    return PARSED_DONE;
}

static void begin(struct client *c, const struct socks5_request *request)
{
    struct admission admission;
    struct refusal refusal;
    const struct wish wish = {.host = str_of(request->host),
                              .port = request->port,
                              .tunnels = true,
                              .logged_in = c->socks->logged_in};

    client_open_flow(c, wish.host, wish.port, HOW_SOCKS);
    if (admit(c, &wish, &admission, &refusal))
        tunnel_dial(c, wish.host, wish.port, &admission);
    else
        client_refuse(c, &refusal, false);
}

static enum parsed read_request(struct client *c)
{
    struct socks5_request request;
    enum socks5_status status;
    const char *why;
    size_t taken;
    enum parsed r = socks5_read_request(buf_str(&c->in), &request, &taken, &status, &why);

    if (r == PARSED_ODD) {
        c->socks->status = status;
        refuse(c, WHY_BAD_REQUEST, why);
    } else if (r == PARSED_DONE && request.command != SOCKS5_CONNECT) {
        c->socks->status = SOCKS5_NO_SUCH_COMMAND;
        refuse(c, WHY_REFUSED, "of SOCKS only CONNECT is served");
    } else if (r == PARSED_DONE) {
        buf_eat(&c->in, taken);
        begin(c, &request);
    }
    return r == PARSED_MORE ? PARSED_MORE : PARSED_ODD;
}

static enum parsed (*const reads[])(struct client *c) = {
    [GREETING] = read_greeting,
    [LOGIN] = read_login,
    [REQUEST] = read_request,
};

bool socks_read(struct client *c)
{
    enum parsed r;

    do
        r = reads[c->socks->step](c);
    while (r == PARSED_DONE);
    return r == PARSED_ODD;
}
