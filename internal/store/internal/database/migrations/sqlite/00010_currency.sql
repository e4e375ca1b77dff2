-- +goose Up

-- What holds for the whole database.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY CHECK (name <> ''),
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings (name, value) SELECT 'currency', 'USD' WHERE EXISTS (SELECT 1 FROM expenses);

-- amount_cents, named when all amounts were in dollars, holds minor units of the
-- currency of settings: up to 4 decimals of ten million. Below zero is a refund.
-- No row changes, so the condition is changed where it is written (SQLite, ALTER
-- TABLE, 7: Making Other Kinds Of Table Schema Changes).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (amount_cents BETWEEN 1 AND 1000000000)',
        'CHECK (amount_cents <> 0 AND amount_cents BETWEEN -100000000000 AND 100000000000)')
    WHERE type = 'table' AND name = 'expenses';
PRAGMA writable_schema = RESET;
