package main

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/storetest"
)

var (
	differentialFor  = flag.Duration("differential", 0, "how long people write in TestDifferential, with a random seed; 0 is a short run with a fixed one")
	differentialSeed = flag.Uint64("differential-seed", 0, "the seed of TestDifferential; 0 chooses one")
)

// TestDifferential lets random people write through two copies of the program on one
// database, two of them at once, and after some writes compares every figure, list,
// chart and file that people can see with the rows of the tables.
func TestDifferential(t *testing.T) {
	t.Parallel()
	seed := *differentialSeed
	switch {
	case seed != 0:
	case *differentialFor == 0:
		seed = 11
	default:
		seed = rand.Uint64()
	}
	t.Logf("the seed is %d", seed)
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		d := startDifferential(t, databaseURL, seed)
		defer func() {
			if t.Failed() {
				t.Logf("once more: go test -run TestDifferential -differential-seed %d -differential %v .", seed, *differentialFor)
			}
		}()
		until := time.Now().Add(*differentialFor)
		for round := 0; !t.Failed() && (round < 2 || time.Now().Before(until)); round++ {
			for range writesOfRound {
				d.step()
			}
			d.compare()
		}
		if d.taken*5 < d.sent {
			t.Errorf("of %d forms that were sent only %d were taken", d.sent, d.taken)
		}
	})
}

// writesOfRound is how often two people write between two comparisons.
const writesOfRound = 15

// A differential is the people, what they write through, and what they write to.
type differential struct {
	*testing.T
	rig    *rig
	sites  []*app
	db     *sql.DB
	clock  *clock
	file   string // the teams file
	teams  []string
	digits int // of the currency
	people []*someone
	random *rand.Rand

	mu          sync.Mutex
	noted       int // how many notes there are, each of one expense
	kept        []string
	sent, taken int
}

// Someone is signed in, and has a role in each team.
type someone struct {
	*browser
	subject   string
	addresses []string // the first is the present one
	roles     map[string]string
	admin     bool
	auditor   bool
}

// team is mostly one of which they have a role, or any for who has none.
func (s *someone) team(random *rand.Rand) string {
	teams := slices.Sorted(maps.Keys(s.roles))
	if len(teams) == 0 || random.IntN(8) == 0 {
		teams = []string{"finance", "hr", "ops"}
	}
	return oneOf(random, teams...)
}

// The people of the test. Two have one name, and one changes her name and address.
func newPeople() []*someone {
	member, lead := "member", "lead"
	return []*someone{
		{addresses: []string{"ann.summers@example.com", "ann.lee@example.com"}, roles: map[string]string{"finance": member}},
		{addresses: []string{"bob@example.com"}, roles: map[string]string{"finance": member, "hr": member}},
		{addresses: []string{"cleo@example.com"}, roles: map[string]string{"finance": lead, "hr": member}},
		{addresses: []string{"dan@example.com"}, roles: map[string]string{"hr": lead, "ops": lead}},
		{addresses: []string{"eve@example.com"}, auditor: true},
		{addresses: []string{"fay@example.com"}, admin: true},
		{addresses: []string{"sam.gray@example.com"}, roles: map[string]string{"ops": member}},
		{addresses: []string{"sam.gray+2@example.com"}, roles: map[string]string{"hr": member, "ops": member}},
	}
}

func startDifferential(t *testing.T, databaseURL string, seed uint64) *differential {
	random := rand.New(rand.NewPCG(seed, 0))
	d := &differential{T: t, random: random, people: newPeople(), clock: apptest.NewClock(), file: filepath.Join(t.TempDir(), "teams.json")}
	d.clock.Set(time.Date(2027, 1, 1+random.IntN(730), 12, 0, 0, 0, time.UTC))
	currency := []string{"USD", "JPY", "KWD"}[random.IntN(3)]
	d.digits = map[string]int{"USD": 2, "JPY": 0, "KWD": 3}[currency]
	d.writeTeams("finance", "hr", "ops")
	var known []devidp.Person
	for i, s := range d.people {
		s.subject = fmt.Sprintf("00u%d", i)
		for _, address := range s.addresses {
			local, _, _ := strings.Cut(address, "@")
			first, last, _ := strings.Cut(strings.TrimSuffix(local, "+2"), ".")
			name := strings.TrimSpace(strings.ToUpper(first[:1]) + first[1:] + " " + last)
			known = append(known, devidp.Person{Subject: s.subject, Name: name, Email: address})
		}
	}
	d.rig, d.sites = startCopiesOf(t, databaseURL, 2, setup{
		clock: d.clock, provider: devidp.Config{People: known},
		env: map[string]string{
			"TEAMS_FILE": d.file, "SAMPLE_DATA": "false", "CURRENCY": currency, "TIME_ZONE": "UTC",
			"SESSION_IDLE_TIMEOUT": "87600h", "SESSION_MAX_AGE": "87600h",
		},
	})
	d.db = storetest.DB(t, databaseURL)
	for _, s := range d.people {
		s.browser = d.rig.Browser()
		s.SignIn(s.addresses[0])
	}
	d.fill(d.people[5], random)
	return d
}

