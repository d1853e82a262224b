/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/help.h"

#include "cmd/cmd_list.h"
#include "report/wrap.h"

#include <string.h>

enum { SUMMARY_COLUMN = 14, SAYS_COLUMN = 26 };

static const char intro[] =
    "Watches a Windows device while it is being provisioned, from outside, and says what each "
    "thing means.";

static const char outro[] = "flightstrip COMMAND --help says more about one. Start with:\n"
                            "  flightstrip record -o first.flight\n"
                            "  flightstrip explain first.flight";

void put_usage(struct buf *out, const struct cmd *cmd)
{
    buf_printf(out, "flightstrip %s%s%s%s", cmd->name, cmd->options ? " [OPTION]…" : "",
               cmd->operands ? " " : "", cmd->operands ? cmd->operands : "");
}

void put_help(struct buf *out, unsigned width)
{
    buf_put_str(out, STR("usage: flightstrip COMMAND [OPTION]… [OPERAND]…\n\n"));
    put_wrapped(out, str_of(intro), 0, 0, width);
    buf_put_str(out, STR("\n\n"));
    for (size_t i = 0; cmd_list[i]; i++) {
        buf_printf(out, "  %-*s", SUMMARY_COLUMN - 2, cmd_list[i]->name);
        put_wrapped(out, str_of(cmd_list[i]->summary), SUMMARY_COLUMN, SUMMARY_COLUMN, width);
        buf_put_byte(out, '\n');
    }
    buf_put_byte(out, '\n');
    buf_printf(out, "%s\n", outro);
}

static void put_option(struct buf *out, const struct opt *o, unsigned width)
{
    size_t before = out->n;

    if (o->letter)
        buf_printf(out, "  -%c, ", o->letter);
    else
        buf_put_str(out, STR("      "));
    buf_printf(out, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");

    unsigned at = text_columns(str_skip(buf_str(out), before));
    if (at + 2 > SAYS_COLUMN) {
        buf_put_byte(out, '\n');
        at = 0;
    }
    put_padding(out, at, SAYS_COLUMN);
    put_wrapped(out, str_of(o->says), SAYS_COLUMN, SAYS_COLUMN, width);
    buf_put_byte(out, '\n');
}

void put_command_help(struct buf *out, const struct cmd *cmd, unsigned width)
{
    static const struct opt help = {OPT_FLAG, 'h', "help", NULL, "Say all this.", 0, NULL};

    buf_put_str(out, STR("usage: "));
    put_usage(out, cmd);
    buf_put_str(out, STR("\n\n"));
    put_wrapped(out, str_of(cmd->help), 0, 0, width);
    buf_put_str(out, STR("\n\n"));
    for (const struct opt *o = cmd_options(cmd); o->kind; o++)
        put_option(out, o, width);
    put_option(out, &help, width);
}
