package sample

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Job is the job that the executions are said to be runs of.
const Job = "TcpPortScanningJob"

// Plan says how much is said, of what, and when.
type Plan struct {
	Project   string
	Seed      uint64
	Resources int           // domains, hosts, ports and websites, at least; a matcher derives more websites
	Findings  int           // at least; every host is looked at once in any case
	Until     time.Time     // when the last of it was said
	Spread    time.Duration // how long it took to say all of it
	// Executions adds the requests and ends of the executions. A launcher that reads
	// the requests would run them, so they are for whoever writes rows.
	Executions bool
}

// Progress is how much of a plan was made.
type Progress struct{ Hosts, Resources, Findings, Executions int }

// batchOf is from how many records on a batch is handed on.
const batchOf = 10_000

// Each makes the records of a plan and hands them on in batches that may be kept.
// The same plan gives the same records.
func (p Plan) Each(ctx context.Context, each func([]bus.Record, Progress) error) error {
	m := maker{Plan: p, scanner: New(p.Seed), hand: each}
	m.step = p.Spread / time.Duration(max(p.Resources/resourcesOfHost, p.Findings/findingsOfHost, 1))
	for m.done.Resources < p.Resources {
		if err := m.look(ctx, m.done.Hosts); err != nil {
			return err
		}
		m.done.Hosts, m.done.Resources = m.done.Hosts+1, m.done.Resources+m.scanner.resources
	}
	for i := 0; m.done.Findings < p.Findings; i++ {
		if err := m.look(ctx, i%max(m.done.Hosts, 1)); err != nil {
			return err
		}
		m.done.Hosts = max(m.done.Hosts, 1)
	}
	return m.flush()
}

// What a host has on average, to spread the executions over the time of a plan.
const (
	resourcesOfHost = 8
	findingsOfHost  = 25
)

// maker makes the records of a plan.
type maker struct {
	Plan
	scanner *Scanner
	hand    func([]bus.Record, Progress) error
	step    time.Duration
	done    Progress
	out     []bus.Record
	offset  int64
}

// look says what one execution found on a host.
func (m *maker) look(ctx context.Context, host int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := m.origin()
	target := ""
	for _, raw := range m.scanner.Host(host) {
		f, err := normal.Finding(raw, o)
		if err != nil {
			return fmt.Errorf("%s: %w", raw, err)
		}
		v, err := record.EncodeFinding(&f)
		if err != nil {
			return err
		}
		m.add(bus.TopicFindings, f.PartitionKey(), v)
		m.done.Findings++
		target = f.CorrelationKey // the last is about the host
	}
	if m.Executions {
		if err := m.execution(o, target); err != nil {
			return err
		}
	}
	m.done.Executions++
	if len(m.out) < batchOf {
		return nil
	}
	return m.flush()
}

// origin is that of the next execution.
func (m *maker) origin() normal.Origin {
	at := m.Until.Add(min(0, m.step*time.Duration(m.done.Executions)-m.Spread))
	return normal.Origin{
		ProjectID: m.Project, Source: pipeline.SourceJob, JobName: Job, Depth: 2, At: at, Since: at.Add(-time.Minute),
		ExecutionID: m.execID(m.done.Executions), RootID: m.execID(m.done.Executions / 50 * 50),
	}
}

// execID is the id of the execution with a number. It is a digest, as ids are: they come
// in no order.
func (m *maker) execID(n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", m.Project, m.Seed, n))
	return hex.EncodeToString(sum[:12])
}

// execution says who asked for an execution, and that it succeeded.
func (m *maker) execution(o normal.Origin, target string) error {
	q, err := record.Encode(pipeline.JobRequest{
		ID: o.ExecutionID, ProjectID: o.ProjectID, Job: o.JobName, Priority: pipeline.PriorityAutomation, At: o.Since, Target: target,
		Cause: pipeline.Cause{SubscriptionName: "Ports of new hosts", RootID: o.RootID, Depth: o.Depth - 1},
	})
	if err != nil {
		return err
	}
	m.add(bus.TopicJobs, o.ExecutionID, q)
	zero := 0
	for _, e := range []pipeline.ExecutionEvent{
		{State: pipeline.StateRunning, At: o.Since.Add(time.Second)},
		{State: pipeline.StateSucceeded, ExitCode: &zero, At: o.At},
	} {
		e.ExecutionID, e.ProjectID, e.Attempt, e.Runner = o.ExecutionID, o.ProjectID, 1, "local"
		v, err := record.Encode(e)
		if err != nil {
			return err
		}
		m.add(bus.TopicExecutions, o.ExecutionID, v)
	}
	return nil
}

func (m *maker) add(topic, key string, value []byte) {
	m.out = append(m.out, bus.Record{Topic: topic, Key: []byte(key), Value: value, Offset: m.offset})
	m.offset++
}

func (m *maker) flush() error {
	if len(m.out) == 0 {
		return nil
	}
	out := m.out
	m.out = nil
	return m.hand(out, m.done)
}
