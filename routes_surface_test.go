package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/config"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/openid"
	serverpkg "expense-dashboard/internal/server"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/weburl"
)

// surfaceRow is a request and the status of its answer. The target OPTIONS *
// and methods of net/http's own are sent as they are.
type surfaceRow struct {
	name, method, target string
	status               int
	form                 url.Values
	fields               []string // of the header: name, value, name, value
}

func surfaceRows(style string) []surfaceRow {
	anything := []string{"Accept", "application/json"}
	return []surfaceRow{
		{"home", "GET", "/", 200, nil, nil},
		{"dashboard", "GET", "/dashboard", 200, nil, nil},
		{"team", "GET", "/team/finance", 200, nil, nil},
		{"profile as JSON", "GET", "/profile", 200, nil, anything},
		{"CSV", "GET", "/team/finance/expenses.csv", 200, nil, nil},
		{"JSON", "GET", "/team/finance/expenses.json", 200, nil, nil},
		{"HEAD", "HEAD", "/dashboard", 200, nil, nil},
		{"style", "GET", style, 200, nil, nil},
		{"style without its version", "GET", "/static/style.css", 200, nil, nil},
		{"style not modified", "GET", style, 304, nil, []string{"If-None-Match", `*`}},
		{"part of the style", "GET", style, 206, nil, []string{"Range", "bytes=0-3"}},
		{"no part of the style", "GET", style, 416, nil, []string{"Range", "bytes=9999999-"}},
		{"no such file", "GET", "/static/none", 404, nil, nil},
		{"no listing", "GET", "/static/", 404, nil, nil},
		{"healthz", "GET", "/healthz", 200, nil, nil},
		{"readyz", "GET", "/readyz", 200, nil, nil},
		{"redirect to the provider", "GET", "/login", 303, nil, nil},
		{"redirect to a clean path", "GET", "//team//finance", 307, nil, nil},
		{"callback of nobody", "GET", openid.CallbackPath, 400, nil, nil},
		{"query not understood", "GET", "/team/finance?sort=odd", 400, nil, nil},
		{"import of somebody else", "GET", web.ImportPath, 404, nil, nil},
		{"foreign team", "GET", "/team/hr", 404, nil, nil},
		{"unknown page", "GET", "/unknown", 404, nil, nil},
		{"unknown page as JSON", "GET", "/unknown", 404, nil, anything},
		{"POST where there is none", "POST", "/dashboard", 405, url.Values{}, nil},
		{"HEAD of the callback", "HEAD", openid.CallbackPath, 405, nil, nil},
		{"TRACE", "TRACE", "/dashboard", 405, nil, nil},
		{"OPTIONS", "OPTIONS", "/dashboard", 405, nil, nil},
		{"unknown method", "ODD", "/", 405, nil, nil},
		{"form of another site", "POST", session.LogoutPath, 403, url.Values{}, []string{"Sec-Fetch-Site", "cross-site"}},
		{"link to sign out on another site", "GET", session.LogoutPath, 200, nil, []string{"Sec-Fetch-Site", "cross-site"}},
		{"body that is too large", "POST", "/team/finance/expenses", 413, url.Values{"note": {strings.Repeat("n", web.MaxForm)}}, nil},
		{"form with mistakes", "POST", "/team/finance/expenses", 422, url.Values{}, nil},
		{"Logout Token that is none", "POST", backChannelLogoutPath, 400, url.Values{}, nil},
		{"revocation by nobody", "POST", universalLogoutPath, 401, url.Values{}, nil},
	}
}

