-- +goose Up

CREATE TABLE expenses (
    id           TEXT PRIMARY KEY CHECK (length(id) = 26),
    team         TEXT NOT NULL CHECK (team <> ''),
    date         TEXT NOT NULL CHECK (date LIKE '____-__-__'),
    person       TEXT NOT NULL CHECK (length(person) BETWEEN 1 AND 200),
    owner        TEXT NOT NULL, -- an address, or '' where only a name is known
    item         TEXT NOT NULL CHECK (length(item) BETWEEN 1 AND 200),
    category     TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 50),
    amount_cents INTEGER NOT NULL CHECK (amount_cents BETWEEN 1 AND 1000000000),
    note         TEXT NOT NULL CHECK (length(note) <= 2000),
    version      INTEGER NOT NULL CHECK (version > 0),
    created_at   INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    deleted_at   INTEGER,          -- the same; NULL while the expense stands
    submission   TEXT UNIQUE,  -- which form it came from, so that a form counts once
    import_key   TEXT UNIQUE,  -- which row of which file, so that a file counts once
    -- Written by the program, so that both databases fold letters alike.
    person_key   TEXT NOT NULL,
    item_key     TEXT NOT NULL,
    category_key TEXT NOT NULL,
    search       TEXT NOT NULL
) STRICT;

-- One row for each version of an expense.
CREATE TABLE history (
    expense       TEXT NOT NULL REFERENCES expenses (id),
    version       INTEGER NOT NULL CHECK (version > 0),
    at            INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    actor_address TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    action        TEXT NOT NULL CHECK (action IN ('created', 'changed', 'deleted', 'restored', 'imported')),
    changes       TEXT NOT NULL, -- JSON: [{"Field","Old","New"}]
    PRIMARY KEY (expense, version)
) STRICT, WITHOUT ROWID;

-- What the expenses that stand come to, so that the sums of a page are not made of
-- each expense of years. Each write of an expense brings this up to date.
CREATE TABLE sums (
    team         TEXT NOT NULL,
    month        TEXT NOT NULL, -- YYYY-MM
    category_key TEXT NOT NULL,
    person_key   TEXT NOT NULL,
    category     TEXT NOT NULL,
    person       TEXT NOT NULL,
    n            INTEGER NOT NULL,
    cents        INTEGER NOT NULL,
    PRIMARY KEY (team, month, category_key, person_key)
) STRICT, WITHOUT ROWID;

-- A row that is written to find out whether the database takes writes again.
CREATE TABLE health (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    checked_at INTEGER NOT NULL
) STRICT;
INSERT INTO health (id, checked_at) VALUES (1, 0);

-- An index for each order of a page, of one team and of all, with the id so that
-- a page starts anywhere.
CREATE INDEX expenses_team_date ON expenses (team, date, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_person ON expenses (team, person_key, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_item ON expenses (team, item_key, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_category ON expenses (team, category_key, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_amount ON expenses (team, amount_cents, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_date ON expenses (date, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_person ON expenses (person_key, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_item ON expenses (item_key, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_category ON expenses (category_key, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_amount ON expenses (amount_cents, id) WHERE deleted_at IS NULL;
