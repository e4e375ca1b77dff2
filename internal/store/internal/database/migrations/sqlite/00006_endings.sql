-- +goose Up

-- Each ending carries a random mark, which all endings of one write share: who
-- misses the mark of the last one that they know has another history before them,
-- since the database was restored from a copy, and asks for all. There is an ending
-- of every session, too, which a restored database begins with.
CREATE TABLE marked_ended (
    kind       TEXT NOT NULL CHECK (kind IN ('session', 'sid', 'subject', 'address', 'all')),
    key        TEXT NOT NULL CHECK (key <> ''),
    up_to      INTEGER NOT NULL, -- sessions begun later stand; milliseconds since 1970 in UTC
    expires_at INTEGER NOT NULL, -- when the last of these sessions would end anyway; the same
    sequence   INTEGER NOT NULL, -- from ended_sequence
    mark       TEXT NOT NULL CHECK (mark <> ''),
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO marked_ended (kind, key, up_to, expires_at, sequence, mark)
    SELECT kind, key, up_to, expires_at, sequence, hex(randomblob(16)) FROM ended;
DROP TABLE ended;
ALTER TABLE marked_ended RENAME TO ended;
CREATE INDEX ended_sequence_of ON ended (sequence);
CREATE INDEX ended_expires_at ON ended (expires_at);
CREATE INDEX ended_mark ON ended (mark);
