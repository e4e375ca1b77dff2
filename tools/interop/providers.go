package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/dexidp/dex/server"
	dexstorage "github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	clientID     = "expense-dashboard"
	clientSecret = "a secret of the interop run"
	callbackPath = "/authorization-code/callback"
)

// A provider is another maker's, and the person who signs in there. Those with
// UserInfo say name and address there alone, and not in the ID Token.
type provider struct {
	name            string
	login, password string // what its form takes
	person, email   string // what it then says of the person
	// start starts it, with a new key and no session, for the site at an origin.
	start func(ctx context.Context, issuer, site string) (stop func(), err error)
}

func providers(script, dexWeb string) []provider {
	zitadel := provider{
		login: "test-user@localhost", password: "verysecure",
		person: "Test User", email: "test-user@zitadel.ch",
	}
	dex, example := zitadel, zitadel
	dex.name, dex.start = "dex 2.13.0, upstream zitadel op", startDex(dexWeb)
	example.name, example.start = "zitadel op 3.52.0", startZitadel
	return []provider{
		{
			name: "oidc-provider 9.13.3", start: startOIDCProvider(script),
			login: "carol.lee@example.com", password: "any", person: "Carol Lee", email: "carol.lee@example.com",
		},
		dex,
		example,
	}
}

// freeOrigin returns the origin of a free port of a loopback host.
func freeOrigin(host string) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return "http://" + net.JoinHostPort(host, port), err
}

// serveAt serves at an issuer's address until it is stopped.
func serveAt(issuer string, handler http.Handler) (stop func(), err error) {
	listener, err := net.Listen("tcp", strings.TrimPrefix(issuer, "http://"))
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: handler}
	go s.Serve(listener)
	return func() { s.Close() }, nil
}

func startOIDCProvider(script string) func(context.Context, string, string) (func(), error) {
	return func(ctx context.Context, issuer, site string) (func(), error) {
		node := exec.CommandContext(ctx, "node", script, issuer, site+callbackPath, site)
		var log strings.Builder
		node.Stderr = &log
		if err := node.Start(); err != nil {
			return nil, err
		}
		stop := func() {
			_ = node.Process.Signal(os.Interrupt)
			_ = node.Wait()
		}
		if err := waitFor(ctx, issuer+"/.well-known/openid-configuration"); err != nil {
			stop()
			return nil, fmt.Errorf("%w: %s", err, &log)
		}
		return stop, nil
	}
}

// opStorage is the example's storage with a client that may be signed out of.
type opStorage struct {
	*storage.Storage
	postLogoutURI string
}

// GetClientByClientID implements op.Storage.
func (s opStorage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	client, err := s.Storage.GetClientByClientID(ctx, id)
	return opClient{client, s.postLogoutURI}, err
}

type opClient struct {
	op.Client
	postLogoutURI string
}

// PostLogoutRedirectURIs implements op.Client.
func (c opClient) PostLogoutRedirectURIs() []string { return []string{c.postLogoutURI} }

// IDTokenUserinfoClaimsAssertion says whether the ID Token repeats the claims of
// UserInfo, which dex as the client does not ask.
func (c opClient) IDTokenUserinfoClaimsAssertion() bool { return c.GetID() == "dex" }

func startZitadel(_ context.Context, issuer, site string) (func(), error) {
	return startOP(issuer, site, storage.WebClient(clientID, clientSecret, site+callbackPath))
}

func startOP(issuer, site string, client *storage.Client) (func(), error) {
	users := storage.NewUserStore("http://localhost")
	clients := map[string]*storage.Client{client.GetID(): client}
	s := opStorage{storage.NewStorageWithClients(users, clients), site}
	return serveAt(issuer, exampleop.SetupServer(issuer, s, slog.New(slog.DiscardHandler), false))
}

func startDex(web string) func(context.Context, string, string) (func(), error) {
	return func(ctx context.Context, issuer, site string) (func(), error) {
		upstream, err := freeOrigin("127.0.0.1")
		if err != nil {
			return nil, err
		}
		stopUpstream, err := startOP(upstream, site, storage.WebClient("dex", clientSecret, issuer+"/callback"))
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		stop := func() { cancel(); stopUpstream() }
		handler, err := newDex(ctx, web, issuer, site, upstream)
		if err != nil {
			stop()
			return nil, err
		}
		stopDex, err := serveAt(issuer, handler)
		if err != nil {
			stop()
			return nil, err
		}
		return func() { stopDex(); stop() }, nil
	}
}

func newDex(ctx context.Context, web, issuer, site, upstream string) (http.Handler, error) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	connector, err := json.Marshal(map[string]string{
		"issuer": upstream, "clientID": "dex", "clientSecret": clientSecret, "redirectURI": issuer + "/callback",
	})
	if err != nil {
		return nil, err
	}
	data := memory.New(log)
	err = errors.Join(
		data.CreateClient(dexstorage.Client{ID: clientID, Secret: clientSecret, Name: "Expense Dashboard", RedirectURIs: []string{site + callbackPath}}),
		data.CreateConnector(dexstorage.Connector{ID: "upstream", Type: "oidc", Name: "Upstream", Config: connector}),
	)
	if err != nil {
		return nil, err
	}
	return server.NewServer(ctx, server.Config{
		Issuer: issuer, Storage: data, SkipApprovalScreen: true,
		Web: server.WebConfig{Dir: web}, Logger: log, PrometheusRegistry: prometheus.NewRegistry(),
	})
}
