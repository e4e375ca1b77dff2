package acceptance

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
)

var screenshotDir = flag.String("screenshots", "", "write the pictures of the README into this `directory`")

// tabTimeout bounds all that one test does in a tab, so that a page which never
// comes fails the test instead of the whole run.
const tabTimeout = 5 * time.Minute

// teamPage is what a team's page shows of the sample.
type teamPage struct {
	id, label string
	rows      [][]string // name, item, amount
	total     string
}

func sampleTeamPages() []teamPage {
	return []teamPage{
		{"finance", "Finance", [][]string{
			{"Alice Johnson", "Product Launch Campaign", "$1,200.00"},
			{"Bob Smith", "Promotional Material", "$450.00"},
			{"Carol Lee", "Team Lunch", "$180.00"},
			{"David Kim", "Event Booth", "$950.00"},
		}, "$2,780.00"},
		{"hr", "HR", [][]string{
			{"Eve Martinez", "Internet", "$300.00"},
			{"Frank Wilson", "Compliance Training", "$600.00"},
			{"Grace Li", "Conference Travel", "$1,500.00"},
			{"Henry Zhang", "Team Offsite", "$1,000.00"},
		}, "$3,400.00"},
		{"legal", "Legal", [][]string{
			{"Grace Li", "Event Booth", "$1,100.00"},
			{"David Kim", "Product Launch Campaign", "$1,300.00"},
			{"Bob Smith", "Conference Travel", "$1,250.00"},
			{"Henry Zhang", "Team Lunch", "$170.00"},
		}, "$3,820.00"},
		{"marketing", "Marketing", [][]string{
			{"Alice Johnson", "Payroll Processing", "$750.00"},
			{"Carol Lee", "Compliance Training", "$400.00"},
			{"Eve Martinez", "Team Lunch", "$200.00"},
			{"Frank Wilson", "Team Offsite", "$850.00"},
		}, "$2,200.00"},
		{"dev-advocacy", "Dev Advocacy", [][]string{
			{"Eve Martinez", "Internet", "$280.00"},
			{"Frank Wilson", "Payroll Processing", "$720.00"},
			{"Grace Li", "Compliance Training", "$500.00"},
			{"Alice Johnson", "Team Offsite", "$950.00"},
		}, "$2,450.00"},
	}
}

// TestBrowser is what people do with the site, in a real browser.
func TestBrowser(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	r := startOnLocalhost(t, setup{})
	for _, test := range []struct {
		name string
		run  func(t *testing.T, r *program, tab *tab)
	}{
		{"a deep link survives sign-in", deepLink},
		{"two tabs both finish", twoTabs},
		{"a second sign-in asks nothing", singleSignOn},
		{"refusing shows why", refusal},
		{"an address typed by hand is on no team", typedAddress},
		{"the keyboard alone signs in and out", keyboardOnly},
		{"another site signs nobody out", otherSite},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, r, openTab(t, chromium, r.BaseURL))
		})
	}
	for name, start := range map[string]func(*testing.T) *program{
		"an ID Token of over 8 KB": func(t *testing.T) *program {
			return startOnLocalhost(t, setup{provider: devidp.Config{IDTokenPadding: 6 << 10}})
		},
		"behind a proxy that ends TLS": startBehindProxy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tour(openTab(t, chromium, start(t).BaseURL), "Carol Lee", finance, []string{"Finance"})
		})
	}
	for _, person := range []struct {
		name, email string
		teams       []string // labels
	}{
		{"Hannah Smith", admin, []string{"Finance", "HR", "Legal", "Marketing", "Dev Advocacy"}},
		{"Sarah Morgan", hr, []string{"HR"}},
		{"Noah Brown", teamless, nil},
	} {
		t.Run(person.name, func(t *testing.T) {
			t.Parallel()
			tab := openTab(t, chromium, r.BaseURL)
			tour(tab, person.name, person.email, person.teams)
		})
	}
}

