-- The planner's workshop: versions with names, branches, the archive, share links, keys of asked-twice requests, input files.
-- Forward only. Names end in their unit. Times are milliseconds since 1970 UTC.

ALTER TABLE design ADD COLUMN archived_ms INTEGER CHECK (archived_ms >= 0);   -- when it was put away; NULL while in use

ALTER TABLE design_version ADD COLUMN label   TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 120);
ALTER TABLE design_version ADD COLUMN message TEXT NOT NULL DEFAULT '' CHECK (length(message) <= 2000);

CREATE TABLE design_branch (
    design       TEXT    NOT NULL PRIMARY KEY REFERENCES design (id),
    from_design  TEXT    NOT NULL,
    from_version INTEGER NOT NULL,
    FOREIGN KEY (from_design, from_version) REFERENCES design_version (design, version)
) STRICT;

-- Texts that share links lead to. The id is the beginning of the text's hash, so a snapshot never changes.
CREATE TABLE snapshot (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 20 AND id = substr(text_sha256, 1, 20)),
    created_ms  INTEGER NOT NULL CHECK (created_ms >= 0),
    text_sha256 TEXT    NOT NULL UNIQUE CHECK (length(text_sha256) = 64),
    text_toml   TEXT    NOT NULL
) STRICT;

-- Requests that a client may have to send twice: what was asked under a key, and what was answered.
CREATE TABLE idempotency_key (
    key          TEXT    NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
    created_ms   INTEGER NOT NULL CHECK (created_ms >= 0),
    asked_sha256 TEXT    NOT NULL CHECK (length(asked_sha256) = 64),          -- of method, address and body
    answer_json  TEXT             CHECK (json_valid(answer_json))             -- NULL until it is known
) STRICT;

CREATE INDEX idempotency_key_age ON idempotency_key (created_ms);

-- Files that users bring: weather, prices, carbon, requests. The content stands last, so that lists need not pass it.
CREATE TABLE input (
    arrival        INTEGER NOT NULL PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE CHECK (length(id) = 20),
    kind           TEXT    NOT NULL CHECK (kind IN ('weather', 'price', 'carbon', 'requests')),
    name           TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
    content_sha256 TEXT    NOT NULL CHECK (length(content_sha256) = 64),
    content_bytes  INTEGER NOT NULL CHECK (content_bytes > 0),
    summary_json   TEXT    NOT NULL CHECK (json_valid(summary_json)),
    content        BLOB    NOT NULL CHECK (length(content) = content_bytes),
    UNIQUE (kind, content_sha256)
) STRICT;

-- What a run was asked for beside its step and seed, and the files that it reads.
ALTER TABLE run ADD COLUMN changes_json TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(changes_json));

CREATE TABLE run_input (
    run   TEXT NOT NULL REFERENCES run (id),
    input TEXT NOT NULL REFERENCES input (id),
    PRIMARY KEY (run, input)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_input_of ON run_input (input);
