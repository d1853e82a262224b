/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/failure.h"

const char *const flow_failure_names[FAILURES + 1] = {
    [FAILURE_NONE] = "none",           [FAILURE_NAME] = "name",
    [FAILURE_CONNECT] = "connect",     [FAILURE_BLOCKED] = "blocked",
    [FAILURE_AUTH] = "authentication", [FAILURE_PROXY] = "proxy",
    [FAILURE_UPSTREAM] = "upstream",   [FAILURE_NO_UPSTREAM] = "no-upstream",
    [FAILURE_RESET] = "reset",         [FAILURE_HANDSHAKE] = "handshake",
    [FAILURE_SILENT] = "silent",       [FAILURE_TOLD] = "told",
    [FAILURE_SLOWED] = "slowed",
};

const char *flow_failure_says(enum flow_failure f)
{
    static const char *const says[FAILURES] = {
        [FAILURE_NONE] = "nothing is known to have gone wrong",
        [FAILURE_NAME] = "its name could not be resolved",
        [FAILURE_CONNECT] = "the server could not be reached",
        [FAILURE_BLOCKED] = "a proxy refused it",
        [FAILURE_AUTH] = "a proxy asked the device for credentials",
        [FAILURE_PROXY] = "a proxy could not pass it on",
        [FAILURE_UPSTREAM] = "the upstream proxy did not pass it on",
        [FAILURE_NO_UPSTREAM] = "the upstream proxy gave no answer",
        [FAILURE_RESET] = "the connection was reset after the device named the server",
        [FAILURE_HANDSHAKE] = "the device refused what the server showed in the TLS handshake",
        [FAILURE_SILENT] = "the server never answered",
        [FAILURE_TOLD] = "flightstrip was told to refuse it",
        [FAILURE_SLOWED] = "flightstrip was told to slow it down, and it was given up",
    };

    return says[f];
}
