package devidp

import (
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authRequest is an Authentication Request (OpenID Connect Core 1.0, 3.1.2.1)
// that has passed every check.
type authRequest struct {
	redirectURI   string
	state         string
	nonce         string
	scopes        []string
	codeChallenge string
	loginHint     string
	prompts       []string
	maxAge        time.Duration // negative where max_age is missing
	acrValues     []string
}

// authorize handles GET /oauth2/default/v1/authorize, and POST to the same
// address with its query, which is how the sign-in page says who it is: "subject"
// of one of the people, any "email", or "refuse".
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.errorPage(w, http.StatusBadRequest, "The request's query is malformed.")
		return
	}
	if p.config.RequirePushedRequests {
		if query, err = p.takePushed(query); err != nil {
			p.errorPage(w, http.StatusBadRequest, "The request was not pushed, or too long ago.")
			return
		}
	}
	redirectURI, problem := p.checkClient(query)
	if problem != "" {
		p.errorPage(w, http.StatusBadRequest, problem)
		return
	}
	req, err := parseAuthRequest(query)
	if err != nil {
		p.redirectError(w, r, redirectURI, query["state"], err)
		return
	}
	req.redirectURI = redirectURI
	current, signedIn := p.currentSession(r)
	switch {
	case r.Method == http.MethodPost && !slices.Contains(req.prompts, "none"):
		p.signIn(w, r, req)
	case signedIn && !p.mustAsk(req, current):
		p.grantCode(w, r, req, current)
	case slices.Contains(req.prompts, "none"):
		p.redirectError(w, r, redirectURI, query["state"],
			oauthError{"login_required", "The client specified not to prompt, but the user is not logged in."})
	default:
		p.signInPage(w, http.StatusOK, signInView{Hint: req.loginHint})
	}
}

// checkClient returns the redirect URI of a request by the registered client, or
// a problem for the page: nothing may be redirected to an address that is not
// registered (RFC 6749, 4.1.2.1).
func (p *Provider) checkClient(query url.Values) (redirectURI, problem string) {
	if !slices.Equal(query["client_id"], []string{p.config.ClientID}) {
		return "", "The 'client_id' parameter is not that of the registered app."
	}
	redirectURIs := query["redirect_uri"]
	if len(redirectURIs) != 1 || !slices.Contains(p.config.RedirectURIs, redirectURIs[0]) {
		return "", "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings."
	}
	return redirectURIs[0], ""
}

// codeChallengePattern is an S256 code challenge (RFC 7636, 4.2).
var codeChallengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// parseAuthRequest checks all but the client and its redirect URI. Its errors
// are oauthErrors.
func parseAuthRequest(query url.Values) (authRequest, error) {
	if isRepeated(query) {
		return authRequest{}, oauthError{"invalid_request", "A parameter is there more than once."}
	}
	req := authRequest{
		state:         query.Get("state"),
		nonce:         query.Get("nonce"),
		scopes:        strings.Fields(query.Get("scope")),
		codeChallenge: query.Get("code_challenge"),
		loginHint:     query.Get("login_hint"),
		prompts:       strings.Fields(query.Get("prompt")),
		acrValues:     strings.Fields(query.Get("acr_values")),
	}
	switch {
	case query.Has("request"):
		return req, oauthError{"request_not_supported", "The 'request' parameter is not supported."}
	case query.Has("request_uri"):
		return req, oauthError{"request_uri_not_supported", "The 'request_uri' parameter is not supported."}
	case query.Get("response_type") != "code":
		return req, oauthError{"unsupported_response_type", "The 'response_type' parameter must be 'code'."}
	case query.Has("response_mode") && query.Get("response_mode") != "query":
		return req, oauthError{"unsupported_response_mode", "The 'response_mode' parameter must be 'query'."}
	case req.state == "":
		return req, oauthError{"invalid_request", "The authentication request has an invalid 'state' parameter."}
	case !slices.Contains(req.scopes, "openid") || !isSubset(req.scopes, supportedScopes()):
		return req, oauthError{"invalid_scope", "The 'scope' parameter must hold 'openid' and only configured scopes."}
	case query.Get("code_challenge_method") != "S256" || !codeChallengePattern.MatchString(req.codeChallenge):
		return req, oauthError{"invalid_request", "PKCE code challenge is required, and its method must be 'S256'."}
	case !isSubset(req.prompts, supportedPrompts()) || len(req.prompts) > 1 && slices.Contains(req.prompts, "none"):
		return req, oauthError{"invalid_request", "The 'prompt' parameter has an unknown value, or 'none' beside another."}
	}
	return parseMaxAge(req, query)
}

