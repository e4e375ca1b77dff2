package team

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// teamIDs returns the IDs of teams joined by spaces.
func teamIDs(teams []Team) string {
	ids := make([]string, len(teams))
	for i, team := range teams {
		ids[i] = team.ID
	}
	return strings.Join(ids, " ")
}

func TestSampleDirectory(t *testing.T) {
	file, err := Open("", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	file.Watch(t.Context()) // returns at once: there is nothing to watch
	d := file.Current()

	want := []Team{
		{"finance", "Finance"},
		{"hr", "HR"},
		{"legal", "Legal"},
		{"marketing", "Marketing"},
		{"dev-advocacy", "Dev Advocacy"},
	}
	if got := d.Teams(); !slices.Equal(got, want) {
		t.Errorf("teams are %v, want %v", got, want)
	}
	people := map[string]string{
		"hannah.smith@task-vantage.com":  "finance hr legal marketing dev-advocacy",
		"grace.li@task-vantage.com":      "legal",
		"frank.wilson+@task-vantage.com": "dev-advocacy",
		"frank.wilson@task-vantage.com":  "dev-advocacy",
		"carol.lee@task-vantage.com":     "finance",
		"alice.johnson@task-vantage.com": "marketing",
		"sarah.morgan@task-vantage.com":  "hr",
		"diana.park@task-vantage.com":    "finance hr",
		"victor.chen@task-vantage.com":   "finance hr legal marketing dev-advocacy",
	}
	if len(d.members) != len(people) {
		t.Errorf("%d members, want %d", len(d.members), len(people))
	}
	for address, teams := range people {
		access := d.Access(address, nil)
		if got := teamIDs(access.Teams); got != teams {
			t.Errorf("%s is on %q, want %q", address, got, teams)
		}
		if admin := strings.HasPrefix(address, "hannah"); access.Admin != admin {
			t.Errorf("%s: Admin = %t, want %t", address, access.Admin, admin)
		}
	}
}

const testTeams = `{
  "members": {
    "Boss@X.com": "admin",
    "two@x.com": ["legal", "finance"],
    "none@x.com": [],
    "chief@x.com": ["finance", "admin"],
    " kim@x.com ": "legal",
    "a@b@x.com": "finance"
  },
  "teams": [
    {"id": "finance", "label": "Finance"},
    {"label": "Légal ⚖", "id": "legal"}
  ]
}
`

func parseTestTeams(t *testing.T) *Directory {
	t.Helper()
	d, err := Parse([]byte(testTeams))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDirectoryAccess(t *testing.T) {
	tests := []struct {
		name, address string
		admin         bool
		teams         string
	}{
		{"admin", "boss@x.com", true, "finance legal"},
		{"other case and white space", " BOSS@x.COM\n", true, "finance legal"},
		{"two teams in the file's order", "two@x.com", false, "finance legal"},
		{"on no team", "none@x.com", false, ""},
		{"admin among teams", "chief@x.com", true, "finance legal"},
		{"address with white space in the file", "kim@x.com", false, "legal"},
		{"KELVIN SIGN is no k", "\u212aim@x.com", false, ""},
		{"dotless i is no i", "k\u0131m@x.com", false, ""},
		{"full-width at sign", "kim\uff20x.com", false, ""},
		{"unknown", "eve@x.com", false, ""},
		{"empty", "", false, ""},
		{"white space", " ", false, ""},
		{"NUL at the end", "boss@x.com\x00", false, ""},
		{"zero-width space at the end", "boss@x.com\u200b", false, ""},
	}
	d := parseTestTeams(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			access := d.Access(tt.address, nil)
			if access.Admin != tt.admin || teamIDs(access.Teams) != tt.teams {
				t.Errorf("Access(%q) = %v, want Admin %t and teams %q", tt.address, access, tt.admin, tt.teams)
			}
		})
	}
}

func TestAccessCanRead(t *testing.T) {
	d := parseTestTeams(t)
	tests := []struct {
		address, id string
		want        Team
	}{
		{"kim@x.com", "legal", Team{"legal", "Légal ⚖"}},
		{"kim@x.com", "finance", Team{}},
		{"kim@x.com", "Legal", Team{}},
		{"kim@x.com", "", Team{}},
		{"boss@x.com", "finance", Team{"finance", "Finance"}},
		{"boss@x.com", "admin", Team{}},
		{"boss@x.com", "sales", Team{}},
		{"none@x.com", "finance", Team{}},
		{"eve@x.com", "finance", Team{}},
	}
	for _, tt := range tests {
		team, ok := d.Access(tt.address, nil).CanRead(tt.id)
		if team != tt.want || ok != (tt.want != Team{}) {
			t.Errorf("%s: CanRead(%q) = %v, %t, want %v", tt.address, tt.id, team, ok, tt.want)
		}
	}
}

