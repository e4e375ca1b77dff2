-- +goose Up

-- Files that somebody brings in: looked at first, then taken in short batches,
-- perhaps taken back.
CREATE TABLE imports (
    id            TEXT COLLATE "C" PRIMARY KEY CHECK (char_length(id) = 26),
    subject       TEXT COLLATE "C" NOT NULL CHECK (subject <> ''), -- who made it, and nobody else sees it
    actor_address TEXT COLLATE "C" NOT NULL,
    actor_name    TEXT COLLATE "C" NOT NULL,
    issuer        TEXT COLLATE "C" NOT NULL, -- that vouches for the subject
    file_name     TEXT COLLATE "C" NOT NULL CHECK (char_length(file_name) <= 200),
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('receiving', 'ready', 'running', 'done', 'undoing', 'undone', 'failing', 'failed')),
    created_at    BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    expires_at    BIGINT NOT NULL, -- the same; what is not under way is forgotten then
    checked_at    BIGINT NOT NULL, -- the same; when the file was compared with the expenses
    reading       TEXT COLLATE "C" NOT NULL,    -- JSON: how the file is read, and what was chosen
    report        TEXT COLLATE "C" NOT NULL,    -- JSON: what was found in it
    result        TEXT COLLATE "C" NOT NULL,    -- JSON: what came of it
    row_count     BIGINT NOT NULL, -- of the file
    done          BIGINT NOT NULL, -- rows of the file that were taken, or are still to be taken back
    first_seq     BIGINT NOT NULL, -- of its first new expense, which counts as the last that was logged
    lease_holder  TEXT COLLATE "C" NOT NULL,    -- which copy of the program works at it
    lease_until   BIGINT NOT NULL  -- after that any other may; milliseconds since 1970 in UTC
);
CREATE INDEX imports_state ON imports (state, lease_until);
CREATE INDEX imports_expires_at ON imports (expires_at);

-- The file, in pieces, until it has been taken.
CREATE TABLE import_parts (
    import TEXT COLLATE "C" NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    part   BIGINT NOT NULL CHECK (part >= 0),
    data   BYTEA NOT NULL,
    PRIMARY KEY (import, part)
);

-- What an import did to each expense, so that it can be taken back.
CREATE TABLE import_rows (
    import  TEXT COLLATE "C" NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line    BIGINT NOT NULL CHECK (line > 0), -- of the file
    expense TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL, -- that the import gave it; another one has been touched since
    before  TEXT COLLATE "C" NOT NULL,    -- JSON: the expense as it was, or '' where there was none
    PRIMARY KEY (import, line)
);
