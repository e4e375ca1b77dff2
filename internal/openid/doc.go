// Package openid speaks OpenID Connect with the provider: discovery and keys,
// the authorization request's parts, the token request, ID Tokens, UserInfo, the
// tokens of logout requests, and what a refusal of the provider's means.
//
// It knows no session, no cookie and no page, it keeps no token, and no error of
// it quotes what the provider or a browser sent. What is missing is refused: an
// empty nonce, state or sub never equals another empty one.
//
// Start reading at Client, which is the relying party, and then at
// Client.VerifyIDToken, which holds the rules of OpenID Connect Core 1.0,
// 3.1.3.7. Provider is what discovery told; keySet says when keys are fetched.
// SignInError is how every failure of a sign-in leaves this package.
package openid
