package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// settled is how long a server that was just started is left alone before its
// memory counts as idle.
const settled = 15 * time.Second

// BenchmarkServe gives what design §8 asks of the server as a newcomer starts it:
// the seconds from the call to the announcement, by which time /readyz answers, in
// an empty directory and in a used one, and the resident memory of the idle process.
func BenchmarkServe(b *testing.B) {
	b.Run("ready_empty", func(b *testing.B) { starts(b, func() string { return b.TempDir() }) })
	used := b.TempDir()
	serving(b, used).signal(syscall.SIGTERM)
	b.Run("ready_used", func(b *testing.B) { starts(b, func() string { return used }) })
	b.Run("idle", func(b *testing.B) {
		d := serving(b, b.TempDir())
		for b.Loop() {
			time.Sleep(settled)
		}
		figure(b, float64(resident(b, d.cmd.Process.Pid))/(1<<20), "MiB")
		d.signal(syscall.SIGTERM)
	})
}

func starts(b *testing.B, data func() string) {
	b.Helper()
	var sum time.Duration
	n := 0
	for b.Loop() {
		begin := time.Now()
		d := serving(b, data())
		sum += time.Since(begin)
		n++
		d.signal(syscall.SIGTERM)
	}
	figure(b, sum.Seconds()/float64(n), "s")
}

// figure reports one number in the place of the time of an operation.
func figure(b *testing.B, v float64, unit string) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(v, unit)
}

// resident returns the resident memory of a process in bytes (proc(5), VmRSS).
func resident(b *testing.B, pid int) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib << 10
		}
	}
	b.Fatal("no VmRSS in the status of the process")
	return 0
}
