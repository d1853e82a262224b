/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/tls.h"

#include "base/reader.h"

#include <assert.h>
#include <stdlib.h>

enum { RECORD_MAX = (16 << 10) + 256, MESSAGE_HEAD = 4, ALERT_BYTES = 2 };

/* RFC 8446, section 5.1 */
enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23 };
/* RFC 8446, section 4 */
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
/* https://www.iana.org/assignments/tls-extensiontype-values */
enum {
    SERVER_NAME = 0,
    SIGNATURE_ALGORITHMS = 13,
    ALPN = 16,
    SUPPORTED_VERSIONS = 43,
    ENCRYPTED_CLIENT_HELLO = 0xfe0d,
};

void tls_stream_init(struct tls_stream *s)
{
    *s = (struct tls_stream){0};
    buf_init(&s->message, MESSAGE_HEAD + TLS_HELLO_MAX);
}

void tls_stream_finish(struct tls_stream *s)
{
    buf_finish(&s->message);
}

static struct str cut(struct str *bytes, size_t n)
{
    struct str head = str_head(*bytes, n);

    *bytes = str_skip(*bytes, n);
    return head;
}

/* Gathers the head of the next record. False: it is not whole yet, or the stream has ended. */
static bool open_record(struct tls_stream *s, struct str *bytes)
{
    while (s->record_head_n < sizeof s->record_head) {
        if (!bytes->n)
            return false;
        s->record_head[s->record_head_n++] = (uint8_t)cut(bytes, 1).p[0];
    }

    struct reader r = reader_of(str_from(s->record_head, sizeof s->record_head));
    s->record_type = reader_u8(&r);
    uint8_t major = reader_u8(&r);
    reader_u8(&r); /* the minor version: 0 to 4, whatever is spoken */
    s->record_left = reader_u16be(&r);
    s->record_head_n = 0;

    bool handshake = s->record_type == HANDSHAKE && s->record_left;
    /* Nothing may stand between the pieces of a handshake message. */
    bool alert = s->record_type == ALERT && s->record_left == ALERT_BYTES && !s->message.n &&
                 !s->passed_over;
    s->ended = major != 3 || s->record_left > RECORD_MAX || !(handshake || alert);
    return !s->ended;
}

/* Takes up to n bytes of the record into the message. */
static void gather(struct tls_stream *s, struct str *bytes, size_t n)
{
    struct str part = cut(bytes, n < s->record_left ? n : s->record_left);

    s->record_left -= (uint16_t)part.n;
    buf_put_str(&s->message, part);
}

static void pass_over(struct tls_stream *s, struct str *bytes)
{
    size_t n = s->passed_over < s->record_left ? s->passed_over : s->record_left;
    struct str part = cut(bytes, n);

    s->record_left -= (uint16_t)part.n;
    s->passed_over -= (uint32_t)part.n;
}

static enum tls_item take_alert(struct tls_stream *s, struct str *bytes, struct str *ret_body)
{
    gather(s, bytes, ALERT_BYTES - s->message.n);
    if (s->message.n < ALERT_BYTES)
        return TLS_MORE;
    *ret_body = buf_str(&s->message);
    return TLS_ALERT;
}

static enum tls_item take_handshake(struct tls_stream *s, struct str *bytes, struct str *ret_body)
{
    if (s->message.n < MESSAGE_HEAD)
        gather(s, bytes, MESSAGE_HEAD - s->message.n);
    if (s->message.n < MESSAGE_HEAD)
        return TLS_MORE;

    struct reader r = reader_of(buf_str(&s->message));
    uint8_t type = reader_u8(&r);
    uint32_t n = reader_u24be(&r);

    if (type != CLIENT_HELLO && type != SERVER_HELLO) {
        s->passed_over = n;
        buf_clear(&s->message);
        return TLS_MORE;
    }
    if (n > TLS_HELLO_MAX) {
        s->ended = true;
        return TLS_ENDED;
    }
    gather(s, bytes, MESSAGE_HEAD + n - s->message.n);
    if (s->message.n < MESSAGE_HEAD + n)
        return TLS_MORE;
    *ret_body = str_skip(buf_str(&s->message), MESSAGE_HEAD);
    return type == CLIENT_HELLO ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO;
}