// TestPeopleOfTheSample signs each member of one team in, who sees that team's page and no
// other's, and out again.
func TestPeopleOfTheSample(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	for _, person := range []struct{ name, email, team string }{
		{"Grace Li", legal, "Legal"},
		{"Frank Wilson", devAdvocacy, "Dev Advocacy"},
		{"Carol Lee", finance, "Finance"},
		{"Alice Johnson", marketing, "Marketing"},
	} {
		t.Run(person.name, func(t *testing.T) {
			t.Parallel()
			b := r.Browser()
			b.T = t
			b.SignIn(person.email)
			b.Get("/dashboard").Check(t, http.StatusOK, "<h1>"+person.team+"</h1>")
			for _, team := range sampleTeamPages() {
				if team.label != person.team {
					b.Get("/team/"+team.id).Check(t, http.StatusNotFound, "Page not found", "!>"+team.label+"<")
					continue
				}
				page := b.Get("/team/" + team.id)
				page.Check(t, http.StatusOK, team.total)
				for _, row := range team.rows {
					page.Check(t, http.StatusOK, row...)
				}
			}
			b.Get("/profile").Check(t, http.StatusOK, person.name, strings.ReplaceAll(person.email, "+", "&#43;"), person.team)
			b.Post("/logout", nil).Check(t, http.StatusOK)
			if again := b.Get("/profile"); again.Status != http.StatusSeeOther {
				t.Errorf("the profile is %d behind signing out", again.Status)
			}
		})
	}
}

// tour signs a person in, looks at every page and signs out again.
func tour(tab *tab, name, email string, teams []string) {
	tab.open("/", http.StatusOK)
	tab.shows("Welcome", "Sign in")
	tab.click(linkTo("Sign in"), http.StatusOK)
	tab.click(button(name), http.StatusOK)
	tab.isAt("/dashboard", "Dashboard")
	got := tab.texts("main table.comparison tbody th a")
	if len(teams) == 1 {
		got = tab.texts("h1")
	}
	if !slices.Equal(got, teams) {
		tab.t.Errorf("the dashboard lists the teams %q, want %q", got, teams)
	}
	if teams == nil {
		tab.shows("You are not part of any teams yet.", "Ask an administrator", email)
	}
	for _, team := range sampleTeamPages() {
		if !slices.Contains(teams, team.label) {
			tab.open("/team/"+team.id, http.StatusNotFound)
			tab.shows("Page not found")
			continue
		}
		tab.open("/dashboard", http.StatusOK)
		if len(teams) == 1 {
			tab.click(linkTo("All 4 expenses"), http.StatusOK)
		} else {
			tab.click(linkTo(team.label), http.StatusOK)
		}
		tab.showsTeam(team)
	}
	tab.open("/team/no-such-team", http.StatusNotFound)
	tab.shows("Page not found")

	tab.open("/dashboard", http.StatusOK)
	tab.click(linkTo("Profile"), http.StatusOK)
	tab.isAt("/profile", "Profile")
	tab.shows(append([]string{name, email, "Your session", "Ends"}, teams...)...)

	tab.click(button("Sign out"), http.StatusOK)
	asked := slices.Equal(tab.texts("h1"), []string{"Sign out?"})
	if asked {
		// The ID Token was too long to say whose session it is, so the provider asks.
		tab.click(button("Sign out"), http.StatusOK)
	}
	tab.isAt("/", "")
	tab.shows("Welcome", "Sign in")
	tab.do(chromedp.NavigateBack())
	if tab.goOn(); !asked {
		tab.isAtProvider()
	}
	tab.open("/profile", http.StatusOK)
	tab.isAtProvider()
}

func deepLink(_ *testing.T, _ *program, tab *tab) {
	tab.open("/team/finance", http.StatusOK)
	tab.isAtProvider()
	tab.click(button("Carol Lee"), http.StatusOK)
	tab.isAt("/team/finance", "Finance")
	tab.showsTeam(sampleTeamPages()[0])
}

func twoTabs(_ *testing.T, _ *program, first *tab) {
	second := first.another()
	first.open("/team/legal", http.StatusOK)
	second.open("/team/hr", http.StatusOK)
	first.click(button("Hannah Smith"), http.StatusOK)
	first.isAt("/team/legal", "Legal")
	second.click(button("Hannah Smith"), http.StatusOK)
	second.isAt("/team/hr", "HR")
}

// singleSignOn has a provider to itself, to count what it is asked.
func singleSignOn(t *testing.T, _ *program, tab *tab) {
	r := startOnLocalhost(t, setup{})
	tab.home = r.BaseURL
	tab.signIn("Grace Li")
	before := r.Provider.Count("authorize")
	tab.open("/login?return_to=/profile", http.StatusOK)
	tab.isAt("/profile", "Profile")
	if asked := r.Provider.Count("authorize") - before; asked != 1 {
		t.Errorf("the provider's authorization endpoint was asked %d times, want once", asked)
	}
}

