package expense

import "testing"

// TestWasLoggedAs compares a form that comes a second time with what became of the
// first.
func TestWasLoggedAs(t *testing.T) {
	entry := Entry{Team: "finance", Date: NewDate(2026, 3, 2), Person: "Alice", Item: "Taxi", Category: "Travel", Amount: 1250}
	noted := entry
	noted.Note = "from the airport"
	_, approved := Expense{Entry: entry, Status: StatusLogged}.Decided(StatusApproved, "")
	_, back := Expense{Entry: entry, Status: StatusApproved}.Decided(StatusSentBack, "No receipt")
	changed := Event{Action: ActionChanged, Changes: entry.Diff(noted, Dollars())}
	created := Event{Action: ActionCreated}
	for _, test := range []struct {
		name    string
		now     Entry
		history []Event
		sent    Entry
		want    bool
	}{
		{"untouched", entry, []Event{created}, entry, true},
		{"something else", entry, []Event{created}, noted, false},
		{"changed since", noted, []Event{changed, created}, entry, true},
		{"as it is now, but was not logged", noted, []Event{changed, created}, noted, false},
		{"approved since", entry, []Event{{Action: ActionApproved, Changes: approved}, created}, entry, true},
		{"sent back and changed since", noted, []Event{changed, {Action: ActionSentBack, Changes: back}, {Action: ActionApproved, Changes: approved}, created}, entry, true},
	} {
		d := Detail{Expense: Expense{Entry: test.now}, History: test.history}
		if got := d.WasLoggedAs(test.sent, Dollars()); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
