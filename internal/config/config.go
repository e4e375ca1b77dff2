// Package config reads what can be set from outside, from the environment and a
// file .env, and tells every mistake in it at once, each with the variable, what
// is wrong and an example of a right value, but never with a secret.
//
// Only main and the doctor import it: a part of the program is made from plain
// values and never sees the name of a variable.
//
// Start reading at [Load], which is the list of all variables; [Read] says where
// their values come from.
package config

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for TIME_ZONE on machines without it
	"unicode"

	"github.com/bojanz/currency"

	"expense-dashboard/internal/loopback"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/weburl"
)

// Config is everything that can be set from outside, checked and with its
// defaults filled in.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret secret.Text // may be empty where there is a key
	SignIn
	Scopes         []string
	IDTokenAlg     string // the one algorithm of ID Tokens and logout tokens
	BaseURL        string // the origin a browser uses, without a trailing slash
	PostLogoutURL  string
	ListenAddr     string
	SessionSecrets []secret.Text // the first signs, all are read
	// SessionSecretMade says that SESSION_SECRET was missing and a random one
	// stands in for it, so that no session outlives this process.
	SessionSecretMade bool
	IdleTimeout       time.Duration
	MaxAge            time.Duration
	TeamsFile         string         // empty: the built-in sample
	DatabaseURL       string         // holds a password where it is PostgreSQL's
	Currency          string         // of all amounts (ISO 4217), in capitals
	TimeZone          *time.Location // of what is today and in which month it is
	SampleData        bool           // fill an empty database with the sample
	BackChannelLogout bool           // take OpenID Connect Back-Channel Logout
	UniversalLogout   bool           // take Okta's global token revocation
	// TrustedProxies are believed to tell the client's address, for the log.
	TrustedProxies   []netip.Prefix
	LogFormat        string // "text" or "json"
	LogLevel         slog.Level
	MetricsAddr      string        // empty: no metrics
	DrainDelay       time.Duration // how long serving goes on after SIGTERM; may be zero
	KeepAliveTimeout time.Duration // how long an idle connection lives
}

// logLevels are the values of LOG_LEVEL.
var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn}

// minSecretLength is how many characters a session secret must have. Forty
// random hexadecimal characters hold 160 bits.
const minSecretLength = 32

