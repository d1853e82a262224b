/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * device: the simulated machine. It opens the flows it is told to, through the proxy, as a Windows
 * device would: CONNECT and TLS with its own verification of the server, or a plain HTTP request in
 * absolute-form; moves the bytes; keeps the connection for a while; closes.
 *
 * A flow that is under way keeps a held clock standing (loop_busy), so that it takes no time but
 * what its plan says. One whose server is silent does not: the device's patience is what it shows.
 */
#pragma once

#include "rehearse/scenario.h"

#include "loop/loop.h"

#include <openssl/x509.h>

struct device;

struct device_options {
    const char *address;             /* its own on loopback: 127.0.0.2 */
    uint16_t proxy_port;             /* of the proxy, on 127.0.0.1 */
    X509 *trusted;                   /* the root whose servers it trusts */
    bool tls12;                      /* it speaks TLS 1.2 at most */
    const struct fault_list *faults; /* says which servers are silent. Outlives the device */
};

int device_create(struct loop *loop, const struct device_options *options,
                  struct device **ret_device, struct err *err);
void device_destroy(struct device *d); /* as when it goes off */

/*
 * Opens a flow; the plan outlives the device. `done` is called once, when all bytes have moved
 * (error NULL) or when it failed; not when the device goes off meanwhile.
 */
void device_open(struct device *d, const struct scenario_flow *plan,
                 void (*done)(void *ctx, const char *error), void *ctx);

void device_go_off(struct device *d); /* all its connections break */
