/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/cmd_list.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && cmd_list[i]; i++)
        if (strcmp(cmd_list[i]->name, argv[1]) == 0)
            return cmd_list[i]->run(argc - 1, argv + 1);
    fputs("usage: flightstrip COMMAND …\n", stderr);
    return EXIT_TROUBLE;
}