static enum tls_item take_item(struct tls_stream *s, struct str *bytes, struct str *ret_body)
{
    while (!s->ended) {
        enum tls_item item = TLS_MORE;

        if (!s->record_left && !open_record(s, bytes))
            break;
        if (!bytes->n)
            return TLS_MORE;
        if (s->passed_over)
            pass_over(s, bytes);
        else if (s->record_type == ALERT)
            item = take_alert(s, bytes, ret_body);
        else
            item = take_handshake(s, bytes, ret_body);
        if (item != TLS_MORE)
            return item;
    }
    return s->ended ? TLS_ENDED : TLS_MORE;
}

enum tls_item tls_stream_next(struct tls_stream *s, struct str *bytes, struct str *ret_body)
{
    enum tls_item item = take_item(s, bytes, ret_body);

    if (item == TLS_CLIENT_HELLO || item == TLS_SERVER_HELLO || item == TLS_ALERT)
        s->message.n = 0; /* its bytes stay until the next call */
    else if (!s->message.n || item == TLS_ENDED)
        buf_finish(&s->message); /* nothing is kept while nothing is under way */
    return item;
}

/* RFC 6066, section 3: a list of (type, name); the first host_name. */
static struct str read_server_name(struct reader ext)
{
    struct reader list = reader_sub(&ext, reader_u16be(&ext));

    while (!list.bad && list.rest.n) {
        uint8_t type = reader_u8(&list);
        struct str name = reader_take(&list, reader_u16be(&list));

        if (type == 0 && !list.bad)
            return name;
    }
    return (struct str){0};
}

static struct str read_list_u16(struct reader ext)
{
    return reader_take(&ext, reader_u16be(&ext));
}

static struct str read_list_u8(struct reader ext)
{
    return reader_take(&ext, reader_u8(&ext));
}

static void read_client_extension(uint16_t type, struct reader ext, struct tls_client_hello *hello)
{
    switch (type) {
    case SERVER_NAME:
        hello->sni = read_server_name(ext);
        break;
    case SIGNATURE_ALGORITHMS:
        hello->signatures = read_list_u16(ext);
        break;
    case ALPN:
        hello->alpn = read_list_u16(ext);
        break;
    case SUPPORTED_VERSIONS:
        hello->versions = read_list_u8(ext);
        break;
    case ENCRYPTED_CLIENT_HELLO:
        hello->ech = true;
        break;
    }
}

/* RFC 8446, section 4.1.2 */
enum parsed tls_read_client_hello(struct str body, struct tls_client_hello *ret_hello)
{
    struct reader r = reader_of(body);
    struct tls_client_hello hello = {0};

    hello.legacy_version = reader_u16be(&r);
    reader_take(&r, 32);            /* random */
    reader_take(&r, reader_u8(&r)); /* session id */
    hello.ciphers = reader_take(&r, reader_u16be(&r));
    reader_take(&r, reader_u8(&r)); /* compression methods */
    if (!r.bad && r.rest.n)
        hello.extensions = reader_take(&r, reader_u16be(&r));

    struct reader list = reader_of(hello.extensions);
    while (!list.bad && list.rest.n) {
        uint16_t type = reader_u16be(&list);
        struct reader ext = reader_sub(&list, reader_u16be(&list));

        if (!list.bad)
            read_client_extension(type, ext, &hello);
    }
    if (r.bad || list.bad)
        return PARSED_ODD;
    *ret_hello = hello;
    return PARSED_DONE;
}

/* RFC 8446, section 4.1.3 */
enum parsed tls_read_server_hello(struct str body, struct tls_server_hello *ret_hello)
{
    struct reader r = reader_of(body), list;
    struct tls_server_hello hello = {0};

