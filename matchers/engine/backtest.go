package engine

import (
	"encoding/json"
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Bounds of a backtest, which remembers what it simulates.
const (
	maxSimulated = 1_000_000 // triggers
	maxSamples   = 20
	maxBars      = 400 // of the histogram
)

// Backtest runs a draft over findings of the past, in their order, with the stages
// and the code that Handle runs; what fired before is simulated. It asks for
// nothing and changes nothing.
//
// It knows the scope and the marks as they are now. Chains are as deep as they were
// then; what the jobs it would have started would have found is not known.
type Backtest struct {
	e       *Engine
	rule    *rule.Rule
	names   func(projectID, ip string) []string
	state   *partition
	step    time.Duration
	known   map[string]bool // hosts of which the names were asked for
	bars    map[int64]int
	targets map[string]bool
	out     pipeline.Backtest
}

// NewBacktest prepares one of a subscription of events. names gives the domains that
// resolve to an address; step is the width of a bar of the histogram.
func (e *Engine) NewBacktest(sub pipeline.Subscription, step time.Duration, names func(projectID, ip string) []string) (*Backtest, error) {
	d, err := rule.Parse([]byte(sub.Document))
	if err != nil {
		return nil, err
	}
	if d.Trigger != rule.Event {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "only subscriptions of events can be run over the past: this one is %s", d.Trigger)
	}
	sub.Enabled = true // it is asked what it would do
	step = barWidth(step)
	return &Backtest{
		e: e, rule: rule.Compile(d, sub), names: names, state: newPartition(), step: step, known: map[string]bool{}, bars: map[int64]int{}, targets: map[string]bool{},
		out: pipeline.Backtest{Name: d.Name, Job: d.Job, Keys: d.Findings, Stopped: map[string]int{}, Histogram: []pipeline.BacktestBar{}, Samples: []pipeline.BacktestSample{}},
	}, nil
}

// barWidth is a width that people count in, at least as wide as asked for.
func barWidth(at time.Duration) time.Duration {
	for _, d := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour} {
		if d >= at {
			return d
		}
	}
	return 24 * time.Hour
}

// Add judges one finding; they come the oldest first.
func (b *Backtest) Add(f *pipeline.Finding) error {
	if b.rule.ProjectID != "" && b.rule.ProjectID != f.ProjectID || !b.rule.Reacts(f.Key) {
		return nil
	}
	if b.out.Findings++; b.out.Findings == 1 {
		b.out.From = f.At
	}
	b.out.To = f.At
	if !b.rule.Holds(f) { // as a matcher, which looks at no other
		b.out.Stopped[string(NotMet)]++
		return nil
	}
	b.learn(f)
	c := candidate{engine: b.e, finding: f, state: b.state, rule: b.rule, at: f.At.UTC().Truncate(time.Millisecond), past: true}
	b.e.mu.Lock()
	_, reason := c.judge()
	b.e.mu.Unlock()
	if reason != Fired {
		b.out.Stopped[string(reason)]++
		return nil
	}
	return b.fired(&c)
}

// learn tells the state which names resolve to the finding's address.
func (b *Backtest) learn(f *pipeline.Finding) {
	key := hostKey(f)
	if f.IP == "" || b.known[key] {
		return
	}
	if len(b.known) >= maxSimulated {
		b.known, b.state.hosts = map[string]bool{}, map[string]*host{}
	}
	b.known[key] = true
	for _, name := range b.names(f.ProjectID, f.IP) {
		b.state.host(key).domains[name] = true
	}
}

func (b *Backtest) fired(c *candidate) error {
	b.state.spend(c)
	b.state.charge(c)
	b.state.commit()
	if b.state.triggers.Expire(c.at, 1000) != nil {
		b.state.commit()
	}
	if b.state.triggers.Len() > maxSimulated {
		return pipeline.Errorf(pipeline.CodeTooLarge, "it would have fired for more than %d resources within one cooldown: narrow the time, or the conditions", maxSimulated)
	}
	b.out.Jobs++
	if len(b.targets) < maxSimulated {
		b.targets[c.finding.CorrelationKey] = true
	}
	b.bars[c.at.UnixMilli()/b.step.Milliseconds()]++
	if len(b.bars) > maxBars {
		b.widen()
	}
	if len(b.out.Samples) < maxSamples {
		b.out.Samples = append(b.out.Samples, pipeline.BacktestSample{
			At: c.at, FindingID: c.finding.ID, ProjectID: c.finding.ProjectID, Target: c.finding.CorrelationKey, Parameters: rawParameters(c.args), Discriminator: c.part,
		})
	}
	return nil
}

// widen makes the histogram's bars twice as wide.
func (b *Backtest) widen() {
	b.step *= 2
	wide := map[int64]int{}
	for at, n := range b.bars {
		wide[at/2] += n
	}
	b.bars = wide
}

// Result is what the findings so far come to.
func (b *Backtest) Result() pipeline.Backtest {
	out := b.out
	out.Targets, out.Step = len(b.targets), b.step.String()
	if len(b.bars) == 0 {
		return out
	}
	first, last := int64(1<<62), int64(-1<<62)
	for at := range b.bars {
		first, last = min(first, at), max(last, at)
	}
	for at := first; at <= last && at-first < 100*maxBars; at++ {
		if n := b.bars[at]; n > 0 {
			out.Histogram = append(out.Histogram, pipeline.BacktestBar{At: time.UnixMilli(at * b.step.Milliseconds()).UTC(), Jobs: n})
		}
	}
	return out
}

func rawParameters(args []pipeline.Argument) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, a := range args {
		out[a.Name] = a.Value
	}
	return out
}
