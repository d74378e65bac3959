package clickhouse

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// The fields of a finding are JSON, as encoding/json writes it. fieldText is the
// text of the field x, like pipeline.Field.Text gives it.
const (
	eachField = "JSONExtractArrayRaw(fields)"
	fieldText = "if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))"
)

func findingTerms() terms {
	return terms{
		"text":          findingWords,
		"id":            nameTerm("id"),
		"project.id":    sameTerm("project_id"),
		"key":           textTerm("key"),
		"type":          sameTerm("type"),
		"source":        sameTerm("source"),
		"name":          textTerm("name"),
		"tag":           textTerm("tag"),
		"job":           textTerm("job"),
		"execution.id":  sameTerm("execution_id"),
		"user.id":       sameTerm("user_id"),
		"root.id":       nameTerm("root_id"),
		"depth":         numberTerm("depth", ""),
		"at":            dateTerm("at", ""),
		"target":        textTerm("correlation_key"),
		"domain":        nameTerm("domain"),
		"host":          findingAddr,
		"port":          numberTerm("port", "port > 0"),
		"port.protocol": sameTerm("protocol"),
		"path":          textTerm("path"),
		"field":         func(c *compiler, t *filter.Term) string { return c.said(t) },
		"finding":       func(c *compiler, t *filter.Term) string { return c.said(t) },
	}
}

// findingAddr compares the address a finding names, if it names one.
func findingAddr(c *compiler, t *filter.Term) string {
	return guarded("ip != ''", c.addr("toIPv6OrDefault(ip)", "ip", t))
}

// findingWords look into the name, the key and what the fields hold.
func findingWords(c *compiler, t *filter.Term) string {
	inside := *t
	inside.Values = nil
	for _, v := range t.Values { // a part of the field, as a pattern
		if v.Op == filter.Is && !v.Any() {
			v.Pieces = append(append([]string{""}, v.Pieces...), "")
		}
		inside.Values = append(inside.Values, v)
	}
	return either([]string{c.words([]string{"name", "key"}, nil, t), c.field("", &inside)})
}

// said is the condition that a finding has the key and the field of a term.
func (c *compiler) said(t *filter.Term) string {
	var conds []string
	if t.Key != "" {
		conds = append(conds, "key = "+c.bind("String", t.Key))
	}
	if t.Sub != "" {
		conds = append(conds, c.field(t.Sub, t))
	}
	return c.parenthesised(strings.Join(conds, " AND "))
}

// field is the condition that a field with the key, or any when that is empty, has
// one of the values. Parsing JSON is slow, so that what cannot hold the key or the
// value is left out by a plain search first.
func (c *compiler) field(key string, t *filter.Term) string {
	var conds, each []string
	if key != "" {
		b, err := json.Marshal(key)
		if err != nil { // a string always marshals
			panic(err)
		}
		conds = append(conds, "position(fields, "+c.bind("String", `"key":`+string(b))+") > 0")
		each = append(each, "JSONExtractString(x, 'key') = "+c.bind("String", key))
	}
	if len(t.Values) == 1 {
		if part := plainPart(t.Values[0]); part != "" {
			conds = append(conds, "positionCaseInsensitive(fields, "+c.bind("String", part)+") > 0")
		}
	}
	each = append(each, c.fieldValues(t))
	return strings.Join(append(conds, "arrayExists(x -> "+strings.Join(each, " AND ")+", "+eachField+")"), " AND ")
}

// fieldValues compares the text of the field x.
func (c *compiler) fieldValues(t *filter.Term) string {
	plain := *t
	plain.Values = nil
	var conds []string
	for _, v := range t.Values {
		if v.Op == filter.Is || v.Op == filter.Matches {
			plain.Values = append(plain.Values, v)
			continue
		}
		n := "toFloat64OrNull(" + fieldText + ")"
		conds = append(conds, fmt.Sprintf("ifNull(%s %s %s, 0)", n, v.Op, c.bind("Float64", v.Number)))
	}
	if len(plain.Values) > 0 {
		conds = append(conds, c.text(fieldText, false, &plain))
	}
	return either(conds)
}

// plainPart is the longest part of a value that stands in JSON as it is, whatever
// its case.
func plainPart(v filter.Value) string {
	longest := ""
	if v.Op != filter.Is {
		return ""
	}
	for _, p := range v.Pieces {
		plain := strings.IndexFunc(p, func(r rune) bool {
			return r > '~' || r < ' ' || strings.ContainsRune(`"\<>&`, r)
		}) < 0
		if plain && len(p) > len(longest) {
			longest = p
		}
	}
	return longest
}

// Where an execution stands, and when its last attempt began.
var (
	currentState = element("current", "state")
	hasEnded     = fmt.Sprintf("has(['%s'], %s)", strings.Join(ends(), "', '"), currentState)
	hasStarted   = "(" + element("started", "attempt") + " > 0 AND " + element("started", "attempt") + " = " + element("current", "attempt") + ")"
	tookMillis   = "(toUnixTimestamp64Milli(" + element("current", "at") + ") - toUnixTimestamp64Milli(" + element("started", "at") + "))"
)

func ends() []string {
	var out []string
	for _, s := range pipeline.States() {
		if s.Ended() {
			out = append(out, string(s))
		}
	}
	return out
}

// cause is a part of why an execution was asked for. It is read from the request:
// there are far fewer executions than findings.
func cause(name string) string {
	return "JSONExtractString(request, 'cause', '" + name + "')"
}

func executionTerms() terms {
	return terms{
		"text":         func(c *compiler, t *filter.Term) string { return c.words([]string{"job", "target"}, nil, t) },
		"id":           sameTerm("id"),
		"project.id":   sameTerm("project_id"),
		"job":          textTerm("job"),
		"state":        sameTerm(currentState),
		"is":           flagTerm(is("ended", hasEnded), is("open", "NOT "+hasEnded)),
		"reason":       sameTerm(element("current", "reason")),
		"detail":       textTerm(element("current", "detail")),
		"target":       textTerm("target"),
		"subscription": textTerm(cause("subscriptionName")),
		"user.id":      sameTerm(cause("userId")),
		"parent.id":    sameTerm(cause("parentId")),
		"root.id":      nameTerm(cause("rootId")),
		"runner":       textTerm(element("current", "runner")),
		"attempt":      numberTerm(element("current", "attempt"), ""),
		"exitCode":     numberTerm(element("current", "exit_code"), element("current", "exited")+" = 1"),
		"queuedAt":     dateTerm("queued_at", ""),
		"startedAt":    dateTerm(element("started", "at"), hasStarted),
		"endedAt":      dateTerm(element("current", "at"), hasEnded),
		"duration":     numberTerm(tookMillis, "("+hasEnded+" AND "+hasStarted+")"),
	}
}