func TestDirectoryTeam(t *testing.T) {
	d := parseTestTeams(t)
	if team, ok := d.Team("legal"); !ok || team != (Team{"legal", "Légal ⚖"}) {
		t.Errorf("Team(legal) = %v, %t", team, ok)
	}
	for _, id := range []string{"", "sales", "admin", "LEGAL"} {
		if team, ok := d.Team(id); ok || team != (Team{}) {
			t.Errorf("Team(%q) = %v, %t, want none", id, team, ok)
		}
	}
}

func TestAccessAllocatesNothing(t *testing.T) {
	d := parseTestTeams(t)
	if n := testing.AllocsPerRun(100, func() { d.Access("boss@x.com", nil).CanRead("legal") }); n != 0 {
		t.Errorf("%v allocations for each call, want 0", n)
	}
}

// mistakeTeams wraps the members of a file whose teams are right. The first
// member stands on line 3.
func mistakeTeams(members ...string) string {
	return "{\"teams\": [{\"id\": \"hr\", \"label\": \"HR\"}, {\"id\": \"legal\", \"label\": \"Legal\"}],\n\"members\": {\n" +
		strings.Join(members, ",\n") + "\n}}\n"
}

// mistakeMembers wraps the teams of a file without members. The first team
// stands on line 2.
func mistakeMembers(teams ...string) string {
	return "{\"teams\": [\n" + strings.Join(teams, ",\n") + "\n], \"members\": {}}\n"
}

// parseMistakes parses each file and compares its mistakes, joined by line
// ends.
func parseMistakes(t *testing.T, tests []mistakeTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.file))
			if err == nil {
				t.Fatalf("parsed as %v, want an error", d)
			}
			if want := strings.Join(tt.want, "\n"); err.Error() != want {
				t.Errorf("mistakes are\n%s\nwant\n%s", err, want)
			}
		})
	}
}

type mistakeTest struct {
	name, file string
	want       []string
}

func TestParseDirectoryNotJSON(t *testing.T) {
	const right = ". Example: " + example
	parseMistakes(t, []mistakeTest{
		{"empty", "", []string{"line 1, column 1: the file is empty" + right}},
		{"text", "teams\n", []string{"line 1, column 2: the e does not belong here: names and texts stand in double quotes, like \"finance\"" + right}},
		{"truncated", "{\n\"teams\": [\n", []string{"line 2, column 11: the file ends too early: a quote, a ] or a } is missing" + right}},
		{"comma at the end", "{\n\"teams\": [],\n\"members\": {\"a@x.com\": [\"hr\",]}\n}", []string{"line 3, column 30: the ] does not belong here: remove the comma before it" + right}},
		{"two values", "{}\n\n{}", []string{"line 3, column 1: the { does not belong here: the file is one { } and nothing behind it" + right}},
		{"nested deep", strings.Repeat("[", maxDirectorySize), []string{"line 1, column 10001: the [ does not belong here: too many brackets are open" + right}},
		{"single quotes", "{'teams': []}", []string{"line 1, column 2: the ' does not belong here: texts stand in straight double quotes, like \"finance\"" + right}},
		{"a comment", "{\"teams\": [], // none\n}", []string{"line 1, column 15: the / does not belong here: the file has no comments" + right}},
		{"a comma missing", "{\"teams\": []\n \"members\": {}}", []string{"line 2, column 2: the \" does not belong here: a comma is missing before it, or a bracket is not closed" + right}},
		{"a colon missing", "{\"tëams\" []}", []string{"line 1, column 10: the [ does not belong here: a colon is missing before it" + right}},
		{"a text over two lines", "{\"teams\": [\"a\nb\"]}", []string{"line 1, column 14: the end of the line does not belong here: a text stands in double quotes on one line, and a \\ in it is written \\\\" + right}},
		{"not UTF-8", "{\"teams\": [],\n\"\xff\": 1,\n\n\"\xc0\x80\": 2}", []string{"line 2: not UTF-8", "line 4: not UTF-8"}},
		{"too large", "{}" + strings.Repeat(" ", maxDirectorySize), []string{"the file is over 1048576 bytes"}},
	})
}

