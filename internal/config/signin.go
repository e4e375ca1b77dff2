package config

import (
	"expense-dashboard/internal/secret"
)

// SignIn is what can be set about how people sign in beyond what every app needs.
type SignIn struct {
	// ClientAuth is how the client authenticates: private_key_jwt,
	// client_secret_basic or client_secret_post; empty where the program chooses.
	ClientAuth     string
	PrivateKeyFile string // of the key for private_key_jwt; empty for none
}

// clientAuth reads what the client authenticates with: a secret, a key, or both,
// where OKTA_CLIENT_AUTH says which counts.
func (l *Loader) clientAuth(c *Config) {
	const auth, key, clientSecret = "OKTA_CLIENT_AUTH", "OKTA_PRIVATE_KEY_FILE", "OKTA_CLIENT_SECRET"
	const keyExample, secretExample = "/etc/expense-dashboard/client-key.pem", "'the client secret of the app, in single quotes'"
	c.ClientAuth = l.oneOfOrNone(auth, "private_key_jwt", "client_secret_basic", "client_secret_post")
	c.PrivateKeyFile = l.optional(key, keyExample)
	if c.ClientAuth == "private_key_jwt" && c.PrivateKeyFile == "" {
		l.problem(auth, "is private_key_jwt, and OKTA_PRIVATE_KEY_FILE names no key", "client_secret_basic")
	}
	needed := c.PrivateKeyFile == "" && c.ClientAuth != "private_key_jwt"
	if needed || c.ClientAuth == "client_secret_basic" || c.ClientAuth == "client_secret_post" {
		c.ClientSecret = secret.Text(l.required(clientSecret, secretExample))
	} else {
		c.ClientSecret = secret.Text(l.optional(clientSecret, secretExample))
	}
}

// oneOfOrNone is oneOf for a variable that has no default.
func (l *Loader) oneOfOrNone(name string, values ...string) string {
	if l.optional(name, values[0]) == "" {
		return ""
	}
	return l.oneOf(name, values...)
}
