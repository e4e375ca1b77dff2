// Package doctor says before a start, or beside a program that does not do what it
// should, what is wrong with what surrounds it: the configuration, its secrets and keys,
// the addresses, the provider and the way to it, this machine's clock, the teams file and
// the database. Each finding says what was found and what to do about it, holds no secret,
// and is ok, a warning (works, and is perhaps not what was meant) or a failure.
//
// It looks and changes nothing: it signs nobody in and migrates no database, and whether
// the provider takes the credentials it finds out by a code that nobody was given. It reads
// by what the program reads by (config, openid, team, store/upkeep), so that it is of no
// other opinion than the start. What depends on a variable that is wrong is left out. The
// command line and the exit code are main's. Start reading at Examine; the order of its
// checks is the order of the answer.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/config"
	"expense-dashboard/internal/duration"
	"expense-dashboard/internal/loopback"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/upkeep"
	teampkg "expense-dashboard/internal/team"
)

// findingStatus is how bad a finding is.
type findingStatus string

const (
	statusOK   findingStatus = "ok"
	statusWarn findingStatus = "warn" // works, and may not be what is wanted
	statusFail findingStatus = "fail"
)

// FailedError is a diagnosis in which checks have failed.
type FailedError struct {
	Checks int
	// Misset says that the configuration has to be changed; else it is the world
	// around the program.
	Misset bool
}

// Error implements error.
func (e *FailedError) Error() string { return fmt.Sprintf("doctor: checks that failed: %d", e.Checks) }

// finding is what one check has found, and what to do about it. It never holds
// a secret.
type finding struct {
	Check  string        `json:"check"`
	Status findingStatus `json:"status"`
	Found  string        `json:"found"`
	Fix    string        `json:"fix,omitempty"`
}

// Diagnosis is what the doctor has found, as JSON.
type Diagnosis struct {
	OK     bool      `json:"ok"` // nothing failed
	Checks []finding `json:"checks"`
}

// Doctor looks at everything that the program needs, and changes nothing.
type Doctor struct {
	cfg        config.Config
	findings   []finding
	misset     bool              // a check has failed because the configuration has to be changed
	authMethod string            // how the client authenticates, once that is known
	clientKey  *openid.ClientKey // nil where there is none
	// broken holds the variables that have a problem, so that what depends on
	// them is not looked at.
	broken map[string]bool
}

func (d *Doctor) ok(check, found string, fix ...string) { d.add(statusOK, check, found, fix) }

func (d *Doctor) warn(check, found string, fix ...string) { d.add(statusWarn, check, found, fix) }

func (d *Doctor) fail(check, found string, fix ...string) { d.add(statusFail, check, found, fix) }

// refuse is fail for what the program exits with status 2 at: what is set.
func (d *Doctor) refuse(check, found string, fix ...string) {
	d.misset = true
	d.fail(check, found, fix...)
}

func (d *Doctor) add(status findingStatus, check, found string, fix []string) {
	// Some errors have several lines.
	found = strings.Join(strings.Fields(found), " ")
	d.findings = append(d.findings, finding{check, status, found, strings.Join(fix, " ")})
}

// Diagnosis returns what was found.
func (d *Doctor) Diagnosis() Diagnosis { return Diagnosis{OK: d.Err() == nil, Checks: d.findings} }

// Err returns a *FailedError where a check has failed.
func (d *Doctor) Err() error {
	if failed := d.count(statusFail); failed > 0 {
		return &FailedError{Checks: failed, Misset: d.misset}
	}
	return nil
}

func (d *Doctor) count(status findingStatus) int {
	count := 0
	for _, f := range d.findings {
		if f.Status == status {
			count++
		}
	}
	return count
}

// Text is the findings for people: a line for each, and below it what to do.
func (d *Doctor) Text() string {
	var text strings.Builder
	for _, f := range d.findings {
		fmt.Fprintf(&text, "%-4s  %-15s  %s\n", f.Status, f.Check, f.Found)
		if f.Fix != "" {
			fmt.Fprintf(&text, "%23s-> %s\n", "", f.Fix)
		}
	}
	fmt.Fprintf(&text, "\n%d ok, %d to look at, %d failed\n", d.count(statusOK), d.count(statusWarn), d.count(statusFail))
	return text.String()
}

