/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import_format: what a format of imported files is to import.c, and what it writes to. */
#pragma once

#include "sources/imports/account.h"
#include "sources/imports/import.h"
#include "sources/imports/intake.h"

struct import_format {
    const char *name;   /* "Squid access log" */
    const char *record; /* "line" or "entry" */
    /* How many records at the beginning of a file look like this format; 0: it is another. */
    unsigned (*recognise)(struct str head);
    /* Reads all of it, and tells the import what it says. */
    int (*read)(struct import *i, struct intake *in, struct err *err);
    /* The file is a recording in other clothes: its flows, devices and sources are its own. */
    bool is_recording;
};

extern const struct import_format format_squid, format_combined, format_har, format_ndjson;

/* A record was met. */
void import_record(struct import *i);
/* The record with this number, from 1, is skipped, and why. */
void import_bad(struct import *i, uint64_t number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Keeps an observation whose at_us is since 1970. */
int import_keep(struct import *i, const struct obs *o, struct err *err);
/* Keeps the observations of an account, under a flow of its own. */
int import_account(struct import *i, const struct account *a, struct err *err);

/* The file itself says when it began; else the earliest observation does. */
void import_began(struct import *i, uint64_t began_wall_us);
