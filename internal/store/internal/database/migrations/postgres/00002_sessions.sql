-- +goose Up

-- Who is signed in: one row for each sign-in, until the session's time is over.
CREATE TABLE sessions (
    id_hash      TEXT COLLATE "C" PRIMARY KEY CHECK (char_length(id_hash) = 64), -- of the session's random ID, which is not kept
    subject      TEXT COLLATE "C" NOT NULL CHECK (subject <> ''),
    address      TEXT COLLATE "C" NOT NULL, -- in the form in which two of them are compared
    name         TEXT COLLATE "C" NOT NULL,
    provider_sid TEXT COLLATE "C" NOT NULL, -- sid of the ID Token, or ''
    user_agent   TEXT COLLATE "C" NOT NULL CHECK (char_length(user_agent) <= 300),
    signed_in_at BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    expires_at   BIGINT NOT NULL, -- the same
    ended_at     BIGINT,          -- the same; NULL while the session stands
    ended_why    TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sessions_subject ON sessions (subject, signed_in_at);
CREATE INDEX sessions_address ON sessions (address, signed_in_at);
CREATE INDEX sessions_provider_sid ON sessions (provider_sid) WHERE provider_sid <> '';
CREATE INDEX sessions_signed_in_at ON sessions (signed_in_at, id_hash) WHERE ended_at IS NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- What must be refused although its time is not over: the session, the sessions
-- of a provider's session, or all that somebody began up to a moment.
CREATE TABLE ended (
    kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('session', 'sid', 'subject', 'address')),
    key        TEXT COLLATE "C" NOT NULL CHECK (key <> ''),
    up_to      BIGINT NOT NULL, -- sessions begun later stand; milliseconds since 1970 in UTC
    expires_at BIGINT NOT NULL, -- when the last of these sessions would end anyway; the same
    sequence   BIGINT NOT NULL, -- from ended_sequence
    PRIMARY KEY (kind, key)
);
CREATE INDEX ended_sequence_of ON ended (sequence);
CREATE INDEX ended_expires_at ON ended (expires_at);

-- One row, which every writer of ended holds until it commits: so sequences
-- become visible in their order, and a reader of the later ones misses none.
CREATE TABLE ended_sequence (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO ended_sequence (id, last) VALUES (1, 0);

-- Tokens of logout requests that have been acted upon, until they are too old
-- to be taken again.
CREATE TABLE used_tokens (
    id         TEXT COLLATE "C" PRIMARY KEY CHECK (char_length(id) = 64),
    expires_at BIGINT NOT NULL -- milliseconds since 1970 in UTC
);
CREATE INDEX used_tokens_expires_at ON used_tokens (expires_at);
