package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// importedRows is how many expenses of the team of many are imported. What is to be
// there beyond them are copies of these.
const importedRows = 20_000

// multiply copies the expenses of the team of many within the database, until there are
// so many, and lets the program make anew what is derived from them. An import would take
// the better part of an hour for a million.
func (p *program) multiply(rows int) (err error) {
	if !strings.HasPrefix(p.databaseURL, "sqlite:") {
		return p.multiplyPostgres(rows)
	}
	db, err := sql.Open("sqlite", "file:"+p.database()+"?_pragma=synchronous(OFF)&_pragma=cache_size(-200000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	again, err := p.dropDerived(db)
	if err != nil {
		return err
	}
	copied, err := columnsToCopy(db)
	if err != nil {
		return err
	}
	for there := importedRows; there < rows; there += importedRows {
		_, err := db.Exec(fmt.Sprintf(`INSERT INTO expenses (id, seq, amount_cents%s) SELECT
			replace(replace(replace(replace(lower(hex(randomblob(13))), '0', 'g'), '1', 'h'), '8', 'i'), '9', 'j'),
			seq + %d, 1 + (amount_cents + %d) %% 500000%s
			FROM expenses WHERE team = 'many' AND n <= %d LIMIT %d`, copied, there, there*7907, copied, importedRows, rows-there))
		if err != nil {
			return fmt.Errorf("copy expenses: %w", err)
		}
	}
	if _, err := db.Exec(copyHistory); err != nil {
		return fmt.Errorf("copy history: %w", err)
	}
	for _, text := range again {
		if _, err := db.Exec(text); err != nil {
			return fmt.Errorf("%.60s: %w", text, err)
		}
	}
	return p.repair()
}

const copyHistory = `INSERT INTO history (expense, version, at, actor_address, actor_name, action, changes)
	SELECT id, version, created_at, '', 'Bench', 'imported', '[]' FROM expenses WHERE id NOT IN (SELECT expense FROM history)`

// multiplyPostgres is multiply on PostgreSQL, which keeps its indexes meanwhile.
func (p *program) multiplyPostgres(rows int) (err error) {
	db, err := sql.Open("pgx", p.databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var copied string
	err = db.QueryRow(`SELECT string_agg(', ' || column_name, '') FROM information_schema.columns WHERE table_name = 'expenses'
		AND column_name NOT IN ('id', 'seq', 'amount_cents', 'submission', 'import_key') AND is_identity = 'NO'`).Scan(&copied)
	if err != nil {
		return err
	}
	texts := []string{`SET LOCAL session_replication_role = replica`} // no trigger runs
	for there := importedRows; there < rows; there += importedRows {
		texts = append(texts, fmt.Sprintf(`INSERT INTO expenses (id, seq, amount_cents%s) SELECT
			translate(left(replace(gen_random_uuid()::text, '-', ''), 26), '0189', 'ghij'), seq + %d, 1 + (amount_cents + %d) %% 500000%s
			FROM expenses WHERE team = 'many' AND seq <= %d LIMIT %d`, copied, there, there*7907, copied, importedRows, rows-there))
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, text := range append(texts, copyHistory) {
		if _, err := tx.Exec(text); err != nil {
			return fmt.Errorf("%.60s: %w", text, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if _, err := db.Exec(`VACUUM ANALYZE`); err != nil {
		return err
	}
	return p.repair()
}

// dropDerived drops the triggers and the indexes of expenses, and returns what makes
// them again.
func (p *program) dropDerived(db *sql.DB) (again []string, err error) {
	rows, err := db.Query(`SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'expenses' AND type IN ('index', 'trigger') AND sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var drops []string
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return nil, err
		}
		drops, again = append(drops, "DROP "+kind+" "+name), append(again, text)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for _, text := range drops {
		if _, err := db.Exec(text); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	return again, nil
}

// columnsToCopy returns the columns of expenses, each behind a comma, that a copy has
// as the expense has them.
func columnsToCopy(db *sql.DB) (columns string, err error) {
	rows, err := db.Query(`SELECT name FROM pragma_table_info('expenses') WHERE name NOT IN ('n', 'id', 'seq', 'amount_cents', 'submission', 'import_key')`)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		columns += ", " + name
	}
	return columns, rows.Err()
}

// repair runs the program's command of that name.
func (p *program) repair() error {
	command := exec.Command(p.path, "repair")
	command.Env = append(os.Environ(), "DATABASE_URL="+p.databaseURL)
	command.Dir = p.folder
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("repair: %w: %s", err, strings.TrimSpace(string(text)))
	}
	return nil
}
