// Package expense is what an expense is: its amount and date, what a person may
// write into its form, who did what to it and when, which expenses a list asks
// for and what they come to.
//
// It knows no HTTP, no SQL and no log, and it never asks who somebody is or what
// they may see: that is decided before it is called. Its errors for people are
// plain sentences without anything of Go's.
//
// Start reading at [Expense] and [Entry]; [Form.Check] makes an entry of what was
// typed, [ParseQuery] a list of what stands in an address.
package expense
