// Package team says who belongs where: the teams, the people and groups on them,
// and what each of them may do.
//
// A Directory is one state of a teams file, and never changes; a File follows
// the file and keeps the last good one. Access is what one person may do, the
// union of all rules that name their address or one of their groups. What no
// rule gives is refused. The package knows no HTTP, no database and no expenses
// beyond whose they are.
//
// Start reading at Access, then at Parse, which names every mistake in a file
// with its line.
package team

import (
	"strconv"
	"strings"
)

// Team is a group of people whose expenses stand on one page. The ID is a slug
// for the URL, the Label a name for the reader.
type Team struct {
	ID, Label string
}

// Role is what somebody may do in a team beyond reading. The zero Role is none.
type Role int

// Each role may do what those before it may.
const (
	Member Role = iota + 1 // logs, and changes their own
	Lead                   // changes all of the team, and decides
)

// Access is what one person may do. The zero Access is for someone on no team.
// Teams are those that they may read, in the file's order; they are shared: do
// not change them.
type Access struct {
	Admin   bool // does everything
	Auditor bool // reads all teams
	Teams   []Team
	roles   map[string]Role // by team ID, where a rule gives one
}

// CanRead returns the team with this id if the person may read it. A team of
// others and one that does not exist give the same answer.
func (a Access) CanRead(id string) (Team, bool) {
	for _, team := range a.Teams {
		if team.ID == id {
			return team, true
		}
	}
	return Team{}, false
}

// ReadsAll reports whether the person may read all teams, those too that were
// taken out of the file.
func (a Access) ReadsAll() bool { return a.Admin || a.Auditor }

// CanLog reports whether the person may log expenses for a team.
func (a Access) CanLog(id string) bool {
	if a.Admin {
		_, exists := a.CanRead(id)
		return exists
	}
	return a.roles[id] >= Member
}

// CanLogForOthers reports whether the person may log for somebody else in a
// team, and say whose an expense is.
func (a Access) CanLogForOthers(id string) bool { return a.Leads(id) && a.CanLog(id) }

// CanChange reports whether the person may change, delete and restore an expense
// of a team; owned says that it is their own.
func (a Access) CanChange(id string, owned bool) bool {
	return a.Leads(id) || owned && a.roles[id] >= Member
}

// CanDecide reports whether the person may approve expenses of a team and send
// them back. Nobody decides on what they own or logged themselves: that is for
// who asks to know.
func (a Access) CanDecide(id string) bool { return a.Leads(id) }

// CanBudget reports whether the person may set a team's budgets.
func (a Access) CanBudget(id string) bool { return a.Leads(id) }

// Leads reports whether the person leads a team, or all of them.
func (a Access) Leads(id string) bool { return a.Admin || a.roles[id] == Lead }

// Logs returns the teams for which the person may log, in the file's order.
func (a Access) Logs() []Team {
	var teams []Team
	for _, team := range a.Teams {
		if a.CanLog(team.ID) {
			teams = append(teams, team)
		}
	}
	return teams
}

// Key names all that the access gives: two of one Directory with the same key
// may do the same.
func (a Access) Key() string {
	var key strings.Builder
	if a.Admin {
		key.WriteString("admin ")
	}
	if a.Auditor {
		key.WriteString("auditor ")
	}
	for _, team := range a.Teams {
		if role := a.roles[team.ID]; role != 0 {
			key.WriteString(team.ID + "=" + strconv.Itoa(int(role)) + " ")
		}
	}
	return key.String()
}

// Role returns the role that a rule gives the person in a team, or none.
func (a Access) Role(id string) Role { return a.roles[id] }

// NormalizeAddress returns an email address in the form in which two of them
// are compared: without white space around it, the letters A to Z in lower case
// and every other byte as it is. Folding more would let the KELVIN SIGN pass
// for a k, and one person for another.
func NormalizeAddress(s string) string {
	s = strings.TrimSpace(s)
	isUpper := func(r rune) bool { return 'A' <= r && r <= 'Z' }
	if !strings.ContainsFunc(s, isUpper) {
		return s
	}
	lower := []byte(s)
	for i, c := range lower {
		if isUpper(rune(c)) {
			lower[i] = c + ('a' - 'A')
		}
	}
	return string(lower)
}
