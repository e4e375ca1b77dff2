-- +goose Up

-- People, of whom an expense names two: who spent it, and whose it is. Somebody
-- who has signed in is known by the subject; before that, by an address or by
-- nothing but a name.
CREATE TABLE people (
    id      BIGINT PRIMARY KEY,
    issuer  TEXT COLLATE "C" NOT NULL DEFAULT '', -- the host that vouches for the subject
    subject TEXT COLLATE "C" NOT NULL DEFAULT '', -- sub of the ID Token; '' before the first sign-in
    address TEXT COLLATE "C" NOT NULL DEFAULT '', -- as last told, in the form in which two of them are compared
    name    TEXT COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200), -- as last told
    key     TEXT COLLATE "C" NOT NULL,            -- the name, folded by the program
    folded  TEXT COLLATE "C" NOT NULL DEFAULT '', -- the name, folded for searches by the program; '' until it is
    seen_at BIGINT,                  -- the last sign-in, in milliseconds since 1970 in UTC
    joined  BIGINT REFERENCES people (id) CHECK (joined <> id) -- whom an administrator says that this is
);
CREATE UNIQUE INDEX people_subject ON people (issuer, subject) WHERE subject <> '';
CREATE UNIQUE INDEX people_address ON people (address) WHERE address <> '' AND joined IS NULL;
CREATE UNIQUE INDEX people_name ON people (key) WHERE address = '' AND subject = '';
CREATE INDEX people_key ON people (key);
CREATE INDEX people_joined ON people (joined) WHERE joined IS NOT NULL;

-- Categories: one whatever its case and its runs of spaces.
CREATE TABLE categories (
    id      BIGINT PRIMARY KEY,
    key     TEXT COLLATE "C" NOT NULL UNIQUE,
    label   TEXT COLLATE "C" NOT NULL CHECK (char_length(label) BETWEEN 1 AND 50), -- as it was spelled last
    folded  TEXT COLLATE "C" NOT NULL DEFAULT '', -- the label, folded for searches by the program; '' until it is
    retired BIGINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
);

ALTER TABLE expenses RENAME TO expenses_4;
ALTER TABLE history RENAME TO history_4;
ALTER TABLE expenses_4 RENAME CONSTRAINT expenses_pkey TO expenses_4_pkey;
ALTER TABLE expenses_4 RENAME CONSTRAINT expenses_submission_key TO expenses_4_submission_key;
ALTER TABLE expenses_4 RENAME CONSTRAINT expenses_import_key_key TO expenses_4_import_key_key;
ALTER TABLE history_4 RENAME CONSTRAINT history_pkey TO history_4_pkey;

-- Whose address is known is a person by it; an address that stands for a name is
-- an address too.
CREATE TABLE owners_4 (id TEXT COLLATE "C" PRIMARY KEY, person TEXT COLLATE "C", person_key TEXT COLLATE "C", address TEXT COLLATE "C", written_at BIGINT);
INSERT INTO owners_4
    SELECT id, person, person_key, CASE
        WHEN owner <> '' THEN owner
        WHEN position('@' IN person) > 0 AND position(' ' IN person) = 0 THEN lower(person COLLATE "C")
        ELSE '' END,
        COALESCE((SELECT MAX(at) FROM history_4 WHERE expense = expenses_4.id), 0)
    FROM expenses_4;
INSERT INTO people (id, address, name, key)
    SELECT ROW_NUMBER() OVER (ORDER BY address), address, person, person_key
    FROM (SELECT address, person, person_key, ROW_NUMBER() OVER (PARTITION BY address
        ORDER BY position('@' IN person) > 0, written_at DESC, id DESC) AS place FROM owners_4 WHERE address <> '')
    AS ranked WHERE place = 1;
INSERT INTO people (id, name, key)
    SELECT (SELECT COUNT(*) FROM people) + ROW_NUMBER() OVER (ORDER BY person_key), person, person_key
    FROM (SELECT person, person_key, ROW_NUMBER() OVER (PARTITION BY person_key
        ORDER BY written_at DESC, id DESC) AS place FROM owners_4 WHERE address = '')
    AS ranked WHERE place = 1;
