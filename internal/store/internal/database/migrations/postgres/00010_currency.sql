-- +goose Up

-- What holds for the whole database.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY CHECK (name <> ''),
    value TEXT NOT NULL
);
INSERT INTO settings (name, value) SELECT 'currency', 'USD' WHERE EXISTS (SELECT 1 FROM expenses);

-- amount_cents, named when all amounts were in dollars, holds minor units of the
-- currency of settings: up to 4 decimals of ten million. Below zero is a refund.
ALTER TABLE expenses DROP CONSTRAINT expenses_amount_cents_check;
ALTER TABLE expenses ADD CONSTRAINT expenses_amount_cents_check
    CHECK (amount_cents <> 0 AND amount_cents BETWEEN -100000000000 AND 100000000000);
