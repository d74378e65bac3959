package control

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// Resource is what a job may be launched for.
type Resource struct {
	Key string // correlation key
	pipeline.Locators
	SSL *bool
}

// variables are what may stand in ${…} for a kind of resource; batched, each is a
// list with the ending Batch, as in subscriptions.
var variables = map[pipeline.Kind][]string{
	pipeline.KindDomain:  {"domainName"},
	pipeline.KindHost:    {"ip"},
	pipeline.KindRange:   {"ip", "mask"},
	pipeline.KindPort:    {"ip", "port", "protocol"},
	pipeline.KindWebsite: {"domainName", "ip", "port", "protocol", "path", "ssl"},
}

// batched is what a variable is called when it is a list.
func batched(name string) string {
	if name == "domainName" {
		return "domainBatch"
	}
	return name + "Batch"
}

// customary are parameters that mean, in every job there is, one thing about the
// resource it is run for: they are filled in when a person leaves them out.
var customary = []struct{ parameter, variable string }{
	{"domainName", "domainName"},
	{"targetIp", "ip"},
	{"targetMask", "mask"},
	{"port", "port"},
	{"protocol", "protocol"},
	{"path", "path"},
	{"ssl", "ssl"},
	{"domainNames", "domainName"}, // lists
	{"ports", "port"},
}

// Filler puts what is known of resources into the arguments of a job.
type Filler struct {
	args []filled
	size int
}

type filled struct {
	name  string
	value vars.Template
}

// NewFiller compiles arguments with ${…} in them, for one kind of resource and for
// size of them at once; 0 is one at a time. Customary parameters that are left out are filled in.
func NewFiller(j *pipeline.Job, kind pipeline.Kind, given []pipeline.Argument, size int) (*Filler, error) {
	f := &Filler{size: size}
	var problems Problems
	for i, a := range given {
		var v any
		if err := json.Unmarshal(a.Value, &v); err != nil {
			problems = append(problems, Problem{Path: fmt.Sprintf("arguments[%d].value", i), Message: "is no JSON"})
			continue
		}
		if p := unknown(kind, size > 0, string(a.Value)); p != "" {
			problems = append(problems, Problem{Path: fmt.Sprintf("arguments[%d].value", i), Message: p})
		}
		f.args = append(f.args, filled{a.Name, vars.Compile(v)})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	f.complete(j, kind, given)
	return f, nil
}

// complete fills in what is customary.
func (f *Filler) complete(j *pipeline.Job, kind pipeline.Kind, given []pipeline.Argument) {
	for _, c := range customary {
		i := slices.IndexFunc(j.Parameters, func(p pipeline.Parameter) bool { return p.Name == c.parameter })
		has := slices.ContainsFunc(given, func(a pipeline.Argument) bool { return a.Name == c.parameter })
		if i < 0 || has || !slices.Contains(variables[kind], c.variable) {
			continue
		}
		_, list := strings.CutSuffix(j.Parameters[i].Type, "[]")
		switch {
		case f.size > 0 && list:
			f.args = append(f.args, filled{c.parameter, vars.Compile("${" + batched(c.variable) + "}")})
		case f.size > 0: // many do not fit into one
		case list:
			f.args = append(f.args, filled{c.parameter, vars.Compile([]any{"${" + c.variable + "}"})})
		default:
			f.args = append(f.args, filled{c.parameter, vars.Compile("${" + c.variable + "}")})
		}
	}
}

var expression = regexp.MustCompile(`\$\$\{|\$\{\s*([^\s{}]+)\s*\}`)

// unknown says which variable of a text means nothing for a kind, "" when all do.
func unknown(kind pipeline.Kind, batch bool, text string) string {
	var known []string
	for _, v := range variables[kind] {
		if batch {
			v = batched(v)
		}
		known = append(known, v)
	}
	known = append(known, "projectId", "correlationKey")
	for _, m := range expression.FindAllStringSubmatch(text, -1) {
		name := strings.ToLower(m[1])
		if name == "" || strings.HasPrefix(name, "secrets.") {
			continue
		}
		name = strings.TrimPrefix(name, "finding.")
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			return fmt.Sprintf("${%s} means nothing here; what does is ${%s}", m[1], strings.Join(known, "}, ${"))
		}
	}
	return ""
}

// Fill returns the arguments for resources: one, or as many as the filler was made for.
func (f *Filler) Fill(projectID string, list []Resource) ([]pipeline.Argument, error) {
	said := finding(projectID, list)
	if f.size > 0 {
		said = many(projectID, list)
	}
	out := make([]pipeline.Argument, 0, len(f.args))
	for i := range f.args {
		v, err := json.Marshal(f.args[i].value.Expand(said))
		if err != nil {
			return nil, fmt.Errorf("filling in %s: %w", f.args[i].name, err)
		}
		out = append(out, pipeline.Argument{Name: f.args[i].name, Value: v})
	}
	return out, nil
}

// finding makes a resource look like a finding, so that variables mean the same as
// in a subscription.
func finding(projectID string, list []Resource) *pipeline.Finding {
	f := &pipeline.Finding{ProjectID: projectID}
	if len(list) > 0 {
		f.Locators, f.SSL, f.CorrelationKey = list[0].Locators, list[0].SSL, list[0].Key
	}
	return f
}

// many makes resources look like one finding, whose fields are the lists.
func many(projectID string, list []Resource) *pipeline.Finding {
	f := &pipeline.Finding{ProjectID: projectID, CorrelationKey: "project:" + projectID}
	for name, of := range map[string]func(*Resource) any{
		"domainName": func(r *Resource) any { return r.Domain },
		"ip":         func(r *Resource) any { return r.IP },
		"port":       func(r *Resource) any { return int64(r.Port) },
		"protocol":   func(r *Resource) any { return string(r.Protocol) },
		"path":       func(r *Resource) any { return r.Path },
		"ssl":        func(r *Resource) any { return r.SSL != nil && *r.SSL },
		"mask": func(r *Resource) any {
			if r.Mask == nil {
				return int64(0)
			}
			return int64(*r.Mask)
		},
	} {
		values := make([]any, len(list))
		for i := range list {
			values[i] = of(&list[i])
		}
		f.Fields = append(f.Fields, pipeline.Field{Key: batched(name), Data: values})
	}
	return f
}