// An Error is a mistake that only whoever configures the program can fix.
// The program exits with status 2.
type Error struct {
	Err   error
	Hints []Hint // at what may be the cause
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Load reads the configuration through getenv. Its error is an *Error that joins
// one error for each problem, each naming the variable, what is wrong and an
// example of a right value; the configuration then holds what could be read.
func Load(getenv func(string) string) (Config, error) {
	l := &Loader{Getenv: getenv}
	c := Config{
		Issuer:   l.issuer(),
		ClientID: l.required("OKTA_CLIENT_ID", "0oa1b2c3d4E5F6G7h8i9"),
		Scopes:   l.scopes(),
		BaseURL:  l.baseURL(),
	}
	l.signIn(&c)
	c.IDTokenAlg = l.oneOf("OKTA_ID_TOKEN_ALG", "RS256", "PS256", "ES256", "EdDSA")
	c.PostLogoutURL = l.postLogoutURL(c.BaseURL)
	c.ListenAddr = l.listenAddr(c.BaseURL)
	c.SessionSecrets, c.SessionSecretMade = l.sessionSecrets(c.BaseURL)
	c.IdleTimeout = l.duration("SESSION_IDLE_TIMEOUT", time.Hour)
	c.MaxAge = l.duration("SESSION_MAX_AGE", 12*time.Hour)
	c.TeamsFile = l.file("TEAMS_FILE", "/etc/expense-dashboard/teams.json")
	c.DatabaseURL = l.DatabaseURL()
	c.Currency = l.currency()
	c.TimeZone = l.timeZone()
	c.SampleData = l.sampleData(c.BaseURL)
	c.BackChannelLogout = l.oneOf("BACKCHANNEL_LOGOUT", "false", "true") == "true"
	c.UniversalLogout = l.oneOf("UNIVERSAL_LOGOUT", "false", "true") == "true"
	c.TrustedProxies = l.trustedProxies()
	c.LogFormat = l.oneOf("LOG_FORMAT", "text", "json")
	c.LogLevel = logLevels[l.oneOf("LOG_LEVEL", "info", "debug", "warn")]
	c.DrainDelay = l.durationFrom("DRAIN_DELAY", 0, 0)
	c.KeepAliveTimeout = l.duration("KEEP_ALIVE_TIMEOUT", 2*time.Minute)
	c.MetricsAddr = l.metricsAddr(c.ListenAddr)
	if len(l.Problems) > 0 {
		return c, &Error{Err: errors.Join(l.Problems...)}
	}
	return c, nil
}

// A Loader reads variables and collects what is wrong with them.
type Loader struct {
	Getenv   func(string) string
	Problems []error
}

// problem notes what is wrong with the variable name. The words never hold
// the value of a secret.
func (l *Loader) problem(name, what, example string) {
	l.Problems = append(l.Problems, fmt.Errorf("%s %s. Example: %s=%s", name, what, name, example))
}

// optional returns the trimmed value of a variable, or "" if it is not set.
func (l *Loader) optional(name, example string) string {
	if slices.Contains(inFiles, name) {
		if value, found := l.fromFile(name); found {
			return value
		}
	}
	return l.check(name, l.Getenv(name), example)
}

// check returns the trimmed value of a variable, or "" where it has none that any
// variable could have.
func (l *Loader) check(name, raw, example string) string {
	value := strings.TrimSpace(raw)
	switch {
	case raw != "" && value == "":
		l.problem(name, "is blank: give it a value or remove it", example)
	case isPlaceholder(value):
		l.problem(name, "still holds a placeholder", example)
	case strings.ContainsFunc(value, unicode.IsControl):
		l.problem(name, "holds a control character", example)
	case isQuoted(value):
		l.problem(name, "begins and ends with a quote, which docker run --env-file, for one, takes for a part of the value: leave the quotes out", example)
	default:
		return value
	}
	return ""
}

// isQuoted reports whether a value stands in quotes that whoever set it did not
// mean.
func isQuoted(value string) bool {
	return len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[0] == value[len(value)-1]
}

// inFiles are the variables that may have their value in a file, which the
// variable with _FILE behind its name names.
var inFiles = []string{"OKTA_CLIENT_SECRET", "SESSION_SECRET", "DATABASE_URL"}

// maxValue is how many bytes of such a file are read.
const maxValue = 64 << 10

// fromFile returns the value of a variable that is in a file, and whether one is
// named.
func (l *Loader) fromFile(name string) (value string, found bool) {
	variable, example := name+"_FILE", "/run/secrets/"+strings.ToLower(name)
	before := len(l.Problems)
	path := l.check(variable, l.Getenv(variable), example)
	if path == "" {
		return "", len(l.Problems) > before
	}
	if l.Getenv(name) != "" {
		l.problem(variable, "is set, and so is "+name+": remove one of the two", example)
		return "", true
	}
	data, err := readValue(path)
	data = bytes.TrimSpace(bytes.TrimPrefix(data, byteOrderMark))
	switch {
	case err != nil:
		l.unreadable(variable, path, example, err)
	case len(data) == 0:
		l.problem(variable, fmt.Sprintf("names %q, which is empty", path), example)
	default:
		return l.check(variable, string(data), example), true
	}
	return "", true
}

// file is optional for the path of a file, which has to be there.
func (l *Loader) file(name, example string) string {
	path := l.optional(name, example)
	if path == "" {
		return ""
	}
	if err := checkFile(path); err != nil {
		l.unreadable(name, path, example, err)
		return ""
	}
	return path
}

// checkFile looks whether the program may read a file. A pipe is left alone: what
// is in it can be read once.
func checkFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("a folder")
	case !info.Mode().IsRegular():
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

// unreadable adds why the file at path, which a variable names, cannot be read.
func (l *Loader) unreadable(variable, path, example string, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.problem(variable, fmt.Sprintf("names %q, and there is no such file", path), example)
	case errors.Is(err, fs.ErrPermission):
		l.problem(variable, fmt.Sprintf("names %q, which the program may not read", path), example)
	default:
		l.problem(variable, fmt.Sprintf("names %q, which cannot be read", path), example)
	}
}

// readValue reads a file with the value of a variable.
func readValue(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxValue))
}

