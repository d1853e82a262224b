/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * output_file: a file that a command writes, or standard output.
 *
 * A file comes into being whole: it is written beside its place under another name, and takes the
 * place when it is kept. Until then, and when the writing fails, what stood there stands. What is
 * not a regular file, as /dev/stdout or a pipe, is written to as it is.
 */
#pragma once

#include "base/err.h"

struct output_file;

/* NULL: standard output. */
int output_file_open(const char *path, struct output_file **ret_file, struct err *err);

/* A failure of standard output is logged already, and err is left empty. */
int output_file_write(struct output_file *f, struct str bytes, struct err *err);

/* All is written: the file takes its place. */
int output_file_keep(struct output_file *f, struct err *err);

/* What was not kept is removed. NULL is fine. */
void output_file_close(struct output_file *f);
