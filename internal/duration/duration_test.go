package duration

import (
	"testing"
	"time"
)

func TestInWords(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "less than a minute"},
		{0, "less than a minute"},
		{59 * time.Second, "less than a minute"},
		{time.Minute, "1 minute"},
		{119 * time.Second, "1 minute"},
		{45 * time.Minute, "45 minutes"},
		{time.Hour, "1 hour"},
		{time.Hour + time.Minute, "1 hour 1 minute"},
		{11*time.Hour + 58*time.Minute + 30*time.Second, "11 hours 58 minutes"},
		{24 * time.Hour, "1 day"},
		{24*time.Hour + 59*time.Minute, "1 day"},
		{49*time.Hour + 59*time.Minute, "2 days 1 hour"},
		{30 * 24 * time.Hour, "30 days"},
	} {
		t.Run(tt.d.String(), func(t *testing.T) {
			if got := InWords(tt.d); got != tt.want {
				t.Errorf("inWords(%v) = %q, want %q", tt.d, got, tt.want)
			}
		})
	}
}
