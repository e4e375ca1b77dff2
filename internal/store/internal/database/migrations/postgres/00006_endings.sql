-- +goose Up

-- Each ending carries a random mark, which all endings of one write share: who
-- misses the mark of the last one that they know has another history before them,
-- since the database was restored from a copy, and asks for all. There is an ending
-- of every session, too, which a restored database begins with.
ALTER TABLE ended ADD COLUMN mark TEXT COLLATE "C";
UPDATE ended SET mark = md5(random()::text || sequence::text || key);
ALTER TABLE ended ALTER COLUMN mark SET NOT NULL, ADD CONSTRAINT ended_mark_check CHECK (mark <> ''),
    DROP CONSTRAINT ended_kind_check,
    ADD CONSTRAINT ended_kind_check CHECK (kind IN ('session', 'sid', 'subject', 'address', 'all'));
CREATE INDEX ended_mark ON ended (mark);
