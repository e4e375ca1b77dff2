package acceptance

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestFormsInABrowser is what people do to a form besides filling it in once.
func TestFormsInABrowser(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	for _, test := range []struct {
		name string
		run  func(tab *tab)
	}{
		{"back, another item, send again", sentAgain},
		{"a double click and a reload count once", doubleClick},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(openTab(t, chromium, startOnLocalhost(t, setup{}).BaseURL))
		})
	}
}

// fill types into a field in place of what is there.
func (b *tab) fill(field, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue("#"+field, text))
}

// fillExpense fills in the form of an expense.
func (b *tab) fillExpense(item, amount string) {
	b.t.Helper()
	b.fill("item", item)
	b.fill("category", "Travel")
	b.fill("amount", amount)
}

// sentAgain goes back to a form that was sent, which the browser fetches anew, and
// sends it with something else in it: neither is lost.
func sentAgain(tab *tab) {
	tab.signIn("Carol Lee")
	tab.open("/team/finance/expenses/new", http.StatusOK)
	tab.fillExpense("Taxi", "12,50")
	tab.click(button("Log expense"), http.StatusOK)
	tab.shows("Logged: Taxi, $12.50.")
	tab.do(chromedp.NavigateBack())
	tab.fillExpense("Train", "9")
	tab.click(button("Log expense"), http.StatusOK)
	tab.shows("Logged: Train, $9.00.")
	tab.open("/team/finance?q=t&category=Travel", http.StatusOK)
	tab.shows("Taxi", "Train", "$21.50")
}

func doubleClick(tab *tab) {
	tab.signIn("Carol Lee")
	tab.open("/team/finance/expenses/new", http.StatusOK)
	tab.fillExpense("Clicked twice", "5")
	tab.lead(http.StatusOK, chromedp.DoubleClick(chromedp.Search(button("Log expense"))))
	tab.lead(http.StatusOK, chromedp.Reload())
	tab.open("/team/finance?q=clicked", http.StatusOK)
	tab.shows("Clicked twice", "$5.00")
	if rows := tab.texts("table.ledger tbody tr"); len(rows) != 1 {
		tab.t.Errorf("it counts %d times", len(rows))
	}
}
