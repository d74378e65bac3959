package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record/recordtest"
)

// everywhere is a control plane with one project that is scanned, and subscriptions.
type everywhere struct{ subs []pipeline.Subscription }

func (everywhere) WaitFor(context.Context, int64) error { return nil }

func (everywhere) Project(id string) (pipeline.Project, bool) {
	return pipeline.Project{ID: id}, true
}

func (everywhere) Job(n string) (pipeline.Job, bool)        { return pipeline.Job{Name: n}, true }
func (c everywhere) Subscriptions() []pipeline.Subscription { return c.subs }
func (everywhere) Position() int64                          { return 1 }

// usual are subscriptions like those that ship, one for each thing that is found,
// and others that are about something rare.
func usual() (subs []pipeline.Subscription) {
	add := func(finding, job, parameter, conditions string) {
		id := fmt.Sprintf("%024x", len(subs))
		subs = append(subs, sub(id, fmt.Sprintf("name: S%d\nfindings: [%s]\ncooldown: 86400\njob: {name: %s, parameters: [%s]}\nconditions: [%s]\n", len(subs), finding, job, parameter, conditions)))
	}
	add("HostnameFinding", "DomainNameResolvingJob", "{name: domainName, value: '${domainName}'}", "")
	add("HostnameIpFinding", "TcpPortScanningJob", "{name: targetIp, value: '${ip}'}", "")
	add("PortFinding", "BannerGrabbingJob", "{name: targetIp, value: '${ip}'}", "{lhs: '${protocol}', operator: equals, rhs: tcp}")
	add("WebsiteFinding", "HttpProbingJob", "{name: targetIp, value: '${ip}'}", "{lhs: '${ssl}', operator: equals, rhs: true}")
	for i := range 6 {
		add("PortServiceFinding", "TcpPortScanningJob", "{name: targetIp, value: '${ip}'}", fmt.Sprintf("{lhs: '${serviceProduct}', operator: equals, rhs: 'Product %d'}", i))
	}
	return subs
}

// BenchmarkMatcher is the whole way of the matcher: from bytes on the topic of
// findings to the committed transactions with job requests, derived websites and
// state. Websites that are derived are matched too, and not counted.
func BenchmarkMatcher(b *testing.B) {
	recs := recordtest.Records(b, 1, 200_000)
	for b.Loop() {
		bb := bustest.New(b)
		bustest.Produce(b, bb, recs...)
		e, err := engine.New(engine.DefaultConfig(), engine.Deps{Catalog: everywhere{usual()}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
		if err != nil {
			b.Fatal(err)
		}
		m := recordtest.Start(b)
		stop := bustest.Run(b, "matcher", transactor(bb, e).Run)
		for {
			lag, err := bb.Lag(b.Context(), bus.GroupMatcher, bus.TopicFindings)
			if err == nil && lag[bus.TopicFindings] == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		m.Stop(len(recs))
		stop()
		b.ReportMetric(float64(len(bustest.Read(b, bb, bus.TopicJobs))), "requests")
	}
}
