package openid

import (
	"fmt"
	"path"
	"strings"
)

// refusalOf says what an error code of the provider means (RFC 6749, 4.1.2.1
// and 5.2; OpenID Connect Core 1.0, 3.1.2.6; RFC 9449, 5). Of Okta's
// description only the texts known here count, and none is kept.
func refusalOf(code, description string) Reason {
	switch code {
	case "access_denied":
		switch strings.TrimSuffix(description, ".") {
		case "User is not assigned to the client application":
			return NotAssigned
		case "Policy evaluation failed for this request, please check the policy configurations":
			return NoAccessPolicy
		}
		return AccessDenied
	case "login_required", "interaction_required", "account_selection_required":
		return AccessDenied
	case "consent_required":
		return ConsentRequired
	case "temporarily_unavailable", "server_error":
		return ProviderUnreachable
	case "invalid_grant":
		return CodeRefused
	case "invalid_client":
		return InvalidClient
	case "invalid_scope":
		return InvalidScope
	case "invalid_dpop_proof", "use_dpop_nonce":
		return DpopRequired
	}
	return ProviderRefused
}

// Fix tells whoever runs the site what to change so that a sign-in does not
// fail like this again, for most by its place in Okta's Admin Console. It is
// empty where there is nothing to change.
func (c *Client) Fix(reason Reason) string {
	const systemLog = "Reports > System Log says which policy or rule refused, by the time of this line"
	app := fmt.Sprintf("Applications > Applications > the app with the client ID %s", c.config.ClientID)
	server := "Security > API > Authorization Servers > " + path.Base(c.config.Issuer)
	orgServer := !strings.Contains(c.config.Issuer, "/oauth2/")
	switch reason {
	case NotAssigned:
		return app + " > Assignments > Assign: add the person or one of their groups"
	case NoAccessPolicy:
		return fmt.Sprintf("%s > Access Policies: add a policy that is assigned to the app with the client ID %s, and in it a rule with the grant type Authorization Code, these people and the scopes %s; both have to be active",
			server, c.config.ClientID, strings.Join(c.config.Scopes, " "))
	case ConsentRequired:
		return app + " > General > User Consent: clear Require consent, or let people agree when Okta asks"
	case AccessDenied, ProviderRefused:
		return systemLog
	case InvalidClient:
		if p := c.Provider(); p != nil && p.authMethod == PrivateKeyJWT {
			return app + " > General > Client Credentials: it has to exist and be active, Client authentication has to be Public key / Private key, and the public key that expense-dashboard doctor prints has to be among its keys"
		}
		return app + " > General > Client Credentials: it has to exist and be active, Client authentication has to be Client secret, and its secret has to be OKTA_CLIENT_SECRET, in single quotes in .env; then start the program again"
	case InvalidScope:
		if orgServer {
			return "take out of OKTA_SCOPES what is not openid, profile or email, and start the program again"
		}
		return fmt.Sprintf("%s > Scopes: it has to list each of %s; or take the one that it lacks out of OKTA_SCOPES and start the program again", server, strings.Join(c.config.Scopes, " "))
	case DpopRequired:
		return app + " > General > General Settings > Edit: clear Require Demonstrating Proof of Possession (DPoP) header in token requests"
	case ProviderBusy:
		return "Reports > Rate Limits shows which limit was reached and by what"
	case ClockOff:
		return "set the clock of the machine that runs this program, on Linux with timedatectl set-ntp true"
	case EmailMissing:
		if c.config.EmailClaim != emailClaim {
			return "Security > API > Authorization Servers > Claims, or the app's Sign On tab: the claim " + c.config.EmailClaim + ", which OKTA_EMAIL_CLAIM names, has to hold the person's address, in the ID token or UserInfo"
		}
		return "Directory > People > the person > Profile: fill in Primary email; and OKTA_SCOPES has to hold email"
	case EmailUnverified:
		return "Directory > People > the person > Profile: see that Primary email is right, and have the person confirm it by the link that Okta mails them"
	}
	return ""
}
