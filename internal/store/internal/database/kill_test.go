package database_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

// TestKillChild is the program that TestKilledWhileWriting kills: it writes
// until then, and says of each write that it was acknowledged.
func TestKillChild(t *testing.T) {
	databaseURL := os.Getenv("KILL_CHILD_URL")
	if databaseURL == "" {
		t.Skip("started by TestKilledWhileWriting only")
	}
	s := fixture.Started(t, databaseURL)
	for range 4 {
		go func() {
			last := ""
			for {
				e, _, err := s.Create(t.Context(), fixture.Alice, fixture.Lunch(), expense.NewID())
				if err != nil {
					fmt.Println("error", err)
					continue
				}
				fmt.Println("acknowledged", e.ID, 1)
				entry := e.Entry
				entry.Note = "changed"
				if _, err := s.Update(t.Context(), fixture.Alice, e.ID, 1, entry); err != nil {
					continue
				}
				fmt.Println("acknowledged", e.ID, 2)
				if _, err := s.Approve(t.Context(), fixture.Bob, e.ID, 2); err != nil {
					continue
				}
				fmt.Println("acknowledged", e.ID, 3)
				if last == "" {
					last = e.ID
					continue
				}
				both := expense.Selection{Action: expense.SelectedMove, Value: "hr", Expenses: []expense.Seen{{ID: last, Version: 3}, {ID: e.ID, Version: 3}}}
				if _, err := s.ChangeSelected(t.Context(), fixture.Dana, both, expense.NewID()); err == nil {
					fmt.Println("acknowledged", last, 4)
					fmt.Println("acknowledged", e.ID, 4)
				}
				last = ""
			}
		}()
	}
	select {}
}

// TestKilledWhileWriting kills a program many times over while it writes, and
// wants each write that was acknowledged to be there once with its history, and
// each expense that is there to have the history of each of its versions. Of what is
// done to two at once there is all or nothing.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		acknowledged := map[string]int64{}
		for kill := range 8 {
			writeUntilKilled(t, databaseURL, 20+10*kill, acknowledged)
		}
		s := fixture.Started(t, databaseURL)
		there := map[string]int64{}
		err := s.Each(t.Context(), expense.Query{}, func(e expense.Expense) error {
			there[e.ID] = e.Version
			if approved := e.Status == expense.StatusApproved; approved != (e.Version == 3) {
				t.Errorf("version %d is %s", e.Version, e.Status)
			}
			if got := fixture.Actions(t, s, e.ID); got != [...]string{"created", "changed created", "approved changed created", "changed approved changed created"}[e.Version-1] {
				t.Errorf("version %d has the history %q", e.Version, got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for id, version := range acknowledged {
			if there[id] < version {
				t.Errorf("version %d of %s was acknowledged, and %d is there", version, id, there[id])
			}
		}
		var halves, orphans int
		const half = `SELECT COUNT(*) FROM (SELECT b.id FROM batches AS b LEFT JOIN batch_expenses AS x ON x.batch = b.id
			LEFT JOIN expenses AS e ON e.id = x.expense AND e.version = x.version AND e.team = 'hr' GROUP BY b.id HAVING COUNT(e.id) <> 2) AS halves`
		if err := s.DB.Read().QueryRow(half).Scan(&halves); err != nil || halves != 0 {
			t.Errorf("%d times one of two, %v", halves, err)
		}
		const text = `SELECT COUNT(*) FROM history WHERE expense NOT IN (SELECT id FROM expenses)`
		if err := s.DB.Read().QueryRow(text).Scan(&orphans); err != nil || orphans != 0 {
			t.Errorf("%d history rows without an expense, %v", orphans, err)
		}
		// A write may be done and its word not yet out: one for each writer and kill.
		if extra := len(there) - len(acknowledged); extra < 0 || extra > 8*4 {
			t.Errorf("%d expenses, %d acknowledged", len(there), len(acknowledged))
		}
	})
}

// writeUntilKilled starts a program that writes and kills it after a number of
// writes, which it adds to those acknowledged.
func writeUntilKilled(t *testing.T, databaseURL string, writes int, acknowledged map[string]int64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), "KILL_CHILD_URL="+databaseURL)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		var (
			id      string
			version int64
		)
		if _, err := fmt.Sscanf(lines.Text(), "acknowledged %s %d", &id, &version); err != nil {
			t.Errorf("the program says %q", lines.Text())
			continue
		}
		acknowledged[id] = max(acknowledged[id], version)
		if writes--; writes == 0 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") || writes > 0 {
		t.Errorf("the program ended with %v, %d writes early", err, writes)
	}
}
