package bus_test

import (
	"bytes"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// Of what every group has finished the oldest goes; what one of them has not stays.
func TestTrimLeavesWhatSomebodyHasToRead(t *testing.T) {
	if bustest.External() != "" {
		t.Skip("a real broker answers with the sizes of its files, which are written later")
	}
	b := bustest.New(t)
	var recs []bus.Record
	for i := range 200 { // one batch each would be of one record: they are not compressed much
		recs = append(recs, bus.Record{Topic: bus.TopicFindings, Pinned: true, Partition: 1, Value: bytes.Repeat([]byte{byte(i), byte(i * 7), byte(i * 31)}, 1000)})
	}
	for at := 0; at < len(recs); at += 10 {
		bustest.Produce(t, b, recs[at:at+10]...)
	}
	groups := []string{bus.GroupProjector, bus.GroupMatcher}
	trim := func(keep int64) int64 {
		t.Helper()
		n, err := b.Trim(t.Context(), bus.TopicFindings, groups, keep)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := trim(0); n != 0 {
		t.Errorf("%d records went that nobody has read", n)
	}
	finish := func(group string, want int) {
		t.Helper()
		s := &sink{seen: map[string]int{}}
		stop := bustest.Run(t, group, b.Consumer(bus.ConsumerConfig{Group: group, Topics: []string{bus.TopicFindings}}, s).Run)
		bustest.Eventually(t, "all is finished", func() bool {
			c, err := b.Committed(t.Context(), group, bus.TopicFindings)
			return err == nil && c[bus.TopicFindings][1] >= int64(want)
		})
		stop()
	}
	finish(bus.GroupProjector, len(recs))
	if n := trim(0); n != 0 {
		t.Errorf("%d records went that the matcher has not read", n)
	}
	finish(bus.GroupMatcher, len(recs))
	if n := trim(1 << 30); n != 0 {
		t.Errorf("%d records of a small topic went", n)
	}
	bustest.Produce(t, b, recs[:10]...)
	if n := trim(0); n != int64(len(recs)) {
		t.Errorf("%d records went, want the %d that both have read", n, len(recs))
	}
	if got := bustest.Read(t, b, bus.TopicFindings); len(got) != 10 {
		t.Errorf("%d records are left, want the 10 that nobody has read", len(got))
	}
}
