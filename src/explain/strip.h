/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strip: what the explainer says of one device, as plain data: the annotated timeline.
 *
 * A snapshot: built from the explainer's state whenever somebody wants to show it, in an arena of
 * theirs. Texts are finished sentences. Everything is in order of time.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* SEEN: the evidence is direct. INFERRED: it follows from other traffic, and is marked so. */
enum confidence { CONFIDENCE_NONE, CONFIDENCE_INFERRED, CONFIDENCE_SEEN };
const char *confidence_name(enum confidence c); /* "unknown", "inferred", "seen" */

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };
const char *severity_name(enum severity s); /* "info", "warning", "error" */

/* Evidence lists keep the first few observations; `count` says how many there were. */
enum { EVIDENCE_MAX = 8 };

struct evidence {
    uint64_t count;
    unsigned n;
    uint64_t seqs[EVIDENCE_MAX];
};

struct strip_moment {
    struct str id;
    uint64_t at_us;
    struct str title, says;
    struct str phase; /* id; empty for moments that belong to no phase */
    enum confidence confidence;
    struct evidence evidence;
};

struct strip_phase {
    struct str id, title;
    uint64_t start_us, end_us;
    bool open; /* it had not ended when the stream did */
    enum confidence confidence;
};

struct strip_service {
    struct str id;
    uint64_t flows, failed, bytes_up, bytes_down;
    uint64_t first_us, last_us;
    uint64_t active_us; /* time in which bytes moved or flows opened, pauses over 5 s left out */
};

struct strip_finding {
    struct str id;
    enum severity severity;
    uint64_t at_us;
    struct str title, says, remedy;
    enum confidence confidence;
    struct evidence evidence;
};

struct strip_coverage {
    struct str source; /* "proxy", "import", … */
    uint64_t start_us, end_us;
    bool gap; /* true: nothing was recorded here */
};

/* Outcome states: see knowledge/outcomes.yaml. */
struct strip {
    uint32_t device;
    struct str id;   /* "device-1" */
    struct str name; /* what a person called it, or its address */
    struct str address;

    struct str scenario, scenario_title;
    enum confidence scenario_confidence;

    struct str outcome, outcome_why; /* "completed", "failed", "in-progress", … and a sentence */

    uint64_t start_us, end_us; /* of the device: its first observation, the last of the stream */
    uint64_t unattributed_us;  /* start to end, less the phases */
    uint64_t flows, bytes_up, bytes_down;

    struct strip_phase *phases;
    struct strip_moment *moments;
    struct strip_service *services; /* by bytes down, the largest first */
    struct strip_finding *findings; /* by severity, then time */
    struct strip_coverage *coverage;
    size_t phase_count, moment_count, service_count, finding_count, coverage_count;
};

/* A person's note, as a moment; the text is borrowed. */
struct strip_moment strip_note(uint64_t at_us, uint64_t seq, struct str text);
bool strip_is_note(const struct strip_moment *m);
void strip_leave_out_notes(struct strip *s);
/* In order of time, as the strip's are, among which they go; the new list is in the arena. */
void strip_add_moments(struct strip *s, const struct strip_moment *moments, size_t n,
                       struct arena *arena);
