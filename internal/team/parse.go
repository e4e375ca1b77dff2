package team

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/expense"
)

const (
	// maxDirectorySize bounds a teams file, in bytes.
	maxDirectorySize = 1 << 20
	// adminWord and auditorWord stand for all teams as the value of a member.
	adminWord   = "admin"
	auditorWord = "auditor"
)

// Parse reads a teams file, in the form of sample/teams.json, with or without a
// byte order mark. The error joins every mistake in the file, each with its line
// and its path.
func Parse(data []byte) (*Directory, error) {
	root, err := readJSON(bytes.TrimPrefix(data, []byte("\ufeff")))
	if err != nil {
		return nil, err
	}
	p := directoryParser{Directory: Directory{
		positions: map[string]int{},
		members:   map[string]Access{},
		groups:    map[string]Access{},
		approval:  map[string]bool{},
	}}
	p.parse(root)
	if len(p.mistakes) == 0 {
		return &p.Directory, nil
	}
	slices.SortStableFunc(p.mistakes, func(a, b directoryMistake) int { return a.line - b.line })
	errs := make([]error, len(p.mistakes))
	for i, mistake := range p.mistakes {
		errs[i] = mistake
	}
	return nil, errors.Join(errs...)
}

// directoryMistake is one thing that is wrong in a teams file. Lines and columns
// count from 1; the path is empty for the file as a whole, and the column zero where
// the line says enough.
type directoryMistake struct {
	line       int
	column     int // in characters
	path, text string
}

func (m directoryMistake) Error() string {
	if m.column > 0 {
		return fmt.Sprintf("line %d, column %d: %s", m.line, m.column, m.text)
	}
	if m.path == "" {
		return fmt.Sprintf("line %d: %s", m.line, m.text)
	}
	return fmt.Sprintf("line %d: %s: %s", m.line, m.path, m.text)
}

// directoryParser fills in a Directory and collects the mistakes on the way.
// With any mistake, the Directory is of no use.
type directoryParser struct {
	Directory
	mistakes []directoryMistake
	// ids names the teams for a message about one that does not exist.
	ids []string
	// listed says that there was a list of teams to read: without it, nothing can
	// be said about the teams that members name.
	listed bool
}

func (p *directoryParser) fault(line int, path, format string, args ...any) {
	p.mistakes = append(p.mistakes, directoryMistake{line: line, path: path, text: fmt.Sprintf(format, args...)})
}

// parse reads the teams before all else, in whatever order the file has them.
func (p *directoryParser) parse(root jsonNode) {
	if root.kind != jsonObject {
		p.fault(root.line, "", `the file must be an object with "teams" and "members", not %s`, root.kind)
		return
	}
	fields := p.fields("", root, []string{"teams", "members"}, "groups", "approval")
	if teams, ok := fields["teams"]; ok && teams.kind != jsonArray {
		p.fault(teams.line, "teams", "must be an array of teams, not %s", teams.kind)
	} else if ok {
		p.parseTeams(teams)
	}
	if members, ok := fields["members"]; ok && members.kind != jsonObject {
		p.fault(members.line, "members", "must be an object with an email address for each key, not %s", members.kind)
	} else if ok {
		p.parseMembers(members)
	}
	if groups, ok := fields["groups"]; ok && groups.kind != jsonObject {
		p.fault(groups.line, "groups", "must be an object with the name of an Okta group for each key, not %s", groups.kind)
	} else if ok {
		p.parseGroups(groups)
	}
	if approval, ok := fields["approval"]; ok {
		p.parseApproval(approval)
	}
}

// fields returns the values of an object that has to have each of some keys
// once, may have each of some others, and no more.
func (p *directoryParser) fields(path string, object jsonNode, required []string, optional ...string) map[string]jsonNode {
	known := append(slices.Clone(required), optional...)
	fields := map[string]jsonNode{}
	for _, field := range object.children {
		if !slices.Contains(known, field.name) {
			p.fault(field.line, path, "key %s is unknown: use %s", expense.QuoteShort(field.name), alternatives(known, strconv.Quote))
		} else if earlier, twice := fields[field.name]; twice {
			p.fault(field.line, path, "key %q is there twice: first on line %d", field.name, earlier.line)
		} else {
			fields[field.name] = field
		}
	}
	for _, name := range required {
		if _, ok := fields[name]; !ok {
			p.fault(object.line, path, "key %q is missing", name)
		}
	}
	return fields
}

// alternatives lists words as in "a, b or c".
func alternatives(words []string, write func(string) string) string {
	written := make([]string, len(words))
	for i, word := range words {
		written[i] = write(word)
	}
	last := len(written) - 1
	if last == 0 {
		return written[0]
	}
	return strings.Join(written[:last], ", ") + " or " + written[last]
}

