-- +goose Up

-- When each session was last used, as one of the copies of the program has noted:
-- never a moment before one that another has. NULL is not known.
ALTER TABLE sessions ADD COLUMN used_at INTEGER; -- milliseconds since 1970 in UTC
