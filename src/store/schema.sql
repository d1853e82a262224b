-- SPDX-License-Identifier: GPL-3.0-or-later
-- The recording, as SQLite has it. `PRAGMA user_version` is the format's number, which counts
-- migrations; `PRAGMA application_id` is 0x464c5453, "FLTS". Both are set by format.c.

-- About the recording as a whole: one row.
CREATE TABLE recording (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- When it began: microseconds since 1970-01-01 00:00 UTC. Every other time counts from here.
    began_wall_us INTEGER NOT NULL,
    -- The version of flightstrip that wrote to it last.
    program TEXT NOT NULL,
    -- Digest of the knowledge that explained it while it was recorded; 0 when none did.
    knowledge_digest INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What was seen, in the order in which it was seen. Rows are added at the end and never changed.
CREATE TABLE observation (
    -- Its number: 1 for the first, and one more each.
    seq INTEGER PRIMARY KEY,
    -- When it was seen: microseconds since the recording began. Never less than the row's before.
    at_us INTEGER NOT NULL,
    -- What was seen: the row of kinds.def, counted from 0.
    kind INTEGER NOT NULL,
    -- What saw it: the row of sources.def, counted from 1; 0 is "not said".
    source INTEGER NOT NULL,
    -- The device it belongs to, counted from 1; 0 is none.
    device INTEGER NOT NULL,
    -- The flow it belongs to, counted from 1; 0 is none.
    flow INTEGER NOT NULL,
    -- The kind's fields in the order of kinds.def, each a varint, or a length and text: codec.h.
    fields BLOB NOT NULL
) STRICT;

-- What people wrote beside it, at any time, while it was recorded or years later.
CREATE TABLE note (
    -- The order in which the notes were written.
    id INTEGER PRIMARY KEY,
    -- The moment it speaks of: microseconds since the recording began.
    at_us INTEGER NOT NULL,
    -- The words.
    text TEXT NOT NULL
) STRICT;

-- Notes are read by the moment they speak of, merged into the observations.
CREATE INDEX note_by_time ON note (at_us);
