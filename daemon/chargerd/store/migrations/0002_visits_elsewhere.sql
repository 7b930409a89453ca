-- A visit elsewhere settles too, and it was at no charger: charger_id may be NULL. SQLite has to copy the table for that.
CREATE TABLE settled_anew (
    session_id TEXT NOT NULL PRIMARY KEY,
    policy_id TEXT,
    charger_id TEXT,
    vehicle_id TEXT,
    plugged_in_at TEXT NOT NULL,
    plugged_out_at TEXT NOT NULL,
    document TEXT NOT NULL,
    ledger TEXT NOT NULL
);
INSERT INTO settled_anew SELECT
    session_id, policy_id, charger_id, vehicle_id, plugged_in_at, plugged_out_at, document, ledger
FROM settled;
DROP TABLE settled;
ALTER TABLE settled_anew RENAME TO settled;
CREATE INDEX settled_by_plug_out ON settled (plugged_out_at, session_id);
