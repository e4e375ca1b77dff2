// Package web is the site as a browser meets it: the handlers of its pages, the
// answers for programs beside them, the middleware around both, and what people
// are told of an error.
//
// A Site is made by New from plain values. Its handlers are registered by the
// program, which puts its gates before them: a handler here takes for granted
// that its visitor may see what the Visit names, and decides only what they may
// do with it. It never asks the provider, never reads a configuration and holds
// no SQL.
//
// Start reading at Site.Handle and Site.Fail, through which every answer goes,
// then at Site.TeamExpenses, the page that people open most. How pages look is
// in internal/page.
package web
