package acceptance

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
)

// scrape returns the metrics as Prometheus would read them, by their names and
// labels.
func scrape(t *testing.T, addr string) map[string]string {
	t.Helper()
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET /metrics = %d, %v", response.StatusCode, err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && !strings.HasPrefix(line, "#") {
			values[strings.TrimPrefix(line[:i], "expense_dashboard_")] = strings.TrimSpace(line[i:])
		}
	}
	return values
}

// TestMetrics runs the program, signs in and out, walks about, and reads what
// was counted.
func TestMetrics(t *testing.T) {
	t.Chdir(t.TempDir())
	r := startProgram(t, setup{})
	addr := r.metrics
	b := r.Browser()
	b.SignIn(admin)
	b.Get("/team/canary-team")
	b.Get("/canary/path?canary=query")
	r.Browser().Get("/authorization-code/callback?state=canary&code=canary")
	r.Provider.SetFaults(devidp.Faults{Token: func(response map[string]any) { delete(response, "id_token") }})
	other := r.Browser()
	other.Choose(other.Visit("/login"), legal)
	b.Post("/logout", url.Values{})

	got := scrape(t, addr)
	for name, want := range map[string]string{
		"sign_in_works": "1",
		"writing_works": "1",
		`http_requests_total{route="GET /login",status="303"}`:                     "2",
		`http_requests_total{route="GET /dashboard",status="200"}`:                 "1",
		`http_requests_total{route="GET /team/{id}",status="404"}`:                 "1",
		`http_requests_total{route="none",status="404"}`:                           "1",
		`http_request_duration_seconds_count{route="GET /dashboard"}`:              "1",
		`sign_ins_total{result="ok"}`:                                              "1",
		`sign_ins_total{result="no_pending_login"}`:                                "1",
		`sign_ins_total{result="bad_answer"}`:                                      "1",
		`sessions_ended_total{reason="asked"}`:                                     "1",
		`provider_call_duration_seconds_count{endpoint="discovery",result="ok"}`:   "1",
		`provider_call_duration_seconds_count{endpoint="keys",result="ok"}`:        "1",
		`provider_call_duration_seconds_count{endpoint="token",result="ok"}`:       "2",
		`provider_call_duration_seconds_count{endpoint="userinfo",result="ok"}`:    "1",
		`database_call_duration_seconds_count{operation="write",result="ok"}`:      "2",
		`database_call_duration_seconds_count{operation="read",result="canceled"}`: "",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for name := range got {
		if strings.Contains(name, "canary") || strings.Contains(name, "@") {
			t.Errorf("%s holds a browser's words", name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_open_fds"} {
		if got[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	metricsOnly(t, r, addr)
}

// metricsOnly checks that each of the two addresses serves nothing of the other.
func metricsOnly(t *testing.T, r *program, addr string) {
	t.Helper()
	for _, path := range []string{"/", "/dashboard", "/debug/pprof/", "/healthz"} {
		response, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s on the address of the metrics = %d, want 404", path, response.StatusCode)
		}
	}
	r.Browser().Get("/metrics").Check(t, http.StatusNotFound, "!go_goroutines")
}

// TestMetricsAddrTaken wants the program to say so and end.
func TestMetricsAddrTaken(t *testing.T) {
	t.Chdir(t.TempDir())
	r := apptest.New(t, "http://"+apptest.FreeAddr(t), "sqlite:expenses.db", devidp.Config{}, devidp.Faults{})
	taken := strings.TrimSuffix(strings.TrimPrefix(r.Provider.Issuer(), "http://"), "/oauth2/default")
	_, stderr, status := typed(t, r.Env(map[string]string{"METRICS_ADDR": taken}))
	if status != 1 || !strings.Contains(stderr, "METRICS_ADDR") {
		t.Errorf("exit status %d with %q, want 1 and METRICS_ADDR named", status, stderr)
	}
}
