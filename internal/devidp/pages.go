package devidp

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

const stylePath = basePath + "/style.css"

// signInView is what the sign-in page shows.
type signInView struct {
	ClientID string
	People   []Person
	Hint     string // an address, from login_hint or as it was typed
	Problem  string // with the typed address
}

// confirmView is what the page shows that asks before it signs somebody out.
type confirmView struct{ Parameters map[string]string }

// confirmPage asks whether to sign out, and sends the same parameters again.
func (p *Provider) confirmPage(w http.ResponseWriter, parameters url.Values) {
	view := confirmView{map[string]string{}}
	for name := range parameters {
		view.Parameters[name] = parameters.Get(name)
	}
	p.render(w, http.StatusOK, "confirm.html", view)
}

// messageView is what a page without choices shows.
type messageView struct {
	Title string
	Text  string
}

func parsePages() (*template.Template, error) {
	pages, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	return pages, nil
}

// pagePolicy returns the Content-Security-Policy of the pages. A browser holds
// form-action against the redirects of a form too, hence the redirect URIs.
func pagePolicy(redirectURIs []string) string {
	targets := []string{"'self'"}
	for _, redirectURI := range redirectURIs {
		uri, err := url.Parse(redirectURI)
		if err != nil {
			continue
		}
		target := uri.Scheme + "://" + uri.Host
		if strings.HasPrefix(uri.Host, "[") {
			// A source expression has no form for an IPv6 address.
			target = uri.Scheme + ":"
		}
		if !slices.Contains(targets, target) {
			targets = append(targets, target)
		}
	}
	return "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action " +
		strings.Join(targets, " ")
}

func (p *Provider) signInPage(w http.ResponseWriter, status int, view signInView) {
	view.ClientID = p.config.ClientID
	view.People = p.config.People
	p.render(w, status, "signin.html", view)
}

func (p *Provider) errorPage(w http.ResponseWriter, status int, text string) {
	p.messagePage(w, status, messageView{Title: fmt.Sprint(status, " ", http.StatusText(status)), Text: text})
}

func (p *Provider) messagePage(w http.ResponseWriter, status int, view messageView) {
	p.render(w, status, "message.html", view)
}

func (p *Provider) render(w http.ResponseWriter, status int, name string, view any) {
	var page bytes.Buffer
	if err := p.pages.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", p.pagePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	// Not "no-referrer", under which a form's Origin would be "null".
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The browser may be gone, which concerns nobody else.
	_, _ = page.WriteTo(w)
}

// style handles GET /oauth2/default/style.css.
func (p *Provider) style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, pageFiles, "pages/style.css")
}
