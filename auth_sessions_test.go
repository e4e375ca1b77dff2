package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/config"
	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/session"
	storepkg "expense-dashboard/internal/store"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/storetest"
	"expense-dashboard/internal/team"
)

// startCopy starts another copy of the program's site beside r, with the same
// base URL, database and provider. Cookies are good for both, and a browser
// goes to the copy where its home is the copy's.
func startCopy(t *testing.T, r *rig, s setup) *rig {
	t.Helper()
	cfg, err := config.Load(r.variables(s).Get)
	if err != nil {
		t.Fatal(err)
	}
	log := &apptest.Buffer{}
	logger := logging.New(cfg.LogFormat, cfg.LogLevel, log)
	directory, err := team.Open(cfg.TeamsFile, logger)
	if err != nil {
		t.Fatal(err)
	}
	store, err := storepkg.Open(cfg.DatabaseURL, logger, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Start(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	again := &rig{Rig: &apptest.Rig{T: t, Provider: r.Provider, Transport: r.Transport, Log: log, Database: r.Database}}
	p := parts{directory: directory, store: store, log: logger, stopping: func() bool { return false }, now: time.Now}
	if s.clock != nil {
		p.now = s.clock.Now
	}
	if again.site, err = newSite(cfg, p); err != nil {
		t.Fatal(err)
	}
	if err := again.site.signIn.client.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(again.site.routes())
	t.Cleanup(server.Close)
	again.BaseURL = server.URL
	return again
}

// sessionID is the public name of the browser's session.
func sessionID(t *testing.T, r *rig, b *browser) string {
	t.Helper()
	request := httptest.NewRequest("GET", "/", nil)
	for name, value := range b.Cookies() {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	person := r.site.sessions.Read(request)
	if person == nil {
		t.Fatal("the browser has no session")
	}
	return digest.Of(person.ID)
}

func TestReplayedCookieIsDeadOnEveryCopy(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s := setup{env: map[string]string{"DATABASE_URL": databaseURL}}
		r := startSite(t, s)
		other := startCopy(t, r, s)
		b, bystander := r.Browser(), r.Browser()
		b.SignIn(finance)
		bystander.SignIn(finance)
		thief := r.Twin(b)
		if !r.IsSignedIn(thief) || !other.IsSignedIn(thief) {
			t.Fatal("the cookie is no good before it is replayed")
		}
		b.Post("/logout", nil).Check(t, http.StatusOK)
		if r.IsSignedIn(r.Twin(thief)) {
			t.Error("the cookie is good where it was ended")
		}
		time.Sleep(session.EndedWindow)
		page := thief.Get(other.BaseURL + "/dashboard")
		page.Check(t, http.StatusSeeOther)
		// The answer may come later than one that brings another session.
		if set := page.Header.Values("Set-Cookie"); len(set) > 0 {
			t.Errorf("a refusal sets cookies: %q", set)
		}
		thief.Get(other.BaseURL+"/profile", "Accept", "application/json").Check(t, http.StatusUnauthorized)
		if restarted := startCopy(t, r, s); restarted.IsSignedIn(thief) {
			t.Error("the cookie is good again after a restart")
		} else if !restarted.IsSignedIn(bystander) || !r.IsSignedIn(bystander) || !other.IsSignedIn(bystander) {
			t.Error("another session of the same person has ended too")
		}
	})
}

// What ends which sessions: of two browsers of one person and one of another's.
func TestWhatEndsWhichSessions(t *testing.T) {
	t.Parallel()
	type situation struct {
		r                         *rig
		desk, phone, other, admin *browser
	}
	answers := func(status int, err error, want int) error {
		if err == nil && status != want {
			err = fmt.Errorf("status %d, want %d", status, want)
		}
		return err
	}
	subject := apptest.SubjectOf(t, finance)
	tests := []struct {
		name               string
		end                func(s situation) error
		desk, phone, other bool // who is still signed in
	}{
		{"sign-out", func(s situation) error { return answers(s.phone.Post("/logout", nil).Status, nil, 200) }, true, false, true},
		{"own other session", func(s situation) error {
			return answers(s.desk.Post("/profile/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 303)
		}, true, false, true},
		{"own other sessions", func(s situation) error {
			return answers(s.desk.Post("/profile/sessions/end-others", nil).Status, nil, 303)
		}, true, false, true},
		{"somebody else's by the profile", func(s situation) error {
			return answers(s.other.Post("/profile/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 404)
		}, true, true, true},
		{"one by an administrator", func(s situation) error {
			return answers(s.admin.Post("/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 303)
		}, true, false, true},
		{"all by an administrator", func(s situation) error {
			return answers(s.admin.Post("/sessions/end", url.Values{"sub": {subject}}).Status, nil, 303)
		}, false, false, true},
		{"one by somebody who is none", func(s situation) error {
			return answers(s.other.Post("/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 404)
		}, true, true, true},
		{"all by somebody who is none", func(s situation) error {
			return answers(s.other.Post("/sessions/end", url.Values{"sub": {subject}}).Status, nil, 404)
		}, true, true, true},
		{"nobody by an administrator", func(s situation) error {
			return answers(s.admin.Post("/sessions/end", url.Values{"sub": {""}}).Status, nil, 404)
		}, true, true, true},
		{"by another site", func(s situation) error {
			return answers(s.desk.Post("/profile/sessions/end-others", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").Status, nil, 403)
		}, true, true, true},
		{"back-channel logout of a session", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, "", providerSID(t, s.r, s.phone))
			return answers(answer.Status, err, 200)
		}, true, false, true},
		{"back-channel logout of a person's session", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, subject, providerSID(t, s.r, s.phone))
			return answers(answer.Status, err, 200)
		}, true, false, true},
		{"back-channel logout of a person", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, subject, "")
			return answers(answer.Status, err, 200)
		}, false, false, true},
		{"back-channel logout of nobody here", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, "nobody", "nothing")
			return answers(answer.Status, err, 200)
		}, true, true, true},
		{"universal logout by address", func(s situation) error {
			answer, err := s.r.Provider.GlobalTokenRevocation(s.r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": "Carol.Lee@task-vantage.COM"})
			return answers(answer.Status, err, 204)
		}, false, false, true},
		{"universal logout by subject", func(s situation) error {
			answer, err := s.r.Provider.GlobalTokenRevocation(s.r.BaseURL+universalLogoutPath, map[string]any{"format": "iss_sub", "iss": s.r.Provider.Issuer(), "sub": subject})
			return answers(answer.Status, err, 204)
		}, false, false, true},
		{"universal logout of nobody here", func(s situation) error {
			answer, err := s.r.Provider.GlobalTokenRevocation(s.r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": "nobody@example.com"})
			return answers(answer.Status, err, 404)
		}, true, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock, env: logoutEnv()})
			s := situation{r, r.Browser(), r.Browser(), r.Browser(), r.Browser()}
			for b, email := range map[*browser]string{s.desk: finance, s.phone: finance, s.other: hr, s.admin: admin} {
				b.SignIn(email)
			}
			clock.Advance(time.Second)
			if err := test.end(s); err != nil {
				t.Fatal(err)
			}
			for who, b := range map[string]*browser{"desk": s.desk, "phone": s.phone, "other": s.other} {
				if got, want := r.IsSignedIn(b), map[string]bool{"desk": test.desk, "phone": test.phone, "other": test.other}[who]; got != want {
					t.Errorf("%s is signed in: %v, want %v", who, got, want)
				}
			}
			// Whoever was signed out may come back.
			clock.Advance(time.Second)
			s.phone.Visit("/team/finance").Check(t, http.StatusOK)
			again := r.Browser()
			again.SignIn(finance)
			if !r.IsSignedIn(again) {
				t.Error("nobody can sign in again")
			}
		})
	}
}

func logoutEnv() map[string]string {
	return map[string]string{"BACKCHANNEL_LOGOUT": "true", "UNIVERSAL_LOGOUT": "true"}
}

// providerSID is the sid of the ID Token that the browser's session came from.
func providerSID(t *testing.T, r *rig, b *browser) string {
	t.Helper()
	found, err := r.site.store.Sessions(t.Context(), sessions.Query{IDHash: sessionID(t, r, b), Limit: 1}, r.site.signIn.now())
	if err != nil || len(found) != 1 || found[0].ProviderSID == "" {
		t.Fatalf("the session's record is %+v, %v", found, err)
	}
	return found[0].ProviderSID
}

func TestSigningInAgainReplacesTheBrowsersSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	before := r.Twin(b)
	b.Visit("/login").Check(t, http.StatusOK)
	if !r.IsSignedIn(b) || r.IsSignedIn(before) {
		t.Error("the session before is still good, or the new one is not")
	}
	if found := listed(t, r); len(found) != 1 {
		t.Errorf("%d sessions are listed, want 1", len(found))
	}
}

func listed(t *testing.T, r *rig) []sessions.Record {
	t.Helper()
	found, err := r.site.store.Sessions(t.Context(), sessions.Query{Limit: 1000}, r.site.signIn.now())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// When the database is away nobody new comes in, and everybody else stays as
// they are: those signed in as well as those signed out.
func TestSessionsWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	other := startCopy(t, r, setup{})
	stays, leaves, left, comes := r.Browser(), r.Browser(), r.Browser(), r.Browser()
	for _, b := range []*browser{stays, leaves, left} {
		b.SignIn(finance)
	}
	dead := r.Twin(left)
	left.Post("/logout", nil)
	callback := comes.BeginSignIn(finance)
	thief := r.Twin(leaves)

	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	refused := comes.Get(callback.String())
	refused.Check(t, http.StatusServiceUnavailable, "cannot be recorded")
	if _, has := comes.Cookies()["expense_session"]; has || refused.Header.Get("Retry-After") == "" {
		t.Errorf("a session began, or nobody is told to wait: %v", refused.Header)
	}
	time.Sleep(session.EndedWindow)
	if !r.IsSignedIn(stays) || r.IsSignedIn(dead) {
		t.Error("somebody signed in is not, or somebody signed out is")
	}
	stays.Get("/profile").Check(t, http.StatusOK, "Carol Lee")
	leaves.Post("/logout", nil).Check(t, http.StatusOK)
	if r.IsSignedIn(leaves) || r.IsSignedIn(r.Twin(thief)) {
		t.Error("sign-out does not work")
	}
	log := r.Log.String()
	if !strings.Contains(log, "not recorded yet") || strings.Count(log, "not refreshed") != 1 {
		t.Error("the log does not tell it, or tells it again and again")
	}

	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	time.Sleep(session.EndedWindow)
	for range 2 {
		// The first request may be the one that finds the database back.
		r.IsSignedIn(stays)
		time.Sleep(session.EndedWindow)
	}
	if other.IsSignedIn(thief) {
		t.Error("the other copy was never told of the sign-out")
	}
	comes.Visit("/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

// Before the database has ever answered nobody knows who has ended their session.
func TestStartWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	again := startCopy(t, r, setup{})
	page := b.Get(again.BaseURL + "/dashboard")
	page.Check(t, http.StatusServiceUnavailable, "!Carol")
	b.Get(again.BaseURL+"/").Check(t, http.StatusOK, "!Carol")
	if _, kept := b.Cookies()["expense_session"]; !kept {
		t.Error("the session's cookie is taken away")
	}
}

// A session's end is fixed when it begins: an ending may be forgotten then.
func TestLongerMaxAgeRevivesNothing(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	short := setup{clock: clock, env: map[string]string{"SESSION_MAX_AGE": "1h", "SESSION_IDLE_TIMEOUT": "100h"}}
	long := setup{clock: clock, env: map[string]string{"SESSION_MAX_AGE": "100h", "SESSION_IDLE_TIMEOUT": "100h"}}
	r := startSite(t, short)
	b := r.Browser()
	b.SignIn(finance)
	longer := startCopy(t, r, long)
	clock.Advance(time.Hour - time.Second)
	if !longer.IsSignedIn(b) {
		t.Error("the session ends early")
	}
	clock.Advance(time.Second)
	if longer.IsSignedIn(b) {
		t.Error("the session lives on")
	}
}

// Within endedWindow requests ask the database nothing, and where one has to,
// the others wait for its answer and ask nothing themselves.
func TestEndedSessionsCostFewQueries(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	records := r.site.sessions.Records()
	set := func(asked time.Time, asking chan struct{}) {
		records.Mu.Lock()
		defer records.Mu.Unlock()
		records.Asked, records.Asking = asked, asking
	}
	set(time.Now().Add(time.Hour), nil)
	// Whoever asks from here on finds out.
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		b.Get("/").Check(t, http.StatusOK, "Carol Lee")
	}
	asking := make(chan struct{})
	set(time.Time{}, asking)
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() { records.Refresh(t.Context()) })
	}
	close(asking)
	together.Wait()
	records.Mu.Lock()
	defer records.Mu.Unlock()
	if records.Failing || records.Asking != asking {
		t.Error("the database was asked")
	}
}

