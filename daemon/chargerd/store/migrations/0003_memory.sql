-- What drivers keep from one run to the next: small JSON objects by key.
CREATE TABLE memory (
    key TEXT PRIMARY KEY NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;
