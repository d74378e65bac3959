package clickhouse

import (
	"fmt"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/sinks/rows"
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
	return guarded("ip != ''", c.addr("addr", "ip", t))
}

// findingWords look into the name, the key and what the fields hold, most of which
// is in what rows.Words writes. A regular expression is for texts as they were written.
func findingWords(c *compiler, t *filter.Term) string {
	var conds []string
	for i := range t.Values {
		switch v := &t.Values[i]; {
		case v.Op != filter.Is:
			conds = append(conds, c.words([]string{"name", "key"}, nil, only(t, v)), c.field("", only(t, v)))
		case v.Any():
			conds = append(conds, "name != ''", "key != ''") // a key there always is
		case v.Exact() && v.Pieces[0] != "":
			conds = append(conds, c.words([]string{"key"}, nil, only(t, v)), c.within(fold(v.Pieces[0])))
		default:
			conds = append(conds, c.words([]string{"key"}, nil, only(t, v)), c.eachSaid("%"+pattern(v.Pieces)+"%", longest(v.Pieces)))
		}
	}
	return either(conds)
}

// only is a term with one of its values.
func only(t *filter.Term, v *filter.Value) *filter.Term {
	one := *t
	one.Values = []filter.Value{*v}
	return &one
}

// within looks for a text in what rows.Words writes.
func (c *compiler) within(text string) string {
	return "position(said, " + c.bind("String", text) + ") > 0"
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

// field is the condition that a field with the key has one of the values; any field
// when the key is empty, and then the values are regular expressions.
func (c *compiler) field(key string, t *filter.Term) string {
	rest := *t
	rest.Values = nil
	var conds []string
	for i := range t.Values {
		if v := &t.Values[i]; v.Op == filter.Is {
			conds = append(conds, c.saidSo(key, v))
		} else {
			rest.Values = append(rest.Values, *v)
		}
	}
	if len(rest.Values) > 0 {
		conds = append(conds, c.parsed(key, &rest))
	}
	return either(conds)
}

// saidSo looks for a value in what rows.Words made of the fields: as one piece where it
// can, else field by field.
func (c *compiler) saidSo(key string, v *filter.Value) string {
	as := rows.WordsAs(key)
	switch {
	case v.Any(): // not empty
		return c.eachSaid(as+"_%", rows.WordsEnd+as)
	case v.Exact():
		return c.within(rows.WordsEnd + as + fold(v.Pieces[0]) + rows.WordsEnd)
	default:
		return c.eachSaid(as+pattern(v.Pieces), longest(v.Pieces))
	}
}

// eachSaid compares each field with a LIKE pattern; what does not have a part of the
// pattern is left out before it is taken apart.
func (c *compiler) eachSaid(like, part string) string {
	cond := "arrayExists(x -> x LIKE " + c.bind("String", like) + ", splitByChar('\\xFF', said))"
	if part == "" {
		return cond
	}
	return "(" + c.within(part) + " AND " + cond + ")"
}

func longest(pieces []string) string {
	out := ""
	for _, p := range pieces {
		if p = fold(p); len(p) > len(out) {
			out = p
		}
	}
	return out
}

// parsed compares fields as the JSON has them, which is slow: what cannot hold the key
// is left out first.
func (c *compiler) parsed(key string, t *filter.Term) string {
	cond := c.fieldValues(t)
	if key == "" {
		return "arrayExists(x -> " + cond + ", " + eachField + ")"
	}
	return "(" + c.within(rows.WordsEnd+rows.WordsAs(key)) + " AND arrayExists(x -> JSONExtractString(x, 'key') = " +
		c.bind("String", key) + " AND " + cond + ", " + eachField + "))"
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

// causeTerm compares an id in the cause. What does not have the id anywhere is left out
// before it is parsed.
func causeTerm(name string) termFunc {
	return func(c *compiler, t *filter.Term) string {
		cond := c.same(cause(name), t)
		var ids []string
		for i := range t.Values {
			if v := &t.Values[i]; v.Any() {
				return cond
			}
			ids = append(ids, "position(request, "+c.bind("String", t.Values[i].Pieces[0])+") > 0")
		}
		return "(" + either(ids) + " AND " + cond + ")"
	}
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
		"user.id":      causeTerm("userId"),
		"parent.id":    causeTerm("parentId"),
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
