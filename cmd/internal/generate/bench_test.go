package generate_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/export"
	"github.com/stalker-asm/stalker/cmd/internal/generate"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/pipeline/record/recordtest"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
)

var scale = flag.Int("scale", 20_000, "resources in the store that is read; there are five findings each. 1000000 takes minutes to make: STALKER_BENCH_STORE names a directory where it stays")

const project = "5f1e0a9b3c7d2e4f6a8b9c0d"

// streamed is the project that is written to while others read.
const streamed = "6f1e0a9b3c7d2e4f6a8b9c0d"

var until = time.Date(2026, 11, 25, 16, 0, 0, 0, time.UTC)

// filled is a store with as many resources as the benchmarks are asked for.
var filled = struct {
	sync.Mutex
	store *clickhouse.Store
}{}

func store(b *testing.B) *clickhouse.Store {
	b.Helper()
	filled.Lock()
	defer filled.Unlock()
	if filled.store != nil {
		return filled.store
	}
	s := clickhousetest.Kept(b)
	c, err := s.Counts(context.Background(), project)
	if err != nil {
		b.Fatal(err)
	}
	if c.Findings == 0 {
		fill(b, s, generate.Options{Plan: generate.Plan{Project: project, Seed: 1, Resources: *scale, Findings: 5 * *scale, Until: until, Spread: 90 * 24 * time.Hour, Executions: true}})
	}
	filled.store = s
	return s
}

