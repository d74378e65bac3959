package recordtest

import (
	"syscall"
	"testing"
	"time"
)

// Meter tells how fast something was, by the clock and by the processor time this
// process took for it, broker and store in the process included. The second means
// something on a machine that is busy with other things; per core is what it says.
type Meter struct {
	b   *testing.B
	at  time.Time
	cpu time.Duration
}

// Start begins to measure.
func Start(b *testing.B) *Meter {
	b.Helper()
	return &Meter{b, time.Now(), Used()}
}

// Stop reports the rates of n things since Start.
func (m *Meter) Stop(n int) {
	wall, cpu := time.Since(m.at), Used()-m.cpu
	m.b.ReportMetric(float64(n)/wall.Seconds(), "findings/s")
	m.b.ReportMetric(float64(n)/cpu.Seconds(), "findings/cpu-s")
}

// Used is the processor time that this process has taken.
func Used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
