-- +goose Up

-- The sums of a part of a month are read from the index by days alone; deleted_at, which
-- is NULL in all of it, SQLite looks at all the same. The order stays: what is new comes
-- behind a column that no two expenses share.
DROP INDEX expenses_team_date;
CREATE INDEX expenses_team_date ON expenses (team, date, seq, id, category, person, amount_cents, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX expenses_date;
CREATE INDEX expenses_date ON expenses (date, seq, id, category, person, amount_cents, status, deleted_at) WHERE deleted_at IS NULL;