func TestSessionPages(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	desk, phone, boss := r.Browser(), r.Browser(), r.Browser()
	desk.SignIn(finance)
	callback := phone.BeginSignIn(finance)
	phone.Get(callback.String(), "User-Agent", "Mozilla/5.0 (iPhone; <script>alert(1)</script>) Safari/604.1")
	boss.SignIn(admin)
	own := `action="/profile/sessions/` + sessionID(t, r, desk) + `/end"`
	others := `action="/profile/sessions/` + sessionID(t, r, phone) + `/end"`
	desk.Get("/profile").Check(t, http.StatusOK, "Where you are signed in", "Safari on iPhone", "This one", "last used", "End all others", others, "!"+own, "!alert(1)", "!/sessions\"")
	boss.Get("/profile").Check(t, http.StatusOK, `href="/sessions"`, "!"+others)
	boss.Get("/sessions").Check(t, http.StatusOK, "Carol Lee", finance, "Hannah Smith", "Safari on iPhone", "!alert(1)", "This one")
	boss.Get("/sessions?q=CAROL").Check(t, http.StatusOK, finance, "!"+admin, "Last used", "!Not known")
	boss.Get("/sessions?q=%25").Check(t, http.StatusOK, "Nobody with such an address is signed in.")
	boss.Get("/sessions?q=%22%3E%3Cscript%3E").Check(t, http.StatusOK, "!<script>")
	for _, after := range []string{"x", "1", "1.x", ".", "1." + strings.Repeat("G", 64)} {
		boss.Get("/sessions?after="+url.QueryEscape(after)).Check(t, http.StatusBadRequest)
	}
	for _, test := range []struct {
		path     string
		statuses [3]int // of an anonymous visitor, a member, an administrator
	}{
		{"/sessions", [3]int{303, 404, 200}},
		{"/sessions/end", [3]int{303, 303, 303}}, // to the page of its form
	} {
		for i, b := range []*browser{r.Browser(), desk, boss} {
			b.Get(test.path).Check(t, test.statuses[i])
		}
	}
	told := desk.Follow(desk.Post("/profile/sessions/"+sessionID(t, r, phone)+"/end", nil))
	told.Check(t, http.StatusOK, "Ended the session of Carol Lee: Safari on iPhone.", "!"+others, "!End all others")
	desk.Get("/profile").Check(t, http.StatusOK, "!Ended the session")
	desk.Post("/profile/sessions/"+strings.Repeat("a", 64)+"/end", nil).Check(t, http.StatusNotFound)
	boss.Follow(boss.Post("/sessions/end", url.Values{"sub": {apptest.SubjectOf(t, finance)}, "q": {"carol lee"}})).Check(t, http.StatusOK, "Ended all sessions of Carol Lee.", `value="carol lee"`, "!"+finance)
}

