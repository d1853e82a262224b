/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of Squid's native log: whatever one says, the flow it becomes is in order. */
#include "fuzz/account_check.h"
#include "sources/imports/squid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_from(data, size), line;
    struct account x;
    const char *why = NULL;

    account_init(&x);
    while (str_line(&rest, &line)) {
        enum record_fate fate = squid_parse(line, &x, &why);

        check_record(fate, &x, why);
    }
    account_finish(&x);
    return 0;
}
