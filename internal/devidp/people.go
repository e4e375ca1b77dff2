package devidp

import (
	"crypto/sha256"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Person is someone who can sign in. An empty Name or Email leaves the claims
// made of it out.
type Person struct {
	Subject string
	Name    string
	Email   string
	// EmailVerified is the claim email_verified. Nil leaves it out.
	EmailVerified *bool
	// Groups are the claim groups, where Config.Groups says that there is one.
	Groups []string
}

// SamplePeople returns the people of the sample teams, and one on no team.
func SamplePeople() []Person {
	people := []Person{
		newPerson("Hannah Smith", "hannah.smith@task-vantage.com"),
		newPerson("Grace Li", "grace.li@task-vantage.com"),
		newPerson("Frank Wilson", "frank.wilson+@task-vantage.com"),
		newPerson("Carol Lee", "carol.lee@task-vantage.com"),
		newPerson("Alice Johnson", "alice.johnson@task-vantage.com"),
		newPerson("Sarah Morgan", "sarah.morgan@task-vantage.com"),
		newPerson("Diana Park", "diana.park@task-vantage.com"),
		newPerson("Victor Chen", "victor.chen@task-vantage.com"),
		newPerson("Noah Brown", "noah.brown@task-vantage.com"),
	}
	groups := []string{
		"Expenses Admins", "Expenses Legal", "Expenses Developer Advocacy", "Expenses Finance", "Expenses Marketing", "Expenses HR",
	}
	for i := range people {
		people[i].Groups = []string{"Everyone"}
		if i < len(groups) {
			people[i].Groups = append(people[i].Groups, groups[i])
		}
	}
	return people
}

func newPerson(name, email string) Person {
	return Person{Subject: subject(email), Name: name, Email: email, EmailVerified: new(true)}
}

// subject returns an identifier that looks like that of an Okta user, always
// the same for the same address.
func subject(email string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hash := sha256.Sum256([]byte(email))
	id := []byte("00u")
	for _, b := range hash[:17] {
		id = append(id, digits[int(b)%len(digits)])
	}
	return string(id)
}

// personBySubject returns one of the people on the sign-in page.
func (p *Provider) personBySubject(subject string) (Person, bool) {
	i := slices.IndexFunc(p.config.People, func(person Person) bool { return person.Subject == subject })
	if i < 0 {
		return Person{}, false
	}
	return p.config.People[i], true
}

// personByEmail returns the person of the sign-in page who has this very
// address, or else somebody new, named after it.
func (p *Provider) personByEmail(email string) (Person, error) {
	i := slices.IndexFunc(p.config.People, func(person Person) bool { return person.Email == email })
	if i >= 0 {
		return p.config.People[i], nil
	}
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || len(email) > 254 {
		return Person{}, errors.New("not an email address")
	}
	return newPerson(nameFromEmail(email), email), nil
}

// nameFromEmail makes "Ann Lee" of "ann.lee+news@example.com".
func nameFromEmail(email string) string {
	local, _, _ := strings.Cut(email, "@")
	local, _, _ = strings.Cut(local, "+")
	words := strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return email
	}
	for i, word := range words {
		first, size := utf8.DecodeRuneInString(word)
		words[i] = string(unicode.ToUpper(first)) + word[size:]
	}
	return strings.Join(words, " ")
}
