/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/channel.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16 << 10, OUT_MAX = 64 << 10 }; /* a TLS record holds 16 KiB */

static bool closed(const struct channel *c)
{
    return c->watch.fd < 0;
}

/*
 * OpenSSL reads and writes through this, not through its socket BIO: a broken connection must not
 * raise SIGPIPE, and the bytes are counted.
 */
static int bio_result(BIO *bio, ssize_t n, void (*retry)(BIO *))
{
    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        retry(bio);
    return (int)n;
}

static void retry_read(BIO *bio)
{
    BIO_set_retry_read(bio);
}

static void retry_write(BIO *bio)
{
    BIO_set_retry_write(bio);
}

static int bio_read(BIO *bio, char *p, int n)
{
    struct channel *c = BIO_get_data(bio);
    ssize_t got = recv(c->watch.fd, p, (size_t)n, 0);

    if (got > 0)
        c->bytes_in += (uint64_t)got;
    c->heard_all = got == 0;
    return bio_result(bio, got, retry_read);
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct channel *c = BIO_get_data(bio);
    ssize_t sent = send(c->watch.fd, p, (size_t)n, MSG_NOSIGNAL);

    if (sent > 0)
        c->bytes_out += (uint64_t)sent;
    return bio_result(bio, sent, retry_write);
}

static long bio_control(BIO *bio, int command, long n, void *p)
{
    const struct channel *c = BIO_get_data(bio);

    (void)n;
    (void)p;
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && c->heard_all);
}

static BIO *bio_of(struct channel *c)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "channel");
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    bio = BIO_new(method);
    assert(bio);
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    return bio;
}

static void listen_for(struct channel *c)
{
    bool write = c->connecting || c->wants_write || (!c->shaking && !channel_idle(c));

    if (!closed(c))
        loop_set_events(c->loop, &c->watch, LOOP_READ | (write ? LOOP_WRITE : 0));
}

static void end(struct channel *c)
{
    channel_close(c);
    if (c->events->ended)
        c->events->ended(c->ctx, c->error[0] ? c->error : NULL);
}

static void break_off(struct channel *c, int error)
{
    if (!c->error[0])
        snprintf(c->error, sizeof c->error, "%s", strerror(error));
    end(c);
}

static void close_our_end(struct channel *c)
{
    if (c->finished)
        return;
    c->finished = true;
    shutdown(c->watch.fd, SHUT_WR);
}

/* TLS has failed, and OpenSSL has sent its alert: close our end and wait for theirs. */
static void give_up_tls(struct channel *c)
{
    unsigned long code = ERR_peek_error();
    long verify = SSL_get_verify_result(c->ssl);
    const char *reason = ERR_reason_error_string(code);

    snprintf(c->error, sizeof c->error, "%s",
             verify != X509_V_OK ? X509_verify_cert_error_string(verify)
             : reason            ? reason
                                 : "the TLS connection broke");
    channel_ignore(c);
    close_our_end(c);
}

/*
 * What an SSL call that did not succeed means. False: nothing more can be done now; the channel may
 * have ended.
 */
static bool tls_goes_on(struct channel *c, int result)
{
    int error = errno;

    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_CLIENT_HELLO_CB: /* the server keeps the device waiting */
        return false;
    case SSL_ERROR_WANT_WRITE:
        c->wants_write = true;
        return false;
    case SSL_ERROR_ZERO_RETURN:
        if (c->shaking)
            snprintf(c->error, sizeof c->error, "closed in the middle of the TLS handshake");
        c->shaking = false;
        c->deaf = true;
        return true;
    case SSL_ERROR_SYSCALL:
        break_off(c, error ? error : ECONNRESET);
        return false;
    default:
        give_up_tls(c);
        return true;
    }
}

static bool shake(struct channel *c)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(c->ssl);
    if (result != 1)
        return tls_goes_on(c, result);
    c->shaking = false;
    if (c->events->secured)
        c->events->secured(c->ctx);
    return !closed(c);
}

/* One read, in the clear or decrypted; false when there is nothing (more) to read now. */
static bool receive(struct channel *c)
{
    char piece[PIECE];
    ssize_t n;

    if (c->ssl && !c->deaf) {
        ERR_clear_error();
        n = SSL_read(c->ssl, piece, sizeof piece);
        if (n <= 0)
            return tls_goes_on(c, (int)n);
    } else {
        n = recv(c->watch.fd, piece, sizeof piece, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n < 0) {
            break_off(c, errno);
            return false;
        }
        if (n == 0) {
            end(c);
            return false;
        }
        c->bytes_in += (uint64_t)n;
    }
    if (!c->deaf && c->events->received)
        c->events->received(c->ctx, str_from(piece, (size_t)n));
    return !closed(c);
}

