package clickhouse_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// TestSharedAnswersHaveWhatWasWrittenBefore has many ask the same questions all the
// time, while each writer looks for what it has just written.
func TestSharedAnswersHaveWhatWasWrittenBefore(t *testing.T) {
	s := clickhousetest.Open(t)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Domains(t.Context(), pipeline.Query{ProjectID: "p1", Limit: 1000}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			for i := range 15 {
				name := fmt.Sprintf("w%d-%d.example", w, i)
				at := time.Now().UnixMilli()
				b := &rows.Batch{Domains: []rows.Domain{{Seen: rows.Seen{ProjectID: "p1", ID: name, First: at, Last: at}, Name: name}}}
				if err := s.Write(t.Context(), b); err != nil {
					t.Error(err)
					return
				}
				page, err := s.Domains(t.Context(), pipeline.Query{ProjectID: "p1", Limit: 1000})
				if err != nil {
					t.Error(err)
					return
				}
				found := false
				for _, d := range page.Items {
					found = found || d.Name == name
				}
				if !found || page.Total < uint64(i+1) {
					t.Errorf("%s was written, and is not among the %d of %d that are read then", name, len(page.Items), page.Total)
				}
				c, err := s.Counts(t.Context(), "p1")
				if err != nil || c.Domains < page.Total {
					t.Errorf("%d domains are counted after a list of %d: %v", c.Domains, page.Total, err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}