func (p *directoryParser) parseTeams(teams jsonNode) {
	idLines, labelLines := map[string]int{}, map[string]int{}
	for i, team := range teams.children {
		path := fmt.Sprintf("teams[%d]", i)
		if team.kind != jsonObject {
			p.fault(team.line, path, `must be an object with "id" and "label", not %s`, team.kind)
			continue
		}
		fields := p.fields(path, team, []string{"id", "label"})
		id, hasID := p.uniqueText(path+".id", fields["id"], "team", idLines)
		label, hasLabel := p.uniqueText(path+".label", fields["label"], "label", labelLines)
		if hasLabel {
			p.checkLabel(path+".label", label)
		}
		if !hasID {
			continue
		}
		if p.checkID(path+".id", id) {
			p.ids = append(p.ids, id.text)
		}
		// A team whose ID is wrong is kept, so that its members are not
		// reported as well.
		p.positions[id.text] = len(p.teams)
		p.teams = append(p.teams, Team{ID: id.text, Label: label.text})
	}
	p.teams = slices.Clip(p.teams)
	p.listed = true
}

// uniqueText reports whether a field is there and is a string that no earlier
// line holds.
func (p *directoryParser) uniqueText(path string, field jsonNode, what string, lines map[string]int) (jsonNode, bool) {
	if field.kind == "" {
		return field, false
	}
	if field.kind != jsonString {
		p.fault(field.line, path, "must be a string, not %s", field.kind)
		return field, false
	}
	if line, twice := lines[field.text]; twice {
		p.fault(field.line, path, "%s %s is listed twice: first on line %d", what, expense.QuoteShort(field.text), line)
		return field, false
	}
	lines[field.text] = field.line
	return field, true
}

func (p *directoryParser) checkID(path string, id jsonNode) bool {
	const most = 64
	switch {
	case id.text == adminWord || id.text == auditorWord:
		p.fault(id.line, path, "%q stands for all teams: give the team another id", id.text)
	case !isSlug(id.text):
		p.fault(id.line, path, "%s is not an id: use words of a to z and 0 to 9, joined by single hyphens", expense.QuoteShort(id.text))
	case len(id.text) > most:
		p.fault(id.line, path, "%s is %d bytes long: use at most %d", expense.QuoteShort(id.text), len(id.text), most)
	default:
		return true
	}
	return false
}

// IsID reports whether a text could be the ID of a team.
func IsID(s string) bool { return isSlug(s) && s != adminWord }

