package rule

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Format writes a document in its one canonical form. Parsing that gives the same
// document again.
func Format(d *Document) []byte {
	w := &writer{}
	w.line(0, "name", d.Name)
	w.line(0, "triggerType", string(d.Trigger))
	w.optional("projectId", d.ProjectID)
	if d.Enabled != nil {
		w.line(0, "isEnabled", *d.Enabled)
	}
	if d.Trigger == Event {
		w.line(0, "findings", d.Findings)
		w.optional("discriminator", d.Discriminator)
	} else {
		w.scheduled(d)
	}
	if d.Trigger != Cron || d.Cooldown != 0 {
		w.line(0, "cooldown", int64(d.Cooldown.Seconds()))
	}
	w.line(0, "job", nil)
	w.line(1, "name", d.Job)
	if len(d.Parameters) > 0 {
		w.line(1, "parameters", nil)
	}
	for _, p := range d.Parameters {
		w.text("    - {name: " + flow(p.Name) + ", value: " + flow(p.Value) + "}\n")
	}
	if len(d.Conditions) > 0 {
		w.line(0, "conditions", nil)
		w.conditions(d.Conditions, 1)
	}
	return w.Bytes()
}

func (w *writer) scheduled(d *Document) {
	w.line(0, "cronExpression", d.Schedule)
	w.optional("timeZone", d.TimeZone)
	if d.Missed == MissedSkip {
		w.line(0, "missed", d.Missed)
	}
	if d.Overlap {
		w.line(0, "overlap", true)
	}
	w.optional("input", d.Input)
	w.optional("filter", d.Filter)
	w.batch(d.Batch)
	if d.Expect != nil {
		w.line(0, "expect", nil)
		w.line(1, "finding", d.Expect.Finding)
		w.line(1, "maxAge", int64(d.Expect.MaxAge.Seconds()))
	}
}

type writer struct{ bytes.Buffer }

func (w *writer) text(s string) { w.WriteString(s) }

// line writes key: value; nil is left to the lines that follow.
func (w *writer) line(indent int, key string, value any) {
	w.text(strings.Repeat("  ", indent) + key + ":")
	if value != nil {
		w.text(" " + flow(value))
	}
	w.text("\n")
}

func (w *writer) optional(key, value string) {
	if value != "" {
		w.line(0, key, value)
	}
}

func (w *writer) batch(b *Batch) {
	if b == nil {
		return
	}
	w.line(0, "batch", nil)
	w.line(1, "enabled", b.Enabled)
	if b.Size != 0 {
		w.line(1, "size", b.Size)
	}
}

func (w *writer) conditions(list []Condition, indent int) {
	for _, c := range list {
		w.text(strings.Repeat("  ", indent) + "- ")
		inner := c.All
		if c.Junction == "or" {
			inner = c.Any
		}
		switch {
		case c.Junction == "":
			w.text("{lhs: " + flow(c.Left) + ", operator: " + flow(c.Operator) + w.right(c.Right) + "}\n")
		case len(inner) == 0:
			w.text("{" + c.Junction + ": []}\n")
		default:
			w.text(c.Junction + ":\n")
			w.conditions(inner, indent+2)
		}
	}
}

// right writes the right side; exists may have none.
func (*writer) right(v any) string {
	if v == nil {
		return ""
	}
	return ", rhs: " + flow(v)
}

// flow writes a value on one line, as JSON, which is YAML: text is always quoted.
func flow(v any) string {
	if f, ok := v.(float64); ok {
		s := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0" // or it would be read as an integer
		}
		return s
	}
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i := range list {
			parts[i] = flow(list[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null" // only what Parse never makes
	}
	return strings.TrimSpace(b.String())
}
