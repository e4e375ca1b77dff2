package team

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"expense-dashboard/internal/expense"
)

// maxDirectorySize bounds a teams file, in bytes.
const maxDirectorySize = 1 << 20

// adminWord stands for all teams as the value of a member.
const adminWord = "admin"

//go:embed sample/teams.json
var sampleTeams string

// Team is a group of people whose expenses stand on one page. The ID is a slug
// for the URL, the Label a name for the reader.
type Team struct {
	ID, Label string
}

// Access is what one person may see. The zero Access is for someone on no team.
// Teams stand in the file's order and are shared: do not change them.
type Access struct {
	Admin bool
	Teams []Team
}

// Allows returns the team with this id if the person may see it. A team of
// others and one that does not exist give the same answer.
func (a Access) Allows(id string) (Team, bool) {
	for _, team := range a.Teams {
		if team.ID == id {
			return team, true
		}
	}
	return Team{}, false
}

// Directory says who belongs where. It never changes once it is made.
type Directory struct {
	teams     []Team
	positions map[string]int    // in teams, by team ID
	members   map[string]Access // by normalized address
	rules     map[string]Rule   // by normalized address
}

// Rule is the member of a teams file that gives an address its teams.
type Rule struct {
	Line int    // from 1
	Text string // as the file has it: "ann.lee@example.com": "finance"
}

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

// Access returns what the person with this email address may see: nothing
// where the file does not name the address.
func (d *Directory) Access(address string) Access {
	return d.members[NormalizeAddress(address)]
}

// Rule returns the member of the file that Access goes by.
func (d *Directory) Rule(address string) (Rule, bool) {
	rule, ok := d.rules[NormalizeAddress(address)]
	return rule, ok
}

// normalizeAddress returns an email address in the form in which two of them
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

// parseDirectory reads a teams file, in the form of sample/teams.json. The
// error joins every mistake in the file, each with its line and its path.
func Parse(data []byte) (*Directory, error) {
	root, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	p := directoryParser{Directory: Directory{
		positions: map[string]int{},
		members:   map[string]Access{},
		rules:     map[string]Rule{},
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

// directoryMistake is one thing that is wrong in a teams file. Lines count from
// 1; the path is empty for the file as a whole.
type directoryMistake struct {
	line       int
	path, text string
}

func (m directoryMistake) Error() string {
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
	// choices names the teams for a message about one that does not exist. It
	// is empty where there was no list of teams to read: then nothing can be
	// said about the teams that members name.
	choices string
}

func (p *directoryParser) fault(line int, path, format string, args ...any) {
	p.mistakes = append(p.mistakes, directoryMistake{line, path, fmt.Sprintf(format, args...)})
}

// parse reads the teams before the members, in whatever order the file has them.
func (p *directoryParser) parse(root jsonNode) {
	if root.kind != jsonObject {
		p.fault(root.line, "", `the file must be an object with "teams" and "members", not %s`, root.kind)
		return
	}
	fields := p.fields("", root, "teams", "members")
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
}

// fields returns the values of an object that has to have each of two keys
// once, and no other.
func (p *directoryParser) fields(path string, object jsonNode, first, second string) map[string]jsonNode {
	fields := map[string]jsonNode{}
	for _, field := range object.children {
		if field.name != first && field.name != second {
			p.fault(field.line, path, "key %s is unknown: use %q or %q", expense.QuoteShort(field.name), first, second)
		} else if earlier, twice := fields[field.name]; twice {
			p.fault(field.line, path, "key %q is there twice: first on line %d", field.name, earlier.line)
		} else {
			fields[field.name] = field
		}
	}
	for _, name := range []string{first, second} {
		if _, ok := fields[name]; !ok {
			p.fault(object.line, path, "key %q is missing", name)
		}
	}
	return fields
}

func (p *directoryParser) parseTeams(teams jsonNode) {
	idLines, labelLines := map[string]int{}, map[string]int{}
	var choices []string
	for i, team := range teams.children {
		path := fmt.Sprintf("teams[%d]", i)
		if team.kind != jsonObject {
			p.fault(team.line, path, `must be an object with "id" and "label", not %s`, team.kind)
			continue
		}
		fields := p.fields(path, team, "id", "label")
		id, hasID := p.uniqueText(path+".id", fields["id"], "team", idLines)
		label, hasLabel := p.uniqueText(path+".label", fields["label"], "label", labelLines)
		if hasLabel {
			p.checkLabel(path+".label", label)
		}
		if !hasID {
			continue
		}
		if p.checkID(path+".id", id) {
			choices = append(choices, id.text)
		}
		// A team whose ID is wrong is kept, so that its members are not
		// reported as well.
		p.positions[id.text] = len(p.teams)
		p.teams = append(p.teams, Team{ID: id.text, Label: label.text})
	}
	const most = 20
	if len(choices) > most {
		choices = append(choices[:most], "…")
	}
	p.teams = slices.Clip(p.teams)
	p.choices = "use " + adminWord
	if len(choices) > 0 {
		p.choices = "use one of " + strings.Join(choices, ", ") + ", or " + adminWord
	}
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
	case id.text == adminWord:
		p.fault(id.line, path, "%q stands for all teams: give the team another id", adminWord)
	case !isSlug(id.text):
		p.fault(id.line, path, "%s is not an id: use words of a to z and 0 to 9, joined by single hyphens", expense.QuoteShort(id.text))
	case len(id.text) > most:
		p.fault(id.line, path, "%s is %d bytes long: use at most %d", expense.QuoteShort(id.text), len(id.text), most)
	default:
		return true
	}
	return false
}

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
		p.members[address] = p.access(path, member)
		p.rules[address] = Rule{Line: member.line, Text: ruleText(member)}
	}
}