func TestParseDirectoryShape(t *testing.T) {
	parseMistakes(t, []mistakeTest{
		{"array at the top", "\n[]", []string{`line 2: the file must be an object with "teams" and "members", not an array`}},
		{"null at the top", "null", []string{`line 1: the file must be an object with "teams" and "members", not null`}},
		{"number out of range", "1e999", []string{`line 1: the file must be an object with "teams" and "members", not a number`}},
		{"nothing", "{}", []string{`line 1: key "teams" is missing`, `line 1: key "members" is missing`}},
		{
			"keys in another case", "{\"Teams\": [],\n\"MEMBERS\": {}}",
			[]string{
				`line 1: key "Teams" is unknown: use "teams", "members", "groups" or "approval"`,
				`line 1: key "teams" is missing`,
				`line 1: key "members" is missing`,
				`line 2: key "MEMBERS" is unknown: use "teams", "members", "groups" or "approval"`,
			},
		},
		{
			"unknown key of any depth", "{\"teams\": [], \"members\": {},\n\"x\": " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}",
			[]string{`line 2: key "x" is unknown: use "teams", "members", "groups" or "approval"`},
		},
		{
			"keys twice", "{\"teams\": [],\n\"teams\": [],\n\"members\": {},\n\"\\u006dembers\": {}}",
			[]string{`line 2: key "teams" is there twice: first on line 1`, `line 4: key "members" is there twice: first on line 3`},
		},
		{
			"wrong types", "{\"members\": [],\n\"teams\": {}}",
			[]string{
				"line 1: members: must be an object with an email address for each key, not an array",
				"line 2: teams: must be an array of teams, not an object",
			},
		},
		{
			"no list of teams: members are not blamed", "{\"members\": {\"a@x.com\": \"hr\", \"b.x.com\": \"hr\"}}",
			[]string{
				`line 1: key "teams" is missing`,
				`line 1: members["b.x.com"]: is not an email address: it needs an @ with something on both sides`,
			},
		},
	})
}

func TestParseDirectoryTeamMistakes(t *testing.T) {
	const slug = "is not an id: use words of a to z and 0 to 9, joined by single hyphens"
	long := strings.Repeat("a", 65)
	tests := []mistakeTest{
		{"not objects", mistakeMembers(`"hr"`, `true`), []string{
			`line 2: teams[0]: must be an object with "id" and "label", not a string`,
			`line 3: teams[1]: must be an object with "id" and "label", not true or false`,
		}},
		{"keys", mistakeMembers("{\"id\": \"hr\",\n\"Label\": \"HR\",\n\"id\": \"legal\"}"), []string{
			`line 2: teams[0]: key "label" is missing`,
			`line 3: teams[0]: key "Label" is unknown: use "id" or "label"`,
			`line 4: teams[0]: key "id" is there twice: first on line 2`,
		}},
		{"types", mistakeMembers(`{"id": 1, "label": null}`), []string{
			"line 2: teams[0].id: must be a string, not a number",
			"line 2: teams[0].label: must be a string, not null",
		}},
		{"team twice", mistakeMembers(`{"id": "hr", "label": "HR"}`, `{"id": "hr", "label": "People"}`), []string{
			`line 3: teams[1].id: team "hr" is listed twice: first on line 2`,
		}},
		{"label twice", mistakeMembers(`{"id": "hr", "label": "HR"}`, `{"id": "people", "label": "HR"}`), []string{
			`line 3: teams[1].label: label "HR" is listed twice: first on line 2`,
		}},
		{"reserved ids", mistakeMembers(`{"id": "admin", "label": "Admins"}`, `{"id": "auditor", "label": "Auditors"}`), []string{
			`line 2: teams[0].id: "admin" stands for all teams: give the team another id`,
			`line 3: teams[1].id: "auditor" stands for all teams: give the team another id`,
		}},
		{"long id", mistakeMembers(`{"id": "` + long + `", "label": "Long"}`), []string{
			`line 2: teams[0].id: "` + long[:40] + `…" is 65 bytes long: use at most 64`,
		}},
		{"empty labels", mistakeMembers(`{"id": "a", "label": ""}`, `{"id": "b", "label": " \t"}`), []string{
			"line 2: teams[0].label: is empty: write the name that people read",
			"line 3: teams[1].label: is empty: write the name that people read",
		}},
		{"unreadable labels", mistakeMembers(`{"id": "a", "label": "A\n"}`, `{"id": "b", "label": "\ud800"}`, "{\"id\": \"c\", \"label\": \"\u0085C\"}"), []string{
			`line 2: teams[0].label: "A\n" holds a control character or one that cannot be read`,
			"line 3: teams[1].label: \"\uFFFD\" holds a control character or one that cannot be read",
			`line 4: teams[2].label: "\u0085C" holds a control character or one that cannot be read`,
		}},
		{"long label", mistakeMembers(`{"id": "a", "label": "` + strings.Repeat("é", 101) + `"}`), []string{
			`line 2: teams[0].label: "` + strings.Repeat("é", 40) + `…" is 101 characters long: use at most 100`,
		}},
		{"wrong id: members are not blamed", "{\"teams\": [{\"id\": \"HR\", \"label\": \"HR\"}], \"members\": {\"a@x.com\": \"HR\"}}", []string{
			`line 1: teams[0].id: "HR" ` + slug,
		}},
	}
	for _, id := range []string{"", "HR", "-hr", "hr-", "h--r", "h_r", "h/r", "..", "h r", "hé", "\u212a"} {
		tests = append(tests, mistakeTest{
			"id " + id, mistakeMembers(fmt.Sprintf(`{"id": %q, "label": "x"}`, id)),
			[]string{fmt.Sprintf("line 2: teams[0].id: %q %s", id, slug)},
		})
	}
	parseMistakes(t, tests)
}

