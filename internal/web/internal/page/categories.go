package page

import "expense-dashboard/internal/expense"

// A CategoryLine is a category in the list of them.
type CategoryLine struct {
	expense.Category
	Path string // of what can be done with it
	Into string // the category of which it is another name; empty for none
}

// A CategoriesView is the view of categories.html.
type CategoriesView struct {
	Page
	Notice     *Notice
	Lines      []CategoryLine
	Closed     bool
	Submission string // of its forms
}
