package session

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/team"
)

const (
	// EndedWindow is for how long a copy of the program goes by what it knows of
	// ended sessions before it asks the database again, at the next request. A
	// session that another copy ended is dead here that long after, and on the
	// copy that ended it at once.
	EndedWindow = 250 * time.Millisecond
	// endedPatience is how long requests wait for that answer; then, and as long
	// as the database stays away, they go by what is known.
	endedPatience = time.Second
	// MaxUserAgent is how many characters of a browser's name for itself are kept.
	MaxUserAgent = 300
	// maxOwedEndings bounds the endings that wait for the database to come back.
	maxOwedEndings = 10_000
	// savedEvery is how often it is saved which sessions were used since.
	savedEvery = 3 * time.Minute
	// lastPatience is how long the end of the program waits for that.
	lastPatience = 2 * time.Second
)

// Records keeps in the database who is signed in and which sessions were
// ended before their time. What was ended it also knows in memory, so that no
// request costs a query of its own.
type Records struct {
	store   *sessions.Registry
	log     *slog.Logger
	metrics *metrics.Metrics

	Mu      sync.Mutex
	known   map[endedKey]ended
	mark    sessions.Mark // of the last ending known
	loaded  bool          // whether the database has ever told what it holds
	Asked   time.Time     // when the database last answered or failed to
	Failing bool          // whether it failed then
	Asking  chan struct{} // closed when the question under way is answered; nil without one
	owed    []owedEnding
	used    map[string]time.Time // uses that are not saved yet: the last of each session, by digest.Of its ID
}

// endedKey is what an ending names its sessions by.
type endedKey struct {
	kind sessions.EndKind
	key  string
}

// ended is an ending in Unix milliseconds, which is how exact a session's cookie and
// the database are. Each sign-out adds one for as long as its session would have
// lived, so that what is not needed is left out.
type ended struct{ upTo, expires int64 }

// owedEnding is an ending that the database could not take.
type owedEnding struct {
	sessions.Ending
	why string
	at  time.Time
}

// NewRecords returns the records that a database keeps. Metrics may be nil.
func NewRecords(store *sessions.Registry, log *slog.Logger, metrics *metrics.Metrics) *Records {
	return &Records{store: store, log: log, metrics: metrics, known: map[endedKey]ended{}, used: map[string]time.Time{}}
}

// begin records a session. On an error there must be none.
func (s *Records) begin(ctx context.Context, person *Session, userAgent string) error {
	err := s.store.AddSession(ctx, sessions.Record{
		IDHash: digest.Of(person.ID), Issuer: person.Issuer, Subject: person.Subject, Unverified: person.Unverified, Address: team.NormalizeAddress(person.Email), Name: person.Name,
		ProviderSID: person.ProviderSID, UserAgent: Bounded(userAgent, MaxUserAgent),
		SignedInAt: person.SignedInAt, ExpiresAt: person.EndsAt,
	})
	if err == nil {
		s.metrics.SignedIn()
	}
	return err
}

// note keeps in memory that a session was used, until that is saved.
func (s *Records) note(person *Session, at time.Time) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	idHash := digest.Of(person.ID)
	s.used[idHash] = later(at, s.used[idHash])
}

// LastUsed returns when a session was last used: on this copy of the program to the
// request, on another one as that has saved it. It is zero where nobody knows.
func (s *Records) LastUsed(record sessions.Record) time.Time {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return later(record.LastUsed, s.used[record.IDHash])
}

// KeepUses saves now and then which sessions were used, so that no request writes or
// waits for it, until ctx is done, and then once more.
func (s *Records) KeepUses(ctx context.Context) {
	ticker := time.NewTicker(savedEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ticker.C:
			s.saveUses(ctx)
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPatience)
	defer cancel()
	s.saveUses(last)
}

// saveUses saves the uses that are not saved yet. Where the database does not take
// them they stay for the next time: one for each session that is in use, at most.
func (s *Records) saveUses(ctx context.Context) {
	s.Mu.Lock()
	uses := maps.Clone(s.used)
	s.Mu.Unlock()
	if err := s.store.NoteUses(ctx, uses); err != nil {
		s.log.Warn("last uses of sessions not saved yet", "error", err)
		return
	}
	s.Mu.Lock()
	defer s.Mu.Unlock()
	maps.DeleteFunc(s.used, func(idHash string, at time.Time) bool { return at.Equal(uses[idHash]) })
}

// Bounded returns the first characters of a text, as valid UTF-8.
func Bounded(text string, length int) string {
	characters := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	return string(characters[:min(len(characters), length)])
}

// IsEnded reports whether a session was ended before its time. Before the
// database has been reached for the first time since the start, nobody can tell:
// the error then is that of a database that does not serve.
func (s *Records) IsEnded(ctx context.Context, person *Session) (bool, error) {
	s.Refresh(ctx)
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if !s.loaded {
		return false, fault.Unavailable(errors.New("it is not known yet which sessions have ended"))
	}
	for _, k := range [...]endedKey{
		{sessions.EndSession, digest.Of(person.ID)},
		{sessions.EndSID, person.ProviderSID},
		{sessions.EndSubject, person.Subject},
		{sessions.EndAddress, team.NormalizeAddress(person.Email)},
		{sessions.EndAll, sessions.EveryKey},
	} {
		// No ending has an empty key.
		if e, ok := s.known[k]; ok && person.SignedInAt.UnixMilli() <= e.upTo {
			return true, nil
		}
	}
	return false, nil
}

