-- Times are RFC 3339 in UTC with six decimals, so that their text sorts as they do.

-- The last committed state of each charger, without its prices and without the cells of its sessions.
CREATE TABLE partition (
    charger_id TEXT NOT NULL PRIMARY KEY,
    snapshot TEXT NOT NULL
) WITHOUT ROWID;

-- The ledgers of current sessions. One row changes per commit, not the whole night.
CREATE TABLE cell (
    charger_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    start_at TEXT NOT NULL,
    end_at TEXT NOT NULL,
    wh INTEGER NOT NULL,
    quality TEXT NOT NULL,
    PRIMARY KEY (charger_id, session_id, position),
    FOREIGN KEY (charger_id) REFERENCES partition (charger_id)
) WITHOUT ROWID;

-- What has settled; a row is written once. The long texts are last, so that a filter need not read them.
CREATE TABLE settled (
    session_id TEXT NOT NULL PRIMARY KEY,
    policy_id TEXT,
    charger_id TEXT NOT NULL,
    vehicle_id TEXT,
    plugged_in_at TEXT NOT NULL,
    plugged_out_at TEXT NOT NULL,
    document TEXT NOT NULL,
    ledger TEXT NOT NULL
);
CREATE INDEX settled_by_plug_out ON settled (plugged_out_at, session_id);

-- The story of each session, in the order in which it was told.
CREATE TABLE session_log (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    at TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX session_log_by_session ON session_log (session_id, id);
