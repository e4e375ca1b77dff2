package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"expense-dashboard/internal/storetest"
)

// A NUL and bytes that are no UTF-8, which PostgreSQL holds in no text, are
// somebody's mistake wherever they come: in a path, a query or a form.
func TestBrokenText(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startSite(t, setup{env: map[string]string{
			"DATABASE_URL": databaseURL, "SAMPLE_DATA": "true", "BACKCHANNEL_LOGOUT": "true", "UNIVERSAL_LOGOUT": "true",
		}})
		b := r.Browser()
		b.SignIn(admin)
		known := regexp.MustCompile(`/team/finance/expenses/[a-z2-7]{26}`).FindString(strings.ToLower(b.Get("/team/finance").Body))
		expense := known[strings.LastIndex(known, "/")+1:]
		parameter := regexp.MustCompile(`\{[a-z]+\}`)
		query, form := url.Values{}, url.Values{}
		for _, name := range []string{
			"q", "person", "category", "from", "to", "team", "status", "min", "max", "sort", "order", "after", "before", "like", "for",
			"return_to", "login_hint", "iss", "sid", "target_link_uri", "state", "code", "month", "kind",
		} {
			query.Set(name, "")
		}
		for _, name := range []string{
			"date", "item", "category", "amount", "note", "person", "submission", "version", "return_to", "sub", "into", "name", "value",
			"expense", "action", "reason", "month", "confirm", "team", "logout_token",
		} {
			form.Set(name, "")
		}
		values := []string{"\x00", "\xff", "a\x00b", "\xed\xa0\x80"}
		if strings.HasPrefix(databaseURL, "sqlite:") {
			values = values[2:] // SQLite takes a NUL and refuses nothing: what the first two hold is in these too
		}
		for path, methods := range r.site.table() {
			if path == "/logout" {
				continue
			}
			path = strings.TrimSuffix(path, "{$}")
			fits := strings.NewReplacer("{id}", "finance", "{expense}", expense).Replace(path)
			for i, broken := range values {
				escaped := url.PathEscape(broken)
				if parameter.MatchString(path) {
					for method := range methods {
						page := b.Send(method, parameter.ReplaceAllString(path, escaped), url.Values{})
						page.Check(t, http.StatusNotFound)
					}
					half := strings.Replace(strings.Replace(path, "{id}", "finance", 1), "{expense}", escaped, 1)
					for method := range methods {
						if page := b.Send(method, half, url.Values{"version": {"1"}}); page.Status >= 500 {
							t.Errorf("%s %q = %d", method, half, page.Status)
						}
					}
				}
				if i >= 2 {
					continue // a name of a query or a form gets the first two
				}
				for name := range query {
					target := fits + "?" + name + "=" + url.QueryEscape(broken)
					if methods[http.MethodGet] == nil {
						continue
					}
					if page := b.Get(target); page.Status >= 500 && page.Status != http.StatusBadGateway {
						t.Errorf("GET %q = %d: %s", target, page.Status, page.Text())
					}
				}
				for name := range form {
					if methods[http.MethodPost] == nil {
						continue
					}
					sent := url.Values{"version": {"1"}, "date": {"2026-01-02"}, "item": {"Tea"}, "category": {"Travel"}, "amount": {"1.00"}}
					sent.Set(name, broken)
					if page := b.Post(fits, sent); page.Status >= 500 {
						t.Errorf("POST %q with %s %q = %d: %s", fits, name, broken, page.Status, page.Text())
					}
				}
			}
		}
	})
}
