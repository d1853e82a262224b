/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ja4: the JA4 fingerprint of a ClientHello, which names the software that said it
 * (https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md; JA4 itself is under BSD-3-Clause).
 */
#pragma once

#include "wire/tls.h"

enum { JA4_TEXT = 37 }; /* "t13d1516h2_8daaf6152771_e5627efa2ab1" and its end */

/* transport: 't' over TCP, 'q' over QUIC. */
void ja4_of(const struct tls_client_hello *hello, char transport, char ret_text[static JA4_TEXT]);
