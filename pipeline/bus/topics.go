package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// The topics. Names are public: users read them with their own consumers.
const (
	TopicFindings      = "stalker.findings"       // every finding, keyed by project and host or domain
	TopicJobs          = "stalker.jobs"           // job requests, keyed by execution id
	TopicExecutions    = "stalker.executions"     // execution events, keyed by execution id, partitioned as jobs
	TopicMarks         = "stalker.marks"          // people's decisions, keyed by resource and what is decided; compacted
	TopicLogs          = "stalker.logs"           // log lines, keyed by execution id
	TopicControl       = "stalker.control"        // projects, jobs, subscriptions; compacted, one partition
	TopicState         = "stalker.state"          // the matcher's state; compacted, partitioned as findings
	TopicStops         = "stalker.stops"          // requests to stop executions, and jobs' reports that they failed; one partition, read whole by every launcher
	TopicSchedule      = "stalker.schedule"       // ticks that are due and pages of resources to look at; one partition: its owner leads
	TopicScheduleState = "stalker.schedule.state" // what the scheduler remembers; compacted, one partition
	TopicVerdicts      = "stalker.verdicts"       // why subscriptions fired, or which guard stopped them, keyed by finding id
	TopicDead          = "stalker.deadletters"    // records nobody could handle, with the reason
)

// Consumer groups.
const (
	GroupProjector = "stalker.projector"
	GroupMatcher   = "stalker.matcher"
	GroupLauncher  = "stalker.launcher"
	GroupScheduler = "stalker.scheduler"
)

// Groups lists every consumer group.
func Groups() []string { return []string{GroupProjector, GroupMatcher, GroupLauncher, GroupScheduler} }

// Topic declares one topic. README.md holds the same as a table for people.
type Topic struct {
	Name      string
	Single    bool          // one partition, whatever the configuration says
	Compact   bool          // keep the newest record of each key, forever
	Retention time.Duration // how long records are kept, when not compacted
	MaxBytes  int           // largest batch a broker accepts
}

const day = 24 * time.Hour

// Topics lists every topic.
func Topics() []Topic {
	return []Topic{
		{Name: TopicFindings, Retention: 30 * day, MaxBytes: 8 << 20},
		{Name: TopicJobs, Retention: 14 * day, MaxBytes: 4 << 20},
		{Name: TopicExecutions, Retention: 30 * day, MaxBytes: 1 << 20},
		{Name: TopicMarks, Compact: true, MaxBytes: 4 << 20},
		{Name: TopicLogs, Retention: 14 * day, MaxBytes: 4 << 20},
		{Name: TopicControl, Single: true, Compact: true, MaxBytes: 8 << 20},
		{Name: TopicState, Compact: true, MaxBytes: 4 << 20},
		{Name: TopicStops, Single: true, Retention: 14 * day, MaxBytes: 1 << 20},
		{Name: TopicSchedule, Single: true, Retention: 7 * day, MaxBytes: 1 << 20},
		{Name: TopicScheduleState, Single: true, Compact: true, MaxBytes: 4 << 20},
		{Name: TopicVerdicts, Retention: 7 * day, MaxBytes: 4 << 20},
		{Name: TopicDead, Single: true, Retention: 90 * day, MaxBytes: 8 << 20},
	}
}

// Migrate creates the topics that do not exist. It changes none that does.
func (b *Bus) Migrate(ctx context.Context) error {
	for _, t := range Topics() {
		partitions := int32(b.cfg.Partitions)
		if t.Single {
			partitions = 1
		}
		resp, err := b.admin.CreateTopic(ctx, partitions, int16(b.cfg.Replicas), t.configs(), b.names.outside(t.Name))
		if err == nil {
			err = resp.Err
		}
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return classify(fmt.Errorf("creating topic %s: %w", t.Name, err))
		}
	}
	return nil
}

func (t Topic) configs() map[string]*string {
	value := func(format string, a ...any) *string { s := fmt.Sprintf(format, a...); return &s }
	c := map[string]*string{"max.message.bytes": value("%d", t.MaxBytes), "compression.type": value("producer")}
	if t.Compact {
		c["cleanup.policy"] = value("compact")
		return c
	}
	c["cleanup.policy"] = value("delete")
	c["retention.ms"] = value("%d", t.Retention.Milliseconds())
	return c
}
