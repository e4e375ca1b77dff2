package signin

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"expense-dashboard/internal/session"
)

func TestGivenForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		given := NewGiven()
		note := func(browser string) { given.Note(Login{Browser: browser}, session.Session{ID: browser}, time.Now()) }
		before := func(browser string) bool {
			now := time.Now()
			person := given.Before(Login{Browser: browser, Begun: now.Add(time.Second)}, now)
			return person != nil && person.ID == browser
		}
		kept := func() int {
			given.mu.Lock()
			defer given.mu.Unlock()
			return len(given.byBrowser)
		}
		note("a")
		time.Sleep(givenMemory / 2)
		note("b")
		time.Sleep(givenMemory/2 - time.Second)
		if !before("a") || !before("b") || before("c") {
			t.Errorf("within %s it is not known who was given a session", givenMemory)
		}
		note("b")
		time.Sleep(2 * time.Second)
		if before("a") || !before("b") || kept() != 1 {
			t.Errorf("after %s, though nobody came, %d sessions are kept", givenMemory, kept())
		}
		time.Sleep(givenMemory)
		for i := range maxGiven + 10 {
			note(fmt.Sprint(i))
		}
		if kept() != maxGiven {
			t.Errorf("%d are kept at once", kept())
		}
	})
}
