package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
)

// A Page is what the layout of every page shows.
type Page struct {
	Title    string // stands before the product's name; empty on the home page
	SignedIn bool
	Name     string // of the person signed in; may be empty
	LogURL   string // of the form of a new expense; empty where they may log none
}

// A HomeView is the view of home.html.
type HomeView struct {
	Page
	Notice   *Notice
	Teamless bool // its reader is on no team
}

// A ProfileView is the view of profile.html: who somebody is, and why they see
// what they see.
type ProfileView struct {
	Page
	Email       string
	Unverified  bool   // Okta says that Email is not verified
	Fix         string // of that, for who runs the site; may be empty
	Admin       bool
	Teams       []team.Team
	Address     string // Email as it is compared
	Auditor     bool
	Rules       []team.Rule // that give the teams
	RuleFile    string      // what the file of the rules is called
	Issuer      string      // the host at which they signed in
	Methods     []string    // by which, in words; may be empty
	Submission  string      // of its forms
	SignedInAt  time.Time
	EndsAt      time.Time     // when the session ends whatever happens
	IdleTimeout time.Duration // how long the session lasts without a request
	Now         time.Time     // EndsAt is told from here in words
	Notice      *Notice
	Sessions    []SessionLine // of the person, the latest first
}

// IdleEndsAt is when the session ends if this is its last request.
func (v ProfileView) IdleEndsAt() time.Time {
	if ends := v.Now.Add(v.IdleTimeout); ends.Before(v.EndsAt) {
		return ends
	}
	return v.EndsAt
}

// An ErrorView is the view of error.html. Its title is the heading, and its
// texts are plain sentences: never an error of Go's or of the provider's.
type ErrorView struct {
	Page
	Heading     string
	Message     string // what happened
	Next        string // what to do about it; may be empty
	Reference   string // stands in the log line too; may be empty
	ActionLabel string
	ActionURL   string // where ActionLabel leads; empty for no link
	Fix         string // what to change, for who runs the site; may be empty
}

// A SignOutView is the view of signout.html, which asks before it signs out.
type SignOutView struct {
	Page
}

// An OnwardView is the view of onward.html, which goes on to another page by itself.
type OnwardView struct {
	Page
	Heading string
	URL     string // where it goes on to
}

// Pages renders the site's pages and serves its static files.
type Pages struct {
	files   fs.FS
	Locales *locales
	// templates are each parsed for the first reader of a locale who comes to the page.
	templates map[*Locale]templateSet
	static    map[string]staticFile // by file name, such as "style.css"
	buffers   sync.Pool             // of *bytes.Buffer
	contents  *cache.Cache[ContentKey, string]
	frames    *cache.Cache[frameKey, frame]
}

// New reads the embedded templates and static files. Amounts are in the currency,
// and times in the zone.
// Of rendered pages it keeps as many bytes as kept says.
func New(templateFiles, staticFiles fs.FS, c expense.Currency, zone *time.Location, kept int) (*Pages, error) {
	static, err := readStatic(staticFiles)
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	p := &Pages{
		files:     templateFiles,
		Locales:   newLocales(c, zone),
		templates: map[*Locale]templateSet{},
		static:    static,
		buffers:   sync.Pool{New: func() any { return new(bytes.Buffer) }},
		contents:  cache.New[ContentKey, string](kept - kept/framesPart),
		frames:    cache.New[frameKey, frame](kept / framesPart),
	}
	for _, l := range p.Locales.all {
		p.templates[l] = p.parsing(l)
	}
	return p, nil
}

// A templateSet is every page for the readers of one locale, by its name, such
// as "home". That the embedded templates parse is up to the tests.
type templateSet map[string]func() (*template.Template, error)

// parsing returns the pages for the readers of a locale, each of which is parsed
// where it is first asked for.
func (p *Pages) parsing(l *Locale) templateSet {
	layout := sync.OnceValues(func() (*template.Template, error) {
		return template.New("layout.html").
			Funcs(template.FuncMap{"static": p.staticURL}).Funcs(l.templateFuncs()).
			ParseFS(p.files, "templates/layout.html", "templates/parts.html")
	})
	set := templateSet{}
	for _, name := range []string{"home", "dashboard", "expenses", "expense", "selected", "new", "choose", "import", "preview", "profile", "sessions", "people", "activity", "budget", "categories", "error", "signout", "onward"} {
		set[name] = sync.OnceValues(func() (*template.Template, error) {
			common, err := layout()
			if err != nil {
				return nil, fmt.Errorf("parse layout: %w", err)
			}
			page, err := common.Clone()
			if err == nil {
				page, err = page.ParseFS(p.files, "templates/"+name+".html")
			}
			if err != nil {
				return nil, fmt.Errorf("parse page %s: %w", name, err)
			}
			return page, nil
		})
	}
	return set
}

// Render answers with a page and its view, in the locale of who asks. After an
// error nothing has been written yet, so that the caller can answer with
// something else.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, status int, name string, view any) error {
	t, err := p.template(p.Locales.Of(r), name)
	if err != nil {
		return err
	}
	buf := p.buffers.Get().(*bytes.Buffer)
	defer p.buffers.Put(buf)
	buf.Reset()
	if err := t.Execute(buf, view); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	p.writePage(w, status, buf)
	return nil
}

// template returns that of a page for the readers of a locale.
func (p *Pages) template(l *Locale, name string) (*template.Template, error) {
	parsed, ok := p.templates[l][name]
	if !ok {
		return nil, fmt.Errorf("render page %q: no such page", name)
	}
	return parsed()
}

// A staticFile is an embedded file as it is served.
type staticFile struct {
	content     []byte
	contentType string
	version     string // a hash of the content
}

// mediaTypes are those of static files, by the ends of their names. What a machine's
// own list says is nothing to rely on.
var mediaTypes = map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

// readStatic reads the embedded static files, by name.
func readStatic(files fs.FS) (map[string]staticFile, error) {
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return nil, err
	}
	read := map[string]staticFile{}
	for _, e := range entries {
		content, err := fs.ReadFile(files, "static/"+e.Name())
		if err != nil {
			return nil, err
		}
		contentType := mediaTypes[path.Ext(e.Name())]
		if contentType == "" {
			return nil, fmt.Errorf("%s: unknown media type", e.Name())
		}
		sum := sha256.Sum256(content)
		read[e.Name()] = staticFile{content, contentType, hex.EncodeToString(sum[:16])}
	}
	return read, nil
}

// staticURL is the address of a static file in a page. It changes with the
// file's content, so that a browser may keep what it once fetched.
func (p *Pages) staticURL(name string) (string, error) {
	f, ok := p.static[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return "/static/" + name + "?v=" + f.version, nil
}

// Static answers GET /static/, and reports false where there is no such file.
func (p *Pages) Static(w http.ResponseWriter, r *http.Request) bool {
	name, _ := strings.CutPrefix(r.URL.Path, "/static/")
	f, ok := p.static[name]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", `"`+f.version+`"`)
	if r.URL.RawQuery == "v="+f.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "public, max-age=300")
	}
	if isPlain(r) {
		h.Set("Accept-Ranges", "bytes")
		h.Set("Content-Length", strconv.Itoa(len(f.content)))
		// A browser that has gone away needs no other answer.
		_, _ = w.Write(f.content)
		return true
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.content))
	return true
}

// isPlain reports whether a request asks for the whole of something, whatever it
// knows of it.
func isPlain(r *http.Request) bool {
	for _, field := range []string{"Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if r.Header.Get(field) != "" {
			return false
		}
	}
	return r.Method == http.MethodGet
}
