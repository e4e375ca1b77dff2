// Package page renders what people read: one view struct for each page, its
// template, the charts, and how a reader's language writes dates and amounts.
//
// Templates are parsed once for each locale. A page whose content is the same
// for many requests is rendered once for its ContentKey, which holds everything
// that the content shows, and framed with the layout of who asks. The package
// never decides who may see what, never asks the database and knows no request
// beyond its Accept-Language.
//
// Start reading at Pages.Show and Pages.Render, then at ExpensesView.
package page
