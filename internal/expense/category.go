package expense

// Category is what expenses are counted under.
type Category struct {
	ID      int64
	Label   string // as it was spelled last
	Retired bool   // takes no new expenses
	Merged  int64  // the category of which this is another name; zero for none
	Was     string // its name before it was renamed last; empty where it was not
	Count   int64  // of the expenses that stand
	Total   Money  // of these
}

// What was done to a category last, which can be undone.
const (
	CategoryMerged  = "merged"
	CategoryRetired = "retired"
	CategoryRenamed = "renamed"
)

// Done is what was done to the category last, or nothing.
func (c Category) Done() string {
	switch {
	case c.Merged != 0:
		return CategoryMerged
	case c.Retired:
		return CategoryRetired
	case c.Was != "":
		return CategoryRenamed
	}
	return ""
}

// CheckCategory reads the name of a category. The problem is a sentence for whoever
// wrote it.
func CheckCategory(typed string) (name, problem string) {
	return checkLine(typed, "a category", MaxCategory)
}

// Categories are all of them, with whether the list is closed: then expenses have no
// others.
type Categories struct {
	List   []Category // by name
	Closed bool
}

// find returns the category that a name means.
func (c Categories) find(name string) (Category, bool) {
	key := CategoryKey(name)
	for _, known := range c.List {
		if CategoryKey(known.Label) != key {
			continue
		}
		for _, root := range c.List {
			if root.ID == known.Merged {
				known = root
			}
		}
		return known, true
	}
	return Category{}, false
}

// Named returns the label of the category that a name means, which may be a new one.
func (c Categories) Named(name string) string {
	if known, ok := c.find(name); ok {
		return known.Label
	}
	return name
}

// Problem says why an expense cannot be given a category, as a sentence, or nothing.
func (c Categories) Problem(label string) string {
	known, ok := c.find(label)
	switch {
	case ok && known.Retired:
		return retiredCategory
	case !ok && c.Closed:
		return closedCategories
	}
	return ""
}

const (
	retiredCategory  = "This category is no longer used. Choose another."
	closedCategories = "Choose a category from the list. Only administrators can add others."
)

// CategoryError is a category that an expense cannot be given. Its text is a sentence
// for whoever chose it.
type CategoryError struct{ Text string }

// Error implements error.
func (e *CategoryError) Error() string { return "category: " + e.Text }

// CategoryProblem is the error of a category that is retired, or that is unknown where
// the list is closed; nil where neither is so.
func CategoryProblem(known, retired, closed bool) error {
	switch {
	case known && retired:
		return &CategoryError{retiredCategory}
	case !known && closed:
		return &CategoryError{closedCategories}
	}
	return nil
}
