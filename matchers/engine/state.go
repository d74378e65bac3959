package engine

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/matchers/cooldown"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
)

// partition is what the engine knows of the findings of one partition: which
// triggers were spent, which names point at a host, which of its ports speak HTTP.
type partition struct {
	triggers *cooldown.Store
	roots    *tallies         // executions by root
	targets  *tallies         // executions by host or domain, in a window
	hosts    map[string]*host // by project/ip
	undo     []func()         // of the batch in hand
	touched  []string         // hosts the batch in hand changes

	unreadable int // changelog records passed over
	lastErr    error
}

// host joins names and HTTP ports into websites, whichever come first.
type host struct {
	domains map[string]bool
	http    map[int]bool // port → speaks TLS
}

func newPartition() *partition {
	return &partition{
		triggers: cooldown.NewStore(), roots: newTallies(keyRoot), targets: newTallies(keyTarget), hosts: map[string]*host{},
	}
}

func (e *Engine) partition(n int32) *partition {
	p := e.parts[n]
	if p == nil {
		p = newPartition()
		e.parts[n] = p
	}
	return p
}

func (p *partition) commit() {
	p.triggers.Commit()
	p.roots.commit()
	p.targets.commit()
	p.tidy()
}

func (p *partition) rollback() {
	p.triggers.Rollback()
	p.roots.rollback()
	p.targets.rollback()
	for _, undo := range slices.Backward(p.undo) {
		undo()
	}
	p.tidy()
}

// tidy ends a batch, and drops hosts nothing is known of any more.
func (p *partition) tidy() {
	for _, key := range p.touched {
		if h := p.hosts[key]; h != nil && len(h.domains)+len(h.http) == 0 {
			delete(p.hosts, key)
		}
	}
	p.undo, p.touched = p.undo[:0], p.touched[:0]
}

// change changes a host for the batch in hand; undo takes that back.
func (p *partition) change(key string, do, undo func(h *host)) {
	h := p.host(key)
	do(h)
	p.undo = append(p.undo, func() { undo(h) })
	p.touched = append(p.touched, key)
}

// host returns what is known of a host, to be added to.
func (p *partition) host(key string) *host {
	h := p.hosts[key]
	if h == nil {
		h = &host{domains: map[string]bool{}, http: map[int]bool{}}
		p.hosts[key] = h
	}
	return h
}

// keepTriggers is how long a trigger is remembered beyond its cooldown, so that a
// cooldown made longer still counts what fired shortly before.
const keepTriggers = 24 * time.Hour

func (p *partition) spend(c *candidate) cooldown.Entry {
	e := cooldown.Entry{At: c.at, Until: c.at.Add(c.rule.Cooldown + keepTriggers), By: mark(c.finding)}
	p.triggers.Spend(c.trigger, e)
	return e
}

// mark stands for a finding where its id would take too much room.
func mark(f *pipeline.Finding) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(f.ID)) // never fails
	return h.Sum64()
}

// Prefixes of the keys of the changelog.
const (
	keyTrigger = "trigger/" // <subscription>/<hash of key and discriminator> → times
	keyDomain  = "domain/"  // <project>/<ip>/<domain> → true
	keyHTTP    = "http/"    // <project>/<ip>/<port> → speaks TLS
	keyRoot    = "root/"    // <root id> → executions
	keyTarget  = "target/"  // <project>/<ip or domain> → executions in the window
)

type triggerState struct {
	At    int64 `json:"at"` // milliseconds since 1970
	Until int64 `json:"until"`

	By uint64 `json:"by,omitempty"` // the mark of the finding
}

// triggerRecord is the changelog record of a spent trigger; nil forgets it.
func triggerRecord(partition int32, trigger string, e *cooldown.Entry) bus.Record {
	if e == nil {
		return stateRecord(partition, keyTrigger+trigger, nil)
	}
	return stateRecord(partition, keyTrigger+trigger, triggerState{At: e.At.UnixMilli(), Until: e.Until.UnixMilli(), By: e.By})
}

func stateRecord(partition int32, key string, value any) bus.Record {
	r := bus.Record{Topic: bus.TopicState, Pinned: true, Partition: partition, Key: []byte(key)}
	if value != nil {
		r.Value, _ = json.Marshal(value) // numbers and booleans: never fails
	}
	return r
}

// Restore applies one changelog record. One that cannot be read is passed over and
// counted: at worst a subscription fires once too often.
func (e *Engine) Restore(n int32, r bus.Record) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.partition(n)
	if err := p.restore(string(r.Key), r.Value); err != nil {
		e.metrics.unreadable.Inc()
		p.unreadable++
		p.lastErr = fmt.Errorf("offset %d: %w", r.Offset, err)
	}
	return nil
}

// Restored says what was restored.
func (e *Engine) Restored(n int32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.partition(n)
	p.tidy()
	if p.unreadable > 0 {
		e.log.Error("state records were unreadable and passed over", "partition", n, "records", p.unreadable, "last", p.lastErr)
	}
	e.metrics.remember(n, p)
}

// Revoke drops the partition's state; its next owner restores it.
func (e *Engine) Revoke(n int32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.parts, n)
	e.metrics.forget(n)
}

func (p *partition) restore(key string, value []byte) error {
	if trigger, ok := strings.CutPrefix(key, keyTrigger); ok {
		var s triggerState
		if value == nil {
			p.triggers.Restore(trigger, cooldown.Entry{})
			return nil
		}
		if err := json.Unmarshal(value, &s); err != nil {
			return fmt.Errorf("trigger %s: %w", trigger, err)
		}
		p.triggers.Restore(trigger, cooldown.Entry{At: time.UnixMilli(s.At).UTC(), Until: time.UnixMilli(s.Until).UTC(), By: s.By})
		return nil
	}
	if root, ok := strings.CutPrefix(key, keyRoot); ok {
		return p.roots.restore(root, value)
	}
	if target, ok := strings.CutPrefix(key, keyTarget); ok {
		return p.targets.restore(target, value)
	}
	kind, rest, _ := strings.Cut(key, "/")
	cut := strings.LastIndexByte(rest, '/')
	if cut < 0 {
		return fmt.Errorf("unknown key %q", key)
	}
	h, what := p.host(rest[:cut]), rest[cut+1:]
	p.touched = append(p.touched, rest[:cut]) // a tombstone may leave nothing
	switch kind + "/" {
	case keyDomain:
		if value == nil {
			delete(h.domains, what)
		} else {
			h.domains[what] = true
		}
		return nil
	case keyHTTP:
		return h.restoreHTTP(what, value)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
}

func (h *host) restoreHTTP(what string, value []byte) error {
	var tls bool
	port, err := strconv.Atoi(what)
	if err != nil {
		return fmt.Errorf("port %q: %w", what, err)
	}
	if value == nil {
		delete(h.http, port)
		return nil
	}
	if err := json.Unmarshal(value, &tls); err != nil {
		return fmt.Errorf("port %q: %w", what, err)
	}
	h.http[port] = tls
	return nil
}
