/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * llhttp knows the grammar of heads and the rules of Content-Length and Transfer-Encoding. It is
 * kinder than a proxy may be, so check_lines goes first and refuses what llhttp would let pass; and
 * it knows only registered methods, so it is shown GET for any other.
 *
 * Chunks are walked by the small machine at the end: a proxy needs to know where a body ends, byte
 * for byte, and nothing else about it.
 */
#include "wire/http1.h"

#include <assert.h>
#include <limits.h>
#include <llhttp.h>
#include <string.h>

enum { TOKEN = 1, CONTROL = 2 };

/* What a byte may be part of: a token (RFC 9110, section 5.6.2); a field's value, unless CONTROL.
 */
static const uint8_t classes[256] = {
    [0 ... 8] = CONTROL,   [10 ... 31] = CONTROL, [127] = CONTROL,       ['0' ... '9'] = TOKEN,
    ['A' ... 'Z'] = TOKEN, ['a' ... 'z'] = TOKEN, ['!'] = TOKEN,         ['#' ... '\''] = TOKEN,
    ['*' ... '+'] = TOKEN, ['-' ... '.'] = TOKEN, ['^' ... '`'] = TOKEN, ['|'] = TOKEN,
    ['~'] = TOKEN,
};

static bool is_token_char(char c)
{
    return classes[(uint8_t)c] == TOKEN;
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n;
}

static enum parsed odd(const char **ret_odd, const char *why)
{
    if (ret_odd)
        *ret_odd = why;
    return PARSED_ODD;
}

enum parsed http1_find_end(struct str bytes, size_t *at, const char **ret_odd)
{
    if (bytes.n && !is_token_char(bytes.p[0]))
        return odd(ret_odd, "not HTTP");

    /* *at stands at the start of the first line that was not whole yet. */
    for (;;) {
        struct str rest = str_skip(bytes, *at);
        size_t n = str_find(rest, '\n');

        if (n == rest.n)
            return PARSED_MORE;
        if (!n || rest.p[n - 1] != '\r')
            return odd(ret_odd, "a line ends without CR LF");
        *at += n + 1;
        if (n == 1)
            return PARSED_DONE;
    }
}

/* The fields */

static struct http1_field split_line(struct str line)
{
    struct str name = str_cut(&line, ':');

    return (struct http1_field){name, str_trim(line)};
}

struct http1_fields http1_fields(const struct http1_head *head)
{
    return (struct http1_fields){.head = head, .unsplit = head->unsplit};
}

bool http1_next_field(struct http1_fields *it, struct http1_field *ret_field)
{
    struct str line;

    if (it->at < it->head->split_count) {
        *ret_field = it->head->split[it->at++];
        return true;
    }
    if (!str_line(&it->unsplit, &line))
        return false;
    *ret_field = split_line(line);
    return true;
}

struct str http1_field(const struct http1_head *head, struct str name)
{
    struct http1_fields it = http1_fields(head);
    struct http1_field field;

    while (http1_next_field(&it, &field))
        if (str_ieq(field.name, name))
            return field.value;
    return (struct str){0};
}

/* The fields that decide how messages and connections end: one look at a head notes which it has.
 */
static const struct str deciding[] = {
    STR("Connection"), STR("Proxy-Connection"), STR("Transfer-Encoding"), STR("Upgrade"),
    STR("Host"),
};

/* The bit of the last, and one for its coming twice. */
enum { HOST = 1 << 4, TWO_HOSTS = 1 << 5 };

/* The field's bit; 0: none of those. */
static unsigned bit_of(struct str name)
{
    for (unsigned i = 0; i < sizeof deciding / sizeof *deciding; i++)
        if (str_ieq(deciding[i], name))
            return 1u << i;
    return 0;
}

static bool is_absent(const struct http1_head *head, struct str name)
{
    unsigned bit = bit_of(name);

    return bit && !(head->noted & bit);
}

static unsigned count_words(const struct http1_head *head, struct str name, struct str word)
{
    struct http1_fields it = http1_fields(head);
    struct http1_field field;
    unsigned n = 0;

    if (is_absent(head, name))
        return 0;
    while (http1_next_field(&it, &field))
        while (str_ieq(field.name, name) && field.value.n)
            n += str_ieq(str_trim(str_cut(&field.value, ',')), word);
    return n;
}

