package web

import (
	"testing"
	"time"
)

// An evening in Los Angeles is not tomorrow, wherever the program runs.
func TestTodayIsThatOfTheZone(t *testing.T) {
	at := time.Date(2026, time.December, 1, 4, 30, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"America/Los_Angeles": "2026-11-30", "UTC": "2026-12-01", "Pacific/Kiritimati": "2026-12-01", "Pacific/Pago_Pago": "2026-11-30",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		s := &Site{now: func() time.Time { return at }, zone: zone}
		if got := s.Today().String(); got != want {
			t.Errorf("in %s it is %s, want %s", name, got, want)
		}
	}
}
