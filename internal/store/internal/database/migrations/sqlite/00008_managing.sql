-- +goose Up

-- What was decided about an expense, where its team's expenses are approved.
ALTER TABLE expenses ADD COLUMN status TEXT NOT NULL DEFAULT 'logged' CHECK (status IN ('logged', 'approved', 'sent-back'));
CREATE INDEX expenses_team_status ON expenses (team, status, amount_cents) WHERE deleted_at IS NULL;

-- Whoever changes what an expense says, asks again.
-- +goose StatementBegin
CREATE TRIGGER expenses_status AFTER UPDATE ON expenses
WHEN NEW.version > OLD.version AND NEW.status = OLD.status AND NEW.status <> 'logged' AND (OLD.team <> NEW.team OR OLD.date <> NEW.date
    OR OLD.person <> NEW.person OR OLD.owner <> NEW.owner OR OLD.item <> NEW.item OR OLD.category <> NEW.category
    OR OLD.amount_cents <> NEW.amount_cents OR OLD.note <> NEW.note) BEGIN
    UPDATE expenses SET status = 'logged' WHERE id = NEW.id;
END;
-- +goose StatementEnd

-- What a team may spend in a month, in all or on a category. Of the rows up to a
-- month the one of the latest month holds, and of these the one that was set last.
CREATE TABLE budgets (
    team          TEXT NOT NULL CHECK (team <> ''),
    version       INTEGER NOT NULL CHECK (version > 0), -- grows by one with each that is set for the team
    month         TEXT NOT NULL CHECK (month LIKE '____-__'), -- from which it holds
    category      INTEGER REFERENCES categories (id), -- NULL for the whole
    amount_cents  INTEGER CHECK (amount_cents > 0), -- a month, in minor units; NULL for none any more
    at            INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    actor_address TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    PRIMARY KEY (team, version)
) STRICT, WITHOUT ROWID;

-- A category that was merged is another name of the one that it was merged into; was
-- is what one was called before it was renamed last. Both serve to undo that.
ALTER TABLE categories ADD COLUMN merged INTEGER REFERENCES categories (id) CHECK (merged <> id);
ALTER TABLE categories ADD COLUMN was TEXT NOT NULL DEFAULT '';

-- The expenses that a merge took along.
CREATE TABLE merged_expenses (
    category INTEGER NOT NULL REFERENCES categories (id), -- that they had
    expense  TEXT NOT NULL REFERENCES expenses (id),
    PRIMARY KEY (category, expense)
) STRICT, WITHOUT ROWID;