func TestParseDirectoryMemberMistakes(t *testing.T) {
	const (
		at    = "is not an email address: it needs an @ with something on both sides"
		white = "is not an email address: it holds white space, a control character or one that cannot be read"
	)
	tests := []mistakeTest{
		{"unknown team", mistakeTeams(`"a@x.com": "hr"`, `"b@x.com": "sales"`), []string{
			`line 4: members["b@x.com"]: team "sales" does not exist: use one of hr, legal, or admin or auditor`,
		}},
		{"team in another case", mistakeTeams(`"a@x.com": "Admin"`, `"b@x.com": "HR"`, `"c@x.com": ""`), []string{
			`line 3: members["a@x.com"]: team "Admin" does not exist: use one of hr, legal, or admin or auditor`,
			`line 4: members["b@x.com"]: team "HR" does not exist: use one of hr, legal, or admin or auditor`,
			`line 5: members["c@x.com"]: team "" does not exist: use one of hr, legal, or admin or auditor`,
		}},
		{"no teams at all", "{\"teams\": [], \"members\": {\"a@x.com\": \"hr\"}}", []string{
			`line 1: members["a@x.com"]: team "hr" does not exist: use admin or auditor`,
		}},
		{"unknown team in an array", mistakeTeams("\"a@x.com\": [\n\"hr\",\n\"sales\"]"), []string{
			`line 5: members["a@x.com"][1]: team "sales" does not exist: use one of hr, legal, or admin or auditor`,
		}},
		{"team twice in an array", mistakeTeams(`"a@x.com": ["hr", "legal", "hr"]`, `"b@x.com": ["admin", "admin"]`), []string{
			`line 3: members["a@x.com"][2]: "hr" is there twice`,
			`line 4: members["b@x.com"][1]: "admin" is there twice`,
		}},
		{"wrong types", mistakeTeams(`"a@x.com": null`, `"b@x.com": {"hr": true}`, `"c@x.com": ["hr", ["legal"], 1]`, `"d@x.com": true`), []string{
			`line 3: members["a@x.com"]: must be a team id, admin, auditor, an array of them or an object of roles, not null`,
			`line 4: members["b@x.com"]["hr"]: must be "member" or "lead", not true or false`,
			`line 5: members["c@x.com"][1]: must be a team id, admin, auditor, an array of them or an object of roles, not an array`,
			`line 5: members["c@x.com"][2]: must be a team id, admin, auditor, an array of them or an object of roles, not a number`,
			`line 6: members["d@x.com"]: must be a team id, admin, auditor, an array of them or an object of roles, not true or false`,
		}},
		{"the same key twice", mistakeTeams(`"a@x.com": "hr"`, `"a@x.com": "admin"`), []string{
			`line 4: members["a@x.com"]: is the same address as "a@x.com" on line 3`,
		}},
		{"two spellings", mistakeTeams(`"a@x.com": "hr"`, `"b@x.com": "hr"`, `" A@x.COM": "hr"`), []string{
			`line 5: members[" A@x.COM"]: is the same address as "a@x.com" on line 3`,
		}},
		{"long address", mistakeTeams(`"` + strings.Repeat("a", 249) + `@x.com": "hr"`), []string{
			`line 3: members["` + strings.Repeat("a", 40) + `…"]: is 255 bytes long: an email address has at most 254`,
		}},
	}
	for _, address := range []string{"", "a.x.com", "@x.com", "a@", "@", " @x.com", "a@ "} {
		tests = append(tests, mistakeTest{
			"address " + address, mistakeTeams(fmt.Sprintf(`%q: "hr"`, address)),
			[]string{fmt.Sprintf("line 3: members[%q]: %s", address, at)},
		})
	}
	for _, address := range []string{"a b@x.com", "a@x\u00a0y.com", "a@x.com\u2028b", "a@x\u0085y"} {
		tests = append(tests, mistakeTest{
			"address " + address, mistakeTeams(`"` + address + `": "hr"`),
			[]string{fmt.Sprintf("line 3: members[%q]: %s", address, white)},
		})
	}
	for _, address := range []string{"a,b@x.com", "<b@x.com>"} {
		tests = append(tests, mistakeTest{
			"address " + address, mistakeTeams(`"` + address + `": "hr"`),
			[]string{fmt.Sprintf("line 3: members[%q]: is not an email address: it holds a comma, a colon, a semicolon, a quotation mark, a backslash or a bracket", address)},
		})
	}
	for _, escape := range []string{`\u0000`, `\t`, `\u007f`} {
		tests = append(tests, mistakeTest{
			"address with " + escape, mistakeTeams(`"a` + escape + `b@x.com": "hr"`),
			[]string{fmt.Sprintf("line 3: members[%s]: %s", `"a`+strings.NewReplacer(`\u0000`, `\x00`, `\u007f`, `\x7f`).Replace(escape)+`b@x.com"`, white)},
		})
	}
	parseMistakes(t, tests)
}

