-- Prices as sources told them, before fees and taxes: per kWh, exact decimal texts. told_at is when a row was written.
CREATE TABLE price (
    source TEXT NOT NULL,
    start_at TEXT NOT NULL,
    end_at TEXT NOT NULL,
    price_per_kwh TEXT NOT NULL,
    currency TEXT NOT NULL,
    told_at TEXT NOT NULL,
    PRIMARY KEY (source, start_at)
) WITHOUT ROWID;
