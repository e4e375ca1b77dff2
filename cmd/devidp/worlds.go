package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/url"
	"time"

	"expense-dashboard/internal/devidp"
)

// worlds are the habits of other providers and networks that flags switch on, so
// that the app can be looked at as it is there.
type worlds struct {
	oddKeys        bool
	rotation       time.Duration
	delay          time.Duration
	userInfoStatus int
	tokenStatus    int
	page           bool
	emailClaim     string
}

func (o *worlds) flags(flags *flag.FlagSet) {
	flags.BoolVar(&o.oddKeys, "odd-keys", false, "publish keys with a certificate that is none, and padded numbers")
	flags.DurationVar(&o.rotation, "rotate-keys", 0, "sign with a new key each `period`, and withdraw the one before")
	flags.DurationVar(&o.delay, "delay", 0, "answer authorization requests after so `long`")
	flags.IntVar(&o.userInfoStatus, "userinfo-status", 0, "answer UserInfo with this `status`, such as 403")
	flags.IntVar(&o.tokenStatus, "token-status", 0, "answer the token endpoint with this `status`, such as 429 or 503")
	flags.BoolVar(&o.page, "captive-portal", false, "answer discovery with a page, as a network does that wants a sign-in of its own")
	flags.StringVar(&o.emailClaim, "email-claim", "", "tell the address in this `claim` in place of email (OKTA_EMAIL_CLAIM)")
}

// faults are what the worlds change of a provider.
func (o worlds) faults() devidp.Faults {
	var faults devidp.Faults
	if o.oddKeys {
		faults.Keys = func(keys []map[string]any) []map[string]any {
			for _, key := range keys {
				key["x5c"], key["x5t"] = []string{"odd"}, "odd"
				if modulus, ok := key["n"].(string); ok {
					key["n"] = modulus + "=="
				}
			}
			return keys
		}
	}
	if o.delay > 0 {
		faults.Authorize = func(url.Values) { time.Sleep(o.delay) }
	}
	if o.emailClaim != "" {
		move := func(claims map[string]any) {
			if address, ok := claims["email"]; ok {
				delete(claims, "email")
				claims[o.emailClaim] = address
			}
		}
		faults.Claims, faults.UserInfo = move, move
	}
	faults.Intercept = o.intercept
	return faults
}

// intercept takes the place of the endpoints that a world has another answer for.
func (o worlds) intercept(endpoint string) http.HandlerFunc {
	switch {
	case endpoint == "userinfo" && o.userInfoStatus != 0:
		return answer(o.userInfoStatus, "application/json", "{}")
	case endpoint == "token" && o.tokenStatus != 0:
		return answer(o.tokenStatus, "application/json", "{}")
	case endpoint == "openid-configuration" && o.page:
		return answer(http.StatusOK, "text/html", "<!doctype html><title>Sign in to this network</title>")
	}
	return nil
}

func answer(status int, mediaType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		// The client may be gone, which concerns nobody else.
		_, _ = io.WriteString(w, body)
	}
}

// rotate gives a provider a new key each period, until ctx is done.
func (o worlds) rotate(ctx context.Context, provider *devidp.Provider) error {
	if o.rotation <= 0 {
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(o.rotation):
		}
		if err := provider.RotateKeys(); err != nil {
			return err
		}
		provider.WithdrawOldKeys()
	}
}
