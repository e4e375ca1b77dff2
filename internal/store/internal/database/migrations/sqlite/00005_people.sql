-- +goose Up

-- People, of whom an expense names two: who spent it, and whose it is. Somebody
-- who has signed in is known by the subject; before that, by an address or by
-- nothing but a name.
CREATE TABLE people (
    id      INTEGER PRIMARY KEY,
    issuer  TEXT NOT NULL DEFAULT '', -- the host that vouches for the subject
    subject TEXT NOT NULL DEFAULT '', -- sub of the ID Token; '' before the first sign-in
    address TEXT NOT NULL DEFAULT '', -- as last told, in the form in which two of them are compared
    name    TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), -- as last told
    key     TEXT NOT NULL,            -- the name, folded by the program
    folded  TEXT NOT NULL DEFAULT '', -- the name, folded for searches by the program; '' until it is
    seen_at INTEGER,                  -- the last sign-in, in milliseconds since 1970 in UTC
    joined  INTEGER REFERENCES people (id) CHECK (joined <> id) -- whom an administrator says that this is
) STRICT;
CREATE UNIQUE INDEX people_subject ON people (issuer, subject) WHERE subject <> '';
CREATE UNIQUE INDEX people_address ON people (address) WHERE address <> '' AND joined IS NULL;
CREATE UNIQUE INDEX people_name ON people (key) WHERE address = '' AND subject = '';
CREATE INDEX people_key ON people (key);
CREATE INDEX people_joined ON people (joined) WHERE joined IS NOT NULL;

-- Categories: one whatever its case and its runs of spaces.
CREATE TABLE categories (
    id      INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    label   TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 50), -- as it was spelled last
    folded  TEXT NOT NULL DEFAULT '', -- the label, folded for searches by the program; '' until it is
    retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
) STRICT;

ALTER TABLE expenses RENAME TO expenses_4;
ALTER TABLE history RENAME TO history_4;

-- Whose address is known is a person by it; an address that stands for a name is
-- an address too.
CREATE TABLE owners_4 (id TEXT PRIMARY KEY, person TEXT, person_key TEXT, address TEXT, written_at INTEGER);
INSERT INTO owners_4
    SELECT id, person, person_key, CASE
        WHEN owner <> '' THEN owner
        WHEN instr(person, '@') > 0 AND instr(person, ' ') = 0 THEN lower(person)
        ELSE '' END,
        COALESCE((SELECT MAX(at) FROM history_4 WHERE expense = expenses_4.id), 0)
    FROM expenses_4;
INSERT INTO people (id, address, name, key)
    SELECT ROW_NUMBER() OVER (ORDER BY address), address, person, person_key
    FROM (SELECT address, person, person_key, ROW_NUMBER() OVER (PARTITION BY address
        ORDER BY instr(person, '@') > 0, written_at DESC, id DESC) AS place FROM owners_4 WHERE address <> '')
    AS ranked WHERE place = 1;
INSERT INTO people (id, name, key)
    SELECT (SELECT COUNT(*) FROM people) + ROW_NUMBER() OVER (ORDER BY person_key), person, person_key
    FROM (SELECT person, person_key, ROW_NUMBER() OVER (PARTITION BY person_key
        ORDER BY written_at DESC, id DESC) AS place FROM owners_4 WHERE address = '')
    AS ranked WHERE place = 1;
CREATE TABLE people_4 (address TEXT, key TEXT, id INTEGER, PRIMARY KEY (address, key));
INSERT INTO people_4 SELECT address, CASE WHEN address = '' THEN key ELSE '' END, id FROM people;

-- A run has at most 50 spaces, which six halvings make one.
CREATE TABLE categories_4 (id TEXT PRIMARY KEY, label TEXT, key TEXT, written_at INTEGER);
INSERT INTO categories_4
    SELECT id, category,
        replace(replace(replace(replace(replace(replace(replace(category_key, char(160), ' '), '  ', ' '), '  ', ' '), '  ', ' '), '  ', ' '), '  ', ' '), '  ', ' '),
        COALESCE((SELECT MAX(at) FROM history_4 WHERE expense = expenses_4.id), 0)
    FROM expenses_4;
INSERT INTO categories (id, key, label)
    SELECT ROW_NUMBER() OVER (ORDER BY key), key, label
    FROM (SELECT key, label, ROW_NUMBER() OVER (PARTITION BY key ORDER BY written_at DESC, id DESC) AS place FROM categories_4)
    AS ranked WHERE place = 1;

