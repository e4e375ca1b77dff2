package config

import (
	"cmp"
	"strings"
	"time"
	"unicode"

	"expense-dashboard/internal/secret"
)

// SignIn is what can be set about how people sign in beyond what every app needs.
type SignIn struct {
	// ClientAuth is how the client authenticates: private_key_jwt,
	// client_secret_basic or client_secret_post; empty where the program chooses.
	ClientAuth     string
	PrivateKeyFile string // of the key for private_key_jwt; empty for none
	EmailClaim     string // that holds the address
	GroupsClaim    string // that holds the groups
	Prompt         string // sent with sign-ins: login or select_account; empty for none
	// Recheck is after how long the provider is asked again about somebody who is
	// signed in; zero for never.
	Recheck time.Duration
	// StepUpMaxAge is how old the proof of who somebody is may be for what matters
	// most; zero for any. StepUpACR are the acr values of which it needs one.
	StepUpMaxAge       time.Duration
	StepUpACR          []string
	FrontChannelLogout bool // take OpenID Connect Front-Channel Logout
}

// signIn reads how people sign in beyond what every app needs.
func (l *Loader) signIn(c *Config) {
	l.clientAuth(c)
	c.EmailClaim = l.claim("OKTA_EMAIL_CLAIM", "email")
	c.GroupsClaim = l.claim("OKTA_GROUPS_CLAIM", "groups")
	c.Prompt = l.oneOfOrNone("OKTA_PROMPT", "login", "select_account")
	c.Recheck = l.durationOrNone("SESSION_RECHECK", "15m")
	c.StepUpMaxAge = l.durationOrNone("STEP_UP_MAX_AGE", "5m")
	c.FrontChannelLogout = l.oneOf("FRONTCHANNEL_LOGOUT", "false", "true") == "true"
	const acr, example = "STEP_UP_ACR_VALUES", "urn:okta:loa:2fa:any"
	c.StepUpACR = strings.Fields(l.optional(acr, example))
	if len(c.StepUpACR) > 0 && strings.TrimSpace(l.Getenv("STEP_UP_MAX_AGE")) == "" {
		l.problem(acr, "is set, and STEP_UP_MAX_AGE is not: nothing asks for a step-up", example)
	}
}

// claim reads the name of a claim: any text without white space.
func (l *Loader) claim(name, standard string) string {
	value := cmp.Or(l.optional(name, standard), standard)
	if strings.ContainsFunc(value, unicode.IsSpace) {
		l.problem(name, "holds white space, which no claim's name has here", standard)
	}
	return value
}

// durationOrNone is duration for a variable that is off unless it is set.
func (l *Loader) durationOrNone(name, example string) time.Duration {
	if strings.TrimSpace(l.Getenv(name)) == "" {
		l.optional(name, example)
		return 0
	}
	standard, err := time.ParseDuration(example)
	if err != nil {
		panic("the example is no duration: " + err.Error())
	}
	return l.duration(name, standard)
}

// clientAuth reads what the client authenticates with: a secret, a key, or both,
// where OKTA_CLIENT_AUTH says which counts.
func (l *Loader) clientAuth(c *Config) {
	const auth, key, clientSecret = "OKTA_CLIENT_AUTH", "OKTA_PRIVATE_KEY_FILE", "OKTA_CLIENT_SECRET"
	const keyExample, secretExample = "/etc/expense-dashboard/client-key.pem", "'the client secret of the app, in single quotes'"
	c.ClientAuth = l.oneOfOrNone(auth, "private_key_jwt", "client_secret_basic", "client_secret_post")
	c.PrivateKeyFile = l.file(key, keyExample)
	named := strings.TrimSpace(l.Getenv(key)) != ""
	if c.ClientAuth == "private_key_jwt" && !named {
		l.problem(auth, "is private_key_jwt, and OKTA_PRIVATE_KEY_FILE names no key", "client_secret_basic")
	}
	needed := !named && c.ClientAuth != "private_key_jwt"
	if needed || c.ClientAuth == "client_secret_basic" || c.ClientAuth == "client_secret_post" {
		c.ClientSecret = secret.Text(l.required(clientSecret, secretExample))
	} else {
		c.ClientSecret = secret.Text(l.optional(clientSecret, secretExample))
	}
}

// oneOfOrNone is oneOf for a variable that has no default.
func (l *Loader) oneOfOrNone(name string, values ...string) string {
	if strings.TrimSpace(l.Getenv(name)) == "" {
		return l.optional(name, values[0])
	}
	return l.oneOf(name, values...)
}
