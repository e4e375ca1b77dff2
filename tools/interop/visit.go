package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// A visit is what one person does with the program beside one provider.
type visit struct {
	provider     provider
	program      string
	chromium     context.Context
	issuer, site string
	tab          context.Context
	metadata     metadata
	stopProvider func()
	closers      []func() // undo what was started, the last first
}

// metadata is what decides of a provider's what the steps can show.
type metadata struct {
	Keys       string `json:"jwks_uri"`
	UserInfo   string `json:"userinfo_endpoint"`
	EndSession string `json:"end_session_endpoint"`
}

// A step is one of a visit. Its note is what the table has to say beside ok.
type step struct {
	name string
	run  func(ctx context.Context) (note string, err error)
}

func (v *visit) steps() []step {
	return []step{
		{"start", v.start},
		{"sign-in", v.signIn},
		{"UserInfo", v.profile},
		{"sign-out", v.signOut},
		{"key rotation", v.rotate},
	}
}

func (v *visit) take(ctx context.Context, s step) (note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return s.run(ctx)
}

func (v *visit) close() {
	for i := len(v.closers) - 1; i >= 0; i-- {
		v.closers[i]()
	}
	if v.stopProvider != nil {
		v.stopProvider()
	}
}

// start starts the provider, then the program, and opens a tab.
func (v *visit) start(ctx context.Context) (note string, err error) {
	// Cookies know hosts and no ports: the two are at different hosts.
	if v.site, err = freeOrigin("localhost"); err != nil {
		return "", err
	}
	if v.issuer, err = freeOrigin("127.0.0.1"); err != nil {
		return "", err
	}
	if v.stopProvider, err = v.provider.start(v.chromium, v.issuer, v.site); err != nil {
		return "", err
	}
	if err := getJSON(ctx, v.issuer+"/.well-known/openid-configuration", &v.metadata); err != nil {
		return "", err
	}
	if err := v.startProgram(ctx); err != nil {
		return "", err
	}
	tab, closeTab := chromedp.NewContext(v.chromium, chromedp.WithNewBrowserContext())
	v.tab, v.closers = tab, append(v.closers, closeTab)
	return "", chromedp.Do(tab)
}

func (v *visit) startProgram(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "interop")
	if err != nil {
		return err
	}
	v.closers = append(v.closers, func() { os.RemoveAll(folder) })
	program := exec.Command(v.program)
	program.Dir = folder
	program.Env = []string{
		"OKTA_ISSUER=" + v.issuer, "OKTA_CLIENT_ID=" + clientID, "OKTA_CLIENT_SECRET=" + clientSecret,
		"APP_BASE_URL=" + v.site, "DATABASE_URL=sqlite:expenses.db",
	}
	var log strings.Builder
	program.Stderr = &log
	if err := program.Start(); err != nil {
		return err
	}
	stop := func() {
		_ = program.Process.Signal(os.Interrupt)
		_ = program.Wait()
	}
	if err := waitFor(ctx, v.site+"/readyz"); err != nil {
		stop()
		return fmt.Errorf("%w: %s", err, &log)
	}
	v.closers = append(v.closers, stop)
	return nil
}

// waitFor waits until an address answers 200.
func waitFor(ctx context.Context, address string) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer 200", address)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// getJSON decodes what an address answers.
func getJSON(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

func (v *visit) signIn(ctx context.Context) (note string, err error) {
	if err := v.open(ctx, "/login?return_to=/dashboard"); err != nil {
		return "", err
	}
	return "", v.until(ctx, "/dashboard")
}

// profile is the page that shows the name and the address.
func (v *visit) profile(ctx context.Context) (note string, err error) {
	if err := v.open(ctx, "/profile"); err != nil {
		return "", err
	}
	if err := v.until(ctx, "/profile"); err != nil {
		return "", err
	}
	if v.metadata.UserInfo == "" {
		note = ": it has none, the ID Token has name and address"
	}
	return note, v.shows(ctx, v.provider.person, v.provider.email)
}

// signOut sends the form of the page, ends where the provider sends people after
// sign-out, and is signed out.
func (v *visit) signOut(ctx context.Context) (note string, err error) {
	if _, err := evaluate[bool](ctx, v, `(document.querySelector('form[action="/logout"]').requestSubmit(), true)`); err != nil {
		return "", err
	}
	if err := v.until(ctx, "/"); err != nil {
		return "", err
	}
	if err := v.shows(ctx, "Sign in"); err != nil {
		return "", err
	}
	signedIn, err := evaluate[bool](ctx, v, `document.querySelector('form[action="/logout"]') !== null`)
	if err == nil && signedIn {
		err = errors.New("still signed in")
	}
	if v.metadata.EndSession == "" {
		note = ": it has no end-session endpoint, the session here ends"
	}
	return note, err
}

// rotate starts the provider again, which has another key then and the old one no
// more, and signs in at once.
func (v *visit) rotate(ctx context.Context) (note string, err error) {
	var before, after struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := getJSON(ctx, v.metadata.Keys, &before); err != nil {
		return "", err
	}
	v.stopProvider()
	v.stopProvider = nil
	stop, err := v.provider.start(v.chromium, v.issuer, v.site)
	if err != nil {
		return "", err
	}
	v.stopProvider = stop
	if err := getJSON(ctx, v.metadata.Keys, &after); err != nil {
		return "", err
	}
	if len(before.Keys) != 1 || len(after.Keys) != 1 || before.Keys[0] == after.Keys[0] {
		return "", errors.New("the provider has not changed its one key")
	}
	return v.signIn(ctx)
}

func (v *visit) open(ctx context.Context, path string) error {
	ctx, cancel := v.within(ctx)
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate(v.site+path))
}

// within returns the tab's context, which ends with a step's too.
func (v *visit) within(ctx context.Context) (context.Context, context.CancelFunc) {
	tab, cancel := context.WithCancel(v.tab)
	stop := context.AfterFunc(ctx, cancel)
	return tab, func() { stop(); cancel() }
}

func evaluate[T any](ctx context.Context, v *visit, script string) (T, error) {
	ctx, cancel := v.within(ctx)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script))
}

// answer fills in the form of a provider's page and sends it, once. What the person
// would choose is the button that says yes, or the only one.
const answer = `(() => {
	const button = document.querySelector('button[value=yes]') ?? document.querySelector('button[type=submit]');
	if (document.readyState === 'loading' || location.origin === %q || !button || window.answered) return location.href;
	window.answered = true;
	for (const input of document.querySelectorAll('input[name=login], input[name=username]')) input.value = %q;
	for (const input of document.querySelectorAll('input[type=password]')) input.value = %q;
	button.click();
	return location.href;
})()`

// until answers the pages of the provider until the tab is at a path of the site.
func (v *visit) until(ctx context.Context, path string) error {
	script := fmt.Sprintf(answer, v.site, v.provider.login, v.provider.password)
	at := ""
	for {
		// A page that is just left evaluates nothing: the next one does.
		if now, err := evaluate[string](ctx, v, script); err == nil {
			at = now
		}
		if at == v.site+path {
			return nil
		}
		select {
		case <-ctx.Done():
			at, _, _ = strings.Cut(at, "?")
			return fmt.Errorf("the browser stays at %s", at)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// shows waits until the page shows each of the texts.
func (v *visit) shows(ctx context.Context, texts ...string) error {
	for _, text := range texts {
		for {
			page, err := evaluate[string](ctx, v, `document.body.innerText`)
			if err == nil && strings.Contains(page, text) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("the page lacks %q", text)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}