/* How much of p was taken; 0: none now, or the channel has ended. */
static size_t transmit(struct channel *c, const char *p, size_t n)
{
    ssize_t sent;

    if (c->ssl) {
        ERR_clear_error();
        sent = SSL_write(c->ssl, p, (int)n);
        if (sent > 0)
            return (size_t)sent;
        tls_goes_on(c, (int)sent);
        return 0;
    }
    sent = send(c->watch.fd, p, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        break_off(c, errno);
    if (sent <= 0)
        return 0;
    c->bytes_out += (uint64_t)sent;
    return (size_t)sent;
}

/* One piece goes out; false when none did. */
static bool send_piece(struct channel *c)
{
    static const char filler[PIECE];
    size_t n;

    if (c->out.n) {
        n = transmit(c, c->out.p, c->out.n < PIECE ? c->out.n : PIECE);
        buf_eat(&c->out, n);
    } else {
        n = transmit(c, filler, c->filler < PIECE ? (size_t)c->filler : PIECE);
        c->filler -= n;
    }
    return n;
}

static void flush(struct channel *c)
{
    bool sent = false;

    if (closed(c) || c->connecting || c->shaking || c->finished)
        return;
    c->wants_write = false;
    while (!closed(c) && !channel_idle(c) && send_piece(c))
        sent = true;
    if (closed(c) || !channel_idle(c))
        return;
    if (sent && c->events->drained)
        c->events->drained(c->ctx);
    if (closed(c) || !c->finishing || !channel_idle(c))
        return;
    if (c->ssl && !c->deaf)
        SSL_shutdown(c->ssl); /* says close_notify; theirs is read by receive() */
    close_our_end(c);
}

static bool connect_done(struct channel *c)
{
    int error = 0;
    socklen_t n = sizeof error;

    getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    if (error) {
        break_off(c, error);
        return false;
    }
    c->connecting = false;
    if (c->events->opened)
        c->events->opened(c->ctx);
    return !closed(c);
}

static void ready(void *ctx, unsigned events)
{
    struct channel *c = ctx;

    if (c->connecting && (!(events & (LOOP_WRITE | LOOP_HANGUP)) || !connect_done(c)))
        return;
    c->wants_write = false;
    while (!closed(c)) {
        bool more = c->shaking ? shake(c) : receive(c);

        if (!more)
            break;
    }
    flush(c);
    listen_for(c);
}

int channel_open(struct channel *c, struct loop *loop, int take_fd, bool connecting,
                 const struct channel_events *events, void *ctx)
{
    int now = 1;
    int r;

    *c = (struct channel){
        .loop = loop,
        .events = events,
        .ctx = ctx,
        .connecting = connecting,
        .watch = {.fd = take_fd,
                  .events = LOOP_READ | (connecting ? LOOP_WRITE : 0),
                  .ready = ready,
                  .ctx = c},
    };
    buf_init(&c->out, OUT_MAX);
    setsockopt(take_fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now); /* a head, then a body */
    r = loop_add_fd(loop, &c->watch);
    if (r < 0) {
        close(take_fd);
        c->watch.fd = -1;
    }
    return r;
}

void channel_secure(struct channel *c, SSL *take_ssl)
{
    BIO *bio = bio_of(c);

    c->ssl = take_ssl;
    c->shaking = true;
    SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_options(c->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_set_bio(c->ssl, bio, bio);
    if (!SSL_is_server(c->ssl) && shake(c)) /* the client speaks first */
        flush(c);
    listen_for(c);
}

void channel_put(struct channel *c, struct str bytes)
{
    if (closed(c) || c->deaf)
        return;
    assert(!c->filler);
    buf_put_str(&c->out, bytes);
    assert(!c->out.full);
    flush(c);
    listen_for(c);
}

void channel_fill(struct channel *c, uint64_t bytes)
{
    if (closed(c) || c->deaf)
        return;
    c->filler += bytes;
    flush(c);
    listen_for(c);
}

bool channel_idle(const struct channel *c)
{
    return !c->out.n && !c->filler;
}

void channel_ignore(struct channel *c)
{
    c->shaking = false;
    c->deaf = true;
    c->filler = 0;
    buf_clear(&c->out);
}

void channel_finish(struct channel *c)
{
    c->finishing = true;
    flush(c);
    listen_for(c);
}

void channel_close(struct channel *c)
{
    if (closed(c))
        return;
    loop_del_fd(c->loop, &c->watch);
    close(c->watch.fd);
    c->watch.fd = -1;
    buf_finish(&c->out);
    /* An SSL call further up the stack may still be using it. */
    if (c->ssl)
        loop_defer(c->loop, (void (*)(void *))SSL_free, c->ssl);
    c->ssl = NULL;
}

void channel_reset(struct channel *c)
{
    struct linger now = {.l_onoff = 1};

    if (!closed(c))
        setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    channel_close(c);
}
