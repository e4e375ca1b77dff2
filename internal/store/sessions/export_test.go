package sessions

// UsesAtOnce is for the tests of this package.
const UsesAtOnce = usesAtOnce
