-- +goose Up

-- What somebody did to several expenses at once, so that it is taken back at once.
CREATE TABLE batches (
    id         TEXT PRIMARY KEY CHECK (length(id) = 26),
    subject    TEXT NOT NULL CHECK (subject <> ''), -- who did it, and nobody else takes it back
    submission TEXT UNIQUE, -- of its form, which counts once; NULL for none
    content    TEXT NOT NULL, -- a hash of what the form said
    action     TEXT NOT NULL CHECK (action IN ('category', 'move', 'delete', 'approve', 'send-back')),
    value      TEXT NOT NULL, -- the category or the team, or ''
    at         INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    undone     INTEGER -- how many expenses were as before when it was taken back; NULL until then
) STRICT;
CREATE INDEX batches_at ON batches (at);

-- What each expense of it was before.
CREATE TABLE batch_expenses (
    batch    TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    expense  TEXT NOT NULL,
    version  INTEGER NOT NULL, -- that it got; another one has been touched since
    team     TEXT NOT NULL,
    category INTEGER NOT NULL,
    status   TEXT NOT NULL,
    PRIMARY KEY (batch, expense)
) STRICT, WITHOUT ROWID;
