package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func TestPictures(t *testing.T) {
	s := clickhousetest.Open(t)
	var b rows.Batch
	for i := range 100 {
		f := rows.Finding{ID: fmt.Sprintf("%032x", i), ProjectID: "p", At: int64(i + 1), Mask: -1, SSL: -1}
		if i == 42 {
			f.Images = []string{"data:one", "data:two"}
		}
		b.Findings = append(b.Findings, f, f) // twice, as after a crash
	}
	if err := s.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	id := func(n int) string { return fmt.Sprintf("%032x", n) }
	for n, want := range []string{"data:one", "data:two"} {
		if got, err := s.Picture(t.Context(), "p", id(42), n); err != nil || got != want {
			t.Errorf("image %d is %q, %v", n, got, err)
		}
	}
	for name, ask := range map[string]func() (string, error){
		"another image":   func() (string, error) { return s.Picture(t.Context(), "p", id(42), 2) },
		"a finding alone": func() (string, error) { return s.Picture(t.Context(), "p", id(41), 0) },
		"no such finding": func() (string, error) { return s.Picture(t.Context(), "p", id(4711), 0) },
		"another project": func() (string, error) { return s.Picture(t.Context(), "q", id(42), 0) },
	} {
		if got, err := ask(); got != "" || pipeline.CodeOf(err) != pipeline.CodeNotFound {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
