//go:build race

package acceptance

// raceFlags build the program with the race detector where the tests have it. As
// in the Makefile, SQLite is left out: it keeps its data outside of Go's memory,
// where the detector does not look.
func raceFlags() []string {
	return []string{"-race", "-gcflags=modernc.org/sqlite/lib=-race=false", "-gcflags=modernc.org/libc=-race=false"}
}