// What a copy of the program knows of the use of sessions outlives it, and no request
// writes it.
func TestLastUseOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock})
	desk := r.Browser()
	desk.SignIn(finance)
	signedIn := clock.Now()
	clock.Advance(20 * time.Minute)
	desk.Get("/dashboard").Check(t, http.StatusOK)
	lastUsed := func() time.Time {
		found, err := r.site.store.Sessions(t.Context(), sessions.Query{Limit: 2}, clock.Now())
		if err != nil || len(found) != 1 {
			t.Fatalf("%d sessions, %v", len(found), err)
		}
		return found[0].LastUsed
	}
	if got := lastUsed(); got.After(signedIn) {
		t.Errorf("a request has written when it came: %v", got)
	}
	stopping, stop := context.WithCancel(t.Context())
	wait := r.site.keepUp(stopping)
	stop()
	clock.Advance(time.Minute)
	desk.Get("/dashboard").Check(t, http.StatusOK)
	wait()
	if got := lastUsed(); got.Before(signedIn.Add(21 * time.Minute)) {
		t.Errorf("last used %v after the end, want the request while it stopped", got)
	}
}

// Whoever has to sign in before ending a session comes back to the list.
func TestEndingASessionAfterSigningInAgain(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	for target, page := range map[string]string{
		"/profile/sessions/end-others": "/profile", "/profile/sessions/x/end": "/profile", "/sessions/x/end": "/sessions", "/sessions/end": "/sessions",
	} {
		want := r.BaseURL + "/login?return_to=" + url.QueryEscape(page)
		if got := r.Browser().Post(target, nil).Location(); got != want {
			t.Errorf("%s leads to %s, want %s", target, got, want)
		}
	}
}

