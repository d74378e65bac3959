package clickhouse_test

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func TestCompareNamesWhatIsLostStaleAndUnknown(t *testing.T) {
	live := clickhousetest.Open(t)
	other, err := live.Beside(live.Database() + "_other")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.DropDatabase(context.Background()); err != nil {
			t.Error(err)
		}
		_ = other.Close()
	})
	if err := other.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.Write(t.Context(), &rows.Batch{Findings: manyFindings(1000)}); err != nil { // as verify writes
		t.Fatal(err)
	}
	host := func(n byte, first, last int64, version uint64, os string) rows.Host {
		return rows.Host{
			Seen: rows.Seen{ProjectID: "p", ID: string('a' + rune(n)), First: first, Last: last},
			Addr: netip.AddrFrom4([4]byte{192, 0, 2, n}), OS: rows.Value[string]{Version: version, Value: os},
		}
	}
	write := func(s *clickhouse.Store, hs ...rows.Host) {
		t.Helper()
		if err := s.Write(t.Context(), &rows.Batch{Hosts: hs}); err != nil {
			t.Fatal(err)
		}
	}
	// the live store may know more: a wider time, a later value, another host
	write(live, host(1, 1000, 5000, 7, "Linux"), host(2, 1000, 1000, 1, "BSD"), host(4, 1, 1, 1, ""))
	write(live, host(1, 2000, 3000, 5, "Windows"))
	write(other, host(1, 2000, 3000, 5, "Windows"), host(2, 1000, 2000, 1, "BSD"), host(3, 1, 1, 1, ""))
	got, err := live.Compare(t.Context(), other, []string{"p"})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got {
		examples := d.Examples
		d.Examples = nil
		want := clickhouse.Difference{Table: d.Table}
		if d.Table == "hosts" {
			want = clickhouse.Difference{Table: "hosts", Expected: 3, Lost: 1, Stale: 1, Unknown: 1}
			slices.Sort(examples)
			if len(examples) != 2 || examples[0] != "p ::ffff:192.0.2.2" || examples[1] != "p ::ffff:192.0.2.3" {
				t.Errorf("examples %q", examples)
			}
		}
		if d.Expected != want.Expected || d.Lost != want.Lost || d.Stale != want.Stale || d.Unknown != want.Unknown || d.Duplicated != 0 {
			t.Errorf("%s: %+v, want %+v", d.Table, d, want)
		}
	}
	if got, err := live.Compare(t.Context(), other, []string{"another"}); err != nil || got[1].Lost != 0 {
		t.Errorf("another project: %+v, %v", got, err)
	}
}

func manyFindings(n int) []rows.Finding {
	list := make([]rows.Finding, n)
	for i := range list {
		list[i] = rows.Finding{ProjectID: "q", ID: strconv.Itoa(i), At: int64(i + 1)}
	}
	return list
}