func TestParseDirectoryLimitsAreTaken(t *testing.T) {
	id, label := strings.Repeat("a", 64), strings.Repeat("é", 100)
	address := strings.Repeat("a", 248) + "@x.com"
	file := fmt.Sprintf(`{"teams": [{"id": %q, "label": %q}], "members": {%q: %q}}`, id, label, address, id)
	file += strings.Repeat("\n", maxDirectorySize-len(file))
	d, err := Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if team, ok := d.Access(address, nil).CanRead(id); !ok || team.Label != label {
		t.Errorf("CanRead = %v, %t", team, ok)
	}
}

func TestParseDirectoryNamesAtMostTwentyTeams(t *testing.T) {
	var teams []string
	for i := range 30 {
		teams = append(teams, fmt.Sprintf(`{"id": "t%d", "label": "T%d"}`, i, i))
	}
	_, err := Parse([]byte(`{"teams": [` + strings.Join(teams, ",") + `], "members": {"a@x.com": "no"}}`))
	if err == nil || !strings.HasSuffix(err.Error(), ", t19, …, or admin or auditor") {
		t.Errorf("error is %v", err)
	}
}

// directoryTest is a teams file that a test changes.
type directoryTest struct {
	path string
	file *File
	log  *bytes.Buffer
}

// teamsFile returns a teams file on which a@x.com is on the given team.
func teamsFile(team string) string {
	return mistakeTeams(fmt.Sprintf(`"a@x.com": %q`, team))
}

