package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/stalker-asm/stalker/pipeline/bus"
)

// Broker is a Kafka broker inside this process. It has no TCP port: clients reach
// it through the Dial function of its bus configuration. Close it after all of
// them, or their memberships come back as phantoms at the next start.
type Broker struct {
	cluster *kfake.Cluster
	network *kfake.VirtualNetwork
	ledger  ledger
	every   time.Duration
}

// OpenBroker starts a broker on the log below dir. The caller holds the lock of
// the data directory: the broker takes none.
func OpenBroker(dir string, log *slog.Logger) (*Broker, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making broker directory: %w", err)
	}
	// A kill may tear the last entry of the group and producer logs, and the broker
	// would append after the torn bytes. A clean close rewrites both whole, so a log
	// that was not closed is opened and closed once before it is used.
	dirty := filepath.Join(dir, "dirty")
	if _, err := os.Stat(dirty); err == nil {
		log.Info("repairing the broker's log after a crash", "dir", dir)
		b, err := open(dir)
		if err != nil {
			return nil, err
		}
		err = b.repair(ledgerOf(dir), log)
		b.cluster.Close()
		if err != nil {
			return nil, fmt.Errorf("repairing the broker's log in %s: %w", dir, err)
		}
	}
	if err := ledgerOf(dir).begin(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(dirty, nil, 0o600); err != nil {
		return nil, fmt.Errorf("marking broker directory: %w", err)
	}
	return open(dir)
}

func open(dir string) (*Broker, error) {
	b := &Broker{network: new(kfake.VirtualNetwork), ledger: ledgerOf(dir), every: time.Minute}
	var err error
	b.cluster, err = kfake.NewCluster(kfake.DataDir(filepath.Join(dir, "log")),
		kfake.BrokerConfigs(map[string]string{"log.segment.bytes": strconv.Itoa(segmentBytes)}),
		kfake.ListenFn(b.network.Listen), kfake.Ports(9092))
	if err != nil {
		return nil, fmt.Errorf("opening broker in %s: %w", dir, err)
	}
	return b, nil
}

// segmentBytes is how large one file of the log becomes. What is trimmed gives its
// space back when a whole file of it is, and after a crash a file is read at once.
const segmentBytes = 8 << 20

// Bus points a bus configuration at the broker.
func (b *Broker) Bus(cfg bus.Config) bus.Config {
	cfg.Brokers, cfg.Dial = b.cluster.ListenAddrs(), b.network.DialContext
	cfg.StableTransactions, cfg.Ledger = false, b.ledger
	return cfg
}

// Run applies retention and compaction, which the broker does not resume by
// itself after a restart, until ctx ends.
func (b *Broker) Run(ctx context.Context) error {
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			b.cluster.ApplyRetention()
			b.cluster.Compact()
		}
	}
}

// kept is how much of the largest topics the broker keeps, beyond what somebody has
// still to read: after a crash the broker reads its whole log into memory. Findings
// have about 130 bytes here, and what the store has of them stays.
var kept = []struct {
	topic  string
	groups []string
	bytes  int64
}{
	{bus.TopicFindings, []string{bus.GroupProjector, bus.GroupMatcher}, 512 << 20},
	{bus.TopicLogs, []string{bus.GroupProjector}, 128 << 20},
}

// Trim keeps the log from growing for ever, until ctx ends.
func Trim(ctx context.Context, b *bus.Bus, log *slog.Logger) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, k := range kept {
			n, err := b.Trim(ctx, k.topic, k.groups, k.bytes)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				log.Warn("trimming the embedded broker's log failed, it is tried again", "topic", k.topic, "err", err)
			case n > 0:
				log.Info("trimmed the embedded broker's log", "topic", k.topic, "records", n)
			}
		}
	}
}

// Close writes the log out and ends the broker.
func (b *Broker) Close(dir string) error {
	b.cluster.Close()
	return os.Remove(filepath.Join(dir, "dirty"))
}
