-- Replays of requests through a fleet: what was asked and what came of it. A replay never changes.
-- Forward only. Names end in their unit. Times are milliseconds since 1970 UTC.

-- Traces that replays were made with; the same content once. The content stands last, so that lists need not pass it.
CREATE TABLE replay_trace (
    content_sha256 TEXT    NOT NULL PRIMARY KEY CHECK (length(content_sha256) = 64),
    content_bytes  INTEGER NOT NULL CHECK (content_bytes > 0),
    content        BLOB    NOT NULL CHECK (length(content) = content_bytes)
) STRICT;

CREATE TABLE replay (
    arrival                 INTEGER NOT NULL PRIMARY KEY,
    id                      TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    created_ms              INTEGER NOT NULL CHECK (created_ms >= 0),
    name                    TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    program_version         TEXT    NOT NULL,
    model_name              TEXT    NOT NULL,
    gpu_name                TEXT    NOT NULL,
    gpus                    INTEGER NOT NULL CHECK (gpus > 0),
    requests                INTEGER NOT NULL CHECK (requests > 0),
    attainment              REAL    NOT NULL CHECK (attainment BETWEEN 0 AND 1),
    output_tokens_per_s     REAL    NOT NULL CHECK (output_tokens_per_s >= 0),
    joules_per_output_token REAL             CHECK (joules_per_output_token >= 0),
    trace                   TEXT             REFERENCES replay_trace (content_sha256),   -- NULL where requests are made up
    setup_json              TEXT    NOT NULL CHECK (json_valid(setup_json)),
    requests_json           TEXT    NOT NULL CHECK (json_valid(requests_json)),
    outcome_json            TEXT    NOT NULL CHECK (json_valid(outcome_json) AND length(outcome_json) <= 1048576),
    rows_bytes              INTEGER NOT NULL CHECK (rows_bytes >= 0),
    rows_csv_gz             BLOB             CHECK (length(rows_csv_gz) = rows_bytes)     -- a row of each request; NULL where there are many
) STRICT;

CREATE INDEX replay_of_trace ON replay (trace);