// Examine runs every check that the configuration allows.
func Examine(ctx context.Context, environ []string) *Doctor {
	d := &Doctor{broken: map[string]bool{}}
	d.checkConfig(environ)
	d.checkSecret()
	d.checkClientKey()
	d.checkOrigin()
	d.checkMetricsAddr()
	d.checkProvider(ctx)
	d.checkTeams()
	d.checkDatabase(ctx)
	return d
}

// checkConfig reads the configuration as the program does at its start.
func (d *Doctor) checkConfig(environ []string) {
	const check = "configuration"
	variables := config.Read(environ)
	for _, hint := range variables.Hints() {
		d.warn(check, hint.Found, hint.Advice)
	}
	clean := len(d.findings) == 0
	var err error
	d.cfg, err = variables.Load()
	if err == nil {
		if clean {
			d.ok(check, "everything that is set is understood")
		}
		return
	}
	for problem := range strings.SplitSeq(err.Error(), "\n") {
		name, _, _ := strings.Cut(problem, " ")
		d.broken[strings.TrimSuffix(name, "_FILE")], d.broken[name] = true, true
		found, example, given := strings.Cut(problem, ". Example: ")
		found, fix, advised := strings.Cut(found, ": put ")
		switch {
		case advised && given:
			fix = "put " + fix + ", for example " + example
		case advised:
			fix = "put " + fix
		default:
			fix = "for example " + example
		}
		d.refuse(check, found, fix)
	}
}

// minSecretVariety is how many different characters a strong secret has at
// least: 32 random hexadecimal ones have fewer once in 20,000 times.
const minSecretVariety = 8

func (d *Doctor) checkSecret() {
	const check, fix = "session secret", "set SESSION_SECRET to what this prints: openssl rand -hex 32"
	if d.broken["SESSION_SECRET"] {
		return
	}
	if d.cfg.SessionSecretMade {
		d.warn(check, "SESSION_SECRET is not set: one is made up at each start, which ends all sessions, and several copies do not share them", fix)
		return
	}
	for i, s := range d.cfg.SessionSecrets {
		different := map[rune]bool{}
		for _, character := range string(s) {
			different[character] = true
		}
		if len(different) < minSecretVariety {
			d.warn(check, fmt.Sprintf("number %d of SESSION_SECRET repeats a few characters and can be guessed", i+1), fix)
			return
		}
	}
	d.ok(check, fmt.Sprintf("SESSION_SECRET holds %d: the first signs, all are read", len(d.cfg.SessionSecrets)))
}

// checkClientKey reads the key that the client authenticates with, and tells what
// Okta has to know of it.
func (d *Doctor) checkClientKey() {
	const check = "client key"
	if d.cfg.PrivateKeyFile == "" || d.broken["OKTA_PRIVATE_KEY_FILE"] {
		return
	}
	key, err := openid.OpenClientKey(d.cfg.PrivateKeyFile)
	if err != nil {
		d.broken["OKTA_PRIVATE_KEY_FILE"] = true
		d.refuse(check, "OKTA_PRIVATE_KEY_FILE "+err.Error(), "for example openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out client-key.pem")
		return
	}
	d.clientKey = key
	d.ok(check, "the public key is "+key.PublicJWK(), "it must stand in the app's Public Keys in Okta's Admin Console, General > Client Credentials")
}

