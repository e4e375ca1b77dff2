package expense

import "testing"

func TestProjected(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		month        string
		day          int
		soFar, spent Money
		want         Money
		known        bool
	}{
		{"after a third of the month", "2026-11", 11, 1100, 1100, 3000, true},
		{"at a third of it", "2026-11", 10, 1000, 1000, 0, false},
		{"on its last day", "2026-11", 30, 1000, 1000, 0, false},
		{"more is spent ahead already", "2026-11", 15, 1000, 9000, 9000, true},
		{"refunds only", "2026-11", 15, -1000, -1000, 0, false},
		{"a month that is over", "2026-10", 15, 1000, 1000, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := Budget{Month: test.month, Today: NewDate(2026, 11, test.day), Amount: 2000, SoFar: test.soFar, Spent: test.spent}
			if got, known := b.Projected(); got != test.want || known != test.known {
				t.Errorf("%d, %v", got, known)
			}
		})
	}
}
