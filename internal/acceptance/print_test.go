package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// sheet is how many pixels wide a sheet of A4 is between its margins.
const sheet = 718

// TestPrint looks at pages as they are printed: what there is and how much of all, the
// sums once, and nothing that one can only use on a screen.
func TestPrint(t *testing.T) {
	t.Parallel()
	r := startOnLocalhost(t, setup{env: map[string]string{"SAMPLE_DATA": "false"}})
	printedExpenses(t, r, 150)
	tab := openTab(t, startChromium(t), r.BaseURL)
	tab.signIn("Hannah Smith")
	tab.do(chromedp.EmulateViewport(sheet, 1000), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var answer struct{}
		return t.Call(ctx, "Emulation.setEmulatedMedia", map[string]any{"media": "print"}, &answer)
	}))
	for _, test := range []struct {
		path  string
		once  []string // texts that stand on the sheets once
		shown []string // selectors of what is on them
	}{
		{"/team/finance", []string{"1–50 of 150", "All 150 expenses"}, []string{"h1", "dl.figures", ".months .present svg", ".months .present .short", ".bars svg", "table.ledger thead", "#by-person"}},
		{"/team/finance?category=Meals", []string{"1–50 of 75", "All 75 that match", "Only for Meals."}, []string{"h1", "dl.figures", ".months svg", "table.ledger thead"}},
		{"/dashboard", []string{"By team"}, []string{"h1", "dl.tiles", ".months svg", ".sparks", "table.comparison tfoot"}},
		{"/sessions", []string{"Who is signed in", "This one"}, []string{"h1", "table.visits thead", "table.visits td"}},
	} {
		tab.open(test.path, http.StatusOK)
		tab.isPrinted(test.once, test.shown)
	}
}

// printedExpenses imports a number of expenses of this month and the eleven before it.
func printedExpenses(t *testing.T, r *program, count int) {
	t.Helper()
	boss := r.Browser()
	boss.SignIn(admin)
	today := time.Now()
	var file strings.Builder
	fmt.Fprintln(&file, columns)
	for i := range count {
		day := time.Date(today.Year(), today.Month()-time.Month(i%12), 1, 0, 0, 0, 0, time.UTC)
		fmt.Fprintf(&file, ",%s,finance,%s,Supplies for the whole of the department number %d,%s,12345.60,\n",
			day.Format(time.DateOnly), []string{"Carol Lee", "Alice Johnson"}[i%2], i, []string{"Meals", "Travel"}[i%2])
	}
	answer := boss.Import(file.String())
	answer.Check(t, http.StatusSeeOther)
	if page := answer.Location(); strings.Contains(page, "/expenses/import/") {
		if c := finished(t, boss, page); c.State != "done" {
			t.Fatalf("the import is %+v", c)
		}
	}
}

// isPrinted asserts that texts stand once on the sheets that the page of the tab would
// make, that what selectors find is on them, that nothing is on them that only a screen
// can use, and that nothing is wider than a sheet.
func (b *tab) isPrinted(once, shown []string) {
	b.t.Helper()
	at := b.address().RequestURI()
	body := evaluate[string](b, "document.body.innerText")
	for _, text := range once {
		if n := strings.Count(body, text); n != 1 {
			b.t.Errorf("%s: %q is printed %d times, want once", at, text, n)
		}
	}
	for _, selector := range shown {
		if !evaluate[bool](b, fmt.Sprintf("document.querySelector(%q)?.checkVisibility() ?? false", selector)) {
			b.t.Errorf("%s: %s is not printed", at, selector)
		}
	}
	const useless = "nav, form, button, input, select, summary, .button, .pick, .filter, .log, .skip, .back, .arrow, .tiles a"
	if left := evaluate[[]string](b, fmt.Sprintf(`Array.from(document.querySelectorAll(%q)).filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 120))`, useless)); len(left) > 0 {
		b.t.Errorf("%s: of no use on paper is %q", at, left)
	}
	// What is a footer of a table stands below each part of it, on every sheet.
	if feet := evaluate[[]string](b, `Array.from(document.querySelectorAll("tfoot"), e => getComputedStyle(e).display)`); slices.Contains(feet, "table-footer-group") {
		b.t.Errorf("%s: the total stands on every sheet", at)
	}
	if wide := evaluate[float64](b, `Math.max(document.documentElement.scrollWidth, ...Array.from(document.querySelectorAll("table"), e => e.getBoundingClientRect().right))`); wide > sheet {
		b.t.Errorf("%s: %.0f pixels wide, and a sheet has %d", at, wide, sheet)
	}
}
