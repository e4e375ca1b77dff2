-- +goose Up

-- The words of an expense: its item and note, whom it names, and its category, each
-- folded by the program. Only the triggers below write it.
ALTER TABLE expenses ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose StatementBegin
CREATE FUNCTION expenses_worded() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.words := NEW.folded
        || (SELECT w.folded FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE p.id = NEW.person)
        || (SELECT folded FROM categories WHERE id = NEW.category);
    RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER expenses_worded BEFORE INSERT OR UPDATE OF folded, person, category ON expenses
    FOR EACH ROW EXECUTE FUNCTION expenses_worded();

CREATE INDEX expenses_by_person ON expenses (person);
CREATE INDEX expenses_by_category ON expenses (category);

-- +goose StatementBegin
CREATE FUNCTION people_worded() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE expenses SET folded = folded WHERE id IN (
        SELECT e.id FROM people AS p JOIN expenses AS e ON e.person = p.id WHERE p.id = NEW.id OR p.joined = NEW.id ORDER BY e.id FOR UPDATE OF e);
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER people_worded AFTER UPDATE OF folded, joined ON people FOR EACH ROW
    WHEN (OLD.folded <> NEW.folded OR OLD.joined IS DISTINCT FROM NEW.joined) EXECUTE FUNCTION people_worded();

-- +goose StatementBegin
CREATE FUNCTION categories_worded() RETURNS TRIGGER LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE expenses SET folded = folded WHERE id IN (SELECT id FROM expenses WHERE category = NEW.id ORDER BY id FOR UPDATE);
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER categories_worded AFTER UPDATE OF folded ON categories FOR EACH ROW
    WHEN (OLD.folded <> NEW.folded) EXECUTE FUNCTION categories_worded();

-- index_words makes the index of trigrams where the extension is there or may be
-- added, and says whether there is one. Without it every row is read.
-- +goose StatementBegin
CREATE FUNCTION index_words() RETURNS BOOLEAN LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX IF NOT EXISTS expenses_words ON expenses USING gin (words gin_trgm_ops);
    RETURN TRUE;
EXCEPTION WHEN OTHERS THEN
    RETURN FALSE;
END;
$$;
-- +goose StatementEnd
SELECT index_words();