size_t http1_words(const struct http1_head *head, struct str name, struct str *ret_words,
                   size_t max)
{
    struct http1_fields it = http1_fields(head);
    struct http1_field field;
    size_t n = 0;

    if (is_absent(head, name))
        return 0;
    while (http1_next_field(&it, &field))
        while (str_ieq(field.name, name) && field.value.n) {
            struct str word = str_trim(str_cut(&field.value, ','));

            if (word.n && n < max)
                ret_words[n] = word;
            n += word.n > 0;
        }
    return n;
}

bool http1_has_word(const struct http1_head *head, struct str name, struct str word)
{
    return count_words(head, name, word);
}

/* Heads */

static bool has_controls(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (classes[(uint8_t)s.p[i]] == CONTROL)
            return true;
    return false;
}

/* What llhttp lets pass. The lines end in CR LF already: http1_find_end saw to that. */
static const char *check_line(struct http1_head *head, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    unsigned bit = bit_of(name);

    if (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        return "a folded field line";
    if (!is_token(name))
        return "a bad field name";
    if (has_controls(value))
        return "a control character in a field";
    head->noted |= bit & head->noted & HOST ? TWO_HOSTS : bit;
    return NULL;
}

static const char *split_fields(struct http1_head *head, struct str lines)
{
    const char *why = NULL;
    struct str line;

    head->unsplit = lines;
    while (!why && str_line(&lines, &line)) {
        why = check_line(head, line);
        if (head->split_count < HTTP1_SPLIT_MAX) {
            head->split[head->split_count++] = split_line(line);
            head->unsplit = lines;
        }
    }
    return why;
}

static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n;
}

static bool read_version(struct str version, unsigned *ret_minor)
{
    *ret_minor = str_eq(version, STR("HTTP/1.1"));
    return *ret_minor || str_eq(version, STR("HTTP/1.0"));
}

