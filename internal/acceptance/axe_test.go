package acceptance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"expense-dashboard/internal/devidp"
)

const axePath = "tools/axe/node_modules/axe-core/axe.min.js"

// axeSource returns axe-core, which scripts/install-needs fetches. Without it the
// test is skipped, unless the environment insists.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, axePath))
	if err != nil {
		const missing = "no " + axePath + ", so no page is held against axe: scripts/install-needs fetches it with npm"
		if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_BROWSER") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return string(source)
}

// openTabWithAxe opens a tab that brings axe to every page, as it comes: sent to
// each page anew it would take longer than what it does there.
func openTabWithAxe(t *testing.T, chromium context.Context, home string) *tab {
	t.Helper()
	axe := axeSource(t)
	tab := openTab(t, chromium, home)
	tab.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var answer struct{}
		return t.Call(ctx, "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": axe}, &answer)
	}))
	return tab
}

// look is how a browser shows a page.
type look struct {
	name          string
	scheme        string
	width, height int64
}

func looks() []look {
	return []look{
		{"light and wide", "light", 1280, 900},
		{"dark and narrow", "dark", 320, 640},
		{"light, 200 % zoom", "light", 640, 450},
		{"dark and wide", "dark", 1280, 900},
	}
}

// wear makes the tab show pages in a look.
func (b *tab) wear(l look) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(l.width, l.height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var answer struct{}
		return t.Call(ctx, "Emulation.setEmulatedMedia", map[string]any{
			"features": []map[string]string{{"name": "prefers-color-scheme", "value": l.scheme}},
		}, &answer)
	}))
}

// axeRun tells what axe has against the page, a line for each element. The rule
// target-size is of WCAG 2.2 and has to be asked for.
const axeRun = `(async () => {
	document.querySelectorAll("details").forEach(e => e.open = true);
	const result = await axe.run(document, {preload: false, resultTypes: ["violations"], rules: {"target-size": {enabled: true}}});
	return result.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + ": " + n.html.slice(0, 200)));
})()`

// holdUp asserts that axe finds nothing on the page that the tab shows, with
// everything that folds open, that nothing needs scrolling sideways, and that
// the tab's scheme is the page's.
func (b *tab) holdUp(l look) {
	b.t.Helper()
	violations, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, violation := range violations {
		b.t.Errorf("%s, %s: %s", b.address().Path, l.name, violation)
	}
	if wide := evaluate[int64](b, "document.documentElement.scrollWidth"); wide > l.width {
		b.t.Errorf("%s, %s: the page is %d pixels wide, of %d", b.address().Path, l.name, wide, l.width)
	}
	if dark := evaluate[bool](b, `parseInt(getComputedStyle(document.body).backgroundColor.match(/\d+/)[0]) < 128`); dark != (l.scheme == "dark") {
		b.t.Errorf("%s, %s: dark is %v", b.address().Path, l.name, dark)
	}
}

// take puts a page of the site into the document that the tab shows, where axe is already:
// to read axe anew would take as long as what it looks for.
func (b *tab) take(path string) {
	b.t.Helper()
	script := fmt.Sprintf(`(async () => {
		const page = new DOMParser().parseFromString(await (await fetch(%q)).text(), "text/html");
		document.replaceChild(document.adoptNode(page.documentElement), document.documentElement);
		const style = document.querySelector("link[rel=stylesheet]");
		if (!style.sheet) await new Promise((resolve, reject) => { style.onload = resolve; style.onerror = reject; });
		return document.body.innerText.length;
	})()`, path)
	if length, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](script, chromedp.EvalAwaitPromise)); err != nil || length == 0 {
		b.t.Fatalf("%s is not taken: %d characters, %v", path, length, err)
	}
}

// serveStates serves each page in each of its states, as its package's test writes
// them, and returns their paths.
func serveStates(t *testing.T) (home string, paths []string) {
	t.Helper()
	folder := t.TempDir()
	write := exec.Command("go", "test", "-count=1", "-vet=off", "-run", "^TestRender$", "./internal/web/internal/page", "-states", folder)
	write.Dir = root
	if output, err := write.CombinedOutput(); err != nil {
		t.Fatalf("the pages are not written: %v\n%s", err, output)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages are written: %v", err)
	}
	for _, file := range files {
		paths = append(paths, "/state/"+filepath.Base(file))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /state/", http.StripPrefix("/state/", http.FileServer(http.Dir(folder))))
	mux.Handle("GET /static/", http.FileServer(http.Dir(root)))
	// Between two pages a document has no picture, and a browser asks for the usual one.
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, paths
}

// TestEveryStateIsAccessible holds every page in every state against axe, every
// other one in light and wide, and those between in dark and narrow.
func TestEveryStateIsAccessible(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	home, paths := serveStates(t)
	for i, l := range looks()[:2] {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			tab := openTabWithAxe(t, chromium, home)
			tab.wear(l)
			// Some states hold dates that nobody can type.
			tab.mayWarn = "does not conform to the required format"
			tab.do(chromedp.Navigate(home + paths[i]))
			for at := i; at < len(paths); at += 2 {
				tab.take(paths[at])
				tab.holdUp(l)
				if t.Failed() {
					t.Fatalf("in the state of %s", paths[at])
				}
			}
		})
	}
}

