package openid

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"expense-dashboard/internal/openid/claims"
)

const (
	// maxPushes is how many authorization requests may be on their way to the provider
	// at once: anybody can ask for a sign-in.
	maxPushes = 16
	// pushPatience is what is asked of who comes when there are as many.
	pushPatience = 5 * time.Second
)

// AuthorizationURL is where a browser is sent with an Authentication Request (OpenID
// Connect Core 1.0, 3.1.2.1), of a state and what options add to it. Where the
// provider wants requests pushed (RFC 9126) it gets this one from us, and the address
// only refers to it. Its errors are *SignInError.
func (c *Client) AuthorizationURL(ctx context.Context, p *Provider, state string, options ...oauth2.AuthCodeOption) (string, error) {
	whole := c.oauth2Config(p).AuthCodeURL(state, options...)
	if p.pushEndpoint == "" {
		return whole, nil
	}
	select {
	case c.pushes <- struct{}{}:
		defer func() { <-c.pushes }()
	default:
		return "", &SignInError{Failure: ProviderBusy, RetryAfter: pushPatience, Err: fmt.Errorf("push request: %d are under way already", maxPushes)}
	}
	ctx, cancel := context.WithTimeout(ctx, SignInTimeout)
	defer cancel()
	requestURI, err := c.push(context.WithValue(ctx, pushing{}, true), p, whole)
	if err != nil {
		return "", providerFailure(ctx, "push request", err)
	}
	return withQuery(p.endpoint.AuthURL, url.Values{"client_id": {c.config.ClientID}, "request_uri": {requestURI}}), nil
}

// push sends the parameters of an authorization request to the provider, and returns
// what refers to them there (RFC 9126, 2.1 and 2.2).
func (c *Client) push(ctx context.Context, p *Provider, authorizationURL string) (requestURI string, err error) {
	target, err := url.Parse(authorizationURL)
	if err != nil {
		return "", errors.New("the authorization endpoint is malformed")
	}
	form := target.Query()
	assertion, err := c.clientAssertion(p, p.pushEndpoint)
	if err != nil {
		return "", err
	}
	for name, value := range assertion {
		form.Set(name, value)
	}
	if p.authMethod == ClientSecretPost {
		form.Set("client_secret", string(c.config.ClientSecret))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.pushEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", errors.New("the endpoint is malformed")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if p.authMethod == ClientSecretBasic {
		pair := url.QueryEscape(c.config.ClientID) + ":" + url.QueryEscape(string(c.config.ClientSecret))
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	response, err := c.config.HTTP.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	answer, err := claims.Parse(body)
	if err != nil {
		return "", err
	}
	return answer.Text("request_uri")
}

// withQuery adds parameters to an address and leaves the rest of it byte for byte.
func withQuery(address string, parameters url.Values) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + parameters.Encode()
}
