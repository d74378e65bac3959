package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

// MaxArguments is how large all arguments of one execution may be, in bytes.
const MaxArguments = 1 << 20

// CheckArguments reports everything that is wrong with what a person gives a job:
// names nobody declares, unless undeclared ones are wanted, values of another type,
// required ones that are missing, secrets in the clear. The launcher checks again.
func CheckArguments(j *pipeline.Job, given []pipeline.Argument, undeclared bool) Problems {
	c := argumentCheck{job: j, seen: map[string]bool{}}
	size := 0
	for i, a := range given {
		c.at = fmt.Sprintf("arguments[%d]", i)
		c.argument(a, undeclared)
		size += len(a.Name) + len(a.Value)
	}
	c.at = "arguments"
	for _, p := range j.Parameters {
		if p.Required && p.Default == nil && !c.seen[p.Name] {
			c.fail("", "%s is missing: the job cannot do without it", p.Name)
		}
	}
	if size > MaxArguments {
		c.fail("", "they have %d bytes together, at most %d are allowed", size, MaxArguments)
	}
	return c.problems
}

type argumentCheck struct {
	job      *pipeline.Job
	seen     map[string]bool // names that have a value
	at       string
	problems Problems
}

func (c *argumentCheck) fail(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: c.at + path, Message: fmt.Sprintf(format, args...)})
}

func (c *argumentCheck) argument(a pipeline.Argument, undeclared bool) {
	if err := normal.ParameterName(a.Name); err != nil {
		c.fail(".name", "%s", err)
		return
	}
	if c.seen[a.Name] {
		c.fail(".name", "%s is given twice", a.Name)
		return
	}
	i := slices.IndexFunc(c.job.Parameters, func(p pipeline.Parameter) bool { return p.Name == a.Name })
	if i < 0 && !undeclared {
		c.fail(".name", "%s is no parameter of %s%s", a.Name, c.job.Name, c.known())
		return
	}
	var p pipeline.Parameter
	if i >= 0 {
		p = c.job.Parameters[i]
	}
	if absent(p.Type, a.Value) {
		return
	}
	c.seen[a.Name] = true
	switch secret := refers(a.Value); {
	case p.Secret && !secret:
		c.fail(".value", "%s is a secret: store the value as one and give ${secrets.NAME}", a.Name)
	case secret: // what it holds is known when it runs
	default:
		if _, err := normal.Argument(p.Type, a.Value); err != nil {
			c.fail(".value", "%s: %s", a.Name, err)
		}
	}
}

func (c *argumentCheck) known() string {
	if len(c.job.Parameters) == 0 {
		return ": it has none"
	}
	var names []string
	for _, p := range c.job.Parameters {
		names = append(names, p.Name)
	}
	return "; it has " + strings.Join(names, ", ")
}

// absent reports whether a value says that there is none, as the launcher reads it.
func absent(declared string, v json.RawMessage) bool {
	s := strings.TrimSpace(string(v))
	return s == "" || s == "null" || s == `""` && declared != "" && declared != "string"
}

// refers reports whether a value, or an element of a list, is a secret's name.
func refers(v json.RawMessage) bool { return len(SecretRefs(v)) > 0 }

// SecretRefs returns the names of the secrets that a value, or an element of a
// list, refers to.
func SecretRefs(v json.RawMessage) (names []string) {
	list := []json.RawMessage{v}
	var several []json.RawMessage
	if json.Unmarshal(v, &several) == nil {
		list = several
	}
	for _, e := range list {
		var text string
		if json.Unmarshal(e, &text) != nil {
			continue
		}
		if name, ok := pipeline.SecretRef(text); ok {
			names = append(names, name)
		}
	}
	return names
}