// checkOrigin looks at how browsers get here, and tells what Okta has to know.
func (d *Doctor) checkOrigin() {
	if d.broken["APP_BASE_URL"] {
		return
	}
	u, err := url.Parse(d.cfg.BaseURL)
	if err != nil {
		return
	}
	switch {
	case u.Scheme == "https":
		d.ok("cookies", "https: Secure, with the prefix __Host- or __Secure-")
	case u.Hostname() == "localhost":
		d.ok("cookies", "http on loopback: neither Secure nor prefixed, so that Safari keeps them too",
			"open "+d.cfg.BaseURL+" and not the same by 127.0.0.1: browsers keep the cookies of the two apart")
	default:
		d.ok("cookies", "http on loopback: neither Secure nor prefixed, so that Safari keeps them too",
			"open "+d.cfg.BaseURL+" and not the same by localhost: browsers keep the cookies of the two apart")
	}
	d.ok("redirect URI", d.cfg.BaseURL+openid.CallbackPath, "must stand, to the letter, in the app's Sign-in redirect URIs in Okta's Admin Console")
	if !d.broken["POST_LOGOUT_URL"] {
		d.ok("sign-out URI", d.cfg.PostLogoutURL, "must stand, to the letter, in the app's Sign-out redirect URIs in Okta's Admin Console")
	}
	d.checkListenAddr(u)
}

func (d *Doctor) checkListenAddr(base *url.URL) {
	const check = "listen address"
	_, port, err := net.SplitHostPort(d.cfg.ListenAddr)
	_, basePort, baseErr := net.SplitHostPort(config.DefaultListenAddr(d.cfg.BaseURL))
	switch {
	case d.broken["LISTEN_ADDR"] || err != nil || baseErr != nil:
	case base.Scheme == "https":
		d.ok(check, d.cfg.ListenAddr+", without TLS of its own", "a proxy in front must take https from browsers and pass it on here")
	case port != basePort:
		d.warn(check, fmt.Sprintf("LISTEN_ADDR has port %s and APP_BASE_URL %s", port, basePort), "make them the same, unless a proxy stands between")
	default:
		d.ok(check, d.cfg.ListenAddr)
	}
}

func (d *Doctor) checkMetricsAddr() {
	const check = "metrics"
	host, _, err := net.SplitHostPort(d.cfg.MetricsAddr)
	switch {
	case d.cfg.MetricsAddr == "" || d.broken["METRICS_ADDR"] || err != nil:
	case loopback.Host(host):
		d.ok(check, d.cfg.MetricsAddr+", for this machine only")
	default:
		d.warn(check, d.cfg.MetricsAddr+" can be asked by other machines, without a password", "let a firewall admit Prometheus only, or set METRICS_ADDR to an address of 127.0.0.1")
	}
}

// checkTeams reads the teams file as the program does, and looks for what is
// allowed but hardly meant.
func (d *Doctor) checkTeams() {
	const check = "teams"
	if d.broken["TEAMS_FILE"] {
		return
	}
	if d.cfg.TeamsFile == "" {
		d.warn(check, "TEAMS_FILE is not set: the built-in sample says who sees what", "set TEAMS_FILE to a file of your own, in the form of sample/teams.json")
		return
	}
	data, err := teampkg.ReadFile(d.cfg.TeamsFile)
	if err != nil {
		d.refuse(check, "TEAMS_FILE "+err.Error(), "name a file that the program may read")
		return
	}
	directory, err := teampkg.Parse(data)
	if err != nil {
		for mistake := range strings.SplitSeq(err.Error(), "\n") {
			found, right, given := strings.Cut(mistake, ". Example: ")
			if given {
				right = "for example " + right
			}
			d.refuse(check, d.cfg.TeamsFile+": "+found, right)
		}
		return
	}
	found := fmt.Sprintf("%s: teams: %d, people: %d", d.cfg.TeamsFile, len(directory.Teams()), len(directory.Everyone()))
	if groups := len(directory.Groups()); groups > 0 {
		found += fmt.Sprintf(", groups: %d", groups)
	}
	d.ok(check, found)
	d.checkGroups(directory)
	d.checkMembers(directory)
}

