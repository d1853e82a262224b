/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * write_docs: what the manual and the shell completion say of commands, options and observations,
 * written from the tables that the program itself walks. tools/docs.py puts it in its place.
 *
 *     write_docs commands | observations | completion
 */
#include "base/buf.h"
#include "cmd/cmd_list.h"
#include "cmd/help.h"
#include "obs/obs.h"
#include "rehearse/scenarios.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- roff (groff_man(7)) --- */

/* One line of text: no character of it is taken as roff. */
static void put_roff(struct buf *out, struct str text)
{
    if (text.n && (text.p[0] == '.' || text.p[0] == '\''))
        buf_put_str(out, STR("\\&"));
    for (size_t i = 0; i < text.n; i++)
        switch (text.p[i]) {
        case '\\':
            buf_put_str(out, STR("\\e"));
            break;
        case '-':
            buf_put_str(out, STR("\\-"));
            break;
        default:
            buf_put_byte(out, (uint8_t)text.p[i]);
        }
}

static void put_paragraphs(struct buf *out, const char *text)
{
    struct str rest = str_of(text), line;

    while (str_line(&rest, &line)) {
        if (line.n)
            put_roff(out, line);
        else
            buf_put_str(out, STR(".PP"));
        buf_put_byte(out, '\n');
    }
}

static void put_option(struct buf *out, const struct opt *o)
{
    buf_put_str(out, STR(".TP\n.B "));
    if (o->letter)
        buf_printf(out, "\\-%c, ", o->letter);
    buf_put_str(out, STR("\\-\\-"));
    put_roff(out, str_of(o->name));
    if (o->argument) {
        buf_put_str(out, STR(" \\fI"));
        put_roff(out, str_of(o->argument));
        buf_put_str(out, STR("\\fR"));
    }
    buf_put_byte(out, '\n');
    put_roff(out, str_of(o->says));
    buf_put_byte(out, '\n');
}

static void put_commands(struct buf *out)
{
    for (size_t i = 0; cmd_list[i]; i++) {
        const struct cmd *cmd = cmd_list[i];
        struct buf usage;

        buf_init(&usage, BUF_UNBOUNDED);
        put_usage(&usage, cmd);
        buf_put_str(out, STR(".SS "));
        put_roff(out, buf_str(&usage));
        buf_put_byte(out, '\n');
        buf_finish(&usage);
        put_paragraphs(out, cmd->help);
        for (const struct opt *o = cmd_options(cmd); o->kind; o++)
            put_option(out, o);
    }
}

static void put_entry(struct buf *out, const char *name, const char *says)
{
    buf_put_str(out, STR(".TP\n.B "));
    put_roff(out, str_of(name));
    buf_put_byte(out, '\n');
    put_roff(out, str_of(says));
    buf_put_byte(out, '\n');
}

static void put_kinds(struct buf *out)
{
    buf_put_str(out, STR(".SH KINDS\n"));
    for (size_t i = 0; i < OBS_KINDS; i++) {
        const struct kind_info *kind = &obs_kinds[i];

        put_entry(out, kind->name, kind->says);
        buf_put_str(out, STR(".br\nFields:"));
        for (unsigned f = 0; f < kind->field_count; f++) {
            buf_put_str(out, f ? STR(", ") : STR(" "));
            put_roff(out, str_of(obs_fields[kind->fields[f]].name));
        }
        buf_put_byte(out, '\n');
    }
}

static void put_words(struct buf *out, const char *heading, const struct word_info *words,
                      unsigned count)
{
    buf_printf(out, ".SS %s\n", heading);
    for (unsigned i = 1; i < count; i++)
        put_entry(out, words[i].name, words[i].says);
}

static void put_observations(struct buf *out)
{
    put_kinds(out);
    buf_put_str(out, STR(".SH FIELDS\n"));
    for (size_t i = 0; i < FIELDS; i++)
        put_entry(out, obs_fields[i].name, obs_fields[i].says);
    buf_put_str(out, STR(".SH WORDS\n"));
    put_words(out, "source", obs_sources, SOURCE_COUNT);
    put_words(out, "how", obs_hows, HOW_COUNT);
    put_words(out, "why", obs_whys, WHY_COUNT);
    put_words(out, "by", obs_bys, BY_COUNT);
}