CREATE TABLE people_4 (address TEXT COLLATE "C", key TEXT COLLATE "C", id BIGINT, PRIMARY KEY (address, key));
INSERT INTO people_4 SELECT address, CASE WHEN address = '' THEN key ELSE '' END, id FROM people;

-- A run has at most 50 spaces, which six halvings make one.
CREATE TABLE categories_4 (id TEXT COLLATE "C" PRIMARY KEY, label TEXT COLLATE "C", key TEXT COLLATE "C", written_at BIGINT);
INSERT INTO categories_4
    SELECT id, category,
        replace(replace(replace(replace(replace(replace(replace(category_key, chr(160), ' '), '  ', ' '), '  ', ' '), '  ', ' '), '  ', ' '), '  ', ' '), '  ', ' '),
        COALESCE((SELECT MAX(at) FROM history_4 WHERE expense = expenses_4.id), 0)
    FROM expenses_4;
INSERT INTO categories (id, key, label)
    SELECT ROW_NUMBER() OVER (ORDER BY key), key, label
    FROM (SELECT key, label, ROW_NUMBER() OVER (PARTITION BY key ORDER BY written_at DESC, id DESC) AS place FROM categories_4)
    AS ranked WHERE place = 1;

CREATE TABLE expenses (
    id           TEXT COLLATE "C" PRIMARY KEY CHECK (char_length(id) = 26),
    seq          BIGINT NOT NULL DEFAULT 0, -- grows with each expense that is logged; two logged at once may share it
    team         TEXT COLLATE "C" NOT NULL CHECK (team <> ''),
    date         TEXT COLLATE "C" NOT NULL CHECK (date LIKE '____-__-__'),
    person       BIGINT NOT NULL REFERENCES people (id), -- who spent it
    owner        BIGINT NOT NULL REFERENCES people (id), -- whose it is to change
    item         TEXT COLLATE "C" NOT NULL CHECK (char_length(item) BETWEEN 1 AND 200),
    category     BIGINT NOT NULL REFERENCES categories (id),
    amount_cents BIGINT NOT NULL CONSTRAINT expenses_amount_cents_check CHECK (amount_cents BETWEEN 1 AND 1000000000),
    note         TEXT COLLATE "C" NOT NULL CHECK (char_length(note) <= 2000),
    version      BIGINT NOT NULL CHECK (version > 0),
    created_at   BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    deleted_at   BIGINT,          -- the same; NULL while the expense stands
    submission   TEXT COLLATE "C" UNIQUE,  -- which form it came from, so that a form counts once
    import_key   TEXT COLLATE "C" UNIQUE,  -- which row of which file, so that a file counts once
    -- What an expense is sorted and found by: the keys of its person, as joined, and
    -- of its category, and what the program folds.
    person_key   TEXT COLLATE "C" NOT NULL,
    item_key     TEXT COLLATE "C" NOT NULL,
    category_key TEXT COLLATE "C" NOT NULL,
    folded       TEXT COLLATE "C" NOT NULL DEFAULT '' -- item and note, folded for searches by the program; '' until they are
);
INSERT INTO expenses
    SELECT e.id, ROW_NUMBER() OVER (ORDER BY e.created_at, e.id), e.team, e.date, p.id, p.id, e.item, c.id, e.amount_cents, e.note,
        e.version, e.created_at, e.deleted_at, e.submission, e.import_key, p.key, e.item_key, c.key, ''
    FROM expenses_4 AS e
    JOIN owners_4 AS o ON o.id = e.id
    JOIN people_4 AS q ON q.address = o.address AND q.key = CASE WHEN o.address = '' THEN e.person_key ELSE '' END
    JOIN people AS p ON p.id = q.id
    JOIN categories_4 AS k ON k.id = e.id
    JOIN categories AS c ON c.key = k.key;

-- One row for each version of an expense, with who did it as they were then.
CREATE TABLE history (
    expense       TEXT COLLATE "C" NOT NULL REFERENCES expenses (id),
    version       BIGINT NOT NULL CHECK (version > 0),
    at            BIGINT NOT NULL, -- milliseconds since 1970 in UTC
    actor_address TEXT COLLATE "C" NOT NULL,
    actor_name    TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL,
    changes       TEXT COLLATE "C" NOT NULL, -- JSON: [{"Field","Old","New"}]
    PRIMARY KEY (expense, version)
);
INSERT INTO history SELECT * FROM history_4;
DROP TABLE history_4;
DROP TABLE owners_4;
DROP TABLE people_4;
DROP TABLE categories_4;
DROP TABLE expenses_4;

