package rule

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/stalker-asm/stalker/pipeline"
)

// triggers are the kinds of subscriptions.
var triggers = []string{string(Event), string(Cron), string(Reconcile)}

// KeysOf lists the keys a document of the kind may have, nil for an unknown kind.
// The last four of every kind are those of the reference's API.
func KeysOf(t Trigger) []string {
	about := []string{"cooldown", "job", "conditions", "jobName", "jobParameters", "isEnabled", "projectId"}
	head := []string{"name", "triggerType"}
	switch t {
	case Event:
		return slices.Concat(head, []string{"findings", "discriminator"}, about)
	case Cron:
		return slices.Concat(head, []string{"cronExpression", "timeZone", "missed", "overlap", "input", "filter", "batch"}, about)
	case Reconcile:
		return slices.Concat(head, []string{"cronExpression", "timeZone", "input", "filter", "expect"}, about)
	default:
		return nil
	}
}

func (p *reader) document(n ast.Node) *Document {
	d := &Document{Trigger: Event}
	probe, _ := n.(*ast.MappingNode)
	var trigger ast.Node
	if probe != nil {
		for _, v := range probe.Values {
			if keyOf(v) == "triggerType" {
				trigger = v.Value
				d.Trigger = Trigger(p.text(v.Value, "triggerType"))
			}
		}
	}
	known := KeysOf(d.Trigger)
	if known == nil {
		if len(p.problems) > 0 { // it is no text
			return d
		}
		p.expect(or(trigger, n), "triggerType", triggers, "%s is expected, not %q", orList(triggers), d.Trigger)
		return d
	}
	e := p.entries(n, "", known...)
	if e == nil {
		return d
	}
	d.Name = p.required(n, e, "name")
	p.about(e, d)
	p.job(n, e, d)
	if c := e["conditions"]; c != nil && !null(c) {
		if list := p.list(c, "conditions", 1); len(list) > 0 { // an empty list is none
			d.Conditions = list
		}
	}
	switch d.Trigger {
	case Event:
		p.event(n, e, d)
	case Cron:
		p.cron(n, e, d)
	default:
		p.reconcile(n, e, d)
	}
	return d
}

// about reads what the reference's API has beside the document itself.
func (p *reader) about(e map[string]ast.Node, d *Document) {
	if v := e["isEnabled"]; v != nil && !null(v) {
		enabled := p.boolean(v, "isEnabled")
		d.Enabled = &enabled
	}
	if v := e["projectId"]; v != nil && !null(v) {
		d.ProjectID = p.text(v, "projectId")
		if d.ProjectID != "" && !pipeline.IsID(d.ProjectID) {
			p.fail(v, "projectId", "an id of %d hexadecimal digits is expected, not %q", pipeline.IDLen, clip(d.ProjectID))
		}
	}
}

func (p *reader) event(n ast.Node, e map[string]ast.Node, d *Document) {
	seq, ok := e["findings"].(*ast.SequenceNode)
	switch {
	case !ok:
		p.fail(or(e["findings"], n), "findings", "a list of finding keys is required, such as [PortFinding]")
	case len(seq.Values) == 0:
		p.fail(seq, "findings", "the list is empty: the subscription would never fire")
	case len(seq.Values) > MaxFindingKeys:
		p.fail(seq, "findings", "at most %d finding keys are expected, there are %d", MaxFindingKeys, len(seq.Values))
	default:
		for i, v := range seq.Values {
			path := fmt.Sprintf("findings[%d]", i)
			key := p.text(v, path)
			if len(key) > MaxFindingKey {
				p.fail(v, path, "a finding key of at most %d bytes is expected", MaxFindingKey)
			}
			d.Findings = append(d.Findings, key)
		}
	}
	if e["cooldown"] == nil {
		p.fail(n, "cooldown", "is required: seconds before it may fire again for the same resource; 0 fires every time")
	} else {
		d.Cooldown = p.seconds(e["cooldown"], "cooldown")
	}
	if v := e["discriminator"]; v != nil && !null(v) {
		d.Discriminator = p.text(v, "discriminator")
		p.noSecrets(v, "discriminator", d.Discriminator)
	}
}

func (p *reader) batch(v ast.Node, d *Document) {
	d.Batch = &Batch{}
	for k, x := range p.entries(v, "batch", "enabled", "size") {
		switch b, isBool := x.(*ast.BoolNode); {
		case k == "enabled" && isBool:
			d.Batch.Enabled = b.Value
		case k == "enabled":
			d.Batch.Enabled = p.boolean(x, "batch.enabled")
		case null(x):
		default:
			if f, ok := p.number(x); ok && f >= 1 && f == math.Trunc(f) && f < 1e9 {
				d.Batch.Size = int(f)
			} else {
				p.fail(x, "batch.size", "a whole number from 1 is expected, not %s", what(x))
			}
		}
	}
	if d.Input == "" {
		p.fail(v, "batch", "needs input: there is nothing to gather without it")
	}
}

var parameterName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// job reads job: {name, parameters}, or the jobName and jobParameters of the
// reference's API.
func (p *reader) job(parent ast.Node, doc map[string]ast.Node, d *Document) {
	n, flat := doc["job"], doc["jobName"]
	switch {
	case n != nil && flat != nil:
		p.fail(flat, "jobName", "write either job or jobName, not both")
		return
	case n == nil && doc["jobParameters"] != nil && flat == nil:
		p.fail(parent, "jobName", "is required beside jobParameters")
		return
	case n == nil && flat == nil:
		p.fail(parent, "job", "is required: {name: …, parameters: […]}")
		return
	case n == nil:
		d.Job = p.text(flat, "jobName")
		p.parameters(doc["jobParameters"], "jobParameters", d)
		return
	}
	e := p.entries(n, "job", "name", "parameters")
	if e == nil {
		return
	}
	if e["name"] == nil {
		p.fail(n, "job.name", "is required")
	} else {
		d.Job = p.text(e["name"], "job.name")
	}
	p.parameters(e["parameters"], "job.parameters", d)
}

