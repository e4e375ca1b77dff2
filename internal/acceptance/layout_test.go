package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"expense-dashboard/internal/apptest"
)

// startWithExpenses starts the program with a few expenses of Carol Lee's, of
// this month and of the first day of the last, in more categories than a page shows.
func startWithExpenses(t *testing.T) *program {
	t.Helper()
	r := startOnLocalhost(t, setup{env: map[string]string{"SAMPLE_DATA": "false"}})
	b := r.Browser()
	b.SignIn(finance)
	today := time.Now()
	lastMonth := time.Date(today.Year(), today.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	for i, category := range []string{"Travel", "Meals", "Software", "Services", "Marketing", "Office", "Books"} {
		for j, day := range []time.Time{today, lastMonth} {
			b.Post("/team/finance/expenses", url.Values{
				"date": {day.Format(time.DateOnly)}, "item": {fmt.Sprintf("%s, number %d", category, j+1)}, "category": {category}, "amount": {fmt.Sprintf("%d.00", 10*(i+1))},
			}).Check(t, http.StatusSeeOther)
		}
	}
	return r
}

// TestFirstRowIsNear measures where the list of a team's page begins: on the
// first screen of a desk, and after one swipe on a phone.
func TestFirstRowIsNear(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	r := startWithExpenses(t)
	tab := openTab(t, chromium, r.BaseURL)
	tab.signIn("Carol Lee")
	for _, screen := range []struct {
		width, height int64
		within        float64
	}{{1280, 800, 800}, {375, 667, 1000}} {
		tab.do(chromedp.EmulateViewport(screen.width, screen.height))
		tab.open("/team/finance", http.StatusOK)
		if end := evaluate[float64](tab, `document.querySelector("table.ledger tbody tr").getBoundingClientRect().bottom`); end > screen.within {
			t.Errorf("on a screen %d wide the first row ends at %.0f, want %.0f at most", screen.width, end, screen.within)
		}
	}
}

// TestFormsLieBesideEachOther wants nothing of what a lead does with an expense to lie
// under something else.
func TestFormsLieBesideEachOther(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	teams, err := filepath.Abs("../../examples/teams.json")
	if err != nil {
		t.Fatal(err)
	}
	r := startOnLocalhost(t, setup{env: map[string]string{"SAMPLE_DATA": "false", "TEAMS_FILE": teams}})
	carol := r.Browser()
	carol.SignIn(finance)
	e := carol.LogExpense("finance", apptest.ExpenseForm())
	tab := openTab(t, chromium, r.BaseURL)
	tab.signIn("Diana Park")
	for _, screen := range []struct{ width, height int64 }{{1280, 1600}, {375, 2400}} {
		tab.do(chromedp.EmulateViewport(screen.width, screen.height))
		tab.open(e.Path(), http.StatusOK)
		covered := evaluate[[]string](tab, `Array.from(document.querySelectorAll("main :is(input:not([type=hidden]), textarea, button)")).filter(e => {
			const box = e.getBoundingClientRect();
			return !e.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
		}).map(e => e.outerHTML)`)
		if fields := evaluate[int](tab, `document.querySelectorAll("#amount, #reason").length`); fields != 2 || len(covered) > 0 {
			t.Errorf("on a screen %d wide, of %d fields, are covered: %q", screen.width, fields, covered)
		}
	}
}

// TestTenExpensesByKeyboard logs ten expenses without a mouse and counts the keys
// beside what is typed.
func TestTenExpensesByKeyboard(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	r := startWithExpenses(t)
	tab := openTab(t, chromium, r.BaseURL)
	tab.signIn("Carol Lee")
	keys := 0
	press := func(key string) {
		keys++
		tab.do(chromedp.KeyEvent(key))
	}
	tab.open("/team/finance/expenses/new", http.StatusOK)
	for i := range 10 {
		tab.do(chromedp.KeyEvent(fmt.Sprintf("Ticket %d", i)))
		press(kb.Tab)
		tab.do(chromedp.KeyEvent("12.50"))
		if i == 0 {
			press(kb.Tab) // over the refund
			press(kb.Tab)
			tab.do(chromedp.KeyEvent("Travel"))
			for focused := ""; focused != "Log and add another" && keys < 40; {
				press(kb.Tab)
				focused = evaluate[string](tab, `document.activeElement.innerText || ""`)
			}
		}
		keys++
		tab.lead(http.StatusOK, chromedp.KeyEvent(kb.Enter))
		if focused := tab.focused("id"); focused != "item" {
			t.Fatalf("after expense %d the focus is on %q", i, focused)
		}
		tab.shows(fmt.Sprintf("Logged: Ticket %d, $12.50.", i))
	}
	if keys > 40 {
		t.Errorf("ten expenses took %d keys beside what was typed, want 40 at most", keys)
	}
	tab.open("/team/finance?q=ticket", http.StatusOK)
	if rows := tab.texts("table.ledger tbody tr"); len(rows) != 10 || !strings.Contains(rows[0], "Travel") {
		t.Errorf("%d rows are logged: %q", len(rows), rows)
	}
}

// TestTwoClicksToAnExpense goes from the home page to a saved expense, which the
// list then shows first and tinted, with the focus on what is said of it.
func TestTwoClicksToAnExpense(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	r := startWithExpenses(t)
	tab := openTab(t, chromium, r.BaseURL)
	tab.signIn("Carol Lee")
	tab.open("/", http.StatusOK)
	tab.click(`//main//a[normalize-space()="Log an expense"]`, http.StatusOK)
	tab.do(chromedp.SendKeys(chromedp.ID("item"), "Harbour cruise"), chromedp.SendKeys(chromedp.ID("amount"), "99"), chromedp.SendKeys(chromedp.ID("category"), "Travel"))
	tab.click(button("Log expense"), http.StatusOK)
	if focused := tab.focused("innerText"); !strings.Contains(focused, "Logged: Harbour cruise, $99.00.") {
		t.Errorf("the focus is on %q", focused)
	}
	if title := evaluate[string](tab, "document.title"); !strings.HasPrefix(title, "Logged: Harbour cruise, $99.00. · Finance") {
		t.Errorf("the title is %q", title)
	}
	if rows := tab.texts("table.ledger tbody tr:first-child.new .item"); !slices.Equal(rows, []string{"Harbour cruise"}) {
		t.Errorf("the first row, tinted, is %q", rows)
	}
}

// TestAccessibilityTree keeps what a screen reader is told of the five main pages
// in a file, so that a change of it is read by somebody. UPDATE_GOLDEN=1 writes it.
func TestAccessibilityTree(t *testing.T) {
	t.Parallel()
	const golden = "testdata/accessibility.golden"
	chromium := startChromium(t)
	r := startWithExpenses(t)
	tab := openTab(t, chromium, r.BaseURL)
	tab.signIn("Carol Lee")
	tab.open("/team/finance?q=travel&sort=item", http.StatusOK)
	anExpense := evaluate[string](tab, `document.querySelector(".ledger tbody a").getAttribute("href")`)
	var text strings.Builder
	for _, page := range []struct{ name, path string }{
		{"home", "/"}, {"dashboard", "/dashboard"}, {"team", "/team/finance?q=travel"}, {"new expense", "/team/finance/expenses/new"}, {"expense", anExpense},
	} {
		tab.open(page.path, http.StatusOK)
		tree := tab.accessibilityTree()
		tab.saysChartOnce(page.name, tree)
		fmt.Fprintf(&text, "== %s\n%s", page.name, tree)
	}
	got := steady(text.String())
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("a screen reader is told\n%s\nand not what %s holds", got, golden)
	}
}

