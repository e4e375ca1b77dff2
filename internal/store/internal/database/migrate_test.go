package database_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io/fs"
	"strings"
	"testing"

	goose "github.com/pressly/goose/v3"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

// released are the migrations that databases have run, with the SHA-256 of each:
// none of them ever changes.
var released = map[string]string{
	"sqlite/00001_expenses.sql":    "b82047c9cbcab37dc1eed268c335c122619667061863cadf8a696ccb65e89d22",
	"sqlite/00002_sessions.sql":    "32961470c95382128e2adafd09ee084c5f61b8a71be34061ec9aa47fb6dfebd5",
	"sqlite/00003_revisions.sql":   "d2872aae38ec9727b71f1da939dae090610410c663ad3951aac9faf93b3a2541",
	"sqlite/00004_filters.sql":     "571d588cb2afc6b004d6aaa4dceafbc6fc8f528d5dfeb3259459070f63134835",
	"sqlite/00005_people.sql":      "8f8712b1c2873d1aade7efc658df3cb08500f67a2b617d0c8f8efbbe21ba2961",
	"sqlite/00006_endings.sql":     "313a3854dbcc35668751e9079d1cdcca7fb8234318cf9433ff126e88b940d80b",
	"sqlite/00007_imports.sql":     "5db56450f2bbe480dfc3e3a0d54c2e1683c388a2f6de734360884d8d89b15bde",
	"sqlite/00008_managing.sql":    "f890172a3326d97a2ceb3a9389bcd32221355855a06a4eb93816020b4621456e",
	"sqlite/00009_search.sql":      "fac4c6d684e9c484a15ffc33b7455e8e774fd055af98354d4c5813c2b3bb170c",
	"sqlite/00010_currency.sql":    "cb942c2eda342949a003f326fd0fa51a019697987b58c6df69f23344b375f3ea",
	"sqlite/00011_activity.sql":    "1f96eca8c51bed37a5d5607a0004fd9e333026e2615d6c39225adb41f37bf361",
	"sqlite/00012_batches.sql":     "f74560db003d858a19696630ea295ce769de5bb1b713f8a4120ce61c8203e422",
	"sqlite/00013_used.sql":        "929f506ce81944dc5a6cc9a01aea50eda8d3cbb96f791edd369d4ed4512dba5c",
	"sqlite/00014_days.sql":        "2c3bf4cc3699cd528c265026fec3ae57e0ac0156e4a6150c835f10e570607086",
	"postgres/00001_expenses.sql":  "698834ce16898087c36a69e32b85fce0b9ef391f3eb986dff9f1b4d43392510e",
	"postgres/00002_sessions.sql":  "07df3abb0af29998c725bfb9b665c8a8c092060e862a0d8013785d11ab0333d2",
	"postgres/00003_revisions.sql": "3013dde6d42a93ed3399b54c986da66369255d74059b0efe3bd92d26fc265609",
	"postgres/00004_filters.sql":   "ce4b29283e9697e5ce73370152ffc5b68ecd50c74f0c7a9521003a1c5721872d",
	"postgres/00005_people.sql":    "9a6d9c77886e0fed93b2204735ec35d8f99391d95ffbc286abb597c7f968d4b3",
	"postgres/00006_endings.sql":   "e1294d71d56c0e798546edb2331fe68ea913d76586bb2e8abf12a7c78810539a",
	"postgres/00007_imports.sql":   "b10b5b834bb5f505da8bb1adcdf1cdf174db564aab9abbd58bb772beac6c7069",
	"postgres/00008_managing.sql":  "1feb9c82d5d79ad832517b8d74f2c5358172c324c8e1e4f45735749304d46934",
	"postgres/00009_search.sql":    "aae2e83079654b57bd2000c4b72551dc600f0edc4f5d5a7df0828ac8569226d2",
	"postgres/00010_currency.sql":  "b6a25bfcaa794c4500a9e6e60d3897e5a7e9d48b87eaf88eb72db29465187cfc",
	"postgres/00011_activity.sql":  "1f96eca8c51bed37a5d5607a0004fd9e333026e2615d6c39225adb41f37bf361",
	"postgres/00012_batches.sql":   "05f7b194bfb4c3db61a34f588d79215c6926a7105c7834bb7921b58d3da817be",
	"postgres/00013_used.sql":      "1515bd8dfebd4c1b620eda0cd7c1218f3b446ee46287138f0cb9ab19a1620c3c",
	"postgres/00014_days.sql":      "52343fd409fec945fca9712faa2041649c1b76d523a58437a95e69f279ea991c",
}

func TestReleasedMigrationsStayAsTheyAre(t *testing.T) {
	for name, want := range released {
		text, err := fs.ReadFile(database.Migrations, "migrations/"+name)
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not what was released: write another migration", name)
		}
	}
}

