package expensefile

import (
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
)

func TestWriteActivity(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := WriteActivity(&b, func(yield func(expense.Activity) error) error {
		return yield(expense.Activity{
			Event: expense.Event{
				At: time.Date(2026, 11, 3, 9, 30, 0, 5_000_000, time.UTC), Actor: expense.Actor{Address: "ann@example.com", Name: "Ann"},
				Action: "changed", Changes: []expense.Change{{Field: "item", Old: "=1+1", New: "Taxi"}, {Field: "note", Old: "one\ntwo\r", New: ""}},
			},
			Expense: "abc", Team: "hr", Item: "=cmd",
		})
	})
	want := "at,actor,kind,team,expense,item,changes\r\n" +
		"2026-11-03T09:30:00.005Z,ann@example.com,changed,hr,abc,'=cmd,\"item: =1+1 → Taxi; note: one\ntwo\r → \"\r\n"
	if err != nil || b.String() != want {
		t.Errorf("%q, %v; want %q", b.String(), err, want)
	}
}
