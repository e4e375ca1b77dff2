package importing

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/store/imports"
	"expense-dashboard/internal/storetest"
	"expense-dashboard/internal/team"
)

const subject = "00u-hannah"

func hannah() expense.Actor {
	return expense.Actor{Address: "hannah.smith@task-vantage.com", Name: "Hannah Smith", Subject: subject, Issuer: "example.okta.com"}
}

// opened returns an importer on a database, and its store, which is closed with
// the test.
func opened(t testing.TB, databaseURL string) (*Importer, *store.Store) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(databaseURL, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Start(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	directory, err := team.Open("", log)
	if err != nil {
		t.Fatal(err)
	}
	return New(db, directory, db.Currency(), func() expense.Date { return expense.NewDate(2026, 11, 22) }, log), db
}

// running lets an importer work until the test ends or stop is called.
func running(t testing.TB, i *Importer) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var work sync.WaitGroup
	work.Go(func() { i.Run(ctx) })
	stop = func() { cancel(); work.Wait() }
	t.Cleanup(stop)
	return stop
}

// received looks at a file and wants nothing wrong with it.
func received(t testing.TB, i *Importer, file string) Preview {
	t.Helper()
	id, err := i.Receive(t.Context(), hannah(), "file.csv", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	p, err := i.Preview(t.Context(), subject, id)
	if err != nil || p.Report.Wrong > 0 {
		t.Fatalf("%+v, %v", p.Report.WrongLines, err)
	}
	return p
}

// finished waits for an import that was confirmed.
func finished(t testing.TB, i *Importer, id string) Preview {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := i.Wait(ctx, subject, id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// exported is the file of all expenses.
func exported(t testing.TB, db *store.Store) string {
	t.Helper()
	var out bytes.Buffer
	err := expensefile.WriteCSV(&out, db.Currency(), nil, func(fn func(expense.Expense) error) error {
		return db.Each(t.Context(), expense.Query{Sort: "date", Desc: true}, fn)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// checkTotals compares the sums with the expenses, of which there are so many.
func checkTotals(t testing.TB, db *store.Store, want int64) {
	t.Helper()
	var count int64
	var total expense.Money
	err := db.Each(t.Context(), expense.Query{}, func(e expense.Expense) error {
		count++
		total += e.Amount
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sums, err := db.Summary(t.Context(), expense.Query{})
	if err != nil || count != want || sums.Count != count || sums.Total != total {
		t.Errorf("%d expenses of %d, want %d, and the sums say %d, %d; %v", count, total, want, sums.Count, sums.Total, err)
	}
}

// manyRows is a file of so many different expenses.
func manyRows(number int) string {
	var file strings.Builder
	file.WriteString(expensefile.Columns + "\n")
	for n := range number {
		fmt.Fprintf(&file, ",2026-03-02,finance,Zoë,Lunch %d,Meals,12.50,,,\n", n)
	}
	return file.String()
}

// TestExportsMoveBetweenDatabases takes all expenses from one kind of database to the
// other and back.
func TestExportsMoveBetweenDatabases(t *testing.T) {
	t.Parallel()
	from, fromDB := opened(t, storetest.SQLite(t))
	to, toDB := opened(t, storetest.Postgres(t))
	running(t, from)
	running(t, to)
	move := func(i *Importer, file string) {
		t.Helper()
		p := received(t, i, file)
		if err := i.Confirm(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		if p = finished(t, i, p.ID); p.State != imports.Done || p.Result.Conflicts > 0 {
			t.Fatalf("%s, %+v", p.State, p.Result)
		}
	}
	move(from, expensefile.Columns+"\n"+
		",2026-03-02,finance,carol.lee@task-vantage.com,Lunch,Meals,12.50,,,\n"+
		",2026-03-02,finance,Carol Lee,\"=1+1, two\",Meals,-3.80,\"two\nlines\",7,carol.lee@task-vantage.com\n"+
		",2026-03-02,hr,Bob,Tea,meals,2.00,,,\n"+strings.TrimPrefix(manyRows(200), expensefile.Columns+"\n"))
	file := exported(t, fromDB)
	move(to, file)
	if moved := exported(t, toDB); moved != file {
		t.Errorf("moved as\n%.2000s\nand not as\n%.2000s", moved, file)
	}
	checkTotals(t, toDB, 203)
	move(to, file)
	checkTotals(t, toDB, 203)
}

// Who is named by what cannot be an address makes a row wrong, unless its expense has that
// person or owner already.
func TestImportsRefuseWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	i, db := opened(t, databaseURL)
	row := func(id, person, owner string) string {
		return expensefile.Columns + "\n" + id + ",2026-03-02,finance,\"" + person + "\",Lunch,Meals,12.50,,,\"" + owner + "\"\n"
	}
	lines := func(file string) []expense.LineError {
		t.Helper()
		id, err := i.Receive(t.Context(), hannah(), "file.csv", strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		p, err := i.Preview(t.Context(), subject, id)
		if err != nil {
			t.Fatal(err)
		}
		return p.Report.WrongLines
	}
	for _, wrong := range []string{"'@", "a@", "a,b@c", "<b@c>"} {
		shown := strings.TrimPrefix(wrong, "'")
		for name, file := range map[string]string{"person": row("", wrong, ""), "owner": row("", "Carol Lee", wrong)} {
			got := lines(file)
			if len(got) != 1 || got[0].Line != 2 || !strings.HasPrefix(got[0].Text, name+`: "`+shown+`" is not an email address: it `) {
				t.Errorf("%s %q: %+v", name, wrong, got)
			}
		}
	}
	received(t, i, row("", "Carol @ Work", "carol.lee@task-vantage.com"))

	e, _, err := db.Create(t.Context(), expense.Actor{Name: "Hannah"}, expense.Entry{Team: "finance", Date: expense.NewDate(2026, 3, 2), Person: "Bob", Item: "Lunch", Category: "Meals", Amount: 100}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.DB(t, databaseURL).Exec(`UPDATE people SET name = 'b@', key = 'b@', address = 'b@' WHERE name = 'Bob'`); err != nil {
		t.Fatal(err)
	}
	if p := received(t, i, exported(t, db)); p.Report.Unchanged != 1 {
		t.Errorf("%+v", p.Report)
	}
	if got := lines(row(e.ID, "c@", "")); len(got) != 1 {
		t.Errorf("with another person: %+v", got)
	}
}

// TestKillChild is the program that TestKilledWhileImporting kills: it works at what
// there is, and says that it has begun.
func TestKillChild(t *testing.T) {
	databaseURL := os.Getenv("KILL_CHILD_URL")
	if databaseURL == "" {
		t.Skip("started by TestKilledWhileImporting only")
	}
	i, db := opened(t, databaseURL)
	running(t, i)
	var last int64 = -1
	for {
		p, err := db.Import(t.Context(), subject, os.Getenv("KILL_CHILD_IMPORT"))
		if err == nil && p.Done != last {
			last = p.Done
			fmt.Println("batch", last)
		}
		time.Sleep(time.Millisecond)
	}
}

// killedAfter starts a program that works at an import, and kills it once it has
// told of so many batches.
func killedAfter(t *testing.T, databaseURL, id string, batches int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), "KILL_CHILD_URL="+databaseURL, "KILL_CHILD_IMPORT="+id)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for range batches {
		lines.Scan()
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the program ended with %v", err)
	}
}

// TestKilledWhileImporting kills a program while it imports and while it takes back,
// and wants another one to bring both to their end.
func TestKilledWhileImporting(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		i, db := opened(t, databaseURL)
		p := received(t, i, manyRows(600))
		if err := i.Confirm(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		killedAfter(t, databaseURL, p.ID, 4)
		half, err := i.Preview(t.Context(), subject, p.ID)
		if err != nil || half.State != imports.Running || half.Done == 0 {
			t.Fatalf("after the kill: %s, %d rows, %v", half.State, half.Done, err)
		}
		checkTotals(t, db, half.Result.New)
		stop := running(t, i)
		p = finished(t, i, p.ID)
		if p.State != imports.Done || p.Result.New != 600 {
			t.Errorf("%s, %+v", p.State, p.Result)
		}
		checkTotals(t, db, 600)
		stop()
		if err := i.Undo(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		killedAfter(t, databaseURL, p.ID, 4)
		running(t, i)
		if p = finished(t, i, p.ID); p.State != imports.Undone || p.Result.Kept != 0 {
			t.Errorf("%s, %+v", p.State, p.Result)
		}
		checkTotals(t, db, 0)
	})
}

// TestNextSize holds batches to the time that others may wait, and to few sizes.
func TestNextSize(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		took time.Duration
		want int
	}{
		{"in time", 200, batchTime, 200},
		{"too long", 200, 2 * batchTime, 100},
		{"much too long", 100, time.Minute, minBatch},
		{"quick", 100, batchTime / 10, 200},
		{"quick, and large enough", 800, batchTime / 10, maxBatch},
		{"no time at all", 25, 0, 50},
		{"a little longer", 200, batchTime * 11 / 10, 175},
		{"a little quicker", 200, batchTime * 9 / 10, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := nextSize(test.size, test.took); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