// writeTeams writes the teams file with some of the teams, and lets the copies read it.
func (d *differential) writeTeams(teams ...string) {
	d.teams = teams
	type named struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	}
	var file struct {
		Approval []string       `json:"approval"`
		Teams    []named        `json:"teams"`
		Members  map[string]any `json:"members"`
	}
	file.Members = map[string]any{}
	for _, team := range teams {
		file.Teams = append(file.Teams, named{team, strings.ToUpper(team)})
		if approves(team) {
			file.Approval = append(file.Approval, team)
		}
	}
	for _, s := range d.people {
		roles := map[string]string{}
		for team, role := range s.roles {
			if slices.Contains(teams, team) {
				roles[team] = role
			}
		}
		for _, address := range s.addresses {
			switch {
			case s.admin:
				file.Members[address] = "admin"
			case s.auditor:
				file.Members[address] = "auditor"
			case len(roles) > 0:
				file.Members[address] = roles
			}
		}
	}
	text, err := json.Marshal(file)
	if err == nil {
		err = os.WriteFile(d.file, text, 0o600)
	}
	if err != nil {
		d.Fatal(err)
	}
	for _, site := range d.sites {
		site.directory.Reload()
	}
}

// approves reports whether the expenses of a team are approved.
func approves(team string) bool { return team != "hr" }

// step lets two people do something at the same time, or changes what is around them.
func (d *differential) step() {
	switch d.random.IntN(25) {
	case 0:
		d.clock.Advance(time.Duration(1+d.random.IntN(20)) * 24 * time.Hour)
		return
	case 1:
		if len(d.teams) == 3 {
			d.writeTeams("finance", "hr")
		} else {
			d.writeTeams("finance", "hr", "ops")
		}
		return
	}
	order := d.random.Perm(len(d.people))
	var both sync.WaitGroup
	for _, at := range order[:2] {
		random := rand.New(rand.NewPCG(d.random.Uint64(), 1))
		both.Go(func() { d.act(d.people[at], random) })
	}
	both.Wait()
}

// act is something that a person does, whether they may or not.
func (d *differential) act(s *someone, random *rand.Rand) {
	acts := []func(*someone, *rand.Rand){d.log, d.log, d.log, d.change, d.change, d.remove, d.restore, d.decide, d.decide, d.several, d.several, d.setBudget, d.rename}
	if s.admin {
		acts = append(acts, d.move, d.manage, d.manage, d.manage, d.join, d.importFile, d.importFile)
	}
	acts[random.IntN(len(acts))](s, random)
}

// answered notes what came of a form, which is never that the program failed.
func (d *differential) answered(r *reply) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent++
	switch r.Status {
	case http.StatusSeeOther:
		d.taken++
		return true
	case http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
	default:
		d.Errorf("%s = %d: %s", r.URL.Path, r.Status, r.Text())
	}
	return false
}

// note returns a note that no other expense has.
func (d *differential) note() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noted++
	return fmt.Sprintf("no %d", d.noted)
}

// keep remembers that an expense with a note was logged.
func (d *differential) keep(note string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = append(d.kept, note)
}

