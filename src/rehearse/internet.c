/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/internet.h"

#include "base/auto.h"
#include "base/map.h"
#include "base/reader.h"
#include "base/xalloc.h"
#include "rehearse/ca.h"
#include "rehearse/channel.h"
#include "rehearse/message.h"
#include "rehearse/names.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443, BACKLOG = 512 };

/* A listening socket, or the one that refuses: bound, so that the port is ours, and not listening.
 */
struct door {
    struct internet *net;
    struct loop_fd watch;
    in_port_t port; /* in network order */
    bool tls;
};

struct internet {
    struct loop *loop;
    const struct fault_list *faults;
    struct names *names;
    struct ca *ca, *stranger; /* the stranger is a TLS inspection's */
    SSL_CTX *tls;
    struct door plain, secure, refusing;
    struct str_map seen; /* host to struct internet_seen */
    struct server *servers;
};

/* One connection to one of the servers. */
struct server {
    struct internet *net;
    struct server *prev, *next;
    struct channel channel;
    struct internet_seen *seen; /* of its host, once that is known; NULL before */
    uint64_t counted_in, counted_out;
    const struct fault *fault;
    struct message request; /* the one that is being read or answered */
    bool answering;
    bool gone;
};

/* --- what the servers saw ----------------------------------------------------------------------
 */

static struct internet_seen *seen_of(struct internet *net, struct str host)
{
    struct internet_seen *seen = str_map_get(&net->seen, host);

    if (!seen) {
        seen = xalloc(sizeof *seen);
        str_map_put(&net->seen, host, seen);
    }
    return seen;
}

static void count(struct server *s)
{
    if (!s->seen)
        return;
    s->seen->bytes_in += s->channel.bytes_in - s->counted_in;
    s->seen->bytes_out += s->channel.bytes_out - s->counted_out;
    s->counted_in = s->channel.bytes_in;
    s->counted_out = s->channel.bytes_out;
}

static void set_host(struct server *s, struct str host)
{
    if (!s->seen) {
        s->seen = seen_of(s->net, host);
        s->seen->connections++;
    }
    s->fault = fault_for(s->net->faults, host);
}

static bool has_fault(const struct server *s, enum fault_kind kind)
{
    return s->fault && s->fault->kind == kind;
}

/* --- a connection's life ------------------------------------------------------------------------
 */

static void server_destroy(void *ctx)
{
    struct server *s = ctx;

    message_finish(&s->request);
    free(s);
}

static void server_leave(struct server *s)
{
    if (s->gone)
        return;
    s->gone = true;
    count(s);
    channel_close(&s->channel);
    if (s->prev)
        s->prev->next = s->next;
    else
        s->net->servers = s->next;
    if (s->next)
        s->next->prev = s->prev;
    loop_defer(s->net->loop, server_destroy, s);
}

static void server_reset(void *ctx)
{
    struct server *s = ctx;

    channel_reset(&s->channel);
    server_leave(s);
}

