package rows_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func said(at int64, attribute, value string) rows.Change {
	return rows.Change{ProjectID: "p", At: at, ResourceID: "r", Attribute: attribute, Kind: pipeline.KindPort, Key: "k", Value: value}
}

func words(es []rows.Event) (out []string) {
	for _, e := range es {
		out = append(out, fmt.Sprintf("%d %s %s %q→%q", e.At, e.Attribute, e.What, e.Before, e.Value))
	}
	return out
}

func TestEvents(t *testing.T) {
	type cs = []rows.Change
	for name, tc := range map[string]struct {
		in   cs
		want []string
	}{
		"nothing":                  {nil, nil},
		"opened":                   {cs{said(1, "", rows.Open), said(2, "", rows.Open)}, []string{`1  opened ""→"open"`}},
		"closed and back":          {cs{said(1, "", rows.Open), said(2, "", rows.Closed), said(3, "", rows.Open)}, []string{`1  opened ""→"open"`, `2  closed "open"→"closed"`, `3  reappeared "closed"→"open"`}},
		"deleted and back":         {cs{said(1, "", rows.Open), said(2, "", rows.Deleted), said(3, "", rows.Open)}, []string{`1  opened ""→"open"`, `2  deleted "open"→"deleted"`, `3  reappeared "deleted"→"open"`}},
		"closed, then deleted":     {cs{said(1, "", rows.Open), said(2, "", rows.Closed), said(3, "", rows.Deleted)}, []string{`1  opened ""→"open"`, `2  closed "open"→"closed"`, `3  deleted "closed"→"deleted"`}},
		"never there":              {cs{said(1, "", rows.Deleted), said(2, "", rows.Closed)}, nil},
		"deleted cannot close":     {cs{said(1, "", rows.Open), said(2, "", rows.Deleted), said(3, "", rows.Closed)}, []string{`1  opened ""→"open"`, `2  deleted "open"→"deleted"`}},
		"seen after all":           {cs{said(1, "", rows.Open), said(2, "", rows.Closed), said(2, "", rows.Open)}, []string{`1  opened ""→"open"`}},
		"an attribute":             {cs{said(1, "service", "http"), said(2, "service", "http"), said(3, "service", "https"), said(4, "service", "")}, []string{`1 service set ""→"http"`, `3 service changed "http"→"https"`, `4 service changed "https"→""`}},
		"an attribute without any": {cs{said(1, "title", ""), said(2, "title", "x")}, []string{`2 title set ""→"x"`}},
		"what was known goes with a deletion": {
			cs{said(1, "", rows.Open), said(1, "os", "a"), said(2, "", rows.Deleted), said(3, "", rows.Open), said(4, "os", "a"), said(5, "os", "b")},
			[]string{`1  opened ""→"open"`, `1 os set ""→"a"`, `2  deleted "open"→"deleted"`, `3  reappeared "deleted"→"open"`, `4 os set ""→"a"`, `5 os changed "a"→"b"`},
		},
		"a value in between": {cs{said(1, "os", "a"), said(3, "os", "a"), said(2, "os", "b")}, []string{`1 os set ""→"a"`, `2 os changed "a"→"b"`, `3 os changed "b"→"a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, words(rows.Events(tc.in))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// The events follow from the set of what was said: order, repetition, and saying
// again what is so already change nothing.
func TestEventsAreOfASet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := map[string][]string{"": {rows.Open, rows.Closed, rows.Deleted}, "os": {"", "a", "b"}}
	for range 2000 {
		var in []rows.Change
		for range 1 + r.IntN(12) {
			attribute := []string{"", "os"}[r.IntN(2)]
			in = append(in, said(int64(r.IntN(20)), attribute, values[attribute][r.IntN(3)]))
		}
		want := words(rows.Events(in))
		more := slices.Clone(in)
		for _, e := range rows.Events(in) { // what it became is said once more
			again := e.Change
			later := slices.IndexFunc(in, func(c rows.Change) bool {
				return c.Attribute == e.Attribute && c.At == e.At+1 || c.Value == rows.Deleted && c.At == e.At // what is said later is new
			})
			if later < 0 {
				again.At++
				more = append(more, again)
			}
			more = append(more, e.Change)
		}
		r.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
		if diff := cmp.Diff(want, words(rows.Events(more))); diff != "" {
			t.Fatalf("%v (-want +got)\n%s", in, diff)
		}
	}
}

// Rows become one whatever their order and however often each comes.
func TestMergeLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	value := func() rows.Value[string] {
		v := rows.Value[string]{Version: uint64(r.IntN(4))}
		if v.Version > 0 {
			v.Value = []string{"", "a", "b"}[r.IntN(3)]
		}
		return v
	}
	for range 500 {
		in := make([]rows.Mark, 1+r.IntN(6))
		for i := range in {
			in[i] = rows.Mark{
				ID: "r", Deleted: int64(r.IntN(5)), Looked: int64(r.IntN(5)), Note: value(), Owner: value(), Merged: value(),
				Blocked: rows.Value[uint8]{Version: uint64(r.IntN(3)), Value: uint8(r.IntN(3))},
			}
			if r.IntN(3) == 0 {
				in[i].Delete(int64(1 + r.IntN(5)))
			}
		}
		merge := func(ms []rows.Mark) rows.Mark {
			out := ms[0]
			for i := range ms {
				out.Merge(&ms[i])
			}
			return out
		}
		want := merge(in)
		other := slices.Concat(in, in[:len(in)/2])
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		if got := merge(other); got != want {
			t.Fatalf("%+v becomes %+v and, in another order, %+v", in, want, got)
		}
	}
}

func TestBelow(t *testing.T) {
	port := rows.Place{Kind: pipeline.KindPort, Addr: addr("192.0.2.1"), Port: 443, Protocol: pipeline.TCP}
	udp := rows.Place{Kind: pipeline.KindPort, Addr: addr("192.0.2.1"), Port: 443, Protocol: pipeline.UDP}
	site := rows.Place{Kind: pipeline.KindWebsite, Domain: "a.example", Addr: addr("192.0.2.1"), Port: 443, Path: "/"}
	look := func(ports ...uint16) rows.Sweep {
		return rows.Sweep{Action: rows.SweepLook, Kind: pipeline.KindPort, First: addr("192.0.2.0"), Last: addr("192.0.2.255"), Protocol: pipeline.TCP, Ports: ports}
	}
	for name, tc := range map[string]struct {
		sweep rows.Sweep
		place rows.Place
		want  bool
	}{
		"a covered port":             {look(1, 1000), port, true},
		"its website":                {look(443, 443), site, true},
		"a port that is not covered": {look(1, 442, 444, 65535), port, false},
		"another protocol":           {look(1, 1000), udp, false},
		"another address":            {look(1, 1000), rows.Place{Kind: pipeline.KindPort, Addr: addr("192.0.3.0"), Port: 443, Protocol: pipeline.TCP}, false},
		"IPv6":                       {look(1, 1000), rows.Place{Kind: pipeline.KindPort, Addr: addr("2001:db8::1"), Port: 443, Protocol: pipeline.TCP}, false},
		"a look leaves hosts alone":  {look(1, 1000), rows.Place{Kind: pipeline.KindHost, Addr: addr("192.0.2.1")}, false},
		"what a domain serves":       {rows.Sweep{Action: rows.SweepDelete, Kind: pipeline.KindDomain, Domain: "a.example"}, site, true},
		"nothing is below a website": {rows.Sweep{Action: rows.SweepDelete, Kind: pipeline.KindWebsite}, site, false},
	} {
		if got := tc.sweep.Below(&tc.place); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