// checkGroups says what Okta has to tell where the teams file goes by groups.
func (d *Doctor) checkGroups(directory *teampkg.Directory) {
	const check = "groups"
	if len(directory.Groups()) == 0 || d.broken["OKTA_GROUPS_CLAIM"] || d.broken["OKTA_ISSUER"] {
		return
	}
	found := "the teams file goes by groups, which the claim " + d.cfg.GroupsClaim + " of the ID Token, or else of UserInfo, has to hold"
	switch {
	case strings.Contains(d.cfg.Issuer, "/oauth2/"):
		d.ok(check, found, "in Okta's Admin Console, Security > API > Authorization Servers > the server > Claims: add "+d.cfg.GroupsClaim+", in the ID token, always, of the type Groups")
	case !slices.Contains(d.cfg.Scopes, "groups"):
		d.warn(check, found+", and OKTA_SCOPES lacks groups", "an org authorization server tells groups for that scope: set OKTA_SCOPES='"+strings.Join(append(slices.Clone(d.cfg.Scopes), "groups"), " ")+"', and on the app's Sign On tab the groups claim")
	default:
		d.ok(check, found, "in Okta's Admin Console, on the app's Sign On tab: set the groups claim to "+d.cfg.GroupsClaim+" with a filter that matches them")
	}
}

func (d *Doctor) checkMembers(directory *teampkg.Directory) {
	const check = "teams"
	if len(directory.Teams()) == 0 {
		d.warn(check, "there are no teams", "add the first one")
	}
	onTeam := map[string]bool{}
	for _, address := range slices.Sorted(maps.Keys(directory.Everyone())) {
		access := directory.Everyone()[address]
		if found := oddAddress(address); found != "" {
			d.warn(check, fmt.Sprintf("%q %s", address, found), "compare it with the address on the person's profile in Okta")
		}
		if !access.ReadsAll() && len(access.Teams) == 0 {
			d.warn(check, fmt.Sprintf("%q is on no team", address), "name a team or remove the address")
		}
		for _, team := range directory.Teams() {
			onTeam[team.ID] = onTeam[team.ID] || access.Role(team.ID) != 0
		}
	}
	for _, name := range slices.Sorted(maps.Keys(directory.Groups())) {
		access := directory.Groups()[name]
		if !access.ReadsAll() && len(access.Teams) == 0 {
			d.warn(check, fmt.Sprintf("the group %q gives no team", name), "name a team or remove the group")
		}
		for _, team := range directory.Teams() {
			onTeam[team.ID] = onTeam[team.ID] || access.Role(team.ID) != 0
		}
	}
	for _, team := range directory.Teams() {
		if !onTeam[team.ID] {
			d.warn(check, fmt.Sprintf("team %q has no members", team.ID), "add them or remove the team")
		}
	}
}

// oddAddress says why an address will hardly ever be the one that Okta has for
// somebody, or "". Addresses come here normalized.
func oddAddress(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	switch {
	case strings.ContainsFunc(address, unicode.IsUpper):
		return "holds a capital letter other than A to Z, which stays one when addresses are compared"
	case strings.Contains(domain, "@"):
		return "holds more than one @"
	case strings.HasSuffix(local, "+"):
		return "ends with a + before the @"
	case !strings.Contains(domain, "."):
		return "has a domain without a dot"
	}
	return ""
}

