package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// A recorded request of somebody, to be answered again and again.
type repeated struct {
	handler http.Handler
	request *http.Request
	answer  discarded
}

// discarded is an http.ResponseWriter that keeps the status only.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header { return d.header }

func (d *discarded) WriteHeader(status int) { d.status = status }

func (d *discarded) Write(data []byte) (int, error) { return len(data), nil }

func (d *discarded) WriteString(text string) (int, error) { return len(text), nil }

// once answers the request.
func (p *repeated) once(t testing.TB) {
	clear(p.answer.header)
	p.answer.status = http.StatusOK
	p.handler.ServeHTTP(&p.answer, p.request)
	if p.answer.status != http.StatusOK {
		t.Fatalf("%s = %d", p.request.URL, p.answer.status)
	}
}

// repeatedRequests are the requests whose cost is watched, by name, with their
// limits of allocations; zero is none. The access log goes to a file.
func repeatedRequests(t testing.TB) map[string]*repeated {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	r := startSite(t, setup{log: file})
	cookies := map[string]string{}
	for _, address := range []string{admin, finance} {
		b := r.Browser()
		b.SignIn(address)
		for name, value := range b.Cookies() {
			if name == "expense_session" {
				cookies[address] = name + "=" + value
			}
		}
	}
	handler := r.site.routes()
	requests := map[string]*repeated{}
	for name, at := range map[string]struct{ path, who string }{
		"home/guest":      {"/", ""},
		"home/member":     {"/", finance},
		"dashboard/admin": {"/dashboard", admin},
		"team/first page": {"/team/finance", finance},
		"team/sorted":     {"/team/finance?sort=amount&order=asc&category=Meals", finance},
		"static":          {"/static/style.css", ""},
	} {
		request := httptest.NewRequest(http.MethodGet, at.path, nil)
		request.Header.Set("Accept", "text/html")
		request.Header.Set("Accept-Language", "en-US,en;q=0.9")
		if at.who != "" {
			request.Header.Set("Cookie", cookies[at.who])
		}
		requests[name] = &repeated{handler, request, discarded{header: http.Header{}}}
	}
	return requests
}

// BenchmarkRequest is what a request costs beside net/http, all middleware,
// the access log and the session's checks counted.
func BenchmarkRequest(b *testing.B) {
	for name, request := range repeatedRequests(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request.once(b)
			}
		})
	}
}

// TestAllocations holds the number of allocations of a request below its limit.
func TestAllocations(t *testing.T) {
	requests := repeatedRequests(t)
	for name, limit := range map[string]float64{"home/guest": 40, "dashboard/admin": 100, "team/first page": 100, "team/sorted": 100} {
		if got := testing.AllocsPerRun(200, func() { requests[name].once(t) }); got >= limit {
			t.Errorf("%s: %v allocations, want under %v", name, got, limit)
		}
	}
}
