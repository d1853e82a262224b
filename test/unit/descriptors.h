/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors this process has open: what is opened has to be closed again. */
#pragma once

#include "test/unit/unit.h"

#include <dirent.h>

static inline unsigned descriptors_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count - 1; /* the folder itself was open */
}
