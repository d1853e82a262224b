/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log: lines for the person who runs the program, on standard error. What the traffic does is not
 * logged: it is observed. A line is made safe to show and ends in one newline, whatever is in it.
 * When standard error is the systemd journal, the line begins with its priority.
 */
#pragma once

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO };

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