    hello.version = reader_u16be(&r);
    reader_take(&r, 32);            /* random */
    reader_take(&r, reader_u8(&r)); /* session id */
    hello.cipher = reader_u16be(&r);
    reader_u8(&r); /* compression method */
    list = r.rest.n ? reader_sub(&r, reader_u16be(&r)) : (struct reader){0};
    while (!list.bad && list.rest.n) {
        uint16_t type = reader_u16be(&list);
        struct reader ext = reader_sub(&list, reader_u16be(&list));

        if (type == SUPPORTED_VERSIONS && ext.rest.n == 2)
            hello.version = reader_u16be(&ext);
        else if (type == ALPN)
            hello.alpn = read_list_u16(ext);
    }
    if (r.bad || list.bad)
        return PARSED_ODD;
    *ret_hello = hello;
    return PARSED_DONE;
}

/* Words */

bool tls_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

void tls_put_version(struct buf *out, uint16_t version)
{
    if (version == 0x0300)
        buf_put_str(out, STR("ssl3"));
    else if (version > 0x0300 && version <= 0x0304)
        buf_printf(out, "1.%u", version - 0x0301);
    else
        buf_printf(out, "0x%04x", version);
}

static int compare_versions(const void *a, const void *b)
{
    return *(const uint16_t *)b - *(const uint16_t *)a;
}

void tls_put_versions(struct buf *out, const struct tls_client_hello *hello)
{
    enum { VERSIONS_MAX = 127 }; /* its list has one length byte */
    struct reader r = reader_of(hello->versions);
    uint16_t versions[VERSIONS_MAX];
    size_t n = 0;

    if (!r.rest.n) {
        tls_put_version(out, hello->legacy_version);
        return;
    }
    while (r.rest.n >= 2 && n < VERSIONS_MAX) {
        uint16_t version = reader_u16be(&r);

        if (!tls_is_grease(version))
            versions[n++] = version;
    }
    qsort(versions, n, sizeof *versions, compare_versions);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_put_byte(out, ',');
        tls_put_version(out, versions[i]);
    }
}

static bool is_grease_name(struct str name)
{
    return name.n == 2 && name.p[0] == name.p[1] && (name.p[0] & 0x0f) == 0x0a;
}

void tls_put_alpn(struct buf *out, struct str alpn)
{
    struct reader r = reader_of(alpn);
    bool first = true;

    while (!r.bad && r.rest.n) {
        struct str name = reader_take(&r, reader_u8(&r));

        if (r.bad || is_grease_name(name))
            continue;
        if (!first)
            buf_put_byte(out, ',');
        buf_put_str(out, name);
        first = false;
    }
}

/* https://www.iana.org/assignments/tls-parameters: those that servers choose today. */
static const struct {
    uint16_t id;
    const char *name;
} ciphers[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256"},
    {0x1302, "TLS_AES_256_GCM_SHA384"},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
};

void tls_put_cipher(struct buf *out, uint16_t cipher)
{
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
        if (ciphers[i].id == cipher) {
            buf_put_str(out, str_of(ciphers[i].name));
            return;
        }
    buf_printf(out, "0x%04x", cipher);
}

/* RFC 8446, section 6; RFC 5246, section 7.2 */
const char *tls_alert_says(uint8_t description)
{
    static const char *const says[256] = {
        [0] = "close notify",
        [10] = "unexpected message",
        [20] = "bad record MAC",
        [21] = "decryption failed",
        [22] = "record overflow",
        [30] = "decompression failure",
        [40] = "handshake failure",
        [41] = "no certificate",
        [42] = "bad certificate",
        [43] = "unsupported certificate",
        [44] = "certificate revoked",
        [45] = "certificate expired",
        [46] = "certificate unknown",
        [47] = "illegal parameter",
        [48] = "unknown certificate authority",
        [49] = "access denied",
        [50] = "decode error",
        [51] = "decrypt error",
        [60] = "export restriction",
        [70] = "protocol version",
        [71] = "insufficient security",
        [80] = "internal error",
        [86] = "inappropriate fallback",
        [90] = "user canceled",
        [100] = "no renegotiation",
        [109] = "missing extension",
        [110] = "unsupported extension",
        [112] = "unrecognized name",
        [113] = "bad certificate status response",
        [115] = "unknown PSK identity",
        [116] = "certificate required",
        [120] = "no application protocol",
        [121] = "encrypted client hello required",
    };

    return says[description] ? says[description] : "unknown alert";
}