// saysChartOnce asserts that a screen reader is told each month of the page's chart
// once, and nothing of what is drawn beside the bars.
func (b *tab) saysChartOnce(page, tree string) {
	b.t.Helper()
	for _, month := range b.texts(".months .unseen") {
		if n := strings.Count(tree, fmt.Sprintf("StaticText %q\n", month)); n != 1 {
			b.t.Errorf("%s: %q is said %d times, want once", page, month, n)
		}
	}
	for _, drawn := range b.texts(".months [aria-hidden]:is(.short, .tick)") {
		if strings.Contains(tree, fmt.Sprintf("StaticText %q\n", drawn)) {
			b.t.Errorf("%s: %q is drawn and said too", page, drawn)
		}
	}
}

// steady takes out of a text what changes from day to day.
func steady(text string) string {
	text = regexp.MustCompile(`\b(January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b`).ReplaceAllString(text, "MONTH")
	text = regexp.MustCompile(`\d{1,2} MONTH \d{4}(, \d\d:\d\d \S+)?`).ReplaceAllString(text, "DAY")
	text = regexp.MustCompile(`\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d\d-\d\d`).ReplaceAllString(text, "DAY")
	// What is this year's is less in January.
	text = regexp.MustCompile(`\d+ expenses?`).ReplaceAllString(text, "N expenses")
	text = regexp.MustCompile(`\$[\d,]+\.\d\d`).ReplaceAllString(text, "AMOUNT")
	return regexp.MustCompile(`MONTH \d{4}`).ReplaceAllString(text, "MONTH YEAR")
}

// accessibilityTree lists what a screen reader is told of the page: a line for
// each element, indented as they stand in each other.
func (b *tab) accessibilityTree() string {
	b.t.Helper()
	type value struct {
		Value any `json:"value"`
	}
	type node struct {
		NodeID   string   `json:"nodeId"`
		Ignored  bool     `json:"ignored"`
		Role     value    `json:"role"`
		Name     value    `json:"name"`
		ChildIDs []string `json:"childIds"`
	}
	var answer struct {
		Nodes []node `json:"nodes"`
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return t.Call(ctx, "Accessibility.getFullAXTree", map[string]any{}, &answer)
	}))
	byID := map[string]node{}
	for _, n := range answer.Nodes {
		byID[n.NodeID] = n
	}
	var text strings.Builder
	var list func(id string, depth int)
	list = func(id string, depth int) {
		n := byID[id]
		role := fmt.Sprint(n.Role.Value)
		if !n.Ignored && !slices.Contains([]string{"none", "generic", "InlineTextBox", "ListMarker", "LineBreak"}, role) {
			fmt.Fprintf(&text, "%s%s %q\n", strings.Repeat("  ", depth), role, fmt.Sprint(n.Name.Value))
			depth++
		}
		if role == "StaticText" || role == "Date" || role == "DateTime" || role == "MenuListPopup" {
			return
		}
		for _, child := range n.ChildIDs {
			list(child, depth)
		}
	}
	if len(answer.Nodes) == 0 {
		b.t.Fatal("the page has no accessibility tree")
	}
	list(answer.Nodes[0].NodeID, 0)
	return text.String()
}
