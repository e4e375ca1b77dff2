package devidp

import "net/http"

// discovery handles GET /oauth2/default/.well-known/openid-configuration.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	metadata := map[string]any{
		"issuer":                                p.issuer,
		"authorization_endpoint":                p.issuer + "/v1/authorize",
		"token_endpoint":                        p.issuer + "/v1/token",
		"userinfo_endpoint":                     p.issuer + "/v1/userinfo",
		"jwks_uri":                              p.issuer + "/v1/keys",
		"end_session_endpoint":                  p.issuer + "/v1/logout",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{p.config.SigningAlg},
		"scopes_supported":                      supportedScopes(),
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":      []string{"S256"},
		"prompt_values_supported":               supportedPrompts(),
		"request_parameter_supported":           false,
		"request_uri_parameter_supported":       false,
		"backchannel_logout_supported":          true,
		"backchannel_logout_session_supported":  true,
		"claims_supported": []string{
			"iss", "ver", "sub", "aud", "iat", "exp", "jti", "auth_time", "amr", "idp", "nonce", "at_hash", "sid",
			"name", "preferred_username", "email", "email_verified", "groups", "acr",
		},
	}
	if p.config.ClientKey != nil {
		metadata["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt"}
		metadata["token_endpoint_auth_signing_alg_values_supported"] = []string{"RS256", "ES256"}
	}
	if p.config.RequirePushedRequests {
		metadata["pushed_authorization_request_endpoint"] = p.issuer + "/v1/par"
		metadata["require_pushed_authorization_requests"] = true
	}
	if p.config.ResponseIssuer {
		metadata["authorization_response_iss_parameter_supported"] = true
	}
	if change := p.currentFaults().Discovery; change != nil {
		change(metadata)
	}
	writeJSON(w, http.StatusOK, metadata)
}

func supportedScopes() []string { return []string{"openid", "profile", "email", "groups"} }

func supportedPrompts() []string { return []string{"none", "login", "consent", "select_account"} }
