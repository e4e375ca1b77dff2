// Package signin keeps a sign-in that is under way: in the browser, from the
// request that begins it to the callback, and in memory, while a callback is
// worked on and shortly after, so that the same one sent twice counts once.
//
// It never speaks to the provider, begins no session and decides nothing about
// what came back. What was sent to the provider and has to come back is made and
// checked in auth.go at the root, where the flow reads whole.
//
// Start reading at Pending, then at Callbacks.
package signin