func fill(tb testing.TB, s *clickhouse.Store, o generate.Options) {
	tb.Helper()
	sink, flush := generate.Store(s)
	if err := generate.Run(tb.Context(), o, sink); err != nil {
		tb.Fatal(err)
	}
	if err := flush(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// question is something that is read again and again; n makes each time another one, so
// that no answer is remembered.
type question struct {
	name string
	ask  func(ctx context.Context, s *clickhouse.Store, n int) error
}

func pages[T any](name string, read func(*clickhouse.Store) func(context.Context, pipeline.Query) (pipeline.Page[T], error), text, sort string) question {
	return question{name, func(ctx context.Context, s *clickhouse.Store, n int) error {
		_, err := read(s)(ctx, pipeline.Query{ProjectID: project, Text: numbered(text, n), Sort: sort})
		return err
	}}
}

// numbered puts a number that is never the same twice where the text has a #.
func numbered(text string, n int) string { return strings.ReplaceAll(text, "#", strconv.Itoa(n)) }

func found(name, text string) question {
	return question{name, func(ctx context.Context, s *clickhouse.Store, n int) error {
		_, err := s.Findings(ctx, pipeline.FindingQuery{ProjectID: project, Text: numbered(text, n)})
		return err
	}}
}

func ran(name, text, sort string) question {
	return question{name, func(ctx context.Context, s *clickhouse.Store, n int) error {
		_, err := s.Executions(ctx, pipeline.ExecutionQuery{ProjectID: project, Text: numbered(text, n), Sort: sort})
		return err
	}}
}

func counted(name string, kind pipeline.Kind, text string, fields ...string) question {
	return question{name, func(ctx context.Context, s *clickhouse.Store, n int) error {
		_, err := s.Facets(ctx, pipeline.FacetQuery{Kind: kind, ProjectID: project, Text: numbered(text, n), Fields: fields})
		return err
	}}
}

type st = *clickhouse.Store

var (
	domains = func(s st) func(context.Context, pipeline.Query) (pipeline.Page[pipeline.Domain], error) {
		return s.Domains
	}
	hosts    = func(s st) func(context.Context, pipeline.Query) (pipeline.Page[pipeline.Host], error) { return s.Hosts }
	ports    = func(s st) func(context.Context, pipeline.Query) (pipeline.Page[pipeline.Port], error) { return s.Ports }
	websites = func(s st) func(context.Context, pipeline.Query) (pipeline.Page[pipeline.Website], error) {
		return s.Websites
	}
)

// lists are what a page of a list is asked for with: nothing, each sort of term, orders.
var lists = []question{
	pages("domains", domains, "", ""),
	pages("domains-text", domains, "#", ""),
	pages("domains-sorted", domains, "-domain:x# host:45.0.0.0/12", "-lastSeen"),
	pages("hosts", hosts, "", ""),
	pages("hosts-port", hosts, "port:443 -os:x#", ""),
	pages("hosts-sorted", hosts, "os:*linux* -text:x#", "-firstSeen"),
	pages("hosts-tag", hosts, "tag:cloud -os:x#", "lastSeen"),
	pages("ports", ports, "", ""),
	pages("ports-filter", ports, "port:443 service:https host:45.0.0.0/12 -tag:done# lastSeen:>2026-01", ""),
	pages("ports-sorted", ports, "product:nginx -version:#", "-lastSeen"),
	pages("ports-regex", ports, "product:~^apache.*#?", "port.product"),
	pages("websites", websites, "", ""),
	pages("websites-text", websites, "https://www#", ""),
	pages("websites-sorted", websites, "status:200 tech:php -title:x#", "title"),
	pages("websites-expires", websites, "certificate.expires:>2026-12-01 -title:x#", "certificate.expires"),
	pages("websites-finding", websites, "finding.MissingHeadersFinding.severity:low -title:x#", ""),
	found("findings", ""),
	found("findings-key", "key:PortServiceFinding -depth:#"),
	found("findings-field", "field.serviceProduct:nginx -depth:#"),
	found("findings-part", "field.serviceVersion:*.1#*"),
	found("findings-text", "jquery -depth:#"),
	found("findings-host", "host:45.0.0.0/16 -depth:#"),
	ran("executions", "", ""),
	ran("executions-sorted", "job:*port* state:succeeded -target:x#", "-duration"),
	ran("executions-parent", "parent.id:000000000000000000#", ""),
}

var facets = []question{
	counted("facets-hosts", pipeline.KindHost, "-os:x#", "os", "tag"),
	counted("facets-ports", pipeline.KindPort, "-version:x#", "port", "port.service", "port.product"),
	counted("facets-websites", pipeline.KindWebsite, "-title:x#", "technology", "status", "server"),
	counted("facets-findings", filter.Finding, "-depth:#", "key", "type", "job"),
	counted("facets-executions", filter.Execution, "-target:x#", "state", "job"),
}

var others = []question{
	{"changes", func(ctx context.Context, s *clickhouse.Store, n int) error {
		_, err := s.Changes(ctx, pipeline.ChangeQuery{ProjectID: project, Since: until.Add(-time.Duration(1+n*619%2000) * time.Hour)})
		return err
	}},
	{"counts", func(ctx context.Context, s *clickhouse.Store, _ int) error {
		_, err := s.Counts(ctx, project)
		return err
	}},
	{"series-findings", func(ctx context.Context, s *clickhouse.Store, n int) error {
		_, err := s.Series(ctx, pipeline.SeriesQuery{Kind: filter.Finding, ProjectID: project, Field: "key", Since: until.AddDate(0, -1, 0).Add(time.Duration(n) * time.Second), Until: until})
		return err
	}},
}

// asked makes every question of a process another one.
var asked atomic.Int64

// BenchmarkRead gives for each question how long it took at least and in 19 of 20 cases,
// the same of all lists together and all facets, and the processor time that a question
// takes, which is what to compare on a machine that is busy.
func BenchmarkRead(b *testing.B) {
	s := store(b)
	for _, group := range []struct {
		name string
		of   []question
	}{{"lists", lists}, {"facets", facets}, {"", others}} {
		var together []time.Duration
		for _, q := range group.of {
			b.Run(q.name, func(b *testing.B) {
				var took []time.Duration
				spent := recordtest.Used()
				for b.Loop() {
					start := time.Now()
					if err := q.ask(b.Context(), s, int(asked.Add(1))+100_000); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
				}
				percentiles(b, took)
				b.ReportMetric(float64((recordtest.Used()-spent).Microseconds())/1000/float64(len(took)), "cpu-ms")
				together = append(together, took[max(0, len(took)-30):]...) // as many of each
			})
		}
		if group.name != "" && len(together) > 0 {
			b.Run("all-"+group.name, func(b *testing.B) {
				for b.Loop() {
				}
				percentiles(b, together)
			})
		}
	}
}

func percentiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	at := func(percent int) float64 { return float64(took[(len(took)-1)*percent/100].Microseconds()) / 1000 }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(at(0), "min-ms")
	b.ReportMetric(at(50), "p50-ms")
	b.ReportMetric(at(95), "p95-ms")
}

// BenchmarkReaders has 200 people read, each a page a second, while 20,000 findings a
// second are written by the projector's code.
func BenchmarkReaders(b *testing.B) {
	s := store(b)
	for _, rate := range []int{0, 20_000} {
		b.Run(fmt.Sprintf("at-%d", rate), func(b *testing.B) {
			for b.Loop() {
				crowd(b, s, rate)
			}
		})
	}
}

const (
	readers  = 200
	watching = 20 * time.Second
)

func crowd(b *testing.B, s *clickhouse.Store, rate int) {
	b.Helper()
	ctx, stop := context.WithTimeout(b.Context(), watching)
	defer stop()
	var mu sync.Mutex
	var took []time.Duration
	var refused int
	spent := recordtest.Used()
	var wg sync.WaitGroup
	all := slices.Concat(lists, facets, others[:2])
	for i := range readers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for ctx.Err() == nil {
				pause(ctx, time.Duration(r.Int64N(int64(2*time.Second))))
				q := all[r.IntN(len(all))]
				start := time.Now()
				// half look at the same few things, as people do
				err := q.ask(context.WithoutCancel(ctx), s, 100_000+r.IntN(2)*int(asked.Add(1)))
				mu.Lock()
				switch {
				case pipeline.CodeOf(err) == pipeline.CodeUnavailable && err != nil:
					refused++
				case err != nil:
					b.Errorf("%s: %v", q.name, err)
				default:
					took = append(took, time.Since(start))
				}
				mu.Unlock()
			}
		})
	}
	written := 0
	if rate > 0 {
		sink, _ := generate.Store(s)
		o := generate.Options{Rate: rate, Plan: generate.Plan{Project: streamed, Seed: uint64(asked.Add(1)), Findings: 100 * rate, Until: time.Now()}, Progress: func(p generate.Progress) { written = p.Findings }}
		if err := generate.Run(ctx, o, sink); err != nil && ctx.Err() == nil {
			b.Error(err)
		}
	}
	wg.Wait()
	if len(took) == 0 {
		b.Fatal("nobody got an answer")
	}
	percentiles(b, took)
	b.ReportMetric(float64(len(took))/watching.Seconds(), "answers/s")
	b.ReportMetric(float64(refused)/watching.Seconds(), "refused/s")
	b.ReportMetric(float64(written)/watching.Seconds(), "findings/s")
	cpu := (recordtest.Used() - spent).Seconds()
	b.ReportMetric(float64(len(took))/cpu, "answers/cpu-s")
	b.ReportMetric(float64(written)/cpu, "findings/cpu-s")
	b.ReportMetric(float64(recordtest.Memory(b, "VmRSS"))/1e6, "MB")
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// BenchmarkExport writes whole lists as Parquet, from the store to bytes, and tells how
// much memory the process has after a tenth of them and after all.
func BenchmarkExport(b *testing.B) {
	s := store(b)
	q := pipeline.Query{ProjectID: project}
	b.Run("ports", func(b *testing.B) {
		exported(b, export.Ports(), func(each func([]pipeline.Port) error) error { return s.EachPort(b.Context(), q, false, each) })
	})
	b.Run("websites", func(b *testing.B) {
		exported(b, export.Websites(), func(each func([]pipeline.Website) error) error { return s.EachWebsite(b.Context(), q, true, each) })
	})
	b.Run("findings", func(b *testing.B) {
		exported(b, export.Findings(), func(each func([]pipeline.StoredFinding) error) error {
			return s.EachFinding(b.Context(), pipeline.FindingQuery{ProjectID: project}, each)
		})
	})
}

func exported[T any](b *testing.B, t *export.Table[T], read func(func([]T) error) error) {
	b.Helper()
	n, first := 0, 0
	spent := recordtest.Used()
	for b.Loop() {
		w, err := export.New(io.Discard, export.Parquet, t, nil)
		if err != nil {
			b.Fatal(err)
		}
		err = read(func(rows []T) error {
			if n += len(rows); first == 0 && n > *scale/10 {
				first = recordtest.Memory(b, "VmRSS")
			}
			return w.Write(rows)
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(n)/(recordtest.Used()-spent).Seconds(), "rows/cpu-s")
	b.ReportMetric(float64(n)/float64(b.N), "rows")
	b.ReportMetric(float64(first)/1e6, "early-MB")
	b.ReportMetric(float64(recordtest.Memory(b, "VmRSS"))/1e6, "end-MB")
}