static int pause_after_head(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

/* NULL: llhttp agrees with the head, and *ret_parser knows its lengths. */
static const char *check_grammar(llhttp_type_t type, struct str start, struct str rest,
                                 llhttp_t *ret_parser)
{
    static const llhttp_settings_t settings = {.on_headers_complete = pause_after_head};

    llhttp_init(ret_parser, type, &settings);
    if (llhttp_execute(ret_parser, start.p, start.n) == HPE_OK &&
        llhttp_execute(ret_parser, rest.p, rest.n) == HPE_PAUSED)
        return NULL;
    switch (llhttp_get_errno(ret_parser)) {
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return "two lengths, or a length beside a transfer coding";
    case HPE_INVALID_CONTENT_LENGTH:
        return "a bad Content-Length";
    case HPE_INVALID_TRANSFER_ENCODING:
        return "a transfer coding that does not end in one chunked";
    case HPE_INVALID_URL:
        return "a bad request target";
    default:
        return "malformed";
    }
}

/* An empty head, for a whole one's bytes; *ret_lines are its field lines. The start line. */
static struct str begin_head(struct http1_head *head, struct str bytes, struct str *ret_lines)
{
    struct str start;

    memset(head, 0, offsetof(struct http1_head, split));
    str_line(&bytes, &start);
    *ret_lines = str_head(bytes, bytes.n - 2);
    return start;
}

/* llhttp says whether `chunked` comes last. */
static const char *check_coding(const struct http1_head *head, bool chunked)
{
    if (head->minor == 0)
        return "a transfer coding in HTTP/1.0";
    if (!chunked || count_words(head, STR("Transfer-Encoding"), STR("chunked")) != 1)
        return "a transfer coding that does not end in one chunked";
    return NULL;
}

static bool is_persistent(const struct http1_head *head)
{
    return head->minor == 1 && !http1_has_word(head, STR("Connection"), STR("close")) &&
           !http1_has_word(head, STR("Proxy-Connection"), STR("close"));
}

static bool names_protocol(const struct http1_head *head)
{
    return head->minor == 1 && http1_has_word(head, STR("Connection"), STR("upgrade")) &&
           http1_field(head, STR("Upgrade")).n;
}

enum parsed http1_read_request(struct str bytes, struct http1_head *ret_head, const char **ret_odd)
{
    struct http1_head *head = ret_head;
    struct str lines, start = begin_head(head, bytes, &lines);
    llhttp_t parser;
    const char *why;

    head->method = str_cut(&start, ' ');
    head->target = str_cut(&start, ' ');
    if (!is_token(head->method) || !is_visible(head->target))
        return odd(ret_odd, "a bad request line");
    if (!read_version(start, &head->minor))
        return odd(ret_odd, "neither HTTP/1.1 nor HTTP/1.0");

    bool connects = str_eq(head->method, STR("CONNECT"));
    why = split_fields(head, lines);
    if (!why && head->noted & TWO_HOSTS)
        why = "two Host fields";
    if (!why)
        why = check_grammar(HTTP_REQUEST, connects ? STR("CONNECT") : STR("GET"),
                            str_skip(bytes, head->method.n), &parser);
    if (!why && parser.flags & F_TRANSFER_ENCODING)
        why = check_coding(head, parser.flags & F_CHUNKED);
    if (why)
        return odd(ret_odd, why);

    if (parser.flags & F_CHUNKED) {
        head->framing = HTTP1_CHUNKED;
    } else if (parser.flags & F_CONTENT_LENGTH && parser.content_length) {
        head->framing = HTTP1_LENGTH;
        head->length = parser.content_length;
    }
    head->persistent = is_persistent(head);
    head->upgrade = names_protocol(head);
    return PARSED_DONE;
}

static bool has_no_body(unsigned status, struct str request_method)
{
    bool tunnels = str_eq(request_method, STR("CONNECT")) && status >= 200 && status < 300;

    return status < 200 || status == 204 || status == 304 || tunnels ||
           str_eq(request_method, STR("HEAD"));
}

static bool read_status(struct str *line, unsigned *ret_status)
{
    struct str digits = str_cut(line, ' ');
    uint64_t status;

    if (digits.n != 3 || !str_to_u64(digits, &status) || status < 100 || status > 599)
        return false;
    *ret_status = (unsigned)status;
    return true;
}

static void frame_response(struct http1_head *head, const llhttp_t *parser,
                           struct str request_method)
{
    if (has_no_body(head->status, request_method)) {
        head->framing = HTTP1_NO_BODY;
    } else if (parser->flags & F_CHUNKED) {
        head->framing = HTTP1_CHUNKED;
    } else if (parser->flags & F_CONTENT_LENGTH && !(parser->flags & F_TRANSFER_ENCODING)) {
        head->framing = parser->content_length ? HTTP1_LENGTH : HTTP1_NO_BODY;
        head->length = parser->content_length;
    } else {
        head->framing = HTTP1_UNTIL_CLOSE;
    }
}

enum parsed http1_read_response(struct str bytes, struct str request_method,
                                struct http1_head *ret_head, const char **ret_odd)
{
    struct http1_head *head = ret_head;
    struct str lines, start = begin_head(head, bytes, &lines);
    llhttp_t parser;
    const char *why;

    if (!read_version(str_cut(&start, ' '), &head->minor))
        return odd(ret_odd, "neither HTTP/1.1 nor HTTP/1.0");
    if (!read_status(&start, &head->status))
        return odd(ret_odd, "a bad status");
    head->reason = start;
    if (memchr(start.p, '\r', start.n))
        return odd(ret_odd, "a bad status line");

    why = split_fields(head, lines);
    if (!why)
        why = check_grammar(HTTP_RESPONSE, STR(""), bytes, &parser);
    /* Without `chunked` a coded response lasts until the close, and nobody can misread its end. */
    if (!why && http1_has_word(head, STR("Transfer-Encoding"), STR("chunked")))
        why = check_coding(head, parser.flags & F_CHUNKED);
    if (why)
        return odd(ret_odd, why);

    frame_response(head, &parser, request_method);
    head->persistent = is_persistent(head) && head->framing != HTTP1_UNTIL_CLOSE;
    head->upgrade = head->status == 101 && names_protocol(head);
    return PARSED_DONE;
}

/*
 * Bodies. The chunked coding (RFC 9112, section 7.1):
 *
 *     size [;extensions] CR LF  data CR LF   …   0 [;extensions] CR LF  [trailers] CR LF
 */

enum { LINE_BYTES_MAX = 4 << 10, TRAILER_BYTES_MAX = HTTP1_HEAD_MAX };

enum chunk_state {
    SIZE_START, /* the first digit of a size */
    SIZE,       /* further digits, or what ends them */
    EXTENSION,  /* skipped */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* a trailer's first byte, or the CR of the end */
    TRAILER,       /* skipped */
    TRAILER_LF,
    END_LF,
    ENDED,
    BROKEN,
};

void http1_body_init(struct http1_body *body, const struct http1_head *head)
{
    *body = (struct http1_body){.framing = head->framing, .state = SIZE_START};
    if (head->framing == HTTP1_LENGTH)
        body->left = head->length;
}

static int hex_digit(char c)
{
    char lower = ascii_lower(c);

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static enum chunk_state add_digit(struct http1_body *body, char c)
{
    int digit = hex_digit(c);

    if (digit < 0 || body->left >> 56) /* sizes stay below 2^60 */
        return BROKEN;
    body->left = body->left << 4 | (unsigned)digit;
    return SIZE;
}

static enum chunk_state after_size_line(struct http1_body *body)
{
    body->line_bytes = 0;
    return body->left ? DATA : TRAILER_START;
}

static bool is_text(char c)
{
    return ((uint8_t)c >= ' ' && c != 0x7f) || c == '\t';
}

/* One byte that is not data. */
static enum chunk_state step(struct http1_body *body, char c)
{
    switch ((enum chunk_state)body->state) {
    case SIZE_START:
        body->left = 0;
        return add_digit(body, c);
    case SIZE:
        if (c == ';')
            return EXTENSION;
        return c == '\r' ? SIZE_LF : add_digit(body, c);
    case EXTENSION:
        if (++body->line_bytes > LINE_BYTES_MAX)
            return BROKEN;
        return c == '\r' ? SIZE_LF : is_text(c) ? EXTENSION : BROKEN;
    case SIZE_LF:
        return c == '\n' ? after_size_line(body) : BROKEN;
    case DATA_CR:
        return c == '\r' ? DATA_LF : BROKEN;
    case DATA_LF:
        return c == '\n' ? SIZE_START : BROKEN;
    case TRAILER_START:
        if (c == '\r')
            return END_LF;
        return is_token_char(c) ? TRAILER : BROKEN; /* so a folded line is refused here too */
    case TRAILER:
        if (++body->line_bytes > TRAILER_BYTES_MAX)
            return BROKEN;
        return c == '\r' ? TRAILER_LF : is_text(c) ? TRAILER : BROKEN;
    case TRAILER_LF:
        return c == '\n' ? TRAILER_START : BROKEN;
    case END_LF:
        return c == '\n' ? ENDED : BROKEN;
    case DATA:
    case ENDED:
    case BROKEN:
        break;
    }
    return BROKEN;
}

/* The data of the chunk that is here; moved to `kept` bytes from the front when unframed. */
static size_t take_data(struct http1_body *body, char *bytes, size_t at, size_t n, size_t kept)
{
    size_t here = body->left < n - at ? (size_t)body->left : n - at;

    if (body->unframed)
        memmove(bytes + kept, bytes + at, here);
    body->left -= here;
    if (!body->left)
        body->state = DATA_CR;
    return here;
}

static enum parsed take_chunked(struct http1_body *body, char *bytes, size_t n, size_t *ret_taken,
                                size_t *ret_kept)
{
    size_t at = 0, kept = 0;

    while (at < n && body->state != ENDED && body->state != BROKEN) {
        if (body->state == DATA) {
            size_t data = take_data(body, bytes, at, n, kept);
            at += data;
            kept += data;
        } else {
            body->state = step(body, bytes[at++]);
        }
    }
    *ret_taken = at;
    *ret_kept = body->unframed ? kept : at;
    if (body->state == BROKEN)
        return PARSED_ODD;
    return body->state == ENDED ? PARSED_DONE : PARSED_MORE;
}

enum parsed http1_body_take(struct http1_body *body, char *bytes, size_t n, size_t *ret_taken,
                            size_t *ret_kept)
{
    switch (body->framing) {
    case HTTP1_NO_BODY:
        *ret_taken = *ret_kept = 0;
        return PARSED_DONE;
    case HTTP1_LENGTH:
        *ret_taken = *ret_kept = body->left < n ? (size_t)body->left : n;
        body->left -= *ret_taken;
        return body->left ? PARSED_MORE : PARSED_DONE;
    case HTTP1_UNTIL_CLOSE:
        *ret_taken = *ret_kept = n;
        return PARSED_MORE;
    case HTTP1_CHUNKED:
        return take_chunked(body, bytes, n, ret_taken, ret_kept);
    }
    assert(!"a framing that does not exist");
    return PARSED_ODD;
}
