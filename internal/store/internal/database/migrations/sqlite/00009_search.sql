-- +goose Up

-- The words of an expense: its item and note, whom it names, and its category, each
-- folded by the program.
CREATE VIEW expense_texts AS
    SELECT e.n, e.person, e.category, e.folded || w.folded || c.folded AS words
    FROM expenses AS e JOIN people AS p ON p.id = e.person JOIN people AS w ON w.id = COALESCE(p.joined, p.id)
    JOIN categories AS c ON c.id = e.category;

-- Their trigrams, by the place of the expense. Only the triggers below write it.
CREATE VIRTUAL TABLE expense_words USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1');
INSERT INTO expense_words (rowid, words) SELECT n, words FROM expense_texts;

-- +goose StatementBegin
CREATE TRIGGER words_added AFTER INSERT ON expenses BEGIN
    INSERT INTO expense_words (rowid, words) SELECT n, words FROM expense_texts WHERE n = NEW.n;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER words_changed AFTER UPDATE OF folded, person, category ON expenses
WHEN OLD.folded <> NEW.folded OR OLD.person <> NEW.person OR OLD.category <> NEW.category BEGIN
    DELETE FROM expense_words WHERE rowid = OLD.n;
    INSERT INTO expense_words (rowid, words) SELECT n, words FROM expense_texts WHERE n = NEW.n;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER words_removed AFTER DELETE ON expenses BEGIN
    DELETE FROM expense_words WHERE rowid = OLD.n;
END;
-- +goose StatementEnd

CREATE INDEX expenses_by_person ON expenses (person);
CREATE INDEX expenses_by_category ON expenses (category);

-- +goose StatementBegin
CREATE TRIGGER words_of_person AFTER UPDATE OF folded, joined ON people
WHEN OLD.folded <> NEW.folded OR OLD.joined IS NOT NEW.joined BEGIN
    DELETE FROM expense_words WHERE rowid IN (SELECT e.n FROM people AS p JOIN expenses AS e ON e.person = p.id WHERE p.id = NEW.id OR p.joined = NEW.id);
    INSERT INTO expense_words (rowid, words) SELECT t.n, t.words FROM people AS p JOIN expense_texts AS t ON t.person = p.id WHERE p.id = NEW.id OR p.joined = NEW.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER words_of_category AFTER UPDATE OF folded ON categories
WHEN OLD.folded <> NEW.folded BEGIN
    DELETE FROM expense_words WHERE rowid IN (SELECT n FROM expenses WHERE category = NEW.id);
    INSERT INTO expense_words (rowid, words) SELECT n, words FROM expense_texts WHERE category = NEW.id;
END;
-- +goose StatementEnd
