package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/secret"
)

func TestTrustedProxiesConfig(t *testing.T) {
	for value, want := range map[string]string{
		"": "[]", "10.0.0.7": "[10.0.0.7/32]", " 10.0.0.7 , 192.168.0.0/16 ": "[10.0.0.7/32 192.168.0.0/16]",
		"::1,fd00::/8": "[::1/128 fd00::/8]", "0.0.0.0/1": "[0.0.0.0/1]",
	} {
		variables := rightConfig()
		variables["TRUSTED_PROXIES"] = value
		c, err := Load(lookup(variables))
		if err != nil || fmt.Sprint(c.TrustedProxies) != want {
			t.Errorf("%q: got %v, %v, want %s", value, c.TrustedProxies, err, want)
		}
	}
}

// rightConfig is a configuration without a mistake; each test changes it.
func rightConfig() map[string]string {
	return map[string]string{
		"OKTA_ISSUER":        "https://dev-123456.okta.com/oauth2/default",
		"OKTA_CLIENT_ID":     "0oa1b2c3d4",
		"OKTA_CLIENT_SECRET": "canary-client-secret",
	}
}

func lookup(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func TestLoadConfigDefaults(t *testing.T) {
	c, err := Load(lookup(rightConfig()))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.BaseURL, c.PostLogoutURL, c.ListenAddr, strings.Join(c.Scopes, " "), c.IdleTimeout.String(), c.MaxAge.String(), c.LogFormat, c.TeamsFile, c.Currency, c.TimeZone.String()}
	want := []string{"http://localhost:3000", "http://localhost:3000", "127.0.0.1:3000", "openid profile email", "1h0m0s", "12h0m0s", "text", "", "USD", time.Local.String()}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !c.SessionSecretMade || len(c.SessionSecrets) != 1 {
		t.Error("no session secret was made up on loopback")
	}
}

func TestLoadConfigValues(t *testing.T) {
	variables := rightConfig()
	first, second := strings.Repeat("a", 32), strings.Repeat("b", 40)
	for name, value := range map[string]string{
		"APP_BASE_URL": "  https://expenses.example.com\t", "POST_LOGOUT_URL": "https://www.example.com/bye?from=expenses",
		"SESSION_SECRET": first + " , " + second, "SESSION_IDLE_TIMEOUT": "15m", "SESSION_MAX_AGE": "8h",
		"OKTA_SCOPES": "openid email", "LOG_FORMAT": "json", "TEAMS_FILE": "config_test.go",
		"LOG_LEVEL": "debug", "DRAIN_DELAY": "0s", "KEEP_ALIVE_TIMEOUT": "75s", "CURRENCY": "jpy", "TIME_ZONE": "America/Los_Angeles",
	} {
		variables[name] = value
	}
	c, err := Load(lookup(variables))
	if err != nil {
		t.Fatal(err)
	}
	if c.BaseURL != "https://expenses.example.com" || c.ListenAddr != ":443" || c.PostLogoutURL != "https://www.example.com/bye?from=expenses" {
		t.Errorf("got %q, %q, %q", c.BaseURL, c.ListenAddr, c.PostLogoutURL)
	}
	if len(c.SessionSecrets) != 2 || string(c.SessionSecrets[0]) != first || string(c.SessionSecrets[1]) != second || c.SessionSecretMade {
		t.Error("the session secrets are not the two that were given, in order")
	}
	if c.IdleTimeout != 15*time.Minute || c.MaxAge != 8*time.Hour || c.LogFormat != "json" || len(c.Scopes) != 2 || c.Currency != "JPY" || c.TimeZone.String() != "America/Los_Angeles" || c.TeamsFile != "config_test.go" {
		t.Errorf("got %v, %v, %q, %q, %q", c.IdleTimeout, c.MaxAge, c.LogFormat, c.Scopes, c.TeamsFile)
	}
	if c.LogLevel != slog.LevelDebug || c.DrainDelay != 0 || c.KeepAliveTimeout != 75*time.Second {
		t.Errorf("got %v, %v, %v", c.LogLevel, c.DrainDelay, c.KeepAliveTimeout)
	}
}

