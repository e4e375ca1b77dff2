package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"expense-dashboard/internal/store"
)

// EndEvery ends every session that has begun of a database, which is brought up to
// date first, and counts those that stood. It is the last step of restoring a
// PostgreSQL database, whose sessions may have ended since the copy was made.
func EndEvery(ctx context.Context, databaseURL string, log *slog.Logger) (stood int64, err error) {
	defer func() { err = inWords(databaseURL, err) }()
	state, err := Inspect(ctx, databaseURL)
	switch {
	case err != nil:
		return 0, fmt.Errorf("end sessions: %w", err)
	case state.Missing:
		return 0, fmt.Errorf("end sessions: %w", nothing(databaseURL))
	}
	s, err := store.Open(databaseURL, log, nil)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Prepare(ctx); err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	if stood, err = s.EndEvery(ctx, "end_sessions"); err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return stood, nil
}
