package schedule

import (
	"context"
	"time"
)

// SetClock makes now the time, before the scheduler is used.
func (s *Scheduler) SetClock(now func() time.Time) { s.now = now }

// Tick is one beat of the clock that Run is.
func (s *Scheduler) Tick(ctx context.Context) error { return s.tick(ctx) }