// Refresh asks the database for new endings where that is EndedWindow ago. One
// question at a time is asked for all requests, and survives the request that
// asked it. While the database fails nobody waits for it.
func (s *Records) Refresh(ctx context.Context) {
	s.Mu.Lock()
	if s.loaded && time.Since(s.Asked) < EndedWindow {
		s.Mu.Unlock()
		return
	}
	asking, waits := s.Asking, !s.Failing
	if asking == nil {
		asking = make(chan struct{})
		s.Asking = asking
		go s.ask(asking)
	}
	s.Mu.Unlock()
	if waits {
		select {
		case <-asking:
		case <-ctx.Done():
		}
	}
}

// Ready returns nil once it is known which sessions have ended, also when the
// database has failed a moment ago and serves again.
func (s *Records) Ready(ctx context.Context) error {
	s.Refresh(ctx)
	s.Mu.Lock()
	asking := s.Asking
	s.Mu.Unlock()
	if asking != nil {
		select {
		case <-asking:
		case <-ctx.Done():
		}
	}
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if !s.loaded || s.Failing {
		return fault.Unavailable(errors.New("it is not known which sessions have ended"))
	}
	return nil
}

// ask asks the database once, for endedPatience at most, and pays what is owed.
func (s *Records) ask(answered chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), endedPatience)
	defer cancel()
	begun := time.Now()
	s.Mu.Lock()
	mark, owed := s.mark, s.owed
	s.Mu.Unlock()
	paid, err := s.pay(ctx, owed)
	var endings []sessions.Ending
	if err == nil {
		endings, mark, err = s.store.Endings(ctx, mark)
	}
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.owed = s.owed[paid:]
	if err != nil && !s.Failing {
		s.log.Warn("ended sessions not refreshed, going by those known", "error", err)
	}
	s.Failing, s.Asking, s.Asked = err != nil, nil, begun
	close(answered)
	if err != nil {
		return
	}
	s.loaded, s.mark = true, mark
	for _, e := range endings {
		s.noteLocked(e)
	}
	if len(endings) > 0 {
		over := time.Now().Add(-clockJump).UnixMilli()
		maps.DeleteFunc(s.known, func(_ endedKey, e ended) bool { return e.expires < over })
	}
}

// pay records endings that the database could not take when they came, and
// returns how many it took now.
func (s *Records) pay(ctx context.Context, owed []owedEnding) (paid int, err error) {
	for _, o := range owed {
		if err := s.store.EndSessions(ctx, []sessions.Ending{o.Ending}, o.why, o.at, sessions.UsedToken{}); err != nil {
			return paid, err
		}
		paid++
	}
	return paid, nil
}

func (s *Records) noteLocked(e sessions.Ending) {
	k := endedKey{e.Kind, e.Key}
	known := s.known[k]
	s.known[k] = ended{max(known.upTo, e.UpTo.UnixMilli()), max(known.expires, e.Expires.UnixMilli())}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// End ends sessions, on this copy at once whatever the database does. An ending
// that the database cannot take now it takes when it serves again, as long as
// this copy runs; the error says so.
func (s *Records) End(ctx context.Context, endings []sessions.Ending, why string, at time.Time) error {
	s.Mu.Lock()
	for _, e := range endings {
		s.noteLocked(e)
	}
	s.Mu.Unlock()
	s.metrics.SessionEnded(why)
	// Whoever asked for it may have gone away by now.
	err := s.store.EndSessions(context.WithoutCancel(ctx), endings, why, at, sessions.UsedToken{})
	if err == nil {
		return nil
	}
	s.Mu.Lock()
	defer s.Mu.Unlock()
	for _, e := range endings {
		if len(s.owed) < maxOwedEndings {
			s.owed = append(s.owed, owedEnding{e, why, at})
		}
	}
	return err
}

// EndByToken ends the sessions that a logout request's token is about, unless
// the token was used before or the database cannot remember that it is now:
// then nothing ends.
func (s *Records) EndByToken(ctx context.Context, e sessions.Ending, why string, at time.Time, token sessions.UsedToken) error {
	if err := s.store.EndSessions(context.WithoutCancel(ctx), []sessions.Ending{e}, why, at, token); err != nil {
		return err
	}
	s.metrics.SessionEnded(why)
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.noteLocked(e)
	return nil
}

// EndingOf is the ending of one session.
func EndingOf(idHash string, expires time.Time) sessions.Ending {
	return sessions.Ending{Kind: sessions.EndSession, Key: idHash, UpTo: expires, Expires: expires}
}

// EndingOfAll is the ending of all sessions of a key that have begun by now, and
// the number of those known. Clocks of two copies may differ: the latest sign-in
// that is recorded counts as begun.
func (s *Records) EndingOfAll(ctx context.Context, kind sessions.EndKind, key string, now time.Time, maxAge time.Duration) (sessions.Ending, int64, error) {
	bounds, err := s.store.SessionBounds(ctx, kind, key, now)
	if err != nil {
		return sessions.Ending{}, 0, err
	}
	return sessions.Ending{
		Kind: kind, Key: key, UpTo: later(now, bounds.LastSignedIn),
		Expires: later(now.Add(maxAge), bounds.LastToExpire),
	}, bounds.Count, nil
}