func TestListenAddrDefault(t *testing.T) {
	for base, want := range map[string]string{
		"http://localhost:3000":       "127.0.0.1:3000",
		"http://127.0.0.1:8080":       "127.0.0.1:8080",
		"http://[::1]:8080":           "[::1]:8080",
		"http://localhost":            "127.0.0.1:80",
		"https://localhost:8443":      "127.0.0.1:8443",
		"https://e.example.com":       ":443",
		"https://e.example.com:10443": ":10443",
	} {
		if got := DefaultListenAddr(base); got != want {
			t.Errorf("%s: got %q, want %q", base, got, want)
		}
	}
}

// TestConfigProblems changes one variable of a right configuration and wants
// exactly one problem, which names the variable and gives an example.
func TestConfigProblems(t *testing.T) {
	const blank, unset = "  ", ""
	tests := []struct{ name, variable, value, want string }{
		{"issuer missing", "OKTA_ISSUER", unset, "is missing"},
		{"issuer blank", "OKTA_ISSUER", blank, "is blank"},
		{"issuer placeholder", "OKTA_ISSUER", "https://{yourOktaDomain}/oauth2/default", "placeholder"},
		{"issuer http", "OKTA_ISSUER", "http://dev-1.okta.com", "http"},
		{"issuer http, loopback in the user part", "OKTA_ISSUER", "http://localhost@dev-1.okta.com", "user name"},
		{"issuer http, loopback as a prefix", "OKTA_ISSUER", "http://localhost.example.com", "http"},
		{"issuer without scheme", "OKTA_ISSUER", "dev-1.okta.com/oauth2/default", "absolute URL"},
		{"issuer javascript", "OKTA_ISSUER", "javascript:alert(1)", "absolute URL"},
		{"issuer ftp", "OKTA_ISSUER", "ftp://dev-1.okta.com", "neither https nor http"},
		{"issuer query", "OKTA_ISSUER", "https://dev-1.okta.com?x=1", "query"},
		{"issuer fragment", "OKTA_ISSUER", "https://dev-1.okta.com#x", "fragment"},
		{"issuer discovery document", "OKTA_ISSUER", "https://dev-1.okta.com/.well-known/openid-configuration", ".well-known"},
		{"issuer admin console", "OKTA_ISSUER", "https://dev-1-admin.okta.com", "-admin"},
		{"client ID missing", "OKTA_CLIENT_ID", unset, "is missing"},
		{"client ID placeholder", "OKTA_CLIENT_ID", "{yourClientId}", "placeholder"},
		{"client secret missing", "OKTA_CLIENT_SECRET", unset, "is missing"},
		{"client secret blank", "OKTA_CLIENT_SECRET", blank, "is blank"},
		{"client secret placeholder", "OKTA_CLIENT_SECRET", "your-client-secret", "placeholder"},
		{"client secret control character", "OKTA_CLIENT_SECRET", "canary\x00secret", "control character"},
		{"client ID in quotes", "OKTA_CLIENT_ID", `"0oa1b2c3d4"`, "quote"},
		{"client secret in quotes", "OKTA_CLIENT_SECRET", `'canary-client-secret'`, "quote"},
		{"client secret that is two quotes", "OKTA_CLIENT_SECRET", `""`, "quote"},
		{"scopes without openid", "OKTA_SCOPES", "profile email", "openid"},
		{"an algorithm that is none of the four", "OKTA_ID_TOKEN_ALG", "HS256", "not one of RS256, PS256, ES256, EdDSA"},
		{"another client authentication", "OKTA_CLIENT_AUTH", "none", "not one of private_key_jwt, client_secret_basic, client_secret_post"},
		{"a key that is asked for and missing", "OKTA_CLIENT_AUTH", "private_key_jwt", "OKTA_PRIVATE_KEY_FILE names no key"},
		{"an address's claim with a space", "OKTA_EMAIL_CLAIM", "e mail", "white space"},
		{"a groups claim that is a placeholder", "OKTA_GROUPS_CLAIM", "<groups>", "placeholder"},
		{"a prompt that asks nobody", "OKTA_PROMPT", "none", "not one of login, select_account"},
		{"a recheck without a unit", "SESSION_RECHECK", "15", "duration above zero"},
		{"a recheck of nothing", "SESSION_RECHECK", "0s", "duration above zero"},
		{"a step-up that is blank", "STEP_UP_MAX_AGE", " ", "is blank"},
		{"acr values without a step-up", "STEP_UP_ACR_VALUES", "urn:okta:loa:2fa:any", "STEP_UP_MAX_AGE is not"},
		{"front-channel logout", "FRONTCHANNEL_LOGOUT", "yes", "false, true"},
		{"scopes with commas", "OKTA_SCOPES", "openid profile,email", "separate scopes by spaces"},
		{"currency that is none", "CURRENCY", "DOLLAR", "ISO 4217"},
		{"currency by its sign", "CURRENCY", "€", "ISO 4217"},
		{"time zone that is none", "TIME_ZONE", "Europe/Nowhere", "not the name of a time zone"},
		{"time zone as an offset", "TIME_ZONE", "UTC+1", "not the name of a time zone"},
		{"time zone as a path", "TIME_ZONE", "../etc/passwd", "not the name of a time zone"},
		{"time zone Local", "TIME_ZONE", "Local", "not the name of a time zone"},
		{"base URL slash", "APP_BASE_URL", "http://localhost:3000/", "slash"},
		{"base URL path", "APP_BASE_URL", "http://localhost:3000/app", "origin"},
		{"base URL capitals", "APP_BASE_URL", "http://LOCALHOST:3000", "small letters"},
		{"base URL port", "APP_BASE_URL", "http://localhost:99999", "port"},
		{"base URL blank", "APP_BASE_URL", blank, "is blank"},
		{"post-logout URL relative", "POST_LOGOUT_URL", "/bye", "absolute URL"},
		{"post-logout URL with a directive for its host", "POST_LOGOUT_URL", "https://a;script-src/x", "no host name"},
		{"post-logout URL http", "POST_LOGOUT_URL", "http://www.example.com", "http"},
		{"listen address without port", "LISTEN_ADDR", "localhost", "host:port"},
		{"listen address port", "LISTEN_ADDR", ":70000", "host:port"},
		{"metrics address without port", "METRICS_ADDR", "localhost", "host:port"},
		{"secret short", "SESSION_SECRET", "canary-too-short", "shorter"},
		{"second secret short", "SESSION_SECRET", strings.Repeat("a", 32) + ",canary", "number 2"},
		{"secret missing after a comma", "SESSION_SECRET", strings.Repeat("a", 32) + ",", "number 2"},
		{"idle timeout unit", "SESSION_IDLE_TIMEOUT", "3600", "duration"},
		{"idle timeout zero", "SESSION_IDLE_TIMEOUT", "0s", "duration"},
		{"max age negative", "SESSION_MAX_AGE", "-1h", "duration"},
		{"log format", "LOG_FORMAT", "xml", "text, json"},
		{"log level", "LOG_LEVEL", "trace", "info, debug, warn"},
		{"drain delay below zero", "DRAIN_DELAY", "-5s", "duration"},
		{"drain delay unit", "DRAIN_DELAY", "5", "duration"},
		{"keep-alive timeout zero", "KEEP_ALIVE_TIMEOUT", "0s", "duration above zero"},
		{"back-channel logout", "BACKCHANNEL_LOGOUT", "yes", "false, true"},
		{"back-channel logout in capitals", "BACKCHANNEL_LOGOUT", "TRUE", "false, true"},
		{"back-channel logout blank", "BACKCHANNEL_LOGOUT", " ", "is blank"},
		{"universal logout", "UNIVERSAL_LOGOUT", "1", "false, true"},
		{"universal logout placeholder", "UNIVERSAL_LOGOUT", "<true>", "placeholder"},
		{"proxies blank", "TRUSTED_PROXIES", "  ", "is blank"},
		{"proxy by name", "TRUSTED_PROXIES", "proxy.example.com", "neither an address nor a range"},
		{"proxy with a port", "TRUSTED_PROXIES", "10.0.0.7:80", "neither an address nor a range"},
		{"proxy missing after a comma", "TRUSTED_PROXIES", "10.0.0.7,", "neither an address nor a range"},
		{"proxies with spaces between", "TRUSTED_PROXIES", "10.0.0.7 10.0.0.8", "neither an address nor a range"},
		{"proxy with a zone", "TRUSTED_PROXIES", "fe80::1%eth0", "neither an address nor a range"},
		{"proxy mapped into IPv6", "TRUSTED_PROXIES", "::ffff:10.0.0.7", "neither an address nor a range"},
		{"proxy range too long", "TRUSTED_PROXIES", "10.0.0.0/33", "neither an address nor a range"},
		{"proxy inside of a range", "TRUSTED_PROXIES", "10.0.0.7/8", "10.0.0.0/8"},
		{"every IPv4 address", "TRUSTED_PROXIES", "0.0.0.0/0", "every address"},
		{"every IPv6 address", "TRUSTED_PROXIES", "::/0", "every address"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			variables := rightConfig()
			variables[test.variable] = test.value
			_, err := Load(lookup(variables))
			if err == nil {
				t.Fatal("no problem found")
			}
			problems := strings.Split(err.Error(), "\n")
			if len(problems) != 1 || !strings.HasPrefix(problems[0], test.variable+" ") ||
				!strings.Contains(problems[0], test.want) || !strings.Contains(problems[0], "Example: "+test.variable+"=") {
				t.Errorf("got %q, want one problem of %s with %q and an example", problems, test.variable, test.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("a secret shows in %q", err)
			}
		})
	}
}