// checkDatabase finds out whether the program could use the database.
func (d *Doctor) checkDatabase(ctx context.Context) {
	const check = "database"
	if d.broken["DATABASE_URL"] {
		return
	}
	if upkeep.Unencrypted(d.cfg.DatabaseURL) {
		d.warn(check, "DATABASE_URL leads to another host without sslmode: what is read and written may be seen and changed on the way",
			"add sslmode=verify-full, and sslrootcert where the server's certificate is not a public one")
	}
	state, err := upkeep.Inspect(ctx, d.cfg.DatabaseURL)
	if state.Pooled {
		d.ok(check, "a pooler such as PgBouncer stands in between: the program prepares no statements",
			"default_query_exec_mode=exec in DATABASE_URL says so without looking")
	}
	var damage *fault.DamageError
	var encoding *fault.EncodingError
	var access *upkeep.AccessError
	switch {
	case errors.As(err, &damage):
		d.fail(check, damage.File+" is damaged: "+damage.Err.Error(), damage.Fix())
	case errors.As(err, &encoding):
		d.fail(check, "its encoding is "+encoding.Encoding+", which cannot hold every text", encoding.Fix())
	case errors.As(err, &access) && access.Misset:
		d.refuse(check, access.Found, access.Fix)
	case errors.As(err, &access):
		d.fail(check, access.Found, access.Fix)
	case err != nil:
		d.fail(check, err.Error(), "correct DATABASE_URL, or see that the database is there and takes the program's user")
	case state.Version > state.Known:
		newer := &fault.NewerError{Database: state.Version, Program: state.Known}
		found, fix, _ := strings.Cut(newer.Error(), ": ")
		d.fail(check, found, fix)
	case state.Missing:
		d.ok(check, "holds nothing of this program's yet: it makes what it needs at its start")
	case state.Version < state.Known:
		d.warn(check, fmt.Sprintf("schema version %d: the program brings it to %d at its start", state.Version, state.Known), "back it up first, if it holds anything")
	default:
		d.ok(check, fmt.Sprintf("reached, schema version %d, which is this program's", state.Version))
		d.checkDerived(state)
		d.checkUse(state)
	}
}

// checkUse compares the currency of the expenses with the one that is set, and
// looks for what makes a search quick.
func (d *Doctor) checkUse(state upkeep.State) {
	if other := (&fault.CurrencyError{Database: state.Currency, Configured: d.cfg.Currency}); state.Currency != "" && !d.broken["CURRENCY"] && state.Currency != d.cfg.Currency {
		found, mend, _ := strings.Cut(other.Error(), ": ")
		d.refuse("currency", "CURRENCY "+found, mend)
	}
	if state.Unindexed {
		d.warn("search", "PostgreSQL has no extension pg_trgm here, so that a search reads every expense and takes longer the more there are",
			"let an administrator of the database run CREATE EXTENSION pg_trgm; and then run expense-dashboard repair")
	}
}

// checkDerived looks at what the database derives from the expenses, and at whose
// they are.
func (d *Doctor) checkDerived(state upkeep.State) {
	const check = "sums"
	switch {
	case state.WrongSums > 0:
		d.fail(check, fmt.Sprintf("%d sums are not those of the expenses", state.WrongSums), "run expense-dashboard repair, while the program goes on")
	case state.Sampled:
		d.ok(check, "those compared are those of the expenses")
	default:
		d.ok(check, "all are those of the expenses")
	}
	issuer, err := url.Parse(d.cfg.Issuer)
	if d.broken["OKTA_ISSUER"] || err != nil {
		return
	}
	delete(state.Issuers, strings.ToLower(issuer.Host))
	others := int64(0)
	for _, people := range state.Issuers {
		others += people
	}
	if others > 0 {
		d.warn("people", fmt.Sprintf("%d have signed in by another issuer than OKTA_ISSUER, and what is theirs is not who signs in by this one", others),
			"set OKTA_ISSUER back, or let an administrator join them at /people to who they are now")
	}
}

// checkProvider asks the provider what the program asks it at its start.
func (d *Doctor) checkProvider(ctx context.Context) {
	if d.broken["OKTA_ISSUER"] {
		return
	}
	watch := &clockTransport{}
	client := openid.NewHTTPClient(openid.HTTPOptions{Wrap: func(network http.RoundTripper) http.RoundTripper {
		watch.base = network
		return watch
	}})
	relyingParty := openid.New(openid.Config{
		Issuer: d.cfg.Issuer, ClientID: d.cfg.ClientID, ClientSecret: d.cfg.ClientSecret, ClientKey: d.clientKey, ClientAuth: d.cfg.ClientAuth, Scopes: d.cfg.Scopes,
		SigningAlg: d.cfg.IDTokenAlg, RedirectURL: d.cfg.BaseURL + openid.CallbackPath, HTTP: client, Now: time.Now,
	})
	metadata, err := openid.GetClaims(ctx, client, strings.TrimSuffix(d.cfg.Issuer, "/")+"/.well-known/openid-configuration", "")
	if err != nil {
		if watch.told {
			d.checkClock(watch)
		}
		d.undiscovered(err)
		return
	}
	d.ok("discovery", "the document of OKTA_ISSUER is there")
	d.checkClock(watch)
	if !d.checkMetadata(metadata) {
		return
	}
	// The program has the last word on what it takes.
	p, err := relyingParty.Discover(ctx)
	if err != nil {
		d.fail("discovery", err.Error(), openid.FixOf(err))
		return
	}
	d.checkKeys(ctx, p)
	d.checkCredentials(ctx, relyingParty, p)
}