static void ended(void *ctx, const char *error)
{
    (void)error; /* the device tells of it */
    server_leave(ctx);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static uint64_t number(struct str text)
{
    uint64_t value = 0;

    return str_to_u64(text, &value) ? value : 0;
}

static void answer(struct server *s)
{
    struct str wish = http1_field(&s->request.head, STR("Rehearsal-Answer"));
    struct str status = str_word(&wish);
    uint64_t length = number(str_word(&wish));
    struct str type = str_word(&wish);
    bool bodiless = str_eq(s->request.head.method, STR("HEAD"));
    char head[256];

    s->answering = true;
    s->seen->requests++;
    if (has_fault(s, FAULT_SILENT))
        return;
    if (has_fault(s, FAULT_HTTP_STATUS)) {
        snprintf(head, sizeof head, "HTTP/1.1 %u Rehearsed\r\nContent-Length: 0\r\n\r\n",
                 s->fault->status);
        length = 0;
    } else if (!status.n) {
        snprintf(head, sizeof head, "HTTP/1.1 204 No Content\r\n\r\n");
    } else {
        snprintf(head, sizeof head,
                 "HTTP/1.1 " STR_FMT " Rehearsed\r\nContent-Type: " STR_FMT
                 "\r\nContent-Length: %" PRIu64 "\r\n\r\n",
                 STR_ARG(status), STR_ARG(type), length);
    }
    channel_put(&s->channel, str_of(head));
    if (length && !bodiless)
        channel_fill(&s->channel, length);
}

/* In the clear it is the request that names the host. */
static bool set_host_by_request(struct server *s)
{
    struct str rest = http1_field(&s->request.head, STR("Host"));
    struct str host = str_cut(&rest, ':');

    if (!names_know(s->net->names, host))
        return false;
    set_host(s, host);
    return true;
}

static void received(void *ctx, struct str bytes)
{
    struct server *s = ctx;
    /* A second request before the first is answered is not our device's. */
    enum parsed parsed = s->answering ? PARSED_ODD : message_read(&s->request, &bytes, NULL);

    if (parsed == PARSED_DONE && !s->seen && !set_host_by_request(s))
        parsed = PARSED_ODD;
    count(s);
    if (parsed == PARSED_DONE)
        answer(s);
    else if (parsed == PARSED_ODD)
        server_reset(s);
}

static void drained(void *ctx)
{
    struct server *s = ctx;

    s->answering = false;
    message_clear(&s->request);
}

/* --- TLS ----------------------------------------------------------------------------------------
 */

/* RFC 6066, section 3, as the extension stands in the ClientHello. */
static struct str server_name(SSL *ssl)
{
    const unsigned char *p = NULL;
    size_t n = 0;

    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n))
        return (struct str){0};

    struct reader r = reader_of(str_from(p, n));
    struct reader list = reader_sub(&r, reader_u16be(&r));
    uint8_t type = reader_u8(&list);
    struct str name = reader_take(&list, reader_u16be(&list));

    if (list.bad || type != TLSEXT_NAMETYPE_host_name)
        return (struct str){0};
    return name;
}

static int keep_waiting(struct server *s)
{
    channel_ignore(&s->channel);
    return SSL_CLIENT_HELLO_RETRY;
}

static bool show_certificate(SSL *ssl, struct ca *ca, struct str host)
{
    X509 *leaf = ca_leaf(ca, host);

    return leaf && SSL_use_certificate(ssl, leaf) == 1 &&
           SSL_use_PrivateKey(ssl, ca_leaf_key(ca)) == 1;
}

static int on_hello(SSL *ssl, int *alert, void *ctx)
{
    struct internet *net = ctx;
    struct server *s = SSL_get_app_data(ssl);
    struct str host = server_name(ssl);

    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (!names_know(net->names, host))
        return SSL_CLIENT_HELLO_ERROR;
    set_host(s, host);
    if (has_fault(s, FAULT_SILENT))
        return keep_waiting(s);
    if (has_fault(s, FAULT_RESET_AFTER_HELLO)) {
        loop_defer(net->loop, server_reset, s);
        return keep_waiting(s);
    }
    /* Up to TLS 1.2 the device's refusal of a stranger's certificate can be seen on the wire. */
    if (has_fault(s, FAULT_INSPECTED))
        SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    *alert = SSL_AD_INTERNAL_ERROR;
    return show_certificate(ssl, has_fault(s, FAULT_INSPECTED) ? net->stranger : net->ca, host)
               ? SSL_CLIENT_HELLO_SUCCESS
               : SSL_CLIENT_HELLO_ERROR;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *offered, unsigned offered_n, void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, offered, offered_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_tls(struct internet *net)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls)
        return NULL;
    SSL_CTX_set_client_hello_cb(tls, on_hello, net);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    /* Every tunnel shakes hands in full, as those of a device that has just started do. */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls, 0);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
    return tls;
}

/* --- doors --------------------------------------------------------------------------------------
 */

static const struct channel_events server_events = {
    .received = received,
    .drained = drained,
    .ended = ended,
};

static void welcome(struct door *door, int fd)
{
    struct internet *net = door->net;
    struct server *s = xalloc(sizeof *s);

    *s = (struct server){.net = net, .next = net->servers};
    message_init(&s->request);
    if (channel_open(&s->channel, net->loop, fd, false, &server_events, s) < 0) {
        server_destroy(s);
        return;
    }
    if (net->servers)
        net->servers->prev = s;
    net->servers = s;
    if (door->tls) {
        SSL *ssl = SSL_new(net->tls);

        if (!ssl) {
            server_reset(s);
            return;
        }
        SSL_set_accept_state(ssl);
        SSL_set_app_data(ssl, s);
        channel_secure(&s->channel, ssl);
    }
}

