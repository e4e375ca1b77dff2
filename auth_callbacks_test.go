package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/signin"
)

// The same callback many times at once is one sign-in: one token request, one
// session, and the same answer for everyone.
func TestCallbackManyTimesAtOnceIsOneSignIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		faults   devidp.Faults
		status   int
		sessions int
	}{
		{"success", devidp.Faults{}, http.StatusSeeOther, 1},
		{"refusal", answerWith("token", 400, `{"error":"invalid_grant"}`), http.StatusBadRequest, 0},
		{"fault of the provider", answerWith("token", 500, ""), http.StatusServiceUnavailable, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			b := r.Browser()
			callback := b.BeginSignIn(finance)
			r.Provider.SetFaults(test.faults)
			var together sync.WaitGroup
			tabs := make([]*browser, 8)
			pages := make([]*reply, len(tabs))
			for i := range tabs {
				tabs[i] = r.Twin(b)
				together.Go(func() { pages[i] = tabs[i].Get(callback.String()) })
			}
			together.Wait()
			if got := r.Provider.Count("token"); got != 1 {
				t.Errorf("%d token requests for one code, want 1", got)
			}
			ids := map[string]bool{}
			for i, page := range pages {
				if page.Check(t, test.status); test.sessions == 1 {
					ids[sessionID(t, r, tabs[i])] = true
					tabs[i].Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
				}
			}
			if found := listed(t, r); len(ids) != test.sessions || len(found) != test.sessions {
				t.Errorf("%d sessions were given and %d recorded, want %d", len(ids), len(found), test.sessions)
			}
			for event, want := range map[string]int{"event=sign_in ": test.sessions} {
				if got := strings.Count(r.Log.String(), event); got != want {
					t.Errorf("%d lines with %s, want %d", got, event, want)
				}
			}
		})
	}
}

// The sign-in goes on when the browser that began it goes away, for those who
// wait for the same.
func TestFirstCallbackGoesAway(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	arrived, release := make(chan struct{}), make(chan struct{})
	r.Provider.SetFaults(devidp.Faults{Token: func(map[string]any) { close(arrived); <-release }})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, callback.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	first := r.Twin(b)
	go func() {
		response, err := first.Client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		gone <- err
	}()
	<-arrived
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("the first browser got %v", err)
	}
	close(release)
	b.Get(callback.String()).Check(t, http.StatusSeeOther)
	b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	if got := r.Provider.Count("token"); got != 1 {
		t.Errorf("%d token requests, want 1", got)
	}
}

// A remembered outcome is no way back in: its session is the one that ended.
func TestCallbackAgainAfterSignOut(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	thief := r.Twin(b)
	b.Get(callback.String()).Check(t, http.StatusSeeOther)
	b.Post("/logout", nil)
	thief.Get(callback.String())
	if r.IsSignedIn(thief) {
		t.Error("the callback signs in again after the sign-out")
	}
}

// Callbacks that nobody can sign in with any more.
func TestStaleCallback(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(r *rig, b *browser, clock *clock, callback *url.URL)
		want   string // where somebody who is signed in goes
	}{
		{"back button or reload", func(*rig, *browser, *clock, *url.URL) {}, "/team/finance"},
		{"long after", func(r *rig, _ *browser, _ *clock, _ *url.URL) { r.site.signIn.callbacks = signin.NewCallbacks() }, "/team/finance"},
		{"of an unknown state", func(_ *rig, _ *browser, _ *clock, callback *url.URL) { callback.RawQuery = "state=unknown&code=code" }, "/dashboard"},
		{"of an error", func(_ *rig, _ *browser, _ *clock, callback *url.URL) {
			callback.RawQuery = "state=unknown&error=access_denied"
		}, "/dashboard"},
		{"of a sign-in that took too long", func(_ *rig, b *browser, clock *clock, callback *url.URL) {
			begun := b.Get("/login?return_to=/profile")
			*callback = *backFromProvider(b, begun)
			clock.Advance(signin.PendingMaxAge + time.Second)
		}, "/profile"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock})
			b := r.Browser()
			login := b.Get("/login?return_to=/team/finance")
			callback, err := url.Parse(b.Post(login.Location(), url.Values{"email": {finance}}).Location())
			if err != nil {
				t.Fatal(err)
			}
			b.Get(callback.String()).Check(t, http.StatusSeeOther)
			test.change(r, b, clock, callback)
			before, tokens := b.Cookies()["expense_session"], r.Provider.Count("token")
			page := b.Get(callback.String())
			page.Check(t, http.StatusSeeOther)
			if got := page.Header.Get("Location"); got != test.want {
				t.Errorf("the callback leads to %q, want %q", got, test.want)
			}
			if b.Cookies()["expense_session"] != before || r.Provider.Count("token") != tokens {
				t.Error("the session has changed, or the provider was asked")
			}
			b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
			r.Browser().Get(callback.String()).Check(t, http.StatusBadRequest)
			ended := r.Twin(b)
			b.Post("/logout", nil)
			ended.Get(callback.String()).Check(t, http.StatusBadRequest)
		})
	}
}

// backFromProvider is where the provider sends a browser, that is signed in there, back to.
func backFromProvider(b *browser, login *reply) *url.URL {
	b.T.Helper()
	callback, err := url.Parse(b.Get(login.Location()).Location())
	if err != nil || callback.Path != openid.CallbackPath {
		b.T.Fatalf("the provider leads to %v, %v", callback, err)
	}
	return callback
}

// A pending login counts once, however long its cookie is good: never is the
// provider asked twice with one code.
func TestPendingLoginCountsOnce(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	for range 10 {
		tab := r.Twin(b)
		if page := tab.Get(callback.String()); page.Status != http.StatusSeeOther && page.Status != http.StatusBadRequest {
			page.Check(t, http.StatusBadRequest)
		}
		clock.Advance(59 * time.Second)
	}
	if got := r.Provider.Count("token"); got != 1 || len(listed(t, r)) != 1 {
		t.Errorf("%d token requests and %d sessions, want 1 of each", got, len(listed(t, r)))
	}
}

// What a sign-in that fails leaves of a session and its record.
func TestFailedSignInTouchesNoSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	before, id := listed(t, r), sessionID(t, r, b)
	callback := b.BeginSignIn(admin)
	r.Provider.SetFaults(devidp.Faults{Claims: func(c map[string]any) { c["nonce"] = "other" }})
	b.Get(callback.String()).Check(t, http.StatusBadGateway)
	if after := listed(t, r); !slices.Equal(before, after) || sessionID(t, r, b) != id || !r.IsSignedIn(b) {
		t.Errorf("the sessions were %v and are %v", before, after)
	}
}

// sid is optional, and what cannot be kept of it is no sign-in.
func TestProviderSID(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sid    any
		status int
	}{
		"missing": {nil, 303}, "empty": {"", 303}, "plain": {"a sid", 303}, "longest": {strings.Repeat("s", 255), 303},
		"too long": {strings.Repeat("s", 256), 502}, "number": {1, 502}, "NUL": {"a\x00", 502}, "object": {map[string]any{}, 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{faults: devidp.Faults{Claims: func(c map[string]any) { c["sid"] = test.sid }}})
			b := r.Browser()
			b.Get(b.BeginSignIn(finance).String()).Check(t, test.status)
			if want, _ := test.sid.(string); test.status == 303 && listed(t, r)[0].ProviderSID != want {
				t.Errorf("sid is kept as %q", listed(t, r)[0].ProviderSID)
			}
		})
	}
}