func TestEveryAnswerHasItsSecurityHeaders(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{true, false} {
		t.Run(fmt.Sprintf("https %v", https), func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{https: https, env: logoutEnv()})
			member, guest := r.Browser(), r.Browser()
			style := regexp.MustCompile(`/static/style\.css\?v=[0-9a-f]+`).FindString(member.SignIn(finance).Body)
			frame := frontChannelLogoutPath + "?" + url.Values{"iss": {r.Provider.Issuer()}, "sid": {"unknown"}}.Encode()
			rows := append(surfaceRows(style),
				surfaceRow{"frame of the provider's", "GET", frame, 200, nil, nil}, surfaceRow{"HEAD of the frame", "HEAD", frame, 200, nil, nil},
				surfaceRow{"frame that is refused", "GET", frontChannelLogoutPath, 400, nil, nil}, surfaceRow{"frame by POST", "POST", frame, 405, url.Values{}, nil})
			for _, row := range rows {
				t.Run(row.name, func(t *testing.T) {
					page := member.Send(row.method, row.target, row.form, row.fields...)
					page.Check(t, row.status)
					checkSecurityHeaders(t, r, page)
				})
			}
			others := map[string]*reply{
				"not signed in":         guest.Get("/dashboard"),
				"not signed in, a file": guest.Get("/team/finance/expenses.csv", "Accept", "text/csv"),
				"end of the session":    member.Post(session.LogoutPath, nil),
				"OPTIONS *":             rawAnswer(t, r, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
				"panic":                 panicked(t, r, guest),
			}
			for name, status := range map[string]int{"not signed in": 303, "not signed in, a file": 401, "end of the session": 200, "OPTIONS *": 404, "panic": 500} {
				t.Run(name, func(t *testing.T) {
					others[name].Check(t, status)
					checkSecurityHeaders(t, r, others[name])
				})
			}
		})
	}
}

// panicked makes a handler panic and returns the answer. Nobody
// can sign in from then on.
func panicked(t *testing.T, r *rig, b *browser) *reply {
	t.Helper()
	b.SignIn(finance)
	r.site.signIn.pending = nil
	return b.Get("/login")
}

func checkSecurityHeaders(t *testing.T, r *rig, page *reply) {
	t.Helper()
	wanted := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Strict-Transport-Security": "", "Server": "", "X-Powered-By": "", "Access-Control-Allow-Origin": "",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
	}
	if page.URL.Path == frontChannelLogoutPath && page.Status != http.StatusMethodNotAllowed {
		wanted["Content-Security-Policy"] = "default-src 'none'; frame-ancestors " + weburl.Origin(r.Provider.Issuer())
		wanted["Cross-Origin-Resource-Policy"] = "cross-origin"
	}
	for name, want := range wanted {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	isFile := strings.HasPrefix(page.URL.Path, "/static/") && page.Status < 400
	if cached := page.Header.Get("Cache-Control"); page.Status == http.StatusRequestedRangeNotSatisfiable {
		// There is nothing in it to keep.
	} else if isFile != strings.HasPrefix(cached, "public, ") || !isFile && cached != "no-store" {
		t.Errorf("Cache-Control = %q", cached)
	}
	if isFile && page.Header.Get("Set-Cookie") != "" {
		t.Error("a file that anybody may keep comes with a cookie")
	}
	mediaType := page.Header.Get("Content-Type")
	if page.Body != "" && (mediaType == "" || strings.HasPrefix(mediaType, "text/") && !strings.Contains(mediaType, "charset=utf-8")) {
		t.Errorf("Content-Type = %q", mediaType)
	}
}

