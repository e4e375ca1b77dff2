package devidp

import (
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// pushLifetime is how long a pushed request waits for the browser that refers to it.
const pushLifetime = time.Minute

// pushedRequest is an authorization request that waits for its browser.
type pushedRequest struct {
	query   url.Values
	expires time.Time
}

// push handles POST /oauth2/default/v1/par (RFC 9126, 2).
func (p *Provider) push(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	if err == nil && isRepeated(r.PostForm) {
		err = errors.New("repeated")
	}
	var problem oauthError
	if err != nil {
		problem = oauthError{"invalid_request", "The form is malformed, or a parameter is there more than once."}
	} else if err = p.authenticateClient(r); err != nil {
		errors.As(err, &problem)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": problem.code, "error_description": problem.description})
		return
	}
	query := maps.Clone(r.PostForm)
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		query.Del(name)
	}
	query.Set("client_id", p.config.ClientID)
	reference := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	now := p.config.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.pushed, func(_ string, pushed pushedRequest) bool { return now.After(pushed.expires) })
	p.pushed[reference] = pushedRequest{query: query, expires: now.Add(pushLifetime)}
	writeJSON(w, http.StatusCreated, map[string]any{"request_uri": reference, "expires_in": int(pushLifetime / time.Second)})
}

// takePushed returns the request that a browser refers to. It stays until it is too
// old, for the sign-in page is sent to the same address again.
func (p *Provider) takePushed(query url.Values) (url.Values, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pushed, ok := p.pushed[query.Get("request_uri")]
	if !ok || !slices.Equal(query["client_id"], []string{p.config.ClientID}) || p.config.Now().After(pushed.expires) {
		return nil, errors.New("not pushed")
	}
	return pushed.query, nil
}
