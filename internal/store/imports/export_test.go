package imports

// MaxPreviews is for the tests of this package.
const MaxPreviews = maxPreviews
