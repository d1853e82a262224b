/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* By level. The journal knows by itself who speaks; its priorities are those of sd-daemon(3). */
static const struct {
    const char *person, *journal;
} prefixes[] = {
    [LOG_ERROR] = {"flightstrip: ", "<3>"},
    [LOG_WARN] = {"flightstrip: warning: ", "<4>"},
    [LOG_INFO] = {"flightstrip: ", "<6>"},
};

/*
 * systemd.exec(5): JOURNAL_STREAM has the device and inode of the stream that leads to the journal.
 * It is inherited, so standard error may be another by now.
 */
static bool is_journal(int fd)
{
    struct str inode = str_of(getenv("JOURNAL_STREAM"));
    struct str device = str_cut(&inode, ':');
    uint64_t device_n, inode_n;
    struct stat s;

    return str_to_u64(device, &device_n) && str_to_u64(inode, &inode_n) && fstat(fd, &s) == 0 &&
           s.st_dev == device_n && s.st_ino == inode_n;
}

void log_line(enum log_level level, const char *format, ...)
{
    struct buf raw, line;
    va_list args;

    buf_init(&raw, 64 << 10);
    buf_init(&line, 256 << 10);
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    buf_put_str(&line, str_of(is_journal(STDERR_FILENO) ? prefixes[level].journal
                                                        : prefixes[level].person));
    utf8_put_safe(&line, buf_str(&raw));
    buf_put_byte(&line, '\n');
    fwrite(line.p, 1, line.n, stderr);
    buf_finish(&raw);
    buf_finish(&line);
}
