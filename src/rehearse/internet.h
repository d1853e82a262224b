/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * internet: a simulated internet on loopback: a name server, and one server that stands for every
 * host, on two ports: plain HTTP for what is dialled at port 80, TLS for 443. It shows each host's
 * own certificate, and misbehaves as the faults say.
 *
 * The servers know nothing of scenarios: a request says what its answer shall be, in a header field
 *
 *     Rehearsal-Answer: STATUS BYTES TYPE
 *
 * and gets a head and so many bytes. Without the field it is 204.
 */
#pragma once

#include "loop/loop.h"
#include "rehearse/fault.h"

#include <openssl/x509.h>
#include <sys/socket.h>

struct internet;

/* The faults stay the caller's, and outlive the internet. */
int internet_create(struct loop *loop, const struct fault_list *faults,
                    struct internet **ret_internet, struct err *err);
void internet_destroy(struct internet *net);

void internet_add_host(struct internet *net, struct str host); /* in lower case */
const char *internet_name_server(const struct internet *net);  /* "127.0.0.1:PORT" */
X509 *internet_root(const struct internet *net); /* what a device has to trust. Borrowed */

/* For proxy_options.dial: turns an address of the simulated internet into one on loopback. */
void internet_dial(void *internet, struct sockaddr_storage *address);

/* What a host's servers saw; bytes are those on the socket, TLS and all. */
struct internet_seen {
    uint64_t connections, requests, bytes_in, bytes_out;
};
struct internet_seen internet_seen(const struct internet *net, struct str host);
