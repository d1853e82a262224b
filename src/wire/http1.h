/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http1: heads and body framing of HTTP/1.x (RFC 9112), read strictly.
 *
 * Whoever stands between two readers of HTTP must not leave them room to disagree about where a
 * message ends. So every form that some software reads one way and some another is ODD here: a bare
 * CR or LF, a folded line, a space before a colon, two lengths, a length beside a transfer coding,
 * a transfer coding that does not end in one `chunked`, a version other than 1.0 and 1.1.
 *
 * Everything in a head is borrowed from its bytes.
 */
#pragma once

#include "base/str.h"
#include "wire/parsed.h"

enum { HTTP1_HEAD_MAX = 64 << 10 }; /* for whoever gathers a head; larger ones are not waited for */

/* So many fields of a head are split once and for all; those behind them each time they are read.
 */
enum { HTTP1_SPLIT_MAX = 32 };

struct http1_field {
    struct str name, value;
};

enum http1_framing { HTTP1_NO_BODY, HTTP1_LENGTH, HTTP1_CHUNKED, HTTP1_UNTIL_CLOSE };

struct http1_head {
    struct str method, target; /* of a request */
    unsigned status;           /* of a response */
    struct str reason;
    unsigned minor; /* HTTP/1.minor: 0 or 1 */
    enum http1_framing framing;
    uint64_t length; /* with HTTP1_LENGTH */
    bool persistent; /* its sender will take another message on this connection */
    bool upgrade;    /* it asks for, or agrees to, another protocol */

    /* For the functions below. */
    unsigned noted; /* which of the fields that decide about messages are there */
    unsigned split_count;
    struct str unsplit; /* the field lines that are not split, each with its CR LF */
    struct http1_field split[HTTP1_SPLIT_MAX];
};

/*
 * Looks for the end of a head that begins with the first byte. *at is 0 at first and is kept
 * between calls on the same, growing bytes, so each byte is looked at once. DONE: *at is the number
 * of bytes of the head, with the empty line. ODD: *ret_odd says why.
 */
enum parsed http1_find_end(struct str bytes, size_t *at, const char **ret_odd);

/* Reads a whole head, as http1_find_end found it: DONE, or ODD and why; then it holds nothing. */
enum parsed http1_read_request(struct str bytes, struct http1_head *ret_head, const char **ret_odd);
/* How a response is framed depends on the method that it answers (RFC 9112, section 6.3). */
enum parsed http1_read_response(struct str bytes, struct str request_method,
                                struct http1_head *ret_head, const char **ret_odd);

/* The fields in their order: for (it = http1_fields(&head); http1_next_field(&it, &field);) … */
struct http1_fields {
    const struct http1_head *head;
    unsigned at;
    struct str unsplit;
};

struct http1_fields http1_fields(const struct http1_head *head);
bool http1_next_field(struct http1_fields *it, struct http1_field *ret_field);
/* The value of the first field of this name; .p is NULL when there is none. */
struct str http1_field(const struct http1_head *head, struct str name);
/* Whether a list-valued field (Connection, …) holds this word, in any of its lines. */
bool http1_has_word(const struct http1_head *head, struct str name, struct str word);
/* The words of such fields, the first `max` of them; how many there are. */
size_t http1_words(const struct http1_head *head, struct str name, struct str *ret_words,
                   size_t max);

/* Walks through a body as its bytes come. */
struct http1_body {
    enum http1_framing framing;
    uint64_t left;     /* of the length, or of the chunk */
    unsigned state;    /* within the chunked coding */
    size_t line_bytes; /* of the chunk's line, or of the trailers, so far */
    bool unframed;     /* keep the payload of a chunked body alone */
};

void http1_body_init(struct http1_body *body, const struct http1_head *head);

/*
 * Takes what belongs to the body off the front of `bytes`. DONE: the body ends with them; the rest
 * is another message. MORE: all were taken. With UNTIL_CLOSE it is MORE for ever.
 * *ret_kept: how many of the bytes taken are to be passed on. It is all of them, unless `unframed`:
 * then the payload has been moved to the front of `bytes`.
 */
enum parsed http1_body_take(struct http1_body *body, char *bytes, size_t n, size_t *ret_taken,
                            size_t *ret_kept);
