package session

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/secret"
)

func TestTextValues(t *testing.T) {
	t.Parallel()
	for _, values := range []map[any]any{
		{},
		{"": ""},
		{"a": "b", "c": ""},
		{"name": "Zoë \x00\xff", "long": strings.Repeat("x", 70000)},
	} {
		data, err := textValues{}.Serialize(values)
		if err != nil {
			t.Fatal(err)
		}
		var again map[any]any
		if err := (textValues{}).Deserialize(data, &again); err != nil || !maps.Equal(again, values) {
			t.Errorf("%v becomes %v, %v", values, again, err)
		}
		for cut := range min(len(data), 40) {
			if err := (textValues{}).Deserialize(data[:cut], &again); err == nil && maps.Equal(again, values) {
				t.Errorf("%d of %d bytes are as good as all", cut, len(data))
			}
		}
	}
	for _, odd := range []any{nil, 1, "text", map[string]string{}, map[any]any{1: "a"}, map[any]any{"a": 1}, map[any]any{"a": nil}} {
		if _, err := (textValues{}).Serialize(odd); err == nil {
			t.Errorf("%#v is serialized", odd)
		}
	}
	if err := (textValues{}).Deserialize(nil, new(string)); err == nil {
		t.Error("values are deserialized into a string")
	}
}

func FuzzTextValues(f *testing.F) {
	for _, seed := range []string{"", "\x01a\x01b", "\x00\x00", "\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x00\x80\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var values, again map[any]any
		if err := (textValues{}).Deserialize(data, &values); err != nil {
			return
		}
		encoded, err := textValues{}.Serialize(values)
		if err != nil {
			t.Fatalf("%v cannot be serialized: %v", values, err)
		}
		if err := (textValues{}).Deserialize(encoded, &again); err != nil || !maps.Equal(values, again) {
			t.Fatalf("%v becomes %v, %v", values, again, err)
		}
	})
}

// What is kept of a cookie that was opened is small, however many others came with it. No
// other test runs meanwhile.
func TestOpenedKeepNoHeader(t *testing.T) {
	const number, most = 100, 6 << 10
	s, err := New(Config{Secrets: []secret.Text{"a secret for tests that is long enough"}, MaxAge: time.Hour, IdleTimeout: time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	others := "; other=" + strings.Repeat("x", 30<<10)
	requests := func() []*http.Request {
		all := make([]*http.Request, number)
		for i := range all {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
			now := time.Now()
			if err := s.Save(w, r, &Session{ID: fmt.Sprint(i), Subject: "sub", SignedInAt: now, EndsAt: now.Add(time.Hour), SeenAt: now, IdleEndsAt: now.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			cookie := w.Result().Cookies()[0]
			r.Header.Set("Cookie", cookie.Name+"="+cookie.Value+others)
			all[i] = r
		}
		return all
	}
	before := taken()
	for _, r := range requests() {
		if s.Read(r) == nil {
			t.Fatal("there is no session")
		}
	}
	if each := (taken() - before) / number; each > most {
		t.Errorf("an opened cookie takes %d bytes, want %d at most", each, most)
	}
	runtime.KeepAlive(s)
}
