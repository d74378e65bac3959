package rebuild

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// Topics returns the topics that names mean, all that are projected for none. A
// name may lack its "stalker.".
func Topics(names []string) ([]string, error) {
	all := projector.Topics()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []string
	for _, n := range names {
		full := n
		if !strings.HasPrefix(n, "stalker.") {
			full = "stalker." + n
		}
		if !slices.Contains(all, full) {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "%q is no topic the store is made from; those are %s", n, strings.Join(all, ", "))
		}
		if !slices.Contains(chosen, full) {
			chosen = append(chosen, full)
		}
	}
	return chosen, nil
}

// At reads TOPIC/PARTITION=OFFSET.
func At(s string) (topic string, partition int32, offset int64, err error) {
	wrong := pipeline.Errorf(pipeline.CodeInvalid, "%q is no position: write it as findings/3=1200", s)
	name, at, ok := strings.Cut(s, "=")
	name, part, ok2 := strings.Cut(name, "/")
	p, err1 := strconv.ParseInt(part, 10, 32)
	o, err2 := strconv.ParseInt(at, 10, 64)
	if !ok || !ok2 || err1 != nil || err2 != nil || p < 0 || o < 0 {
		return "", 0, 0, wrong
	}
	topics, err := Topics([]string{name})
	if err != nil {
		return "", 0, 0, err
	}
	return topics[0], int32(p), o, nil
}

func projectOf(key []byte) string {
	kind, id, _ := strings.Cut(string(key), "/")
	if record.ChangeKind(kind) != record.ChangeProject {
		return ""
	}
	return id
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// progressEvery is how often a line says how far it is.
const progressEvery = 2 * time.Second

// meter tells how far a scan is.
type meter struct {
	out         io.Writer
	began, said time.Time
	from        map[string]map[int32]int64 // how far each partition is
	total, done int64
}

func newMeter(out io.Writer, from, to bus.Offsets) *meter {
	m := &meter{out: out, began: time.Now(), said: time.Now(), from: map[string]map[int32]int64{}}
	for topic, parts := range from {
		m.from[topic] = maps.Clone(parts)
	}
	m.total = from.Len(to)
	return m
}

// at takes note of records that are done. Offsets are counted and not records: where
// a topic was compacted, or a transaction was aborted, there are fewer.
func (m *meter) at(recs []bus.Record) {
	for _, r := range recs {
		parts := m.from[r.Topic]
		m.done += r.Offset + 1 - parts[r.Partition]
		parts[r.Partition] = r.Offset + 1
	}
	if now := time.Now(); now.Sub(m.said) >= progressEvery {
		m.said = now
		m.say(recs[len(recs)-1].Topic)
	}
}

func (m *meter) say(topic string) {
	rate := float64(m.done) / max(time.Since(m.began).Seconds(), 0.001)
	left := time.Duration(float64(m.total-m.done) / max(rate, 1) * float64(time.Second))
	fmt.Fprintf(m.out, "%3d%%  %d of %d records, %.0f a second, %s left; at %s\n",
		m.done*100/max(m.total, 1), m.done, m.total, rate, left.Round(time.Second), topic)
}

func (m *meter) end(err error) {
	took := time.Since(m.began)
	if err == nil {
		fmt.Fprintf(m.out, "100%%  %d records in %s, %.0f a second\n", m.total, took.Round(time.Millisecond), float64(m.total)/max(took.Seconds(), 0.001))
	}
}
