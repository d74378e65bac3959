package recordtest

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Memory returns a figure of this process in bytes, such as VmRSS (proc(5)).
func Memory(tb testing.TB, what string) int {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), what+":")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		tb.Fatal(err)
	}
	return n * 1024
}
