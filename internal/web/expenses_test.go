package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"expense-dashboard/internal/session"
)

func TestExportsHaveRoom(t *testing.T) {
	s := &Site{exports: make(chan struct{}, 1)}
	s.exports <- struct{}{}
	r := httptest.NewRequest(http.MethodGet, "/expenses.csv", nil)
	err := s.ExportCSV(httptest.NewRecorder(), r, Visit{Person: &session.Session{}})
	if told := s.explain(err); !errors.Is(err, errBusy) || told.Status != http.StatusServiceUnavailable || told.RetryAfter == 0 {
		t.Errorf("with no place left: %v, told with %d and Retry-After %v", err, told.Status, told.RetryAfter)
	}
}