// ruleText writes a member on one line.
func ruleText(member jsonNode) string {
	if member.kind != jsonArray {
		return fmt.Sprintf("%q: %q", member.name, member.text)
	}
	names := make([]string, len(member.children))
	for i, name := range member.children {
		names[i] = strconv.Quote(name.text)
	}
	return fmt.Sprintf("%q: [%s]", member.name, strings.Join(names, ", "))
}

func (p *directoryParser) checkAddress(line int, path, address string) {
	const most = 254 // RFC 5321, 4.5.3.1.3, less the angle brackets
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 {
		p.fault(line, path, "is not an email address: it needs an @ with something on both sides")
	}
	if strings.ContainsFunc(address, func(r rune) bool { return unicode.IsSpace(r) || isUnprintable(r) }) {
		p.fault(line, path, "is not an email address: it holds white space, a control character or one that cannot be read")
	}
	if len(address) > most {
		p.fault(line, path, "is %d bytes long: an email address has at most %d", len(address), most)
	}
}

// access reads the value of a member: a team ID, admin, or an array of them.
func (p *directoryParser) access(path string, value jsonNode) Access {
	named := []jsonNode{value}
	if value.kind == jsonArray {
		named = value.children
	}
	var positions []int
	admin := false
	seen := map[string]bool{}
	for i, name := range named {
		at := path
		if value.kind == jsonArray {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		position, exists := p.positions[name.text]
		switch {
		case name.kind != jsonString:
			p.fault(name.line, at, "must be a team id, %s or an array of them, not %s", adminWord, name.kind)
		case seen[name.text]:
			p.fault(name.line, at, "%s is there twice", expense.QuoteShort(name.text))
		case name.text == adminWord:
			admin = true
		case exists:
			positions = append(positions, position)
		case p.choices != "":
			p.fault(name.line, at, "team %s does not exist: %s", expense.QuoteShort(name.text), p.choices)
		}
		seen[name.text] = true
	}
	if admin {
		return Access{Admin: true, Teams: p.teams}
	}
	slices.Sort(positions)
	teams := make([]Team, len(positions))
	for i, position := range positions {
		teams[i] = p.teams[position]
	}
	return Access{Teams: teams}
}

// jsonKind names the type of a JSON value in a message.
type jsonKind string

const (
	jsonObject jsonKind = "an object"
	jsonArray  jsonKind = "an array"
	jsonString jsonKind = "a string"
	jsonNumber jsonKind = "a number"
	jsonBool   jsonKind = "true or false"
	jsonNull   jsonKind = "null"
)

// jsonNode is a JSON value that knows the line on which it, or in an object its
// key, begins. Decoding into maps and structs would hide keys that are there
// twice, and match keys in another case.
type jsonNode struct {
	line     int
	name     string // the key, in an object
	kind     jsonKind
	text     string     // of a string
	children []jsonNode // of an object or an array
}

// readJSON reads a text of one JSON value, of at most maxDirectorySize bytes.
// The error names the line.
func readJSON(data []byte) (jsonNode, error) {
	if len(data) > maxDirectorySize {
		return jsonNode{}, fmt.Errorf("the file is over %d bytes", maxDirectorySize)
	}
	// encoding/json would put U+FFFD in the place of each byte.
	var errs []error
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			errs = append(errs, directoryMistake{line: line, text: "not UTF-8"})
		}
	}
	if len(errs) > 0 {
		return jsonNode{}, errors.Join(errs...)
	}
	// This refuses a second value too, and nesting over 10,000 levels, so that
	// the recursion below is safe.
	var value json.RawMessage
	if err := json.Unmarshal(data, &value); err != nil {
		end := 0
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			end = max(0, int(syntax.Offset)-1)
		}
		return jsonNode{}, directoryMistake{line: 1 + bytes.Count(data[:end], []byte("\n")), text: "not JSON: " + err.Error()}
	}
	r := jsonReader{data: data, decoder: json.NewDecoder(bytes.NewReader(data)), line: 1}
	// A float64 has no room for 1e999, which is JSON.
	r.decoder.UseNumber()
	return r.value()
}