// TestQuotesThatAreMeant are those that do not stand around a value.
func TestQuotesThatAreMeant(t *testing.T) {
	for _, value := range []string{`'`, `it's`, `"a'`, `'a"`, `a"`, `"a`} {
		variables := rightConfig()
		variables["OKTA_CLIENT_SECRET"] = value
		if c, err := Load(lookup(variables)); err != nil || string(c.ClientSecret) != value {
			t.Errorf("%s: got %v, %v", value, string(c.ClientSecret), err)
		}
	}
}

func TestSecretsInFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	variables := rightConfig()
	delete(variables, "OKTA_CLIENT_SECRET")
	variables["OKTA_CLIENT_SECRET_FILE"] = file("client", "\ufeff a$b \r\n")
	variables["SESSION_SECRET_FILE"] = file("session", strings.Repeat("a", 32)+",\t"+strings.Repeat("b", 32)+"\n")
	variables["DATABASE_URL_FILE"] = file("database", "postgres://x:canary@localhost/x\n")
	c, err := Load(lookup(variables))
	if err == nil || !strings.Contains(err.Error(), "SESSION_SECRET_FILE holds a control character") {
		t.Errorf("a tab between secrets: %v", err)
	}
	variables["SESSION_SECRET_FILE"] = file("session", strings.Repeat("a", 32)+", "+strings.Repeat("b", 32)+"\n")
	if c, err = Load(lookup(variables)); err != nil {
		t.Fatal(err)
	}
	if string(c.ClientSecret) != "a$b" || len(c.SessionSecrets) != 2 || c.SessionSecretMade || c.DatabaseURL != "postgres://x:canary@localhost/x" {
		t.Errorf("got %q, %d secrets, %q", string(c.ClientSecret), len(c.SessionSecrets), c.DatabaseURL)
	}
	if url, err := Of(variables).DatabaseURL(); err != nil || url != c.DatabaseURL {
		t.Errorf("DatabaseURL = %q, %v", url, err)
	}
	for _, test := range []struct{ name, variable, value, want string }{
		{"both set", "OKTA_CLIENT_SECRET", "canary", "OKTA_CLIENT_SECRET_FILE is set, and so is OKTA_CLIENT_SECRET"},
		{"no such file", "OKTA_CLIENT_SECRET_FILE", filepath.Join(dir, "none"), "no such file"},
		{"a folder", "OKTA_CLIENT_SECRET_FILE", dir, "cannot be read"},
		{"no such teams file", "TEAMS_FILE", filepath.Join(dir, "none"), "and there is no such file. Example: TEAMS_FILE=/"},
		{"a folder for a teams file", "TEAMS_FILE", dir, "which cannot be read. Example: TEAMS_FILE=/"},
		{"no such key", "OKTA_PRIVATE_KEY_FILE", filepath.Join(dir, "none"), "and there is no such file. Example: OKTA_PRIVATE_KEY_FILE=/"},
		{"empty", "OKTA_CLIENT_SECRET_FILE", file("empty", " \n"), "is empty"},
		{"blank", "OKTA_CLIENT_SECRET_FILE", "  ", "is blank"},
		{"placeholder", "OKTA_CLIENT_SECRET_FILE", file("placeholder", "your-client-secret"), "OKTA_CLIENT_SECRET_FILE still holds a placeholder"},
		{"in quotes", "OKTA_CLIENT_SECRET_FILE", file("quotes", `"canary"`), "quote"},
		{"secret too short", "SESSION_SECRET_FILE", file("short", "canary"), "SESSION_SECRET number 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := maps.Clone(variables)
			changed[test.variable] = test.value
			_, err := Load(lookup(changed))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one problem with %q", err, test.want)
			}
		})
	}
}

