// Package token believes nobody: it checks the tokens that the provider signs, ID
// Tokens, Logout Tokens and those of Okta's Universal Logout, and says what they tell.
//
// Each is checked by the rules of its specification, one by one and by the exact names
// of its claims; what is missing is refused, and an empty text equals nothing. It asks
// the network for nothing but the provider's keys, by the function that it is given,
// and no error of it quotes a token.
//
// Start reading at Keys.VerifyIDToken, which holds the rules of OpenID Connect Core
// 1.0, 3.1.3.7. Keys says when the provider's keys are fetched.
package token
