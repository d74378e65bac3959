package crash

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/cmd/internal/rebuild"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/sinks/chdb"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
)

// checkRows proves, the way stalker verify does, that the store holds what the
// topics say: nothing lost, nothing twice, nothing nobody said. How many findings
// there have to be it is told.
func checkRows(t *testing.T, b *bus.Bus, e *chdb.Engine, hosts int) {
	t.Helper()
	s, err := clickhouse.Open(clickhouse.DefaultConfig(), clickhouse.Deps{Log: quiet, Metrics: prometheus.NewRegistry(), Transport: e.Transport})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := rebuild.Verify(t.Context(), rebuild.Deps{Bus: b, Store: s, Progress: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK || !r.Whole || r.Behind > 0 || r.Unreadable > 0 {
		t.Errorf("%+v", r)
	}
	for _, d := range r.Tables {
		if d.Table == "finding_ids" && d.Expected < uint64(hosts*perHost) {
			t.Errorf("%d findings are on the topics, at least %d were said", d.Expected, hosts*perHost)
		}
	}
	t.Logf("verified %d records: lost %d, duplicated %d, extra %d", r.Records, r.Lost, r.Duplicated, r.Extra)
}
