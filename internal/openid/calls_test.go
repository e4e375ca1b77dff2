package openid

import (
	"errors"
	"io"
	"testing"
)

func TestCallResult(t *testing.T) {
	for want, err := range map[string]error{
		"ok": nil, "429": &StatusError{Code: 429}, "unreachable": io.ErrUnexpectedEOF, "bad_answer": errors.New("no JSON"),
	} {
		if got := callResult(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}
