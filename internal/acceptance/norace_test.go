//go:build !race

package acceptance

func raceFlags() []string { return nil }
