// Package session keeps who is signed in: in the browser, in encrypted cookies,
// and in the database, in records that say which sessions there are and which
// were ended before their time.
//
// It never decides what somebody may see, never speaks to the provider, and keeps
// no token but the ID Token, for sign-out, in the browser only. A cookie that
// cannot be read, whose time is over or whose session was ended is an anonymous
// visitor's.
//
// Start reading at Store, which begins, finds and ends sessions; Records is what
// the database knows; cookies.go is how a text gets into a cookie.
package session
