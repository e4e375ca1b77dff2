package signin

import (
	"fmt"
	"testing"
	"time"

	"expense-dashboard/internal/session"
)

func TestGivenForgets(t *testing.T) {
	t.Parallel()
	given, now := NewGiven(), time.Unix(1_800_000_000, 0)
	note := func(browser string) { given.Note(Login{Browser: browser}, session.Session{ID: browser}, now) }
	before := func(browser string) bool {
		person := given.Before(Login{Browser: browser, Begun: now.Add(time.Second)}, now)
		return person != nil && person.ID == browser
	}
	note("a")
	now = now.Add(givenMemory)
	if note("b"); !before("a") || !before("b") || before("c") {
		t.Errorf("within %s it is not known who was given a session", givenMemory)
	}
	now = now.Add(time.Second)
	if note("c"); before("a") || len(given.byBrowser) != 2 {
		t.Errorf("after %s the session is still there: %d are kept", givenMemory, len(given.byBrowser))
	}
	for i := range maxGiven + 10 {
		note(fmt.Sprint(i))
	}
	if len(given.byBrowser) != maxGiven {
		t.Errorf("%d are kept at once", len(given.byBrowser))
	}
}