func refusal(t *testing.T, r *program, tab *tab) {
	tab.open("/", http.StatusOK)
	tab.click(linkTo("Sign in"), http.StatusOK)
	tab.click(button("Refuse"), http.StatusForbidden)
	tab.shows("You are not signed in", "Okta says that you are not assigned to this app.", "Ask your Okta administrator")
	reference := tab.texts("main code")
	if len(reference) != 1 || !strings.Contains(r.Log.String(), "ref="+reference[0]+"\n") {
		t.Errorf("the reference %q is in no line of the log", reference)
	}
	tab.click(linkTo("Sign in again"), http.StatusOK)
	tab.isAtProvider()
	tab.click(button("Sarah Morgan"), http.StatusOK)
	tab.isAt("/dashboard", "Dashboard")
}

func typedAddress(_ *testing.T, _ *program, tab *tab) {
	tab.open("/login", http.StatusOK)
	tab.do(chromedp.SendKeys(chromedp.ID("email"), "ann.lee@example.com"))
	tab.click(button("Sign in with this address"), http.StatusOK)
	tab.isAt("/dashboard", "Dashboard")
	tab.shows("You are not part of any teams yet.", "ann.lee@example.com")
}

func keyboardOnly(_ *testing.T, _ *program, tab *tab) {
	tab.open("/", http.StatusOK)
	tab.tabTo("Sign in")
	tab.press(kb.Enter)
	tab.isAtProvider()
	tab.tabTo("Carol Lee")
	tab.press(kb.Enter)
	tab.isAt("/dashboard", "Dashboard")
	tab.tabTo("All 4 expenses")
	tab.press(kb.Enter)
	tab.isAt("/team/finance", "Finance")
	tab.tabTo("Sign out")
	tab.press(kb.Enter)
	tab.isAt("/", "")
	tab.shows("Sign in")
}

// otherSite follows a link and sends a form from a page at 127.0.0.1, which to
// a browser is another site than localhost.
func otherSite(t *testing.T, r *program, tab *tab) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Another site</title><link rel="icon" href="data:,">
			<main><a href="%[1]s/logout">A link</a><form method="post" action="%[1]s/logout"><button>A form</button></form></main>`, r.BaseURL)
	}))
	defer other.Close()

	tab.signIn("Carol Lee")
	tab.open(other.URL, http.StatusOK)
	tab.click(linkTo("A link"), http.StatusOK)
	tab.isAt("/logout", "Sign out")
	tab.shows("You have not been signed out.")
	tab.open(other.URL, http.StatusOK)
	tab.click(button("A form"), http.StatusForbidden)
	tab.shows("That came from another site, so nothing was done.")
	tab.open("/dashboard", http.StatusOK)
	tab.shows("Finance", "This year")

	tab.open(other.URL, http.StatusOK)
	tab.click(linkTo("A link"), http.StatusOK)
	tab.click(`//main//button[.="Sign out"]`, http.StatusOK)
	tab.isAt("/", "")
	tab.open("/dashboard", http.StatusOK)
	tab.isAtProvider()
}

// TestScreenshots makes the pictures of the README. It runs with -screenshots.
func TestScreenshots(t *testing.T) {
	if *screenshotDir == "" {
		t.Skip("no -screenshots")
	}
	tab := openTab(t, startChromium(t), startOnLocalhost(t, setup{}).BaseURL)
	tab.do(chromedp.EmulateViewport(1120, 640))
	tab.open("/", http.StatusOK)
	tab.screenshot("home.png")
	tab.signIn("Hannah Smith")
	tab.screenshot("dashboard.png")
	tab.do(chromedp.EmulateViewport(1120, 1130))
	tab.click(linkTo("Finance"), http.StatusOK)
	tab.screenshot("team.png")
	tab.do(chromedp.EmulateViewport(1120, 1130))
	tab.open("/profile", http.StatusOK)
	tab.screenshot("profile.png")
}

// startOnLocalhost starts the program at localhost beside a provider at
// 127.0.0.1: to a browser they are two sites, as they are with Okta.
func startOnLocalhost(t *testing.T, s setup) *program {
	t.Helper()
	s.host = "localhost"
	return startProgram(t, s)
}

