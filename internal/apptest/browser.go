package apptest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A Browser keeps cookies and follows redirects when told to.
type Browser struct {
	T      testing.TB
	Home   string // what targets are relative to
	Client *http.Client
	Trail  []string // of the last visit: the address of every answer
}

// A Reply is an answer to a browser, read whole.
type Reply struct {
	Status int
	Header http.Header
	Body   string
	URL    *url.URL
}

// Location is where an answer leads to by itself, by a redirect or as a page that
// goes on, as an absolute address.
func (r *Reply) Location() string {
	location := r.Header.Get("Location")
	if onward, ok := strings.CutPrefix(r.Header.Get("Refresh"), "0; url="); ok {
		location = onward
	}
	target, err := r.URL.Parse(location)
	if err != nil || location == "" {
		return ""
	}
	return target.String()
}

// Send sends a request, with header fields as name, value, name, value. A form
// that is not nil is its body.
func (b *Browser) Send(method, target string, form url.Values, fields ...string) *Reply {
	b.T.Helper()
	if form != nil {
		fields = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, fields...)
	}
	return b.SendBody(method, target, strings.NewReader(form.Encode()), fields...)
}

// SendBody is Send with any body.
func (b *Browser) SendBody(method, target string, body io.Reader, fields ...string) *Reply {
	b.T.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.Home + target
	}
	request, err := http.NewRequest(method, target, body)
	if err != nil {
		b.T.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for i := 0; i < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	response, err := b.Client.Do(request)
	if err != nil {
		b.T.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		b.T.Fatal(err)
	}
	for _, cookie := range response.Header["Set-Cookie"] {
		if len(cookie) > 4096 {
			b.T.Errorf("%s %s sets a cookie of %d bytes, more than browsers keep: %.40s…", method, request.URL.Path, len(cookie), cookie)
		}
	}
	return &Reply{response.StatusCode, response.Header, string(content), request.URL}
}

// Get sends a GET request, with header fields as in Send.
func (b *Browser) Get(target string, fields ...string) *Reply {
	b.T.Helper()
	return b.Send(http.MethodGet, target, nil, fields...)
}

// Post sends a form, with header fields as in Send.
func (b *Browser) Post(target string, form url.Values, fields ...string) *Reply {
	b.T.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.Send(http.MethodPost, target, form, fields...)
}

// Follow follows redirects from an answer to the page behind them.
func (b *Browser) Follow(r *Reply) *Reply {
	b.T.Helper()
	b.Trail = []string{r.URL.String()}
	for r.Location() != "" {
		if len(b.Trail) > 20 {
			b.T.Fatalf("redirects without end: %q", b.Trail)
		}
		r = b.Get(r.Location())
		b.Trail = append(b.Trail, r.URL.String())
	}
	return r
}

// Visit gets a page and follows redirects.
func (b *Browser) Visit(target string) *Reply {
	b.T.Helper()
	return b.Follow(b.Get(target))
}

// Choose answers the provider's page, which r must be, with an address, and
// follows redirects to the end.
func (b *Browser) Choose(r *Reply, email string) *Reply {
	b.T.Helper()
	if r.Status != http.StatusOK || !strings.Contains(r.Body, "Development sign-in") {
		b.T.Fatalf("%s is no sign-in page of the provider: %d %s", r.URL, r.Status, r.Text())
	}
	return b.Follow(b.Post(r.URL.String(), url.Values{"email": {email}}))
}

// SignIn signs in by the provider's page and must arrive at the dashboard.
func (b *Browser) SignIn(email string) *Reply {
	b.T.Helper()
	r := b.Choose(b.Visit("/login"), email)
	if r.Status != http.StatusOK || r.URL.Path != "/dashboard" {
		b.T.Fatalf("sign-in of %s ends at %s with %d: %s", email, r.URL.Path, r.Status, r.Text())
	}
	return r
}

// BeginSignIn signs in at the provider and returns the address that it sends
// the browser back to.
func (b *Browser) BeginSignIn(email string) *url.URL {
	b.T.Helper()
	login := b.Get("/login")
	if login.Status != http.StatusSeeOther {
		b.T.Fatalf("GET /login = %d: %s", login.Status, login.Text())
	}
	callback, err := url.Parse(b.Post(login.Location(), url.Values{"email": {email}}).Location())
	if err != nil || callback.Path != "/authorization-code/callback" {
		b.T.Fatalf("the provider sends the browser to %v, %v", callback, err)
	}
	return callback
}

// Cookies returns what the browser would send to sign out, less the provider's
// own, for cookies of one host are shared between its ports.
func (b *Browser) Cookies() map[string]string {
	home, err := url.Parse(b.Home + "/logout")
	if err != nil {
		b.T.Fatal(err)
	}
	values := map[string]string{}
	for _, cookie := range b.Client.Jar.Cookies(home) {
		if cookie.Name != "devidp_session" {
			values[cookie.Name] = cookie.Value
		}
	}
	return values
}

// SetCookie puts a cookie for the whole site into the browser.
func (b *Browser) SetCookie(name, value string) {
	home, err := url.Parse(b.Home)
	if err != nil {
		b.T.Fatal(err)
	}
	b.Client.Jar.SetCookies(home, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Check asserts a reply's status and what its page must hold; a text that
// begins with "!" must not be there.
func (r *Reply) Check(t testing.TB, status int, texts ...string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("%s = %d, want %d: %s", r.URL.Path, r.Status, status, r.Text())
	}
	for _, text := range texts {
		unwanted, not := strings.CutPrefix(text, "!")
		if not && strings.Contains(r.Body, unwanted) {
			t.Errorf("%s holds %q", r.URL.Path, unwanted)
		} else if !not && !strings.Contains(r.Body, text) {
			t.Errorf("%s does not hold %q: %s", r.URL.Path, text, r.Text())
		}
	}
}

// Text is what is inside of a page's layout, or all of any other body.
func (r *Reply) Text() string {
	if _, inside, ok := strings.Cut(r.Body, "<main"); ok {
		return strings.ReplaceAll(inside[:strings.Index(inside, "</main")], "\n", " ")
	}
	return r.Body
}

// CookieHeader is what the browser's cookies are as a header field.
func (b *Browser) CookieHeader() string {
	var pairs []string
	for name, value := range b.Cookies() {
		pairs = append(pairs, name+"="+value)
	}
	return "Cookie: " + strings.Join(pairs, "; ") + "\r\n"
}

// LinkAfter returns the first link that stands right behind a text of the page.
func (r *Reply) LinkAfter(text string) string {
	_, rest, _ := strings.Cut(r.Body, text)
	link, _, _ := strings.Cut(rest, `"`)
	return link
}
