-- +goose Up

-- A random text for each team, another one with each write of its expenses, in
-- the same transaction: while it is the same, nothing of the team has changed.
CREATE TABLE revisions (
    team     TEXT COLLATE "C" PRIMARY KEY,
    revision TEXT COLLATE "C" NOT NULL
);
