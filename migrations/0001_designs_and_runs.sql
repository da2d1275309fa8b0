-- Designs with every version of their text, and runs with what they came to.
-- Forward only. Names end in their unit. Times are milliseconds since 1970 UTC.

CREATE TABLE design (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    origin      TEXT    NOT NULL CHECK (origin IN ('reference', 'own')),
    position    INTEGER NOT NULL CHECK (position >= 0),         -- order in lists: as the catalog has it
    created_ms  INTEGER NOT NULL CHECK (created_ms >= 0)
) STRICT;

CREATE TABLE design_version (
    design      TEXT    NOT NULL REFERENCES design (id),
    version     INTEGER NOT NULL CHECK (version >= 1),
    created_ms  INTEGER NOT NULL CHECK (created_ms >= 0),
    name        TEXT    NOT NULL CHECK (length(name) > 0),
    text_sha256 TEXT    NOT NULL CHECK (length(text_sha256) = 64),
    text_toml   TEXT    NOT NULL,                               -- verbatim, comments and all
    PRIMARY KEY (design, version)
) STRICT;

CREATE TABLE run (
    arrival         INTEGER NOT NULL PRIMARY KEY,               -- order of asking, which no clock can turn round
    id              TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    design          TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL CHECK (created_ms >= 0),
    settled_ms      INTEGER          CHECK (settled_ms >= 0),   -- when it became done, cancelled or failed
    step_minutes    INTEGER NOT NULL CHECK (step_minutes BETWEEN 1 AND 60),
    seed_bits       INTEGER NOT NULL,                           -- an unsigned 64-bit seed, bit for bit
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'cancelled', 'failed')),
    failure         TEXT,
    program_version TEXT,
    input_sha256    TEXT             CHECK (length(input_sha256) = 64),
    tokens_per_second_per_mw_facility REAL,
    report_json     TEXT             CHECK (json_valid(report_json)),
    FOREIGN KEY (design, version) REFERENCES design_version (design, version),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state = 'done') = (report_json IS NOT NULL)),
    CHECK ((state = 'done') = (input_sha256 IS NOT NULL)),
    CHECK ((state = 'done') = (program_version IS NOT NULL)),
    CHECK ((state IN ('queued', 'running')) = (settled_ms IS NULL))
) STRICT;

CREATE INDEX run_of_design ON run (design, version);
CREATE INDEX run_unsettled ON run (arrival) WHERE state IN ('queued', 'running');