// TestEveryRoleIsAccessible goes through the running program as each kind of
// person, and holds what they see against axe.
func TestEveryRoleIsAccessible(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	r := startOnLocalhost(t, setup{})
	all := looks()
	for i, role := range []struct {
		name, person string
		ok           []string
		refused      map[string]int
	}{
		{"guest", "", []string{"/", "/login"}, map[string]int{"/nowhere": 404, "/authorization-code/callback": 400, "/login?iss=x": 400}},
		{"on no team", "Noah Brown", []string{"/", "/dashboard", "/profile"}, map[string]int{"/team/finance": 404}},
		{"member", "Carol Lee", []string{
			"/", "/dashboard", "/profile", "/team/finance", "/team/finance?q=lunch&from=2020-01-01&sort=amount", "/team/finance?q=yacht", "/team/finance/expenses/new",
		}, map[string]int{"/team/hr": 404, "/team/finance?sort=colour": 400, "/team/finance?from=2026-02-02&to=2026-01-01": 400}},
		{"lead of two teams", "Diana Park", []string{"/dashboard", "/expenses?team=hr", "/expenses/new", "/team/finance/expenses/new"}, map[string]int{"/expenses/import": 404}},
		{"auditor", "Victor Chen", []string{"/dashboard", "/expenses", "/team/hr"}, map[string]int{"/team/hr/expenses/new": 403}},
		{"administrator", "Hannah Smith", []string{"/dashboard", "/profile", "/expenses", "/expenses?person=grace%20li", "/expenses/import", "/sessions", "/team/hr/expenses/new"}, map[string]int{"/team/nowhere": 404}},
	} {
		t.Run(role.name, func(t *testing.T) {
			t.Parallel()
			tab := openTabWithAxe(t, chromium, r.BaseURL)
			if role.person != "" {
				tab.signIn(role.person)
			}
			for at, path := range slices.Concat(role.ok, slices.Sorted(maps.Keys(role.refused))) {
				// Each page in one look, and each look for some page of each role.
				l := all[(i+at)%len(all)]
				tab.wear(l)
				tab.open(path, cmp.Or(role.refused[path], http.StatusOK))
				tab.holdUp(l)
			}
		})
	}
	t.Run("a form with errors, then what it changed, told once", func(t *testing.T) {
		t.Parallel()
		tellOnce(t, openTabWithAxe(t, chromium, r.BaseURL))
	})
	t.Run("several expenses at once", func(t *testing.T) {
		t.Parallel()
		changeSeveral(t, openTabWithAxe(t, chromium, r.BaseURL))
	})
}

// changeSeveral selects expenses by the keyboard, changes their category and takes that
// back, on the narrowest screen.
func changeSeveral(t *testing.T, tab *tab) {
	l := look{name: "320 wide", scheme: "dark", width: 320, height: 640}
	tab.wear(l)
	tab.signIn("Diana Park")
	tab.open("/team/finance", http.StatusOK)
	tab.holdUp(l)
	if covered := evaluate[bool](tab, `(() => {
		const box = document.querySelector(".pick input");
		box.scrollIntoView({block: "center"});
		const {x, y, width, height} = box.getBoundingClientRect();
		return document.elementFromPoint(x + width / 2, y + height / 2) !== box;
	})()`); covered {
		t.Error("a checkbox is covered by the link of its row")
	}
	for i := range 2 {
		tab.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelectorAll(".pick input")[%d].focus(); undefined`, i)), chromedp.KeyEvent(" "))
	}
	tab.click(button("Change category"), http.StatusOK)
	tab.holdUp(l)
	tab.do(chromedp.SendKeys(chromedp.ID("value"), strings.Repeat("x", 50)))
	tab.click(button("Preview"), http.StatusOK)
	tab.holdUp(l)
	tab.shows("Change the category of 2 expenses")
	tab.click(button("Change 2 expenses"), http.StatusOK)
	tab.holdUp(l)
	tab.click(button("Undo"), http.StatusOK)
	tab.shows("Undone: 2 expenses are as before.")
	tab.click(button("Delete"), http.StatusUnprocessableEntity)
	tab.holdUp(l)
	tab.shows("No expense is selected.")
}

// tellOnce fills in a form wrongly and then rightly, and looks at the notice.
func tellOnce(t *testing.T, tab *tab) {
	l := looks()[1]
	tab.wear(l)
	tab.signIn("Carol Lee")
	tab.open("/team/finance/expenses/new", http.StatusOK)
	tab.do(
		chromedp.SendKeys(chromedp.ID("item"), "Tea"), chromedp.SendKeys(chromedp.ID("category"), "Meals"),
		chromedp.SendKeys(chromedp.ID("amount"), "much"),
	)
	tab.click(button("Log expense"), http.StatusUnprocessableEntity)
	tab.holdUp(l)
	tab.shows("One field has an error")
	tab.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("amount").value = "3.20"; undefined`))
	tab.click(button("Log expense"), http.StatusOK)
	tab.holdUp(l)
	tab.shows("Logged: Tea, $3.20.")
	tab.open("/team/finance", http.StatusOK)
	if notices := tab.texts("[role=status]"); len(notices) > 0 {
		t.Errorf("the notice is told again: %q", notices)
	}
}