// undiscovered tells why there is no discovery document.
func (d *Doctor) undiscovered(err error) {
	var ask *url.Error
	fault := openid.DiscoveryFault(err)
	cause := fault.Err
	if errors.As(cause, &ask) {
		cause = ask.Err
	}
	fix := fault.Fix
	if fix == "" {
		fix = "check OKTA_ISSUER and the way from here to there; the program itself would serve and keep trying"
	}
	d.fail("discovery", "the document of OKTA_ISSUER cannot be had: "+cmp.Or(openid.Unreached(err), cause.Error()), fix)
}

// checkMetadata judges the discovery document by the functions that the program
// does, and reports whether the program would take it.
func (d *Doctor) checkMetadata(metadata claims.Claims) (acceptable bool) {
	issuer, before := d.cfg.Issuer, d.count(statusFail)
	named, err := metadata.Text("issuer")
	switch {
	case err != nil:
		d.fail("issuer", err.Error(), "check that OKTA_ISSUER names an OpenID provider: Okta shows issuers under Security > API")
		return false
	case named != issuer:
		fault := openid.DiscoveryFault(&oidc.IssuerMismatchError{Provided: issuer, Discovered: named})
		d.fail("issuer", fault.Error(), fault.Fix)
		return false
	}
	d.ok("issuer", "exactly "+issuer)
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
		_, err := openid.EndpointURL(metadata, name, issuer)
		d.judge("endpoints", name, err)
	}
	_, err = openid.OptionalEndpointURL(metadata, "userinfo_endpoint", issuer)
	d.judge("endpoints", "userinfo_endpoint", err)
	d.checkSignOut(metadata)
	d.checkAdvertised("PKCE", metadata, "code_challenge_methods_supported", "S256")
	d.checkAdvertised("signatures", metadata, "id_token_signing_alg_values_supported", d.cfg.IDTokenAlg)
	method, err := openid.ClientAuthMethod(metadata, d.cfg.ClientAuth, d.clientKey)
	d.judge("endpoints", "token_endpoint_auth_methods_supported", err)
	d.authMethod = method
	return d.count(statusFail) == before
}

const notForUs = "the program would not start: check that OKTA_ISSUER names a provider for web applications"

func (d *Doctor) judge(check, name string, err error) {
	if err != nil {
		d.fail(check, err.Error(), notForUs)
		return
	}
	d.ok(check, name+" is acceptable")
}

// checkAdvertised looks for a value in a list that the program takes for
// unlimited where it is missing.
func (d *Doctor) checkAdvertised(check string, metadata claims.Claims, name, value string) {
	switch err := openid.Supports(metadata, name, value); {
	case err != nil:
		d.fail(check, err.Error(), notForUs)
	case !metadata.Has(name):
		d.warn(check, name+" is not published: the program relies on "+value+" all the same", "ask whoever runs the provider whether it is supported")
	default:
		d.ok(check, value+" is supported")
	}
}

func (d *Doctor) checkSignOut(metadata claims.Claims) {
	const check, name = "sign-out", "end_session_endpoint"
	switch endpoint, err := openid.OptionalEndpointURL(metadata, name, d.cfg.Issuer); {
	case err != nil:
		d.fail(check, err.Error(), notForUs)
	case endpoint == "":
		d.warn(check, name+" is not published: signing out ends the session here and leaves the one at the provider", "use an issuer that has one, as Okta's have")
	default:
		d.ok(check, name+" is acceptable")
	}
}

