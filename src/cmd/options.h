/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options: a command says once, in a table, which options it has. The parser, --help, the manual
 * page and the shell completion all walk that table.
 *
 *     struct explain_options {
 *         const char *device;
 *         bool traffic;
 *     };
 *     #define AT(member) offsetof(struct explain_options, member)
 *     static const struct opt options[] = {
 *         {OPT_TEXT, 'd', "device", "DEVICE", "Explain this device only.", AT(device)},
 *         {OPT_FLAG, 0, "traffic", NULL, "List the flows too.", AT(traffic)},
 *         {0},
 *     };
 *
 * Every command has --help besides.
 */
#pragma once

#include "base/err.h"

enum opt_kind {
    OPT_NONE,     /* ends the table */
    OPT_FLAG,     /* bool: it was given */
    OPT_TEXT,     /* const char *: as it was given */
    OPT_TEXTS,    /* struct texts: may be given any number of times */
    OPT_CHOICE,   /* unsigned: the index of one of `words` */
    OPT_DURATION, /* uint64_t: microseconds, above 0 */
    OPT_NUMBER,   /* double: above 0 */
};

struct opt {
    enum opt_kind kind;
    char letter;              /* 0: it has none */
    const char *name;         /* without the dashes */
    const char *argument;     /* as help calls it; FILE and DIR are completed as such */
    const char *says;         /* one sentence */
    size_t at;                /* where in the command's struct the value goes */
    const char *const *words; /* OPT_CHOICE: NULL at the end */
};

struct texts {
    const char **at;
    size_t n;
};

/*
 * Reads the options into the struct at `into`, which holds the defaults, and moves the operands to
 * the end of argv, where *ret_operands is the index of the first. A negative errno and a sentence
 * when they cannot be read. *ret_help: --help was among them; then nothing else matters.
 */
int options_parse(const struct opt *table, int argc, char **argv, void *into, int *ret_operands,
                  bool *ret_help, struct err *err);
void options_finish(const struct opt *table, void *into);
