-- +goose Up

-- Who is signed in: one row for each sign-in, until the session's time is over.
CREATE TABLE sessions (
    id_hash      TEXT PRIMARY KEY CHECK (length(id_hash) = 64), -- of the session's random ID, which is not kept
    subject      TEXT NOT NULL CHECK (subject <> ''),
    address      TEXT NOT NULL, -- in the form in which two of them are compared
    name         TEXT NOT NULL,
    provider_sid TEXT NOT NULL, -- sid of the ID Token, or ''
    user_agent   TEXT NOT NULL CHECK (length(user_agent) <= 300),
    signed_in_at INTEGER NOT NULL, -- milliseconds since 1970 in UTC
    expires_at   INTEGER NOT NULL, -- the same
    ended_at     INTEGER,          -- the same; NULL while the session stands
    ended_why    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_subject ON sessions (subject, signed_in_at);
CREATE INDEX sessions_address ON sessions (address, signed_in_at);
CREATE INDEX sessions_provider_sid ON sessions (provider_sid) WHERE provider_sid <> '';
CREATE INDEX sessions_signed_in_at ON sessions (signed_in_at, id_hash) WHERE ended_at IS NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- What must be refused although its time is not over: the session, the sessions
-- of a provider's session, or all that somebody began up to a moment.
CREATE TABLE ended (
    kind       TEXT NOT NULL CHECK (kind IN ('session', 'sid', 'subject', 'address')),
    key        TEXT NOT NULL CHECK (key <> ''),
    up_to      INTEGER NOT NULL, -- sessions begun later stand; milliseconds since 1970 in UTC
    expires_at INTEGER NOT NULL, -- when the last of these sessions would end anyway; the same
    sequence   INTEGER NOT NULL, -- from ended_sequence
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ended_sequence_of ON ended (sequence);
CREATE INDEX ended_expires_at ON ended (expires_at);

-- One row, which every writer of ended holds until it commits: so sequences
-- become visible in their order, and a reader of the later ones misses none.
CREATE TABLE ended_sequence (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO ended_sequence (id, last) VALUES (1, 0);

-- Tokens of logout requests that have been acted upon, until they are too old
-- to be taken again.
CREATE TABLE used_tokens (
    id         TEXT PRIMARY KEY CHECK (length(id) = 64),
    expires_at INTEGER NOT NULL -- milliseconds since 1970 in UTC
) STRICT, WITHOUT ROWID;
CREATE INDEX used_tokens_expires_at ON used_tokens (expires_at);