func oneOf[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// today is the day that the copies have.
func (d *differential) today() time.Time { return d.clock.Now().UTC() }

// day is one that an expense may have, and a late one more often than an early one.
func (d *differential) day(random *rand.Rand) string {
	back := oneOf(random, 5, 40, 70, 400)
	return d.today().AddDate(0, 0, random.IntN(back+31)-back).Format(time.DateOnly)
}

// amount is one that an expense may have, as it is typed.
func (d *differential) amount(random *rand.Rand) string {
	amount := int64(1 + random.IntN(oneOf(random, 100, 100_000, 5_000_000)))
	if random.IntN(6) == 0 {
		amount = -amount
	}
	return d.plain(amount)
}

// plain writes an amount as files have it.
func (d *differential) plain(amount int64) string {
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	text := fmt.Sprintf("%0*d", d.digits+1, amount)
	if d.digits > 0 {
		text = text[:len(text)-d.digits] + "." + text[len(text)-d.digits:]
	}
	return sign + text
}

// minor reads what plain writes.
func (d *differential) minor(text string) int64 {
	amount, err := strconv.ParseInt(strings.ReplaceAll(text, ".", ""), 10, 64)
	if err != nil {
		d.Fatal(err)
	}
	return amount
}

func category(random *rand.Rand) string {
	return oneOf(random, "Travel", "travel", "TRAVEL", "Meals", "Meals  out", "meals out", "Hotel", "Büro", "Rent", "Tools", "Fees", "Books")
}

// form is that of an expense.
func (d *differential) form(random *rand.Rand, note string) url.Values {
	form := url.Values{
		"date": {d.day(random)}, "item": {oneOf(random, "Taxi", "taxi home", "Hotel Zürich", "Café visit", "Straße map", "Book", "Émile’s desk", "=SUM(A1)")},
		"category": {category(random)}, "amount": {d.amount(random)}, "note": {note}, "submission": {apptest.NewID()},
	}
	if random.IntN(3) == 0 {
		form.Set("person", oneOf(random, "Bob", "bob@example.com", "Sam Gray", "sam.gray@example.com", "Zoë", "zoe@example.com", "ann.lee@example.com", "cleo"))
	}
	if random.IntN(12) == 0 {
		form.Set("refund", "yes")
	}
	return form
}

// log logs an expense, now and then twice by one form.
func (d *differential) log(s *someone, random *rand.Rand) {
	note := d.note()
	form := d.form(random, note)
	target := "/team/" + s.team(random) + "/expenses"
	for range oneOf(random, 1, 1, 1, 2) {
		if d.answered(s.Post(target, form)) {
			d.keep(note)
		}
	}
}

// pick is an expense that somebody might change, often a late one, and the version that its form shows, now and
// then an old one.
func (d *differential) pick(s *someone, random *rand.Rand, condition string) (path, note string, form url.Values) {
	var all [][3]string
	each(d, d.db, `SELECT '/team/' || team || '/expenses/' || id, note, CAST(version AS TEXT) FROM expenses WHERE `+condition+` AND team = '`+s.team(random)+`' ORDER BY seq DESC, id`, func(scan func(...any)) {
		var e [3]string
		scan(&e[0], &e[1], &e[2])
		all = append(all, e)
	})
	if len(all) == 0 {
		return "/team/finance/expenses/none", "", url.Values{"version": {"1"}}
	}
	e := all[random.IntN(min(len(all), oneOf(random, 8, 1000)))]
	if random.IntN(10) == 0 {
		e[2] = "1"
	}
	return e[0], e[1], url.Values{"version": {e[2]}}
}

const (
	standing = "deleted_at IS NULL"
	deleted  = "deleted_at IS NOT NULL"
)

// change changes an expense, or an administrator moves it to a team as well.
func (d *differential) change(s *someone, random *rand.Rand) {
	path, note, version := d.pick(s, random, standing)
	form := d.form(random, note)
	form.Set("version", version.Get("version"))
	if s.admin {
		form.Set("team", oneOf(random, "", "finance", "hr"))
	}
	d.answered(s.Post(path, form))
}

// move does nothing but move an expense to another team.
func (d *differential) move(s *someone, random *rand.Rand) {
	path, note, form := d.pick(s, random, standing)
	each(d, d.db, `SELECT item, date, amount_cents, label FROM expenses JOIN categories ON categories.id = category WHERE note = '`+note+`'`, func(scan func(...any)) {
		var (
			item, date, label string
			amount            int64
		)
		scan(&item, &date, &amount, &label)
		form = url.Values{
			"version": form["version"], "note": {note}, "item": {item}, "date": {date}, "category": {label},
			"amount": {d.plain(amount)}, "team": {oneOf(random, d.teams...)},
		}
	})
	d.answered(s.Post(path, form))
}

func (d *differential) remove(s *someone, random *rand.Rand) {
	path, _, form := d.pick(s, random, standing)
	d.answered(s.Post(path+"/delete", form))
}

func (d *differential) restore(s *someone, random *rand.Rand) {
	path, _, form := d.pick(s, random, deleted)
	d.answered(s.Post(path+"/restore", form))
}

// decide approves an expense or sends it back.
func (d *differential) decide(s *someone, random *rand.Rand) {
	path, _, form := d.pick(s, random, standing)
	form.Set("reason", "Which one?")
	d.answered(s.Post(path+oneOf(random, "/approve", "/send-back"), form))
}

func (d *differential) setBudget(s *someone, random *rand.Rand) {
	team, version := s.team(random), "0"
	each(d, d.db, `SELECT CAST(COALESCE(MAX(version), 0) AS TEXT) FROM budgets WHERE team = '`+team+`'`, func(scan func(...any)) { scan(&version) })
	form := url.Values{
		"month": {d.today().AddDate(0, random.IntN(4)-2, 1-d.today().Day()).Format("2006-01")}, "version": {version},
		"amount": {strings.TrimPrefix(d.amount(random), "-")},
	}
	if random.IntN(2) == 0 {
		form.Set("category", category(random))
	}
	if random.IntN(5) == 0 {
		form.Set("amount", "")
	}
	d.answered(s.Post("/team/"+team+"/budget", form))
}

// rename signs somebody in anew, who has another name and address by now.
func (d *differential) rename(s *someone, _ *rand.Rand) {
	slices.Reverse(s.addresses)
	s.browser = d.rig.Browser()
	s.SignIn(s.addresses[0])
}

// manage changes the list of categories.
func (d *differential) manage(s *someone, random *rand.Rand) {
	if random.IntN(8) == 0 {
		d.answered(s.Post("/categories", url.Values{"closed": {oneOf(random, "yes", "no", "no")}}))
		return
	}
	path := "/categories/" + d.id(random, "categories")
	form := url.Values{"name": {oneOf(random, category(random), category(random), "Trips", "Other")}}
	d.answered(s.Post(path+oneOf(random, "/rename", "/rename", "/undo", "/undo", "/undo", "/retire"), form))
}

// id is that of a row of a table.
func (d *differential) id(random *rand.Rand, table string) string {
	ids := []string{"1"}
	each(d, d.db, `SELECT CAST(id AS TEXT) FROM `+table+` ORDER BY key, id`, func(scan func(...any)) {
		var id string
		scan(&id)
		ids = append(ids, id)
	})
	return ids[random.IntN(len(ids))]
}

// several does something to several expenses at once, and now and then takes it back.
func (d *differential) several(s *someone, random *rand.Rand) {
	form := url.Values{"confirm": {"yes"}, "submission": {apptest.NewID()}, "reason": {"Which ones?"}}
	form.Set("action", oneOf(random, "category", "category", "delete", "approve", "send-back"))
	form.Set("value", category(random))
	if s.admin && random.IntN(2) == 0 {
		form.Set("action", "move")
		form.Set("value", oneOf(random, d.teams...))
	}
	for range 1 + random.IntN(4) {
		path, _, version := d.pick(s, random, standing)
		form.Add("expense", path[strings.LastIndex(path, "/")+1:])
		form.Add("version", version.Get("version"))
	}
	answer := s.Post("/expenses/selected", form)
	if !d.answered(answer) || random.IntN(2) == 0 {
		return
	}
	for _, undo := range postedForm.FindAllString(s.Get(answer.Location()).Body, -1) {
		target := formAction.FindStringSubmatch(undo)[1]
		if strings.HasPrefix(target, "/expenses/selected/") {
			fields := url.Values{}
			for _, field := range hiddenField.FindAllStringSubmatch(undo, -1) {
				fields.Add(field[1], html.UnescapeString(field[2]))
			}
			d.answered(s.Post(target, fields))
		}
	}
}

// join joins two people, or parts them.
func (d *differential) join(s *someone, random *rand.Rand) {
	path := "/people/" + d.id(random, "people")
	if random.IntN(2) == 0 {
		d.answered(s.Post(path+"/part", nil))
		return
	}
	d.answered(s.Post(path+"/join", url.Values{"into": {d.id(random, "people")}}))
}

// fill brings in so many expenses that lists have several pages.
func (d *differential) fill(s *someone, random *rand.Rand) {
	rows := [][]string{{"date", "team", "person", "item", "category", "amount", "note"}}
	for range 130 {
		note := d.note()
		form := d.form(random, note)
		person := oneOf(random, "Bob", "cleo@example.com", "sam.gray@example.com", "sam.gray+2@example.com")
		rows = append(rows, []string{form.Get("date"), oneOf(random, d.teams...), person, form.Get("item"), form.Get("category"), form.Get("amount"), note})
		d.keep(note)
	}
	d.upload(s, random, rows)
}

// importFile changes and adds expenses by a file that the program made.
func (d *differential) importFile(s *someone, random *rand.Rand) {
	export := s.Get(oneOf(random, "/expenses.csv", "/team/finance/expenses.csv", "/expenses.csv?sort=amount"))
	rows, err := csv.NewReader(strings.NewReader(export.Body)).ReadAll()
	if err != nil || export.Status != http.StatusOK {
		d.Errorf("the export is %d, %v", export.Status, err)
		return
	}
	head, rows := rows[0], rows[1:]
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	rows = rows[:min(len(rows), random.IntN(12))]
	column := func(name string) int { return slices.Index(head, name) }
	for _, row := range rows {
		switch random.IntN(5) {
		case 0:
			row[column("amount")] = d.amount(random)
		case 1:
			row[column("date")] = d.day(random)
		case 2:
			row[column("team")] = oneOf(random, d.teams...)
		case 3:
			row[column("person")] = oneOf(random, "Bob", "Zoë", "cleo@example.com")
		case 4:
			row[column("category")] = category(random)
		}
	}
	for range random.IntN(3) {
		row := make([]string, len(head))
		note := d.note()
		form := d.form(random, note)
		for _, name := range []string{"date", "item", "category", "amount", "note"} {
			row[column(name)] = form.Get(name)
		}
		row[column("person")], row[column("team")] = "Bob", oneOf(random, d.teams...)
		rows = append(rows, row)
	}
	d.upload(s, random, append([][]string{head}, rows...))
}

var importLink = regexp.MustCompile(`/expenses/import/[a-z0-9]{26}`)

// upload imports a file, or discards it where that cannot be done at once, and now and
// then takes back what was imported.
func (d *differential) upload(s *someone, random *rand.Rand, rows [][]string) {
	var text strings.Builder
	out := csv.NewWriter(&text)
	if err := out.WriteAll(rows); err != nil {
		d.Error(err)
	}
	r := s.Import(text.String())
	if !d.answered(r) {
		return
	}
	preview := importLink.FindString(r.Location())
	if preview == "" {
		preview = importLink.FindString(s.Get(r.Location()).Body)
	}
	switch state := d.importState(s, preview); {
	case state == "ready" && random.IntN(2) == 0:
		d.answered(s.Post(preview, url.Values{"decided": {"yes"}, "take": {"all"}, "restore": {"yes"}}))
		if d.answered(s.Post(preview, nil)) {
			d.importState(s, preview)
		}
	case state == "ready":
		d.answered(s.Post(preview+"/discard", nil))
	case state == "done" && len(rows) < 50 && random.IntN(3) == 0:
		d.answered(s.Post(preview+"/undo", nil))
		d.importState(s, preview)
	}
}

// importState is what has become of an import, once nothing is done about it any more.
func (d *differential) importState(s *someone, preview string) string {
	var p struct{ State string }
	for range 1000 {
		r := s.Get(preview, "Accept", "application/json")
		if err := json.Unmarshal([]byte(r.Body), &p); err != nil {
			d.Errorf("%s = %d: %s", preview, r.Status, r.Text())
			return ""
		}
		if p.State != "running" {
			return p.State
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.Errorf("%s does not end", preview)
	return ""
}
