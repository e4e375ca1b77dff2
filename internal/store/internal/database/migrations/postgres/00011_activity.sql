-- +goose Up

-- What was done, the latest first.
CREATE INDEX history_at ON history (at, expense, version);
