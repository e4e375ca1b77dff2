package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// desks are how many people use the program at once.
	desks = 8
	// colleagues are how many people take turns at the desks, beside the
	// administrator, who has the first desk for good.
	colleagues = 200
	// categories and years are those of the expenses that fill a database.
	categories = 12
	firstYear  = 2023
	years      = 3
)

func colleague(i int) string { return fmt.Sprintf("colleague.%d@example.com", i) }

// traffic is what people do with the program, all at once.
type traffic struct {
	baseURL string
	people  []*person
	items   atomic.Int64 // that were named so far
	// exporting is held for a file: the program makes only two at a time.
	exporting sync.Mutex
}

// A person sits at a desk, with a browser. Those who sign in there, one after
// the other, are nobody else's.
type person struct {
	*traffic
	transport http.RoundTripper
	client    *http.Client
	random    *rand.Rand
	addresses []string
	name      string // of who is signed in
	next      string // where the list that was seen last goes on; empty at its end
	logged    []logged
}

// logged is an expense of the person who is signed in.
type logged struct{ team, id, item string }

// newTraffic signs somebody in at each desk.
func newTraffic(baseURL string, transport http.RoundTripper) (*traffic, error) {
	t := &traffic{baseURL: baseURL}
	for desk := range desks {
		p := &person{traffic: t, transport: transport, random: rand.New(rand.NewPCG(1, uint64(desk)))}
		if desk == 0 {
			p.addresses = []string{adminAddress}
		} else {
			for i := desk; i <= colleagues; i += desks - 1 {
				p.addresses = append(p.addresses, colleague(i))
			}
		}
		if err := p.signIn(); err != nil {
			return nil, err
		}
		t.people = append(t.people, p)
	}
	return t, nil
}

// run lets all people work until ctx is done. The first answer that is not what
// it should be ends it.
func (t *traffic) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(t.people))
	var working sync.WaitGroup
	for desk, p := range t.people {
		working.Go(func() {
			for ctx.Err() == nil {
				if err := p.act(); err != nil {
					errs[desk] = fmt.Errorf("%s: %w", p.name, err)
					stop()
				}
			}
		})
	}
	working.Wait()
	return errors.Join(errs...)
}

// act does one of the things that people do, some much more often than others.
func (p *person) act() error {
	habits := []struct {
		weight int
		do     func() error
	}{
		{400, func() error { return p.browse("few") }},
		{150, func() error { return p.browse("many") }},
		{100, p.readOn},
		{100, func() error { return p.look("/dashboard") }},
		{80, func() error { return p.look("/") }},
		{50, func() error { return p.look("/profile") }},
		{60, p.lookAtOne},
		{30, p.search},
		{8, p.export},
		{10, p.log},
		{4, p.change},
		{3, p.deleteAndRestore},
		{5, p.changeSeats},
	}
	sum := 0
	for _, habit := range habits {
		sum += habit.weight
	}
	choice := p.random.IntN(sum)
	for _, habit := range habits {
		if choice -= habit.weight; choice < 0 {
			return habit.do()
		}
	}
	return nil
}

// signIn signs the next of the addresses in, through the provider's page, with
// another browser.
func (p *person) signIn() error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	address := p.addresses[0]
	p.addresses = append(p.addresses[1:], address)
	p.client = &http.Client{Jar: jar, Transport: p.transport, Timeout: time.Minute}
	p.name, p.next, p.logged = nameOf(address), "", nil
	if _, err := signIn(p.client, p.baseURL, address); err != nil {
		return err
	}
	return p.look("/dashboard")
}

// nameOf is what the provider calls somebody with an address.
func nameOf(address string) string {
	if address == adminAddress {
		return adminName
	}
	local, _, _ := strings.Cut(address, "@")
	first, second, _ := strings.Cut(local, ".")
	return strings.ToUpper(first[:1]) + first[1:] + " " + second
}

