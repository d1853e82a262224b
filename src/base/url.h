/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * url: absolute URLs and authorities as proxies and their logs have them (RFC 3986; RFC 9112,
 * section 3.2), and what may be kept of a URL.
 */
#pragma once

#include "base/buf.h"

enum { HOST_MAX = 255 }; /* longer is no host name (RFC 1035, section 2.3.4) */

/* Views into the text that was parsed. */
struct url {
    struct str scheme; /* as written */
    struct str host;   /* as written, an IPv6 address without its brackets; never empty */
    uint16_t port;     /* the written one, or the scheme's (http, ws: 80; https, wss: 443; ftp: 21);
                          0 when neither says */
    struct str target; /* the path with its query, as written; may be empty */
};

/* SCHEME://[USER@]HOST[:PORT][/PATH][?QUERY][#FRAGMENT]; false when it is not that. */
bool url_parse(struct str text, struct url *ret_url);

/*
 * HOST, HOST:PORT, [V6] or [V6]:PORT; a missing or empty port gives default_port. A host may have
 * any bytes but blanks, controls and those that end a host in a URL: names that are not ASCII
 * exist.
 */
bool authority_parse(struct str text, uint16_t default_port, struct str *ret_host,
                     uint16_t *ret_port);

/* Whether it is an IPv4 or IPv6 address, without brackets, rather than a name. */
bool host_is_address(struct str host);
/* "ADDR", "ADDR:PORT" or "[V6]:PORT" without the port and the brackets; other text as it is. */
struct str address_without_port(struct str address);

struct str host_undotted(struct str host); /* without the dot at its end */
/* Appends the host as observations have it: lower case, without the dot at its end. */
void host_put(struct buf *out, struct str host);
/* The same as a str; what is no host name for its length is empty. */
struct str host_lower(struct str host, char text[static HOST_MAX]);
/* "HOST:PORT", with brackets around an IPv6 address. */
void authority_put(struct buf *out, struct str host, uint16_t port);

/*
 * Appends the URL without its secrets. The user, the fragment and the values of the query are cut:
 * "http://me:pw@host/p?id=7&t=9#x" becomes "http://host/p?id=*&t=*". A part of the query that is
 * not NAME=VALUE, with a name that looks like one, may itself be a secret and becomes "*". What was
 * redacted stays as it is when it is redacted again. Works on any text, URL or not.
 */
void url_put_redacted(struct buf *out, struct str url);