// TestReadersOwnStyle looks at pages as readers set them: with more space between
// letters, words and lines (WCAG 2.2, 1.4.12) nothing needs scrolling sideways, and
// in forced colours what is present or chosen differs by more than weight.
func TestReadersOwnStyle(t *testing.T) {
	t.Parallel()
	const spacing = `document.styleSheets[0].insertRule("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"); undefined`
	r := startOnLocalhost(t, setup{})
	tab := openTab(t, startChromium(t), r.BaseURL)
	tab.signIn("Hannah Smith")
	narrow := looks()[1]
	tab.wear(narrow)
	for _, path := range []string{"/dashboard", "/team/finance?category=Meals", "/team/finance/expenses/new", "/profile", "/sessions", "/categories", "/activity"} {
		tab.open(path, http.StatusOK)
		tab.do(chromedp.Evaluate[chromedp.Void](spacing))
		if wide := evaluate[int64](tab, "document.documentElement.scrollWidth"); wide > narrow.width {
			t.Errorf("%s with text spaced out is %d pixels wide, of %d", path, wide, narrow.width)
		}
	}
	tab.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var answer struct{}
		return t.Call(ctx, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "forced-colors", "value": "active"}}}, &answer)
	}))
	tab.open("/team/finance", http.StatusOK)
	tab.click(linkTo("This year"), http.StatusOK)
	for _, test := range []struct{ name, one, other, property string }{
		{"the chosen chip's edge", ".chips [aria-current]", ".chips a:not([aria-current], .clear)", "borderTopWidth"},
		{"the present month's bar", ".months .present svg:not([width])", ".months li:not(.present) svg:not([width])", "fill"},
	} {
		look := func(selector string) string {
			return evaluate[string](tab, fmt.Sprintf("getComputedStyle(document.querySelector(%q)).%s", selector, test.property))
		}
		if one, other := look(test.one), look(test.other); one == other {
			t.Errorf("in forced colours %s is %s as every other is", test.name, one)
		}
	}
}

// TestKeyboardReachesEverything tabs through pages: every link, button and field
// is reached in the order in which it stands, its focus is seen, and the first
// of them skips to the content.
func TestKeyboardReachesEverything(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	r := startOnLocalhost(t, setup{provider: devidp.Config{}})
	tab := openTab(t, chromium, r.BaseURL)
	tab.signIn("Hannah Smith")
	for _, path := range []string{"/", "/dashboard", "/profile", "/team/finance", "/expenses?q=lunch", "/team/finance/expenses/new", "/expenses/import", "/sessions"} {
		tab.open(path, http.StatusOK)
		// A form has the focus on its first field: begin before everything.
		tab.do(chromedp.Evaluate[chromedp.Void](`document.body.tabIndex = -1; document.body.focus(); undefined`))
		want := evaluate[[]string](tab, `
			window.stops = Array.from(document.querySelectorAll("a[href], button, input:not([type=hidden]), textarea, select, summary")).filter(e => e.checkVisibility());
			stops.map(e => e.outerHTML.slice(0, 80))`)
		tab.do(chromedp.Evaluate[chromedp.Void](`window.reached = []; document.addEventListener("focusin", event => {
			const e = event.target, box = e.getBoundingClientRect(), style = getComputedStyle(e);
			reached.push({At: stops.indexOf(e), Seen: style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2, Inside: box.bottom > 0 && box.top < innerHeight});
		}); undefined`))
		// A field for a date takes several presses, so that these may be too many.
		presses := len(want) + 3*evaluate[int](tab, `stops.filter(e => e.type === "date").length`)
		for range presses {
			tab.do(chromedp.KeyEvent(kb.Tab))
		}
		var got []string
		for _, focus := range evaluate[[]struct {
			At     int
			Seen   bool
			Inside bool
		}](tab, `reached`) {
			if focus.At < 0 || focus.At == 0 && len(got) > 0 {
				break // it has left the page, or begins again
			}
			if len(got) > 0 && got[len(got)-1] == want[focus.At] {
				continue
			}
			got = append(got, want[focus.At])
			if !focus.Seen || !focus.Inside {
				t.Errorf("%s: the focus is not seen on %s", path, want[focus.At])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: Tab reaches\n%q, want\n%q", path, got, want)
		}
	}
	tab.open("/dashboard", http.StatusOK)
	tab.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	if focused := tab.focused("id"); focused != "content" {
		t.Errorf("the first link leads to %q, want the content", focused)
	}
}