-- An index for each order of a page, of one team and of all. Of equal values the
-- expense that was logged last comes first.
CREATE INDEX expenses_seq ON expenses (seq);
-- What is still to be folded.
CREATE INDEX expenses_unfolded ON expenses (id) WHERE folded = '';
CREATE INDEX expenses_team_date ON expenses (team, date, seq, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_person ON expenses (team, person_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_item ON expenses (team, item_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_category ON expenses (team, category_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_amount ON expenses (team, amount_cents, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_date ON expenses (date, seq, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_person ON expenses (person_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_item ON expenses (item_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_category ON expenses (category_key, seq DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX expenses_amount ON expenses (amount_cents, seq DESC, id DESC) WHERE deleted_at IS NULL;
-- A category's or a person's expenses by date, or those of a month in whatever
-- order they are shown.
CREATE INDEX expenses_team_category_date ON expenses (team, category_key, date, seq, id) WHERE deleted_at IS NULL;
CREATE INDEX expenses_team_person_date ON expenses (team, person_key, date, seq, id) WHERE deleted_at IS NULL;

-- What the expenses that stand come to. Only the triggers below write the sums, so
-- that they are right whoever writes an expense, and `expense-dashboard repair`.
DROP TABLE sums;
CREATE TABLE sums (
    team     TEXT COLLATE "C" NOT NULL,
    month    TEXT COLLATE "C" NOT NULL, -- YYYY-MM
    category BIGINT NOT NULL,
    person   BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    cents    BIGINT NOT NULL,
    PRIMARY KEY (team, month, category, person)
);

-- The same by month, by category and by person alone.
DROP TABLE group_sums;
CREATE TABLE group_sums (
    team  TEXT COLLATE "C" NOT NULL,
    kind  TEXT COLLATE "C" NOT NULL CHECK (kind IN ('month', 'category', 'person')),
    month TEXT COLLATE "C" NOT NULL,    -- of a month's sums, else ''
    ref   BIGINT NOT NULL, -- the category or the person, else 0
    n     BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (team, kind, month, ref)
);

INSERT INTO sums
    SELECT team, substr(date, 1, 7), category, person, COUNT(*), SUM(amount_cents)
    FROM expenses WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4;
INSERT INTO group_sums
    SELECT team, 'month', month, 0, SUM(n), SUM(cents) FROM sums GROUP BY team, month
    UNION ALL SELECT team, 'category', '', category, SUM(n), SUM(cents) FROM sums GROUP BY team, category
    UNION ALL SELECT team, 'person', '', person, SUM(n), SUM(cents) FROM sums GROUP BY team, person;

-- add_to_sums adds changes to the sums, each of which is a row as sums has them. All
-- are written in one order, so that two writers do not wait in a circle.
-- +goose StatementBegin
CREATE FUNCTION add_to_sums(changes sums[]) RETURNS VOID LANGUAGE SQL SET search_path FROM CURRENT AS $$
    INSERT INTO sums SELECT team, month, category, person, SUM(n), SUM(cents) FROM unnest(changes)
        GROUP BY 1, 2, 3, 4 HAVING SUM(n) <> 0 OR SUM(cents) <> 0 ORDER BY 1, 2, 3, 4
        ON CONFLICT (team, month, category, person) DO UPDATE SET n = sums.n + excluded.n, cents = sums.cents + excluded.cents;
    INSERT INTO group_sums SELECT team, kind, month, ref, SUM(n), SUM(cents) FROM (
            SELECT team, 'month' AS kind, month, 0 AS ref, n, cents FROM unnest(changes)
            UNION ALL SELECT team, 'category', '', category, n, cents FROM unnest(changes)
            UNION ALL SELECT team, 'person', '', person, n, cents FROM unnest(changes)) AS grouped
        GROUP BY 1, 2, 3, 4 HAVING SUM(n) <> 0 OR SUM(cents) <> 0 ORDER BY 1, 2, 3, 4
        ON CONFLICT (team, kind, month, ref) DO UPDATE SET n = group_sums.n + excluded.n, cents = group_sums.cents + excluded.cents;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION renew_revisions(teams TEXT[]) RETURNS VOID LANGUAGE SQL SET search_path FROM CURRENT AS $$
    INSERT INTO revisions SELECT DISTINCT unnest(teams) AS team, gen_random_uuid()::TEXT AS revision ORDER BY team
        ON CONFLICT (team) DO UPDATE SET revision = excluded.revision;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION expenses_added() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM add_to_sums(ARRAY(SELECT (team, substr(date, 1, 7), category, person, 1, amount_cents)::sums FROM made WHERE deleted_at IS NULL));
    PERFORM renew_revisions(ARRAY(SELECT DISTINCT team FROM made));
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_added AFTER INSERT ON expenses REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION expenses_added();

-- +goose StatementBegin
CREATE FUNCTION expenses_changed() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM add_to_sums(ARRAY(
        SELECT (team, substr(date, 1, 7), category, person, -1, -amount_cents)::sums FROM gone WHERE deleted_at IS NULL
        UNION ALL SELECT (team, substr(date, 1, 7), category, person, 1, amount_cents)::sums FROM made WHERE deleted_at IS NULL));
    PERFORM renew_revisions(ARRAY(SELECT team FROM gone UNION SELECT team FROM made));
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_changed AFTER UPDATE ON expenses REFERENCING OLD TABLE AS gone NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION expenses_changed();

-- +goose StatementBegin
CREATE FUNCTION expenses_removed() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM add_to_sums(ARRAY(SELECT (team, substr(date, 1, 7), category, person, -1, -amount_cents)::sums FROM gone WHERE deleted_at IS NULL));
    PERFORM renew_revisions(ARRAY(SELECT DISTINCT team FROM gone));
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_removed AFTER DELETE ON expenses REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION expenses_removed();

-- +goose StatementBegin
CREATE FUNCTION expenses_emptied() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM sums;
    DELETE FROM group_sums;
    UPDATE revisions SET revision = gen_random_uuid()::TEXT;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_emptied AFTER TRUNCATE ON expenses FOR EACH STATEMENT EXECUTE FUNCTION expenses_emptied();

-- +goose StatementBegin
CREATE FUNCTION expenses_numbered() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.seq := (SELECT COALESCE(MAX(seq), 0) + 1 FROM expenses);
    RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_numbered BEFORE INSERT ON expenses
    FOR EACH ROW WHEN (NEW.seq = 0) EXECUTE FUNCTION expenses_numbered();

-- +goose StatementBegin
CREATE FUNCTION expenses_keyed() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.person_key := (SELECT w.key FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE p.id = NEW.person);
    NEW.category_key := (SELECT key FROM categories WHERE id = NEW.category);
    RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_keyed BEFORE UPDATE OF person, category ON expenses
    FOR EACH ROW WHEN (OLD.person <> NEW.person OR OLD.category <> NEW.category) EXECUTE FUNCTION expenses_keyed();

-- A name, an address or a join shows on the pages of all teams that have expenses
-- of the person.
-- +goose StatementBegin
CREATE FUNCTION people_changed() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.key <> NEW.key OR OLD.joined IS DISTINCT FROM NEW.joined THEN
        UPDATE expenses SET person_key = (SELECT key FROM people WHERE id = COALESCE(NEW.joined, NEW.id))
            WHERE person IN (SELECT id FROM people WHERE id = NEW.id OR joined = NEW.id);
    END IF;
    UPDATE revisions SET revision = gen_random_uuid()::TEXT;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER people_changed AFTER UPDATE ON people FOR EACH ROW
    WHEN (OLD.key <> NEW.key OR OLD.name <> NEW.name OR OLD.address <> NEW.address OR OLD.joined IS DISTINCT FROM NEW.joined)
    EXECUTE FUNCTION people_changed();

-- +goose StatementBegin
CREATE FUNCTION categories_changed() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.key <> NEW.key THEN
        UPDATE expenses SET category_key = NEW.key WHERE category_key = OLD.key;
    END IF;
    UPDATE revisions SET revision = gen_random_uuid()::TEXT;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER categories_changed AFTER UPDATE ON categories FOR EACH ROW
    WHEN (OLD.key <> NEW.key OR OLD.label <> NEW.label) EXECUTE FUNCTION categories_changed();
