package bus_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// odd starts a broker whose answers a test can change.
func odd(t *testing.T) (*kfake.Cluster, *bus.Bus) {
	t.Helper()
	network := new(kfake.VirtualNetwork)
	c, err := kfake.NewCluster(kfake.ListenFn(network.Listen), kfake.Ports(9092))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	cfg := bus.DefaultConfig()
	cfg.Brokers, cfg.Dial = c.ListenAddrs(), network.DialContext
	b := bustest.Connect(t, cfg)
	if err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, b
}

// The last thing said on a compacted topic may be that something is gone. Once that
// is compacted away no record stands at the end, and whoever waits for one waits
// forever. Here the broker claims an end that no record reaches.
func TestTheEndIsFoundWhereItsRecordWasCompactedAway(t *testing.T) {
	c, b := odd(t)
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte("k"), Value: []byte("v")})
	c.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked := req.(*kmsg.ListOffsetsRequest)
		resp := asked.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, topic := range asked.Topics {
			rt := kmsg.NewListOffsetsResponseTopic()
			rt.Topic = topic.Topic
			for _, p := range topic.Partitions {
				rp := kmsg.NewListOffsetsResponseTopicPartition()
				rp.Partition, rp.Offset = p.Partition, 0
				if p.Timestamp == -1 {
					rp.Offset = 3
				}
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	if got := values(bustest.Read(t, b, bus.TopicControl)); !cmp.Equal(got, map[string]int{"v": 1}) {
		t.Errorf("read %v", got)
	}
}

// A broker that takes its time has not said that there is nothing: taking silence
// for the end would lose the state of a partition, and fire its triggers again.
func TestASlowBrokerIsNotTheEnd(t *testing.T) {
	c, b := odd(t)
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte("k"), Value: []byte("v")})
	until := time.Now().Add(2500 * time.Millisecond)
	c.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { time.Sleep(time.Until(until)) })
		return nil, nil, false
	})
	if got := values(bustest.Read(t, b, bus.TopicControl)); !cmp.Equal(got, map[string]int{"v": 1}) {
		t.Errorf("read %v", got)
	}
}

// An answer that came while nobody was looking is not silence either. The broker has
// nothing to say twice, then has the record, and is asked for the end in between: the
// record is on its way to the reader, and must not be taken for missing.
func TestARecordOnItsWayIsNotTheEnd(t *testing.T) {
	c, b := odd(t)
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte("k"), Value: []byte("v")})
	var mu sync.Mutex
	n := 0
	c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		n++
		if n > 8 || len(req.(*kmsg.FetchRequest).Topics) == 0 || req.(*kmsg.FetchRequest).MaxWaitMillis == 0 {
			return nil, nil, false
		}
		time.Sleep(60 * time.Millisecond) // as an empty long poll would take
		return emptyAnswer(req.(*kmsg.FetchRequest)), nil, true
	})
	if got := values(bustest.Read(t, b, bus.TopicControl)); !cmp.Equal(got, map[string]int{"v": 1}) {
		t.Errorf("read %v", got)
	}
}

func emptyAnswer(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	for _, topic := range req.Topics {
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.Partition, rp.HighWatermark, rp.LastStableOffset = p.Partition, 1, 1
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}