// required is optional, but a missing value is a problem too.
func (l *Loader) required(name, example string) string {
	before := len(l.Problems)
	value := l.optional(name, example)
	if value == "" && len(l.Problems) == before {
		l.problem(name, "is missing", example)
	}
	return value
}

// placeholder matches what example files and tutorials put where a value
// belongs: {yourOktaDomain}, ${CLIENT_ID}, <client secret>, your-client-id.
var placeholder = regexp.MustCompile(`^\$?\{.*\}$|^<.*>$|^(?i:your[-_ ]?(okta|client|app|own|secret|domain|issuer).*|change[-_ ]?me|replace[-_ ]?me|x{3,}|\.{3,})$`)

func isPlaceholder(value string) bool { return placeholder.MatchString(value) }

func (l *Loader) oneOf(name string, values ...string) string {
	value := l.optional(name, values[0])
	if value == "" {
		return values[0]
	}
	if !slices.Contains(values, value) {
		l.problem(name, fmt.Sprintf("is %q, which is not one of %s", value, strings.Join(values, ", ")), values[0])
	}
	return value
}

// sampleData reads SAMPLE_DATA: numbers that are made up have no place where
// others look at them.
func (l *Loader) sampleData(baseURL string) bool {
	const name = "SAMPLE_DATA"
	wanted := l.oneOf(name, "false", "true") == "true"
	if u, err := url.Parse(baseURL); wanted && err == nil && !loopback.Host(u.Hostname()) {
		l.problem(name, "is true, and APP_BASE_URL is not loopback: the sample is for trying the program out", "false")
	}
	return wanted
}

// duration reads a duration above zero.
func (l *Loader) duration(name string, standard time.Duration) time.Duration {
	return l.durationFrom(name, standard, 1)
}

// durationFrom reads a duration that is not below the least one.
func (l *Loader) durationFrom(name string, standard, least time.Duration) time.Duration {
	value := l.optional(name, "1h30m")
	if value == "" {
		return standard
	}
	kind := "a duration above zero"
	if least == 0 {
		kind = "a duration"
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		l.problem(name, fmt.Sprintf("is %q, which is not %s such as 90s, 45m or 12h", value, kind), cmp.Or(standard, 5*time.Second).String())
	}
	return d
}

// scopes reads OKTA_SCOPES: RFC 6749, 3.3, with "openid" among them as OpenID
// Connect Core 1.0, 3.1.2.1 demands.
func (l *Loader) scopes() []string {
	const standard = "openid profile email"
	value := cmp.Or(l.optional("OKTA_SCOPES", standard), standard)
	scopes := strings.Fields(value)
	if !slices.Contains(scopes, "openid") {
		l.problem("OKTA_SCOPES", "does not hold the scope openid", standard)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r > 0x7e || r == '"' || r == '\\' || r == ',' }) {
		l.problem("OKTA_SCOPES", "holds a character that no scope has: separate scopes by spaces", standard)
	}
	return scopes
}

// issuer reads OKTA_ISSUER (OpenID Connect Discovery 1.0, 3: https, no query,
// no fragment).
func (l *Loader) issuer() string {
	const name, example = "OKTA_ISSUER", "https://dev-123456.okta.com/oauth2/default"
	value := l.required(name, example)
	if value == "" {
		return ""
	}
	u, problem := weburl.Check(value)
	switch {
	case problem != "":
		l.problem(name, problem, example)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		l.problem(name, "has a query or a fragment, which an issuer never has", example)
	case strings.Contains(u.Path, "/.well-known/"):
		l.problem(name, "is the address of the discovery document: leave out everything from /.well-known on", example)
	case oktaAdminHost.MatchString(u.Hostname()):
		l.problem(name, "is the address of the Admin Console: leave out -admin", example)
	}
	return value
}

var oktaAdminHost = regexp.MustCompile(`-admin\.(okta|oktapreview|okta-emea)\.com$`)

