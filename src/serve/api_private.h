/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api_private: what the files of the API share: one file a group of routes. */
#pragma once

#include "base/json.h"
#include "serve/api.h"
#include "serve/events.h"

enum {
    ROWS_MAX = 10000,         /* of a page, of flows or observations */
    ROWS_USUAL = 1000,        /* when nobody says */
    PAGE_BYTES_MAX = 4 << 20, /* a page ends early when it has become so long */
    SEQS_MAX = 100,
    JSON_BYTES_MAX = 64 << 20,    /* of an answer: thousands of devices */
    REPORT_BYTES_MAX = 256 << 20, /* the same, with all that is said of each */
    NOTE_BODY_MAX = 32 << 10,     /* the text may be escaped */
};

struct api {
    struct web *web;
    struct served *const *recordings;
    size_t n;
    struct events *events;
};

const struct knowledge *api_knowledge(const struct api *api);

typedef void api_answer(void *ctx, const struct web_request *r, struct web_answer *a);

api_answer api_about, api_endpoints, api_rule;
api_answer api_recordings, api_devices, api_strip;
api_answer api_flows, api_flow, api_observations;
api_answer api_notes, api_note_add, api_note_change, api_note_remove;
api_answer api_export, api_report, api_file;
api_answer api_live;

/* The recording that the path names; NULL, and the answer says so, when there is none. */
struct served *api_recording(const struct api *api, const struct web_request *r,
                             struct web_answer *a);

/* JSON goes into the answer, an object that the caller ends. */
void api_begin(struct web_answer *a, struct json *j);

void api_key_u64(struct json *j, const char *key, uint64_t value);
void api_key_str(struct json *j, const char *key, struct str value);
void api_key_bool(struct json *j, const char *key, bool value);

/*
 * A number of the query, which keeps its value when it is not there. False, and the answer says so,
 * when it is none.
 */
bool api_number(const struct web_request *r, struct web_answer *a, const char *name,
                uint64_t *value);

/* The recording's file; false, and the answer says so, when it cannot be read. */
bool api_open_file(struct served *s, const struct web_request *r, struct web_answer *a,
                   struct recording **ret_file);
/* It failed on our side. */
void api_failed(const struct web_request *r, struct web_answer *a, const struct err *err);

/* The members of a SUMMARY. */
void api_put_summary(struct json *j, const struct strip *strip);