// dialed is a connection to a rig that a test writes its own requests to.
func dialed(t *testing.T, addr string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	// A hang is a failure, not a timeout of all tests.
	if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// rawAnswer sends a request as it is and returns what is answered.
func rawAnswer(t *testing.T, r *rig, request string) *reply {
	t.Helper()
	base, err := url.Parse(r.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	connection := dialed(t, base.Host)
	if base.Scheme == "https" {
		connection = tls.Client(connection, &tls.Config{InsecureSkipVerify: true}) // a certificate for this test
	}
	// What is refused early need not be written whole.
	go func() { _, _ = io.WriteString(connection, request) }()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{Status: response.StatusCode, Header: response.Header, Body: string(body), URL: base}
}

// TestPanicIsAnErrorPage is a mistake in a handler: one page with a reference,
// one line with the stack, and everybody else is served.
func TestPanicIsAnErrorPage(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	page := panicked(t, r, b)
	page.Check(t, http.StatusInternalServerError, "Something went wrong", "!goroutine", "!nil pointer", "!.go:")
	reference := strings.TrimSuffix(strings.TrimPrefix(referenceText.FindString(page.Body), "<code>"), "</code>")
	var stacks, requests int
	for line := range strings.Lines(r.Log.String()) {
		if reference != "" && strings.Contains(line, "ref="+reference) {
			stacks += strings.Count(line, "runtime/debug.Stack")
			requests += strings.Count(line, "msg=request method=GET path=/login status=500")
		}
	}
	if stacks != 1 || requests != 1 {
		t.Errorf("reference %q has %d lines with a stack and %d of a request: %s", reference, stacks, requests, r.Log)
	}
	b.Get("/").Check(t, http.StatusOK, "Carol Lee")
	b.Get("/healthz").Check(t, http.StatusOK)
	if strings.Contains(r.Log.String(), "http: panic serving") {
		t.Error("the panic went past the site")
	}
}

// TestOversizedHeaders are refused before anybody reads them, and nobody else
// notices.
func TestOversizedHeaders(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for name, request := range map[string]string{
		"a field":     "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("x", 2*serverpkg.MaxHeader) + "\r\n\r\n",
		"many fields": "GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("Cookie: a=b\r\n", serverpkg.MaxHeader/8) + "\r\n",
		"the path":    "GET /" + strings.Repeat("x", 2*serverpkg.MaxHeader) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		page := rawAnswer(t, r, request)
		if page.Check(t, http.StatusRequestHeaderFieldsTooLarge, "431 Request Header Fields Too Large", "!xxx"); page.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: a cookie is set", name)
		}
	}
	b.Get("/dashboard", "X-Long", strings.Repeat("x", serverpkg.MaxHeader*3/4)).Check(t, http.StatusOK, "Carol Lee")
	for name, request := range map[string]string{
		"no request":      "\x16\x03\x01 hello\r\n\r\n",
		"no host":         "GET / HTTP/1.1\r\n\r\n",
		"two lengths":     "POST /logout HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"folded field":    "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b: c\r\n: d\r\n\r\n",
		"odd length":      "POST /logout HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
		"unknown framing": "POST /logout HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n",
	} {
		if page := rawAnswer(t, r, request); page.Status != 400 && page.Status != 501 {
			t.Errorf("%s: status %d", name, page.Status)
		}
	}
	b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

// startServer serves a handler as the program does, with limits that a test can
// wait for, and returns its address.
func startServer(t *testing.T, log io.Writer, handler http.Handler, change func(*http.Server)) string {
	t.Helper()
	server := serverpkg.New(t.Context(), handler, time.Minute, logging.New("text", slog.LevelInfo, log))
	change(server)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}

// TestSlowClients take no longer than they are given. The limits are shortened;
// TestSlowHeaderOfTheProgram waits for a real one.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const short = 200 * time.Millisecond
	t.Run("no limit is left out", func(t *testing.T) {
		s := serverpkg.New(t.Context(), nil, time.Minute, slog.New(slog.DiscardHandler))
		for name, limit := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "body": s.ReadTimeout, "answer": s.WriteTimeout, "idle": s.IdleTimeout} {
			if limit <= 0 || limit > 2*time.Minute {
				t.Errorf("%s: %v", name, limit)
			}
		}
	})
	t.Run("header", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{})
		connection := dialed(t, startServer(t, r.Log, r.site.routes(), func(s *http.Server) { s.ReadHeaderTimeout = short }))
		fmt.Fprint(connection, "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
		checkClosed(t, connection, "")
		if strings.Contains(r.Log.String(), "path=/healthz") {
			t.Error("half a request is taken for a whole one")
		}
	})
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{})
		connection := dialed(t, startServer(t, r.Log, r.site.routes(), func(s *http.Server) { s.IdleTimeout = short }))
		fmt.Fprint(connection, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
		checkClosed(t, connection, "200 OK")
	})
	t.Run("form", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{})
		b := r.Browser()
		b.SignIn(finance)
		connection := dialed(t, startServer(t, r.Log, r.site.routes(), func(s *http.Server) { s.ReadTimeout = short }))
		r.Unchanged(func() {
			fmt.Fprint(connection, "POST /team/finance/expenses HTTP/1.1\r\nHost: a\r\n"+b.CookieHeader()+
				"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n"+apptest.ExpenseForm().Encode())
			checkClosed(t, connection, "408 Request Timeout", "That took too long")
		})
	})
	t.Run("upload has longer, and its answer too", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{})
		b := r.Browser()
		b.SignIn(admin)
		connection := dialed(t, startServer(t, r.Log, r.site.routes(), func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = short, short }))
		body, mediaType := aMultipartForm(t)
		fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", web.ImportPath, b.CookieHeader(), mediaType, len(body), body[:20])
		time.Sleep(2 * short)
		fmt.Fprint(connection, body[20:])
		checkClosed(t, connection, "422 Unprocessable Entity", "This file cannot be read")
	})
	t.Run("reader", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{})
		ended := make(chan struct{})
		endlessly := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) { defer close(ended); endless(w, request) })
		connection := dialed(t, startServer(t, r.Log, endlessly, func(s *http.Server) { s.WriteTimeout = short }))
		fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		<-ended // or the test never does
	})
}

