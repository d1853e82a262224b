/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notify: tells the service manager how the program is getting on (sd_notify(3)), when there is
 * one that asked for it; else nothing happens. It is one datagram, so no library is needed for it.
 */
#pragma once

void notify_ready(void);     /* begun, or reloaded */
void notify_reloading(void); /* notify_ready follows */
void notify_stopping(void);
