package devidp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// logout handles GET and POST /oauth2/default/v1/logout (OpenID Connect
// RP-Initiated Logout 1.0, 2). Without an id_token_hint it asks, so that another
// site cannot sign anybody out. As Lax cookies stay away from another
// site's POST, only GET ends the provider's session there.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	parameters := r.PostForm
	if r.Method == http.MethodGet {
		parameters = r.Form
	}
	if err != nil || isRepeated(parameters) {
		p.errorPage(w, http.StatusBadRequest, "The request is malformed, or a parameter is there more than once.")
		return
	}
	// Like Okta's newer servers it takes client_id in place of the hint, and then asks
	// the person: another site could have sent the browser here.
	hinted := parameters.Has("id_token_hint")
	if err := p.checkIDTokenHint(parameters.Get("id_token_hint")); err != nil && (hinted || !parameters.Has("client_id")) {
		p.errorPage(w, http.StatusBadRequest, "The 'id_token_hint' parameter must be an ID token from this issuer for this client.")
		return
	}
	if parameters.Has("client_id") && parameters.Get("client_id") != p.config.ClientID {
		p.errorPage(w, http.StatusBadRequest, "The 'client_id' parameter is not that of the registered app.")
		return
	}
	returnTo := parameters.Get("post_logout_redirect_uri")
	if parameters.Has("post_logout_redirect_uri") && !slices.Contains(p.config.PostLogoutRedirectURIs, returnTo) {
		p.errorPage(w, http.StatusBadRequest,
			"The 'post_logout_redirect_uri' parameter must be a Logout redirect URI in the client app settings.")
		return
	}
	if !hinted && (r.Method != http.MethodPost || p.crossOrigin.Check(r) != nil) {
		p.confirmPage(w, parameters)
		return
	}
	p.endSession(w, r)
	if returnTo == "" {
		p.messagePage(w, http.StatusOK, messageView{Title: "You are signed out", Text: "You can close this page."})
		return
	}
	passedOn := url.Values{}
	if parameters.Has("state") {
		passedOn.Set("state", parameters.Get("state"))
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, withParameters(returnTo, passedOn), http.StatusSeeOther)
}

// checkIDTokenHint checks that the provider signed hint for the client. It may
// have expired (OpenID Connect RP-Initiated Logout 1.0, 2).
func (p *Provider) checkIDTokenHint(hint string) error {
	signed, err := jose.ParseSignedCompact(hint, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(p.config.SigningAlg)})
	if err != nil {
		return fmt.Errorf("parse id_token_hint: %w", err)
	}
	for _, key := range p.allKeys() {
		payload, err := signed.Verify(key.private.Public())
		if err != nil {
			continue
		}
		var claims struct {
			Issuer   string `json:"iss"`
			Audience string `json:"aud"`
		}
		if err := json.Unmarshal(payload, &claims); err != nil {
			return fmt.Errorf("read id_token_hint: %w", err)
		}
		if claims.Issuer != p.issuer || claims.Audience != p.config.ClientID {
			return errors.New("id_token_hint is for another issuer or client")
		}
		return nil
	}
	return errors.New("id_token_hint is not signed here")
}
