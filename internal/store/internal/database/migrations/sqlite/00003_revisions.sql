-- +goose Up

-- A random text for each team, another one with each write of its expenses, in
-- the same transaction: while it is the same, nothing of the team has changed.
CREATE TABLE revisions (
    team     TEXT PRIMARY KEY,
    revision TEXT NOT NULL
) STRICT, WITHOUT ROWID;