CREATE TABLE expenses (
    n            INTEGER PRIMARY KEY, -- its place in the search's index
    id           TEXT NOT NULL UNIQUE CHECK (length(id) = 26),
    seq          INTEGER NOT NULL DEFAULT 0, -- grows with each expense that is logged; two logged at once may share it
    team         TEXT NOT NULL CHECK (team <> ''),
    date         TEXT NOT NULL CHECK (date LIKE '____-__-__'),
    person       INTEGER NOT NULL REFERENCES people (id), -- who spent it
    owner        INTEGER NOT NULL REFERENCES people (id), -- whose it is to change
    item         TEXT NOT NULL CHECK (length(item) BETWEEN 1 AND 200),
    category     INTEGER NOT NULL REFERENCES categories (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents BETWEEN 1 AND 1000000000),
    note         TEXT NOT NULL CHECK (length(note) <= 2000),
    version      INTEGER NOT NULL CHECK (version > 0),
    created_at   INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    deleted_at   INTEGER,          -- the same; NULL while the expense stands
    submission   TEXT UNIQUE,  -- which form it came from, so that a form counts once
    import_key   TEXT UNIQUE,  -- which row of which file, so that a file counts once
    -- What an expense is sorted and found by: the keys of its person, as joined, and
    -- of its category, and what the program folds.
    person_key   TEXT NOT NULL,
    item_key     TEXT NOT NULL,
    category_key TEXT NOT NULL,
    folded       TEXT NOT NULL DEFAULT '' -- item and note, folded for searches by the program; '' until they are
) STRICT;
INSERT INTO expenses
    SELECT NULL, e.id, ROW_NUMBER() OVER (ORDER BY e.created_at, e.id), e.team, e.date, p.id, p.id, e.item, c.id, e.amount_cents, e.note,
        e.version, e.created_at, e.deleted_at, e.submission, e.import_key, p.key, e.item_key, c.key, ''
    FROM expenses_4 AS e
    JOIN owners_4 AS o ON o.id = e.id
    JOIN people_4 AS q ON q.address = o.address AND q.key = CASE WHEN o.address = '' THEN e.person_key ELSE '' END
    JOIN people AS p ON p.id = q.id
    JOIN categories_4 AS k ON k.id = e.id
    JOIN categories AS c ON c.key = k.key;

-- One row for each version of an expense, with who did it as they were then.
CREATE TABLE history (
    expense       TEXT NOT NULL REFERENCES expenses (id),
    version       INTEGER NOT NULL CHECK (version > 0),
    at            INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    actor_address TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    action        TEXT NOT NULL,
    changes       TEXT NOT NULL, -- JSON: [{"Field","Old","New"}]
    PRIMARY KEY (expense, version)
) STRICT, WITHOUT ROWID;
INSERT INTO history SELECT * FROM history_4;
DROP TABLE history_4;
DROP TABLE owners_4;
DROP TABLE people_4;
DROP TABLE categories_4;
DROP TABLE expenses_4;

