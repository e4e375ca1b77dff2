package team

import (
	"slices"
	"strings"
)

// Directory says who belongs where. It never changes once it is made.
type Directory struct {
	teams     []Team
	positions map[string]int    // in teams, by team ID
	members   map[string]Access // by normalized address
	groups    map[string]Access // by the name of the group
	rules     []Rule
	approval  map[string]bool // by team ID
	state     int64           // of the file that it was read from
}

// Rule is a line of a teams file that gives an address or a group its access.
type Rule struct {
	Line  int    // from 1
	Text  string // as the file has it: "ann.lee@example.com": "finance"
	Group string // that it names; empty where it names an address
	// Address that it names, as NormalizeAddress writes it; empty where it names
	// a group.
	Address string
}

// State tells the states of a File apart, for as long as the program runs: a file that
// comes to hold again what it held before is in another one.
func (d *Directory) State() int64 { return d.state }

// Teams returns all teams in the file's order. They are shared: do not change
// them.
func (d *Directory) Teams() []Team {
	return d.teams
}

// Team returns the team with this id.
func (d *Directory) Team(id string) (Team, bool) {
	position, ok := d.positions[id]
	if !ok {
		return Team{}, false
	}
	return d.teams[position], true
}

// Approval reports whether expenses of a team are approved by its leads.
func (d *Directory) Approval(id string) bool { return d.approval[id] }

// Access returns what the person with this email address and in these groups
// may do: the union of what the file gives to each, and nothing where it names
// none of them. Names of groups match byte for byte.
func (d *Directory) Access(address string, groups []string) Access {
	access := d.members[NormalizeAddress(address)]
	for _, name := range groups {
		if other, named := d.groups[name]; named {
			access = d.union(access, other)
		}
	}
	return access
}

// Rules returns the rules that Access goes by, in the file's order.
func (d *Directory) Rules(address string, groups []string) []Rule {
	address = NormalizeAddress(address)
	var found []Rule
	for _, rule := range d.rules {
		if rule.Group == "" && rule.Address == address || rule.Group != "" && slices.Contains(groups, rule.Group) {
			found = append(found, rule)
		}
	}
	return found
}

// Everyone returns what the rule of each address gives it. It is shared: do not
// change it.
func (d *Directory) Everyone() map[string]Access { return d.members }

// Groups returns what the rule of each group gives those who are in it. It is
// shared: do not change it.
func (d *Directory) Groups() map[string]Access { return d.groups }

// union is what somebody may do who may do either.
func (d *Directory) union(a, b Access) Access {
	roles := map[string]Role{}
	for _, of := range []Access{a, b} {
		for id, role := range of.roles {
			roles[id] = max(roles[id], role)
		}
	}
	return d.access(a.Admin || b.Admin, a.Auditor || b.Auditor, roles)
}

// access lists the teams that come with roles and with reading all.
func (d *Directory) access(admin, auditor bool, roles map[string]Role) Access {
	a := Access{Admin: admin, Auditor: auditor, roles: roles}
	if a.ReadsAll() {
		a.Teams = d.teams
		return a
	}
	for _, team := range d.teams {
		if roles[team.ID] != 0 {
			a.Teams = append(a.Teams, team)
		}
	}
	return a
}

// oneLine writes the value of a member or a group on one line.
func (n jsonNode) oneLine() string {
	var parts []string
	for _, child := range n.children {
		part := child.oneLine()
		if n.kind == jsonObject {
			part = quote(child.name) + ": " + part
		}
		parts = append(parts, part)
	}
	switch n.kind {
	case jsonArray:
		return "[" + strings.Join(parts, ", ") + "]"
	case jsonObject:
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return quote(n.text)
	}
}
