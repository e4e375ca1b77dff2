-- +goose Up

CREATE TABLE expenses (
    id           TEXT COLLATE "C" PRIMARY KEY CHECK (char_length(id) = 26),
    team         TEXT COLLATE "C" NOT NULL CHECK (team <> ''),
    date         TEXT COLLATE "C" NOT NULL CHECK (date LIKE '____-__-__'),
    person       TEXT COLLATE "C" NOT NULL CHECK (char_length(person) BETWEEN 1 AND 200),
    owner        TEXT COLLATE "C" NOT NULL, -- an address, or '' where only a name is known
    item         TEXT COLLATE "C" NOT NULL CHECK (char_length(item) BETWEEN 1 AND 200),
    category     TEXT COLLATE "C" NOT NULL CHECK (char_length(category) BETWEEN 1 AND 50),
    amount_cents BIGINT NOT NULL CHECK (amount_cents BETWEEN 1 AND 1000000000),
    note         TEXT COLLATE "C" NOT NULL CHECK (char_length(note) <= 2000),
    version      BIGINT NOT NULL CHECK (version > 0),
    created_at   BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    deleted_at   BIGINT,          -- the same; NULL while the expense stands
    submission   TEXT COLLATE "C" UNIQUE,  -- which form it came from, so that a form counts once
    import_key   TEXT COLLATE "C" UNIQUE,  -- which row of which file, so that a file counts once
    -- Written by the program, so that both databases fold letters alike.
    person_key   TEXT COLLATE "C" NOT NULL,
    item_key     TEXT COLLATE "C" NOT NULL,
    category_key TEXT COLLATE "C" NOT NULL,
    search       TEXT COLLATE "C" NOT NULL
);

-- One row for each version of an expense.
CREATE TABLE history (
    expense       TEXT COLLATE "C" NOT NULL REFERENCES expenses (id),
    version       BIGINT NOT NULL CHECK (version > 0),
    at            BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    actor_address TEXT COLLATE "C" NOT NULL,
    actor_name    TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL CHECK (action IN ('created', 'changed', 'deleted', 'restored', 'imported')),
    changes       TEXT COLLATE "C" NOT NULL, -- JSON: [{"Field","Old","New"}]
    PRIMARY KEY (expense, version)
);

-- What the expenses that stand come to, so that the sums of a page are not made of
-- each expense of years. Each write of an expense brings this up to date.
CREATE TABLE sums (
    team         TEXT COLLATE "C" NOT NULL,
    month        TEXT COLLATE "C" NOT NULL, -- YYYY-MM
    category_key TEXT COLLATE "C" NOT NULL,
    person_key   TEXT COLLATE "C" NOT NULL,
    category     TEXT COLLATE "C" NOT NULL,
    person       TEXT COLLATE "C" NOT NULL,
    n            BIGINT NOT NULL,
    cents        BIGINT NOT NULL,
    PRIMARY KEY (team, month, category_key, person_key)
);

-- A row that is written to find out whether the database takes writes again.
CREATE TABLE health (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    checked_at BIGINT NOT NULL
);
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
