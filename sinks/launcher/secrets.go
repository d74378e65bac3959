package launcher

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// mask is what is shown in place of a secret.
const mask = "••••••"

// open replaces what refers to secrets, a whole value or an element of a list, by
// what they hold, and returns the names of the arguments it is in. A parameter that
// is declared secret takes nothing but a reference: a value of its own would stand
// readable in the request.
func (l *Launcher) open(projectID string, declared []pipeline.Parameter, given []pipeline.Argument) (opened []pipeline.Argument, secret []string, err error) {
	for _, a := range given {
		v, found, err := l.openValue(projectID, a.Value)
		if err != nil {
			return nil, nil, fmt.Errorf("parameter %s: %w", clip(a.Name, maxShown), err)
		}
		isSecret := slices.ContainsFunc(declared, func(p pipeline.Parameter) bool { return p.Secret && p.Name == a.Name })
		if isSecret && !found && !absent("", a.Value) {
			return nil, nil, fmt.Errorf("parameter %s is a secret: store the value as one and give ${secrets.NAME}", clip(a.Name, maxShown))
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

// veil returns what replaces secrets in a text by the mask. Values too short to
// be told from ordinary text are left.
func veil(s Spec) func(string) string {
	const shortest = 4
	var pairs []string
	add := func(v json.RawMessage) {
		text := string(v)
		_ = json.Unmarshal(v, &text) // numbers are as they are written
		if len(text) >= shortest {
			pairs = append(pairs, text, mask)
		}
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
	if len(pairs) == 0 {
		return func(s string) string { return s }
	}
	return strings.NewReplacer(pairs...).Replace
}