func newDirectoryTest(t *testing.T) *directoryTest {
	t.Helper()
	dt := &directoryTest{path: filepath.Join(t.TempDir(), "teams.json"), log: &bytes.Buffer{}}
	dt.write(t, teamsFile("hr"))
	file, err := Open(dt.path, slog.New(slog.NewTextHandler(dt.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	dt.file = file
	return dt
}

func (dt *directoryTest) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(dt.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// check compares the teams of a@x.com and what was logged since the last check.
func (dt *directoryTest) check(t *testing.T, teams string, logged ...string) {
	t.Helper()
	if got := teamIDs(dt.file.Current().Access("a@x.com", nil).Teams); got != teams {
		t.Errorf("a@x.com is on %q, want %q", got, teams)
	}
	if got := strings.Count(dt.log.String(), "\n"); got != len(logged) {
		t.Errorf("%d log lines, want %d:\n%s", got, len(logged), dt.log)
	}
	for _, want := range logged {
		if !strings.Contains(dt.log.String(), want) {
			t.Errorf("log is\n%s\nwant in it\n%s", dt.log, want)
		}
	}
	dt.log.Reset()
}

func TestReload(t *testing.T) {
	const (
		read  = `level=INFO msg="teams file read"`
		wrong = `level=ERROR msg="teams file is wrong: keeping the last good one"`
		gone  = `level=ERROR msg="teams file cannot be read: keeping the last good one"`
	)
	remove := func(t *testing.T, dt *directoryTest) {
		if err := os.Remove(dt.path); err != nil {
			t.Fatal(err)
		}
	}
	write := func(text string) func(*testing.T, *directoryTest) {
		return func(t *testing.T, dt *directoryTest) { dt.write(t, text) }
	}
	type step struct {
		change func(*testing.T, *directoryTest)
		teams  string
		logged []string
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"unchanged", []step{{write(teamsFile("hr")), "hr", nil}}},
		{"changed", []step{{write(teamsFile("legal")), "legal", []string{read}}}},
		{"removed from the file", []step{{write(mistakeTeams()), "", []string{read}}}},
		{"broken, then mended", []step{
			{write(teamsFile("sales")), "hr", []string{wrong}},
			{write(teamsFile("nobody")), "hr", []string{`team \"nobody\" does not exist`}},
			{write(teamsFile("legal")), "legal", []string{read}},
		}},
		{"broken, then as it was", []step{
			{write("{"), "hr", []string{wrong}},
			{write(teamsFile("hr")), "hr", []string{read}},
		}},
		{"emptied", []step{{write(""), "hr", []string{wrong}}}},
		{"too large", []step{{write(strings.Repeat(" ", maxDirectorySize+1)), "hr", []string{wrong}}}},
		{"gone, then back", []step{
			{remove, "hr", []string{gone}},
			{write(teamsFile("hr")), "hr", []string{read}},
			{remove, "hr", []string{gone}},
			{write(teamsFile("legal")), "legal", []string{read}},
		}},
		{"gone, then back and broken", []step{
			{remove, "hr", []string{gone}},
			{write("{"), "hr", []string{wrong}},
		}},
		{"replaced by a directory", []step{{func(t *testing.T, dt *directoryTest) {
			remove(t, dt)
			if err := os.Mkdir(dt.path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "hr", []string{gone}}}},
		{"renamed over", []step{{func(t *testing.T, dt *directoryTest) {
			beside := dt.path + ".new"
			if err := os.WriteFile(beside, []byte(teamsFile("legal")), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(beside, dt.path); err != nil {
				t.Fatal(err)
			}
		}, "legal", []string{read}}}},
		{"same time and size", []step{{func(t *testing.T, dt *directoryTest) {
			info, err := os.Stat(dt.path)
			if err != nil {
				t.Fatal(err)
			}
			dt.write(t, strings.Replace(teamsFile("hr"), "a@x.com", "b@x.com", 1))
			if err := os.Chtimes(dt.path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, "", []string{read}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dt := newDirectoryTest(t)
			for _, step := range tt.steps {
				step.change(t, dt)
				for range 3 { // what is said once is not said again
					dt.file.Reload()
				}
				dt.check(t, step.teams, step.logged...)
			}
		})
	}
}

// A ConfigMap's file is a link into a folder that is itself a link; an update
// turns the second one.
func TestReloadConfigMap(t *testing.T) {
	dir := t.TempDir()
	for name, team := range map[string]string{"v1": "hr", "v2": "legal"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "teams.json"), []byte(teamsFile(team)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", "..data")
	link("..data/teams.json", "teams.json")
	dt := &directoryTest{log: &bytes.Buffer{}}
	var err error
	dt.file, err = Open(filepath.Join(dir, "teams.json"), slog.New(slog.NewTextHandler(dt.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	dt.check(t, "hr")
	link("v2", "..next")
	if err := os.Rename(filepath.Join(dir, "..next"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	dt.file.Reload()
	dt.check(t, "legal", "teams=2 members=1")
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dt := newDirectoryTest(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			dt.file.Watch(ctx)
			close(done)
		}()
		dt.write(t, teamsFile("legal"))
		time.Sleep(directoryPollInterval + 1)
		synctest.Wait()
		dt.check(t, "legal", "teams=2 members=1")
		cancel()
		<-done
		dt.write(t, teamsFile("hr"))
		time.Sleep(10 * directoryPollInterval)
		dt.check(t, "legal")
	})
}

func TestOpenDirectoryMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "teams.json")
	log := slog.New(slog.DiscardHandler)
	if _, err := Open(path, log); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: error is %v, want the path in it", err)
	}
	if err := os.WriteFile(path, []byte(mistakeTeams(`"a.x.com": "hr"`, `"b@x.com": "sales"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := path + `:
line 3: members["a.x.com"]: is not an email address: it needs an @ with something on both sides
line 4: members["b@x.com"]: team "sales" does not exist: use one of hr, legal, or admin or auditor`
	if _, err := Open(path, log); err == nil || err.Error() != want {
		t.Errorf("error is\n%v\nwant\n%s", err, want)
	}
}

func FuzzParseDirectory(f *testing.F) {
	for _, seed := range []string{
		sampleTeams, testTeams, teamsFile("hr"), teamsFile("sales"), mistakeTeams(`"A@x.com": []`, `"a@x.com": 1e999`),
		mistakeMembers(`{"id": "hr", "id": "\ud800", "Label": null}`), "", "{}", "[[[", "{\"teams\":\xff}", `{} {}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			if d != nil {
				t.Error("a Directory and an error")
			}
			return
		}
		for i, team := range d.Teams() {
			if found, ok := d.Team(team.ID); !ok || found != team || d.positions[team.ID] != i {
				t.Errorf("Team(%q) = %v, %t, want %v", team.ID, found, ok, team)
			}
			if !isSlug(team.ID) || team.ID == adminWord || strings.TrimSpace(team.Label) == "" {
				t.Errorf("team %q is not one", team)
			}
		}
		for address, access := range d.members {
			if NormalizeAddress(address) != address || !strings.Contains(address, "@") {
				t.Errorf("address %q is not normalized", address)
			}
			if access.Admin && !slices.Equal(access.Teams, d.Teams()) {
				t.Errorf("admin %q has the teams %v", address, access.Teams)
			}
			last := -1
			for _, team := range access.Teams {
				position, ok := d.positions[team.ID]
				if !ok || position <= last || d.Teams()[position] != team {
					t.Errorf("%q is on %v, which is unknown or out of order", address, team)
				}
				last = position
			}
		}
	})
}

// rolesTeams is a file with every kind of value.
const rolesTeams = `{"teams": [{"id": "hr", "label": "HR"}, {"id": "it", "label": "IT"}, {"id": "pr", "label": "PR"}],
"members": {"Ann.Lee@example.com": "hr",
"bo@example.com": ["hr",
"it"], "cleo@example.com": "admin", "dora@example.com": [],
"lea@example.com": {"hr": "lead", "it": "member"},
"odd@example.com": "auditor",
"both@example.com": ["auditor", "pr"]},
"groups": {"HR Leads": {"hr": "lead"}, "Auditors": "auditor", "Everyone": ["it", "pr"], "Owners": "admin", "Nobody": {}},
"approval": ["hr"]}`

func parseRoles(t *testing.T) *Directory {
	t.Helper()
	d, err := Parse([]byte("\ufeff" + rolesTeams))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRules(t *testing.T) {
	d := parseRoles(t)
	leads := Rule{Line: 8, Text: `"HR Leads": {"hr": "lead"}`, Group: "HR Leads"}
	for _, tt := range []struct {
		address string
		groups  []string
		want    []Rule
	}{
		{" ann.lee@EXAMPLE.com", nil, []Rule{{Line: 2, Text: `"Ann.Lee@example.com": "hr"`, Address: "ann.lee@example.com"}}},
		{"bo@example.com", nil, []Rule{{Line: 3, Text: `"bo@example.com": ["hr", "it"]`, Address: "bo@example.com"}}},
		{"cleo@example.com", nil, []Rule{{Line: 4, Text: `"cleo@example.com": "admin"`, Address: "cleo@example.com"}}},
		{"dora@example.com", nil, []Rule{{Line: 4, Text: `"dora@example.com": []`, Address: "dora@example.com"}}},
		{"lea@example.com", []string{"HR Leads"}, []Rule{{Line: 5, Text: `"lea@example.com": {"hr": "lead", "it": "member"}`, Address: "lea@example.com"}, leads}},
		{"eve@example.com", []string{"hr leads", "HR Leads ", "HR Leads"}, []Rule{leads}},
		{"eve@example.com", []string{"", "ann.lee@example.com"}, nil},
		{"", nil, nil},
	} {
		if rules := d.Rules(tt.address, tt.groups); !slices.Equal(rules, tt.want) {
			t.Errorf("Rules(%q, %q) = %v, want %v", tt.address, tt.groups, rules, tt.want)
		}
	}
}

// TestAccessIsTheUnion tells for each person what they may do in hr, it and pr:
// r(ead), l(og), c(hange what is theirs), a(ll of the team), d(ecide); a capital
// letter stands first for those who read all, gone teams too.
func TestAccessIsTheUnion(t *testing.T) {
	d := parseRoles(t)
	for _, tt := range []struct {
		name, address string
		groups        []string
		want          string
	}{
		{"nobody", "eve@example.com", nil, "- - -"},
		{"nobody by groups that the file does not name", "eve@example.com", []string{"Leads", "everyone", "Everyone\x00"}, "- - -"},
		{"member", "ann.lee@example.com", nil, "rlc - -"},
		{"member of two", "bo@example.com", nil, "rlc rlc -"},
		{"named, and on no team", "dora@example.com", nil, "- - -"},
		{"lead of one, member of another", "lea@example.com", nil, "rlcad rlc -"},
		{"auditor", "odd@example.com", nil, "All r r r"},
		{"auditor who is on a team", "both@example.com", nil, "All r r rlc"},
		{"administrator", "cleo@example.com", nil, "All rlcad rlcad rlcad"},
		{"member by a group", "eve@example.com", []string{"Everyone"}, "- rlc rlc"},
		{"lead by a group, member by address", "ann.lee@example.com", []string{"HR Leads"}, "rlcad - -"},
		{"lead by address, more by a group", "lea@example.com", []string{"Everyone"}, "rlcad rlc rlc"},
		{"auditor by a group, lead by address", "lea@example.com", []string{"Auditors"}, "All rlcad rlc r"},
		{"administrator by a group", "eve@example.com", []string{"Nobody", "Owners"}, "All rlcad rlcad rlcad"},
		{"group that gives nothing", "eve@example.com", []string{"Nobody"}, "- - -"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			access := d.Access(tt.address, tt.groups)
			if got := allowed(access, "hr", "it", "pr"); got != tt.want {
				t.Errorf("may do %q, want %q", got, tt.want)
			}
			if got := allowed(access, "gone"); access.Admin && got != "All cad" || !access.Admin && strings.TrimPrefix(got, "All ") != "-" {
				t.Errorf("in a team that is not in the file: %q", got)
			}
		})
	}
}

func allowed(a Access, teams ...string) string {
	var parts []string
	if a.ReadsAll() {
		parts = append(parts, "All")
	}
	for _, id := range teams {
		_, reads := a.CanRead(id)
		may := ""
		for _, can := range []struct {
			letter string
			may    bool
		}{
			{"r", reads}, {"l", a.CanLog(id)}, {"c", a.CanChange(id, true)}, {"a", a.CanChange(id, false)}, {"d", a.CanDecide(id) && a.CanBudget(id)},
		} {
			if can.may {
				may += can.letter
			}
		}
		if may == "" {
			may = "-"
		}
		parts = append(parts, may)
	}
	return strings.Join(parts, " ")
}

func TestApproval(t *testing.T) {
	const file = `{"teams": [{"id": "hr", "label": "HR"}, {"id": "it", "label": "IT"}], "members": {}%s}`
	for value, want := range map[string]string{
		``: "", `, "approval": true`: "hr it", `, "approval": false`: "", `, "approval": []`: "", `, "approval": ["it"]`: "it",
	} {
		d, err := Parse(fmt.Appendf(nil, file, value))
		if err != nil {
			t.Fatal(err)
		}
		var on []string
		for _, id := range []string{"hr", "it", "gone", ""} {
			if d.Approval(id) {
				on = append(on, id)
			}
		}
		if got := strings.Join(on, " "); got != want {
			t.Errorf("with %q approval is on for %q, want %q", value, got, want)
		}
	}
}

func TestParseRolesGroupsAndApprovalMistakes(t *testing.T) {
	end := func(rest string) string {
		return "{\"teams\": [{\"id\": \"hr\", \"label\": \"HR\"}], \"members\": {},\n" + rest + "}"
	}
	parseMistakes(t, []mistakeTest{
		{"roles", mistakeTeams(`"a@x.com": {"hr": "boss", "sales": "lead", "admin": "lead", "legal": ["lead"]}`), []string{
			`line 3: members["a@x.com"]["hr"]: role "boss" is unknown: use "member" or "lead"`,
			`line 3: members["a@x.com"]["sales"]: team "sales" does not exist: use one of hr, legal`,
			`line 3: members["a@x.com"]["admin"]: team "admin" does not exist: use one of hr, legal`,
			`line 3: members["a@x.com"]["legal"]: must be "member" or "lead", not an array`,
		}},
		{"team twice in roles", mistakeTeams("\"a@x.com\": {\"hr\": \"lead\",\n\"hr\": \"member\"}"), []string{
			`line 4: members["a@x.com"]["hr"]: is there twice: first on line 3`,
		}},
		{"roles in an array", mistakeTeams(`"a@x.com": ["hr", {"legal": "lead"}]`), []string{
			`line 3: members["a@x.com"][1]: must be a team id, admin, auditor, an array of them or an object of roles, not an object`,
		}},
		{"groups of another type", end(`"groups": ["hr"]`), []string{
			"line 2: groups: must be an object with the name of an Okta group for each key, not an array",
		}},
		{"names of groups", end("\"groups\": {\"\": \"hr\", \"a\\u0000\": \"hr\",\n\"B\": \"hr\", \"b\": \"hr\",\n\"B\": \"hr\", \"" + strings.Repeat("x", 256) + "\": \"hr\"}"), []string{
			`line 2: groups[""]: is empty: write the name of the group as Okta has it`,
			`line 2: groups["a\x00"]: holds a control character or one that cannot be read`,
			`line 4: groups["B"]: is there twice: first on line 3`,
			`line 4: groups["` + strings.Repeat("x", 40) + `…"]: is 256 characters long: the name of a group has at most 255`,
		}},
		{"value of a group", end(`"groups": {"A": "sales", "B": null}`), []string{
			`line 2: groups["A"]: team "sales" does not exist: use one of hr, or admin or auditor`,
			`line 2: groups["B"]: must be a team id, admin, auditor, an array of them or an object of roles, not null`,
		}},
		{"approval of another type", end(`"approval": "hr"`), []string{
			"line 2: approval: must be true, false or an array of team ids, not a string",
		}},
		{"teams of approval", end(`"approval": ["hr", "sales", "hr", 1]`), []string{
			`line 2: approval[1]: team "sales" does not exist: use one of hr`,
			`line 2: approval[2]: "hr" is there twice`,
			"line 2: approval[3]: must be a team id, not a number",
		}},
	})
}