/* --- bash --- */

/* The words of the usage line that a person types as they stand: "list", "check". */
static void put_typed_words(struct buf *out, const char *operands)
{
    struct str rest = str_of(operands);

    for (struct str word = str_word(&rest); word.n; word = str_word(&rest)) {
        while (word.n && !isalpha((unsigned char)word.p[0]))
            word = str_skip(word, 1);
        if (word.n && islower((unsigned char)word.p[0]))
            buf_printf(out, "%s" STR_FMT, out->n ? " " : "", STR_ARG(word));
    }
}

static void put_scenarios(struct buf *out)
{
    for (size_t i = 0; scenarios_id(i).n; i++)
        buf_printf(out, "%s" STR_FMT, i ? " " : "", STR_ARG(scenarios_id(i)));
}

static void put_operands(struct buf *out, const struct cmd *cmd)
{
    struct buf words;

    if (!cmd->operands)
        return;
    buf_init(&words, BUF_UNBOUNDED);
    put_typed_words(&words, cmd->operands);
    if (strstr(cmd->operands, "SCENARIO"))
        put_scenarios(&words);
    if (words.n)
        buf_printf(out, "    %s) echo '" STR_FMT "' ;;\n", cmd->name, STR_ARG(buf_str(&words)));
    else if (strstr(cmd->operands, "COMMAND"))
        buf_printf(out, "    %s) echo \"$_flightstrip_commands\" ;;\n", cmd->name);
    buf_finish(&words);
}

static void put_argument(struct buf *out, const struct cmd *cmd, const struct opt *o)
{
    if (o->kind == OPT_FLAG)
        return;
    buf_printf(out, "    %s,--%s", cmd->name, o->name);
    if (o->letter)
        buf_printf(out, " | %s,-%c", cmd->name, o->letter);
    buf_put_str(out, STR(") echo '"));
    if (o->kind == OPT_CHOICE)
        for (unsigned i = 0; o->words[i]; i++)
            buf_printf(out, "%s%s", i ? " " : "", o->words[i]);
    else
        buf_put_str(out, str_of(o->argument));
    buf_put_str(out, STR("' ;;\n"));
}

static void put_completion(struct buf *out)
{
    buf_put_str(out, STR("_flightstrip_commands='"));
    for (size_t i = 0; cmd_list[i]; i++)
        buf_printf(out, "%s%s", i ? " " : "", cmd_list[i]->name);
    buf_put_str(out, STR("'\n\n_flightstrip_options()\n{\n    case $1 in\n"));
    for (size_t i = 0; cmd_list[i]; i++) {
        buf_printf(out, "    %s) echo '", cmd_list[i]->name);
        for (const struct opt *o = cmd_options(cmd_list[i]); o->kind; o++)
            buf_printf(out, "--%s ", o->name);
        buf_put_str(out, STR("--help' ;;\n"));
    }
    buf_put_str(out, STR("    esac\n}\n\n"
                         "# What the argument of an option can be: FILE, DIR, words, or another\n"
                         "# name in capitals for what cannot be completed.\n"
                         "_flightstrip_argument()\n{\n    case $1,$2 in\n"));
    for (size_t i = 0; cmd_list[i]; i++)
        for (const struct opt *o = cmd_options(cmd_list[i]); o->kind; o++)
            put_argument(out, cmd_list[i], o);
    buf_put_str(out, STR("    esac\n}\n\n_flightstrip_operands()\n{\n    case $1 in\n"));
    for (size_t i = 0; cmd_list[i]; i++)
        put_operands(out, cmd_list[i]);
    buf_put_str(out, STR("    esac\n}\n"));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*put)(struct buf *out);
    } parts[] = {
        {"commands", put_commands},
        {"observations", put_observations},
        {"completion", put_completion},
    };

    for (size_t i = 0; argc == 2 && i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, argv[1]) == 0) {
            struct buf out;

            buf_init(&out, BUF_UNBOUNDED);
            parts[i].put(&out);
            fwrite(out.p, 1, out.n, stdout);
            buf_finish(&out);
            return fflush(stdout) ? 2 : 0;
        }
    fputs("usage: write_docs commands | observations | completion\n", stderr);
    return 2;
}
