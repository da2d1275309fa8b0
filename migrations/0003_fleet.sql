-- The live fleet: what it is compared with, named ways to look at it, and the state of its alerts.
-- Forward only. Names end in their unit. Times are milliseconds since 1970 UTC.

-- What is kept whole, under a name: the binding to a design, the alerts' state.
CREATE TABLE fleet_state (
    name       TEXT    NOT NULL PRIMARY KEY CHECK (name IN ('binding', 'alerts')),
    saved_ms   INTEGER NOT NULL CHECK (saved_ms >= 0),
    state_json TEXT    NOT NULL CHECK (json_valid(state_json))
) STRICT;

CREATE TABLE fleet_view (
    name     TEXT    NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 80),
    saved_ms INTEGER NOT NULL CHECK (saved_ms >= 0),
    query    TEXT    NOT NULL CHECK (length(query) <= 2000)
) STRICT;
