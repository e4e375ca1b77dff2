package web

import (
	"net/http"
	"strings"

	"expense-dashboard/internal/web/internal/page"
)

// FromOurPage reports whether a page of ours caused a request, as a form or a link
// of it does: by an unsafe method, or by what the browser says of the sender.
func (s *Site) FromOurPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return true
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	return s.isOurs(r.Header.Get("Referer"))
}

// isOurs reports whether an absolute address is one of this site.
func (s *Site) isOurs(address string) bool {
	return address == s.baseURL || strings.HasPrefix(address, s.baseURL+"/")
}

// Onward answers with a page that goes on to a target by itself. A redirect would
// not do where a form may have caused the request: a browser that goes by the
// form-action directive stops at the first redirect that leaves the origin (CSP
// Level 3, 6.4.2), and a page is where the form's own journey ends.
func (s *Site) Onward(w http.ResponseWriter, r *http.Request, heading, target string) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Refresh", "0; url="+target)
	return s.pages.Render(w, r, http.StatusOK, "onward", page.OnwardView{Page: s.Page(nil, heading), Heading: heading, URL: target})
}

// Leave sends a browser to a target away from this site: with a page if the request
// came from a page of ours, else with a redirect.
func (s *Site) Leave(w http.ResponseWriter, r *http.Request, heading, target string) error {
	if s.FromOurPage(r) && !s.isOurs(target) {
		return s.Onward(w, r, heading, target)
	}
	SeeOther(w, target)
	return nil
}