func TestSampleIsForLoopback(t *testing.T) {
	for base, refused := range map[string]bool{"": false, "https://localhost:8443": false, "https://expenses.example.com": true} {
		variables := rightConfig()
		variables["APP_BASE_URL"], variables["SAMPLE_DATA"], variables["SESSION_SECRET"] = base, "true", strings.Repeat("a", 32)
		_, err := Load(lookup(variables))
		if (err != nil) != refused || refused && !strings.HasPrefix(err.Error(), "SAMPLE_DATA is true") {
			t.Errorf("%q: got %v", base, err)
		}
	}
}

func TestHints(t *testing.T) {
	tests := []struct {
		name    string
		file    string // .env; none where it is empty
		environ []string
		want    []string // beginnings
	}{
		{"nothing set", "", nil, []string{"there is no file .env, neither here nor beside the program: cp .env.example .env and fill it in, or make run"}},
		{"everything in the environment", "", []string{"OKTA_ISSUER=x", "PATH=/bin", "HOME=/"}, nil},
		{"an empty file", "# nothing\n", nil, nil},
		{"near misses", "OKTA_SCOPE=openid\nOKTA_ISSUER=x\n", []string{"SESION_IDLE_TIMEOUT=1h", "okta_client_id=x", "LOGFORMAT=json"}, []string{
			"LOGFORMAT is set, and nothing reads it: did you mean LOG_FORMAT?", "OKTA_SCOPE is set, and nothing reads it: did you mean OKTA_SCOPES?",
			"SESION_IDLE_TIMEOUT is set", "okta_client_id is set, and nothing reads it: did you mean OKTA_CLIENT_ID?",
		}},
		{"names of others", "OKTA_ISSUER=x\n", []string{"TZ=UTC", "LANG=C", "OKTA_DOMAIN=x", "HTTPS_PROXY=x", "SSL_CERT_FILE=x", "PORT=3000"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if test.file != "" {
				if err := os.WriteFile(".env", []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			hints := Read(test.environ).Hints()
			if len(hints) != len(test.want) {
				t.Fatalf("got %q, want %q", hints, test.want)
			}
			for i, hint := range hints {
				if !strings.HasPrefix(hint.String(), test.want[i]) {
					t.Errorf("got %q, want %q", hint, test.want[i])
				}
			}
		})
	}
}

func TestConfigTellsEveryProblem(t *testing.T) {
	_, err := Load(lookup(map[string]string{"APP_BASE_URL": "http://expenses.example.com", "LOG_FORMAT": "xml"}))
	if err == nil {
		t.Fatal("no problem found")
	}
	for _, name := range []string{"OKTA_ISSUER", "OKTA_CLIENT_ID", "OKTA_CLIENT_SECRET", "APP_BASE_URL", "SESSION_SECRET", "LOG_FORMAT"} {
		if strings.Count("\n"+err.Error(), "\n"+name+" ") != 1 {
			t.Errorf("%s is not told once in %q", name, err)
		}
	}
}

func TestSecretNeverShows(t *testing.T) {
	s := secret.Text("canary")
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("secret", "value", s, "config", Config{ClientSecret: s, SessionSecrets: []secret.Text{s}})
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %x", s, Config{ClientSecret: s}, Config{SessionSecrets: []secret.Text{s}}, s, s, s) + log.String()
	if strings.Contains(shown, "canary") || strings.Contains(shown, fmt.Sprintf("%x", "canary")) {
		t.Errorf("the secret shows in %s", shown)
	}
}
