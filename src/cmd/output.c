/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/output.h"

#include "base/log.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int output_put(struct str bytes)
{
    while (bytes.n) {
        ssize_t n = write(STDOUT_FILENO, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE) {
            signal(SIGPIPE, SIG_DFL);
            raise(SIGPIPE);
        }
        if (n < 0) {
            log_error("cannot write the output: %s", strerror(errno));
            return EXIT_TROUBLE;
        }
        bytes = str_skip(bytes, (size_t)n);
    }
    return EXIT_OK;
}