func TestManySessionsArePagedThrough(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startSite(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		boss := r.Browser()
		boss.SignIn(admin)
		const people = 2*sessions.PageSize + 30
		for i := range people {
			record := sessions.Record{
				IDHash: digest.Of(fmt.Sprint(i)), Subject: fmt.Sprint("sub", i), Address: fmt.Sprintf("person-%03d@example.com", i), Name: fmt.Sprint("Person ", i),
				SignedInAt: time.Now().Add(-time.Duration(i/3) * time.Second), ExpiresAt: time.Now().Add(time.Hour),
			}
			if err := r.site.store.AddSession(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		seen, pages := map[string]int{}, 0
		for target := "/sessions?q=PERSON-"; target != ""; pages++ {
			page := boss.Get(target)
			page.Check(t, http.StatusOK)
			for i := range people {
				seen[fmt.Sprint(i)] += strings.Count(page.Body, fmt.Sprintf("person-%03d@example.com", i))
			}
			_, next, _ := strings.Cut(page.Body, `<p><a href="`)
			next, _, more := strings.Cut(next, `">Next page`)
			if target = ""; more {
				target = strings.ReplaceAll(next, "&amp;", "&")
			}
		}
		for i := range people {
			if seen[fmt.Sprint(i)] != 1 {
				t.Errorf("person %d is listed %d times", i, seen[fmt.Sprint(i)])
			}
		}
		if pages != 3 {
			t.Errorf("%d pages, want 3", pages)
		}
	})
}

// End all others ends all of them, however many there are.
func TestEndAllOthersOfVeryMany(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for i := range 2*sessions.PageSize + 1 {
		record := sessions.Record{
			IDHash: digest.Of(fmt.Sprint(i)), Subject: apptest.SubjectOf(t, finance), Address: finance, Name: "Carol Lee",
			SignedInAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		}
		if err := r.site.store.AddSession(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	b.Follow(b.Post("/profile/sessions/end-others", nil)).Check(t, http.StatusOK, "Ended 201 other sessions.")
	if found := listed(t, r); len(found) != 1 || found[0].IDHash != sessionID(t, r, b) {
		t.Errorf("%d sessions are left", len(found))
	}
}

// What a browser says of itself is kept within bounds and as valid text.
func TestOddUserAgents(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startSite(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		for _, userAgent := range []string{"\xff\xfe\xc3", strings.Repeat("ä", 5000), strings.Repeat("\xff", 1000), "\t'; DROP TABLE sessions; --"} {
			b := r.Browser()
			callback := b.BeginSignIn(finance)
			b.Get(callback.String(), "User-Agent", userAgent).Check(t, http.StatusSeeOther)
		}
		for _, record := range listed(t, r) {
			if length := len([]rune(record.UserAgent)); length > session.MaxUserAgent || length == 0 {
				t.Errorf("a browser's name of %d characters is kept", length)
			}
		}
	})
}

// A database has no session's ID, so that who reads it can be nobody.
func TestTheDatabaseHoldsNoSecret(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	values := slices.Collect(maps.Values(b.Cookies()))
	if err := r.site.store.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(strings.TrimPrefix(r.Database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		if strings.Contains(string(data), value) {
			t.Error("the database holds a cookie")
		}
	}
	request := httptest.NewRequest("GET", "/", nil)
	for name, value := range b.Cookies() {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if person := r.site.sessions.Read(request); strings.Contains(string(data), person.ID) || !strings.Contains(string(data), digest.Of(person.ID)) {
		t.Error("the database holds the session's ID, or not its hash")
	}
}