// changeSeats signs out, and the next one in.
func (p *person) changeSeats() error {
	left, _, err := p.send("/logout", nil)
	if err != nil {
		return err
	}
	// The page that answers goes on to the provider by itself.
	_, onward, _ := strings.Cut(left.Header.Get("Refresh"), "url=")
	answer, body, err := p.do(http.MethodGet, onward, "", nil)
	if err != nil {
		return err
	}
	if strings.TrimSuffix(answer.Request.URL.String(), "/") != p.baseURL || strings.Contains(body, "signed in as") {
		return fmt.Errorf("sign-out ends at %s", answer.Request.URL.Redacted())
	}
	return p.signIn()
}

// browse looks at a team's list, in one of the orders and often at a part of it. The
// administrator sees all teams at times.
func (p *person) browse(team string) error {
	query := url.Values{}
	if p.random.IntN(4) > 0 {
		month := time.Date(firstYear, time.Month(1+p.random.IntN(12*years)), 1, 0, 0, 0, 0, time.UTC)
		query.Set("from", month.Format(time.DateOnly))
		query.Set("to", month.AddDate(0, 1, -1).Format(time.DateOnly))
		query.Set("category", fmt.Sprintf("Category %d", p.random.IntN(categories)))
	}
	if p.random.IntN(2) > 0 {
		sorts := []string{"date", "person", "item", "category", "amount"}
		query.Set("sort", sorts[p.random.IntN(len(sorts))])
		query.Set("order", []string{"asc", "desc"}[p.random.IntN(2)])
	}
	path := "/team/" + team
	if p.addresses[0] == adminAddress && p.random.IntN(4) == 0 {
		path = "/expenses"
	}
	return p.list(path + "?" + query.Encode())
}

var nextLink = regexp.MustCompile(`rel="next" href="([^"]+)"`)

// list looks at a list, and notes where it goes on.
func (p *person) list(target string) error {
	body, err := p.get(target)
	if err != nil {
		return err
	}
	p.next = ""
	if found := nextLink.FindStringSubmatch(body); found != nil {
		p.next, _, _ = strings.Cut(html.UnescapeString(found[1]), "#")
	}
	return nil
}

// readOn looks at the next page of the list that was seen last.
func (p *person) readOn() error {
	if p.next == "" {
		return p.browse("many")
	}
	return p.list(p.next)
}

func (p *person) look(target string) error {
	_, err := p.get(target)
	return err
}

var expenseLink = regexp.MustCompile(`href="(/team/[^/"]+/expenses/[a-z2-7]{26})"`)

// lookAtOne opens an expense of the first page of a list.
func (p *person) lookAtOne() error {
	body, err := p.get("/team/" + []string{"few", "many"}[p.random.IntN(2)])
	if err != nil {
		return err
	}
	found := expenseLink.FindAllStringSubmatch(body, -1)
	if found == nil {
		return errors.New("the list is empty")
	}
	err = p.look(found[p.random.IntN(len(found))][1])
	var unexpected *statusError
	if errors.As(err, &unexpected) && unexpected.status == http.StatusNotFound {
		// Whose it is may have deleted it since.
		return nil
	}
	return err
}

// search asks for a text.
func (p *person) search() error {
	team := []string{"few", "many"}[p.random.IntN(2)]
	return p.look("/team/" + team + "?" + url.Values{"q": {fmt.Sprintf("item %d", p.random.IntN(5000))}}.Encode())
}

// export downloads the small team's list.
func (p *person) export() error {
	p.exporting.Lock()
	defer p.exporting.Unlock()
	answer, body, err := p.do(http.MethodGet, "/team/few/expenses.csv", "", nil)
	if err != nil {
		return err
	}
	if answer.Header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || strings.Count(body, "\r\n") < 20 {
		return errors.New("the export is no file of the team's expenses")
	}
	return nil
}

// log logs an expense, and looks whether it is in the list.
func (p *person) log() error {
	e := logged{team: []string{"few", "few", "few", "many"}[p.random.IntN(4)], item: p.newItem()}
	answer, body, err := p.send("/team/"+e.team+"/expenses", p.form(e))
	if err != nil {
		return err
	}
	if answer.Request.URL.Path != "/team/"+e.team || !strings.Contains(body, "Logged: "+e.item) {
		return fmt.Errorf("an expense that was logged leads to %s", answer.Request.URL.Path)
	}
	if e.id, err = p.find(e); err != nil {
		return err
	}
	if e.id == "" {
		return fmt.Errorf("%s, which was logged, is not in the list of %s", e.item, e.team)
	}
	p.logged = append(p.logged, e)
	p.logged = p.logged[max(0, len(p.logged)-5):]
	return nil
}

