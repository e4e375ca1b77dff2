// Package openid speaks OpenID Connect with the provider: discovery, the
// authorization request's parts, the token request, UserInfo, who signed in, and
// what a refusal of the provider's means.
//
// It knows no session, no cookie and no page, it keeps no token, and no error of
// it quotes what the provider or a browser sent. What is missing is refused: an
// empty nonce, state or sub never equals another empty one.
//
// Start reading at Client, which is the relying party, and then at Client.Exchange
// and Client.Identify. Provider is what discovery told; its tokens are checked by
// package token, and what it says is read by package claims. SignInError is how every
// failure of a sign-in leaves this package.
package openid