func (d *Doctor) checkKeys(ctx context.Context, p *openid.Provider) {
	const check = "signing keys"
	usable, err := p.RefreshKeys(ctx)
	if err != nil {
		var ask *url.Error
		if errors.As(err, &ask) {
			err = fmt.Errorf("fetch keys: %w", ask.Err)
		}
		found := err.Error()
		if why := openid.Unreached(err); why != "" {
			found = "fetch keys: " + why
		}
		d.fail(check, found, "no ID Token can be verified: see what jwks_uri answers")
		return
	}
	d.ok(check, fmt.Sprintf("usable: %d", usable))
}

// checkCredentials offers a code that no provider has issued: one that refuses
// the code and not the client has taken the credentials (RFC 6749, 5.2).
func (d *Doctor) checkCredentials(ctx context.Context, relyingParty *openid.Client, p *openid.Provider) {
	const check = "credentials"
	if d.broken["OKTA_CLIENT_ID"] || d.broken["OKTA_CLIENT_SECRET"] || d.broken["OKTA_PRIVATE_KEY_FILE"] {
		return
	}
	proof, fix := "OKTA_CLIENT_SECRET", "copy both anew from the app's General tab in Okta's Admin Console; the app must be a web application with a client secret"
	if d.authMethod == openid.PrivateKeyJWT {
		proof, fix = "the key of OKTA_PRIVATE_KEY_FILE", "in Okta's Admin Console, on the app's General tab, choose Public key / Private key as client authentication and add the public key that stands above"
	}
	_, err := relyingParty.Exchange(ctx, p, "doctor", oauth2.GenerateVerifier())
	var status *openid.StatusError
	switch {
	case errors.As(err, &status) && status.OAuthError == "invalid_grant":
		d.ok(check, "the provider takes OKTA_CLIENT_ID and "+proof)
	case errors.As(err, &status) && (status.OAuthError == "invalid_client" || status.OAuthError == "unauthorized_client"):
		d.fail(check, "the provider refuses OKTA_CLIENT_ID and "+proof+": "+status.Error(), fix)
	case errors.As(err, &status):
		d.warn(check, "the provider does not say whether it takes them: "+status.Error(), "sign in to find out")
	default:
		d.warn(check, "the token endpoint did not answer as one does", "see that token_endpoint can be reached from here, and sign in to find out")
	}
}

// clockTransport notes how far the provider's clock is from ours (RFC 9110,
// 6.6.1), by the first answer that tells.
type clockTransport struct {
	base  http.RoundTripper
	told  bool
	ahead time.Duration // the provider's clock, to a second
}

// RoundTrip implements http.RoundTripper.
func (t *clockTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := time.Now()
	response, err := t.base.RoundTrip(r)
	if err != nil || t.told {
		return response, err
	}
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return response, nil
	}
	// The header is cut to whole seconds, and was written between the two.
	middle := begun.Add(time.Since(begun) / 2)
	t.told, t.ahead = true, date.Add(500*time.Millisecond).Sub(middle).Round(time.Second)
	return response, nil
}

// goodClockSkew is how far off a clock may be without being remarked upon.
const goodClockSkew = time.Minute

func (d *Doctor) checkClock(watch *clockTransport) {
	const check, fix = "clock", "let this machine set its clock by NTP: sign-ins fail where it is more than 5 minutes off"
	found := "this machine's clock is " + duration.InWords(watch.ahead.Abs().Round(time.Minute))
	if watch.ahead > 0 {
		found += " behind the provider's"
	} else {
		found += " ahead of the provider's"
	}
	switch off := watch.ahead.Abs(); {
	case !watch.told:
		d.warn(check, "the provider told no time to compare this machine's with", "see that this machine sets its clock by NTP")
	case off > token.MaxClockSkew:
		d.fail(check, found, fix)
	case off > goodClockSkew:
		d.warn(check, found, fix)
	default:
		d.ok(check, "this machine's agrees with the provider's to a minute")
	}
}