func aMultipartForm(t *testing.T) (body, mediaType string) {
	t.Helper()
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	part, err := form.CreateFormFile("file", "expenses.csv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(part, "no such column\n")
	form.Close()
	return buffer.String(), form.FormDataContentType()
}

// checkClosed reads until the server closes a connection; what it has sent
// until then must hold the texts, or be nothing.
func checkClosed(t *testing.T, connection net.Conn, texts ...string) {
	t.Helper()
	got, err := io.ReadAll(connection)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the connection is open: %v", err)
	}
	for _, text := range texts {
		if !strings.Contains(string(got), text) || text == "" && len(got) > 0 {
			t.Errorf("the answer does not hold %q: %.2000s", text, got)
		}
	}
}

// TestSlowHeaderOfTheProgram holds the limit that the program has.
func TestSlowHeaderOfTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	t.Parallel()
	r := startProgram(t, setup{})
	connection := dialed(t, strings.TrimPrefix(r.BaseURL, "http://"))
	fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
	checkClosed(t, connection, "")
}

// TestFloodOfConnections keeps thousands of connections open and idle, and
// hundreds that never finish a header, while somebody works. It is not parallel:
// the race detector allows 8,128 goroutines in all.
func TestFloodOfConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("needs many file descriptors")
	}
	idle, slow := 5000, 500
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if room := int(min(limit.Cur, 1<<20)); room < 2*(idle+slow)+1000 {
		idle, slow = room/4, room/16 // both ends are here
		t.Logf("only %d file descriptors: %d idle and %d slow connections", room, idle, slow)
	}
	r := startSite(t, setup{})
	addr := startServer(t, r.Log, r.site.routes(), func(s *http.Server) { s.ReadHeaderTimeout = time.Second })
	b := r.Browser()
	b.SignIn(finance)
	kept := make([]net.Conn, idle)
	for i := range kept {
		kept[i] = dialed(t, addr)
		checkAlive(t, kept[i])
	}
	stop, cut := make(chan struct{}), make(chan int, 1)
	go func() { cut <- dripHeaders(addr, slow, stop) }()
	for range 3 {
		for _, i := range []int{0, idle / 2, idle - 1} {
			checkAlive(t, kept[i])
		}
		for range 20 {
			b.Get("http://"+addr+"/team/finance").Check(t, http.StatusOK, "$2,780.00")
		}
		time.Sleep(time.Second)
	}
	close(stop)
	if n := <-cut; n < slow {
		t.Errorf("%d of %d slow connections were cut off", n, slow)
	}
	b.Get("http://"+addr+"/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

// checkAlive asks for something on a connection that stays open.
func checkAlive(t *testing.T, connection net.Conn) {
	t.Helper()
	fmt.Fprint(connection, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatalf("an idle connection is of no use: %v", err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("an idle connection gets %d", answer.StatusCode)
	}
}

// dripHeaders keeps so many connections at the beginning of a request, each
// with a byte now and then, dials anew where one is cut off, and returns how
// often that was.
func dripHeaders(addr string, connections int, stop <-chan struct{}) (cut int) {
	open := make([]net.Conn, connections)
	defer func() {
		for _, connection := range open {
			if connection != nil {
				connection.Close()
			}
		}
	}()
	for {
		for i, connection := range open {
			select {
			case <-stop:
				return cut
			default:
			}
			if connection != nil {
				if _, err := connection.Write([]byte("x")); err == nil {
					continue
				}
				cut++
				connection.Close()
			}
			open[i], _ = net.Dial("tcp", addr)
			if open[i] != nil {
				_, _ = io.WriteString(open[i], "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestServeChild is the program that TestSIGTERM stops.
func TestServeChild(t *testing.T) {
	if os.Getenv("SERVE_CHILD") == "" {
		t.Skip("started by TestSIGTERM only")
	}
	os.Args = os.Args[:1]
	main()
}

// startChild starts the program as a process of its own, and returns it once it
// serves.
func startChild(t *testing.T, r *rig) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestServeChild$")
	child.Dir = t.TempDir()
	child.Env = []string{"SERVE_CHILD=true"}
	variables := r.variables(setup{})
	// An empty environment is refused, but only once every variable was asked for.
	_, _ = config.Load(func(name string) string {
		if value := variables.Get(name); value != "" {
			child.Env = append(child.Env, name+"="+value)
		}
		return ""
	})
	child.Stderr = r.Log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() }) // where it has not ended
	if err := r.WaitUntilServing(nil); err != nil {
		t.Fatal(err)
	}
	return child
}

// terminated sends SIGTERM and waits until nobody can connect any more.
func terminated(t *testing.T, r *rig, child *exec.Cmd) {
	t.Helper()
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for {
		connection, err := net.Dial("tcp", strings.TrimPrefix(r.BaseURL, "http://"))
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			connection.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestSIGTERM(t *testing.T) {
	t.Parallel()
	t.Run("a request in flight finishes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "http://"+apptest.FreeAddr(t), setup{})
		child := startChild(t, r)
		asked, release := make(chan struct{}), make(chan struct{})
		r.Provider.SetFaults(devidp.Faults{Token: func(map[string]any) { close(asked); <-release }})
		b := r.Browser()
		callback := b.BeginSignIn(finance).String()
		answer := make(chan *reply, 1)
		go func() { answer <- b.Get(callback) }()
		<-asked
		terminated(t, r, child)
		close(release)
		page := <-answer
		if page.Check(t, http.StatusSeeOther); page.Header.Get("Location") != "/dashboard" {
			t.Errorf("the sign-in in flight leads to %q", page.Header.Get("Location"))
		}
		if err := child.Wait(); err != nil {
			t.Errorf("the program ends with %v: %s", err, r.Log)
		}
	})
	t.Run("a request that never ends is cut off", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes ten seconds")
		}
		t.Parallel()
		r := newRig(t, "http://"+apptest.FreeAddr(t), setup{})
		child := startChild(t, r)
		b := r.Browser()
		b.SignIn(finance)
		connection := dialed(t, strings.TrimPrefix(r.BaseURL, "http://"))
		fmt.Fprint(connection, "POST /team/finance/expenses HTTP/1.1\r\nHost: a\r\n"+b.CookieHeader()+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
		if line, err := bufio.NewReader(connection).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("the form is not read: %q, %v", line, err)
		}
		terminated(t, r, child)
		if err := child.Wait(); err != nil || !strings.Contains(r.Log.String(), "requests were cut off") {
			t.Errorf("the program ends with %v: %s", err, r.Log)
		}
	})
}
