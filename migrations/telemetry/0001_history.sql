-- The live fleet's history: a database file of its own, since it is written all the time and may be lost without losing designs.
-- Forward only. Names end in their unit. Times are milliseconds since 1970 UTC.

CREATE TABLE series (
    id          INTEGER NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    labels_json TEXT    NOT NULL CHECK (json_valid(labels_json)),
    sealed_ms   INTEGER,                                                      -- time of its last reading that is in a chunk
    UNIQUE (name, labels_json)
) STRICT;

-- Readings (level 0), or buckets of level seconds, of one series: see `store/src/chunk.rs`.
CREATE TABLE chunk (
    series   INTEGER NOT NULL REFERENCES series (id),
    level_s  INTEGER NOT NULL CHECK (level_s IN (0, 10, 60, 900, 3600)),
    start_ms INTEGER NOT NULL,
    end_ms   INTEGER NOT NULL CHECK (end_ms >= start_ms),
    bytes    BLOB    NOT NULL,
    PRIMARY KEY (series, level_s, start_ms)
) STRICT, WITHOUT ROWID;

-- Readings of the last minutes that are in no chunk yet, as they came.
CREATE TABLE tail (
    seq   INTEGER NOT NULL PRIMARY KEY,
    bytes BLOB    NOT NULL
) STRICT;

CREATE TABLE event (
    id         INTEGER NOT NULL PRIMARY KEY,
    at_ms      INTEGER NOT NULL,
    what       TEXT    NOT NULL,
    host       TEXT,
    event_json TEXT    NOT NULL CHECK (json_valid(event_json))
) STRICT;

CREATE INDEX event_time ON event (at_ms, what);
CREATE INDEX event_host ON event (host, at_ms) WHERE host IS NOT NULL;
