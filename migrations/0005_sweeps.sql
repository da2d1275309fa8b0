-- Sweeps of a design over what is varied: what was asked, how far it is, and the rows that are done.
-- Forward only. Names end in their unit. Times are milliseconds since 1970 UTC.

CREATE TABLE sweep (
    arrival     INTEGER NOT NULL PRIMARY KEY,                   -- order of asking, which no clock can turn round
    id          TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    created_ms  INTEGER NOT NULL CHECK (created_ms >= 0),
    settled_ms  INTEGER          CHECK (settled_ms >= 0),       -- when it became done, cancelled or failed
    design      TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    ask_json    TEXT    NOT NULL CHECK (json_valid(ask_json)),
    row_count   INTEGER NOT NULL CHECK (row_count > 0),
    done_count  INTEGER NOT NULL DEFAULT 0 CHECK (done_count BETWEEN 0 AND row_count),
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'cancelled', 'failed')),
    failure     TEXT,
    FOREIGN KEY (design, version) REFERENCES design_version (design, version),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK (state <> 'done' OR done_count = row_count),
    CHECK ((state IN ('queued', 'running')) = (settled_ms IS NULL))
) STRICT;

CREATE INDEX sweep_of_design ON sweep (design, version);
CREATE INDEX sweep_unsettled ON sweep (arrival) WHERE state IN ('queued', 'running');

-- Rows one after the other, some hundred together: what is done when Millwright stops stays done.
CREATE TABLE sweep_rows (
    sweep        TEXT    NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,
    first        INTEGER NOT NULL CHECK (first >= 0),
    row_count    INTEGER NOT NULL CHECK (row_count > 0),
    rows_json_gz BLOB    NOT NULL,
    PRIMARY KEY (sweep, first)
) STRICT;