// jsonReader follows a text that is known to be JSON, and counts its lines.
type jsonReader struct {
	data    []byte
	decoder *json.Decoder
	offset  int64 // the end of the last token
	line    int   // of the last token
}

func (r *jsonReader) token() (json.Token, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	end := r.decoder.InputOffset()
	r.line += bytes.Count(r.data[r.offset:end], []byte("\n"))
	r.offset = end
	return token, nil
}

func (r *jsonReader) value() (jsonNode, error) {
	token, err := r.token()
	if err != nil {
		return jsonNode{}, err
	}
	switch token := token.(type) {
	case string:
		return jsonNode{line: r.line, kind: jsonString, text: token}, nil
	case json.Number:
		return jsonNode{line: r.line, kind: jsonNumber}, nil
	case bool:
		return jsonNode{line: r.line, kind: jsonBool}, nil
	case json.Delim:
		if token == '[' {
			return r.values(jsonArray)
		}
		return r.values(jsonObject)
	default:
		return jsonNode{line: r.line, kind: jsonNull}, nil
	}
}

// values reads what stands in an object or an array, and its end.
func (r *jsonReader) values(kind jsonKind) (jsonNode, error) {
	node := jsonNode{line: r.line, kind: kind}
	for r.decoder.More() {
		var name string
		if kind == jsonObject {
			key, err := r.token()
			if err != nil {
				return node, err
			}
			name = key.(string)
		}
		keyLine := r.line
		child, err := r.value()
		if err != nil {
			return node, err
		}
		if kind == jsonObject {
			child.name, child.line = name, keyLine
		}
		node.children = append(node.children, child)
	}
	_, err := r.token()
	return node, err
}

// directoryPollInterval is how often a teams file is looked at.
const directoryPollInterval = time.Second

// directoryFile is a teams file and the last good Directory that was read from
// it.
type File struct {
	path    string // empty for the built-in sample
	log     *slog.Logger
	current atomic.Pointer[Directory]

	// What the last look at the file found; only openDirectory and reload use it.
	data []byte
	err  error // from reading it, not from parsing it
}

// openDirectory reads the teams file at path, or the built-in sample where path
// is empty. The error lists every mistake in the file, one on each line.
func Open(path string, log *slog.Logger) (*File, error) {
	f := &File{path: path, log: log, data: []byte(sampleTeams)}
	if path != "" {
		if f.data, f.err = ReadFile(path); f.err != nil {
			return nil, f.err
		}
	}
	directory, err := Parse(f.data)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", cmp.Or(path, "sample/teams.json"), err)
	}
	f.current.Store(directory)
	return f, nil
}

// readDirectoryFile reads one byte more than parseDirectory takes, at most.
func ReadFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxDirectorySize+1))
}

// Current returns the last good Directory. It is never nil, and any number of
// goroutines may call it at once.
func (f *File) Current() *Directory {
	return f.current.Load()
}

// Name is what people call the file: it stands on pages, where no path of the
// machine has to be known.
func (f *File) Name() string {
	if f.path == "" {
		return "the built-in sample"
	}
	return "the teams file"
}

// Watch takes over every change of the file until ctx is done. It reads the
// file each second and compares its bytes: that sees a file that was renamed
// over it, a symbolic link that was turned elsewhere, and a write within one
// tick of the clock, on every kind of volume. For the built-in sample there is
// nothing to watch.
func (f *File) Watch(ctx context.Context) {
	if f.path == "" {
		return
	}
	ticker := time.NewTicker(directoryPollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.Reload()
		}
	}
}

// reload looks at the file once. Where it is wrong or gone it keeps the
// Directory there is, and says so once.
func (f *File) Reload() {
	data, err := ReadFile(f.path)
	hadErr := f.err != nil
	if err != nil {
		f.err = err
		if !hadErr {
			f.log.Error("teams file cannot be read: keeping the last good one", "path", f.path, "err", err)
		}
		return
	}
	// A file that was gone and is back is news, whatever it holds.
	if !hadErr && bytes.Equal(data, f.data) {
		return
	}
	f.data, f.err = data, nil
	directory, err := Parse(data)
	if err != nil {
		f.log.Error("teams file is wrong: keeping the last good one", "path", f.path, "err", err)
		return
	}
	f.current.Store(directory)
	f.log.Info("teams file read", "path", f.path, "teams", len(directory.teams), "members", len(directory.members))
}

// Everyone returns what each address may see. It is shared: do not change it.
func (d *Directory) Everyone() map[string]Access { return d.members }
