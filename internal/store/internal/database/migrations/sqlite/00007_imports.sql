-- +goose Up

-- Files that somebody brings in: looked at first, then taken in short batches,
-- perhaps taken back.
CREATE TABLE imports (
    id            TEXT PRIMARY KEY CHECK (length(id) = 26),
    subject       TEXT NOT NULL CHECK (subject <> ''), -- who made it, and nobody else sees it
    actor_address TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    issuer        TEXT NOT NULL, -- that vouches for the subject
    file_name     TEXT NOT NULL CHECK (length(file_name) <= 200),
    state         TEXT NOT NULL CHECK (state IN ('receiving', 'ready', 'running', 'done', 'undoing', 'undone', 'failing', 'failed')),
    created_at    INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    expires_at    INTEGER NOT NULL, -- the same; what is not under way is forgotten then
    checked_at    INTEGER NOT NULL, -- the same; when the file was compared with the expenses
    reading       TEXT NOT NULL,    -- JSON: how the file is read, and what was chosen
    report        TEXT NOT NULL,    -- JSON: what was found in it
    result        TEXT NOT NULL,    -- JSON: what came of it
    row_count     INTEGER NOT NULL, -- of the file
    done          INTEGER NOT NULL, -- rows of the file that were taken, or are still to be taken back
    first_seq     INTEGER NOT NULL, -- of its first new expense, which counts as the last that was logged
    lease_holder  TEXT NOT NULL,    -- which copy of the program works at it
    lease_until   INTEGER NOT NULL  -- after that any other may; milliseconds since 1970 in UTC
) STRICT;
CREATE INDEX imports_state ON imports (state, lease_until);
CREATE INDEX imports_expires_at ON imports (expires_at);

-- The file, in pieces, until it has been taken.
CREATE TABLE import_parts (
    import TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    part   INTEGER NOT NULL CHECK (part >= 0),
    data   BLOB NOT NULL,
    PRIMARY KEY (import, part)
) STRICT;

-- What an import did to each expense, so that it can be taken back.
CREATE TABLE import_rows (
    import  TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line    INTEGER NOT NULL CHECK (line > 0), -- of the file
    expense TEXT NOT NULL,
    version INTEGER NOT NULL, -- that the import gave it; another one has been touched since
    before  TEXT NOT NULL,    -- JSON: the expense as it was, or '' where there was none
    PRIMARY KEY (import, line)
) STRICT, WITHOUT ROWID;
