/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page: what a command shows on the web server: recordings, the page that draws them, metrics. */
#pragma once

#include "cmd/options.h"
#include "loop/loop.h"
#include "serve/metrics.h"
#include "serve/served.h"

struct page;

/* What a person says of it; part of a command's options. */
struct page_words {
    const char *listen, *cert, *key;
};

/* The rows of a command's table for the member `web`, a struct page_words of its options. */
#define PAGE_OPTIONS(type)                                                                         \
    {OPT_TEXT,                                                                                     \
     0,                                                                                            \
     "web",                                                                                        \
     "[ADDR:]PORT",                                                                                \
     "Show the page here, on 127.0.0.1 when only a port is given; auto: on port 8088, or on "      \
     "another when that is taken. On an address that is not of this machine alone it is for who "  \
     "has the link that is printed.",                                                              \
     offsetof(type, web.listen),                                                                   \
     NULL},                                                                                        \
        {OPT_TEXT,                                                                                 \
         0,                                                                                        \
         "web-cert",                                                                               \
         "FILE",                                                                                   \
         "Show the page by TLS, with the certificate in this file.",                               \
         offsetof(type, web.cert),                                                                 \
         NULL},                                                                                    \
    {                                                                                              \
        OPT_TEXT, 0, "web-key", "FILE", "The private key of that certificate.",                    \
            offsetof(type, web.key), NULL                                                          \
    }

struct page_options {
    const struct page_words *words;
    int fd; /* listens already, and is taken; -1: there is none, the words say where */
    struct served *const *recordings; /* they and the rest stay the caller's, and outlive it */
    size_t recording_count;
    const struct metrics_of *metrics; /* NULL: there are none */
};

/* Whether the words, or a socket that was passed, ask for a page. */
bool page_is_wanted(const struct page_words *words, int fd);

/* Says where it is. */
int page_open(struct loop *loop, const struct page_options *options, struct page **ret_page,
              struct err *err);
/*
 * The recordings have ended: those who watch them are told before it is closed, which takes a
 * fraction of a second at most. NULL is fine.
 */
void page_end(struct page *p);
void page_close(struct page *p); /* NULL is fine */
