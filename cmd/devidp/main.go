// Devidp runs a command with an OpenID provider for development beside it.
//
//	devidp [flags] [command [argument…]]
//
// The provider stands in for an Okta org: whoever opens its page may be anybody,
// so it listens on loopback only. The command finds OKTA_ISSUER, OKTA_CLIENT_ID
// and OKTA_CLIENT_SECRET in its environment; devidp ends when it ends, with its
// exit status. Without a command devidp prints these variables and serves until
// it is interrupted.
//
// APP_BASE_URL and POST_LOGOUT_URL, with the same defaults as in the app, say
// which redirect URIs are registered.
package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"expense-dashboard/internal/devidp"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	var ended *exec.ExitError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.As(err, &ended):
		os.Exit(exitStatus(ended))
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "devidp:", err)
		os.Exit(1)
	}
}

// errUsage is a mistake in the flags that has been printed with the usage.
var errUsage = errors.New("wrong usage")

// exitStatus returns a command's exit status, or as a shell does 128 and the
// number of the signal that ended it.
func exitStatus(ended *exec.ExitError) int {
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return ended.ExitCode()
}

// options are what the flags say.
type options struct {
	addr    string
	config  devidp.Config
	command []string
	// privateKeyJWT registers the client with a key, made anew, in place of a secret.
	privateKeyJWT bool
	worlds
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("devidp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: devidp [flags] [command [argument…]]")
		flags.PrintDefaults()
	}
	// Any free port, so that two copies never meet. The address is not localhost,
	// where the app usually is, so that the two are different sites to a browser,
	// as they are with Okta.
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:0", "loopback `address` to listen on; a fixed port keeps the issuer the same")
	flags.BoolVar(&opts.config.FullIDTokens, "full-id-tokens", false, "put name and email into the ID token; without it only UserInfo has them")
	flags.IntVar(&opts.config.IDTokenPadding, "id-token-padding", 0, "make ID tokens longer by a groups claim of so many `bytes`")
	flags.BoolVar(&opts.config.ResponseIssuer, "response-issuer", false, "add iss to authorization responses (RFC 9207)")
	flags.StringVar(&opts.config.SigningAlg, "signing-alg", "RS256", "sign ID tokens by this `algorithm`: RS256, PS256, ES256 or EdDSA (OKTA_ID_TOKEN_ALG)")
	flags.StringVar(&opts.config.Groups, "groups", "", "tell people's groups in `place`: id_token or userinfo (OKTA_GROUPS_CLAIM)")
	flags.StringVar(&opts.config.ACR, "acr", "", "meet an acr_values that holds this `value` (STEP_UP_ACR_VALUES)")
	flags.BoolVar(&opts.config.RequirePushedRequests, "require-par", false, "take pushed authorization requests only (RFC 9126)")
	flags.BoolVar(&opts.privateKeyJWT, "private-key-jwt", false, "register the client with a key in place of a secret (OKTA_PRIVATE_KEY_FILE)")
	opts.worlds.flags(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return options{}, err
		}
		return options{}, errUsage
	}
	opts.command = flags.Args()
	return opts, nil
}

// run starts the provider, and the command of args beside it, and returns when
// the command has ended: nil, or an *exec.ExitError. When ctx ends or a signal
// comes, the command is asked to end.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (err error) {
	opts, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	// Before anything is started, so that no signal can leave it running alone.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	appBaseURL := cmp.Or(strings.TrimSpace(getenv("APP_BASE_URL")), "http://localhost:3000")
	opts.config.RedirectURIs = []string{appBaseURL + "/authorization-code/callback"}
	opts.config.PostLogoutRedirectURIs = []string{cmp.Or(strings.TrimSpace(getenv("POST_LOGOUT_URL")), appBaseURL)}
	proof, forget, err := opts.registerKey()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	provider, err := devidp.Start(opts.addr, opts.config)
	if err != nil {
		return fmt.Errorf("start provider: %w", err)
	}
	defer func() { err = errors.Join(err, provider.Close()) }()
	provider.SetFaults(opts.faults())
	rotating, endRotation := context.WithCancel(ctx)
	rotated := make(chan error, 1)
	go func() { rotated <- opts.rotate(rotating, provider) }()
	defer func() { endRotation(); err = errors.Join(err, <-rotated) }()
	fmt.Fprintf(stderr, "devidp: sign-in is by %s, for development only and reachable from this machine only\n", provider.Issuer())

	environment := []string{
		"OKTA_ISSUER=" + provider.Issuer(),
		"OKTA_CLIENT_ID=" + provider.ClientID(),
		"OKTA_CLIENT_SECRET=" + provider.ClientSecret(),
	}
	if proof != "" {
		environment[2] = proof
	}
	if len(opts.command) > 0 {
		return runCommand(ctx, opts.command, environment, signals, stdout, stderr)
	}
	for _, variable := range environment {
		fmt.Fprintln(stdout, "export", variable)
	}
	select {
	case <-ctx.Done():
	case <-signals:
	}
	return nil
}

// registerKey makes the client's key, if it is to have one, in a file of its own that
// forget removes. The variable is the one that names the file, or "".
func (o *options) registerKey() (variable string, forget func() error, err error) {
	if !o.privateKeyJWT {
		return "", func() error { return nil }, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, fmt.Errorf("make client key: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, fmt.Errorf("encode client key: %w", err)
	}
	folder, err := os.MkdirTemp("", "devidp-")
	if err != nil {
		return "", nil, fmt.Errorf("keep client key: %w", err)
	}
	o.config.ClientKey = key.Public()
	forget = func() error { return os.RemoveAll(folder) }
	file := filepath.Join(folder, "client-key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600); err != nil {
		return "", nil, errors.Join(fmt.Errorf("keep client key: %w", err), forget())
	}
	return "OKTA_PRIVATE_KEY_FILE=" + file, forget, nil
}

// runCommand runs command with environment added to devidp's own, and passes
// signals on to it as SIGTERM.
func runCommand(ctx context.Context, command, environment []string, signals <-chan os.Signal, stdout, stderr io.Writer) error {
	child := exec.Command(command[0], command[1:]...)
	child.Env = append(os.Environ(), environment...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, stdout, stderr
	if err := child.Start(); err != nil {
		return fmt.Errorf("start command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	cancelled, interrupted := ctx.Done(), false
	for {
		select {
		case err := <-ended:
			return err
		case <-cancelled:
			cancelled = nil
		case received := <-signals:
			if received == os.Interrupt && !interrupted && hasTerminal() {
				// A terminal's Ctrl-C has reached the command as well, and a second
				// signal could cut its shutdown short.
				interrupted = true
				continue
			}
		}
		if err := child.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end command: %w", err)
		}
	}
}

// hasTerminal tells whether devidp can be interrupted from a terminal.
func hasTerminal() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	return terminal.Close() == nil
}