static void knocked(void *ctx, unsigned events)
{
    struct door *door = ctx;
    int fd;

    (void)events;
    while ((fd = accept4(door->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        welcome(door, fd);
}

static int door_open(struct door *door, struct internet *net, bool listening, bool tls)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_n = sizeof at;
    AUTO(auto_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        (listening && listen(fd, BACKLOG) < 0) ||
        getsockname(fd, (struct sockaddr *)&at, &at_n) < 0)
        return -errno;
    *door = (struct door){
        .net = net,
        .port = at.sin_port,
        .tls = tls,
        .watch = {.fd = steal_fd(&fd), .events = LOOP_READ, .ready = knocked, .ctx = door},
    };
    return listening ? loop_add_fd(net->loop, &door->watch) : 0;
}

static void door_close(struct door *door)
{
    if (door->watch.fd < 0)
        return;
    loop_del_fd(door->net->loop, &door->watch);
    close(door->watch.fd);
}

static int open_doors(struct internet *net)
{
    int r;

    if ((r = door_open(&net->plain, net, true, false)) < 0 ||
        (r = door_open(&net->secure, net, true, true)) < 0)
        return r;
    return door_open(&net->refusing, net, false, false);
}

void internet_dial(void *internet, struct sockaddr_storage *address)
{
    struct internet *net = internet;
    struct sockaddr_in *to = (struct sockaddr_in *)address;
    const struct door *door = &net->refusing;
    bool v4 = to->sin_family == AF_INET;
    struct str host = v4 ? names_host_of(net->names, to->sin_addr) : (struct str){0};

    if (host.n && !fault_is(net->faults, host, FAULT_REFUSED)) {
        if (to->sin_port == htons(HTTP_PORT))
            door = &net->plain;
        else if (to->sin_port == htons(HTTPS_PORT))
            door = &net->secure;
    }
    *to = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = door->port};
}

/* --- the whole ----------------------------------------------------------------------------------
 */

int internet_create(struct loop *loop, const struct fault_list *faults,
                    struct internet **ret_internet, struct err *err)
{
    struct internet *net = xalloc(sizeof *net);
    int r;

    *net = (struct internet){.loop = loop, .faults = faults};
    net->plain.watch.fd = net->secure.watch.fd = net->refusing.watch.fd = -1;
    if ((r = names_create(loop, &net->names, err)) < 0 ||
        (r = ca_create("flightstrip rehearsal", &net->ca, err)) < 0 ||
        (r = ca_create("TLS inspection of a rehearsal", &net->stranger, err)) < 0)
        goto fail;
    net->tls = make_tls(net);
    if (!net->tls) {
        r = err_set(err, -EIO, "the rehearsal's servers: OpenSSL cannot serve TLS");
        goto fail;
    }
    r = open_doors(net);
    if (r < 0) {
        err_set(err, r, "the rehearsal's servers: %s", strerror(-r));
        goto fail;
    }
    *ret_internet = net;
    return 0;

fail:
    internet_destroy(net);
    return r;
}

void internet_destroy(struct internet *net)
{
    struct internet_seen *seen;

    if (!net)
        return;
    while (net->servers)
        server_leave(net->servers);
    door_close(&net->plain);
    door_close(&net->secure);
    door_close(&net->refusing);
    SSL_CTX_free(net->tls);
    ca_destroy(net->stranger);
    ca_destroy(net->ca);
    names_destroy(net->names);
    for (size_t at = 0; (seen = str_map_next(&net->seen, &at, NULL));)
        free(seen);
    str_map_finish(&net->seen);
    free(net);
}

void internet_add_host(struct internet *net, struct str host)
{
    if (!fault_is(net->faults, host, FAULT_NAME_FAILS))
        names_add(net->names, host);
}

const char *internet_name_server(const struct internet *net)
{
    return names_server(net->names);
}

X509 *internet_root(const struct internet *net)
{
    return ca_root(net->ca);
}

struct internet_seen internet_seen(const struct internet *net, struct str host)
{
    const struct internet_seen *seen = str_map_get(&net->seen, host);

    return seen ? *seen : (struct internet_seen){0};
}
