// Package web is the site as a browser meets it: what all its pages have in common, the
// middleware around them, the answers for programs beside them, and what people are told
// of an error.
//
// A Site is made by New from plain values. The pages on top of it are packages below this
// one, and each embeds it. The program registers their handlers and puts its gates before
// them: a handler takes for granted that its visitor may see what the Visit names, and
// decides only what they may do with it. None asks the provider, reads a configuration or
// holds any SQL.
//
// Start reading at Site.Handle and Site.Fail, through which every answer goes, then at
// Visit, and then in package spending. How pages look is in internal/page.
package web
