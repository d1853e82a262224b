/* SPDX-License-Identifier: GPL-3.0-or-later */
/* failure: how flows fail, as the explainer judges them. */
#pragma once

/* How a flow failed. The names are what rules call them. */
enum flow_failure {
    FAILURE_NONE,
    FAILURE_NAME,        /* its name could not be resolved */
    FAILURE_CONNECT,     /* the server could not be reached */
    FAILURE_BLOCKED,     /* a proxy refused it */
    FAILURE_AUTH,        /* a proxy wanted credentials */
    FAILURE_PROXY,       /* a proxy could not pass it on */
    FAILURE_UPSTREAM,    /* the upstream proxy answered that it does not pass it on */
    FAILURE_NO_UPSTREAM, /* the upstream proxy gave no answer at all */
    FAILURE_RESET,       /* reset after the ClientHello, before an answer */
    FAILURE_HANDSHAKE,   /* the device refused the server's handshake */
    FAILURE_SILENT,      /* the server never answered */
    FAILURE_TOLD,        /* the recorder was told to refuse it */
    FAILURE_SLOWED,      /* the recorder was told to slow it down, and somebody lost patience */
    FAILURES
};

extern const char *const flow_failure_names[FAILURES + 1]; /* NULL at the end */
const char *flow_failure_says(enum flow_failure f);        /* "its name could not be resolved" */
