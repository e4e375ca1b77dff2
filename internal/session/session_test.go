package session

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// A cookie of an older form, which lacks what a session cannot be without, is
// nobody's session.
func TestParseSession(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_000)
	person := &Session{
		ID: "id", Issuer: "id.example.com", Subject: "sub", ProviderSID: "sid", Name: "Carol Lee", Email: "carol.lee@example.com", Methods: "pwd", BegunBy: "state", Groups: "\x00Finance", ACR: "loa:2", AuthTime: at, CheckedAt: at, Grace: true,
		SignedInAt: at, EndsAt: at.Add(time.Hour), SeenAt: at.Add(time.Minute), IdleEndsAt: at.Add(2 * time.Minute),
	}
	all := valuesOf(person)
	if again, err := parseSession(all); err != nil || *again != *person {
		t.Fatalf("%+v becomes %+v, %v", person, again, err)
	}
	for name := range maps.Keys(all) {
		values := maps.Clone(all)
		delete(values, name)
		_, err := parseSession(values)
		optional := slices.Contains([]any{"groups", "acr", "auth_time", "checked", "grace"}, name) || name == "name" || name == "email" || name == "sid" || name == "amr" || name == "begun_by" || name == "iss"
		if (err == nil) != optional {
			t.Errorf("without %v: %v", name, err)
		}
	}
}
