-- +goose Up

-- What somebody did to several expenses at once, so that it is taken back at once.
CREATE TABLE batches (
    id         TEXT COLLATE "C" PRIMARY KEY CHECK (char_length(id) = 26),
    subject    TEXT COLLATE "C" NOT NULL CHECK (subject <> ''), -- who did it, and nobody else takes it back
    submission TEXT COLLATE "C" UNIQUE, -- of its form, which counts once; NULL for none
    content    TEXT COLLATE "C" NOT NULL, -- a hash of what the form said
    action     TEXT COLLATE "C" NOT NULL CHECK (action IN ('category', 'move', 'delete', 'approve', 'send-back')),
    value      TEXT COLLATE "C" NOT NULL, -- the category or the team, or ''
    at         BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    undone     BIGINT -- how many expenses were as before when it was taken back; NULL until then
);
CREATE INDEX batches_at ON batches (at);

-- What each expense of it was before.
CREATE TABLE batch_expenses (
    batch    TEXT COLLATE "C" NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    expense  TEXT COLLATE "C" NOT NULL,
    version  BIGINT NOT NULL, -- that it got; another one has been touched since
    team     TEXT COLLATE "C" NOT NULL,
    category BIGINT NOT NULL,
    status   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (batch, expense)
);