// isSlug reports whether s is one or more words of a to z and 0 to 9 joined by
// single hyphens.
func isSlug(s string) bool {
	for word := range strings.SplitSeq(s, "-") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

func (p *directoryParser) checkLabel(path string, label jsonNode) {
	const most = 100
	if strings.TrimSpace(label.text) == "" {
		p.fault(label.line, path, "is empty: write the name that people read")
	} else if strings.ContainsFunc(label.text, isUnprintable) {
		p.fault(label.line, path, "%s holds a control character or one that cannot be read", expense.QuoteShort(label.text))
	} else if n := utf8.RuneCountInString(label.text); n > most {
		p.fault(label.line, path, "%s is %d characters long: use at most %d", expense.QuoteShort(label.text), n, most)
	}
}

// isUnprintable reports whether r is a control character, or what encoding/json
// puts in the place of an escape such as \ud800 that is no character.
func isUnprintable(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError
}

func (p *directoryParser) parseMembers(members jsonNode) {
	earlier := map[string]jsonNode{}
	for _, member := range members.children {
		path := "members[" + expense.QuoteShort(member.name) + "]"
		address := NormalizeAddress(member.name)
		p.checkAddress(member.line, path, address)
		if first, twice := earlier[address]; twice {
			p.fault(member.line, path, "is the same address as %s on line %d", expense.QuoteShort(first.name), first.line)
			continue
		}
		earlier[address] = member
		p.members[address] = p.value(path, member)
		p.rules = append(p.rules, Rule{Line: member.line, Text: ruleText(member), Address: address})
	}
}

func (p *directoryParser) parseGroups(groups jsonNode) {
	const most = 255 // as Okta has it
	lines := map[string]int{}
	for _, group := range groups.children {
		path := "groups[" + expense.QuoteShort(group.name) + "]"
		switch line, twice := lines[group.name]; {
		case group.name == "":
			p.fault(group.line, path, "is empty: write the name of the group as Okta has it")
		case strings.ContainsFunc(group.name, isUnprintable):
			p.fault(group.line, path, "holds a control character or one that cannot be read")
		case utf8.RuneCountInString(group.name) > most:
			p.fault(group.line, path, "is %d characters long: the name of a group has at most %d", utf8.RuneCountInString(group.name), most)
		case twice:
			p.fault(group.line, path, "is there twice: first on line %d", line)
			continue
		}
		lines[group.name] = group.line
		p.groups[group.name] = p.value(path, group)
		p.rules = append(p.rules, Rule{Line: group.line, Text: ruleText(group), Group: group.name})
	}
}

// parseApproval reads which teams approve expenses: all of them by true, none by
// false, else those of an array.
func (p *directoryParser) parseApproval(value jsonNode) {
	switch value.kind {
	case jsonBool:
		for _, team := range p.teams {
			p.approval[team.ID] = value.text == "true"
		}
	case jsonArray:
		for i, name := range value.children {
			path := fmt.Sprintf("approval[%d]", i)
			_, exists := p.positions[name.text]
			switch {
			case name.kind != jsonString:
				p.fault(name.line, path, "must be a team id, not %s", name.kind)
			case p.approval[name.text]:
				p.fault(name.line, path, "%s is there twice", expense.QuoteShort(name.text))
			case exists:
				p.approval[name.text] = true
			case p.listed:
				p.fault(name.line, path, "team %s does not exist: %s", expense.QuoteShort(name.text), p.choices())
			}
		}
	default:
		p.fault(value.line, "approval", "must be true, false or an array of team ids, not %s", value.kind)
	}
}

// ruleText writes a member or a group on one line.
func ruleText(member jsonNode) string { return quote(member.name) + ": " + member.oneLine() }

// quote writes a text as JSON and Go both have it.
func quote(text string) string { return strconv.Quote(text) }

func (p *directoryParser) checkAddress(line int, path, text string) {
	if len(text) > address.Max {
		p.fault(line, path, "is %d bytes long: an email address has at most %d", len(text), address.Max)
	} else if problem := address.Problem(text); problem != "" {
		p.fault(line, path, "is not an email address: it %s", problem)
	}
}

// value reads what a member or a group may do: a team ID, admin, auditor, an
// array of them, or an object of roles by team ID.
func (p *directoryParser) value(path string, value jsonNode) Access {
	roles := map[string]Role{}
	switch value.kind {
	case jsonObject:
		p.parseRoles(path, value, roles)
		return p.access(false, false, roles)
	case jsonArray:
		words := map[string]bool{}
		for i, name := range value.children {
			at := fmt.Sprintf("%s[%d]", path, i)
			if words[name.text] && name.kind == jsonString {
				p.fault(name.line, at, "%s is there twice", expense.QuoteShort(name.text))
				continue
			}
			words[name.text] = name.kind == jsonString
			p.parseName(at, name, roles)
		}
		return p.access(words[adminWord], words[auditorWord], roles)
	default:
		p.parseName(path, value, roles)
		isText := value.kind == jsonString
		return p.access(isText && value.text == adminWord, isText && value.text == auditorWord, roles)
	}
}

// parseName reads a team ID, of which somebody is a member, admin or auditor.
func (p *directoryParser) parseName(path string, name jsonNode, roles map[string]Role) {
	_, exists := p.positions[name.text]
	switch {
	case name.kind != jsonString:
		p.fault(name.line, path, "must be a team id, %s, %s, an array of them or an object of roles, not %s", adminWord, auditorWord, name.kind)
	case name.text == adminWord || name.text == auditorWord:
	case exists:
		roles[name.text] = Member
	case p.listed:
		p.fault(name.line, path, "team %s does not exist: %s", expense.QuoteShort(name.text), p.choices(adminWord, auditorWord))
	}
}

// parseRoles reads an object of roles by team ID.
func (p *directoryParser) parseRoles(path string, object jsonNode, roles map[string]Role) {
	lines := map[string]int{}
	for _, field := range object.children {
		at := path + "[" + expense.QuoteShort(field.name) + "]"
		if line, twice := lines[field.name]; twice {
			p.fault(field.line, at, "is there twice: first on line %d", line)
			continue
		}
		lines[field.name] = field.line
		if _, exists := p.positions[field.name]; !exists && p.listed {
			p.fault(field.line, at, "team %s does not exist: %s", expense.QuoteShort(field.name), p.choices())
			continue
		}
		role := map[string]Role{"member": Member, "lead": Lead}[field.text]
		switch {
		case field.kind != jsonString:
			p.fault(field.line, at, `must be "member" or "lead", not %s`, field.kind)
		case role == 0:
			p.fault(field.line, at, `role %s is unknown: use "member" or "lead"`, expense.QuoteShort(field.text))
		default:
			roles[field.name] = role
		}
	}
}

// choices says what could stand in the place of a team that does not exist: one
// of the teams, or one of the words.
func (p *directoryParser) choices(words ...string) string {
	const most = 20
	ids := p.ids
	if len(ids) > most {
		ids = append(slices.Clone(ids[:most]), "…")
	}
	switch {
	case len(ids) == 0 && len(words) == 0:
		return "the file has no teams"
	case len(ids) == 0:
		return "use " + strings.Join(words, " or ")
	case len(words) == 0:
		return "use one of " + strings.Join(ids, ", ")
	default:
		return "use one of " + strings.Join(ids, ", ") + ", or " + strings.Join(words, " or ")
	}
}