// newItem names an item, behind all others in the order of the alphabet.
func (p *person) newItem() string { return fmt.Sprintf("Lunch %012d", p.items.Add(1)) }

func (p *person) form(e logged) url.Values {
	return url.Values{
		"date": {time.Now().Format(time.DateOnly)}, "item": {e.item}, "amount": {fmt.Sprintf("%d.50", 1+p.random.IntN(500))},
		"category": {fmt.Sprintf("Category %d", p.random.IntN(categories))}, "note": {"a note of some length about what it was"},
	}
}

// find returns the id under which an expense stands in its team's list, or
// nothing where it does not stand there.
func (p *person) find(e logged) (string, error) {
	query := url.Values{"person": {p.name}, "from": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}, "sort": {"item"}, "order": {"desc"}}
	body, err := p.get("/team/" + e.team + "?" + query.Encode())
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`/expenses/([a-z2-7]{26})">` + e.item + `<`).FindStringSubmatch(body)
	if found == nil {
		return "", nil
	}
	return found[1], nil
}

// change gives an expense of one's own another item.
func (p *person) change() error {
	if len(p.logged) == 0 {
		return p.log()
	}
	e := &p.logged[p.random.IntN(len(p.logged))]
	e.item = p.newItem()
	return p.write(*e, "", p.form(*e), true)
}

// deleteAndRestore deletes an expense of one's own, and takes that back.
func (p *person) deleteAndRestore() error {
	if len(p.logged) == 0 {
		return p.log()
	}
	e := p.logged[p.random.IntN(len(p.logged))]
	if err := p.write(e, "/delete", url.Values{}, false); err != nil {
		return err
	}
	return p.write(e, "/restore", url.Values{}, true)
}

var versionField = regexp.MustCompile(`name="version" value="([0-9]+)"`)

// write opens an expense and sends one of its forms, and looks whether it stands
// in the list then.
func (p *person) write(e logged, action string, form url.Values, stands bool) error {
	path := "/team/" + e.team + "/expenses/" + e.id
	body, err := p.get(path)
	if err != nil {
		return err
	}
	version := versionField.FindStringSubmatch(body)
	if version == nil {
		return fmt.Errorf("%s has no form", path)
	}
	form.Set("version", version[1])
	if _, _, err := p.send(path+action, form); err != nil {
		return err
	}
	id, err := p.find(e)
	if err != nil {
		return err
	}
	if stands != (id == e.id) {
		return fmt.Errorf("after %s%s: stands in the list: %v", path, action, !stands)
	}
	return nil
}

// get returns a page, which must be that of the target and of who is signed in.
func (p *person) get(target string) (string, error) {
	answer, body, err := p.do(http.MethodGet, target, "", nil)
	if err != nil {
		return "", err
	}
	if answer.Request.URL.RequestURI() != target {
		return "", fmt.Errorf("%s leads to %s", target, answer.Request.URL.Path)
	}
	if !strings.Contains(body, "signed in as "+p.name+"</p>") || !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
		return "", fmt.Errorf("%s is no whole page for %s", target, p.name)
	}
	return body, nil
}

// send sends a form and follows where it leads.
func (p *person) send(target string, form url.Values) (*http.Response, string, error) {
	return p.do(http.MethodPost, target, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// statusError is an answer other than 200.
type statusError struct {
	request string
	status  int
}

func (e *statusError) Error() string { return fmt.Sprintf("%s: status %d", e.request, e.status) }

// do sends a request as a browser does and follows where it leads. Any answer in
// the end but 200 is an error.
func (p *person) do(method, target, contentType string, body io.Reader) (*http.Response, string, error) {
	if strings.HasPrefix(target, "/") {
		target = p.baseURL + target
	}
	request, err := http.NewRequest(method, target, body)
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Accept-Language", language)
	if body != nil {
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, "", fmt.Errorf("%s %s: %w", method, target, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, "", &statusError{method + " " + target, answer.StatusCode}
	}
	return answer, string(text), nil
}
