package names_test

import (
	"errors"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/sessions"
)

// isMine reports whether an expense is an actor's own.
func isMine(t *testing.T, s *fixture.Store, who expense.Actor, e expense.Expense) bool {
	t.Helper()
	now, err := s.Expense(t.Context(), who, e.Team, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now.Mine
}

// person returns the one person of a name, of an address where that is given.
func person(t *testing.T, s *fixture.Store, name, address string) expense.Person {
	t.Helper()
	people, err := s.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.Name == name && p.Address == address {
			return p
		}
	}
	t.Fatalf("nobody is %s with the address %q: %+v", name, address, people)
	return expense.Person{}
}

const host = "example.okta.com"

func TestSubjectsKeepWhatIsTheirs(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		carol := expense.Actor{Address: "carol@example.com", Name: "Carol Lee", Issuer: host, Subject: "00u1"}
		entry := fixture.Lunch()
		entry.Person, entry.Owner = "Carol@Example.com", ""
		before := fixture.Created(t, s, entry)
		if before.Owner != carol.Address || isMine(t, s, expense.Actor{Address: "other@example.com"}, before) || !isMine(t, s, expense.Actor{Address: carol.Address}, before) {
			t.Errorf("before the first sign-in the address owns: %+v", before)
		}
		fixture.SignedIn(t, s, carol)
		own, _, err := s.Create(t.Context(), carol, expense.Entry{Team: "finance", Date: entry.Date, Person: carol.Name, Owner: carol.Address, Item: "Own", Category: "Meals", Amount: 100}, "")
		if err != nil || own.PersonID != before.PersonID {
			t.Fatalf("%+v and %+v are of two people, %v", own, before, err)
		}
		// Her address and name change, and somebody new gets the old address.
		renamed := expense.Actor{Address: "carol.lane@example.com", Name: "Carol Lane", Issuer: host, Subject: "00u1"}
		fixture.SignedIn(t, s, renamed)
		hired := expense.Actor{Address: carol.Address, Name: "Carol Lee", Issuer: host, Subject: "00u2"}
		fixture.SignedIn(t, s, hired)
		for _, e := range []expense.Expense{before, own} {
			if !isMine(t, s, renamed, e) || isMine(t, s, hired, e) || isMine(t, s, expense.Actor{Address: carol.Address}, e) {
				t.Errorf("%s is not hers alone", e.Item)
			}
			if now := fixture.Stored(t, s, e); now.Person != "Carol Lane" || now.Owner != renamed.Address {
				t.Errorf("%+v has not her present name and address", now)
			}
		}
		// The same subject of another host is somebody else.
		if other := (expense.Actor{Address: renamed.Address, Name: "Carol Lane", Issuer: "other.example.com", Subject: "00u1"}); isMine(t, s, other, own) {
			t.Error("a subject of another issuer owns")
		}
		if people, err := s.ForeignIssuers(t.Context(), "other.example.com"); err != nil || people != 2 {
			t.Errorf("%d people of another issuer, %v", people, err)
		}
		events := fixture.HistoryOf(t, s, own.ID)
		if len(events) != 1 || events[0].Actor.Name != "Carol Lee" || events[0].Actor.Address != carol.Address {
			t.Errorf("the history is of who it was not then: %+v", events)
		}
		// A corrected name takes nothing from its owner.
		entry = own.Entry
		entry.Person, entry.PersonID = "C. Lane", 0
		corrected, err := s.Update(t.Context(), fixture.Bob, own.ID, own.Version, entry)
		if err != nil || corrected.Person != "C. Lane" || !isMine(t, s, renamed, own) {
			t.Errorf("corrected %+v, %v", corrected, err)
		}
	})
}

func TestAnAddressNotVerifiedClaimsNothing(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e := fixture.Created(t, s, fixture.Lunch())
		thief := expense.Actor{Address: fixture.Alice.Address, Name: "Thief", Issuer: host, Subject: "00u9"}
		err := s.AddSession(t.Context(), sessions.Record{
			IDHash: expense.NewID() + expense.NewID() + expense.NewID()[:12], Issuer: host, Subject: thief.Subject, Unverified: true,
			Address: thief.Address, Name: thief.Name, SignedInAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		if isMine(t, s, thief, e) {
			t.Error("an address that is not verified owns")
		}
	})
}

