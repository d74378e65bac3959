package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a container may have no time zones of its own

	"github.com/goccy/go-yaml/ast"
	"github.com/robfig/cron/v3"
)

// Inputs are what a cron or reconcile subscription may walk through.
func Inputs() []string {
	return []string{"ALL_DOMAINS", "ALL_HOSTS", "ALL_TCP_PORTS", "ALL_UDP_PORTS", "ALL_IP_RANGES", "ALL_WEBSITES"}
}

// DefaultReconcile is when a reconcile subscription looks unless it says otherwise,
// and DefaultReconcileCooldown how long it then leaves a resource alone.
const (
	DefaultReconcile         = "@hourly"
	DefaultReconcileCooldown = 24 * time.Hour
)

// expressions has five fields, six with seconds in front, or a descriptor.
var expressions = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Schedule says when a subscription's time has come.
type Schedule interface {
	// Next returns the first time after t.
	Next(t time.Time) time.Time
}

// ParseSchedule reads a cron expression. Times are those of the zone; what becomes of
// those that a change to or from summer time leaves out or repeats, local says.
func ParseSchedule(expression, zone string) (Schedule, error) {
	if strings.Contains(expression, "TZ=") {
		return nil, fmt.Errorf("write timeZone: %s beside cronExpression instead of TZ= in it", "Europe/Berlin")
	}
	at, err := time.LoadLocation(zone) // "" is UTC
	if err != nil || strings.EqualFold(zone, "local") {
		return nil, fmt.Errorf("timeZone: an IANA name such as Europe/Berlin is expected, not %q", clip(zone))
	}
	if f := len(strings.Fields(expression)); !strings.HasPrefix(expression, "@") && f != 5 && f != 6 {
		return nil, fmt.Errorf("5 or 6 fields are expected (second, if wanted, minute, hour, day of month, month, day of week), there are %d", f)
	}
	s, err := expressions.Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("%w; expected: minute 0-59, hour 0-23, day of month 1-31, month 1-12, day of week 0-6", err)
	}
	switch x := s.(type) {
	case *cron.SpecSchedule:
		s = inZone(x, at)
	case cron.ConstantDelaySchedule:
		if x.Delay < MinEvery {
			return nil, fmt.Errorf("@every needs at least %s", MinEvery)
		}
		return aligned(x.Delay), nil
	}
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("%q never comes: no such day exists", clip(expression))
	}
	return s, nil
}

// MinEvery is the shortest period of @every.
const MinEvery = 10 * time.Second

// aligned counts its periods from 1970, so that every process agrees when they end,
// whenever it began to count.
type aligned time.Duration

func (a aligned) Next(t time.Time) time.Time {
	d := time.Duration(a)
	return time.Unix(0, 0).UTC().Add((t.Sub(time.Unix(0, 0))/d + 1) * d)
}

// local is the schedule of a wall clock. A time that the clock jumps over comes when
// it jumps, and one that it shows twice comes the first time: what was to run once a
// day runs once, on the days of the change too.
type local struct {
	wall *cron.SpecSchedule // in UTC, which has no such days
	zone *time.Location
}

// starBit is set in a field that was written * or ?.
const starBit = 1 << 63

// inZone returns what s means in a zone. What runs in every hour runs in every hour
// that passes, whatever the wall clock calls it.
func inZone(s *cron.SpecSchedule, zone *time.Location) Schedule {
	if s.Location = zone; s.Hour&starBit != 0 {
		return s
	}
	s.Location = time.UTC
	return local{s, zone}
}

func (l local) Next(t time.Time) time.Time {
	_, offset := t.In(l.zone).Zone()
	w := t.UTC().Add(time.Duration(offset) * time.Second)
	for {
		if w = l.wall.Next(w); w.IsZero() {
			return w
		}
		if at := l.instant(w); at.After(t) { // else it is the second time round
			return at
		}
	}
}

// instant returns when the zone's clock first shows the wall time w, or jumps over it.
func (l local) instant(w time.Time) time.Time {
	const day = 24 * time.Hour // no zone changes twice within two
	_, before := w.Add(-day).In(l.zone).Zone()
	_, after := w.Add(day).In(l.zone).Zone()
	early := w.Add(-time.Duration(max(before, after)) * time.Second).In(l.zone)
	late := w.Add(-time.Duration(min(before, after)) * time.Second).In(l.zone)
	for _, at := range []time.Time{early, late} {
		if _, offset := at.Zone(); at.Add(time.Duration(offset) * time.Second).Equal(w.In(l.zone)) {
			return at
		}
	}
	jump, _ := late.ZoneBounds()
	return jump
}

