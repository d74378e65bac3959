package launcher

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/veil"
)

// open replaces what refers to secrets, a whole value or an element of a list, by
// what they hold, and returns the names of the arguments it is in. A parameter that
// is declared secret takes nothing but a reference: a value of its own would stand
// readable in the request.
func (l *Launcher) open(projectID string, declared []pipeline.Parameter, given []pipeline.Argument) (opened []pipeline.Argument, secret []string, err error) {
	for _, a := range given {
		v, found, err := l.openValue(projectID, a.Value)
		if err != nil {
			return nil, nil, fmt.Errorf("parameter %s: %w", pipeline.Clip(a.Name, maxShown), err)
		}
		isSecret := slices.ContainsFunc(declared, func(p pipeline.Parameter) bool { return p.Secret && p.Name == a.Name })
		if isSecret && !found && !absent("", a.Value) {
			return nil, nil, fmt.Errorf("parameter %s is a secret: store the value as one and give ${secrets.NAME}", pipeline.Clip(a.Name, maxShown))
		}
		if found && !slices.Contains(secret, a.Name) {
			secret = append(secret, a.Name)
		}
		opened = append(opened, pipeline.Argument{Name: a.Name, Value: v})
	}
	slices.Sort(secret)
	return opened, secret, nil
}

func (l *Launcher) openValue(projectID string, value json.RawMessage) (out json.RawMessage, found bool, err error) {
	if !strings.Contains(string(value), "${") {
		return value, false, nil
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		return l.openText(projectID, value, text)
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return value, false, nil //nolint:nilerr // neither text nor a list names a secret
	}
	for i, e := range list {
		if json.Unmarshal(e, &text) != nil {
			continue
		}
		v, is, err := l.openText(projectID, e, text)
		if err != nil {
			return nil, false, err
		}
		list[i], found = v, found || is
	}
	if !found {
		return value, false, nil
	}
	out, err = json.Marshal(list)
	return out, true, err
}

func (l *Launcher) openText(projectID string, as json.RawMessage, text string) (json.RawMessage, bool, error) {
	name, is := pipeline.SecretRef(text)
	if !is {
		return as, false, nil
	}
	s, known := l.catalog.Secret(projectID, name)
	switch {
	case !known:
		return nil, false, fmt.Errorf("neither the project nor all of Stalker has a secret named %q", name)
	case l.secrets == nil:
		return nil, false, fmt.Errorf("the launcher has no key to open the secret %q with", name)
	}
	plain, err := l.secrets.Open(s)
	if err != nil {
		return nil, false, fmt.Errorf("opening the secret %q: %w", name, err)
	}
	v, err := json.Marshal(plain)
	return v, true, err
}

// values are what the arguments that hold secrets hold.
func (s *Spec) values() []string {
	var out []string
	add := func(v json.RawMessage) {
		text := string(v)
		_ = json.Unmarshal(v, &text) // numbers are as they are written
		out = append(out, text)
	}
	for _, n := range s.Secret {
		var list []json.RawMessage
		if json.Unmarshal(s.Arguments[n], &list) != nil {
			add(s.Arguments[n])
		}
		for _, v := range list {
			add(v)
		}
	}
	return out
}

// veiled returns what hides an execution's secrets and its credential in a text.
func veiled(s *Spec) func(string) string {
	v := veil.New(s.values())
	if s.Token == "" {
		return v.Text
	}
	return func(text string) string { return v.Text(strings.ReplaceAll(text, s.Token, veil.Mask)) }
}
