package page

import "testing"

func TestLinked(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/team/hr/expenses/abc":   `<a href="/team/hr/expenses/abc">Lunch</a>`,
		`/team/"><script>?a=1&b=`: `<a href="/team/&#34;&gt;&lt;script&gt;?a=1&amp;b=">Lunch</a>`,
		"javascript:alert(1)":     "Lunch",
		"https://evil.example":    "Lunch",
		"//evil.example":          "Lunch",
		`/\evil.example`:          "Lunch",
		"":                        "Lunch",
	} {
		if got := linked(address, "Lunch"); string(got) != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	rows, err := testEnglish.rows([]ExpenseLine{{Expense: hostileExpense}, {Expense: testExpense, Pick: true}}, "item", "", "amount")
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	const text = "&#34;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&lt;b onclick=x style=y&gt;&amp;"
	if want := `<td role="cell" class="item">` + text + `</td><td role="cell" class="number">$0.00</td>`; string(rows[0].Cells) != want || rows[0].Name != "" {
		t.Errorf("%+v, want cells %s", rows[0], want)
	}
	if want := "Team Lunch, 2 Mar 2026"; string(rows[1].Name) != want {
		t.Errorf("name %q, want %q", rows[1].Name, want)
	}
	if _, err := testEnglish.rows([]ExpenseLine{{}}, "nothing"); err == nil {
		t.Error("a cell that is none has no error")
	}
}