func (p *reader) cron(n ast.Node, e map[string]ast.Node, d *Document) {
	d.Schedule = p.required(n, e, "cronExpression")
	p.schedule(e, d)
	d.Missed = MissedOnce
	if v := e["missed"]; v != nil && !null(v) {
		d.Missed = p.oneOf(v, "missed", MissedOnce, MissedSkip)
	}
	if v := e["overlap"]; v != nil && !null(v) {
		d.Overlap = p.boolean(v, "overlap")
	}
	if v := e["input"]; v != nil && !null(v) {
		d.Input = p.oneOf(v, "input", Inputs()...)
	}
	p.filter(e["filter"], d)
	if v := e["cooldown"]; v != nil && !null(v) {
		d.Cooldown = p.seconds(v, "cooldown")
	}
	if v := e["batch"]; v != nil && !null(v) {
		p.batch(v, d)
	}
}

func (p *reader) reconcile(n ast.Node, e map[string]ast.Node, d *Document) {
	d.Schedule, d.Missed, d.Cooldown = DefaultReconcile, MissedOnce, DefaultReconcileCooldown
	if v := e["cronExpression"]; v != nil && !null(v) {
		d.Schedule = p.text(v, "cronExpression")
	}
	p.schedule(e, d)
	if e["input"] == nil {
		p.expect(n, "input", Inputs(), "is required: what to walk through, one of %s", strings.Join(Inputs(), ", "))
	} else {
		d.Input = p.oneOf(e["input"], "input", Inputs()...)
	}
	p.filter(e["filter"], d)
	if v := e["cooldown"]; v != nil && !null(v) {
		d.Cooldown = p.seconds(v, "cooldown")
	}
	if e["expect"] == nil {
		p.fail(n, "expect", "is required: {finding: the key each resource should have, maxAge: seconds}")
		return
	}
	x := p.entries(e["expect"], "expect", "finding", "maxAge")
	if x == nil {
		return
	}
	d.Expect = &Expect{}
	for _, key := range []string{"finding", "maxAge"} {
		if x[key] == nil {
			p.fail(e["expect"], "expect."+key, "is required")
		}
	}
	if v := x["finding"]; v != nil {
		if d.Expect.Finding = p.text(v, "expect.finding"); strings.Contains(d.Expect.Finding, "*") {
			p.fail(v, "expect.finding", "one finding key is expected, without *")
		}
	}
	if v := x["maxAge"]; v != nil {
		if d.Expect.MaxAge = p.seconds(v, "expect.maxAge"); d.Expect.MaxAge < time.Minute {
			p.fail(v, "expect.maxAge", "at least 60 seconds are expected")
		}
	}
}

func (p *reader) schedule(e map[string]ast.Node, d *Document) {
	if v := e["timeZone"]; v != nil && !null(v) {
		d.TimeZone = p.text(v, "timeZone")
	}
	if _, err := ParseSchedule(time1, d.TimeZone); err != nil {
		p.fail(e["timeZone"], "timeZone", "%s", strings.TrimPrefix(err.Error(), "timeZone: "))
	}
	if e["cronExpression"] != nil && d.Schedule != "" {
		if _, err := ParseSchedule(d.Schedule, ""); err != nil {
			p.fail(e["cronExpression"], "cronExpression", "%s", err)
		}
	}
}

const time1 = "@daily" // an expression that is right, to check a time zone with

func (p *reader) filter(v ast.Node, d *Document) {
	if v == nil || null(v) {
		return
	}
	if d.Filter = p.text(v, "filter"); d.Input == "" {
		p.fail(v, "filter", "needs input: there is nothing to choose from without it")
	}
}

func (p *reader) oneOf(n ast.Node, path string, allowed ...string) string {
	s := p.text(n, path)
	if s != "" && !slices.Contains(allowed, s) {
		p.expect(n, path, allowed, "%q is none of %s", clip(s), strings.Join(allowed, ", "))
	}
	return s
}

// orList writes a, b or c.
func orList(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