func (l *Loader) baseURL() string {
	const name, standard = "APP_BASE_URL", "http://localhost:3000"
	value := cmp.Or(l.optional(name, standard), standard)
	u, problem := weburl.Check(value)
	switch {
	case problem != "":
		l.problem(name, problem, "https://expenses.example.com")
	case strings.HasSuffix(value, "/"):
		l.problem(name, "ends with a slash: leave it out", strings.TrimRight(value, "/"))
	case value != u.Scheme+"://"+u.Host || strings.ToLower(u.Host) != u.Host:
		l.problem(name, "is more than an origin: only scheme, host in small letters and port", "https://expenses.example.com")
	}
	return value
}

// postLogoutURL is kept byte for byte, because Okta compares it with what is
// registered.
func (l *Loader) postLogoutURL(baseURL string) string {
	const name = "POST_LOGOUT_URL"
	value := l.optional(name, baseURL)
	if value == "" {
		return baseURL
	}
	if _, problem := weburl.Check(value); problem != "" {
		l.problem(name, problem, baseURL)
	}
	return value
}

// DatabaseURL reads DATABASE_URL.
func (l *Loader) DatabaseURL() string {
	const standard = "sqlite:expenses.db"
	return cmp.Or(l.optional("DATABASE_URL", standard), standard)
}

// currency reads CURRENCY (ISO 4217).
func (l *Loader) currency() string {
	const name, standard = "CURRENCY", "USD"
	value := strings.ToUpper(cmp.Or(l.optional(name, standard), standard))
	if _, known := currency.GetDigits(value); !known {
		l.problem(name, fmt.Sprintf("is %q, which is not a code of ISO 4217 such as USD, EUR or JPY", value), standard)
	}
	return value
}

// timeZone reads TIME_ZONE, a name of the IANA Time Zone Database, which the
// program holds whole. Without it the zone is the machine's.
func (l *Loader) timeZone() *time.Location {
	const name, example = "TIME_ZONE", "America/New_York"
	value := l.optional(name, example)
	if value == "" {
		return time.Local
	}
	zone, err := time.LoadLocation(value)
	if err != nil || value == "Local" {
		l.problem(name, fmt.Sprintf("is %q, which is not the name of a time zone such as Europe/Berlin or UTC", value), example)
		return time.Local
	}
	return zone
}

// trustedProxies reads TRUSTED_PROXIES: addresses, and ranges of them in CIDR
// notation (RFC 4632, 3.1), separated by commas.
func (l *Loader) trustedProxies() []netip.Prefix {
	const name, example = "TRUSTED_PROXIES", "10.0.0.7,192.168.10.0/24"
	value := l.optional(name, example)
	if value == "" {
		return nil
	}
	var proxies []netip.Prefix
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		proxy, err := netip.ParsePrefix(part)
		if addr, addrErr := netip.ParseAddr(part); addrErr == nil && addr.Zone() == "" {
			proxy, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil || proxy.Addr().Is4In6():
			l.problem(name, fmt.Sprintf("holds %q, which is neither an address nor a range such as 10.0.0.0/8", part), example)
		case proxy.Bits() == 0:
			l.problem(name, fmt.Sprintf("holds %q, which trusts every address there is", part), example)
		case proxy != proxy.Masked():
			l.problem(name, fmt.Sprintf("holds %q, an address inside of a range: write %s for the range or leave out the slash", part, proxy.Masked()), example)
		default:
			proxies = append(proxies, proxy)
		}
	}
	return proxies
}

func (l *Loader) sessionSecrets(baseURL string) (secrets []secret.Text, made bool) {
	const name, example = "SESSION_SECRET", "(what this prints) openssl rand -hex 32"
	before := len(l.Problems)
	value := l.optional(name, example)
	if value == "" {
		if u, err := url.Parse(baseURL); err == nil && loopback.Host(u.Hostname()) {
			return []secret.Text{secret.Text(rand.Text() + rand.Text())}, true
		}
		if len(l.Problems) == before {
			l.problem(name, "is missing: it is required where APP_BASE_URL is not loopback", example)
		}
		return nil, false
	}
	for i, s := range strings.Split(value, ",") {
		s = strings.TrimSpace(s)
		if len([]rune(s)) < minSecretLength || isPlaceholder(s) {
			l.problem(name, fmt.Sprintf("number %d of its comma-separated secrets is shorter than %d characters or a placeholder", i+1, minSecretLength), example)
		}
		secrets = append(secrets, secret.Text(s))
	}
	return secrets, false
}
