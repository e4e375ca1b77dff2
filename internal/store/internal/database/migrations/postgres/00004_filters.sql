-- +goose Up

-- What a team's expenses that stand come to by month, by category and by person:
-- a page without a filter would else add up a row of sums for each person's
-- categories of each month. Written with sums.
CREATE TABLE group_sums (
    team  TEXT COLLATE "C" NOT NULL,
    kind  TEXT COLLATE "C" NOT NULL CHECK (kind IN ('month', 'category', 'person')),
    key   TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL, -- the key as it is shown
    n     BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (team, kind, key)
);
INSERT INTO group_sums (team, kind, key, label, n, cents)
    SELECT team, 'month', month, month, SUM(n), SUM(cents) FROM sums GROUP BY team, month
    UNION ALL SELECT team, 'category', category_key, MIN(category), SUM(n), SUM(cents) FROM sums GROUP BY team, category_key
    UNION ALL SELECT team, 'person', person_key, MIN(person), SUM(n), SUM(cents) FROM sums GROUP BY team, person_key;

-- A category's or a person's expenses by date, or those of a month in whatever
-- order they are shown.
CREATE INDEX expenses_team_category_date ON expenses (team, category_key, date, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_person_date ON expenses (team, person_key, date, id) WHERE deleted_at IS NULL;