-- An index for each order of a page, of one team and of all. Of equal values the
-- expense that was logged last comes first.
CREATE INDEX expenses_seq ON expenses (seq);
-- What is still to be folded.
CREATE INDEX expenses_unfolded ON expenses (id) WHERE folded = '';
CREATE INDEX expenses_team_date ON expenses (team, date, seq, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_person ON expenses (team, person_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_item ON expenses (team, item_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_category ON expenses (team, category_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_amount ON expenses (team, amount_cents, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_date ON expenses (date, seq, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_person ON expenses (person_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_item ON expenses (item_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_category ON expenses (category_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_amount ON expenses (amount_cents, seq DESC, id DESC) WHERE deleted_at IS NULL;
-- A category's or a person's expenses by date, or those of a month in whatever
-- order they are shown.
CREATE INDEX expenses_team_category_date ON expenses (team, category_key, date, seq, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_person_date ON expenses (team, person_key, date, seq, id) WHERE deleted_at IS NULL;

-- What the expenses that stand come to. Only the triggers below write the sums, so
-- that they are right whoever writes an expense, and `expense-dashboard repair`.
DROP TABLE sums;
CREATE TABLE sums (
    team     TEXT NOT NULL,
    month    TEXT NOT NULL, -- YYYY-MM
    category INTEGER NOT NULL,
    person   INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    cents    INTEGER NOT NULL,
    PRIMARY KEY (team, month, category, person)
) STRICT, WITHOUT ROWID;

-- The same by month, by category and by person alone.
DROP TABLE group_sums;
CREATE TABLE group_sums (
    team  TEXT NOT NULL,
    kind  TEXT NOT NULL CHECK (kind IN ('month', 'category', 'person')),
    month TEXT NOT NULL,    -- of a month's sums, else ''
    ref   INTEGER NOT NULL, -- the category or the person, else 0
    n     INTEGER NOT NULL,
    cents INTEGER NOT NULL,
    PRIMARY KEY (team, kind, month, ref)
) STRICT, WITHOUT ROWID;

INSERT INTO sums
    SELECT team, substr(date, 1, 7), category, person, COUNT(*), SUM(amount_cents)
    FROM expenses WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4;
INSERT INTO group_sums
    SELECT team, 'month', month, 0, SUM(n), SUM(cents) FROM sums GROUP BY team, month
    UNION ALL SELECT team, 'category', '', category, SUM(n), SUM(cents) FROM sums GROUP BY team, category
    UNION ALL SELECT team, 'person', '', person, SUM(n), SUM(cents) FROM sums GROUP BY team, person;

-- What is inserted here is added to the sums.
CREATE VIEW sum_changes AS SELECT team, month, category, person, n, cents FROM sums;

-- +goose StatementBegin
CREATE TRIGGER sum_changes_added INSTEAD OF INSERT ON sum_changes BEGIN
    INSERT INTO sums VALUES (NEW.team, NEW.month, NEW.category, NEW.person, NEW.n, NEW.cents)
        ON CONFLICT DO UPDATE SET n = n + excluded.n, cents = cents + excluded.cents;
    INSERT INTO group_sums VALUES
        (NEW.team, 'month', NEW.month, 0, NEW.n, NEW.cents),
        (NEW.team, 'category', '', NEW.category, NEW.n, NEW.cents),
        (NEW.team, 'person', '', NEW.person, NEW.n, NEW.cents)
        ON CONFLICT DO UPDATE SET n = n + excluded.n, cents = cents + excluded.cents;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER expenses_added AFTER INSERT ON expenses BEGIN
    UPDATE expenses SET seq = (SELECT MAX(seq) + 1 FROM expenses) WHERE id = NEW.id AND seq = 0;
    INSERT INTO sum_changes SELECT NEW.team, substr(NEW.date, 1, 7), NEW.category, NEW.person, 1, NEW.amount_cents WHERE NEW.deleted_at IS NULL;
    INSERT INTO revisions VALUES (NEW.team, lower(hex(randomblob(16)))) ON CONFLICT DO UPDATE SET revision = excluded.revision;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER expenses_changed AFTER UPDATE ON expenses BEGIN
    INSERT INTO sum_changes SELECT OLD.team, substr(OLD.date, 1, 7), OLD.category, OLD.person, -1, -OLD.amount_cents WHERE OLD.deleted_at IS NULL;
    INSERT INTO sum_changes SELECT NEW.team, substr(NEW.date, 1, 7), NEW.category, NEW.person, 1, NEW.amount_cents WHERE NEW.deleted_at IS NULL;
    INSERT INTO revisions VALUES (OLD.team, lower(hex(randomblob(16)))) ON CONFLICT DO UPDATE SET revision = excluded.revision;
    INSERT INTO revisions VALUES (NEW.team, lower(hex(randomblob(16)))) ON CONFLICT DO UPDATE SET revision = excluded.revision;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER expenses_removed AFTER DELETE ON expenses BEGIN
    INSERT INTO sum_changes SELECT OLD.team, substr(OLD.date, 1, 7), OLD.category, OLD.person, -1, -OLD.amount_cents WHERE OLD.deleted_at IS NULL;
    INSERT INTO revisions VALUES (OLD.team, lower(hex(randomblob(16)))) ON CONFLICT DO UPDATE SET revision = excluded.revision;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER expenses_person AFTER UPDATE OF person ON expenses WHEN OLD.person <> NEW.person BEGIN
    UPDATE expenses SET person_key = (SELECT w.key FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE p.id = NEW.person)
        WHERE id = NEW.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER expenses_category AFTER UPDATE OF category ON expenses WHEN OLD.category <> NEW.category BEGIN
    UPDATE expenses SET category_key = (SELECT key FROM categories WHERE id = NEW.category) WHERE id = NEW.id;
END;
-- +goose StatementEnd

-- A name, an address or a join shows on the pages of all teams that have expenses
-- of the person.
-- +goose StatementBegin
CREATE TRIGGER people_changed AFTER UPDATE ON people
WHEN OLD.key <> NEW.key OR OLD.name <> NEW.name OR OLD.address <> NEW.address OR OLD.joined IS NOT NEW.joined BEGIN
    UPDATE expenses SET person_key = (SELECT key FROM people WHERE id = COALESCE(NEW.joined, NEW.id))
        WHERE (OLD.key <> NEW.key OR OLD.joined IS NOT NEW.joined)
        AND person IN (SELECT id FROM people WHERE id = NEW.id OR joined = NEW.id);
    UPDATE revisions SET revision = lower(hex(randomblob(16)));
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER categories_changed AFTER UPDATE ON categories WHEN OLD.key <> NEW.key OR OLD.label <> NEW.label BEGIN
    UPDATE expenses SET category_key = NEW.key WHERE OLD.key <> NEW.key AND category_key = OLD.key;
    UPDATE revisions SET revision = lower(hex(randomblob(16)));
END;
-- +goose StatementEnd
