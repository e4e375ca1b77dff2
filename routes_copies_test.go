package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store/revision"
	"expense-dashboard/internal/storetest"
)

// startCopies serves a number of copies of the site on one database, behind a
// proxy that gives each request to the next one.
func startCopies(t *testing.T, databaseURL string, count int) (*rig, []*app) {
	t.Helper()
	return startCopiesOf(t, databaseURL, count, setup{})
}

// startCopiesOf is startCopies with what a test changes of the usual ones.
func startCopiesOf(t *testing.T, databaseURL string, count int, of setup) (*rig, []*app) {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	r := newRig(t, "http://"+front.Listener.Addr().String(), of)
	r.Database = databaseURL
	var (
		sites   []*app
		proxies []http.Handler
		turn    atomic.Uint64
	)
	for range count {
		s := r.copy(t, of)
		server := httptest.NewServer(s.routes())
		t.Cleanup(server.Close)
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.Transport = server.Client().Transport
		sites, proxies = append(sites, s), append(proxies, proxy)
	}
	front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[turn.Add(1)%uint64(count)].ServeHTTP(w, r)
	})
	front.Start()
	t.Cleanup(front.Close)
	return r, sites
}

// startForgetful serves one more copy, at an address of its own, that keeps no
// rendered page.
func startForgetful(t *testing.T, r *rig) (*app, string) {
	t.Helper()
	s := r.copy(t, setup{forgetful: true})
	server := httptest.NewServer(s.routes())
	t.Cleanup(server.Close)
	return s, server.URL
}

// TestCopiesAgree lets people of several teams write and read at once, on one
// copy of the program and on two behind a proxy that lets them take turns.
// Whoever has written sees it from then on, whichever copy answers, everybody
// sees it soon, and nobody sees another team's.
func TestCopiesAgree(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		for _, count := range []int{1, 2} {
			t.Run(fmt.Sprintf("copies=%d", count), func(t *testing.T) {
				r, _ := startCopies(t, databaseURL, count)
				var people sync.WaitGroup
				for team, address := range map[string]string{"finance": finance, "marketing": marketing, "hr": hr, "legal": legal} {
					for desk := range 2 {
						b, colleague := r.Browser(), r.Browser()
						b.SignIn(address)
						colleague.SignIn(address)
						mark := fmt.Sprintf("%s-%d-%d", team, count, desk)
						people.Go(func() { workOn(b, colleague, team, mark, count == 1) })
					}
				}
				boss := r.Browser()
				boss.SignIn(admin)
				people.Go(func() { watchTotals(boss) })
				people.Wait()
				_, forgetful := startForgetful(t, r)
				checkCachedPages(t, boss, count, forgetful)
			})
		}
	})
}

// workOn logs expenses, and after each its writer looks at the team's page again
// and again. A colleague sees it too: at once where there is one copy, and else
// when what the other copies know of it is too old to count.
func workOn(b, colleague *browser, team, mark string, atOnce bool) {
	page := "/team/" + team + "?q=" + url.QueryEscape(mark)
	for i := range writesOfEach {
		item := fmt.Sprintf("Item %s number %d.", mark, i)
		logged := b.Post("/team/"+team+"/expenses", url.Values{
			"date": {time.Now().Format(time.DateOnly)}, "item": {item}, "category": {"Race"}, "amount": {"1.25"},
		})
		if logged.Status != http.StatusSeeOther {
			b.T.Errorf("logging %s = %d: %s", item, logged.Status, logged.Text())
			return
		}
		if atOnce {
			checkTeamPage(colleague, page, team, item)
		}
		for range 5 {
			checkTeamPage(b, page, team, item)
		}
		time.Sleep(revision.Age)
		checkTeamPage(colleague, page, team, item)
	}
}

const writesOfEach = 6

// checkTeamPage looks at a page of a team, which must show an item and nothing of
// another team, and at the pages of the other teams, which must not be shown.
func checkTeamPage(b *browser, page, team, item string) {
	got := b.Get(page)
	if got.Status != http.StatusOK || !strings.Contains(got.Body, item) {
		b.T.Errorf("%s is not on the page: %d", item, got.Status)
	}
	for _, other := range []string{"finance", "marketing", "hr", "legal"} {
		if other == team {
			continue
		}
		if strings.Contains(got.Body, "Item "+other+"-") {
			b.T.Errorf("the page of %s shows an item of %s", team, other)
		}
		if b.Get("/team/"+other).Status != http.StatusNotFound {
			b.T.Errorf("a member of %s sees the page of %s", team, other)
		}
	}
}

// watchTotals reads the administrator's pages while others write.
func watchTotals(b *browser) {
	for range 20 {
		for _, target := range []string{"/dashboard", "/expenses", "/team/hr"} {
			if page := b.Get(target); page.Status != http.StatusOK {
				b.T.Errorf("%s = %d", target, page.Status)
			}
		}
	}
}

// checkCachedPages compares what each copy has kept with what the one at the
// address forgetful shows, which keeps nothing.
func checkCachedPages(t *testing.T, b *browser, copies int, forgetful string) {
	t.Helper()
	time.Sleep(revision.Age)
	var targets []string
	for _, team := range []string{"finance", "marketing", "hr", "legal"} {
		targets = append(targets, "/team/"+team, "/team/"+team+"?sort=amount&order=desc", "/team/"+team+"?category=race")
	}
	targets = append(targets, "/dashboard", "/expenses", "/expenses?q=number+3.", "/")
	kept := map[string]string{}
	for range copies + 1 {
		for _, target := range targets {
			kept[target] = b.Get(target).Body
		}
	}
	for _, target := range targets {
		if fresh := b.Get(forgetful + target).Body; fresh != kept[target] {
			t.Errorf("%s: what was kept differs from what is made anew", target)
		}
	}
}

// TestCopiesAgreeOnSessions signs in at one copy, works on another and signs out
// at either: the session is dead on both.
func TestCopiesAgreeOnSessions(t *testing.T) {
	t.Parallel()
	r, _ := startCopies(t, storetest.Postgres(t), 2)
	b := r.Browser()
	b.SignIn(finance)
	for range 4 {
		b.Get("/team/finance").Check(t, http.StatusOK, "Finance")
	}
	thief := r.Browser()
	for name, value := range b.Cookies() {
		thief.SetCookie(name, value)
	}
	thief.Get("/dashboard").Check(t, http.StatusOK)
	b.Post("/logout", nil)
	time.Sleep(session.EndedWindow)
	for range 4 {
		if answer := thief.Get("/dashboard"); answer.Status != http.StatusSeeOther {
			t.Errorf("a copy takes the session that was ended: %d", answer.Status)
		}
	}
}

// TestTeamsWithoutExpenses looks at teams of which nothing but the name differs:
// what is kept of one must not stand for another.
func TestTeamsWithoutExpenses(t *testing.T) {
	t.Parallel()
	b := startSite(t, setup{env: map[string]string{"SAMPLE_DATA": "false"}}).Browser()
	b.SignIn(admin)
	for range 2 {
		b.Get("/team/finance").Check(t, http.StatusOK, "<h1>Finance</h1>", "Finance spends")
		b.Get("/team/legal").Check(t, http.StatusOK, "<h1>Legal</h1>", "Legal spends", "!Finance")
	}
}