// parseMaxAge reads max_age, a number of seconds.
func parseMaxAge(req authRequest, query url.Values) (authRequest, error) {
	req.maxAge = -1
	if !query.Has("max_age") {
		return req, nil
	}
	seconds, err := strconv.ParseUint(query.Get("max_age"), 10, 31)
	if err != nil {
		return req, oauthError{"invalid_request", "The 'max_age' parameter must be a number of seconds."}
	}
	req.maxAge = time.Duration(seconds) * time.Second
	return req, nil
}

func isRepeated(values url.Values) bool {
	for value := range maps.Values(values) {
		if len(value) > 1 {
			return true
		}
	}
	return false
}

func isSubset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

// mustAsk tells whether the person has to sign in again for req.
func (p *Provider) mustAsk(req authRequest, current session) bool {
	asks := slices.ContainsFunc(req.prompts, func(prompt string) bool { return prompt != "none" })
	return asks || req.maxAge >= 0 && p.config.Now().Sub(current.authTime) >= req.maxAge
}

// signIn takes the answer of the sign-in page.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request, req authRequest) {
	if err := p.crossOrigin.Check(r); err != nil {
		p.errorPage(w, http.StatusForbidden, "This sign-in was sent by another site.")
		return
	}
	if r.PostFormValue("refuse") != "" {
		p.redirectError(w, r, req.redirectURI, []string{req.state},
			oauthError{"access_denied", "User is not assigned to the client application."})
		return
	}
	person, ok := p.personBySubject(r.PostFormValue("subject"))
	if !ok {
		email := strings.TrimSpace(r.PostFormValue("email"))
		typed, err := p.personByEmail(email)
		if err != nil {
			p.signInPage(w, http.StatusUnprocessableEntity, signInView{
				Hint: email, Problem: "Enter an email address, such as ann.lee@example.com.",
			})
			return
		}
		person = typed
	}
	p.grantCode(w, r, req, p.startSession(w, r, person))
}

// grantCode answers with an authorization code.
func (p *Provider) grantCode(w http.ResponseWriter, r *http.Request, req authRequest, current session) {
	code := rand.Text()
	now := p.config.Now()
	p.mu.Lock()
	p.forgetOld(now)
	p.grants[code] = &grant{authRequest: req, session: current, issued: now}
	p.mu.Unlock()
	p.redirect(w, r, req.redirectURI, url.Values{"code": {code}, "state": {req.state}})
}

// redirectError answers with an error. A state that is there more than once is
// not sent back.
func (p *Provider) redirectError(w http.ResponseWriter, r *http.Request, redirectURI string, state []string, err error) {
	problem := oauthError{code: "server_error"}
	errors.As(err, &problem)
	response := url.Values{"error": {problem.code}, "error_description": {problem.description}}
	if len(state) == 1 {
		response["state"] = state
	}
	p.redirect(w, r, redirectURI, response)
}

func (p *Provider) redirect(w http.ResponseWriter, r *http.Request, redirectURI string, response url.Values) {
	if p.config.ResponseIssuer {
		response.Set("iss", p.issuer)
	}
	if change := p.currentFaults().Authorize; change != nil {
		change(response)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, withParameters(redirectURI, response), http.StatusSeeOther)
}

// withParameters adds parameters to the query of uri and leaves the rest of it
// byte for byte.
func withParameters(uri string, parameters url.Values) string {
	switch {
	case len(parameters) == 0:
		return uri
	case strings.Contains(uri, "?"):
		return uri + "&" + parameters.Encode()
	default:
		return uri + "?" + parameters.Encode()
	}
}