func TestPeopleAreJoinedAndParted(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		zoe := expense.Actor{Address: "zoe@example.com", Name: "Zoë", Issuer: host, Subject: "00u3"}
		fixture.SignedIn(t, s, zoe)
		entry := fixture.Lunch()
		entry.Person, entry.Owner = "Zoë", ""
		byName := fixture.Created(t, s, entry)
		entry.Person, entry.Amount = zoe.Address, 100
		own := fixture.Created(t, s, entry)
		named, known := person(t, s, "Zoë", ""), person(t, s, "Zoë", zoe.Address)
		if isMine(t, s, zoe, byName) || !isMine(t, s, zoe, own) || named.Count != 1 || known.Total != 100 {
			t.Errorf("before: %+v and %+v", named, known)
		}
		apart := func() string {
			t.Helper()
			summary, err := s.Summary(t.Context(), expense.Query{})
			if err != nil {
				t.Fatal(err)
			}
			labels := ""
			for _, g := range summary.ByPerson {
				labels += g.Label + "|" + g.Filter + ";"
			}
			return labels
		}
		const two = "Zoë|Zoë;Zoë (zoe@example.com)|zoe@example.com;"
		if got := apart(); got != two {
			t.Errorf("two of one name are %s", got)
		}
		if err := s.JoinPeople(t.Context(), named.ID, known.ID); err != nil {
			t.Fatal(err)
		}
		if got := apart(); got != "Zoë|Zoë;" || !isMine(t, s, zoe, byName) {
			t.Errorf("joined they are %s, and what was theirs is hers: %v", got, isMine(t, s, zoe, byName))
		}
		for _, q := range []expense.Query{{Person: expense.PersonMe, Reader: zoe}, {Person: "ZOE@example.com"}, {Person: "zoë"}, {Person: "zoë", From: expense.NewDate(2026, 3, 2)}} {
			page, summary, err := s.PageAndSummary(t.Context(), q)
			if err != nil || len(page.Expenses) != 2 || summary.Count != 2 {
				t.Errorf("%+v: %d on the page, %d in all, %v", q, len(page.Expenses), summary.Count, err)
			}
		}
		var refused *expense.PersonError
		if err := s.JoinPeople(t.Context(), known.ID, named.ID); !errors.As(err, &refused) {
			t.Errorf("joined in a circle: %v", err)
		}
		if err := s.JoinPeople(t.Context(), named.ID, 1); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("joined to nobody: %v", err)
		}
		if err := s.PartPeople(t.Context(), named.ID); err != nil || apart() != two || isMine(t, s, zoe, byName) {
			t.Errorf("parted they are %s, %v", apart(), err)
		}
		if err := s.PartPeople(t.Context(), named.ID); !errors.As(err, &refused) {
			t.Errorf("parted twice: %v", err)
		}
	})
}

func TestCategoriesAreSpelledAsWrittenLast(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		entry := fixture.Lunch()
		entry.Category = "tRAvel  costs"
		first := fixture.Created(t, s, entry)
		fixture.Created(t, s, entry)
		entry = first.Entry
		entry.Category = "Travel costs"
		if _, err := s.Update(t.Context(), fixture.Alice, first.ID, first.Version, entry); err != nil {
			t.Fatal(err)
		}
		page, summary, err := s.PageAndSummary(t.Context(), expense.Query{Category: "TRAVEL COSTS"})
		if err != nil || len(page.Expenses) != 2 || len(summary.ByCategory) != 1 || summary.ByCategory[0].Label != "Travel costs" ||
			page.Expenses[0].Category != "Travel costs" || page.Expenses[1].Category != "Travel costs" {
			t.Errorf("%+v, %+v, %v", page.Expenses, summary.ByCategory, err)
		}
	})
}
