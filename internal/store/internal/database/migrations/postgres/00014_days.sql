-- +goose Up

-- The sums of a part of a month are read from the index by days alone.
DROP INDEX expenses_team_date;
CREATE INDEX expenses_team_date ON expenses (team, date, seq, id) INCLUDE (category, person, amount_cents, status) WHERE deleted_at IS NULL;
DROP INDEX expenses_date;
CREATE INDEX expenses_date ON expenses (date, seq, id) INCLUDE (category, person, amount_cents, status) WHERE deleted_at IS NULL;