// startBehindProxy starts the program as in production: browsers reach it at an
// https origin, and it serves http at another address.
func startBehindProxy(t *testing.T) *program {
	t.Helper()
	var inside atomic.Pointer[program]
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: inside.Load().addr})
	}})
	t.Cleanup(proxy.Close)
	p := startProgram(t, setup{baseURL: "https://localhost:" + apptest.PortOf(t, proxy.Listener.Addr().String())})
	inside.Store(p)
	return p
}

// startChromium starts the browser that all tests share, at the first of them. Each tab
// of its own has its own cookies.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	program := findChromium()
	if program == "" {
		const missing = "no chromium-headless-shell, chromium, chromium-browser or google-chrome in PATH, so nothing is tested in a browser: scripts/install-needs installs one"
		if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_BROWSER") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	shared.start.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(program), chromedp.DisableGPU, chromedp.IgnoreCertErrors,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
		if os.Geteuid() == 0 {
			// Chromium's sandbox does not start for root.
			options = append(options, chromedp.NoSandbox)
		}
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		browser, closeBrowser := chromedp.NewContext(allocator)
		shared.ctx, shared.end = browser, func() { closeBrowser(); stop() }
		if err := chromedp.Do(browser); err != nil {
			shared.err = fmt.Errorf("start %s: %w", program, err)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.ctx
}

// shared is the browser that tests share.
var shared struct {
	start sync.Once
	ctx   context.Context
	end   func()
	err   error
}

// findChromium returns the path of a browser, or nothing. The one without windows shows
// pages as every other does, for half the work.
func findChromium() string {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// A tab is a browser's tab on the site. Each of its steps fails the test where
// it cannot be done.
type tab struct {
	t       *testing.T
	ctx     context.Context
	home    string
	console iter.Seq2[chromedp.ConsoleMessage, error]
	refused []string // addresses that answered with a status of 400 or more, as expected
	mayWarn string   // a part of what the console may say
}

// openTab opens a tab with cookies of its own. At the end of the test it must
// have nothing to complain about: no error of a script, no breach of a Content
// Security Policy, no file that is missing.
func openTab(t *testing.T, chromium context.Context, home string) *tab {
	t.Helper()
	return newTab(t, chromium, home, chromedp.WithNewBrowserContext())
}

// another opens a second tab that shares the cookies of the first.
func (b *tab) another() *tab { return newTab(b.t, b.ctx, b.home) }

func newTab(t *testing.T, parent context.Context, home string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	parent, cancel := context.WithTimeout(parent, tabTimeout)
	t.Cleanup(cancel)
	ctx, closeTab := chromedp.NewContext(parent, options...)
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx, home: home, console: chromedp.Console(ctx)}
	b.do()
	t.Cleanup(b.checkConsole)
	return b
}

func (b *tab) checkConsole() {
	const end = "the test is over"
	b.do(chromedp.Evaluate[chromedp.Void](`console.log("` + end + `")`))
	for message, err := range b.console {
		switch {
		case err != nil:
			b.t.Errorf("console: %v", err)
		case message.Text == end:
			return
		case b.mayWarn != "" && strings.Contains(message.Text, b.mayWarn):
		case message.Source == "network" && slices.Contains(b.refused, message.URL):
		default:
			b.t.Errorf("the browser's console says %s (%s)", message, message.URL)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// lead does what leads to another page, which must have the status.
func (b *tab) lead(status int, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	response, err := chromedp.RunResponse(b.ctx, step)
	if err != nil {
		b.t.Fatal(err)
	}
	if int(response.Status) != status {
		b.t.Fatalf("%s = %d, want %d", response.URL, response.Status, status)
	}
	if status >= http.StatusBadRequest {
		b.refused = append(b.refused, response.URL)
	}
	b.goOn()
}

// goOn waits where a page goes on by itself until the page behind it is there.
func (b *tab) goOn() {
	b.t.Helper()
	const arrived = `document.readyState === "complete" && !document.body.innerText.includes("If nothing happens, choose Continue.")`
	for range 400 {
		// While a page takes the place of another there is none to ask.
		if there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](arrived)); err == nil && there {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	b.t.Fatalf("%s does not go on", b.address())
}

// open follows an address, which may be a path of the site, to its page.
func (b *tab) open(target string, status int) {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.home + target
	}
	b.lead(status, chromedp.Navigate(target))
}

// linkTo and button are XPaths by what a person reads on it.
func linkTo(text string) string { return fmt.Sprintf("//a[normalize-space()=%q]", text) }

func button(text string) string { return fmt.Sprintf("//button[contains(., %q)]", text) }

// click clicks what a person sees and waits for the page behind it.
func (b *tab) click(xpath string, status int) {
	b.t.Helper()
	b.lead(status, chromedp.Click(chromedp.Search(xpath)))
}

func (b *tab) signIn(name string) {
	b.t.Helper()
	b.open("/login", http.StatusOK)
	b.click(button(name), http.StatusOK)
	b.isAt("/dashboard", "Dashboard")
}

// evaluate returns what a script finds in the page.
func evaluate[T any](b *tab, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// texts are those of all elements that a CSS selector finds.
func (b *tab) texts(selector string) []string {
	b.t.Helper()
	return evaluate[[]string](b, fmt.Sprintf("Array.from(document.querySelectorAll(%q), e => e.innerText)", selector))
}

// shows asserts that the page's main part holds every text.
func (b *tab) shows(texts ...string) {
	b.t.Helper()
	shown := strings.Join(b.texts("main"), "\n")
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			b.t.Errorf("%s does not show %q but:\n%s", b.address(), text, shown)
		}
	}
}

func (b *tab) showsTeam(team teamPage) {
	b.t.Helper()
	b.isAt("/team/"+team.id, team.label)
	if headings := b.texts("h1"); !slices.Equal(headings, []string{team.label}) {
		b.t.Errorf("the headings are %q, want %q alone", headings, team.label)
	}
	rows := evaluate[[][]string](b, `Array.from(document.querySelectorAll("table.ledger tbody tr"), row => {
		const cells = row.querySelectorAll("td:not(.pick)");
		return [1, 2, 4].map(i => cells[i].innerText);
	})`)
	slices.SortFunc(rows, slices.Compare)
	slices.SortFunc(team.rows, slices.Compare)
	if !slices.EqualFunc(rows, team.rows, slices.Equal) {
		b.t.Errorf("the expenses are\n%q, want\n%q", rows, team.rows)
	}
	if total := b.texts("table.ledger tfoot td.number"); !slices.Equal(total, []string{team.total}) {
		b.t.Errorf("the total is %q, want %q", total, team.total)
	}
}

func (b *tab) address() *url.URL {
	b.t.Helper()
	u, err := url.Parse(evaluate[string](b, "location.href"))
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// isAt asserts that the tab shows a page of the site, by its path and what its
// title says before the product's name.
func (b *tab) isAt(path, title string) {
	b.t.Helper()
	want := "Expense Dashboard"
	if title != "" {
		want = title + " · " + want
	}
	if at := b.address(); at.Scheme+"://"+at.Host != b.home || at.Path != path || at.RawQuery != "" {
		b.t.Fatalf("the tab is at %s, want %s%s", at, b.home, path)
	}
	if got := evaluate[string](b, "document.title"); got != want {
		b.t.Errorf("the title of %s is %q, want %q", path, got, want)
	}
}

// isAtProvider asserts that the provider asks who somebody is.
func (b *tab) isAtProvider() {
	b.t.Helper()
	if heading := b.texts("h1"); !slices.Equal(heading, []string{"Development sign-in"}) {
		b.t.Fatalf("%s is not the provider's sign-in page but %q", b.address(), heading)
	}
}

// tabTo presses Tab until what shows the text has the focus, which must be
// visible all the way.
func (b *tab) tabTo(text string) {
	b.t.Helper()
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		focus := evaluate[struct {
			Text    string
			Visible bool
		}](b, `(e => ({Text: e.innerText, Visible: e.matches(":focus-visible") && getComputedStyle(e).outlineStyle != "none"}))(document.activeElement)`)
		if !focus.Visible {
			b.t.Errorf("%s does not show that %q has the focus", b.address(), focus.Text)
		}
		if strings.Contains(focus.Text, text) {
			return
		}
	}
	b.t.Fatalf("%s: Tab does not reach %q", b.address(), text)
}

// press presses a key that leads to another page.
func (b *tab) press(key string) {
	b.t.Helper()
	b.lead(http.StatusOK, chromedp.KeyEvent(key))
}

// focused returns a property of the element that has the focus. A browser heeds
// autofocus with the first frame that it paints, and may be asked before.
func (b *tab) focused(property string) string {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`(async () => {
		for (let i = 0; i < 250 && document.activeElement === document.body; i++) await new Promise(done => setTimeout(done, 20));
		return document.activeElement.`+property+` || "";
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// screenshot writes a picture of what the tab shows.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(*screenshotDir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshotDir, name), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
