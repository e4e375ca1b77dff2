package page

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"expense-dashboard/internal/expense"
)

const (
	// framesPart is the part of what is kept that holds frames.
	framesPart = 5
	// KeyCost is about what a key and its place in a cache take beside its texts.
	KeyCost = 400
)

// ContentKey names what a page shows inside of its frame: under one key stand
// always the same bytes, whoever asks and whenever. So it holds everything that
// they depend on.
type ContentKey struct {
	Page      string  // its template
	part      string  // of its template
	locale    *Locale // of its reader
	Revision  string  // of the expenses that it shows; empty where it shows none
	Directory int64   // the State of the one that names the teams
	Today     expense.Date
	Team      string
	Role      string // what its reader may do, as team.Access.Key has it
	Viewer    string // who its reader is, where something of it is theirs
	Query     string // as it stands in the address
	// Of pages that greet.
	SignedIn    bool
	Name, Email string
	LogURL      string
	Teamless    bool
	Unverified  bool
}

func (k ContentKey) size() int {
	return KeyCost + len(k.Page) + len(k.Revision) + len(k.Team) + len(k.Role) + len(k.Viewer) + len(k.Query) + len(k.Name) + len(k.Email)
}

// frameKey names what stands around the content: one for each person and page.
type frameKey struct {
	name   string
	locale *Locale
	page   Page
}

// A frame is the layout before and after a page's content.
type frame struct{ top, bottom string }

// Show answers with a page whose content is rendered once for its key: view,
// which makes it, is asked only where that has not been done yet.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request, shared Page, key ContentKey, view func() (any, error)) error {
	key.locale = p.Locales.Of(r)
	around, err := p.frame(frameKey{key.Page, key.locale, shared})
	if err != nil {
		return err
	}
	content, err := p.content(key, "content", view)
	if err != nil {
		return err
	}
	buf := p.buffers.Get().(*bytes.Buffer)
	defer p.buffers.Put(buf)
	buf.Reset()
	buf.WriteString(around.top)
	buf.WriteString(content)
	buf.WriteString(around.bottom)
	p.writePage(w, http.StatusOK, buf)
	return nil
}

// Part returns a part of a page's content, as its template names it, which is rendered once
// for a key that several pages have in common.
func (p *Pages) Part(r *http.Request, key ContentKey, name string, view func() (any, error)) (template.HTML, error) {
	key.locale = p.Locales.Of(r)
	part, err := p.content(key, name, view)
	return template.HTML(part), err
}

// content returns a part of a page's content. view is asked only where it has not been
// rendered yet.
func (p *Pages) content(key ContentKey, part string, view func() (any, error)) (string, error) {
	key.part = part
	content, ok := p.contents.Get(key)
	if ok {
		return content, nil
	}
	v, err := view()
	if err != nil {
		return "", err
	}
	if content, err = p.part(key.locale, key.Page, part, v); err == nil {
		p.contents.Put(key, content, key.size()+len(content))
	}
	return content, err
}

// frame returns the layout around a page.
func (p *Pages) frame(key frameKey) (frame, error) {
	around, ok := p.frames.Get(key)
	if ok {
		return around, nil
	}
	top, err1 := p.part(key.locale, key.name, "top", key.page)
	bottom, err2 := p.part(key.locale, key.name, "bottom", key.page)
	if err := errors.Join(err1, err2); err != nil {
		return frame{}, err
	}
	around = frame{top, bottom}
	p.frames.Put(key, around, KeyCost+len(key.page.Title)+len(key.page.Name)+len(top)+len(bottom))
	return around, nil
}

// part renders one of the templates of which a page is made.
func (p *Pages) part(l *Locale, name, part string, view any) (string, error) {
	t, err := p.template(l, name)
	if err != nil {
		return "", err
	}
	buf := p.buffers.Get().(*bytes.Buffer)
	defer p.buffers.Put(buf)
	buf.Reset()
	if err := t.ExecuteTemplate(buf, part, view); err != nil {
		return "", fmt.Errorf("render %s of page %s: %w", part, name, err)
	}
	return buf.String(), nil
}

// writePage answers with a page.
func (p *Pages) writePage(w http.ResponseWriter, status int, content *bytes.Buffer) {
	h := w.Header()
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(content.Len()))
	w.WriteHeader(status)
	// A browser that has gone away needs no other answer.
	_, _ = w.Write(content.Bytes())
}