// databaseOf makes a database as an older program has left it, and returns a
// connection to it.
func databaseOf(t *testing.T, databaseURL string, version int64) *sql.DB {
	t.Helper()
	db := storetest.DB(t, databaseURL)
	dialect, folder := goose.DialectSQLite3, "migrations/sqlite"
	if !strings.HasPrefix(databaseURL, "sqlite:") {
		dialect, folder = goose.DialectPostgres, "migrations/postgres"
	}
	files, err := fs.Sub(database.Migrations, folder)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return db
}

// oldExpense is an expense as the fourth schema has it.
type oldExpense struct {
	person, owner, item, category   string
	createdAt, deletedAt, writtenAt int64
}

// addOld adds an expense to a database of the fourth schema, with its history.
func addOld(t *testing.T, db *sql.DB, e oldExpense) {
	t.Helper()
	var deleted any
	if e.deletedAt > 0 {
		deleted = e.deletedAt
	}
	id, note := expense.NewID(), "a Note"
	_, err := db.Exec(`INSERT INTO expenses (id, team, date, person, owner, item, category, amount_cents, note, version, created_at, deleted_at,
		person_key, item_key, category_key, search) VALUES ($1, 'finance', '2026-03-02', $2, $3, $4, $5, 100, $6, 1, $7, $8, $9, $10, $11, $12)`,
		id, e.person, e.owner, e.item, e.category, note, e.createdAt, deleted,
		expense.Fold(e.person), expense.Fold(e.item), expense.Fold(e.category), expense.Fold(e.item+"\n"+e.person+"\n"+note))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO history (expense, version, at, actor_address, actor_name, action, changes) VALUES ($1, 1, $2, '', '', 'created', '[]')`,
		id, e.writtenAt)
	if err != nil {
		t.Fatal(err)
	}
}

// TestOldDatabaseKeepsItsOwners brings a database of the fourth schema up to date:
// nobody loses an expense, one of a name stays one, an address that stood for a name
// owns, and spellings of a category become the latest.
func TestOldDatabaseKeepsItsOwners(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		db := databaseOf(t, databaseURL, 4)
		for _, e := range []oldExpense{
			{"Alice Johnson", fixture.Alice.Address, "first", "tRAvel  costs", 1000, 0, 1000},
			{"alice johnson", fixture.Alice.Address, "second", "Travel Costs", 2000, 0, 9000},
			{"Zoë", "", "third", "travel costs", 2000, 0, 2000},
			{"ZOË", "", "fourth", "Meals", 3000, 0, 3000},
			{"Carol.Lee@Example.com", "", "fifth", "Meals", 4000, 5000, 4000},
			{"Alice Johnson", "", "sixth", "Meals", 5000, 0, 5000},
		} {
			addOld(t, db, e)
		}
		s := fixture.Started(t, databaseURL)
		rows := map[string]expense.Expense{}
		var order []string
		fixture.RowsOf(t, s, func(e expense.Expense) {
			rows[e.Item] = e
			order = append(order, e.Item)
		})
		if got := strings.Join(order, " "); !strings.HasPrefix(got, "sixth fourth") || !strings.HasSuffix(got, "first") {
			t.Errorf("of one day %s, want the latest logged first", got)
		}
		for item, want := range map[string][3]string{
			"first": {"alice johnson", fixture.Alice.Address, "Travel Costs"}, "second": {"alice johnson", fixture.Alice.Address, "Travel Costs"},
			"third": {"ZOË", "", "Travel Costs"}, "fourth": {"ZOË", "", "Meals"}, "sixth": {"Alice Johnson", "", "Meals"},
		} {
			e := rows[item]
			if got := [3]string{e.Person, e.Owner, e.Category}; got != want {
				t.Errorf("%s: %v, want %v", item, got, want)
			}
		}
		if rows["first"].PersonID != rows["second"].PersonID || rows["third"].PersonID != rows["fourth"].PersonID || rows["first"].PersonID == rows["sixth"].PersonID {
			t.Error("one person has become two, or two one")
		}
		var carol string
		if err := db.QueryRow(`SELECT p.address FROM expenses AS e JOIN people AS p ON p.id = e.owner WHERE e.item = 'fifth'`).Scan(&carol); err != nil || carol != "carol.lee@example.com" {
			t.Errorf("the owner of what was deleted is %q, %v", carol, err)
		}
		fixture.CheckSums(t, db)
		if summary, err := s.Summary(t.Context(), expense.Query{Q: "a note"}); err != nil || summary.Count != 5 || len(summary.ByCategory) != 2 {
			t.Errorf("%+v, %v", summary, err)
		}
		if summary, err := s.Summary(t.Context(), expense.Query{Q: "zoë"}); err != nil || summary.Count != 2 {
			t.Errorf("%+v, %v", summary, err)
		}
	})
}

func TestRepairBringsNothingUpToDate(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		databaseOf(t, databaseURL, 4)
		if _, err := upkeep.Repair(t.Context(), databaseURL); err == nil || !strings.Contains(err.Error(), "start the program first") {
			t.Errorf("an older database: %v", err)
		}
	})
}