func (p *reader) parameters(v ast.Node, path string, d *Document) {
	if v == nil || null(v) {
		return
	}
	seq, ok := v.(*ast.SequenceNode)
	if !ok {
		p.fail(v, path, "a list of {name, value} is expected, not %s", what(v))
		return
	}
	names := map[string]bool{}
	for i, x := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		arg := p.parameter(x, at)
		if names[arg.Name] && arg.Name != "" {
			p.fail(x, at+".name", "%q has a value already", arg.Name)
		}
		names[arg.Name] = true
		d.Parameters = append(d.Parameters, arg)
	}
}

func (p *reader) parameter(n ast.Node, path string) Parameter {
	e := p.entries(n, path, "name", "value")
	var out Parameter
	if e == nil {
		return out
	}
	if e["name"] == nil {
		p.fail(n, path+".name", "is required")
	} else if out.Name = p.text(e["name"], path+".name"); !parameterName.MatchString(out.Name) {
		p.fail(e["name"], path+".name", "%q must begin with a letter and hold only letters, digits and underscores", out.Name)
	}
	if e["value"] == nil || null(e["value"]) {
		p.fail(or(e["value"], n), path+".value", "is required and must not be null")
		return out
	}
	out.Value = p.value(e["value"], path+".value", 1)
	return out
}

func (p *reader) required(n ast.Node, e map[string]ast.Node, key string) string {
	if e[key] == nil {
		p.fail(n, key, "is required")
		return ""
	}
	return p.text(e[key], key)
}

// text reads a non-empty text.
func (p *reader) text(n ast.Node, path string) string {
	var s string
	switch x := n.(type) {
	case *ast.StringNode:
		s = x.Value
	case *ast.LiteralNode:
		s = x.Value.Value
	default:
		p.fail(n, path, "text is expected, not %s", what(n))
		return ""
	}
	if strings.TrimSpace(s) == "" {
		p.fail(n, path, "must not be empty")
	}
	return s
}

func (p *reader) seconds(n ast.Node, path string) time.Duration {
	f, ok := p.number(n)
	if !ok || f < 0 || f != math.Trunc(f) || f > MaxCooldown.Seconds() {
		p.fail(n, path, "a whole number of seconds from 0 to %d is expected, not %s", int64(MaxCooldown.Seconds()), what(n))
		return 0
	}
	return time.Duration(f) * time.Second
}

func (p *reader) boolean(n ast.Node, path string) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		p.expect(n, path, []string{"true", "false"}, "true or false is expected, not %s", what(n))
		return false
	}
	return b.Value
}

func (p *reader) number(n ast.Node) (float64, bool) {
	switch x := n.(type) {
	case *ast.IntegerNode:
		f, err := strconv.ParseFloat(fmt.Sprint(x.Value), 64)
		return f, err == nil
	case *ast.FloatNode:
		return x.Value, true
	default:
		return 0, false
	}
}

// value reads a scalar or a list (objects too, for parameters).
func (p *reader) value(n ast.Node, path string, depth int) any {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value
	case *ast.LiteralNode:
		return x.Value.Value
	case *ast.BoolNode:
		return x.Value
	case *ast.FloatNode:
		return x.Value
	case *ast.IntegerNode:
		return integer(x.Value)
	case *ast.SequenceNode:
		list := make([]any, 0, len(x.Values))
		for i, v := range x.Values {
			if p.tooDeep(v, path, depth) {
				break
			}
			list = append(list, p.value(v, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
		return list
	case *ast.MappingNode:
		m := map[string]any{}
		for _, v := range x.Values {
			if p.tooDeep(v, path, depth) {
				break
			}
			key := keyOf(v)
			if _, twice := m[key]; twice {
				p.fail(v.Key, join(path, key), "is written twice")
			}
			m[key] = p.value(v.Value, join(path, key), depth+1)
		}
		return m
	default:
		p.fail(n, path, "text, a number, a boolean or a list is expected, not %s", what(n))
		return nil
	}
}

func integer(v any) any {
	switch n := v.(type) {
	case int64:
		return n
	case uint64:
		if n <= math.MaxInt64 {
			return int64(n)
		}
		return float64(n)
	default:
		return v
	}
}

func (p *reader) tooDeep(n ast.Node, path string, depth int) bool {
	if depth < MaxDepth {
		return false
	}
	p.fail(n, path, "nested deeper than %d", MaxDepth)
	return true
}

var secret = regexp.MustCompile(`(?i)\$\{\s*secrets\.`)

func (p *reader) noSecrets(n ast.Node, path string, values ...any) {
	for _, v := range values {
		if list, ok := v.([]any); ok {
			p.noSecrets(n, path, list...)
		} else if s, ok := v.(string); ok && secret.MatchString(s) {
			p.fail(n, path, "secrets may stand in job parameters only")
		}
	}
}

func null(n ast.Node) bool { _, ok := n.(*ast.NullNode); return ok }

func or(n, fallback ast.Node) ast.Node {
	if n == nil {
		return fallback
	}
	return n
}
